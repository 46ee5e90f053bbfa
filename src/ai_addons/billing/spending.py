"""What the models cost, counted against the provider budget in the transactions of hold and capture.

A window has several rows, and a business always uses the same one: calls of
different businesses need not wait for each other. Far from every level a call
looks at their sum without a lock. Near one it locks them all first, so that no
two calls share what is left.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.budget import Budget, Spent, Windows, facts, is_far, standing
from ai_addons.billing.limits import WINDOWS
from ai_addons.billing.profile import ACCRA
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import BudgetSpent
from ai_addons.events import BudgetStopped, BudgetWarned
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ClauseElement

    from ai_addons.billing.limits import Window
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.sql.tx import Query
    from ai_addons.billing.wallet import LockedWallet

_STRIPES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What a call counts with while it runs.

    Attributes:
        bound: The most it can cost, pico-USD.
        windows: Those it counts in.
    """

    bound: PicoUsd
    windows: Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The provider budget in force.

    Attributes:
        budgets: One for a day, one for a month, both or none.
        warn_at: Share of a budget that is worth a warning.
        tz: IANA name of the operator's zone, in which days and months are counted.
    """

    budgets: tuple[Budget, ...] = ()
    warn_at: Decimal = Decimal("0.8")
    tz: str = ACCRA

    def queries(self, at: int) -> tuple[Query, ...]:
        """What to ask to know how the windows stand; nothing where there is no budget."""
        return (_asked(Windows.at(at, self.tz)),) if self.budgets else ()

    def pinned(self, bound: int | None, at: int) -> Pinned | None:
        """What a call that began at some time counts with; None if it is not counted."""
        return None if bound is None else Pinned(bound=PicoUsd(bound), windows=Windows.at(at, self.tz))

    def unpinned(self, at: int) -> Pinned | None:
        """What a call counts with that held nothing: its cost alone."""
        return self.pinned(0 if self.budgets else None, at)

    def check(
        self, wallet: LockedWallet, found: Sequence[list[Row]], asked_at: int, bound: PicoUsd
    ) -> BudgetSpent | None:
        """Look whether a call may be made.

        Args:
            wallet: The locked wallet of who pays.
            found: What `queries` found.
            asked_at: The time they asked for, UTC microseconds.
            bound: The most the call can cost, pico-USD.

        Returns:
            The refusal if it might go over a budget.
        """
        windows = Windows.at(wallet.now, self.tz)
        if windows != Windows.at(asked_at, self.tz):
            # Midnight came while we waited for the wallet.
            found = wallet.tx.gather(_asked(windows))
        spent = _read(found[0])
        if all(is_far(one, spent[one.window], bound, self.warn_at) for one in self.budgets):
            return None
        spent = _read(_locked(wallet.tx, windows))
        stand = [(one, standing(one, spent[one.window], bound, self.warn_at)) for one in self.budgets]
        over = [one for one, how in stand if how == "spent"]
        for one in over:
            if spent[one.window].stopped != one.amount:
                total = PicoUsd(spent[one.window].total)
                wallet.note(BudgetStopped(window=one.window, spent=total, budget=one.amount))
                self._tell(wallet, "budget.spent", sql.MARK_STOPPED, one, windows)
        for one, how in stand:
            if how == "warn" and not over:
                total = PicoUsd(spent[one.window].total)
                wallet.note(BudgetWarned(window=one.window, spent=total, budget=one.amount))
                self._tell(wallet, "budget.warning", sql.MARK_WARNED, one, windows)
        return BudgetSpent() if over else None

    def _tell(self, wallet: LockedWallet, topic: str, mark: ClauseElement, budget: Budget, windows: Windows) -> None:
        start, amount = windows.start(budget.window), budget.amount
        wallet.tell(topic, f"{topic}:{budget.window}:{start}:{amount}", facts(budget, self.warn_at))
        wallet.tx.write(mark, {"of_per": budget.window, "of_start": start, "amount": amount})


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpending:
    """What models cost in the current day or month.

    Attributes:
        window: Which of the two.
        starts_at: Its start, UTC microseconds.
        used: What ended calls cost, pico-USD; the most they can have cost where nobody knows.
        held: The most that calls in progress can cost, pico-USD.
        budget: What may be spent, pico-USD; None for no bound.
    """

    window: Window
    starts_at: int
    used: PicoUsd
    held: PicoUsd
    budget: PicoUsd | None


def spending_at(tx: Tx, purse: Purse, at: int) -> tuple[WindowSpending, ...]:
    """What models cost so far in the day and the month of an instant; counted only while there is a budget."""
    windows, budgets = Windows.at(at, purse.tz), {one.window: one.amount for one in purse.budgets}
    spent = _read(tx.rows(*_asked(windows)))
    return tuple(
        WindowSpending(
            window=window,
            starts_at=windows.start(window),
            used=PicoUsd(spent[window].used),
            held=PicoUsd(spent[window].held),
            budget=budgets.get(window),
        )
        for window in WINDOWS
    )


def pin(tx: Tx, business: str, pinned: Pinned | None) -> None:
    """Count a call that begins with its bound."""
    if pinned is not None:
        _add(tx, business, pinned.windows, held=pinned.bound, used=0)


def settle(tx: Tx, business: str, pinned: Pinned | None, cost: int | None) -> None:
    """Count a call that ended with what it cost; its bound stays where nobody knows.

    Args:
        tx: The transaction.
        business: Who paid.
        pinned: What it counted with; None if it was not counted.
        cost: Pico-USD, None for unknown.
    """
    if pinned is not None:
        _add(tx, business, pinned.windows, held=-pinned.bound, used=pinned.bound if cost is None else cost)


def correct(tx: Tx, business: str, pinned: Pinned | None, cost: int | None) -> None:
    """Put what a call did cost in the place of its bound, which was counted when its hold expired."""
    if pinned is not None and cost is not None:
        _add(tx, business, pinned.windows, held=0, used=cost - pinned.bound)


def _add(tx: Tx, business: str, windows: Windows, *, held: int, used: int) -> None:
    stripe = zlib.crc32(business.encode()) % len(_stripes(tx))
    tx.write(sql.ADD_SPENT, _values(windows) | {"stripe": stripe, "held": held, "used": used})


def _stripes(tx: Tx) -> range:
    """The rows of a window; SQLite has one writer at a time, so one does."""
    return range(_STRIPES if tx.dialect.name == "postgresql" else 1)


def _locked(tx: Tx, windows: Windows) -> list[Row]:
    """The rows of the windows, all of them there and locked until the transaction ends."""
    for stripe in _stripes(tx):
        tx.write(sql.ADD_SPENT, _values(windows) | {"stripe": stripe, "held": 0, "used": 0})
    return tx.rows(*_asked(windows))


def _asked(windows: Windows) -> Query:
    return (sql.SPENT, _values(windows))


def _values(windows: Windows) -> dict[str, object]:
    return {"day": windows.day, "month": windows.month}


def _read(rows: Iterable[Row]) -> defaultdict[Window, Spent]:
    """What each window counts."""
    found = {row.per: Spent(held=row.held, used=row.used, warned=row.warned, stopped=row.stopped) for row in rows}
    return defaultdict(Spent, found)
