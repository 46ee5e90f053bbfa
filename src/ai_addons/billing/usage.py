"""Reports for shop owners and operators: usage, margins and statements.

Usage and margins are made from the sums per day, never from the call log, so
they cost the same however many calls there were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.hits import CacheUse, cache_use
from ai_addons.billing.margin import NO_TAX, PAYMENT_FEE, FeatureUsage, MarginTable, margins
from ai_addons.billing.months import day_of
from ai_addons.billing.packs import share
from ai_addons.billing.records import check_id
from ai_addons.billing.sql import reports as sql
from ai_addons.billing.statements import Statement, check_days, read_statement
from ai_addons.billing.store import Store
from ai_addons.money import Credits, MicroGhs, PicoUsd, ghs, usd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row, Tx

MOST_DAYS: Final = 366
"""The longest time a report of usage covers: a year."""

_NO_RATE: Final = Decimal("0.000")

# A shop owner is shown what calls cost them, never what they cost the operator.
_OPERATORS_ONLY: Final = frozenset({"total_cost_ghs", "total_cost_usd", "cost_ghs", "revenue_ghs", "unpriced"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureUse:
    """What a business used of one feature.

    Attributes:
        feature: Feature key.
        feature_display_name: What it is called.
        count: Calls, the failed and the free ones included.
        credits: Credits charged.
    """

    feature: str
    feature_display_name: str
    count: int
    credits: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a business used over some days.

    Attributes:
        period_days: How many days, today included.
        current_balance: Credits available now.
        total_credits_used: Credits charged.
        total_requests: Calls in the log, the failed and the free ones included.
        successful_requests: Those that gave an answer.
        success_rate: Their share, in thousandths; 0 before the first call.
        avg_response_time_ms: Mean of the calls whose time is known, in thousandths; None if there is none.
        feature_breakdown: By feature, the most used first.
        most_used_feature: Key of the first of them, None before the first call.
        total_cost_ghs: Provider cost in cedis, of the calls whose cost is known; for operators.
        total_cost_usd: The same in US dollars; for operators.
        unpriced: Calls whose cost is unknown; for operators.
    """

    period_days: int
    current_balance: Credits
    total_credits_used: Credits
    total_requests: int
    successful_requests: int
    success_rate: Decimal
    avg_response_time_ms: Decimal | None
    feature_breakdown: tuple[FeatureUse, ...]
    most_used_feature: str | None
    total_cost_ghs: Decimal
    total_cost_usd: Decimal
    unpriced: int

    def for_shop(self) -> dict[str, Any]:
        """The usage as the shop may see it: without the operator's cost."""
        return _for_shop(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """What a business used of one feature on one day, for charts.

    Attributes:
        day: The day, in the business's zone.
        feature: Feature key.
        feature_display_name: What it is called.
        count: Calls, the failed and the free ones included.
        successful: Those that gave an answer.
        credits: Credits charged.
        cost_ghs: Provider cost in cedis, of the calls whose cost is known; for operators.
        revenue_ghs: Cedis that were paid for these credits; for operators.
        unpriced: Calls whose cost is unknown; for operators.
    """

    day: date
    feature: str
    feature_display_name: str
    count: int
    successful: int
    credits: Credits
    cost_ghs: Decimal
    revenue_ghs: Decimal
    unpriced: int

    def for_shop(self) -> dict[str, Any]:
        """The day as the shop may see it: without the operator's cost."""
        return _for_shop(self)


class Reports:
    """Makes reports from the books.

    Args:
        books: The open books.
        names: Finds what a feature is called, by its key; must know what to say of one no longer on sale.
    """

    def __init__(self, books: Books, names: Callable[[str], str]) -> None:
        self._books = books
        self._store = Store(books)
        self._names = names

    def usage(self, business: str, days: int = 30) -> Usage:
        """What a business used; zeros for one never seen.

        Args:
            business: Whose calls.
            days: How many days back, today included, in the business's zone.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        check_period(days)
        wallet = self._store.wallet(business)
        rows = self._books.database.read(partial(self._recent, business, days))
        return summarize(rows, days=days, balance=wallet.available, names=self._names)

    def by_day(self, business: str, first: date, last: date) -> tuple[DayUsage, ...]:
        """What a business used each day, by day and feature; days without calls are left out.

        Args:
            business: Whose calls.
            first: First day, in the business's zone.
            last: Last day, included.

        Raises:
            ValueError: If the last day is before the first, or there are more than 366.
            StoreUnavailable: If the database cannot be read.
        """
        check_days(first, last)
        check_period((last - first).days + 1)
        check_id(business, "a business id")
        rows = self._books.database.read(lambda tx: _between(tx, business, first, last))
        return tuple(_day(row, self._names) for row in rows)

    def margins(
        self, business: str | None = None, days: int = 30, *, fee: Decimal = PAYMENT_FEE, tax: Decimal = NO_TAX
    ) -> MarginTable:
        """What each feature earned, by the grants that really paid. For operators only.

        Args:
            business: Whose calls; None for those of all businesses.
            days: How many days back, today included: in the business's zone, for all in the operator's.
            fee: Share of every payment that the gateway keeps.
            tax: Rate of the tax that prices include.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        return margins([_feature_usage(row) for row in self._used(business, days)], fee=fee, tax=tax)

    def margins_in(self, tx: Tx, days: int) -> MarginTable:
        """The same of all businesses, inside a transaction of somebody else's."""
        return margins([_feature_usage(row) for row in self._everybody(days, tx)])

    def cache_use(self, business: str | None = None, days: int = 30) -> tuple[CacheUse, ...]:
        """How often the answer cache answered, by feature. For operators only.

        Args:
            business: Whose calls; None for those of all businesses.
            days: How many days back, today included: in the business's zone, for all in the operator's.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        return cache_use(self._used(business, days))

    def cache_use_in(self, tx: Tx, days: int) -> tuple[CacheUse, ...]:
        """The same of all businesses, inside a transaction of somebody else's."""
        return cache_use(self._everybody(days, tx))

    def statement(self, business: str, first: date, last: date) -> Statement:
        """What came into a wallet and left it, by the days on which it was booked.

        Args:
            business: Whose wallet.
            first: First day, in the business's zone.
            last: Last day, included; it may lie ahead.

        Raises:
            ValueError: If the last day is before the first.
            BillingError: If the ledger does not add up.
            StoreUnavailable: If the database cannot be read.
        """
        check_days(first, last)
        # What is due is booked first, or an expired grant would still be in the closing balance.
        self._store.wallet(business)
        return read_statement(self._books, business, first, last, names=self._names)

    def _used(self, business: str | None, days: int) -> list[Row]:
        """The sums of one business or all."""
        check_period(days)
        if business is not None:
            check_id(business, "a business id")
        look = partial(self._everybody, days) if business is None else partial(self._recent, business, days)
        return self._books.database.read(look)

    def _recent(self, business: str, days: int, tx: Tx) -> list[Row]:
        """A business's last days; none for one never seen."""
        wallet = tx.one(sql.LOOK, {"business": business})
        if wallet is None:
            return []
        today = day_of(self._books.now(tx), wallet.tz)
        return _between(tx, business, _days_back(today, days), today)

    def _everybody(self, days: int, tx: Tx) -> list[Row]:
        today = day_of(self._books.now(tx), self._books.terms.operator_tz)
        # Without an end: where it is tomorrow already, today's calls count there.
        return tx.rows(sql.ALL_USAGE, {"first": _days_back(today, days).isoformat()})


def summarize(rows: Sequence[Row], *, days: int, balance: Credits, names: Callable[[str], str]) -> Usage:
    """Add up a business's days.

    Args:
        rows: Rows of `ai_usage_daily`.
        days: How many days they are of.
        balance: Credits available now.
        names: Finds what a feature is called.
    """
    total = _add_up(rows)
    features = _by_feature(rows, names)
    return Usage(
        period_days=days,
        current_balance=balance,
        total_credits_used=Credits.from_micro(total["charged"]),
        total_requests=total["calls"],
        successful_requests=total["ok"],
        success_rate=share(total["ok"], total["calls"]) if total["calls"] else _NO_RATE,
        avg_response_time_ms=share(total["latency_ms"], total["timed"]) if total["timed"] else None,
        feature_breakdown=features,
        most_used_feature=features[0].feature if features else None,
        total_cost_ghs=ghs(MicroGhs(total["cost_micro_ghs"])),
        total_cost_usd=usd(PicoUsd(total["cost_pico_usd"])),
        unpriced=total["unpriced"],
    )


def check_period(days: int) -> None:
    """Refuse a number of days that no report covers.

    Raises:
        ValueError: Unless it is a whole number from 1 to 366.
    """
    if type(days) is not int or not 1 <= days <= MOST_DAYS:
        msg = f"a report covers 1 to {MOST_DAYS} days, given as a whole number; nothing was booked"
        raise ValueError(msg)


_SUMMED: Final = ("calls", "ok", "charged", "latency_ms", "timed", "cost_micro_ghs", "cost_pico_usd", "unpriced")


def _add_up(rows: Sequence[Row]) -> dict[str, int]:
    # In Python, whose whole numbers have no end: a year of provider cost in pico-USD may not fit into 64 bits.
    return {name: sum(getattr(row, name) for row in rows) for name in _SUMMED}


def _by_feature(rows: Sequence[Row], names: Callable[[str], str]) -> tuple[FeatureUse, ...]:
    counts, charged = Counter[str](), Counter[str]()
    for row in rows:
        counts[row.feature] += row.calls
        charged[row.feature] += row.charged
    return tuple(
        FeatureUse(
            feature=key,
            feature_display_name=names(key),
            count=counts[key],
            credits=Credits.from_micro(charged[key]),
        )
        for key in sorted(counts, key=lambda key: (-counts[key], key))
    )


def _day(row: Row, names: Callable[[str], str]) -> DayUsage:
    return DayUsage(
        day=date.fromisoformat(row.day),
        feature=row.feature,
        feature_display_name=names(row.feature),
        count=row.calls,
        successful=row.ok,
        credits=Credits.from_micro(row.charged),
        cost_ghs=ghs(MicroGhs(row.cost_micro_ghs)),
        revenue_ghs=ghs(MicroGhs(row.revenue_micro_ghs)),
        unpriced=row.unpriced,
    )


def _feature_usage(row: Row) -> FeatureUsage:
    return FeatureUsage(
        feature=row.feature,
        calls=row.calls,
        credits=Credits.from_micro(row.charged),
        revenue=MicroGhs(row.revenue_micro_ghs),
        cost=MicroGhs(row.cost_micro_ghs),
        unpriced=row.unpriced,
    )


def _between(tx: Tx, business: str, first: date, last: date) -> list[Row]:
    return tx.rows(sql.USAGE, {"business": business, "first": first.isoformat(), "last": last.isoformat()})


def _days_back(today: date, days: int) -> date:
    return today - timedelta(days=days - 1)


def _for_shop(record: Usage | DayUsage) -> dict[str, Any]:
    return {part.name: getattr(record, part.name) for part in fields(record) if part.name not in _OPERATORS_ONLY}
