"""The chance that a bill is past due and unpaid in two weeks.

A logistic function of how the customer paid before and of how long the bill is
overdue. Its weights were set once by hand and are not tuned; the customer's own
record is shrunk towards the shop's, as with a beta prior worth four bills
(additive smoothing), so that one late bill does not condemn anybody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from ai_addons.features.collection_analysis.models import CollectionPolicy, SettledInvoice

VERSION: Final = "hand-1"
HISTORY_DAYS: Final = 730
PRIOR_BILLS: Final = 4
_BASE: Final = -2.2
_PER_LATE_SHARE: Final = 3.0
_PER_DAY_OVERDUE: Final = 0.06
_PER_MEAN_DAY: Final = 0.03
_EARLIEST, _LATEST = -30, 45
_PLACES: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How somebody pays.

    Attributes:
        n: Settled bills it stands on.
        late_share: Share, 0 to 1, of bills paid after their due date.
        mean_days: Mean days late, bills in time counting 0.
    """

    n: int
    late_share: float
    mean_days: float


def recent(settled: Iterable[SettledInvoice], as_of: date) -> list[SettledInvoice]:
    """The bills issued in the last 730 days."""
    start = as_of - timedelta(days=HISTORY_DAYS)
    return [bill for bill in settled if bill.issued >= start]


def shop_habit(settled: Sequence[SettledInvoice], policy: CollectionPolicy) -> Habit:
    """How the shop's customers pay together; the policy's assumption without a settled bill."""
    if not settled:
        return Habit(n=0, late_share=float(policy.assumed_late_share), mean_days=float(policy.assumed_days_late))
    late = [days_late(bill) for bill in settled]
    return Habit(n=len(late), late_share=sum(days > 0 for days in late) / len(late), mean_days=sum(late) / len(late))


def customer_habit(settled: Sequence[SettledInvoice], shop: Habit) -> Habit:
    """How one customer pays: (own sum + 4 x shop) / (n + 4)."""
    late = [days_late(bill) for bill in settled]
    weight = len(late) + PRIOR_BILLS
    return Habit(
        n=len(late),
        late_share=(sum(days > 0 for days in late) + PRIOR_BILLS * shop.late_share) / weight,
        mean_days=(sum(late) + PRIOR_BILLS * shop.mean_days) / weight,
    )


def days_late(bill: SettledInvoice) -> int:
    """Days past due on which a bill was paid; 0 in time."""
    return max(0, (bill.paid - bill.due).days)


def chance_unpaid(habit: Habit, days_overdue: int) -> Decimal:
    """The chance, 0 to 1, of being past due and unpaid in 14 days, to four places.

    1 / (1 + exp(-(-2.2 + 3.0 late_share + 0.06 clip(d, -30, 45) + 0.03 mean_days))), weights set by hand.

    Args:
        habit: How the customer pays.
        days_overdue: Days past due; negative before the due date.
    """
    clipped = min(max(days_overdue, _EARLIEST), _LATEST)
    score = _BASE + _PER_LATE_SHARE * habit.late_share + _PER_DAY_OVERDUE * clipped + _PER_MEAN_DAY * habit.mean_days
    return Decimal(1 / (1 + math.exp(-score))).quantize(_PLACES, ROUND_HALF_UP)
