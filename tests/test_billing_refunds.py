"""Money that goes back: what refunds and disputes freeze, take, give back and leave owed."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import RefundOutcome
from ai_addons.billing.refunds import Refunds
from ai_addons.errors import (
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    PaymentMismatch,
    WalletSuspended,
)
from ai_addons.events import CreditsClawedBack, DisputeOpened, OperatorAlert, WalletEvent
from ai_addons.money import Credits, Money
from tests.books import DAY, FAILED, OK, TTL
from tests.hands import examined
from tests.money_back import VALUE, dispute, figures, ghs, give, paid, refund, spend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.clawback import ShortfallPolicy
    from tests.books import Books

pytestmark = pytest.mark.usefixtures("each_database")

PENDING = RefundOutcome.PENDING


def _ask(service: Refunds, amount: Money | None = None, key: str = "case-1") -> Any:
    return service.ask(VALUE, amount, key=key, actor="ama", reason="unhappy")


def _left(books: Books) -> dict[str, str]:
    """What is left of each grant, by its source."""
    return {grant.source: grant.remaining.short for grant in books.store.wallet("biz_7").grants}


def _rows(books: Books, since: int = 0) -> list[tuple[str, str, str, str]]:
    """Rows of the ledger after a position."""
    rows = books.store.ledger("biz_7")[since:]
    return [(row.kind, row.debit, row.credit, row.amount.short) for row in rows]


# Refunds.


def test_asking_freezes_paid_and_bonus_credits_in_proportion(tmp_path: Path) -> None:
    """Of 30 out of 80 cedis 30 paid and 7.5 free credits are set apart, and no call can have them."""
    with paid(tmp_path) as (books, service):
        assert figures(_ask(service, ghs("30"))) == {"frozen": "37.5"}
        assert books.balance() == ("100", "37.5")
        held = {grant.source: grant.held.short for grant in books.store.wallet("biz_7").grants}
        assert held == {"purchase": "30", "bonus": "7.5"}
        with pytest.raises(InsufficientCreditsError) as refused:
            books.hold("62.500001")
        assert refused.value.available == Credits("62.5")
        assert books.store.ledger("biz_7")[2:] == []


def test_a_refund_that_is_done_takes_its_credits_once(tmp_path: Path) -> None:
    """From frozen to gone by one row; the gateway may tell it as often as it likes."""
    with paid(tmp_path) as (books, service):
        _ask(service, ghs("30"))
        first = service.apply_refund(VALUE, refund())
        assert (figures(first), first.replayed) == ({"taken": "37.5"}, False)
        again = service.apply_refund(VALUE, refund())
        assert (figures(again), again.replayed) == ({"taken": "37.5"}, True)
        assert _rows(books, 2) == [("clawback", "wallet", "refunded:order-9", "37.5")]
        assert _left(books) == {"purchase": "50", "bonus": "12.5"}
        assert books.balance() == ("62.5", "0")


@pytest.mark.parametrize(
    ("policy", "kind", "account", "figure"),
    [
        ("clamp", "write_off", "bad_debt", "written_off"),
        ("debt", "debt", "debt", "owed"),
        ("suspend", "debt", "debt", "owed"),
    ],
)
def test_credits_that_are_spent_follow_the_policy(
    tmp_path: Path, policy: ShortfallPolicy, kind: str, account: str, figure: str
) -> None:
    """Of 100 credits 60 are spent: 40 are taken, and 60 are booked where everybody sees them."""
    with paid(tmp_path, spent="60", policy=policy) as (books, service):
        told = service.apply_refund(VALUE, refund(minor=8000))
        assert (figures(told), told.fully_reversed) == ({"taken": "40", figure: "60"}, True)
        assert _rows(books, 3) == [
            ("clawback", "wallet", "refunded:order-9", "40"),
            (kind, account, "refunded:order-9", "60"),
        ]
        wallet = books.store.wallet("biz_7")
        assert (books.balance(), wallet.status) == (("0", "0"), "suspended" if policy == "suspend" else "active")


def test_the_vectors_of_the_reference(tmp_path: Path) -> None:
    """60 of 100 spent: 30 back takes 37.5; a dispute over 80 lost makes it 100, won after all 37.5 again."""
    with paid(tmp_path, spent="60") as (books, service):
        assert figures(service.apply_refund(VALUE, refund())) == {"taken": "37.5"}
        lost = service.apply_dispute(VALUE, dispute(lost=True))
        assert figures(lost) == {"taken": "40", "written_off": "60"}
        won = service.apply_dispute(VALUE, dispute(lost=False))
        assert figures(won) == {"taken": "37.5"}
        assert books.balance() == ("2.5", "0")
        assert _rows(books, 4) == [
            ("clawback", "wallet", "refunded:order-9", "2.5"),
            ("write_off", "bad_debt", "refunded:order-9", "60"),
            ("clawback", "refunded:order-9", "wallet", "2.5"),
            ("write_off", "refunded:order-9", "bad_debt", "60"),
        ]


def test_unspent_credits_go_first_whichever_grant_has_them(tmp_path: Path) -> None:
    """The bonus is spent, as it pays first: a refund of half takes all of its credits from what was bought."""
    with paid(tmp_path, spent="20") as (books, service):
        assert figures(service.apply_refund(VALUE, refund(minor=4000))) == {"taken": "50"}
        assert _left(books) == {"purchase": "30"}


def test_parts_that_do_not_divide_come_to_the_whole(tmp_path: Path) -> None:
    """Three refunds of thirds, to the last micro-credit and never one too many."""
    with paid(tmp_path) as (books, service):
        taken = [
            service.apply_refund(VALUE, refund(f"RF{number}", minor)).taken.short
            for number, minor in enumerate((2667, 2667, 2666))
        ]
        assert taken == ["33.3375", "66.675", "100"]
        assert books.balance() == ("0", "0")


def test_indivisible_shares_are_rounded_down_until_the_last(tmp_path: Path) -> None:
    """7 cedis for 0.000010 credits: each pesewa is worth less than a micro-credit."""
    order = type(VALUE)(
        business="biz_7",
        id="tiny",
        reference="aia-9",
        paid_minor=700,
        currency="GHS",
        credits=Credits.from_micro(7),
        bonus=Credits.from_micro(3),
    )
    with examined(tmp_path, "0") as books:
        give(books, order)
        service = Refunds(books.opened)
        steps = [service.apply_refund(order, refund(f"RF{n}", 100)).taken.micro for n in range(7)]
        assert steps == [1, 2, 4, 5, 7, 8, 10]


def test_a_refund_that_failed_frees_its_credits(tmp_path: Path) -> None:
    """Failed at once, or after the gateway had called it done: the credits are back in their own grants."""
    with paid(tmp_path) as (books, service):
        _ask(service, ghs("80"))
        assert figures(service.apply_refund(VALUE, refund(minor=8000, outcome=RefundOutcome.FAILED))) == {}
        assert figures(service.apply_refund(VALUE, refund("RF2", 8000))) == {"taken": "100"}
        assert figures(service.apply_refund(VALUE, refund("RF2", 8000, RefundOutcome.FAILED))) == {}
        assert _left(books) == {"purchase": "80", "bonus": "20"}
        assert figures(service.apply_refund(VALUE, refund("RF2", 8000))) == {}


def test_a_refund_that_needs_attention_stays_frozen_and_alerts(tmp_path: Path) -> None:
    """The operator is told once however often it is asked about."""
    told: list[object] = []
    with paid(tmp_path, hooks=(told.append,)) as (books, service):
        stuck = refund(outcome=RefundOutcome.NEEDS_ATTENTION)
        assert figures(service.apply_refund(VALUE, stuck)) == {"frozen": "37.5"}
        service.apply_refund(VALUE, stuck)
        alerts = [event for event in told if isinstance(event, OperatorAlert)]
        assert [(alert.code, alert.detail) for alert in alerts] == [
            ("refund_needs_attention", "order order-9, refund gateway:RF1")
        ]
        assert figures(service.apply_refund(VALUE, refund(outcome=RefundOutcome.UNKNOWN))) == {"frozen": "37.5"}
        assert figures(service.apply_refund(VALUE, refund())) == {"taken": "37.5"}
        assert books.balance() == ("62.5", "0")


def test_the_order_in_which_news_of_refunds_come_does_not_matter(tmp_path: Path) -> None:
    """Pending, done and failed of three refunds, in every order: the same credits are gone."""
    news = [
        refund("RF1", 3000, PENDING),
        refund("RF1", 3000),
        refund("RF2", 2000),
        refund("RF2", 2000, RefundOutcome.FAILED),
        refund("RF3", 1000, PENDING),
    ]
    with examined(tmp_path, "0") as books:
        service = Refunds(books.opened)
        ends = set()
        for number, order_of_news in enumerate(permutations(news)):
            if number % 7:
                continue
            order = type(VALUE)(**{name: getattr(VALUE, name) for name in VALUE.__slots__} | {"id": f"o-{number}"})
            give(books, order)
            for one in order_of_news:
                service.apply_refund(order, one)
            ends.add(tuple(figures(service.look(order)).items()))
        assert ends == {(("frozen", "12.5"), ("taken", "37.5"))}


def test_what_was_asked_for_is_what_the_gateway_then_names(tmp_path: Path) -> None:
    """By its key or by its amount; the same amount twice is two refunds."""
    with paid(tmp_path) as (_, service):
        _ask(service, ghs("10"), "one")
        _ask(service, ghs("10"), "two")
        assert figures(service.look(VALUE)) == {"frozen": "25"}
        assert figures(service.apply_refund(VALUE, refund("A", 1000, PENDING), key="two")) == {"frozen": "25"}
        assert figures(service.apply_refund(VALUE, refund("B", 1000))) == {"frozen": "12.5", "taken": "12.5"}
        assert figures(service.apply_refund(VALUE, refund("A", 1000))) == {"taken": "25"}
        assert figures(service.apply_refund(VALUE, refund("C", 1000))) == {"taken": "37.5"}


def test_asking_again_under_one_key_is_one_refund(tmp_path: Path) -> None:
    """The same again says so; another amount is refused; who and why is kept once."""
    with paid(tmp_path) as (books, service):
        assert not _ask(service, ghs("30")).replayed
        assert _ask(service, ghs("30")).replayed
        assert _ask(service).replayed
        with pytest.raises(IdempotencyConflict, match="another amount"):
            _ask(service, ghs("31"))
        (entry,) = books.operations.audit("biz_7")
        assert (entry.actor, entry.action) == ("ama", "refund")
        assert entry.detail == {"order": "order-9", "key": "case-1", "amount_minor": 3000, "reason": "unhappy"}


def test_a_refund_asked_for_without_an_amount_is_all_that_is_left(tmp_path: Path) -> None:
    """After 30 of 80 cedis went back, 50 are left, and then nothing."""
    with paid(tmp_path) as (_, service):
        service.apply_refund(VALUE, refund())
        assert figures(_ask(service)) == {"frozen": "62.5", "taken": "37.5"}
        with pytest.raises(PaymentMismatch, match="0 minor units can be sent back, not 0"):
            _ask(service, key="case-2")


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        (Money("80.01", "GHS"), "8000 minor units can be sent back, not 8001"),
        (Money("0", "GHS"), "not 0"),
        (Money("8", "USD"), "paid in GHS, not USD"),
    ],
)
def test_more_than_was_paid_cannot_be_asked_for(tmp_path: Path, amount: Money, message: str) -> None:
    """Refused before anything is booked."""
    with paid(tmp_path) as (books, service):
        with pytest.raises(PaymentMismatch, match=message):
            _ask(service, amount)
        assert (books.balance(), books.operations.audit("biz_7")) == (("100", "0"), [])


@pytest.mark.parametrize(
    "wrong",
    [{"reference": "aia-8"}, {"currency": "USD"}, {"minor": 8001}, {"minor": 0}],
)
def test_what_does_not_fit_the_payment_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Another payment's money takes nothing of this order."""
    with paid(tmp_path) as (books, service):
        with pytest.raises(PaymentMismatch, match="does not fit the payment"):
            service.apply_refund(VALUE, refund(**wrong))
        if wrong != {"minor": 0}:
            with pytest.raises(PaymentMismatch, match="does not fit the payment"):
                service.apply_dispute(VALUE, dispute(**wrong))
        assert books.balance() == ("100", "0")


def test_a_known_refund_of_another_amount_is_refused(tmp_path: Path) -> None:
    """One id is one refund."""
    with paid(tmp_path) as (books, service):
        service.apply_refund(VALUE, refund())
        with pytest.raises(PaymentMismatch, match="another amount"):
            service.apply_refund(VALUE, refund(minor=3001))
        assert books.balance() == ("62.5", "0")


def test_a_refund_that_the_gateway_refused_is_withdrawn(tmp_path: Path) -> None:
    """Its credits are free again; one that the gateway has named is not ours to end."""
    with paid(tmp_path) as (books, service):
        _ask(service, ghs("30"))
        assert figures(service.withdraw(VALUE, key="case-1")) == {}
        assert service.withdraw(VALUE, key="case-1").replayed
        _ask(service, ghs("30"), "case-2")
        service.apply_refund(VALUE, refund(outcome=PENDING))
        assert figures(service.withdraw(VALUE, key="case-2")) == {"frozen": "37.5"}
        with pytest.raises(BillingError, match="Nobody asked"):
            service.withdraw(VALUE, key="case-3")
        assert books.balance() == ("100", "37.5")


# Calls in progress.


@pytest.mark.parametrize("captured", [False, True])
def test_a_call_in_progress_keeps_its_credits_until_it_ends(tmp_path: Path, captured: bool) -> None:
    """Taken is what no call holds; the rest when the call ends: given back it is taken, used it is spent."""
    with paid(tmp_path) as (books, service):
        hold = books.hold("60")
        assert figures(service.apply_refund(VALUE, refund(minor=8000))) == {"taken": "40", "waiting": "60"}
        assert books.balance() == ("60", "60")
        (books.store.capture if captured else books.store.void)(hold, OK if captured else FAILED)
        ends = {"taken": "40", "written_off": "60"} if captured else {"taken": "100"}
        assert figures(service.look(VALUE)) == ends
        assert books.balance() == ("0", "0")


def test_a_call_that_uses_less_than_it_held_leaves_the_rest_to_the_refund(tmp_path: Path) -> None:
    """25 of 60 held credits are used."""
    with paid(tmp_path) as (books, service):
        hold = books.hold("60")
        service.apply_refund(VALUE, refund(minor=8000))
        assert books.store.capture(hold, OK, used=Credits(25)).balance == Credits(0)
        assert figures(service.look(VALUE)) == {"taken": "75", "written_off": "25"}


def test_a_call_nobody_ends_leaves_its_credits_to_the_refund(tmp_path: Path) -> None:
    """The hold expires, by the sweep as by the next touch, and an answer after that is nobody's to pay."""
    with paid(tmp_path) as (books, service):
        hold = books.hold("60")
        service.apply_refund(VALUE, refund(minor=8000))
        books.clock.advance(TTL / 1_000_000)
        assert books.store.sweep() == 1
        assert figures(service.look(VALUE)) == {"taken": "100"}
        assert books.store.capture(hold, OK).charged == Credits(0)


def test_credits_of_a_call_that_ends_are_frozen_where_money_may_go_back(tmp_path: Path) -> None:
    """A dispute wants all of the order: what a call gives back is not free for a moment."""
    with paid(tmp_path) as (books, service):
        hold = books.hold("60")
        assert figures(service.apply_dispute(VALUE, dispute())) == {"frozen": "40"}
        assert books.store.void(hold, FAILED).balance == Credits(0)
        assert figures(service.look(VALUE)) == {"frozen": "100"}


def test_a_charge_that_is_undone_later_goes_to_the_refund(tmp_path: Path) -> None:
    """An operator reverses a call of an order whose money went back: the shortfall is undone, not given away."""
    with paid(tmp_path, spent="60") as (books, service):
        service.apply_refund(VALUE, refund(minor=8000))
        charge = next(row.seq for row in books.store.ledger("biz_7") if row.kind == "usage")
        assert books.funding.reverse("biz_7", charge, actor="ama", reason="a mistake").balance == Credits(0)
        assert figures(service.look(VALUE)) == {"taken": "100"}


def test_money_that_goes_back_before_the_credits_come_takes_them_as_they_come(tmp_path: Path) -> None:
    """The refund is told first; the order's grants are never spendable."""
    with examined(tmp_path, "5") as books:
        service = Refunds(books.opened)
        assert figures(service.apply_refund(VALUE, refund(minor=8000))) == {"waiting": "100"}
        booking = books.funding.grant("biz_7", VALUE.credits, source="purchase", ref=VALUE.id, paid=80_000_000)
        assert booking.balance == Credits(5)
        books.funding.grant("biz_7", VALUE.bonus, source="bonus", ref=VALUE.id)
        assert (figures(service.look(VALUE)), books.balance()) == ({"taken": "100"}, ("5", "0"))


# What time and operators take.


def test_frozen_credits_do_not_expire_until_they_are_free(tmp_path: Path) -> None:
    """A grant that ends while its credits are frozen waits; failed, they expire at once and nobody sees them."""
    with examined(tmp_path, "0") as books:
        ends = books.clock.now() + DAY
        books.funding.grant("biz_7", Credits(80), source="purchase", ref=VALUE.id, paid=80_000_000, expires_at=ends)
        books.funding.grant("biz_7", Credits(20), source="bonus", ref=VALUE.id, expires_at=ends)
        service = Refunds(books.opened)
        _ask(service, ghs("40"))
        books.clock.advance(2 * 86_400)
        books.store.sweep()
        assert books.balance() == ("50", "50")
        assert figures(service.withdraw(VALUE, key="case-1")) == {}
        assert books.balance() == ("0", "0")
        assert [row.kind for row in books.store.ledger("biz_7")] == ["grant", "grant"] + ["expire"] * 4


def test_nobody_owes_credits_that_expired(tmp_path: Path) -> None:
    """They brought nothing to the shop: they are taken from what expiry had earned."""
    with examined(tmp_path, "0") as books:
        ends = books.clock.now() + DAY
        books.funding.grant("biz_7", Credits(80), source="purchase", ref=VALUE.id, paid=80_000_000, expires_at=ends)
        books.funding.grant("biz_7", Credits(20), source="bonus", ref=VALUE.id, expires_at=ends)
        spend(books, "30")
        books.clock.advance(86_400)
        service = Refunds(books.opened, policy="debt")
        assert figures(service.apply_refund(VALUE, refund(minor=8000))) == {"lapsed": "70", "owed": "30"}
        assert _rows(books, 4) == [
            ("clawback", "breakage", "refunded:order-9", "70"),
            ("debt", "debt", "refunded:order-9", "30"),
        ]
        assert figures(service.apply_refund(VALUE, refund(minor=8000, outcome=RefundOutcome.FAILED))) == {}


def test_nobody_owes_credits_that_an_operator_took_back(tmp_path: Path) -> None:
    """The grant was reversed before the refund: there is nothing left to take."""
    with paid(tmp_path, policy="debt") as (books, service):
        for seq in (1, 2):
            books.funding.reverse("biz_7", seq, actor="ama", reason="a mistake")
        assert figures(service.apply_refund(VALUE, refund(minor=8000))) == {"lapsed": "100"}


# Disputes.


def test_a_dispute_freezes_all_that_is_left_and_tells_by_when_to_answer(tmp_path: Path) -> None:
    """However little is contested; a reminder changes nothing, another date is told."""
    told: list[object] = []
    with paid(tmp_path, spent="10", hooks=(told.append,)) as (books, service):
        first = service.apply_dispute(VALUE, dispute(minor=1000, due_at=5 * DAY))
        assert (figures(first), first.disputed, first.reversed_minor) == ({"frozen": "90"}, True, 0)
        assert service.apply_dispute(VALUE, dispute(minor=1000, due_at=5 * DAY)).replayed
        service.apply_dispute(VALUE, dispute(minor=1000, due_at=6 * DAY))
        assert [event.due_at for event in told if isinstance(event, DisputeOpened)] == [5 * DAY, 6 * DAY]
        with pytest.raises(PaymentMismatch, match="contested"):
            _ask(service, ghs("1"))
        assert books.balance() == ("90", "90")


def test_a_dispute_that_is_won_frees_its_credits(tmp_path: Path) -> None:
    """And an old reminder that comes after that does not freeze them again."""
    with paid(tmp_path) as (books, service):
        service.apply_dispute(VALUE, dispute())
        assert figures(service.apply_dispute(VALUE, dispute(lost=False))) == {}
        assert service.apply_dispute(VALUE, dispute()).replayed
        assert books.balance() == ("100", "0")


def test_a_dispute_that_is_lost_takes_what_was_contested(tmp_path: Path) -> None:
    """The rest is free again; a gateway that does not say who won has not decided."""
    with paid(tmp_path) as (books, service):
        assert figures(service.apply_dispute(VALUE, dispute(minor=4000, open=False))) == {"frozen": "100"}
        assert figures(service.apply_dispute(VALUE, dispute(minor=4000, lost=True))) == {"taken": "50"}
        assert books.balance() == ("50", "0")


@pytest.mark.parametrize("refund_first", [False, True])
def test_a_refund_that_answers_a_dispute_is_the_same_money(tmp_path: Path, refund_first: bool) -> None:
    """Either may come first; the larger of the two counts, once."""
    with paid(tmp_path) as (_, service):
        back: list[Callable[[], Any]] = [
            lambda: service.apply_dispute(VALUE, dispute(minor=2000, lost=True)),
            lambda: service.apply_refund(VALUE, refund(dispute="DP1")),
        ]
        for step in reversed(back) if refund_first else back:
            step()
        assert figures(service.look(VALUE)) == {"taken": "37.5"}
        assert figures(service.apply_dispute(VALUE, dispute(minor=8000, lost=True))) == {"taken": "100"}


def test_a_whole_dispute_and_a_whole_refund_take_no_more_than_the_order(tmp_path: Path) -> None:
    """Nobody said that they are the same money, but more than was paid cannot go back."""
    with paid(tmp_path) as (books, service):
        service.apply_refund(VALUE, refund(minor=8000))
        told = service.apply_dispute(VALUE, dispute(lost=True))
        assert (figures(told), told.reversed_minor) == ({"taken": "100"}, 8000)
        assert books.balance() == ("0", "0")


# Debts.


def test_credits_bought_later_pay_a_debt_first(tmp_path: Path) -> None:
    """Gifts do not, what was bought before does not; what is bought after pays until nothing is owed."""
    with paid(tmp_path, spent="60", policy="debt") as (books, service):
        books.buy("15", "before")
        service.apply_refund(VALUE, refund(minor=8000))
        books.clock.advance(1)
        books.funding.grant("biz_7", Credits(50), source="promo", ref="gift")
        assert books.balance() == ("65", "0")
        books.buy("45", "after-1")
        assert (books.balance(), figures(service.look(VALUE))) == (
            ("65", "0"),
            {"taken": "40", "repaid": "45", "owed": "15"},
        )
        books.buy("45", "after-2")
        assert (books.balance(), figures(service.look(VALUE))) == (("95", "0"), {"taken": "40", "repaid": "60"})
        books.buy("5", "after-3")
        assert books.balance() == ("100", "0")
        assert ("debt", "wallet", "debt", "45") in _rows(books)


def test_a_debt_that_was_paid_comes_back_when_the_money_does(tmp_path: Path) -> None:
    """The refund failed after all: what later credits paid is given again, and what was taken."""
    with paid(tmp_path, spent="60", policy="debt") as (books, service):
        service.apply_refund(VALUE, refund(minor=8000))
        books.clock.advance(1)
        books.buy("50", "after")
        failed = service.apply_refund(VALUE, refund(minor=8000, outcome=RefundOutcome.FAILED))
        assert (figures(failed), books.balance()) == ({}, ("90", "0"))
        assert _left(books) == {"purchase": "40", "clawback_reversal": "50"}


def test_a_suspended_wallet_goes_on_once_it_has_paid(tmp_path: Path) -> None:
    """No new call until a payment covers what is owed."""
    with paid(tmp_path, spent="60", policy="suspend") as (books, service):
        service.apply_refund(VALUE, refund(minor=8000))
        books.clock.advance(1)
        books.buy("50", "after-1")
        with pytest.raises(WalletSuspended):
            books.hold("1")
        books.buy("50", "after-2")
        assert books.hold("40").amount == Credits(40)


def test_an_operator_may_forgive_what_is_owed(tmp_path: Path) -> None:
    """It is written off, the wallet goes on, and who and why is kept; what is spent later is owed again."""
    with paid(tmp_path, spent="60", policy="suspend") as (books, service):
        service.apply_refund(VALUE, refund())
        assert service.forgive(VALUE, actor="ama", reason="a good customer").replayed
        service.apply_refund(VALUE, refund("RF2", 2500))
        told = service.forgive(VALUE, actor="ama", reason="a good customer")
        assert figures(told) == {"taken": "40", "written_off": "28.75"}
        assert books.store.wallet("biz_7").status == "active"
        assert [(entry.action, entry.detail["credits"]) for entry in books.operations.audit("biz_7")] == [
            ("forgive", "28.75")
        ]
        more = service.apply_refund(VALUE, refund("RF3", 2500))
        assert figures(more) == {"taken": "40", "written_off": "28.75", "owed": "31.25"}


def test_a_wallet_goes_on_only_when_no_order_stops_it(tmp_path: Path) -> None:
    """Two orders are owed for; a wallet that an operator let go on is not stopped again by the same debt."""
    other = type(VALUE)(**{name: getattr(VALUE, name) for name in VALUE.__slots__} | {"id": "order-10"})
    with paid(tmp_path, policy="suspend") as (books, service):
        give(books, other)
        spend(books, "200")
        for order in (VALUE, other):
            service.apply_refund(order, refund(minor=8000))
        service.forgive(VALUE, actor="ama", reason="a good customer")
        assert books.store.wallet("biz_7").status == "suspended"
        books.operations.set_status("biz_7", "active", actor="ama", reason="a good customer")
        service.apply_dispute(other, dispute())
        assert books.store.wallet("biz_7").status == "active"
        service.forgive(other, actor="ama", reason="a good customer")
        assert books.store.wallet("biz_7").status == "active"


def test_a_wallet_that_was_closed_stays_closed(tmp_path: Path) -> None:
    """A refund settles its credits and leaves the rest to the operator."""
    with paid(tmp_path, spent="60", policy="suspend") as (books, service):
        books.operations.set_status("biz_7", "closed", actor="ama", reason="gone")
        service.apply_refund(VALUE, refund(minor=8000))
        service.forgive(VALUE, actor="ama", reason="gone")
        assert books.store.wallet("biz_7").status == "closed"


# What is told.


def test_hooks_and_outbox_are_told_once(tmp_path: Path) -> None:
    """What happened to money and credits, with amounts and ids and nothing personal."""
    told: list[object] = []
    with paid(tmp_path, spent="60", hooks=(told.append,), low=Credits(0)) as (_, service):
        told.clear()
        for _ in range(2):
            _ask(service, ghs("80"))
            service.apply_refund(VALUE, refund(minor=8000))
        assert [event.topic for event in told if isinstance(event, WalletEvent)] == [
            "refund.asked",
            "refund.done",
            "credits.clawed_back",
        ]
        (taken,) = [event for event in told if isinstance(event, CreditsClawedBack)]
        assert (taken.order_id, taken.taken, taken.short) == ("order-9", Credits(40), Credits(60))
        (facts,) = [
            event.facts for event in told if isinstance(event, WalletEvent) and event.topic == "credits.clawed_back"
        ]
        assert facts == {"order": "order-9", "taken": "40.00", "written_off": "60.00", "owed": "0.00"}


def test_a_refund_that_turns_out_to_answer_a_dispute_is_not_told_again(tmp_path: Path) -> None:
    """Only the gateway's name of the dispute is new: the same money counts once from then on."""
    told: list[object] = []
    with paid(tmp_path, hooks=(told.append,)) as (_, service):
        service.apply_refund(VALUE, refund())
        assert figures(service.apply_dispute(VALUE, dispute(minor=3000, lost=True))) == {"taken": "75"}
        assert figures(service.apply_refund(VALUE, refund(dispute="DP1"))) == {"taken": "37.5"}
        assert [getattr(event, "topic", "") for event in told].count("refund.done") == 1


# Damage.


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE business_ai_credits SET claims = 2", "the wallet knows how many orders want credits"),
        ("DELETE FROM ai_clawbacks", "each refund and dispute has a claw-back"),
        ("UPDATE ai_refunds SET amount_minor = 7999", "a claw-back knows how much money is gone"),
        ("UPDATE ai_clawbacks SET written_off = written_off - 1", "what was taken back and what is missing"),
        ("UPDATE ai_clawbacks SET owed = owed + 1, written_off = written_off - 1", "the ledger tells what was taken"),
        ("UPDATE ai_credit_grants SET held = 0 WHERE source = 'purchase'", "leaves nothing free that it wants"),
    ],
)
def test_the_doctor_sees_what_does_not_agree(tmp_path: Path, statement: str, rule: str) -> None:
    """Rows changed behind the store's back are found, each by its rule."""
    with paid(tmp_path, spent="50") as (books, service):
        books.hold("20")
        service.apply_refund(VALUE, refund(minor=8000))
        assert books.report().findings == ()
        kept = {name: books.sql(f"SELECT * FROM {name}") for name in ("ai_clawbacks", "ai_refunds")}  # noqa: S608  # two names
        assert {name: len(rows) for name, rows in kept.items()} == {"ai_clawbacks": 1, "ai_refunds": 1}
        books.sql(statement)
        assert any(rule in finding.rule for finding in books.report().findings)
        _undo(books, statement, kept["ai_clawbacks"][0])


def _undo(books: Books, statement: str, clawback: Any) -> None:
    """Put right what `statement` broke, so that the books agree at the end."""
    if statement.startswith("DELETE"):
        books.sql(f"INSERT INTO ai_clawbacks VALUES ({', '.join('?' * len(clawback))})", tuple(clawback))  # noqa: S608  # question marks
        return
    books.sql("UPDATE business_ai_credits SET claims = 1")
    books.sql("UPDATE ai_refunds SET amount_minor = 8000")
    books.sql("UPDATE ai_clawbacks SET written_off = 50000000, owed = 0")
    books.sql("UPDATE ai_credit_grants SET held = 20000000 WHERE source = 'purchase'")
