"""All businesses together: calls by time and error, earnings, payments, what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.latency import (
    BEYOND,
    EDGES,
    TARGET_MS,
    UNTIMED,
    CallCount,
    ErrorClass,
    Latency,
    errors,
    latencies,
    quantile,
)
from ai_addons.billing.limiting import Limits, Switch
from ai_addons.billing.margin import FeatureUsage, margins
from ai_addons.billing.operating import Operating, worst
from ai_addons.billing.overviews import Calls, DayEarned
from ai_addons.billing.sql import operating as sql
from ai_addons.money import Credits, MicroGhs, PicoUsd
from tests.books import DAY, FAILED, OK, SECOND, Books

if TYPE_CHECKING:
    from ai_addons.billing.sql import Tx

pytestmark = pytest.mark.usefixtures("each_database")

TODAY: Final = date(2026, 9, 21)
ONE_DAY: Final = DAY // SECOND
PERIOD: Final = 30


def operating(books: Books) -> Operating:
    """What operators ask of some books."""
    return Operating(books.opened)


def use(books: Books, amount: str = "1", *, latency: int | None = 412, **changes: Any) -> None:
    """Make a call that succeeds."""
    books.store.capture(books.hold(amount, **changes), replace(OK, latency_ms=latency))


def count(under: int = 500, calls: int = 1, **changes: Any) -> CallCount:
    """Calls of one feature that a model answered."""
    facts: dict[str, Any] = {"feature": "collection_analysis", "error": "", "cached": False}
    return CallCount(**{**facts, "under_ms": under, "calls": calls, **changes})


# Times and errors, pure.


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, (None, None, None)),
        ({UNTIMED: 5}, (None, None, None)),
        ({400: 1}, (400, 400, 400)),
        ({400: 50, 900: 45, 3_000: 4, 30_000: 1}, (400, 900, 3_000)),
        ({400: 49, 900: 46, 3_000: 4, 30_000: 1}, (900, 900, 3_000)),
        ({400: 99, BEYOND: 1}, (400, 400, 400)),
        ({400: 98, BEYOND: 2}, (400, 400, None)),
        ({400: 1, UNTIMED: 99}, (400, 400, 400)),
    ],
)
def test_a_quantile_is_the_least_edge_that_holds_so_many(
    times: dict[int, int], expected: tuple[int | None, ...]
) -> None:
    """Nearest rank; calls without a time are no calls here, and beyond the last edge nothing is known."""
    assert tuple(quantile(times, percent) for percent in (50, 95, 99)) == expected


@given(st.lists(st.integers(0, 600_000), min_size=1, max_size=50), st.integers(1, 100))
def test_a_quantile_is_never_below_the_true_one_and_less_than_an_edge_above(taken: list[int], percent: int) -> None:
    """Each time is counted under the least edge that holds it, so the quantile's own edge is found."""
    under = [next(edge for edge in EDGES if one <= edge) for one in taken]
    times = {edge: under.count(edge) for edge in under}
    rank = -(-percent * len(taken) // 100)
    exact = sorted(taken)[rank - 1]
    assert quantile(times, percent) == next(edge for edge in EDGES if exact <= edge)


def test_the_edges_rise_and_the_target_is_one_of_them() -> None:
    """The share within three seconds is exact."""
    assert sorted(set(EDGES)) == list(EDGES)
    assert TARGET_MS in EDGES
    assert 0 < EDGES[0] < EDGES[-1] < BEYOND


def test_latency_is_told_for_all_and_by_feature_with_stored_answers_apart() -> None:
    """Failed calls count; three seconds to the dot are within the target."""
    rows = [
        count(400, 2),
        count(3_000, 1),
        count(30_000, 1, error="provider_timeout"),
        count(UNTIMED, 1),
        count(10, 3, cached=True, feature="report_summary"),
    ]
    own: dict[str, Any] = {
        "cached": False,
        "calls": 5,
        "timed": 4,
        "in_target": 3,
        "p50_ms": 400,
        "p95_ms": 30_000,
        "p99_ms": 30_000,
    }
    hits: dict[str, Any] = {
        "cached": True,
        "calls": 3,
        "timed": 3,
        "in_target": 3,
        "p50_ms": 10,
        "p95_ms": 10,
        "p99_ms": 10,
    }
    assert latencies(rows) == (
        Latency(feature="", **own),
        Latency(feature="", **hits),
        Latency(feature="collection_analysis", **own),
        Latency(feature="report_summary", **hits),
    )


def test_errors_are_told_the_most_frequent_first() -> None:
    """With their features; answers are no errors; what is equally frequent goes by its code."""
    rows = [
        count(error="", calls=9),
        count(error="bad_output", calls=2),
        count(error="provider_timeout", calls=1),
        count(under=BEYOND, error="provider_timeout", calls=1, feature="report_summary"),
        count(error="content_blocked", calls=3, feature="report_summary"),
        count(error="content_blocked", calls=1),
    ]
    assert errors(rows) == (
        ErrorClass(error="content_blocked", calls=4, features=(("report_summary", 3), ("collection_analysis", 1))),
        ErrorClass(error="bad_output", calls=2, features=(("collection_analysis", 2),)),
        ErrorClass(error="provider_timeout", calls=2, features=(("collection_analysis", 1), ("report_summary", 1))),
    )


def test_only_what_lost_money_is_told_the_greatest_loss_first() -> None:
    """The payment fee counts: GHS 1 of revenue with GHS 0.99 of cost is a loss, with GHS 0.98 it is none."""

    def sums(feature: str, revenue: int, cost: int) -> FeatureUsage:
        return FeatureUsage(
            feature=feature, calls=1, credits=Credits(1), revenue=MicroGhs(revenue), cost=MicroGhs(cost)
        )

    table = margins(
        [
            sums("a", 1_000_000, 990_000),
            sums("b", 1_000_000, 980_500),
            sums("c", 0, 500_000),
            sums("d", 1_000_000, 980_501),
            sums("e", 0, 0),
        ]
    )
    assert [line.feature for line in worst(table.lines)] == ["c", "a", "d"]


# Calls of all businesses.


def counted(found: Calls) -> set[tuple[str, str, bool, int, int]]:
    """What was counted, in any order."""
    return {(one.feature, one.error, one.cached, one.under_ms, one.calls) for one in found.counts}


MONTH: Final = {
    ("collection_analysis", "", False, 500, 2),
    ("collection_analysis", "", False, 5, 1),
    ("collection_analysis", "", False, UNTIMED, 1),
    ("collection_analysis", "", False, BEYOND, 1),
    ("report_summary", "provider_timeout", False, 30_000, 1),
    ("collection_analysis", "", True, 10, 1),
    ("collection_analysis", "hold_expired", False, UNTIMED, 1),
}


def trade() -> Books:
    """Eight calls of two businesses on one day."""
    books = Books()
    books.buy("5", "order-2", business="biz_8")
    use(books)
    use(books, business="biz_8", latency=500)
    use(books, latency=5)
    use(books, latency=None)
    use(books, latency=600_001)
    books.store.void(books.hold("1", feature="report_summary"), FAILED)
    books.store.capture(books.hold("1"), replace(OK, source="cache", latency_ms=6))
    orphan = books.hold("1")
    books.clock.set(orphan.expires_at)
    books.store.sweep()
    return books


def test_calls_are_counted_by_feature_error_and_time() -> None:
    """Of all businesses together, each under the least edge that it took no longer than."""
    books = trade()
    found = operating(books).calls()
    assert counted(found) == MONTH
    assert (found.first, found.last, found.missing) == (date(2026, 8, 23), TODAY, 0)


def test_a_past_day_is_counted_once_and_says_the_same_afterwards() -> None:
    """Two days later a sweep counts it; before that its calls are missing, and the report says so."""
    books = trade()
    asked = operating(books)
    assert asked.sum_up() == 0
    books.clock.advance(ONE_DAY)
    assert (counted(asked.calls()), asked.sum_up()) == (MONTH, 0)
    books.clock.advance(ONE_DAY)
    before = asked.calls()
    assert (before.counts, before.missing) == ((), 1)
    assert (asked.sum_up(), asked.sum_up()) == (1, 0)
    after = asked.calls()
    assert (counted(after), after.missing) == (MONTH, 0)
    assert books.report().ok


def test_days_are_counted_in_turn_and_so_many_at_a_time() -> None:
    """The oldest first, days without calls too; the window leaves out what lies before it."""
    books = Books()
    asked = operating(books)
    assert asked.sum_up() == 0
    use(books)
    books.clock.advance(4 * ONE_DAY)
    use(books, feature="report_summary")
    assert asked.calls().missing == 3
    assert asked.sum_up(2) == 2
    assert (asked.calls().missing, asked.calls(4).missing, asked.calls(2).missing) == (1, 1, 0)
    assert asked.sum_up() == 1
    assert len(asked.calls(5).counts) == 2
    assert [one.feature for one in asked.calls(4).counts] == ["report_summary"]
    assert books.sql("SELECT day, calls FROM ai_call_days WHERE feature = '' ORDER BY day") == [
        ("2026-09-21", 0),
        ("2026-09-22", 0),
        ("2026-09-23", 0),
    ]


def test_two_sweepers_count_a_day_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the mark counts; the other one finds nothing to do there."""
    books = trade()
    books.clock.advance(2 * ONE_DAY)
    asked = operating(books)
    books.sql("INSERT INTO ai_call_days VALUES ('2026-09-21', '', '', 0, -1, 0)")
    assert asked.sum_up() == 0
    # A slower one, that looked before the mark stood there.
    monkeypatch.setattr(asked, "_next", lambda _tx: date(2026, 9, 21))
    assert asked.sum_up(1) == 1
    assert asked.calls(3).counts == ()


def test_days_are_those_of_the_operator() -> None:
    """In Kiritimati, fourteen hours ahead, the call of half past one belongs to the next day."""
    books = Books(operator_tz="Pacific/Kiritimati")
    use(books)
    assert operating(books).calls(1).last == date(2026, 9, 22)
    books.clock.advance(2 * ONE_DAY)
    assert operating(books).sum_up() == 1
    assert books.sql("SELECT day, feature, calls FROM ai_call_days WHERE feature <> ''") == [
        ("2026-09-22", "collection_analysis", 1)
    ]


# Earnings.


def test_earnings_are_told_by_day_for_all_businesses() -> None:
    """Two businesses at GHS 0.80 a credit; each call costs USD 0.000075, GHS 0.000873 (half to even)."""
    books = Books()
    books.buy("5", "order-2", business="biz_8")
    use(books, "5")
    books.clock.advance(ONE_DAY)
    use(books, "1")
    use(books, "2", business="biz_8")
    assert operating(books).days() == (
        DayEarned(day=TODAY, calls=1, revenue=MicroGhs(4_000_000), cost=MicroGhs(873), cost_usd=PicoUsd(75_000_000)),
        DayEarned(
            day=date(2026, 9, 22),
            calls=2,
            revenue=MicroGhs(2_400_000),
            cost=MicroGhs(1_746),
            cost_usd=PicoUsd(150_000_000),
        ),
    )
    assert [day.calls for day in operating(books).days(1)] == [2]


def test_the_businesses_that_brought_least_are_named_and_users_counted() -> None:
    """Only who got an answer is a user; at most so many are named, the least first."""
    books = Books()
    for name in ("biz_8", "biz_9"):
        books.buy("5", f"order-{name}", business=name)
    use(books, "5")
    use(books, "1", business="biz_8")
    books.store.void(books.hold("1", business="biz_9"), FAILED)
    found = operating(books).earners()
    assert found.users == 2
    assert [(line.feature, line.revenue, line.cost) for line in found.least] == [
        ("biz_9", 0, 349),
        ("biz_8", 800_000, 873),
        ("biz_7", 4_000_000, 873),
    ]
    assert (found.least[1].fee, operating(books).earners(most=1).users) == (15_600, 2)
    assert [line.feature for line in operating(books).earners(most=1).least] == ["biz_9"]


def test_nobody_is_a_user_before_the_first_call() -> None:
    """Zeros, not an error."""
    asked = operating(Books())
    assert (asked.earners().users, asked.earners().least, asked.days(), asked.calls().counts) == (0, (), (), ())


@pytest.mark.parametrize("days", [0, 367, "30", True])
@pytest.mark.parametrize("name", ["calls", "days", "earners", "funnel"])
def test_a_report_covers_a_day_to_a_year(name: str, days: Any) -> None:
    """As every other report does."""
    with pytest.raises(ValueError, match="1 to 366 days"):
        getattr(operating(Books()), name)(days)


# What waits and what is stopped.


def test_holds_past_their_time_wait_for_a_sweep() -> None:
    """From the moment they expire until somebody sweeps."""
    books = Books()
    hold = books.hold("1")
    asked = operating(books)
    assert [one.what for one in asked.backlog()] == ["payments", "inbox", "quarantine", "outbox", "holds"]
    assert (asked.backlog()[-1].several, asked.backlog()[-1].oldest) == (0, None)
    books.clock.set(hold.expires_at)
    assert (asked.backlog()[-1].several, asked.backlog()[-1].oldest) == (1, hold.expires_at)
    books.store.sweep()
    assert asked.backlog()[-1].several == 0


def test_every_switch_is_told_whosever_it_is() -> None:
    """Those of single businesses too, which `Limits.paused` tells for one of them only."""
    books = Books()
    limits, now = Limits(books.opened), books.clock.now()
    limits.pause(feature="report_summary", actor="esi", reason="wrong totals")
    limits.pause(business="biz_7", actor="kofi")
    limits.set("business", "day", "5", actor="kofi")
    assert operating(books).switches() == (
        Switch(business=None, feature="report_summary", actor="esi", at=now),
        Switch(business="biz_7", feature=None, actor="kofi", at=now),
    )


def test_the_reason_of_a_switch_is_kept_where_one_is_given() -> None:
    """In the audit log, for pulling and for releasing."""
    books = Books()
    limits = Limits(books.opened)
    limits.pause(business="biz_7", actor="esi", reason="wrong totals")
    books.clock.advance(1)
    limits.resume(business="biz_7", actor="esi", reason="mended")
    books.clock.advance(1)
    limits.pause(business="biz_7", actor="esi")
    assert [one.detail.get("reason") for one in books.operations.audit("biz_7")] == ["wrong totals", "mended", None]


# Query plans.

FILLING: Final = (
    """INSERT INTO business_ai_credits (business_id, chain_head, status)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 399)
    SELECT 'b' || i, '', 'active' FROM n""",
    """INSERT INTO ai_usage_daily (business_id, day, feature)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999)
    SELECT 'b' || (i / 400), CAST(10000 + i - 400 * (i / 400) AS TEXT), 'f' FROM n""",
    """INSERT INTO ai_transactions
    (business_id, id, attempt, at, feature, request_hash, outcome, charged, source, fx_rate, fx_date, fx_source,
    request_meta, response_meta)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999)
    SELECT 'b' || (i / 400), CAST(i AS TEXT), 1, i - 400 * (i / 400), 'f', '', 'ok', 0, 'ai', 1, '', '', '', ''
    FROM n""",
    """INSERT INTO ai_credit_purchases
    (business_id, id, kind, price_minor, currency, credits, state, request_hash, email, created_at)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    SELECT 'b' || (i / 200), CAST(i AS TEXT), 'pack', 1, 'GHS', 2, 'failed', '', '', i FROM n""",
    """INSERT INTO ai_payment_attempts
    (reference, business_id, order_id, gateway, state, amount_minor, currency, live, created_at)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    SELECT CAST(i AS TEXT), 'b', 'o', 'fake', 'failed', 1, 'GHS', 0, i FROM n""",
    """INSERT INTO ai_call_days (day, feature, error, cached, under_ms, calls)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    SELECT CAST(10000 + i / 50 AS TEXT), 'f' || (i - 50 * (i / 50)), '', 0, 5, 1 FROM n""",
    "ANALYZE",
)


def plan(books: Books, statement: Any, values: dict[str, object]) -> str:
    """How the database would answer."""

    def ask(tx: Tx) -> str:
        prepared = tx._prepare(statement, values)
        verb = "EXPLAIN" if books.database.postgres else "EXPLAIN QUERY PLAN"
        rows = tx.connection.execute(f"{verb} {prepared.text}", prepared.arguments(values)).fetchall()
        return " / ".join(str(row[-1]) for row in rows)

    return books.database.write(ask)


@pytest.fixture(scope="module")
def year(each_database: None) -> Any:
    """Four hundred days of a hundred businesses out of four hundred; to be looked at only."""
    books = Books("0")
    for statement in FILLING:
        books.sql(statement)
    yield books
    books.close()


ASKED: Final[dict[str, tuple[Any, dict[str, object], str]]] = {
    "orders": (sql.ORDERS_BY_STATE, {"since": 19_900}, "ix_purchase_created"),
    "attempts": (sql.TRIES, {"since": 19_900}, "ix_attempt_created"),
    "unanswered": (sql.UNANSWERED, {"before": 19_900}, "ix_purchase_pending"),
    "inbox": (sql.INBOX, {}, "ix_gateway_event_due"),
    "outbox": (sql.OUTBOX, {}, "ix_outbox_unsent"),
    "quarantine": (sql.QUARANTINE, {}, "ix_quarantine_open"),
    "orphans": (sql.ORPHANS, {"now": 5}, "ix_hold_open"),
    "kept days": (sql.CALLS_KEPT, {"first": "10390"}, "ai_call_days"),
    "last kept": (sql.LAST_KEPT, {}, "ai_call_days"),
    "days": (sql.BY_DAY, {"first": "10390"}, "ai_usage_daily"),
    "businesses": (sql.BY_BUSINESS, {"first": "10390", "most": 20}, "ai_usage_daily"),
    "live calls": (sql.CALLS_BETWEEN, {"since": 398, "until": 400}, "ix_transaction_time"),
    "first call": (sql.FIRST_CALL, {}, "ix_transaction_time"),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_sqlite_reads_ranges_of_indexes(year: Books, name: str) -> None:
    """No table but that of the wallets is read whole, however long the log is."""
    statement, values, index = ASKED[name]
    table = {
        "outbox": "ai_outbox",
        "inbox": "ai_gateway_events",
        "quarantine": "ai_payment_quarantine",
    }.get(name, "-")
    found = plan(year, statement, values)
    assert index in found
    whole = [step for step in found.split(" / ") if step.startswith("SCAN")]
    # The first two hold few rows; a scan of a partial index reads what waits and nothing else.
    allowed = ("SCAN business_ai_credits", "SCAN used", "SCAN users", f"SCAN {table} USING")
    assert [step for step in whole if not step.startswith(allowed)] == []


@pytest.mark.parametrize("name", [name for name in ASKED if name not in {"days", "businesses", "live calls"}])
@pytest.mark.parametrize("each_database", ["postgresql"], indirect=True)
def test_postgresql_reads_ranges_of_indexes(year: Books, name: str) -> None:
    """The log is never read whole; sums over all businesses may read the sums per day as it likes best."""
    statement, values, _ = ASKED[name]
    found = plan(year, statement, values)
    for table in ("ai_transactions", "ai_credit_purchases", "ai_payment_attempts", "ai_call_days"):
        assert f"Seq Scan on {table}" not in found
