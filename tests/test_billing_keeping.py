"""What is kept and handed out: exports, retention, the audit log."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import WorkProgress
from ai_addons.billing.exported import COLUMNS
from ai_addons.billing.exporting import TABLES, Window, guarded, write_table
from ai_addons.billing.feedback import FeedbackBox
from ai_addons.billing.limiting import Limits
from ai_addons.billing.limits import Limit
from ai_addons.billing.retention import apply_retention
from ai_addons.billing.sql import exports
from ai_addons.billing.sql.statements import ERASE
from ai_addons.money import Credits
from tests.books import DAY, FAILED, OK, Books
from tests.scripted_gateway import EMAIL, Till

if TYPE_CHECKING:
    from ai_addons.billing.limits import Scope

pytestmark = pytest.mark.usefixtures("each_database")

DAY_SECONDS: Final = DAY // 1_000_000
MONTH: Final = 31 * DAY_SECONDS


def written(books: Books, table: Any, form: Any = "csv", **window: Any) -> tuple[int, str]:
    """How many rows an export has, and its text."""
    file = io.StringIO(newline="")
    count = write_table(books.database, table, file, form, Window(**window))
    return count, file.getvalue()


def lines(books: Books, table: str, **window: Any) -> list[dict[str, Any]]:
    """The rows of an export as JSON lines."""
    count, text = written(books, table, "jsonl", **window)
    found = [json.loads(line) for line in text.splitlines()]
    assert len(found) == count
    return found


def call(books: Books, business: str = "biz_7", user: str = "u_1", **changes: Any) -> str:
    """A call that succeeds; its id."""
    hold = books.store.hold(books.call(business=business, user=user), Credits(1))
    books.store.capture(hold, replace(OK, **changes))  # type: ignore[arg-type]  # a fresh key gives a hold
    return hold.call.id  # type: ignore[union-attr]  # as above


# Exports.


def test_every_table_has_its_columns_in_both_formats() -> None:
    """The same values; amounts with their unit in the name, nothing that is secret or nobody's business."""
    till = Till()
    with closing(till.books) as books:
        till.paid("VALUE")
        call(books)
        books.clock.advance(0.001)
        books.store.void(books.hold("1"), FAILED)
        for table in TABLES:
            count, text = written(books, table)
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            assert len(rows) == count > 0
            flat = [
                {name: "" if value is None else str(value) for name, value in row.items()}
                for row in lines(books, table)
            ]
            assert rows == flat
            assert EMAIL not in text
            assert '"request"' not in text
        first, failed = lines(books, "transactions")
        assert (first["charged_credits"], first["cost_usd"], first["cost_ghs"]) == (
            "1.00",
            "0.000075000000",
            "0.000873",
        )
        assert (first["fx_rate"], first["fx_source"], first["fx_stale"]) == ("11.64600000", "static", 1)
        assert (first["at"], first["latency_ms"]) == ("2026-09-21T14:13:20.000000+00:00", 412)
        assert (failed["outcome"], failed["input_tokens"]) == ("failed", None)
        (order,) = lines(books, "orders")
        assert (order["price"], order["credits"], order["bonus_credits"], order["state"]) == (
            "80.00",
            "100.00",
            "20.00",
            "successful",
        )
        (usage,) = lines(books, "usage")
        assert (usage["day"], usage["calls"], usage["revenue_ghs"]) == ("2026-09-21", 2, "0.800000")
        assert [entry["kind"] for entry in lines(books, "ledger")] == ["grant", "grant", "usage"]


def test_a_window_cuts_by_time_and_by_business() -> None:
    """The first instant is in it, the last is not; usage is cut by whole days."""
    with closing(Books("100")) as books:
        books.buy("5", "o", business="biz_8")
        first = books.clock.now()
        call(books)
        books.clock.advance(DAY_SECONDS)
        call(books, business="biz_8")
        assert [row["business_id"] for row in lines(books, "transactions")] == ["biz_7", "biz_8"]
        assert [row["business_id"] for row in lines(books, "transactions", business="biz_8")] == ["biz_8"]
        assert len(lines(books, "transactions", since=first, until=first + DAY)) == 1
        assert len(lines(books, "transactions", since=first + 1)) == 1
        assert len(lines(books, "ledger", until=first)) == 0
        assert [row["day"] for row in lines(books, "usage", since=first + DAY)] == ["2026-09-22"]
        assert [row["day"] for row in lines(books, "usage", until=first + DAY)] == ["2026-09-21"]
        assert lines(books, "orders") == []


def test_more_rows_than_a_page_are_all_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of one instant, and businesses beyond one page."""
    monkeypatch.setattr(exports, "PAGE", 2)
    with closing(Books("100")) as books:
        ids = [call(books) for _ in range(5)]
        for number in range(3):
            books.buy("5", "o", business=f"b{number}")
            call(books, business=f"b{number}")
        found = [row["id"] for row in lines(books, "transactions")]
        assert sorted(ids) == sorted(row for row in found if row in ids)
        assert len(set(found)) == len(found) == 8
        assert len(lines(books, "usage")) == 4


@pytest.mark.parametrize(("table", "total"), [("transactions", 5), ("ledger", 6), ("orders", 0), ("usage", 1)])
def test_an_export_tells_how_far_it_has_come(table: Any, total: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, beside how many rows the window has; of one business, or of all."""
    monkeypatch.setattr(exports, "PAGE", 2)
    with closing(Books("100")) as books:
        for _ in range(5):
            call(books)
        for business in (None, "biz_7"):
            told = list[WorkProgress]()
            write_table(books.database, table, io.StringIO(), "csv", Window(business=business), told.append)
            steps = [*range(0, total + 1, 2), *([total] if total % 2 else [])]
            assert told == [WorkProgress(what="rows written", done=done, total=total) for done in steps]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "  =1+1", "\uff1d1", "\uff20SUM(A1)"]
)
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    """An apostrophe makes it text; JSON lines need none."""
    assert guarded(text) == f"'{text}"
    assert guarded(f"a{text}") == f"a{text}"


def test_users_cannot_smuggle_formulas_into_an_export() -> None:
    """Ids are the host's, so they may be anybody's."""
    with closing(Books("100")) as books:
        call(books, user="=cmd|' /C calc'!A0")
        _, text = written(books, "transactions")
        (row,) = csv.DictReader(io.StringIO(text, newline=""))
        assert row["user_id"] == "'=cmd|' /C calc'!A0"
        assert lines(books, "transactions")[0]["user_id"] == "=cmd|' /C calc'!A0"


@pytest.mark.parametrize(("table", "form"), [("secrets", "csv"), ("ledger", "xml")])
def test_another_table_or_format_is_refused(table: str, form: str) -> None:
    """Before anything is read."""
    with closing(Books("0")) as books, pytest.raises(ValueError, match="transactions, ledger, orders, usage, as csv"):
        written(books, table, form)


def test_an_amount_below_zero_stays_a_number() -> None:
    """We wrote it ourselves; an apostrophe would only spoil sums."""
    columns = {column.name: column for column in COLUMNS["usage"]}
    assert columns["revenue_ghs"].number
    assert not columns["feature"].number


# Retention.


def test_old_calls_forget_their_users_and_keep_their_amounts() -> None:
    """After 24 months; younger ones, the ledger and the daily sums stay; a second run changes nothing."""
    with closing(Books("100")) as books:
        old = call(books)
        FeedbackBox(books.opened, str).put("biz_7", old, user="u_1", rating=5, recommend=None, comment="thanks")
        books.clock.advance(24 * MONTH)
        young = call(books)
        before = books.store.ledger("biz_7"), books.sql("SELECT * FROM ai_usage_daily ORDER BY day")
        done = apply_retention(books.opened, months=24, actor="ama")
        assert (done.calls, done.feedback) == (1, 1)
        assert datetime.fromtimestamp(done.before // 1_000_000, UTC) == datetime(2026, 10, 4, 14, 13, 20, tzinfo=UTC)
        rows = {row.id: row for row in books.store.transactions("biz_7")}
        assert (rows[old].user, rows[old].request_meta, rows[old].response_meta) == (None, {}, {})
        assert (rows[old].charged, rows[old].cost, rows[old].model) == (Credits(1), OK.cost, OK.model)
        assert (rows[young].user, rows[young].request_meta) == ("u_1", OK.request_meta)
        assert books.sql("SELECT request_hash FROM ai_credit_holds WHERE id = ?", (old,)) == [("",)]
        stand_in = f"forgotten:{1_790_000_000_000_000}:1"
        assert books.sql("SELECT user_id, rating, comment FROM ai_feedback") == [(stand_in, 5, None)]
        assert (books.store.ledger("biz_7"), books.sql("SELECT * FROM ai_usage_daily ORDER BY day")) == before
        assert books.report().ok
        books.clock.advance(1)
        again = apply_retention(books.opened, months=24, actor="ama")
        assert (again.calls, again.feedback) == (0, 0)
        noted = [(one.actor, one.action, one.detail["calls"]) for one in books.operations.audit("")]
        assert books.operations.audit("")[0].detail["feedback"] == 1
        assert noted == [("ama", "retention", 1), ("ama", "retention", 0)]


def test_words_on_one_call_stay_apart_when_their_users_are_forgotten() -> None:
    """Said at the same moment or not, by somebody or by nobody known; in one round or in the next."""
    with closing(Books("100")) as books:
        one = call(books)
        box = FeedbackBox(books.opened, str)

        def say(user: str | None, stars: int) -> None:
            box.put("biz_7", one, user=user, rating=stars, recommend=None, comment="x")

        for user, stars in (("u_1", 1), ("u_2", 2), (None, 3)):
            say(user, stars)
        books.clock.advance(MONTH)
        say("u_1", 4)
        say("u_3", 5)
        before = "SELECT rating, comment IS NULL AS gone, user_id FROM ai_feedback ORDER BY rating"
        books.clock.advance(24 * MONTH)
        # Of the first month: the word of u_1 was replaced by a later one.
        assert apply_retention(books.opened, months=24, actor="ama").feedback == 4
        found = [tuple(row) for row in books.sql(before)]
        assert [(stars, bool(gone)) for stars, gone, _ in found] == [(2, True), (3, True), (4, True), (5, True)]
        users = [user for *_, user in found]
        assert users[1] == ""
        assert [user.partition(":")[0] for user in users] == ["forgotten", "", "forgotten", "forgotten"]
        assert len(set(users)) == 4
        say("u_2", 1)
        books.clock.advance(25 * MONTH)
        assert apply_retention(books.opened, months=24, actor="ama").feedback == 1
        assert apply_retention(books.opened, months=24, actor="ama").feedback == 0
        assert len({row[2] for row in books.sql(before)}) == 5


def test_old_orders_forget_who_bought_and_keep_the_rest() -> None:
    """Their address stays with the receipt until the business is erased."""
    till = Till()
    with closing(till.books) as books:
        till.paid("VALUE", user="u_1")
        books.clock.advance(25 * MONTH)
        done = apply_retention(books.opened, months=24, actor="ama")
        assert done.orders == 1
        (row,) = books.sql("SELECT user_id, email, price_minor FROM ai_credit_purchases")
        assert tuple(row) == (None, EMAIL, 8_000)
        assert apply_retention(books.opened, months=24, actor="ama").orders == 0


def test_what_a_user_spent_long_ago_is_forgotten() -> None:
    """The windows of today go on, and so do those of the business."""
    every = tuple(Limit(scope=scope, window="day", amount=Credits(9)) for scope in ("user", "business"))
    with closing(Books("100", limits=every)) as books:
        call(books)
        books.clock.advance(25 * MONTH)
        call(books, user="u_2")
        apply_retention(books.opened, months=24, actor="ama")
        counted = books.sql("SELECT scope, key FROM ai_limit_counters ORDER BY scope, starts_at")
        assert [tuple(row) for row in counted] == [("business", ""), ("business", ""), ("user", "u_2")]
        assert books.report().ok


def _audited(books: Books) -> list[tuple[str, str, Any]]:
    """Who did what about the business, and whose limit it was."""
    return [(one.actor, one.action, one.detail.get("key")) for one in books.operations.audit("biz_7")]


def _acts(books: Books) -> None:
    """An operator limits two users and everybody; two owners agree to a top-up."""
    limits = Limits(books.opened)
    wanted: tuple[tuple[Scope, str | None], ...] = (
        *(("user", "u_1"), ("user", "u_2"), ("user", None), ("feature", "u_1")),
    )
    for scope, key in wanted:
        limits.set(scope, "day", 9, business="biz_7", key=key, actor="ama")
        books.clock.advance(1)
    for owner, action in (("u_1", "set_top_up"), ("u_2", "set_top_up"), ("u_1", "grant")):
        books.operations.note(owner, action, "biz_7")
        books.clock.advance(1)


@pytest.mark.parametrize(
    ("user", "keys", "owners"),
    [("u_1", ["erased", "u_2"], ["erased", "u_2"]), (None, ["erased", "erased"], ["erased", "erased"])],
)
def test_the_audit_log_forgets_whom_of_a_shop_it_names(user: str | None, keys: list[str], owners: list[str]) -> None:
    """Whose limit it was and who agreed; what an operator did keeps the operator's name, and its own key."""
    with closing(Books("0")) as books:
        _acts(books)
        books.operations.erase("biz_7", user=user, actor="esi")
        assert _audited(books) == [
            *(("ama", "set_limit", key) for key in (*keys, None, "u_1")),
            *((owner, "set_top_up", None) for owner in owners),
            ("u_1", "grant", None),
            ("esi", "erase", None),
        ]


def test_time_takes_a_shops_people_out_of_the_audit_log() -> None:
    """Once; younger entries and those about another business stay."""
    with closing(Books("1")) as books:
        _acts(books)
        books.operations.note("u_9", "set_top_up", "biz_8")
        books.clock.advance(25 * MONTH)
        books.operations.note("u_1", "remove_top_up", "biz_7")
        assert apply_retention(books.opened, months=24, actor="ama").noted == 4
        assert [actor for actor, action, _ in _audited(books) if action.endswith("top_up")] == [
            *("erased", "erased", "u_1"),
        ]
        assert books.operations.audit("biz_8")[0].actor == "u_9"
        assert apply_retention(books.opened, months=24, actor="ama").noted == 0


def test_retention_and_erasure_tell_how_far_they_have_come() -> None:
    """By businesses, and by sorts of rows."""
    with closing(Books("1")) as books:
        books.buy("5", "o", business="biz_8")
        told = list[WorkProgress]()
        apply_retention(books.opened, months=24, actor="ama", on_progress=told.append)
        assert told == [WorkProgress(what="businesses gone through", done=done, total=2) for done in (0, 1, 2)]
        told.clear()
        books.operations.erase("biz_7", actor="ama", on_progress=told.append)
        sorts = len(ERASE)
        assert told == [
            WorkProgress(what="sorts of rows gone through", done=done, total=sorts) for done in range(sorts + 1)
        ]


def test_retention_needs_somebody_who_decided() -> None:
    """An empty name is nobody."""
    with closing(Books("0")) as books, pytest.raises(ValueError, match="the actor"):
        apply_retention(books.opened, months=24, actor="")


# The audit log.


def test_a_grant_by_an_operator_is_noted_once() -> None:
    """A host's own grants have no operator; a repeat changes nothing and notes nothing."""
    with closing(Books("0")) as books:
        for actor in (None, "ama", "ama"):
            ref = "host" if actor is None else "gift"
            books.funding.grant("biz_7", Credits(5), source="adjustment", ref=ref, actor=actor)
        assert [(one.actor, one.action, one.detail) for one in books.operations.audit("biz_7")] == [
            ("ama", "grant", {"source": "adjustment", "ref": "gift", "amount": "5.00"})
        ]


def test_the_audit_log_shows_what_was_done_about_anybody() -> None:
    """From a time on, the oldest first, whoever it was about."""
    with closing(Books("0")) as books:
        books.operations.note("ama", "old")
        books.clock.advance(10)
        since = books.clock.now()
        books.operations.note("ama", "clear_cache", "biz_8", dropped=3)
        books.clock.advance(1)
        books.operations.note("esi", "export", table="ledger")
        found = [(one.actor, one.action, one.business, one.detail) for one in books.operations.audit_log(since)]
        assert found == [("ama", "clear_cache", "biz_8", {"dropped": 3}), ("esi", "export", "", {"table": "ledger"})]
