"""The receivables by age: buckets, roll rates, portfolio at risk, days sales outstanding, concentration.

The measures are those of any aged trial balance; DSO is the balance method (receivables / credit
sales x days), PAR30 that of micro-finance reporting (owed on what is more than 30 days overdue / all owed).
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis.models import BUCKETS, AgeingBucket, CollectionTotals, RollRate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from ai_addons.features.collection_analysis.models import Bucket, MonthEndAmount, OpenInvoice, Receivables
    from ai_addons.features.collection_analysis.ranking import Standing

SALES_DAYS: Final = 90
TOP: Final = 10
_UPPER: Final = (0, 30, 60, 90)
_PLACES: Final = Decimal("0.0001")
_TENTH: Final = Decimal("0.1")
_CENT: Final = Decimal("0.01")
_FIFTH: Final = 5
_AT_RISK, _DEEP_AT_RISK = 30, 60


def bucket_of(days_overdue: int) -> Bucket:
    """The bucket of a bill; on its due date it is still current."""
    for bucket, upper in zip(BUCKETS, _UPPER, strict=False):
        if days_overdue <= upper:
            return bucket
    return BUCKETS[-1]


def share(part: Decimal, whole: Decimal) -> Decimal:
    """A share to four places; 0 of nothing."""
    return (part / whole).quantize(_PLACES, ROUND_HALF_UP) if whole else Decimal(0)


def owed(bills: Iterable[OpenInvoice]) -> Decimal:
    """What is left to pay on some bills, in GHS."""
    return sum((bill.outstanding for bill in bills), Decimal(0))


def ageing(bills: Sequence[OpenInvoice], as_of: date) -> tuple[AgeingBucket, ...]:
    """What is owed in each of the five buckets."""
    total = owed(bills)
    return tuple(_bucket(name, [bill for bill in bills if _bucket_on(bill, as_of) == name], total) for name in BUCKETS)


def _bucket(name: Bucket, inside: Sequence[OpenInvoice], total: Decimal) -> AgeingBucket:
    return AgeingBucket(
        bucket=name,
        amount=owed(inside),
        share=share(owed(inside), total),
        invoices=len(inside),
        customers=len({bill.customer_ref for bill in inside}),
    )


def _bucket_on(bill: OpenInvoice, as_of: date) -> Bucket:
    return bucket_of((as_of - bill.due).days)


def roll_rates(month_end: Sequence[MonthEndAmount], bills: Iterable[OpenInvoice], as_of: date) -> tuple[RollRate, ...]:
    """The share of each bucket's month-end amount that is now in the next older bucket.

    What was paid since is in the amount, not in what rolled; a bill counts with no more than was open
    then. The oldest bucket has no next one.
    """
    now = {bill.ref: (_bucket_on(bill, as_of), bill.outstanding) for bill in bills}
    found: list[RollRate] = []
    for name, older in pairwise(BUCKETS):
        rows = [row for row in month_end if row.bucket == name]
        amount = sum((row.amount for row in rows), Decimal(0))
        moved = [(row, *now[row.ref]) for row in rows if row.ref in now]
        rolled = sum((min(row.amount, left) for row, at, left in moved if at == older), Decimal(0))
        if rows:
            found.append(
                RollRate(
                    bucket=name,
                    month_end_amount=amount,
                    rolled=rolled,
                    rate=share(rolled, amount),
                    invoices=len(rows),
                )
            )
    return tuple(found)


def totals(receivables: Receivables, bills: Sequence[OpenInvoice], found: Sequence[Standing]) -> CollectionTotals:
    """The receivables in a few figures.

    Args:
        receivables: The input.
        bills: The bills on which something is owed.
        found: The customers who owe.
    """
    total = owed(bills)
    days = {bill.ref: (receivables.as_of - bill.due).days for bill in bills}
    by_size = sorted((one.outstanding for one in found), reverse=True)
    return CollectionTotals(
        outstanding=total,
        overdue=owed(bill for bill in bills if days[bill.ref] > 0),
        expected_unpaid=sum((one.expected for one in found), Decimal(0)).quantize(_CENT, ROUND_HALF_UP),
        customers=len(found),
        customers_overdue=sum(one.overdue > 0 for one in found),
        invoices=len(bills),
        par30=share(owed(bill for bill in bills if days[bill.ref] > _AT_RISK), total),
        par60=share(owed(bill for bill in bills if days[bill.ref] > _DEEP_AT_RISK), total),
        dso=_dso(total, receivables.credit_sales_90d),
        top_10_share=share(sum(by_size[:TOP], Decimal(0)), total),
        top_fifth_share=share(sum(by_size[: math.ceil(len(by_size) / _FIFTH)], Decimal(0)), total),
    )


def _dso(total: Decimal, sales: Decimal) -> Decimal | None:
    return (total / sales * SALES_DAYS).quantize(_TENTH, ROUND_HALF_UP) if sales else None
