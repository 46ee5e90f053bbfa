"""Failures others had, about calls: races for a balance, holds that leak, work that dies half-way."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import InsufficientCreditsError, install
from ai_addons.addons import AddOns
from ai_addons.billing.doctor import examine
from ai_addons.billing.limits import Limit
from ai_addons.billing.records import Booked, Hold
from ai_addons.billing.sql import Database
from ai_addons.billing.sql import statements as sql
from ai_addons.clock import Uuid7
from ai_addons.errors import BillingError, LedgerConflict, LimitReached
from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, kit_settings
from tests.books import FAILED, OK, TTL, Books, file_url, new_url, on_postgres
from tests.features import slogan
from tests.hands import at_once, dies_at, everything, examined, fatal, plan, steps_of
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

KEY: Final = "sale-81"
FORKS: Final = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_b1_d1_calls_at_once_cannot_pass_one_balance(tmp_path: Path) -> None:
    """200 threads, price 5, balance 12: the model is asked twice, two credits stay, the others are refused."""
    model = FakeLlm()
    addons = AddOns(kit_settings(store={"url": new_url(tmp_path)}), llm=model, environ={})
    install(addons)
    addons.grant("busy", 12, source="adjustment", ref="funds")

    def ask(number: int) -> bool:
        try:
            slogan.options(business="busy")(number)
        except InsufficientCreditsError as refused:
            return refused.available < Credits(5)
        return False

    assert sum(at_once(200, ask)) == 198
    wallet = addons.wallet("busy")
    assert (len(model.calls), wallet.posted, wallet.held) == (2, Credits(2), Credits(0))
    assert addons.doctor().findings == ()
    addons.close()


def test_d2_top_ups_that_race_with_captures_lose_nothing(tmp_path: Path) -> None:
    """Eight captures and a purchase at once, round after round: each of them counts, once."""
    rounds = 30 if FULL else 6
    with examined(tmp_path, "12") as books:
        for number in range(rounds):
            holds = [books.hold("1") for _ in range(8)]

            def act(hand: int, number: int = number, holds: list[Hold] = holds) -> None:
                if hand == 8:
                    books.buy("8", f"top-up-{number}")
                else:
                    books.store.capture(holds[hand], OK)

            at_once(9, act)
            assert books.balance() == ("12", "0")
        wallet = books.store.wallet("biz_7")
        assert (wallet.lifetime_in, wallet.lifetime_used) == (Credits(12 + 8 * rounds), Credits(8 * rounds))


def _call(books: Books, business: str) -> None:
    """Make a whole call under a key, as often as it takes."""
    held = books.store.hold(books.call(KEY, business=business), Credits(5))
    if isinstance(held, Hold):
        books.store.capture(held, OK)


@FORKS
def test_b2_a_process_that_is_gone_at_any_step_of_a_call_leaks_no_hold(tmp_path: Path) -> None:
    """Killed at every step of a call: after the hold's expiry nothing is held, and a retry is charged once in all."""
    left = set[tuple[str, str]]()
    with examined(tmp_path, "0") as books:
        books.buy("12", "order-1", business="calm")
        steps = steps_of(partial(_call, books, "calm"))
        for step in (*fatal(steps), steps):
            business = f"biz_{step}"
            books.buy("12", "order-1", business=business)
            assert dies_at(step, partial(_call, books, business)) is (step < steps)
            wallet = books.store.wallet(business)
            left.add((wallet.posted.short, wallet.held.short))
            books.clock.advance(TTL / 1_000_000)
            assert books.store.wallet(business).held == Credits(0)
            _call(books, business)
            assert books.store.wallet(business).posted == Credits(7)
    # It died before the hold, while it was open, and after the capture.
    assert (left, steps > 10) == ({("12", "0"), ("12", "5"), ("7", "0")}, True)


def test_b3_what_is_enforced_and_what_is_booked_never_drift_apart(tmp_path: Path) -> None:
    """After calls that were captured, void, refused and orphaned at once, a daily limit has room for the rest."""
    limit = Limit(scope="business", window="day", amount=Credits(20))
    endings: list[Callable[[Books, Hold], object]] = [
        lambda books, hold: books.store.capture(hold, OK),
        lambda books, hold: books.store.void(hold, FAILED),
        lambda *_: None,
        lambda books, hold: books.store.capture(hold, OK, used=Credits("0.5")),
    ]
    with examined(tmp_path, "100", limits=(limit,)) as books:
        at_once(16, lambda number: endings[number % 4](books, books.hold("1")))
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(6_000_000, 4_000_000)]
        books.clock.advance(TTL / 1_000_000)
        books.store.sweep()
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(6_000_000, 0)]
        with pytest.raises(LimitReached):
            books.hold("14.000001")
        books.hold("14")


@pytest.mark.parametrize(
    ("used", "charged", "unpaid"), [("0", "0", []), ("3", "3", []), ("5", "5", []), ("9", "5", [Credits(4)])]
)
def test_b4_a_part_is_charged_as_a_part_and_never_above_the_hold(
    tmp_path: Path, used: str, charged: str, unpaid: list[Credits]
) -> None:
    """An answer that broke off: what was measured is charged, the rest comes back, and our cost is booked."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("5"), OK, used=Credits(used))
        (line,) = books.store.transactions("biz_7")
        assert (line.charged, line.cost, line.tokens) == (Credits(charged), OK.cost, OK.tokens)
        assert books.balance() == ((Credits(12) - Credits(charged)).short, "0")
        assert [entry.amount for entry in books.store.ledger("biz_7") if entry.kind == "bad_debt"] == unpaid


def _pay(books: Books, business: str) -> object:
    return books.subscriptions.pay(business, period=0)


def _held(books: Books, business: str) -> Hold:
    held = books.store.hold(books.call(KEY, business=business), Credits(5))
    assert isinstance(held, Hold)
    return held


def _charged(books: Books, business: str) -> int:
    books.store.capture(_held(books, business), OK)
    return books.store.ledger(business)[-1].seq


def _renewing(books: Books, business: str) -> None:
    books.subscriptions.subscribe(business, paid=True)
    books.subscriptions.pay(business, period=1)


DEADLY: Final[dict[str, tuple[Callable[..., Any], Callable[..., object]]]] = {
    "grant": (lambda *_: None, lambda books, biz, _: books.buy("100", "order-2", business=biz)),
    "capture": (_held, lambda books, _, hold: books.store.capture(hold, OK)),
    "void": (_held, lambda books, _, hold: books.store.void(hold, FAILED)),
    "refund": (_charged, lambda books, biz, seq: books.funding.reverse(biz, seq, actor="a", reason="r")),
    "adjustment": (
        lambda *_: None,
        lambda books, biz, _: books.funding.adjust(biz, Credits(-3), ref="x", actor="a", reason="r"),
    ),
    "trial": (lambda *_: None, lambda books, biz, _: books.funding.claim_trial(biz, Credits(5), {biz: "phone"})),
    "payment": (lambda books, biz: books.subscriptions.subscribe(biz), lambda books, biz, _: _pay(books, biz)),
    "month": (_renewing, lambda books, biz, _: books.store.wallet(biz)),
}
"""How to prepare each kind of work, and the work."""


@FORKS
@pytest.mark.parametrize("kind", DEADLY)
def test_b6_b10_d3_work_that_dies_at_any_step_is_done_once_when_it_is_repeated(tmp_path: Path, kind: str) -> None:
    """Killed between every pair of statements: the books show all of it or nothing, and the repeat makes it once."""
    prepare, work = DEADLY[kind]
    with examined(tmp_path, "0", policy="hybrid") as books:
        begins = books.clock.now()
        # Only the turn of a month needs time to pass.
        happens = begins + (32 * 86_400_000_000 if kind == "month" else 0)

        def made(business: str) -> Any:
            books.clock.set(begins)
            books.buy("12", "order-1", business=business)
            given = prepare(books, business)
            before = everything(books, business)
            books.clock.set(happens)
            return given, before

        given, before = made("calm")
        steps = steps_of(partial(work, books, "calm", given))
        after = everything(books, "calm")
        assert before != after
        died_after_commit = False
        for step in (*fatal(steps), steps):
            given, _ = made(f"biz_{step}")
            died = dies_at(step, partial(work, books, f"biz_{step}", given))
            assert died is (step < steps)
            assert examine(books.database, f"biz_{step}").findings == ()
            found = everything(books, f"biz_{step}")
            assert found in (before, after)
            died_after_commit |= died and found == after
            work(books, f"biz_{step}", given)
            assert everything(books, f"biz_{step}") == after
        assert (steps > 4, died_after_commit) == (True, True)


def test_b7_b8_b9_one_order_is_one_grant_whoever_brings_it_and_how_often(tmp_path: Path) -> None:
    """Webhook and browser bring one payment fifty times at once and once more later: its credits come once."""
    with examined(tmp_path, "0") as books:

        def bring(_: int) -> bool:
            return books.funding.grant(
                "biz_7", Credits(100), source="purchase", ref="order:7", paid=80_000_000
            ).replayed

        assert sorted(at_once(50, bring)) == [False] + [True] * 49
        assert bring(0)
        assert books.balance() == ("100", "0")


def test_b26_credits_in_flight_are_nobodys_to_take(tmp_path: Path) -> None:
    """What a hold pins is not available to a call, an operator or a reversal, and the tables refuse it too."""
    with examined(tmp_path) as books:
        holds = [books.hold("5"), books.hold("5")]
        with pytest.raises(InsufficientCreditsError) as refused:
            books.hold("2.000001")
        assert refused.value.available == Credits(2)
        with pytest.raises(InsufficientCreditsError):
            books.funding.adjust("biz_7", Credits("-2.000001"), ref="x", actor="a", reason="r")
        with pytest.raises(BillingError, match="only 2 are left and free"):
            books.funding.reverse("biz_7", 1, actor="a", reason="r")
        for table, left in (("business_ai_credits", "posted"), ("ai_credit_grants", "remaining")):
            with pytest.raises(BillingError):
                books.sql(f"UPDATE {table} SET {left} = 9999999")  # noqa: S608  # names of our own tables
        books.funding.adjust("biz_7", Credits(-2), ref="x", actor="a", reason="r")
        assert [books.store.capture(hold, OK).charged for hold in holds] == [Credits(5)] * 2
        assert books.balance() == ("0", "0")


def test_b27_one_hold_is_captured_once_however_many_try(tmp_path: Path) -> None:
    """Fifty captures at once: one wins, and all are told what it charged."""
    with examined(tmp_path) as books:
        hold = books.hold("5", KEY)
        told = at_once(50, lambda _: books.store.capture(hold, OK))
        assert {(booked.charged, booked.balance) for booked in told} == {(Credits(5), Credits(7))}
        assert [entry.kind for entry in books.store.ledger("biz_7")] == ["grant", "usage"]
        assert len(books.store.transactions("biz_7")) == 1


def test_b27_a_capture_and_a_void_at_once_have_one_outcome(tmp_path: Path) -> None:
    """Whichever comes first wins; the others are told so, and the books show one outcome."""
    with examined(tmp_path, "100") as books:
        posted = 100
        for _ in range(20 if FULL else 4):
            hold = books.hold("5")

            def resolve(number: int, hold: Hold = hold) -> str:
                try:
                    booked: Booked = books.store.capture(hold, OK) if number % 2 else books.store.void(hold, FAILED)
                except LedgerConflict:
                    return "0"
                return booked.charged.short

            (charged,) = set(at_once(16, resolve))
            posted -= int(charged)
            assert (charged in ("0", "5"), books.balance()) == (True, (str(posted), "0"))


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_b29_thirty_two_writers_never_see_a_locked_database(tmp_path: Path) -> None:
    """Half of them the host's own programs, with no queue of ours: everybody's every write goes through."""
    calls, hosts = (50 if FULL else 5), 16
    with examined(tmp_path, "0") as books:
        books.sql("CREATE TABLE theirs (number INTEGER)")
        file = file_url(tmp_path).removeprefix("sqlite:///")

        def write(number: int) -> None:
            if number < hosts:
                with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
                    for _ in range(calls):
                        other.execute("BEGIN IMMEDIATE")
                        other.execute("INSERT INTO theirs VALUES (?)", (number,))
                        other.execute("COMMIT")
                return
            own = Books("0", f"biz_{number}", database=Database(file_url(tmp_path)))
            own.buy("10", "order-1")
            for _ in range(calls):
                own.store.capture(own.hold("0.1"), OK)
            own.close()

        at_once(32, write)
        assert books.sql("SELECT count(*) FROM theirs") == [(hosts * calls,)]
        assert books.sql("SELECT count(*), sum(charged) FROM ai_transactions") == [(16 * calls, 1_600_000 * calls)]


def test_b30_no_host_keeps_a_balance_that_another_has_changed(tmp_path: Path) -> None:
    """Two hosts on one database each see at once what the other did; a balance is one row found by its key."""
    url = new_url(tmp_path)
    first, second = Books("0", database=Database(url)), Books("0", database=Database(url))
    for number, (one, other) in enumerate([(first, second), (second, first)] * 3):
        one.buy("2", f"order-{number}")
        assert other.balance() == (str(2 + number), "0")
        hold = other.hold("1")
        assert one.balance() == (str(2 + number), "1")
        one.store.capture(hold, OK)
        assert other.balance() == (str(1 + number), "0")
    shown = plan(first, sql.LOOK, business="biz_7")
    assert ("index scan using" if on_postgres() else "search business_ai_credits using index") in shown
    assert examine(first.database).findings == ()
    first.close()
    second.close()


def test_d36_a_key_a_price_version_and_a_late_answer_each_stay_with_their_call(tmp_path: Path) -> None:
    """The price of the hold is the price of the charge, also late, also when the same key is sent again."""
    with examined(tmp_path) as books:
        held = books.store.hold(books.call(KEY), Credits(5), price_version="v1")
        assert isinstance(held, Hold)
        books.clock.advance(TTL / 1_000_000)
        books.store.sweep()
        assert books.store.capture(held, OK).charged == Credits(5)
        again = books.store.hold(books.call(KEY), Credits(7), price_version="v2")
        assert not isinstance(again, Hold)
        assert again.charged == Credits(5)
        (line,) = books.store.transactions("biz_7")
        assert (line.id, line.price_version, line.charged) == (KEY, "v1", Credits(5))


def test_d39_a_charge_makes_no_wallet(tmp_path: Path) -> None:
    """Thirty calls at once for a business nobody gave credits: all refused, no empty wallet, no row."""
    with examined(tmp_path, "0") as books:

        def ask(_: int) -> bool:
            with pytest.raises(InsufficientCreditsError):
                books.store.hold(books.call(Uuid7().new(0)), Credits(1))
            return True

        assert all(at_once(30, ask))
        assert books.report().wallets == 0
        assert books.sql("SELECT count(*) FROM ai_credit_holds") == [(0,)]
