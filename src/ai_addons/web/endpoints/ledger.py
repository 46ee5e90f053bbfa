"""The ledger, by pages of JSON or as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import urlencode

from ai_addons.billing.exporting import guarded
from ai_addons.billing.ledger import EntryKind, effect
from ai_addons.money import Credits
from ai_addons.web.base import Answer, Context, Endpoint, WebResponse
from ai_addons.web.endpoints._shared import PageQuery, read_cursor, when, write_cursor
from ai_addons.web.parsing import fault
from ai_addons.web.problems import NO_STORE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_addons.billing.ledger import LedgerEntry

PATH: Final = "ai/ledger/"

_LIST: Final = "l"
_CSV: Final = "text/csv"
_JSON: Final = "application/json"
_CHUNK: Final = 1_000
_HIGHEST: Final = 2**53
_HEAD: Final = ("seq", "booked_at", "effective_at", "kind", "credits", "balance_after", "reference")


class LedgerQuery(PageQuery):
    """Which page, and in which form."""

    format: Literal["json", "csv"] | None = None


class EntryAnswer(Answer):
    """A booking. ``credits`` is what it did to the balance: less than zero took some."""

    seq: int
    booked_at: datetime
    effective_at: datetime
    kind: EntryKind
    credits: Credits
    balance_after: Credits
    reference: str


class LedgerAnswer(Answer):
    """A page of the ledger, the newest booking first."""

    entries: list[EntryAnswer]
    next_cursor: str | None


def _ledger(context: Context) -> LedgerAnswer | WebResponse:
    query = cast("LedgerQuery", context.query)
    before = None if query.cursor is None else _position(query.cursor)
    if _wants_csv(query.format, context.request.headers.get("accept", "")):
        return _as_csv(context, before, query.limit)
    most = query.limit or context.addons.settings.web.page_size
    page, more = _page(context, before, most)
    following = write_cursor(_LIST, str(page[-1].seq)) if more else None
    return LedgerAnswer(entries=[_entry(row) for row in page], next_cursor=following)


def _position(cursor: str) -> int:
    text = read_cursor(_LIST, cursor)
    if not (text.isascii() and text.isdigit() and int(text) < _HIGHEST):
        wrong = fault("cursor", ("query", "cursor"), "This is no cursor of this list. Begin without one.")
        raise wrong
    return int(text)


def _page(context: Context, before: int | None, most: int) -> tuple[list[LedgerEntry], bool]:
    """Bookings, the newest first, and whether there are older ones; positions run from 1 without a gap."""
    rows = context.addons.ledger(context.business, before=before, most=most)
    rows.reverse()
    return rows, bool(rows) and rows[-1].seq > 1


def _entry(row: LedgerEntry) -> EntryAnswer:
    return EntryAnswer(
        seq=row.seq,
        booked_at=when(row.booked_at),
        effective_at=when(row.effective_at),
        kind=row.kind,
        credits=effect(row.debit, row.credit, row.amount),
        balance_after=row.balance_after,
        reference=row.ref,
    )


def _wants_csv(form: str | None, accept: str) -> bool:
    """Whether CSV is asked for: by the query, else by an ``Accept`` that names it and not JSON."""
    if form is not None:
        return form == "csv"
    kinds = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    return _CSV in kinds and _JSON not in kinds


def _as_csv(context: Context, before: int | None, limit: int | None) -> WebResponse:
    """Bookings as CSV, read part by part, so that no ledger is in memory as a whole; a link leads to the rest."""
    left = limit or context.addons.settings.web.csv_rows
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEAD)
    more = True
    while left and more:
        page, more = _page(context, before, min(left, _CHUNK))
        writer.writerows(_cells(page))
        left -= len(page)
        before = page[-1].seq if page else before
    headers = {**NO_STORE, "content-disposition": 'attachment; filename="ai-credits.csv"'}
    if more and before is not None:
        following = {"format": "csv", "cursor": write_cursor(_LIST, str(before))}
        if limit is not None:
            following["limit"] = str(limit)
        headers["link"] = f'<{context.request.root}{PATH}?{urlencode(following)}>; rel="next"'
    content_type = f"{_CSV}; charset=utf-8; header=present"
    return WebResponse(status=200, body=text.getvalue().encode(), content_type=content_type, headers=headers)


def _cells(rows: Iterable[LedgerEntry]) -> Iterable[tuple[object, ...]]:
    return (
        (
            row.seq,
            when(row.booked_at).isoformat(),
            when(row.effective_at).isoformat(),
            row.kind,
            str(effect(row.debit, row.credit, row.amount)),
            str(row.balance_after),
            guarded(row.ref),
        )
        for row in rows
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path=PATH,
        name="ledger",
        summary="Every booking of a business, the newest first; as CSV too.",
        handle=_ledger,
        action="usage:read",
        query=LedgerQuery,
        answer=LedgerAnswer,
        produces=(_JSON, _CSV),
    ),
)
