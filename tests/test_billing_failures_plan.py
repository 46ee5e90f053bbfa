"""Failures others had, about what is sold and told: add-ons, trials, alerts, exact amounts, reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.records import CallRecord, Rate, Tokens
from ai_addons.billing.schema import metadata
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import AddonNotOffered, BillingError, LimitReached, TrialClaimed
from ai_addons.money import Credits, PicoUsd, scaled_rate
from tests.books import DAY, OK, Books, on_postgres, open_store
from tests.hands import at_once, examined, plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

MONTH: Final = 31 * DAY


def _wait(books: Books, micros: int) -> None:
    books.clock.set(books.clock.now() + micros)
    books.store.sweep()


def _sub(deed: str, **options: Any) -> Callable[[Books], object]:
    return lambda books: getattr(books.subscriptions, deed)("biz_7", **options)


LIFE: Final[list[Callable[[Books], object]]] = [
    _sub("subscribe"),
    _sub("pay", period=0),
    _sub("pay", period=1),
    _sub("cancel"),
    _sub("resume"),
    lambda books: _wait(books, MONTH),
    lambda books: books.hold("3", "orphan"),
    lambda books: _wait(books, MONTH),
    lambda books: _wait(books, 8 * DAY),
    _sub("subscribe", paid=True),
    lambda books: books.operations.set_policy("biz_7", "prepaid", actor="a"),
    _sub("cancel", immediate=True),
    lambda books: _wait(books, MONTH),
    lambda books: books.operations.set_policy("biz_7", "hybrid", actor="a"),
]
"""All that can happen to an add-on: taken, paid early, cancelled, resumed, renewed, unpaid, lost, taken anew."""


def test_b15_nothing_about_an_add_on_touches_what_was_bought(tmp_path: Path) -> None:
    """Through its whole life and a change of policy, bought packs keep every credit and never expire."""

    def bought(books: Books) -> list[Any]:
        return books.sql(
            "SELECT source_ref, amount, remaining, held, paid, expires_at, voided_at FROM ai_credit_grants "
            "WHERE source = 'purchase' ORDER BY source_ref"
        )

    with examined(tmp_path, "40", policy="hybrid") as books:
        books.buy("100", "order-2")
        before, states = bought(books), list[str]()
        for deed in LIFE:
            deed(books)
            assert bought(books) == before
            subscription = books.store.wallet("biz_7").subscription
            states.append("" if subscription is None else subscription.state)
        assert set(states) == {"incomplete", "active", "cancel_at_end", "past_due", "ended"}
        assert books.store.wallet("biz_7").posted == Credits(145)


def test_b21_d30_a_hundred_calls_across_the_threshold_tell_once(tmp_path: Path) -> None:
    """One alert however many calls cross it at once, none while the balance hovers, and one more after a purchase."""
    told = list[Any]()
    with examined(tmp_path, "105", hooks=[told.append], outbox=True) as books:
        holds = [books.hold("1") for _ in range(100)]
        at_once(100, lambda number: books.store.capture(holds[number], OK))
        assert [(event.topic, event.business) for event in told] == [("wallet.low_balance", "biz_7")]
        assert told[0].facts == {"posted": "9.00", "threshold": "10.00", "suggested": "VALUE"}
        for day in range(20):
            books.clock.advance(86_400)
            books.funding.grant("biz_7", Credits(8), source="promo", ref=f"hover-{day}")
            books.store.capture(books.hold("8"), OK)
        assert len(told) == 1
        books.buy("30", "order-2")
        at_once(8, lambda _: books.store.capture(books.hold("4"), OK))
        assert len(told) == 2
        assert books.sql("SELECT count(*) FROM ai_outbox") == [(2,)]


def test_b23_a_trial_is_claimed_once_though_the_business_was_deleted(tmp_path: Path) -> None:
    """Every row of a business is gone, and its owner's phone still knows that there was a trial."""
    phone = {"hmac-of-phone": "phone"}
    with examined(tmp_path, "0") as books:
        books.funding.claim_trial("biz_7", Credits(5), phone)
        books.without_guards()
        for name, table in metadata.tables.items():
            if "business_id" in table.c:
                books.sql(f"DELETE FROM {name}")  # noqa: S608  # names of our own tables
        assert books.report().wallets == 0
        for business in ("biz_7", "biz_8"):
            with pytest.raises(TrialClaimed):
                books.funding.claim_trial(business, Credits(5), phone | {f"tax-of-{business}": "tax_id"})
        assert books.store.wallet("biz_7").posted == Credits(0)


def test_b23_a_farm_of_accounts_has_its_bound(tmp_path: Path) -> None:
    """Forty invented owners at once share the day's budget: ten trials today, and tomorrow the next."""
    with examined(tmp_path, "0", trial_budget=Credits(50)) as books:

        def claim(number: int) -> bool:
            try:
                books.funding.claim_trial(f"biz_{number}", Credits(5), {f"phone-{number}": "phone"})
            except LimitReached:
                return False
            return True

        assert sum(at_once(40, claim)) == 10
        assert books.sql("SELECT count(*), sum(amount) FROM ai_credit_grants") == [(10, 50_000_000)]
        assert not claim(99)
        books.clock.advance(86_400)
        assert claim(99)


def test_b28_d27_no_page_reads_the_raw_log(tmp_path: Path) -> None:
    """A month's usage comes from the daily sums, by their key; also a wallet's grants and what is due have an index."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("5"), OK)
        usage = plan(books, sql.USAGE, business="biz_7", first="2026-09-01", last="2026-09-30")
        shown = {
            "usage": usage,
            "grants": plan(books, sql.GRANTS_LEFT, business="biz_7"),
            "due": plan(books, sql.WALLETS_DUE, now=0, after=""),
            "log": plan(books, sql.TRANSACTIONS, business="biz_7"),
        }
        assert "ai_transactions" not in usage
        scan = "seq scan" if on_postgres() else "scan "
        assert [page for page, text in shown.items() if scan in text] == []


def test_d6_an_add_on_that_nobody_paid_gives_nothing_however_often_it_is_taken(tmp_path: Path) -> None:
    """Taken ten times at once it is one, without credits; paid ten times at once it gives one month."""
    with examined(tmp_path, "0", policy="hybrid") as books:
        taken = at_once(10, lambda _: books.subscriptions.subscribe("biz_7"))
        assert {booking.subscription.state for booking in taken} == {"incomplete"}
        assert (len({booking.subscription.id for booking in taken}), books.balance()) == (1, ("5", "0"))
        at_once(10, lambda _: books.subscriptions.pay("biz_7", period=0))
        assert books.balance() == ("105", "0")
        at_once(10, lambda _: books.subscriptions.subscribe("biz_7", paid=True))
        assert books.balance() == ("105", "0")


def test_d7_there_is_one_open_add_on_and_it_can_be_cancelled(tmp_path: Path) -> None:
    """Taken and cancelled by many at once it leaves one row; the tables refuse a second open one."""
    with examined(tmp_path, "0", policy="hybrid") as books:
        at_once(8, lambda _: books.subscriptions.subscribe("biz_7", paid=True))
        ended = at_once(8, lambda _: books.subscriptions.cancel("biz_7", immediate=True))
        assert {booking.subscription.state for booking in ended} == {"ended"}
        assert books.sql("SELECT count(*) FROM ai_monthly_addons") == [(1,)]
        assert not books.subscriptions.subscribe("biz_7").replayed
        assert books.sql("SELECT state FROM ai_monthly_addons ORDER BY state") == [("ended",), ("incomplete",)]
        with pytest.raises(BillingError):
            books.sql("UPDATE ai_monthly_addons SET state = 'active'")


def test_d10_d29_d40_every_credit_has_a_source_and_every_balance_a_name(tmp_path: Path) -> None:
    """Free ones are not counted as bought, only the add-on's roll over, and posted, held and available differ."""
    with examined(tmp_path, "30", policy="hybrid") as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        hold = books.hold("20")
        wallet = books.store.wallet("biz_7")
        assert (wallet.posted, wallet.held, wallet.available) == (Credits(135), Credits(20), Credits(115))
        totals = {grant.source: (grant.amount.short, grant.free.short, grant.paid) for grant in wallet.grants}
        assert totals == {
            "free_monthly": ("5", "0", 0),
            "addon": ("100", "85", 50_000_000),
            "purchase": ("30", "30", 24_000_000),
        }
        books.store.capture(hold, OK)
        books.store.capture(books.hold("70"), OK)
        books.subscriptions.pay("biz_7", period=1)
        _wait(books, MONTH)
        assert [(grant.source, grant.remaining.short) for grant in books.store.wallet("biz_7").grants] == [
            ("free_monthly", "5"),
            ("rollover", "15"),
            ("addon", "100"),
            ("purchase", "30"),
        ]


@pytest.mark.parametrize(("policy", "months"), [("prepaid", []), ("hybrid", ["5", "5", "5"])])
def test_d12_free_credits_come_once_or_monthly_as_the_policy_says(
    tmp_path: Path, policy: str, months: list[str]
) -> None:
    """Prepaid: a trial, asked for again and again, once. Hybrid: five a month that never add up, and no add-on else."""
    with examined(tmp_path, "0", policy=policy) as books:
        if policy == "prepaid":
            at_once(8, lambda _: books.funding.claim_trial("biz_7", Credits(5), {"h": "phone"}))
            with pytest.raises(AddonNotOffered):
                books.subscriptions.subscribe("biz_7")
        assert books.balance() == ("5", "0")
        for _ in range(2):
            _wait(books, MONTH)
            assert books.balance() == ("5", "0")
        given = books.sql("SELECT amount FROM ai_credit_grants WHERE source = 'free_monthly'")
        assert [Credits.from_micro(amount).short for (amount,) in given] == months


def test_b19_d13_d14_amounts_of_any_size_are_exact(tmp_path: Path) -> None:
    """83.33 and 16.67 are 100; a balance of millions keeps its last micro-credit, a cost its last pico-dollar."""
    with examined(tmp_path, "83.33") as books:
        books.buy("16.67", "order-2")
        assert books.store.wallet("biz_7").posted == Credits(100)
        books.buy("123456789012.345678", "order-3")
        books.store.capture(books.hold("0.000001"), replace(OK, cost=PicoUsd(1)))
        books.store.capture(books.hold("99.999999"), replace(OK, cost=PicoUsd(75_000)))
        assert books.store.wallet("biz_7").posted == Credits("123456789012.345678")
        lines = books.store.transactions("biz_7")
        assert sorted((line.cost, line.cost_ghs) for line in lines) == [(1, 0), (75_000, 1)]
        assert books.sql("SELECT charged, cost_pico_usd FROM ai_usage_daily") == [(100_000_000, 75_001)]


def test_d16_a_call_earns_what_was_paid_for_the_credits_that_paid(tmp_path: Path) -> None:
    """Two trial credits and three at 0.80 cedis earn 2.40, of which a credit is never taken for a cedi."""
    with examined(tmp_path, "10") as books:
        books.funding.claim_trial("biz_7", Credits(2), {"h": "phone"})
        books.store.capture(books.hold("5"), OK)
        (line,) = books.store.transactions("biz_7")
        assert (line.charged, line.revenue, line.cost_ghs) == (Credits(5), 2_400_000, 873)
        assert books.sql("SELECT revenue_micro_ghs FROM ai_usage_daily") == [(2_400_000,)]


def test_d20_every_cost_keeps_the_rate_it_was_converted_by(tmp_path: Path) -> None:
    """A new rate is for new calls: each row tells its own, with its day and its source."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("1", "sale-1"), OK)
        newer = Rate(scaled=scaled_rate("16"), day=date(2026, 11, 25), source="bank")
        open_store(books.database, books.clock, rate=newer).capture(books.hold("1", "sale-2"), OK)
        rows = books.sql("SELECT id, cost_micro_ghs, fx_rate, fx_date, fx_source FROM ai_transactions ORDER BY id")
        assert [tuple(row) for row in rows] == [
            ("sale-1", 873, 1_164_600_000, "2026-09-29", "static"),
            ("sale-2", 1_200, 1_600_000_000, "2026-11-25", "bank"),
        ]


def test_b5_d28_a_failure_keeps_its_cost_and_an_unknown_is_no_zero(tmp_path: Path) -> None:
    """What a failed call cost us and how long it took is in its row; what nobody measured stays unknown."""
    failed = CallRecord(
        outcome="failed",
        source="ai",
        error_code="provider_timeout",
        cost=PicoUsd(30_000_000),
        latency_ms=30_000,
        tokens=Tokens(input=10, cached=0, cache_write=0, output=0, reasoning=0),
    )
    with examined(tmp_path) as books:
        books.store.void(books.hold("5", "sale-1"), failed)
        books.store.void(books.hold("5", "sale-2"), CallRecord(outcome="failed", source="ai", error_code="bad_output"))
        rows = {line.id: (line.cost, line.latency_ms, line.tokens) for line in books.store.transactions("biz_7")}
        assert rows == {"sale-1": (failed.cost, 30_000, failed.tokens), "sale-2": (None, None, None)}
        sums = books.sql("SELECT failed, timed, latency_ms, unpriced, cost_pico_usd FROM ai_usage_daily")
        assert [tuple(row) for row in sums] == [(2, 1, 30_000, 1, 30_000_000)]


def test_d31_d33_forgetting_people_leaves_the_books_whole_and_no_pseudonym(tmp_path: Path) -> None:
    """After an erasure no row names a user, by no stand-in either, and the ledger is the same to the last seal."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("5", "sale-81", user="kofi"), OK)
        ledger = books.store.ledger("biz_7")
        books.operations.erase("biz_7", actor="a")
        assert books.store.ledger("biz_7") == ledger
        assert books.balance() == ("7", "0")
        assert [(line.user, line.charged) for line in books.store.transactions("biz_7")] == [(None, Credits(5))]
        for table in ("ai_credit_holds", "ai_transactions"):
            rows = books.sql(f"SELECT user_id, request_hash FROM {table}")  # noqa: S608  # names of our own tables
            assert [tuple(row) for row in rows] == [(None, "")]
        assert books.sql("SELECT count(*) FROM ai_call_results") == [(0,)]
