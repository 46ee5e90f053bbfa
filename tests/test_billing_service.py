"""The first plan's four methods, and the charge in one transaction behind them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.charging import charge
from ai_addons.billing.given import pico_usd, sizes, tokens, whole
from ai_addons.billing.limiting import Limits
from ai_addons.billing.limits import Limit
from ai_addons.billing.records import Booked, Finished, Tokens
from ai_addons.billing.service import BillingService
from ai_addons.cache.keys import Keys
from ai_addons.errors import (
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    LimitReached,
    NotEnabled,
    Paused,
    UnknownFeature,
    WalletSuspended,
)
from ai_addons.money import Credits, MicroGhs
from tests.books import DAY, FAILED, OK, TTL, Books

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

pytestmark = pytest.mark.usefixtures("each_database")

NAMES = {"collection_analysis": "Collection Priority Analysis", "report_summary": "AI Report Summary"}
PRICES = {"collection_analysis": "5", "report_summary": "0.2", "greeting": "0"}
KEYS = Keys(b"a secret of 32 bytes or more than that")


def price(feature: str) -> Credits:
    """What features cost in these tests."""
    if feature not in PRICES:
        raise UnknownFeature
    return Credits(PRICES[feature])


def fingerprint(feature: str, request: Mapping[str, object]) -> str:
    """As the installation names requests."""
    return KEYS.request_hash(feature, "1", request, {})


def service_of(books: Books, *, off: Collection[tuple[str, str]] = (), **who: bool) -> BillingService:
    """The four methods on some books, for a shop unless an operator asks; with features that are off for some."""
    return BillingService(
        books.opened,
        price=price,
        names=lambda key: NAMES.get(key, key),
        is_enabled=lambda feature, business: (feature, business) not in off,
        fingerprint=fingerprint,
        clock=books.clock,
        **who,
    )


@pytest.fixture
def books() -> Iterator[Books]:
    """Books with 12 bought credits, which must agree with themselves after the test."""
    made = Books()
    yield made
    assert made.report().findings == ()


@pytest.fixture
def service(books: Books) -> BillingService:
    """The four methods, as a shop's page would use them."""
    return service_of(books)


def charge_one(service: BillingService, **changes: Any) -> Any:
    """Charge a collection analysis."""
    given_: dict[str, Any] = {
        "business_id": "biz_7",
        "user_id": "u_1",
        "feature": "collection_analysis",
        "actual_openai_cost_usd": Decimal("0.000075"),
    }
    return service.charge_credits(**given_ | changes)


# check_credits.


def test_a_check_says_what_it_would_cost_and_what_is_there(service: BillingService) -> None:
    """The first plan's five keys, in exact credits; the name is the one people read."""
    assert service.check_credits("biz_7", "collection_analysis") == {
        "has_credits": True,
        "required": Decimal(5),
        "current_balance": Decimal(12),
        "shortfall": Decimal(0),
        "feature_name": "Collection Priority Analysis",
    }


@pytest.mark.parametrize(
    ("held", "enough", "shortfall"), [("7", True, "0"), ("7.000001", False, "0.000001"), ("12", False, "5")]
)
def test_a_check_counts_what_no_call_holds(
    books: Books, service: BillingService, held: str, enough: bool, shortfall: str
) -> None:
    """To the last micro-credit: exactly the price is enough, one less is not."""
    books.hold(held)
    found = service.check_credits("biz_7", "collection_analysis")
    assert (found["has_credits"], found["shortfall"]) == (enough, Decimal(shortfall))


def test_a_check_leaves_out_credits_for_other_features(books: Books, service: BillingService) -> None:
    """They stand in the balance, but cannot pay."""
    books.hold("10")
    books.funding.grant("biz_7", Credits(9), source="promo", ref="p", features=["report_summary"])
    books.funding.grant(
        "biz_7", Credits(1), source="promo", ref="q", features=["report_summary", "collection_analysis"]
    )
    found = service.check_credits("biz_7", "collection_analysis")
    assert (found["has_credits"], found["current_balance"], found["shortfall"]) == (False, Decimal(12), Decimal(2))
    assert service.check_credits("biz_7", "report_summary")["has_credits"]


def test_a_check_of_a_business_never_seen_finds_nothing(service: BillingService) -> None:
    """Zero credits, the whole price missing."""
    found = service.check_credits("biz_9", "collection_analysis")
    assert (found["has_credits"], found["current_balance"], found["shortfall"]) == (False, Decimal(0), Decimal(5))


@pytest.mark.parametrize(
    "ask",
    [
        lambda service: service.check_credits("biz_7", "fortune_telling"),
        lambda service: charge_one(service, feature="fortune_telling"),
        lambda service: service.log_failed_transaction("biz_7", "u_1", "fortune_telling", "timeout"),
    ],
)
def test_an_unknown_feature_is_refused(books: Books, service: BillingService, ask: Any) -> None:
    """No method makes up a price, and nothing is written under a name that is not on sale."""
    with pytest.raises(UnknownFeature, match="Nothing was charged"):
        ask(service)
    assert books.store.transactions("biz_7") == []


@pytest.mark.parametrize("feature", ["collection_analysis", "greeting"])
def test_a_feature_that_is_off_is_neither_offered_nor_charged(books: Books, feature: str) -> None:
    """For the shop that it is off for, and no other; a free one is not written into the call log either."""
    service = service_of(books, off={(feature, "biz_7")})
    with pytest.raises(NotEnabled, match="Nothing was charged"):
        service.check_credits("biz_7", feature)
    for key in (None, "k-1"):
        with pytest.raises(NotEnabled, match="Nothing was charged"):
            charge_one(service, feature=feature, idempotency_key=key)
    assert books.store.transactions("biz_7") == []
    assert service.check_credits("biz_9", feature)["current_balance"] == 0
    assert service.check_credits("biz_7", "report_summary")["has_credits"]


@pytest.mark.parametrize(("feature", "charged"), [("collection_analysis", 5), ("greeting", 0)])
def test_what_was_charged_is_told_after_its_feature_was_switched_off(books: Books, feature: str, charged: int) -> None:
    """A retry must not be told that nothing was charged; another request under its key is an error as ever."""
    first = charge_one(service_of(books), feature=feature, idempotency_key="k-1")
    service = service_of(books, off={(feature, "biz_7")})
    assert charge_one(service, feature=feature, idempotency_key="k-1") == first
    assert first["credits_charged"] == charged
    with pytest.raises(IdempotencyConflict):
        charge_one(service, feature=feature, idempotency_key="k-1", input_tokens=1)


# charge_credits.


def test_a_charge_takes_the_price_and_writes_one_row(books: Books, service: BillingService) -> None:
    """The first plan's six keys; the row has cost, tokens and time, and no word of the request."""
    found = charge_one(
        service,
        input_tokens=200,
        output_tokens=80,
        response_time_ms=412,
        request_data={"customer": "Ama Mensah", "invoices": [1, 2, 3], "amount": 3000, "urgent": True},
        response_summary="Ama should pay first",
    )
    (row,) = books.store.transactions("biz_7")
    assert found == {
        "success": True,
        "credits_charged": Decimal(5),
        "new_balance": Decimal(7),
        "transaction_id": row.id,
        "low_credit_warning": True,
        "profit_margin": None,
    }
    assert (row.charged, row.outcome, row.source, row.user, row.cost) == (Credits(5), "ok", "ai", "u_1", 75_000_000)
    assert (row.tokens, row.latency_ms, row.revenue) == (
        Tokens(input=200, cached=0, cache_write=0, output=80, reasoning=0),
        412,
        4_000_000,
    )
    assert row.request_meta == {
        "customer": {"size": 10},
        "invoices": {"size": 3},
        "amount": 3000,
        "urgent": True,
    }
    assert row.response_meta == {"summary": {"size": 20}}
    assert "Ama" not in str(books.sql("SELECT * FROM ai_transactions"))
    assert books.balance() == ("7", "0")


def test_a_charge_needs_only_its_four_first_arguments(books: Books, service: BillingService) -> None:
    """What nobody counted is unknown and not zero."""
    found = service.charge_credits("biz_7", None, "report_summary", None)
    (row,) = books.store.transactions("biz_7")
    assert (found["credits_charged"], found["new_balance"]) == (Decimal("0.2"), Decimal("11.8"))
    assert (row.user, row.cost, row.tokens, row.latency_ms) == (None, None, None, None)
    assert (row.request_meta, row.response_meta) == ({}, {})


@pytest.mark.parametrize(("bought", "low"), [("3", False), ("2.999999", True)])
def test_a_charge_warns_below_the_threshold(books: Books, bought: str, low: bool) -> None:
    """Ten credits left are enough, a micro-credit less is low."""
    books.buy(bought, "order-2")
    assert charge_one(service_of(books))["low_credit_warning"] is low


def test_only_operators_see_the_margin(books: Books) -> None:
    """Revenue is what was paid for the credits that were used: GHS 4.00 less 1.95 % and the cost of 0.000873."""
    assert charge_one(service_of(books))["profit_margin"] is None
    operator = service_of(books, operator=True)
    assert charge_one(operator)["profit_margin"] == Decimal("0.980")
    assert charge_one(operator, feature="report_summary", actual_openai_cost_usd="0.005")["profit_margin"] == Decimal(
        "0.617"
    )


def test_no_margin_is_made_up(books: Books) -> None:
    """Free credits bring no revenue, and an unknown cost leaves the margin open."""
    operator = service_of(books, operator=True)
    assert charge_one(operator, actual_openai_cost_usd=None)["profit_margin"] is None
    books.funding.grant("biz_7", Credits(5), source="trial", ref="trial")
    assert charge_one(operator)["profit_margin"] is None


def test_the_margin_of_a_repeat_is_that_of_the_attempt_that_paid(books: Books) -> None:
    """A failure under the same key before it earned nothing."""
    operator = service_of(books, operator=True)
    request = fingerprint("collection_analysis", {"data": None, "cost": 75_000_000, "tokens": [0, 0]})
    failed = books.hold("5", "sale-81", request_hash=request)
    books.store.void(failed, FAILED)
    for _ in range(2):
        assert charge_one(operator, idempotency_key="sale-81")["profit_margin"] == Decimal("0.980")
    assert [row.attempt for row in books.store.transactions("biz_7")] == [1, 2]


def test_the_margin_is_that_of_the_charge_whatever_came_after(books: Books) -> None:
    """A free line under the same key earned nothing."""
    operator = service_of(books, operator=True)
    charge_one(operator, idempotency_key="sale-81")
    request = fingerprint("collection_analysis", {"data": None, "cost": 75_000_000, "tokens": [0, 0]})
    books.store.record(books.call("sale-81", request_hash=request), FAILED)
    assert charge_one(operator, idempotency_key="sale-81")["profit_margin"] == Decimal("0.980")


def test_without_a_key_every_charge_is_its_own(books: Books, service: BillingService) -> None:
    """The same request twice is two charges, may hold what has no name, and its id is nobody's key."""
    first = charge_one(service, request_data={"handle": object()})
    second = charge_one(service)
    assert first["transaction_id"] != second["transaction_id"]
    assert books.balance() == ("2", "0")
    with pytest.raises(IdempotencyConflict):
        charge_one(service, idempotency_key=second["transaction_id"])


def test_a_repeat_under_its_key_charges_nothing_more(books: Books, service: BillingService) -> None:
    """The same key and request: the same charge is told again, with the balance of now."""
    first = charge_one(service, idempotency_key="sale-81", request_data={"who": "Ama"})
    books.buy("30", "order-2")
    again = charge_one(
        service, idempotency_key="sale-81", request_data={"who": "Ama"}, response_time_ms=9, user_id="u_2"
    )
    assert first["transaction_id"] == again["transaction_id"] == "sale-81"
    assert again == {**first, "new_balance": Decimal(37), "low_credit_warning": False}
    assert len(books.store.transactions("biz_7")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"feature": "report_summary"},
        {"request_data": {"who": "Kofi"}},
        {"actual_openai_cost_usd": "0.000076"},
        {"input_tokens": 1},
        {"output_tokens": 1},
    ],
)
def test_a_key_used_for_something_else_is_a_conflict(
    books: Books, service: BillingService, change: dict[str, Any]
) -> None:
    """Nothing is charged and nothing is told of the first request."""
    charge_one(service, idempotency_key="sale-81")
    with pytest.raises(IdempotencyConflict, match="Nothing was charged"):
        charge_one(service, idempotency_key="sale-81", **change)
    assert books.balance() == ("7", "0")


def test_a_key_belongs_to_one_business(books: Books, service: BillingService) -> None:
    """Two shops may use the same key."""
    books.buy("6", "order-1", business="biz_8")
    charge_one(service, idempotency_key="sale-81")
    assert charge_one(service, idempotency_key="sale-81", business_id="biz_8")["new_balance"] == Decimal(1)


def test_a_charge_is_refused_where_credits_are_missing(books: Books, service: BillingService) -> None:
    """Never below zero: the refusal names price, balance and packs, and admits that the work is done."""
    books.hold("8")
    with pytest.raises(InsufficientCreditsError) as refused:
        charge_one(service)
    error = refused.value
    assert (error.required, error.available, error.shortfall) == (Credits(5), Credits(4), Credits(1))
    assert [offer.type for offer in error.offers] == ["STARTER", "VALUE", "PRO"]
    assert str(error) == (
        "This costs 5 credits and 4 are available: 1 are missing. Nothing was charged, though the work is done. "
        "Buy credits to go on, and check before the next one."
    )
    assert books.store.transactions("biz_7") == []


def test_a_free_feature_is_booked_and_charged_nothing(books: Books, service: BillingService) -> None:
    """It has a row like any other, one under its key, and needs no credits."""
    for _ in range(2):
        found = charge_one(service, feature="greeting", business_id="biz_9", idempotency_key="hello")
        assert (found["success"], found["credits_charged"], found["new_balance"]) == (True, Decimal(0), Decimal(0))
    (row,) = books.store.transactions("biz_9")
    assert (row.attempt, row.charged, row.outcome) == (0, Credits(0), "ok")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"actual_openai_cost_usd": True}, TypeError, "not bool; nothing was charged"),
        ({"actual_openai_cost_usd": -1}, ValueError, "from 0 to 9,000,000; nothing was charged"),
        ({"input_tokens": -1}, ValueError, "input_tokens cannot be below zero; nothing was charged"),
        ({"output_tokens": 1.0}, TypeError, "output_tokens is a whole number, not float; nothing was charged"),
        ({"response_time_ms": "9"}, TypeError, "response_time_ms is a whole number, not str"),
        ({"business_id": ""}, ValueError, "a business id"),
        ({"user_id": ""}, ValueError, "a user id"),
        ({"idempotency_key": ""}, ValueError, "an idempotency key"),
        ({"idempotency_key": "", "feature": "greeting"}, ValueError, "an idempotency key"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_booked(
    books: Books, service: BillingService, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The message names the argument."""
    with pytest.raises(error, match=message):
        charge_one(service, **change)
    assert books.store.transactions("biz_7") == []


def test_many_charges_under_one_key_are_one(books: Books, service: BillingService) -> None:
    """A retry button that is hammered pays once."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: charge_one(service, idempotency_key="sale-81"), range(16)))
    assert {one["credits_charged"] for one in found} == {Decimal(5)}
    assert books.balance() == ("7", "0")


def test_many_charges_at_once_never_overdraw(books: Books, service: BillingService) -> None:
    """Twelve credits pay two calls of five, however many come at the same moment."""

    def try_one(_: int) -> bool:
        try:
            return bool(charge_one(service)["success"])
        except InsufficientCreditsError:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_one, range(16))) == 2
    assert books.balance() == ("2", "0")


# charge.


def tables(books: Books) -> list[Any]:
    """All that the books say, but for the moment a hold would have expired and the hash over it all."""
    return [
        books.sql(
            "SELECT business_id, posted, held, lifetime_in, lifetime_used, seq, chain_head FROM business_ai_credits"
        ),
        books.sql("SELECT source_ref, remaining, held FROM ai_credit_grants ORDER BY source_ref"),
        books.sql(
            "SELECT id, attempt, amount, captured, feature, user_id, state, request_hash, created_at, closed_at, "
            "price_version, counters FROM ai_credit_holds"
        ),
        books.sql("SELECT hold_id, attempt, amount, used FROM ai_hold_allocations ORDER BY amount"),
        books.sql("SELECT * FROM ai_ledger ORDER BY seq"),
        books.sql("SELECT * FROM ai_transactions"),
        books.sql("SELECT * FROM ai_usage_daily"),
        books.sql("SELECT * FROM ai_call_results"),
        books.sql("SELECT business_id, scope, key, per, starts_at, used, held FROM ai_limit_counters"),
    ]


def test_a_charge_leaves_the_same_books_as_a_hold_and_its_capture() -> None:
    """One transaction instead of two, and nothing else is different: grants, ledger, log, sums, limits, answers."""
    limits = (Limit(scope="user", window="day", amount=Credits(20)),)

    def prepared() -> Books:
        made = Books("3", limits=limits)
        made.funding.grant("biz_7", Credits(4), source="promo", ref="p", expires_at=made.clock.now() + DAY)
        return made

    one = prepared()
    assert charge(one.opened, one.call("k"), Credits(5), OK, price_version="v1") == Booked(
        charged=Credits(5), balance=Credits(2), cost_ghs=MicroGhs(873)
    )
    assert one.report().ok
    in_one_go = tables(one)
    two = prepared()
    held = two.store.hold(two.call("k"), Credits(5), price_version="v1")
    two.store.capture(held, OK)  # type: ignore[arg-type]  # a fresh key gives a hold
    assert in_one_go == tables(two)
    assert [row[2:] for row in in_one_go[3]] == [(1_000_000, 1_000_000), (4_000_000, 4_000_000)]
    assert in_one_go[8][0][5:] == (5_000_000, 0)


def test_a_charge_that_was_made_before_is_told_again(books: Books) -> None:
    """The same key and request: what it gave, and no second charge."""
    charge(books.opened, books.call("k"), Credits(5), OK)
    again = charge(books.opened, books.call("k"), Credits(5), OK)
    assert again == Finished(charged=Credits(5), answers=OK.answers, model=OK.model)
    assert books.balance() == ("7", "0")


def _hold_under_key(books: Books) -> None:
    books.hold("1", "k")


def _use_key(books: Books) -> None:
    books.store.capture(books.hold("1", "k", request_hash="other"), OK)


def _suspend(books: Books) -> None:
    books.operations.set_status("biz_7", "suspended", actor="op", reason="chargeback")


@pytest.mark.parametrize(
    ("before", "error"),
    [
        (_hold_under_key, LedgerConflict),
        (_use_key, IdempotencyConflict),
        (_suspend, WalletSuspended),
        (lambda books: Limits(books.opened).pause(actor="op"), Paused),
        (lambda books: Limits(books.opened).pause(feature="collection_analysis", actor="op"), Paused),
    ],
)
def test_what_stops_a_hold_stops_a_charge(books: Books, before: Any, error: type[BillingError]) -> None:
    """A call in progress, another request, a suspended wallet and the kill switch; nothing is booked."""
    before(books)
    rows = books.store.transactions("biz_7")
    with pytest.raises(error, match="Nothing was charged"):
        charge(books.opened, books.call("k"), Credits(5), OK)
    assert books.store.transactions("biz_7") == rows


def test_a_key_whose_calls_failed_may_be_charged(books: Books) -> None:
    """A new attempt with the next number."""
    books.store.void(books.hold("5", "k"), FAILED)
    charge(books.opened, books.call("k"), Credits(5), OK)
    assert [(row.attempt, row.charged) for row in books.store.transactions("biz_7")] == [
        (1, Credits(0)),
        (2, Credits(5)),
    ]


def test_a_charge_counts_in_its_limits() -> None:
    """Up to the limit it is charged and counted as used; over it, refused and not counted."""
    books = Books(limits=(Limit(scope="business", window="day", amount=Credits(5)),))
    with pytest.raises(LimitReached, match="Nothing was charged"):
        charge(books.opened, books.call(), Credits("5.000001"), OK)
    charge(books.opened, books.call(), Credits(5), OK)
    with pytest.raises(LimitReached):
        charge(books.opened, books.call(), Credits("0.000001"), OK)
    assert books.sql("SELECT used, held FROM ai_limit_counters") == [(5_000_000, 0)]
    assert books.report().ok


def test_due_work_stays_done_when_a_charge_is_refused(books: Books) -> None:
    """An orphan's credits are back, though this charge still finds too few."""
    books.hold("5")
    books.clock.advance(TTL // 1_000_000)
    with pytest.raises(InsufficientCreditsError):
        charge(books.opened, books.call(), Credits(13), OK)
    assert books.balance() == ("12", "0")
    charge(books.opened, books.call(), Credits(12), OK)
    assert books.balance() == ("0", "0")


def test_a_business_never_seen_is_refused_and_gets_no_wallet(books: Books) -> None:
    """It is told what to buy; the kill switch comes first."""
    stranger = books.call("k", business="biz_9")
    with pytest.raises(InsufficientCreditsError) as refused:
        charge(books.opened, stranger, Credits(5), OK)
    assert (refused.value.available, refused.value.shortfall) == (Credits(0), Credits(5))
    Limits(books.opened).pause(actor="op")
    with pytest.raises(Paused):
        charge(books.opened, stranger, Credits(5), OK)
    assert books.sql("SELECT business_id FROM business_ai_credits") == [("biz_7",)]


def test_a_newcomer_is_charged_from_the_free_credits_of_the_month() -> None:
    """Where the policy gives some, the first contact may be a charge."""
    books = Books("0", policy="hybrid")
    booked = charge(books.opened, books.call(business="biz_9"), Credits(2), OK)
    assert isinstance(booked, Booked)
    assert booked.balance == Credits(3)
    assert books.report().ok


def test_a_key_without_its_wallet_still_names_one_request() -> None:
    """Books that lost a wallet do not let a key be used for another request."""
    books = Books()
    _use_key(books)
    books.sql("DELETE FROM business_ai_credits")
    with pytest.raises(IdempotencyConflict):
        charge(books.opened, books.call("k"), Credits(5), OK)
    assert len(books.store.transactions("biz_7")) == 1


def test_grants_that_do_not_cover_the_balance_charge_nothing() -> None:
    """Broken books are told and not made worse."""
    books = Books()
    books.sql("UPDATE ai_credit_grants SET remaining = 1")
    with pytest.raises(BillingError, match=r"grants do not cover its balance. Nothing was charged"):
        charge(books.opened, books.call(), Credits(5), OK)
    assert books.store.transactions("biz_7") == []


def test_credits_for_other_features_do_not_pay(books: Books) -> None:
    """The balance is there, but not for this feature: too few credits, and no alarm."""
    books.hold("12")
    books.funding.grant("biz_7", Credits(5), source="promo", ref="p", features=["report_summary"])
    with pytest.raises(InsufficientCreditsError) as refused:
        charge(books.opened, books.call(), Credits(5), OK)
    assert refused.value.available == Credits(0)


def test_exactly_the_balance_can_be_charged(books: Books) -> None:
    """And a micro-credit more cannot."""
    with pytest.raises(InsufficientCreditsError) as refused:
        charge(books.opened, books.call(), Credits("12.000001"), OK)
    assert refused.value.shortfall == Credits("0.000001")
    charge(books.opened, books.call(), Credits(12), OK)


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_nothing_cannot_be_charged(books: Books, amount: str) -> None:
    """A free call has no hold; it is recorded by other means."""
    with pytest.raises(ValueError, match="what a call costs must be more than zero credits"):
        charge(books.opened, books.call(), Credits(amount), OK)


@pytest.mark.parametrize(
    ("field", "what"), [("business", "a business id"), ("id", "an idempotency key"), ("user", "a user id")]
)
def test_names_that_no_database_could_hold_are_refused(books: Books, field: str, what: str) -> None:
    """Before anything is booked."""
    changes: dict[str, Any] = {field: "\0"}
    call = replace(books.call("k"), **changes)
    with pytest.raises(ValueError, match=what):
        charge(books.opened, call, Credits(5), OK)


# log_failed_transaction.


def test_a_failure_is_logged_and_charges_nothing(books: Books, service: BillingService) -> None:
    """One row, with a word for machines and no text that may quote a customer; its cost counts as unknown."""
    service.log_failed_transaction(
        "biz_7", "u_1", "collection_analysis", "Ama's number is invalid", {"who": "Ama", "n": 2}
    )
    books.clock.advance(1)
    service.log_failed_transaction("biz_7", None, "report_summary", "provider_timeout")
    first, second = books.store.transactions("biz_7")
    assert (first.outcome, first.charged, first.user, first.error_code) == ("failed", Credits(0), "u_1", "host_error")
    assert (first.request_meta, first.response_meta) == ({"who": {"size": 3}, "n": 2}, {"error": {"size": 23}})
    assert (first.cost, first.latency_ms, first.source) == (None, None, "ai")
    assert (second.error_code, second.request_meta, second.user) == ("provider_timeout", {}, None)
    assert "Ama" not in str(books.sql("SELECT * FROM ai_transactions"))
    assert books.balance() == ("12", "0")


# get_usage_stats.


def test_usage_stats_have_the_first_plans_keys(books: Books, service: BillingService) -> None:
    """Exact decimals; the operator alone sees what the models cost."""
    charge_one(service, response_time_ms=400)
    charge_one(service, feature="report_summary")
    service.log_failed_transaction("biz_7", "u_1", "report_summary", "timeout")
    found = service.get_usage_stats("biz_7")
    assert found == {
        "period_days": 30,
        "current_balance": Decimal("6.8"),
        "total_credits_used": Decimal("5.2"),
        "total_requests": 3,
        "successful_requests": 2,
        "success_rate": Decimal("0.667"),
        "avg_response_time_ms": Decimal(400),
        "feature_breakdown": [
            {
                "feature": "report_summary",
                "feature_display_name": "AI Report Summary",
                "count": 2,
                "credits": Decimal("0.2"),
            },
            {
                "feature": "collection_analysis",
                "feature_display_name": "Collection Priority Analysis",
                "count": 1,
                "credits": Decimal(5),
            },
        ],
        "most_used_feature": "report_summary",
        "total_cost_ghs": None,
    }
    books.clock.advance(29 * 86_400)
    assert service.get_usage_stats("biz_7") == found
    books.clock.advance(86_400)
    assert service.get_usage_stats("biz_7")["total_requests"] == 0
    shown = service_of(books, operator=True).get_usage_stats("biz_7", days=31)
    assert shown == {**found, "period_days": 31, "total_cost_ghs": Decimal("0.001746")}


# What a host gives.


@pytest.mark.parametrize(
    ("cost", "pico"),
    [
        (None, None),
        (0, 0),
        ("0.000075", 75_000_000),
        (Decimal("0.000075"), 75_000_000),
        (2, 2 * 10**12),
        (0.1 + 0.2, 300_000_000_000),
        (1e-12, 1),
        ("1.5e-12", 2),
        ("2.5e-12", 2),
        ("5e-13", 0),
        ("5.000001e-13", 1),
        ("9e-13", 1),
        ("9e-1000000", 0),
        ("0e-1000000", 0),
        ("-0", 0),
        ("9000000", 9 * 10**18),
    ],
)
def test_a_cost_is_read_to_the_pico_dollar(cost: Any, pico: int | None) -> None:
    """Also from a float, by way of its text, and whatever the host's decimal context."""
    with localcontext(prec=1):
        assert pico_usd(cost) == pico


@pytest.mark.parametrize(
    "cost", [-1, "-0.000001", "9000000.000001", float("nan"), float("inf"), "sNaN", "five", "1e99"]
)
def test_a_cost_is_a_number_of_dollars(cost: Any) -> None:
    """Nothing below zero, nothing that the books could not hold."""
    with pytest.raises(ValueError, match=r"a cost is a number of US dollars from 0 to 9,000,000; nothing was charged"):
        pico_usd(cost)


@pytest.mark.parametrize("cost", [True, b"1", [1]])
def test_a_cost_of_another_kind_is_refused(cost: Any) -> None:
    """A flag is no amount."""
    with pytest.raises(TypeError, match=f"not {type(cost).__name__}; nothing was charged"):
        pico_usd(cost)


@given(st.integers(0, 9 * 10**18))
def test_every_pico_dollar_is_read_exactly(pico: int) -> None:
    """What the books hold can be given back to them."""
    assert pico_usd(Decimal(f"{pico}e-12")) == pico


def test_tokens_nobody_counted_are_unknown() -> None:
    """Either pool alone is a count."""
    assert tokens(0, 0) is None
    assert tokens(1, 0) == Tokens(input=1, cached=0, cache_write=0, output=0, reasoning=0)
    assert tokens(0, 1) == Tokens(input=0, cached=0, cache_write=0, output=1, reasoning=0)
    with pytest.raises(ValueError, match="input_tokens cannot"):
        tokens(-1, 0)
    with pytest.raises(ValueError, match="output_tokens cannot"):
        tokens(0, -1)


def test_a_count_is_a_whole_number() -> None:
    """Zero is one, a flag is none."""
    assert whole(0, "n") == 0
    with pytest.raises(TypeError, match="n is a whole number, not bool; nothing was charged"):
        whole(bool(1), "n")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (3000, 3000),
        (True, True),
        (False, False),
        (0, 0),
        (-1.5, -1.5),
        (99_999_999, 99_999_999),
        (100_000_000, None),
        (-100_000_000, None),
        (244_000_000, None),
        (1e8, None),
        (10**400, None),
        (float("nan"), None),
        (float("-inf"), None),
        (Decimal("19.90"), "19.90"),
        (Decimal("99999999.99"), "99999999.99"),
        (Decimal(100_000_000), None),
        (Decimal(-100_000_000), None),
        (Decimal("sNaN"), None),
        (Decimal("-Infinity"), None),
        (Decimal("0.123456789012345678"), "0.123456789012345678"),
        (Decimal("0.1234567890123456789"), None),
        ("Ama", {"size": 3}),
        (b"Ama", {"size": 3}),
        ("", {"size": 0}),
        ([1, 2], {"size": 2}),
        ({"Ama": "024 400 0000"}, {"size": 1}),
        (None, None),
        (object(), None),
    ],
)
def test_only_numbers_and_sizes_are_kept(value: Any, kept: Any) -> None:
    """No text, and no number that could be somebody's telephone."""
    assert sizes({"field": value}) == ({} if kept is None else {"field": kept})
    assert type(sizes({"field": value}).get("field")) is type(kept)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("amount", True),
        ("_n2", True),
        ("Items", True),
        ("a" * 40, True),
        ("a" * 41, False),
        ("2n", False),
        ("0244000000", False),
        ("Ama Mensah", False),
        ("", False),
        ("n\n", False),
        ("größe", False),
        (7, False),
    ],
)
def test_only_plain_field_names_are_kept(name: Any, kept: bool) -> None:
    """A table by customers' names or numbers leaves nothing behind."""
    assert sizes({name: 1}) == ({name: 1} if kept else {})


def test_at_most_fifty_fields_are_kept() -> None:
    """A row stays small; what is not kept takes no place, and nothing given is nothing kept."""
    given_ = {f"bad name {n}": n for n in range(60)} | {f"n{n}": n for n in range(51)}
    assert sizes(given_) == {f"n{n}": n for n in range(50)}
    assert sizes(None) == sizes({}) == {}
