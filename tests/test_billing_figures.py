"""Operators' figures read out of real books: KPIs, margins by pack, spending, feedback."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, Final

import pytest

from ai_addons.billing.feedback import Feedback, FeedbackBox
from ai_addons.billing.forecast import DayCost
from ai_addons.billing.gateways.base import Charge, Outcome
from ai_addons.billing.kpis.reading import KpiDesk
from ai_addons.billing.kpis.shape import Percentiles
from ai_addons.billing.margin_reading import MarginDesk
from ai_addons.billing.usage import Reports
from ai_addons.errors import GatewayError, NotFound
from ai_addons.money import Credits, PicoUsd
from tests.books import DAY, FAILED, OK, TTL, Books
from tests.scripted_gateway import PageGateway, ScriptedGateway, Till

pytestmark = pytest.mark.usefixtures("each_database")

SECOND: Final = 1_000_000
DAY_SECONDS: Final = DAY // SECOND


def kpis(books: Books, days: int = 30, **options: Any) -> Any:
    """KPIs of some books, by a fixed seed."""
    desk = KpiDesk(books.opened, Reports(books.opened, str))
    asked = {"active": None, "active_before": None, "gateways": None} | options
    return desk.kpis(days, Random(1), **asked)  # noqa: S311  # resamples, no secret


def counts(books: Books, key: str, part: str = "", **options: Any) -> tuple[object, object]:
    """What a KPI counts."""
    line = kpis(books, **options).line(key, part)
    return line.numerator, line.denominator


def call(books: Books, amount: str = "1", business: str | None = None, **changes: Any) -> str:
    """A call that succeeds; its id."""
    hold = books.store.hold(books.call(**({} if business is None else {"business": business})), Credits(amount))
    books.store.capture(hold, replace(OK, **changes))  # type: ignore[arg-type]  # a fresh key gives a hold
    return hold.call.id  # type: ignore[union-attr]  # as above


def margin_rows(books: Books, **options: Any) -> list[tuple[str, str, str, int, int]]:
    """Feature, pack, business, revenue and cost of each row."""
    report = MarginDesk(books.opened).report(**{"days": 30} | options)
    return [(row.feature, row.pack, row.business, row.revenue, row.cost) for row in report.rows]


# KPIs.


def test_response_times_come_from_the_call_log() -> None:
    """Provider, cache, rules after a model failed, rules alone and the offline model are five things."""
    books = Books("100")
    call(books, latency_ms=1_000)
    call(books, latency_ms=4_000)
    call(books, latency_ms=7, source="cache")
    call(books, latency_ms=5_000, source="rules", response_meta={"attempts": [{"model": "m"}]})
    call(books, latency_ms=3, source="rules", response_meta={"attempts": []})
    call(books, latency_ms=2, model="offline/sample")
    books.store.void(books.hold("1"), replace(FAILED, latency_ms=10))
    found = kpis(books)
    line = found.line("response", "provider")
    assert (line.numerator, line.denominator) == (1, 4)
    assert line.percentiles == Percentiles(p50=1_000, p95=5_000, p99=5_000)
    assert counts(books, "response", "cache") == (1, 1)


def test_an_orphan_is_no_correct_end_until_somebody_knows_better() -> None:
    """Its hold expires as unknown; a late answer makes it right again."""
    books = Books("100")
    call(books)
    books.store.void(books.hold("1"), FAILED)
    orphan = books.hold("1")
    assert counts(books, "credits_correct") == (2, 2)
    books.clock.advance(TTL // SECOND + 1)
    assert counts(books, "credits_correct") == (2, 3)
    assert "1 stuck" in kpis(books).line("credits_correct").note
    books.store.sweep()
    assert counts(books, "credits_correct") == (2, 3)
    assert "1 holds that expired, 0 stuck" in kpis(books).line("credits_correct").note
    books.store.capture(orphan, OK)
    assert counts(books, "credits_correct") == (3, 3)


def test_tampered_books_are_told_of() -> None:
    """A second charge of one call, and a hold whose line is gone."""
    books = Books("100")
    first, second = call(books), call(books)
    books.sql("UPDATE ai_transactions SET attempt = 9 WHERE id = ?", (first,))
    assert "1 without a line" in kpis(books).line("credits_correct").note
    assert counts(books, "credits_correct") == (2, 3)
    books.sql("UPDATE ai_transactions SET id = ?, attempt = 1 WHERE id = ?", (first, first))
    books.sql("UPDATE ai_transactions SET id = ?, attempt = 2 WHERE id = ?", (first, second))
    assert "1 charged twice" in kpis(books).line("credits_correct").note


def test_the_window_ends_now_and_begins_at_midnight() -> None:
    """Calls of other days are not in it; whoever called before is a former user."""
    books = Books("100")
    call(books)
    books.clock.advance(DAY_SECONDS)
    assert counts(books, "ai_success", days=1) == (0, 0)
    assert counts(books, "ai_success", days=2) == (1, 1)
    options: dict[str, Any] = {"active": {"biz_7"}, "active_before": {"biz_7", "biz_8"}, "days": 1}
    assert counts(books, "retention", **options) == (Decimal("1.000000"), Decimal("0.000000"))
    assert counts(books, "adoption", **options) == (0, 1)
    with pytest.raises(ValueError, match="1 to 366 days"):
        kpis(books, 0)


def test_adoption_counts_charged_calls_and_purchases_count_paid_orders() -> None:
    """Free repeats and failures are no use; a trial's credits are."""
    till = Till(policy="prepaid")
    books = till.books
    till.paid("STARTER")
    till.start("STARTER")
    books.funding.grant("trial", Credits(5), source="trial", ref="t", paid=0)
    call(books, business="trial")
    books.store.record(books.call(business="free"), OK)
    active = {"trial", "free", "biz_7", "quiet"}
    assert counts(books, "adoption", active=active) == (1, 4)
    assert counts(books, "purchase_rate", active=active) == (1, 4)
    line = kpis(books).line("revenue_per_user")
    assert (line.numerator, line.denominator) == (0, 1)


def test_cache_margin_and_rates_come_from_the_books() -> None:
    """Two calls at GHS 0.80, one of them from the cache; cost at the built-in rate, which is stale."""
    books = Books("100")
    call(books, cacheable=True)
    call(books, cacheable=True, source="cache", cost=PicoUsd(0), saved=PicoUsd(75_000_000))
    found = kpis(books)
    assert counts(books, "cache_hits") == (1, 2)
    assert str(found.line("margin").denominator) == "1.600000"
    (rate,) = found.fx
    assert (rate.source, rate.day, rate.rate, rate.stale, rate.calls) == (
        "static",
        "2026-09-29",
        Decimal("11.646"),
        True,
        2,
    )
    assert (rate.cost, rate.cost_ghs) == (75_000_000, 873)


def test_payments_are_scored_by_what_the_gateway_lists() -> None:
    """In time, late, missing, another's, not ours: over all days but the last."""
    till = Till()
    now = till.clock.now()
    (good, _), (late, _), missed = till.paid(), till.paid(), till.start()
    till.gateway.change(good.attempt.reference, paid_at=now)
    till.gateway.change(late.attempt.reference, paid_at=now - 301 * SECOND)
    till.gateway.pay(missed.attempt.reference, paid_at=now)
    strange = Charge(reference="aia-x", outcome=Outcome.PAID, raw_status="success", paid_at=now)
    till.gateway.charged |= {"aia-x": strange, "pos-1": replace(strange, reference="pos-1")}
    till.gateway.charged["aia-f"] = replace(strange, reference="aia-f", outcome=Outcome.FAILED)
    till.clock.advance(2 * DAY_SECONDS)
    asked: dict[str, Any] = {"gateways": [till.gateway]}
    assert counts(till.books, "payments_granted", **asked) == (1, 4)
    assert "2 were not granted at all" in kpis(till.books, **asked).line("payments_granted").note
    assert counts(till.books, "payments_granted", days=1, **asked) == (0, 0)
    assert kpis(till.books).line("payments_granted").note.endswith("Our own rows have 2 granted ones.")


@pytest.mark.parametrize("gateways", [[], [PageGateway()], [ScriptedGateway(), PageGateway()]])
def test_a_gateway_that_cannot_list_leaves_the_denominator_open(gateways: list[Any]) -> None:
    """Half of the payments are no denominator."""
    assert kpis(Books(), gateways=gateways).line("payments_granted").verdict == "denominator not supplied"


def test_a_gateway_that_is_away_leaves_it_open_too() -> None:
    """The other figures are there all the same."""
    till = Till()
    till.gateway.fetch_fails = GatewayError("down")
    line = kpis(till.books, gateways=[till.gateway]).line("payments_granted")
    assert line.verdict == "denominator not supplied"


def test_orders_are_told_by_method_and_attempts_by_reason() -> None:
    """A day late, since until then an abandoned one may still be paid."""
    till = Till()
    till.paid("STARTER", phone="0244000000", network="mtn")
    declined = till.start("STARTER", phone="0244000000", network="mtn")
    till.gateway.decline(declined.attempt.reference)
    till.orders.apply(declined.attempt.reference)
    assert not [line for line in kpis(till.books).lines if line.key == "payment_conversion"]
    till.clock.advance(2 * DAY_SECONDS)
    found = [line for line in kpis(till.books).lines if line.key.startswith("payment_")]
    assert [(line.part, line.numerator, line.denominator) for line in found] == [
        ("mobile_money", 1, 2),
        ("mobile_money: Insufficient funds", 1, 1),
    ]


# Margins by pack.


def test_margins_tell_which_pack_paid() -> None:
    """A call of two credits, one of a trial and one of VALUE, is shared out; a failure stands under no pack."""
    till = Till()
    books = till.books
    books.funding.grant("biz_7", Credits(1), source="trial", ref="t", paid=0, expires_at=books.clock.now() + DAY)
    till.paid("VALUE")
    call(books, "2")
    books.store.void(books.hold("1"), FAILED)
    feature = "collection_analysis"
    assert margin_rows(books) == [
        (feature, "", "biz_7", 0, 349),
        (feature, "VALUE", "biz_7", 800_000, 436),
        (feature, "trial", "biz_7", 0, 437),
    ]
    report = MarginDesk(books.opened).report(30)
    total = Reports(books.opened, str).margins().total
    assert (report.total.revenue, report.total.cost) == (total.revenue, total.cost)
    assert [(row.pack, row.profit) for row in report.losers()] == [("trial", -437), ("", -349)]
    assert [one.source for one in report.fx] == ["static"]
    assert books.report().ok


def test_margins_tell_which_business_paid() -> None:
    """Of one of them, or of all; a business without calls of the window has no row."""
    books = Books("100")
    books.buy("10", "o", business="biz_8")
    call(books)
    call(books, business="biz_8")
    assert [row[2] for row in margin_rows(books)] == ["biz_7", "biz_8"]
    assert [row[2] for row in margin_rows(books, business="biz_8")] == ["biz_8"]
    assert [one.calls for one in MarginDesk(books.opened).report(30, "biz_8").fx] == [1]
    assert [one.calls for one in MarginDesk(books.opened).report(30).fx] == [2]
    books.clock.advance(DAY_SECONDS)
    assert margin_rows(books, days=1) == []
    with pytest.raises(ValueError, match="a business id"):
        margin_rows(books, business="")


def test_a_charge_that_was_reversed_earned_nothing() -> None:
    """The grant has its credit back; the cost stays, under no pack."""
    books = Books("100")
    call(books)
    (usage,) = [entry for entry in books.store.ledger("biz_7") if entry.kind == "usage"]
    books.funding.reverse("biz_7", usage.seq, actor="ama", reason="mistake")
    assert margin_rows(books) == [("collection_analysis", "", "biz_7", 0, 873)]


def test_the_months_spending_goes_on_as_the_last_days_did() -> None:
    """Ten days at one call each, and none yet today."""
    books = Books("100")
    for _ in range(10):
        call(books)
        books.clock.advance(DAY_SECONDS)
    found = MarginDesk(books.opened).forecast(Random(1))  # noqa: S311  # resamples, no secret
    # From 21 September to 1 October: nothing of this month is spent yet.
    assert (found.month, found.days_left, found.spent, found.from_days) == ("2026-10", 31, 0, 10)
    assert found.expected == 31 * 75_000_000
    assert found.interval == (found.expected, found.expected)
    assert DayCost.__slots__


# Feedback.


def box(books: Books) -> FeedbackBox:
    """Feedback of some books; masking is shouting."""
    return FeedbackBox(books.opened, str.upper)


def say(books: Books, key: str, *, business: str = "biz_7", user: str | None = "u_1", **said: Any) -> Feedback:
    """Give feedback on a call."""
    return box(books).put(business, key, **{"user": user, "rating": None, "recommend": None, "comment": None} | said)


def test_feedback_is_kept_masked_and_the_last_word_counts() -> None:
    """One row for each call and user."""
    books = Books()
    key = call(books)
    kept = say(books, key, rating=2, comment="call Ama")
    assert (kept.feature, kept.rating, kept.comment, kept.at) == (
        "collection_analysis",
        2,
        "CALL AMA",
        books.clock.now(),
    )
    say(books, key, rating=5, recommend=9)
    say(books, key, user=None, recommend=0)
    rows = books.sql("SELECT user_id, rating, recommend, comment FROM ai_feedback ORDER BY user_id")
    assert [tuple(row) for row in rows] == [("", None, 0, None), ("u_1", 5, 9, None)]
    assert counts(books, "rating") == (5, 1)
    assert counts(books, "nps") == (0, 2)


@pytest.mark.parametrize("business", ["biz_7", "biz_8"])
def test_feedback_on_another_business_is_not_found(business: str) -> None:
    """Whether the call is somebody else's or nobody's cannot be told apart."""
    books = Books()
    key = call(books) if business == "biz_8" else "no-such-call"
    with pytest.raises(NotFound):
        say(books, key, business=business, rating=5)
    assert books.sql("SELECT * FROM ai_feedback") == []


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({}, "needs a rating"),
        ({"comment": "well"}, "needs a rating"),
        ({"rating": 0}, "rating is a whole number from 1 to 5"),
        ({"rating": 6}, "rating is a whole number from 1 to 5"),
        ({"rating": True}, "rating is a whole number from 1 to 5"),
        ({"rating": 4.5}, "rating is a whole number from 1 to 5"),
        ({"recommend": -1}, "recommend is a whole number from 0 to 10"),
        ({"recommend": 11}, "recommend is a whole number from 0 to 10"),
        ({"rating": 5, "comment": "x" * 2_001}, "a comment is at most 2000 characters"),
        ({"rating": 5, "user": ""}, "a user id"),
    ],
)
def test_what_is_no_feedback_is_refused(said: dict[str, Any], refusal: str) -> None:
    """Before anything is masked or kept."""
    books = Books()
    key = call(books)
    with pytest.raises(ValueError, match=refusal):
        say(books, key, **said)
    assert books.sql("SELECT * FROM ai_feedback") == []


def test_feedback_is_forgotten_with_its_user() -> None:
    """What colleagues said stays; without a user all of it goes."""
    books = Books()
    key = call(books)
    for user in ("u_1", "u_2"):
        say(books, key, user=user, rating=4)
    books.operations.erase("biz_7", user="u_1", actor="ama")
    assert books.sql("SELECT user_id FROM ai_feedback") == [("u_2",)]
    books.operations.erase("biz_7", actor="ama")
    assert books.sql("SELECT user_id FROM ai_feedback") == []


def test_a_forecast_without_books_is_nothing() -> None:
    """No call, no cost, no interval."""
    books = Books("0")
    found = MarginDesk(books.opened).forecast(Random(1))  # noqa: S311  # resamples, no secret
    assert (found.spent, found.expected, found.interval, found.from_days) == (0, 0, None, 0)
    assert date.fromisoformat(f"{found.month}-01") == date(2026, 9, 1)


def test_the_wait_for_the_books_is_part_of_a_calls_time() -> None:
    """What is kept is from the call's begin to its booking under the wallet's lock, whatever was known before."""
    books = Books("100")
    began = books.clock.monotonic()
    hold = books.hold("1")
    books.clock.advance(2.5)
    record = replace(OK, latency_ms=100, began=began)
    books.store.capture(hold, record)
    books.store.record(books.call(), record)
    late = books.hold("1")
    books.clock.advance(TTL // SECOND + 1)
    books.store.sweep()
    books.store.capture(late, record)
    assert [row.latency_ms for row in books.store.transactions("biz_7")] == [2_500, 2_500, 123_500]
