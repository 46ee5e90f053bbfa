"""The ledger over HTTP: pages, CSV, and how it is read."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ai_addons.billing.exporting import guarded
from ai_addons.billing.sql import purchases, statements, web
from tests.books import Books
from tests.hands import plan
from tests.web import OTHER, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ClauseElement


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop with seven bookings."""
    with closing(Shop()) as made:
        for number in range(1, 7):
            made.addons.grant("biz_7", number, source="adjustment", ref=f"gift-{number}")
            made.clock.advance(1)
        made.addons.billing.charge_credits("biz_7", "u_1", "report_summary", "0.01", idempotency_key="call-1")
        yield made


def test_the_newest_booking_comes_first_with_its_sign(shop: Shop) -> None:
    """A charge takes, a grant gives; nothing of what it cost the operator."""
    told = shop.get("ai/ledger/", query={"limit": "2"}).body
    assert told["entries"] == [
        {
            "seq": 7,
            "booked_at": "2026-09-21T14:13:26Z",
            "effective_at": "2026-09-21T14:13:26Z",
            "kind": "usage",
            "credits": "-0.20",
            "balance_after": "20.80",
            "reference": told["entries"][0]["reference"],
        },
        {
            "seq": 6,
            "booked_at": "2026-09-21T14:13:25Z",
            "effective_at": "2026-09-21T14:13:25Z",
            "kind": "grant",
            "credits": "6.00",
            "balance_after": "21.00",
            "reference": "adjustment:gift-6",
        },
    ]


def test_pages_hold_every_booking_once_also_while_new_ones_come(shop: Shop) -> None:
    """A cursor is a position: what is booked meanwhile moves nothing."""
    seen: list[int] = []
    query = {"limit": "3"}
    while True:
        told = shop.get("ai/ledger/", query=query).body
        seen += [one["seq"] for one in told["entries"]]
        shop.addons.grant("biz_7", 1, source="adjustment", ref=f"later-{len(seen)}")
        if told["next_cursor"] is None:
            break
        query = {"limit": "3", "cursor": told["next_cursor"]}
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_business_without_bookings_has_an_empty_page(shop: Shop) -> None:
    """Another's ledger stays its own, cursor or not."""
    cursor = shop.get("ai/ledger/", query={"limit": "1"}).body["next_cursor"]
    assert shop.get("ai/ledger/", who=OTHER).body == {"entries": [], "next_cursor": None}
    assert shop.get("ai/ledger/", query={"cursor": cursor}, who=OTHER).body == {"entries": [], "next_cursor": None}


@pytest.mark.parametrize("cursor", ["cDo3", "bDp4", "bDo", "bDotMQ", "bDo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "x"])
def test_a_position_that_is_none_is_refused(shop: Shop, cursor: str) -> None:
    """Of another list, a word, nothing, below zero, beyond all."""
    assert shop.get("ai/ledger/", query={"cursor": cursor}).code == "validation_error"


# CSV.


def rows(told: Any) -> list[list[str]]:
    """The lines of a CSV answer."""
    return list(csv.reader(io.StringIO(told.body)))


@pytest.mark.parametrize(
    ("query", "accept", "wanted"),
    [
        ({}, "", "application/json"),
        ({}, "*/*", "application/json"),
        ({}, "text/csv", "text/csv; charset=utf-8; header=present"),
        ({}, "text/csv;q=0.9, text/html", "text/csv; charset=utf-8; header=present"),
        ({}, "text/csv, application/json", "application/json"),
        ({"format": "csv"}, "application/json", "text/csv; charset=utf-8; header=present"),
        ({"format": "json"}, "text/csv", "application/json"),
    ],
)
def test_the_form_is_asked_for(shop: Shop, query: dict[str, str], accept: str, wanted: str) -> None:
    """By the query, else by ``Accept``; JSON where both would do."""
    assert shop.get("ai/ledger/", query=query, headers={"accept": accept}).content_type == wanted


def test_a_csv_has_a_head_and_every_booking(shop: Shop) -> None:
    """All of it fits, so nothing follows."""
    told = shop.get("ai/ledger/", query={"format": "csv"})
    lines = rows(told)
    assert lines[0] == ["seq", "booked_at", "effective_at", "kind", "credits", "balance_after", "reference"]
    assert [line[0] for line in lines[1:]] == ["7", "6", "5", "4", "3", "2", "1"]
    assert lines[1][3:6] == ["usage", "-0.20", "20.80"]
    assert told.headers["content-disposition"] == 'attachment; filename="ai-credits.csv"'
    assert "link" not in told.headers


@pytest.mark.parametrize(("settings", "query"), [({"csv_rows": 3}, {}), ({}, {"limit": "3"})])
def test_a_long_csv_leads_to_its_rest(settings: dict[str, Any], query: dict[str, str]) -> None:
    """Links are followed to the end, and every booking comes once."""
    with closing(Shop(web=settings)) as shop:
        for number in range(7):
            shop.addons.grant("biz_7", 1, source="adjustment", ref=f"gift-{number}")
        asked, seen = {"format": "csv", **query}, list[str]()
        while True:
            told = shop.get("ai/ledger/", query=asked, root="/shop/")
            seen += [line[0] for line in rows(told)[1:]]
            if "link" not in told.headers:
                break
            address, _, relation = told.headers["link"].partition(">; ")
            assert (address[:17], relation) == ("</shop/ai/ledger/", 'rel="next"')
            asked = dict(parse_qsl(urlsplit(address[1:]).query))
        assert seen == ["7", "6", "5", "4", "3", "2", "1"]


def test_a_csv_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """More bookings than one part holds come all the same, once each."""
    monkeypatch.setattr("ai_addons.web.endpoints.ledger._CHUNK", 2)
    with closing(Shop()) as shop:
        for number in range(5):
            shop.addons.grant("biz_7", 1, source="adjustment", ref=f"gift-{number}")
        assert [line[0] for line in rows(shop.get("ai/ledger/", query={"format": "csv"}))[1:]] == list("54321")


def test_an_empty_csv_is_a_head(shop: Shop) -> None:
    """For a business without bookings."""
    assert len(rows(shop.get("ai/ledger/", query={"format": "csv"}, who=OTHER))) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("adjustment:=1", "adjustment:=1"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, wanted: str) -> None:
    """What a spreadsheet would reckon is text."""
    assert guarded(text) == wanted


def test_a_hosts_key_is_no_formula_either(shop: Shop) -> None:
    """A reference that begins with an equals sign, all the way through."""
    shop.addons.billing.charge_credits("biz_7", "u_1", "report_summary", None, idempotency_key='=cmd|"/c calc"!A1')
    (line,) = rows(shop.get("ai/ledger/", query={"format": "csv", "limit": "1"}))[1:]
    assert line[-1] == '\'=cmd|"/c calc"!A1'


# How it is read.


@pytest.mark.parametrize(
    ("before", "most", "wanted"),
    [(None, None, [1, 2, 3]), (None, 2, [2, 3]), (3, None, [1, 2]), (3, 1, [2]), (1, 5, []), (2**80, 9, [1, 2, 3])],
)
def test_the_ledger_is_read_by_pages_oldest_first(before: int | None, most: int | None, wanted: list[int]) -> None:
    """The last so many before a position."""
    books = Books("1")
    for number in range(2):
        books.buy("1", f"order-{number + 2}")
    assert [row.seq for row in books.store.ledger("biz_7", before=before, most=most)] == wanted
    books.close()


def test_a_page_of_nothing_is_a_mistake() -> None:
    """At least one row."""
    books = Books()
    with pytest.raises(ValueError, match="at least one row"):
        books.store.ledger("biz_7", most=0)
    books.close()


OWN = {"business": "biz_7"}


@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (statements.LEDGER_PAGE, OWN | {"before": 9_000, "most": 50}, "sqlite_autoindex_ai_ledger_1"),
        (purchases.ORDERS, OWN | {"before": "x", "most": 50}, "sqlite_autoindex_ai_credit_purchases_1"),
        (purchases.ATTEMPTS_BETWEEN, OWN | {"first": "a", "last": "b"}, "ix_attempt_order"),
        (purchases.ASK, {"reference": "aia-1", "now": 2, "before": 1}, "sqlite_autoindex_ai_payment_attempts_1"),
        (web.COUNTED, OWN | {"user": "", "action": "trial"}, "sqlite_autoindex_ai_web_rates_1"),
        (web.REPLY, OWN | {"of_key": "k"}, "sqlite_autoindex_ai_web_replies_1"),
        (web.DROP_REPLIES, {"now": 1}, "ix_web_reply_expiry"),
    ],
)
def test_what_endpoints_ask_is_answered_from_an_index(
    statement: ClauseElement, values: dict[str, object], index: str
) -> None:
    """No scan and no sort: a page costs the same however long the list is."""
    books = Books()
    found = plan(books, statement, **values)
    books.close()
    assert index in found
    assert "scan" not in found
    assert "b-tree for order by" not in found
