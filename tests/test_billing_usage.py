"""What a business used, what that earned, and its statement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing import statements
from ai_addons.billing.ledger import LedgerEntry
from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.sql import reports as sql
from ai_addons.billing.statements import KindTotal, Statement, begin_and_end, check_days, make_statement, signed
from ai_addons.billing.usage import DayUsage, FeatureUse, Reports, Usage, check_period, summarize
from ai_addons.clock import SystemClock
from ai_addons.errors import BillingError
from ai_addons.money import Credits, MicroGhs
from ai_addons.testing.fakes import ManualClock
from tests.books import FAILED, OK, Books, drop_guards

if TYPE_CHECKING:
    from ai_addons.billing.sql import Tx

pytestmark = pytest.mark.usefixtures("each_database")

# 21 September 2026, half past one in the afternoon in Accra.
TODAY = date(2026, 9, 21)
NAMES = {"collection_analysis": "Collection Priority Analysis", "report_summary": "AI Report Summary"}
NO_ROW = dict.fromkeys(
    ("calls", "ok", "charged", "latency_ms", "timed", "cost_micro_ghs", "cost_pico_usd", "unpriced"), 0
)


def called(key: str) -> str:
    """What a feature is called; one that is not on sale keeps its key."""
    return NAMES.get(key, key)


def reports(books: Books) -> Reports:
    """Reports of some books."""
    return Reports(books.opened, called)


def use(books: Books, amount: str = "5", **changes: Any) -> None:
    """Make a call that succeeds."""
    books.store.capture(books.hold(amount, **changes), OK)


def summary(*rows: dict[str, Any]) -> Usage:
    """The usage of some rows of `ai_usage_daily`."""
    made: list[Any] = [SimpleNamespace(**{"feature": "f", **NO_ROW, **row}) for row in rows]
    return summarize(made, days=30, balance=Credits(7), names=called)


# Usage.


def test_usage_tells_what_was_called_charged_and_how_fast() -> None:
    """Ten figures and one line per feature, the most used first; failed and free calls count as requests."""
    books = Books()
    use(books, "5")
    use(books, "0.2", feature="report_summary")
    use(books, "0.2", feature="report_summary")
    books.store.void(books.hold("0.2", feature="report_summary"), FAILED)
    assert reports(books).usage("biz_7") == Usage(
        period_days=30,
        current_balance=Credits("6.6"),
        total_credits_used=Credits("5.4"),
        total_requests=4,
        successful_requests=3,
        success_rate=Decimal("0.750"),
        avg_response_time_ms=Decimal("7809.000"),
        feature_breakdown=(
            FeatureUse(
                feature="report_summary", feature_display_name="AI Report Summary", count=3, credits=Credits("0.4")
            ),
            FeatureUse(
                feature="collection_analysis",
                feature_display_name="Collection Priority Analysis",
                count=1,
                credits=Credits(5),
            ),
        ),
        most_used_feature="report_summary",
        total_cost_ghs=Decimal("0.002968"),
        total_cost_usd=Decimal("0.000255"),
        unpriced=0,
    )
    assert books.report().ok


def test_a_shop_sees_its_usage_without_the_operators_cost() -> None:
    """The keys of the usage page, and none that tells what the model cost."""
    books = Books()
    use(books)
    shown = reports(books).usage("biz_7").for_shop()
    assert list(shown) == [
        "period_days",
        "current_balance",
        "total_credits_used",
        "total_requests",
        "successful_requests",
        "success_rate",
        "avg_response_time_ms",
        "feature_breakdown",
        "most_used_feature",
    ]
    assert (shown["current_balance"], shown["most_used_feature"]) == (Credits(7), "collection_analysis")


def test_a_business_never_seen_used_nothing() -> None:
    """Zeros rather than an error, and no wallet is made by looking."""
    books = Books("0")
    usage = reports(books).usage("biz_9", 7)
    assert (usage.period_days, usage.current_balance, usage.total_credits_used) == (7, Credits(0), Credits(0))
    assert (usage.total_requests, usage.successful_requests, str(usage.success_rate)) == (0, 0, "0.000")
    assert (usage.avg_response_time_ms, usage.feature_breakdown, usage.most_used_feature) == (None, (), None)
    assert books.sql("SELECT * FROM business_ai_credits") == []


def test_the_balance_is_what_the_next_call_can_spend() -> None:
    """Held credits are not in it; what is due is done first, so an orphan's credits are back."""
    books = Books()
    hold = books.hold("5")
    assert reports(books).usage("biz_7").current_balance == Credits(7)
    books.clock.set(hold.expires_at)
    usage = reports(books).usage("biz_7")
    assert (usage.current_balance, usage.total_requests, usage.unpriced) == (Credits(12), 1, 1)
    assert books.report().ok


@pytest.mark.parametrize(("days", "calls"), [(1, 1), (2, 2), (3, 2), (4, 3), (366, 3)])
def test_the_days_end_with_today(days: int, calls: int) -> None:
    """One day is today alone; calls of the first day count, those of the day before do not."""
    books = Books()
    for pause in (2, 1, 0):
        use(books, "1")
        books.clock.advance(pause * 86_400)
    assert reports(books).usage("biz_7", days).total_requests == calls
    assert reports(books).margins("biz_7", days).total.calls == calls


def test_days_are_those_of_the_business() -> None:
    """In Tokyo the call of 22:33 belongs to the day that has just ended there."""
    books = Books("0", profile=lambda _: BusinessProfile(tz="Asia/Tokyo"))
    books.buy("12", "order-1")
    use(books)
    books.clock.advance(2 * 3_600)
    assert reports(books).usage("biz_7", 1).total_requests == 0
    assert reports(books).usage("biz_7", 2).total_requests == 1
    assert [row.day for row in reports(books).by_day("biz_7", TODAY, TODAY)] == [TODAY]


@pytest.mark.parametrize(("back", "calls"), [(29, 1), (30, 0)])
def test_a_report_covers_thirty_days_unless_told_otherwise(back: int, calls: int) -> None:
    """Today and 29 days before."""
    books = Books()
    use(books, "1")
    books.clock.advance(back * 86_400)
    assert reports(books).usage("biz_7").total_requests == calls
    assert reports(books).margins("biz_7").total.calls == calls
    assert reports(books).margins().total.calls == calls


def test_reports_go_by_the_clock_that_dates_the_calls() -> None:
    """Where the machine's own clock is in use, a server's takes its place; today's call counts today."""
    clock: Any = SystemClock()
    books = Books(clock=clock)
    use(books, "1")
    assert reports(books).usage("biz_7", 2).total_requests == 1
    assert reports(books).margins(days=2).total.calls == 1


@pytest.mark.parametrize("days", [0, -1, 367, True, 30.0, "30", None])
def test_a_report_covers_one_to_366_days(days: Any) -> None:
    """Anything else is refused in plain words, by each report that is asked for days."""
    with pytest.raises(ValueError, match="1 to 366 days"):
        check_period(days)
    books = Books()
    for report in (reports(books).usage, reports(books).margins):
        with pytest.raises(ValueError, match="1 to 366 days"):
            report("biz_7", days)


@pytest.mark.parametrize("days", [1, 366])
def test_a_day_and_a_leap_year_are_allowed(days: int) -> None:
    """Both ends of the range."""
    check_period(days)


def test_usage_adds_up_rows() -> None:
    """Sums over days; means over the calls they are of, rounded half up to a thousandth."""
    with localcontext(prec=1):
        usage = summary(
            {"calls": 4, "ok": 2, "charged": 1_500_000, "latency_ms": 1_000, "timed": 3, "cost_pico_usd": 2**62},
            {"calls": 2, "ok": 2, "charged": 250_000, "cost_pico_usd": 2**62, "cost_micro_ghs": 7, "unpriced": 2},
        )
    assert (usage.total_requests, usage.successful_requests, usage.success_rate) == (6, 4, Decimal("0.667"))
    assert usage.avg_response_time_ms == Decimal("333.333")
    assert (usage.total_credits_used, usage.current_balance) == (Credits("1.75"), Credits(7))
    assert usage.total_cost_usd == Decimal("9223372.036854775808")
    assert (usage.total_cost_ghs, usage.unpriced) == (Decimal("0.000007"), 2)


def test_no_time_is_made_up() -> None:
    """Calls whose time nobody took have no mean; one that took no time has."""
    assert summary({"calls": 1, "timed": 0}).avg_response_time_ms is None
    assert summary({"calls": 1, "timed": 1}).avg_response_time_ms == Decimal(0)


def test_features_are_ordered_by_calls_then_by_key() -> None:
    """The breakdown is the same however the rows come, and its first line is the most used."""
    usage = summary(
        {"feature": "b", "calls": 2},
        {"feature": "c", "calls": 1, "charged": 9},
        {"feature": "a", "calls": 2},
        {"feature": "c", "calls": 2, "charged": 1},
    )
    assert [(one.feature, one.count, one.credits.micro) for one in usage.feature_breakdown] == [
        ("c", 3, 10),
        ("a", 2, 0),
        ("b", 2, 0),
    ]
    assert usage.most_used_feature == "c"


# By day.


def test_a_chart_gets_a_row_per_day_and_feature() -> None:
    """Days without calls are left out; operators see cost and revenue beside."""
    books = Books()
    use(books, "5")
    books.clock.advance(2 * 86_400)
    use(books, "0.5", feature="report_summary")
    books.store.record(books.call(feature="own"), replace(FAILED, cost=None))
    first, *later = reports(books).by_day("biz_7", TODAY, date(2026, 9, 23))
    assert first == DayUsage(
        day=TODAY,
        feature="collection_analysis",
        feature_display_name="Collection Priority Analysis",
        count=1,
        successful=1,
        credits=Credits(5),
        cost_ghs=Decimal("0.000873"),
        revenue_ghs=Decimal(4),
        unpriced=0,
    )
    assert [(row.day.day, row.feature, row.count, row.successful, row.unpriced) for row in later] == [
        (23, "own", 1, 0, 1),
        (23, "report_summary", 1, 1, 0),
    ]
    assert list(first.for_shop()) == ["day", "feature", "feature_display_name", "count", "successful", "credits"]
    assert reports(books).by_day("biz_7", date(2026, 9, 22), date(2026, 9, 22)) == ()


def test_a_chart_covers_a_year_at_most() -> None:
    """366 days are drawn, 367 are refused; so is a business id that is none."""
    books = Books()
    assert reports(books).by_day("biz_7", date(2028, 1, 1), date(2028, 12, 31)) == ()
    with pytest.raises(ValueError, match="1 to 366 days"):
        reports(books).by_day("biz_7", date(2028, 1, 1), date(2029, 1, 1))
    with pytest.raises(ValueError, match=r"^a business id"):
        reports(books).by_day("", TODAY, TODAY)


# Margins.


def test_margins_are_of_one_business_or_of_all() -> None:
    """Revenue is what was paid for the credits that were used: 0.80 cedis each, and nothing for free ones."""
    books = Books()
    use(books, "5")
    books.funding.grant("biz_8", Credits(5), source="trial", ref="trial")
    use(books, "2", business="biz_8")
    own, everyone = reports(books).margins("biz_7"), reports(books).margins()
    assert (own.total.calls, own.total.credits, own.total.revenue, own.total.cost) == (1, Credits(5), 4_000_000, 873)
    assert own.total.margin == Decimal("0.980")
    (line,) = everyone.lines
    assert (line.feature, line.calls, line.credits) == ("collection_analysis", 2, Credits(7))
    assert (line.revenue, line.cost, line.unpriced, line.fee) == (MicroGhs(4_000_000), MicroGhs(1_746), 0, 78_000)
    assert books.report().ok


def test_margins_of_all_begin_with_the_operators_day() -> None:
    """The first day counts whole, the one before not at all."""
    books = Books()
    use(books, "1")
    books.clock.advance(86_400)
    use(books, "2", feature="report_summary")
    assert [line.feature for line in reports(books).margins(days=1).lines] == ["report_summary"]
    assert [line.feature for line in reports(books).margins(days=2).lines] == ["collection_analysis", "report_summary"]


def test_margins_of_all_count_where_it_is_tomorrow_already() -> None:
    """A call of this minute counts, whatever day its business writes."""
    clock = ManualClock(1_790_000_000_000_000 + 9 * 3_600_000_000)
    books = Books("0", clock=clock, profile=lambda _: BusinessProfile(tz="Pacific/Auckland"))
    books.buy("12", "order-1")
    use(books)
    assert reports(books).by_day("biz_7", TODAY, date(2026, 9, 22))[0].day == date(2026, 9, 22)
    assert reports(books).margins(days=1).total.calls == 1


def test_fee_and_tax_are_the_operators_to_say() -> None:
    """The margin table takes them as they are given."""
    books = Books()
    use(books, "5")
    total = reports(books).margins(fee=Decimal("0.05"), tax=Decimal("0.20")).total
    assert (total.fee, total.tax) == (200_000, 666_667)


def test_a_call_of_unknown_cost_leaves_the_margin_open() -> None:
    """For the business and for all of them; how many there are is told."""
    books = Books()
    books.store.capture(books.hold("5"), replace(OK, cost=None))
    for table in (reports(books).margins("biz_7"), reports(books).margins()):
        assert (table.total.unpriced, table.total.margin, table.total.revenue) == (1, None, 4_000_000)


def test_margins_want_a_business_id_or_none() -> None:
    """An empty id is no business, and not all of them either."""
    with pytest.raises(ValueError, match=r"^a business id"):
        reports(Books()).margins("")


# Statements.


def test_a_statement_leads_from_one_balance_to_the_other() -> None:
    """Opening, what came and went by kind, every booking, closing; days are the business's own."""
    books = Books()
    books.clock.advance(86_400)
    use(books, "5")
    use(books, "0.5", feature="report_summary")
    books.buy("30", "order-2")
    books.clock.advance(86_400)
    use(books, "1")
    statement = reports(books).statement("biz_7", date(2026, 9, 22), date(2026, 9, 22))
    assert (statement.opening, statement.closing, statement.tz) == (Credits(12), Credits("36.5"), "Africa/Accra")
    assert statement.totals == (
        KindTotal(kind="usage", count=2, change=Credits("-5.5")),
        KindTotal(kind="grant", count=1, change=Credits(30)),
    )
    assert [entry.seq for entry in statement.entries] == [2, 3, 4]
    assert (statement.business, statement.first, statement.last) == ("biz_7", date(2026, 9, 22), date(2026, 9, 22))
    assert books.report().ok


@pytest.mark.parametrize(
    ("first", "last", "opening", "closing", "rows"),
    [
        (19, 20, 0, 0, []),
        (21, 21, 0, 12, [1]),
        (22, 22, 12, 12, []),
        (21, 23, 0, 11, [1, 2]),
        (23, 23, 12, 11, [2]),
        (24, 30, 11, 11, []),
    ],
)
def test_a_statement_of_any_days_fits_its_neighbours(
    first: int, last: int, opening: int, closing: int, rows: list[int]
) -> None:
    """One ends with the balance that the next begins with, also before the first booking and in days to come."""
    books = Books()
    books.clock.advance(2 * 86_400)
    use(books, "1")
    statement = reports(books).statement("biz_7", date(2026, 9, first), date(2026, 9, last))
    assert (statement.opening, statement.closing) == (Credits(opening), Credits(closing))
    assert [entry.seq for entry in statement.entries] == rows
    assert (statement.first.day, statement.last.day) == (first, last)


def test_a_statement_is_made_after_what_is_due() -> None:
    """Credits that expired yesterday are not in today's balance."""
    books = Books("0")
    books.funding.grant("biz_7", Credits(5), source="promo", ref="p", expires_at=books.clock.now() + 1_000_000)
    books.clock.advance(5)
    statement = reports(books).statement("biz_7", TODAY, TODAY)
    assert statement.closing == Credits(0)
    assert [(one.kind, one.change) for one in statement.totals] == [("grant", Credits(5)), ("expire", Credits(-5))]


def test_a_business_never_seen_has_an_empty_statement() -> None:
    """Nothing came, nothing went; its zone is the one the host knows."""
    books = Books("0", profile=lambda business: {"biz_9": BusinessProfile(tz="Europe/London")}[business])
    statement = reports(books).statement("biz_9", TODAY, TODAY)
    assert (statement.opening, statement.closing, statement.entries, statement.tz) == (
        Credits(0),
        Credits(0),
        (),
        "Europe/London",
    )


def test_a_long_ledger_is_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is lost or told twice where one page ends and the next begins."""
    monkeypatch.setattr(statements, "_PAGE", 2)
    books = Books()
    for _ in range(4):
        use(books, "1")
    assert [entry.seq for entry in reports(books).statement("biz_7", TODAY, TODAY).entries] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("row", [2, 3])
def test_a_ledger_with_a_hole_gives_no_statement(row: int) -> None:
    """A row that is missing, in the middle or at the end, is told and not passed over."""
    books = Books()
    for _ in range(2):
        use(books, "1")
    drop_guards(books.database)
    books.sql("DELETE FROM ai_ledger WHERE seq = ?", (row,))
    with pytest.raises(
        BillingError, match=r"^The ledger does not add up.*Nothing was booked\. Run `ai-addons doctor`\.$"
    ):
        reports(books).statement("biz_7", TODAY, TODAY)


def entry(seq: int, kind: Any, amount: Credits, **changes: Any) -> LedgerEntry:
    """A ledger row into the wallet, unless its accounts are given."""
    made = LedgerEntry(
        business="biz_7",
        seq=seq,
        kind=kind,
        debit="issuance:purchase",
        credit="wallet",
        amount=amount,
        ref=f"ref-{seq}",
        balance_after=Credits(0),
        effective_at=0,
        booked_at=1_790_000_000_000_000,
    )
    return replace(made, **changes)


def statement_of(*entries: LedgerEntry, opening: str = "0", closing: str) -> Statement:
    """A statement of one day in Lagos, an hour ahead of Accra."""
    return make_statement(
        business="biz_7",
        days=(TODAY, TODAY),
        tz="Africa/Lagos",
        opening=Credits(opening),
        closing=Credits(closing),
        entries=entries,
        names=called,
    )


def test_a_statement_reads_as_plain_text() -> None:
    """Columns under each other, times in the business's zone, calls by the name of their feature."""
    out = {"debit": "wallet", "balance_after": Credits("11.9")}
    text = statement_of(
        entry(1, "grant", Credits(12), ref="purchase:order-1", balance_after=Credits(12)),
        entry(2, "usage", Credits("0.1"), credit="revenue:report_summary", **out),
        entry(3, "bad_debt", Credits(5), **(out | {"debit": "bad_debt", "credit": "revenue:own"})),
        entry(4, "clawback", Credits(2), credit="refunded:o", ref="o:1", debit="wallet", balance_after=Credits("9.9")),
        closing="9.9",
    ).text()
    assert text == (
        "Statement of biz_7\n"
        "2026-09-21 to 2026-09-21, times in Africa/Lagos\n"
        "\n"
        "Opening balance       0.00\n"
        "  received       1  +12.00\n"
        "  used           1   -0.10\n"
        "  not paid       1    0.00\n"
        "  taken back     1   -2.00\n"
        "Closing balance       9.90\n"
        "\n"
        "2026-09-21 15:13  received    purchase:order-1   +12.00  12.00\n"
        "2026-09-21 15:13  used        AI Report Summary   -0.10  11.90\n"
        "2026-09-21 15:13  not paid    own                  0.00  11.90\n"
        "2026-09-21 15:13  taken back  o:1                 -2.00   9.90\n"
    )


def test_counts_stand_under_each_other() -> None:
    """Ones below ones, tens below tens."""
    calls = [entry(n, "usage", Credits(1), debit="wallet", credit="revenue:own") for n in range(10)]
    lines = statement_of(*calls, entry(10, "grant", Credits(1)), opening="9", closing="0").text().split("\n")
    assert lines[4:6] == ["  used           10  -10.00", "  received        1   +1.00"]


def test_an_empty_statement_is_two_balances() -> None:
    """Without bookings there is no list."""
    assert statement_of(opening="3", closing="3").text() == (
        "Statement of biz_7\n2026-09-21 to 2026-09-21, times in Africa/Lagos\n\n"
        "Opening balance    3.00\nClosing balance    3.00\n"
    )


def test_every_kind_of_booking_has_its_word() -> None:
    """What people read is not what the books call it."""
    kinds = ("grant", "usage", "expire", "void", "adjust", "reverse", "bad_debt")
    lines = statement_of(*(entry(n, kind, Credits(1)) for n, kind in enumerate(kinds)), closing="7").text().split("\n")
    assert [line[2:23].strip() for line in lines[4:11]] == [
        "received",
        "used",
        "expired",
        "carried over",
        "taken by the operator",
        "undone",
        "not paid",
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["grant", "usage", "bad_debt"]), st.integers(1, 10**9)), max_size=8),
    st.integers(0, 10**9),
    st.integers(-1, 1),
)
def test_no_statement_hides_a_micro_credit(rows: list[tuple[str, int]], opening: int, off: int) -> None:
    """Opening plus all changes is closing, or there is no statement."""
    accounts = {
        "grant": {"debit": "issuance:purchase", "credit": "wallet"},
        "usage": {"debit": "wallet", "credit": "revenue:f"},
        "bad_debt": {"debit": "bad_debt", "credit": "revenue:f"},
    }
    sign = {"grant": 1, "usage": -1, "bad_debt": 0}
    closing = opening + sum(sign[kind] * amount for kind, amount in rows) + off
    whole: dict[str, Any] = {
        "business": "b",
        "days": (TODAY, TODAY),
        "tz": "UTC",
        "opening": Credits.from_micro(opening),
        "closing": Credits.from_micro(closing),
        "entries": [
            entry(n, kind, Credits.from_micro(amount), **accounts[kind]) for n, (kind, amount) in enumerate(rows)
        ],
        "names": called,
    }
    if off:
        with pytest.raises(BillingError):
            make_statement(**whole)
    else:
        made = make_statement(**whole)
        assert sum(one.count for one in made.totals) == len(rows)
        assert made.opening.micro + sum(one.change.micro for one in made.totals) == made.closing.micro


@pytest.mark.parametrize(
    ("first", "last", "tz", "begin", "end"),
    [
        (date(2026, 9, 21), date(2026, 9, 21), "Africa/Accra", (9, 21, 0), (9, 22, 0)),
        (date(2026, 9, 21), date(2026, 9, 22), "Asia/Tokyo", (9, 20, 15), (9, 22, 15)),
        (date(2026, 3, 29), date(2026, 3, 29), "Europe/London", (3, 29, 0), (3, 29, 23)),
        (date(2026, 10, 25), date(2026, 10, 25), "Europe/London", (10, 24, 23), (10, 26, 0)),
    ],
)
def test_days_begin_at_midnight_in_their_zone(
    first: date, last: date, tz: str, begin: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    """A day on which clocks change has 23 or 25 hours; times are whole microseconds."""
    assert [type(instant) for instant in begin_and_end(first, last, tz)] == [int, int]
    month, day, hour = begin
    assert begin_and_end(first, last, tz)[0] == datetime(2026, month, day, hour, tzinfo=UTC).timestamp() * 1_000_000
    month, day, hour = end
    assert begin_and_end(first, last, tz)[1] == datetime(2026, month, day, hour, tzinfo=UTC).timestamp() * 1_000_000


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 9, 22), TODAY),
        (date(1999, 12, 31), TODAY),
        (TODAY, date(3000, 1, 1)),
    ],
)
def test_days_the_wrong_way_round_or_out_of_the_calendar_are_refused(first: date, last: date) -> None:
    """The message names the range that works."""
    with pytest.raises(ValueError, match="2000-01-01 to 2999-12-31"):
        check_days(first, last)
    with pytest.raises(ValueError, match="the first not after the last; nothing was booked"):
        reports(Books()).statement("biz_7", first, last)
    with pytest.raises(ValueError, match="the first not after the last"):
        reports(Books()).by_day("biz_7", first, last)


def test_the_whole_calendar_is_allowed() -> None:
    """From the first day of 2000 to the last of 2999, and a single day."""
    check_days(date(2000, 1, 1), date(2999, 12, 31))
    check_days(TODAY, TODAY)


@pytest.mark.parametrize("days", [(datetime(2026, 9, 21, tzinfo=UTC), TODAY), (TODAY, "2026-09-21")])
def test_a_day_has_no_time(days: Any) -> None:
    """A moment may lie on another day in another zone, so it is refused."""
    with pytest.raises(TypeError, match=r"^a day is a datetime\.date, without a time; nothing was booked$"):
        check_days(*days)


def test_a_statement_names_the_features_in_it() -> None:
    """Each that was called, once; a feature that is no longer on sale keeps its key."""
    calls = [
        entry(n, "usage", Credits(1), debit="wallet", credit=f"revenue:{feature}")
        for n, feature in enumerate(["report_summary", "own:2", "report_summary"])
    ]
    made = statement_of(
        *calls, entry(4, "expire", Credits(1), debit="wallet", credit="breakage"), opening="4", closing="0"
    )
    assert made.names == {"report_summary": "AI Report Summary", "own:2": "own:2"}


def test_a_change_is_told_with_its_sign() -> None:
    """Plus for what came, minus for what went, neither for nothing."""
    assert [signed(Credits(amount)) for amount in ("0.000001", "0", "-5")] == ["+0.000001", "0.00", "-5.00"]


# Query plans.


def plan(books: Books, statement: Any, values: dict[str, object]) -> str:
    """How the database would answer."""

    def ask(tx: Tx) -> str:
        prepared = tx._prepare(statement, values)
        verb = "EXPLAIN" if books.database.postgres else "EXPLAIN QUERY PLAN"
        rows = tx.connection.execute(f"{verb} {prepared.text}", prepared.arguments(values)).fetchall()
        return " / ".join(str(row[-1]) for row in rows)

    return books.database.write(ask)


FILLING = (
    """INSERT INTO business_ai_credits (business_id, chain_head, status)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3999)
    SELECT 'b' || i, '', 'active' FROM n""",
    """INSERT INTO ai_usage_daily (business_id, day, feature)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999)
    SELECT 'b' || (i / 400), CAST(10000 + i - 400 * (i / 400) AS TEXT), 'f' FROM n""",
    """INSERT INTO ai_ledger
    (business_id, seq, kind, debit, credit, amount, ref, balance_after, effective_at, booked_at, hash)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
    SELECT 'b1', i + 1, 'grant', 'a', 'wallet', 1, CAST(i AS TEXT), i + 1, i, i, '' FROM n""",
)


def fill(books: Books, *, analyze: bool = True) -> None:
    """Four hundred days of a hundred businesses out of many, and the ledger of one."""
    for statement in (*FILLING, "ANALYZE")[: 4 if analyze else 3]:
        books.sql(statement)


def test_reports_read_ranges_of_keys_and_no_log() -> None:
    """However many calls and businesses there are, usage is a range of one key and the balance one row."""
    books = Books("0")
    fill(books)
    own = {"business": "b1"}
    asked: dict[str, tuple[Any, dict[str, object], str]] = {
        "usage": (sql.USAGE, {**own, "first": "10300", "last": "10329"}, "ai_usage_daily"),
        "balance": (sql.LOOK, {**own}, "business_ai_credits"),
        "statement": (sql.LEDGER_PART, {**own, "after": 4_000, "last": 4_020}, "ai_ledger"),
        "position": (sql.POINT, {**own, "seq": 4_000}, "ai_ledger"),
    }
    for statement, values, table in asked.values():
        found = plan(books, statement, values)
        assert table in found
        assert "ai_transactions" not in found
        if books.database.postgres:
            assert f"{table}_pkey" in found
            assert "Seq Scan" not in found
        else:
            assert f"SEARCH {table} USING INDEX sqlite_autoindex_{table}_1 (business_id=?" in found
            assert "SCAN" not in found


def test_usage_asks_for_its_days_and_no_others() -> None:
    """Both ends of the range stand in the key's condition."""
    books = Books("0")
    fill(books)
    found = plan(books, sql.USAGE, {"business": "b1", "first": "10300", "last": "10329"})
    if books.database.postgres:
        assert "Index Cond" in found
        assert "Filter" not in found
    else:
        assert "(business_id=? AND day>? AND day<?)" in found


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("analyze", [False, True])
def test_margins_of_all_skip_the_days_before(analyze: bool) -> None:
    """The years behind cost nothing: the key's condition holds the first day. PostgreSQL decides by its numbers."""
    books = Books("0")
    fill(books, analyze=analyze)
    found = plan(books, sql.ALL_USAGE, {"first": "10370"})
    assert "SEARCH ai_usage_daily USING INDEX sqlite_autoindex_ai_usage_daily_1 (business_id=? AND day>?)" in found
