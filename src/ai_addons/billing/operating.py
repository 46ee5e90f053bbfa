"""What an operator looks at every day: all businesses together, what waits, what is stopped.

===================  =========================================================================
question             what an answer reads
===================  =========================================================================
`days`, `earners`    the sums per day: a row for each business, feature and day with calls
`calls`              one row for each feature, error and time of a past day; of today and
                     yesterday the call log itself
`funnel`             an index on the orders and attempts of the days asked for; all refunds
                     and disputes
`backlog`            only what waits; of holds one look into an index for each business
`switches`           what operators have set by hand
===================  =========================================================================
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from ai_addons.billing.jobs import JobRun, last_runs
from ai_addons.billing.latency import CallCount
from ai_addons.billing.limiting import Switch, read_switch
from ai_addons.billing.margin import PAYMENT_FEE, FeatureUsage, MarginLine, margins
from ai_addons.billing.months import day_of
from ai_addons.billing.overviews import BackCount, Calls, DayEarned, Earners, Funnel, OrderCount, TryCount, Waiting
from ai_addons.billing.periods import midnight
from ai_addons.billing.quota import PAUSED
from ai_addons.billing.sql import operating as sql
from ai_addons.billing.usage import check_period
from ai_addons.money import Credits, MicroGhs, Money, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sqlalchemy import ClauseElement

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row, Tx

LATE: Final = 30 * 60 * 1_000_000
"""Microseconds after which an attempt to pay that nobody ended is worth a look; approval takes three minutes."""

_LIVE: Final = 2
_DAY: Final = timedelta(days=1)


class Operating:
    """Reads all businesses together. For operators only.

    Args:
        books: The open books.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    # Calls.

    def calls(self, days: int = 30) -> Calls:
        """The calls of the last days with today, by feature, error and time.

        Past days come from what sweeps have counted, as the log was two days later; today and yesterday from the
        log itself.

        Args:
            days: 1 to 366, in the operator's zone.

        Raises:
            ValueError: For another number of days.
            StoreUnavailable: If the database cannot be read.
        """
        check_period(days)
        return self._books.database.read(lambda tx: self._calls(tx, days))

    def sum_up(self, most: int = 31) -> int:
        """Count past days once and for all, the oldest first; how many were counted now.

        Args:
            most: Days to count at most: a month, so that the first sweeps of a long log do not take all night.

        Raises:
            StoreUnavailable: If the database cannot be used.
        """
        done = 0
        while done < most and self._books.database.write(self._sum_next):
            done += 1
        return done

    # Money.

    def days(self, days: int = 30) -> tuple[DayEarned, ...]:
        """What was earned and spent each day; days without calls are left out.

        Args:
            days: 1 to 366.

        Raises:
            ValueError: For another number of days.
            StoreUnavailable: If the database cannot be read.
        """
        rows = self._used(sql.BY_DAY, days, {})
        return tuple(
            DayEarned(
                day=date.fromisoformat(row.day),
                calls=row.calls,
                revenue=MicroGhs(row.revenue_micro_ghs),
                cost=MicroGhs(row.cost_micro_ghs),
                cost_usd=PicoUsd(row.cost_pico_usd),
            )
            for row in rows
        )

    def earners(self, days: int = 30, most: int = 20, *, fee: Decimal = PAYMENT_FEE) -> Earners:
        """How many businesses got answers, and those that brought the least.

        Args:
            days: 1 to 366.
            most: Businesses to name.
            fee: Share of every payment that the gateway keeps.

        Raises:
            ValueError: For another number of days.
            StoreUnavailable: If the database cannot be read.
        """
        rows = self._used(sql.BY_BUSINESS, days, {"most": most})
        lines = [line for row in rows for line in margins([_usage(row)], fee=fee).lines]
        return Earners(users=rows[0].users if rows else 0, least=tuple(lines))

    # Payments.

    def funnel(self, days: int = 30) -> Funnel:
        """What became of orders and attempts that were made in the last days with today.

        Args:
            days: 1 to 366, in the operator's zone.

        Raises:
            ValueError: For another number of days.
            StoreUnavailable: If the database cannot be read.
        """
        check_period(days)

        def look(tx: Tx) -> Funnel:
            since = {"since": self._start(self._today(tx) - (days - 1) * _DAY)}
            orders, tries, back = tx.gather((sql.ORDERS_BY_STATE, since), (sql.TRIES, since), (sql.MONEY_BACK, {}))
            return Funnel(
                orders=tuple(_order_count(row) for row in orders),
                tries=tuple(
                    TryCount(
                        gateway=row.gateway, method=row.method, state=row.state, outcome=row.outcome, tries=row.tries
                    )
                    for row in tries
                ),
                back=tuple(_back_count(row) for row in back),
            )

        return self._books.database.read(look)

    # What needs a hand.

    def now(self) -> int:
        """The time that all of this is of, UTC microseconds."""
        return self._books.database.read(self._books.now)

    def backlog(self) -> tuple[Waiting, ...]:
        """What waits for somebody now.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """

        def look(tx: Tx) -> tuple[Waiting, ...]:
            now = self._books.now(tx)
            asked: dict[str, tuple[ClauseElement, dict[str, object]]] = {
                "payments": (sql.UNANSWERED, {"before": now - LATE}),
                "inbox": (sql.INBOX, {}),
                "quarantine": (sql.QUARANTINE, {}),
                "outbox": (sql.OUTBOX, {}),
                "holds": (sql.ORPHANS, {"now": now}),
            }
            found = tx.gather(*asked.values())
            return tuple(
                Waiting(what=what, several=row.several, oldest=row.oldest)
                for what, (row,) in zip(asked, found, strict=True)
            )

        return self._books.database.read(look)

    def jobs(self) -> tuple[JobRun, ...]:
        """When each job was last done, by whichever host; one that never came to its end is not there."""
        return last_runs(self._books)

    def switches(self) -> tuple[Switch, ...]:
        """Every kill switch that is pulled, of all businesses and features."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.SWITCHES, {"paused": PAUSED}))
        return tuple(map(read_switch, rows))

    # Inside.

    def _today(self, tx: Tx) -> date:
        return day_of(self._books.now(tx), self._books.terms.operator_tz)

    def _start(self, day: date) -> int:
        """When a day begins in the operator's zone, UTC microseconds."""
        return midnight(day, self._books.terms.operator_tz)

    def _used(self, statement: ClauseElement, days: int, more: dict[str, object]) -> list[Row]:
        check_period(days)

        def look(tx: Tx) -> list[Row]:
            first = self._today(tx) - (days - 1) * _DAY
            return tx.rows(statement, {"first": first.isoformat(), **more})

        return self._books.database.read(look)

    def _calls(self, tx: Tx, days: int) -> Calls:
        today = self._today(tx)
        first, kept = today - (days - 1) * _DAY, today - _LIVE * _DAY
        since, until = max(first, today - (_LIVE - 1) * _DAY), today + _DAY
        live = {"since": self._start(since), "until": self._start(until)}
        rows = [*tx.rows(sql.CALLS_BETWEEN, live), *tx.rows(sql.CALLS_KEPT, {"first": first.isoformat()})]
        waits = self._next(tx)
        missing = 0 if waits is None else max(0, (kept - max(first, waits)).days + 1)
        return Calls(first=first, last=today, counts=tuple(map(_count, rows)), missing=missing)

    def _next(self, tx: Tx) -> date | None:
        """The first day that is not counted yet; None before the first call."""
        kept = tx.value(sql.LAST_KEPT, {})
        if kept is not None:
            return date.fromisoformat(kept) + _DAY
        first = tx.value(sql.FIRST_CALL, {})
        return None if first is None else day_of(first, self._books.terms.operator_tz)

    def _sum_next(self, tx: Tx) -> bool:
        """Count the next past day, if there is one; another host may have been quicker."""
        day = self._next(tx)
        if day is None or day > self._today(tx) - _LIVE * _DAY:
            return False
        if tx.changed(sql.MARK_KEPT, {"day": day.isoformat()}):
            edges = {"since": self._start(day), "until": self._start(day + _DAY)}
            tx.write(sql.KEEP_CALLS, {"day": day.isoformat(), **edges})
        return True


def lost(line: MarginLine) -> bool:
    """Whether calls cost more than they brought after fee and tax, as far as their cost is known."""
    return line.revenue - line.tax - line.fee < line.cost


def worst(lines: Sequence[MarginLine]) -> tuple[MarginLine, ...]:
    """The lines that lost money, the greatest loss first."""
    losing = [line for line in lines if lost(line)]
    return tuple(sorted(losing, key=lambda line: (line.revenue - line.tax - line.fee - line.cost, line.feature)))


def _usage(row: Row) -> FeatureUsage:
    """A business's sums, under its id."""
    return FeatureUsage(
        feature=row.business_id,
        calls=row.calls,
        credits=Credits.from_micro(row.charged),
        revenue=MicroGhs(row.revenue_micro_ghs),
        cost=MicroGhs(row.cost_micro_ghs),
        unpriced=row.unpriced,
    )


def _count(row: Row) -> CallCount:
    return CallCount(
        feature=row.feature, error=row.error, cached=bool(row.cached), under_ms=row.under_ms, calls=row.calls
    )


def _order_count(row: Row) -> OrderCount:
    amount = Money.from_minor(row.minor, row.currency)
    return OrderCount(state=row.state, orders=row.orders, amount=amount, businesses=row.businesses)


def _back_count(row: Row) -> BackCount:
    return BackCount(
        what=row.what, state=row.state, several=row.several, amount=Money.from_minor(row.minor, row.currency)
    )
