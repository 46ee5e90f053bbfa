"""Reads what our log says that models cost, by the provider's day and by model."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.billing.bills.comparing import TOLERANCE, BillComparison, Ours, add, compare
from ai_addons.billing.bills.formats import format_of
from ai_addons.billing.bills.parsing import parse_bill
from ai_addons.billing.fx_used import read_fx
from ai_addons.billing.months import day_of
from ai_addons.billing.periods import midnight
from ai_addons.billing.sql import figures as sql
from ai_addons.billing.sql.exports import TRANSACTIONS, businesses, pages
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.billing.bills.formats import Format
    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row

_MILLI_US: Final = 1_000
_MARGIN: Final = timedelta(hours=1)


def reconcile_bill(books: Books, provider: str, content: bytes, *, tolerance: Decimal = TOLERANCE) -> BillComparison:
    """Compare a provider's export with our log, over the days the export covers.

    A call counts on the day it began, in the provider's zone.

    Args:
        books: The open books.
        provider: ``openai``, ``anthropic`` or ``google``.
        content: The file, CSV or JSON.
        tolerance: Share of the larger side that a difference may have.

    Raises:
        ValueError: If the provider is not known, or the file cannot be read.
        StoreUnavailable: If the database cannot be read.
    """
    form = format_of(provider)
    bill = parse_bill(content, form)
    if not bill:
        msg = "the file has no line with a day; nothing was compared"
        raise ValueError(msg)
    first, last = min(line.day for line in bill), max(line.day for line in bill)
    since, until = midnight(first, form.tz), midnight(last + timedelta(days=1), form.tz)
    logged = _logged(books, form, since, until)
    window = {"since": since, "until": until, "business": ""}
    fx = read_fx(books.database.read(lambda tx: tx.rows(sql.FX_USED, window)))
    return BillComparison(
        provider=provider,
        tz=form.tz,
        verified=form.verified,
        tolerance=tolerance,
        differences=compare(bill, logged, tolerance=tolerance),
        billed=PicoUsd(sum(line.cost or 0 for line in bill)),
        logged=PicoUsd(sum(one.side.cost or 0 for one in logged.values())),
        fx=fx,
    )


def _logged(books: Books, form: Format, since: int, until: int) -> dict[tuple[date, str], Ours]:
    """Our log of these days, read by pages."""
    sums = defaultdict[tuple[date, str], Ours](Ours)
    # A call that began in these days may have been booked a little later.
    end = until + _MARGIN // timedelta(microseconds=1)
    for business in businesses(books.database):
        for row in pages(books.database, TRANSACTIONS, business, since=since, until=end):
            began = row.at - (row.latency_ms or 0) * _MILLI_US
            if since <= began < until:
                _add_row(sums, row, form, began)
    return dict(sums)


def _add_row(sums: defaultdict[tuple[date, str], Ours], row: Row, form: Format, began: int) -> None:
    attempts = _attempts(row)
    asked = {model for model, _, _ in attempts}
    route = _on_bill(row.model, form)
    day = day_of(began, form.tz)
    for model, cost, failed in attempts:
        name = _on_bill(model, form)
        if name is not None:
            one = sums[day, name]
            add(one.side, None, None, cost)
            one.maybe_billed += cost is None and failed
    # Without attempts it is a stored answer or a call that a host made itself.
    if route is None or row.source == "cache":
        return
    one = sums[day, route]
    if not attempts:
        add(one.side, None, None, row.cost_pico_usd)
    _add_tokens(one, row)
    one.calls += 1
    one.cost_ghs += row.cost_micro_ghs or 0
    one.over_midnight += day_of(row.at, form.tz) != day
    one.mixed += len(asked) > 1


def _add_tokens(one: Ours, row: Row) -> None:
    if row.input_tokens is None:
        one.uncounted += 1
        return
    one.unpriced += row.cost_pico_usd is None
    into = row.input_tokens + (row.cached_tokens or 0) + (row.cache_write_tokens or 0)
    add(one.side, into, (row.output_tokens or 0) + (row.reasoning_tokens or 0), None)


def _attempts(row: Row) -> list[tuple[str, int | None, bool]]:
    """Model, cost and failure of each attempt, as the log has them."""
    found: object = cast("dict[str, object]", json.loads(row.response_meta)).get("attempts")
    if not isinstance(found, list):
        return []
    made: list[tuple[str, int | None, bool]] = []
    for one in cast("list[object]", found):
        attempt = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        # A host may write what it likes into a row of its own.
        if isinstance(attempt.get("model"), str):
            made.append((attempt["model"], attempt.get("cost_pico_usd"), attempt.get("error") is not None))
    return made


def _on_bill(route: str | None, form: Format) -> str | None:
    """The model of a route whose calls are on this bill, without its provider; None for others."""
    prefix, slash, model = (route or "").partition("/")
    return model if slash and prefix in form.prefixes else None
