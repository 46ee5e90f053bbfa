"""Reads margins and spending out of the books, one business at a time."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from ai_addons.billing.forecast import LOOK_BACK, DayCost, SpendForecast, forecast_spend
from ai_addons.billing.fx_used import read_fx
from ai_addons.billing.margin_report import MarginReport, PaidCall, Payer, Sums, add_calls, make_report, pack_of
from ai_addons.billing.months import day_of
from ai_addons.billing.periods import DAY_US, period_of
from ai_addons.billing.records import check_id
from ai_addons.billing.sql import figures as sql
from ai_addons.billing.usage import check_period
from ai_addons.money import MicroGhs, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row, Tx


class MarginDesk:
    """Makes the operator's reports of margins and spending.

    Args:
        books: The open books.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def report(self, days: int, business: str | None = None) -> MarginReport:
        """Margins by feature, pack and business.

        Memory grows with the calls of the largest business, not with those of all.

        Args:
            days: 1 to 366, today included, in the operator's zone.
            business: Whose calls; None for those of all.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        check_period(days)
        if business is not None:
            check_id(business, "a business id")
        now = self._books.database.read(self._books.now)
        period = period_of(now, days, self._books.terms.operator_tz)
        sums: Sums = {}
        for one in self._callers(period.first) if business is None else (business,):
            # A call counts on the day of its business's zone, which may have begun a day before the operator's.
            asked: dict[str, object] = {"business": one, "since": period.since - DAY_US, "first": period.first}
            add_calls(sums, one, _calls(self._books.database.read(partial(_rows, asked))))
        window = {"since": period.since, "until": period.until, "business": business or ""}
        fx = read_fx(self._books.database.read(lambda tx: tx.rows(sql.FX_USED, window)))
        return make_report(sums, days=days, fx=fx)

    def forecast(self, rng: Random) -> SpendForecast:
        """What the models will have cost by the end of the operator's month.

        Args:
            rng: Draws the interval.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        return forecast_spend(*self._books.database.read(self._spent), rng)

    def _spent(self, tx: Tx) -> tuple[dict[date, DayCost], date]:
        today = day_of(self._books.now(tx), self._books.terms.operator_tz)
        first = min(today.replace(day=1), today - timedelta(days=LOOK_BACK))
        rows = tx.rows(sql.SPENT_BY_DAY, {"first": first.isoformat(), "last": today.isoformat()})
        costs = {
            date.fromisoformat(row.day): DayCost(
                cost=PicoUsd(row.cost), cost_ghs=MicroGhs(row.cost_ghs), unpriced=row.unpriced
            )
            for row in rows
        }
        return costs, today

    def _callers(self, first: str) -> Iterator[str]:
        """Businesses with calls since a day."""
        after = ""
        while page := self._books.database.read(partial(_page, {"first": first, "after": after})):
            yield from page
            after = page[-1]


def _page(asked: dict[str, str], tx: Tx) -> list[str]:
    return [row.business_id for row in tx.rows(sql.CALLERS, asked)]


def _rows(asked: dict[str, object], tx: Tx) -> list[Row]:
    return tx.rows(sql.PAID_CALLS, asked)


def _calls(rows: Iterable[Row]) -> Iterator[PaidCall]:
    """The rows of each call as one: there is a row for each grant that paid."""
    for _, those in groupby(rows, key=lambda row: (row.id, row.attempt)):
        parts = list(those)
        call = parts[0]
        # A reversed call was paid back: its grants have what they gave.
        paid = [part for part in parts if part.used is not None and call.charged]
        yield PaidCall(
            feature=call.feature,
            charged=call.charged,
            revenue=call.revenue,
            cost=call.cost,
            cost_ghs=call.cost_ghs,
            # Always in the same order, whatever the grants are called: the last one gets what cannot be divided.
            payers=tuple(sorted(map(_payer, paid), key=lambda payer: (payer.pack, payer.used, payer.worth))),
        )


def _payer(row: Row) -> Payer:
    return Payer(pack=pack_of(row.source, row.pack), used=row.used, worth=row.paid, size=row.amount)
