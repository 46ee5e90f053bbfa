"""Whom to contact first: our ranking against the usual ways, on invented receivables.

For each of 19 fortnightly dates a method ranks the
open bills (or customers); what counts is the share of soon-bad money, owed on bills that are past due and
unpaid 14 days later, that lies within its first 20 %, and the hit rate: the share of those that turn out so.
The figures of the reference are of one set of real business invoices, ours of generated ones: only the order
of the methods can be compared.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis.ageing import bucket_of
from ai_addons.features.collection_analysis.chance import chance_unpaid, customer_habit, shop_habit
from ai_addons.features.collection_analysis.models import BUCKETS, CollectionPolicy
from benchmarks._features_receivables import bills, fortnights, open_on
from benchmarks._features_rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from ai_addons.features.collection_analysis.chance import Habit
    from ai_addons.features.collection_analysis.models import SettledInvoice
    from benchmarks._features_receivables import History

OURS: Final = "hand formula x amount"
MONEY: Final = "soon-bad money in the first fifth, by invoice (generated)"
HITS: Final = "hit rate of the first fifth, by invoice (generated)"
CUSTOMERS: Final = "soon-bad money in the first fifth, by customer (generated)"
SEEDS: Final = tuple(range(10))
TOP: Final = 0.2
_REFERENCE: Final[Mapping[str, tuple[float | None, float | None, float | None]]] = {
    "random": (0.23, 0.12, None),
    "largest first": (0.28, 0.12, 0.50),
    "days overdue x amount": (0.28, 0.14, None),
    "ageing bucket, then amount": (0.30, 0.15, None),
    "oldest first": (0.36, 0.19, 0.42),
    OURS: (0.60, 0.31, 0.65),
}
"""Share of soon-bad money and hit rate by invoice, share by customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One open bill, or all of a customer's, as a method sees it and as it turned out.

    Attributes:
        amount: Owed, in GHS.
        days: Days overdue, of the oldest.
        expected: Our chance times what is owed, summed.
        lot: A number drawn for it.
        bad: Owed on bills that are past due and unpaid in 14 days.
    """

    amount: float
    days: int
    expected: float
    lot: float
    bad: float


METHODS: Final[Mapping[str, Callable[[Item], tuple[float, ...]]]] = {
    "random": lambda item: (item.lot,),
    "largest first": lambda item: (item.amount,),
    "days overdue x amount": lambda item: (item.days * item.amount,),
    "ageing bucket, then amount": lambda item: (BUCKETS.index(bucket_of(item.days)), item.amount),
    "oldest first": lambda item: (item.days,),
    OURS: lambda item: (item.expected,),
}


def measure(seeds: Sequence[int] = SEEDS) -> list[Row]:
    """Every method by invoice and by customer.

    Args:
        seeds: Which invented shops; the figures are means over them and their dates.

    Returns:
        Figures; the reference's are of its own data.
    """
    dates = [found for seed in seeds for found in _dates(seed)]
    rows: list[Row] = []
    for name, key in METHODS.items():
        invoice, hit, customer = _REFERENCE[name]
        by_invoice = [score(items, key) for items, _ in dates]
        by_customer = [score(items, key) for _, items in dates]
        rows += [
            Row(what=MONEY, method=name, figure=_mean(by_invoice, 0), reference=invoice, digits=2),
            Row(what=HITS, method=name, figure=_mean(by_invoice, 1), reference=hit, digits=2),
            Row(what=CUSTOMERS, method=name, figure=_mean(by_customer, 0), reference=customer, digits=2),
        ]
    return rows


def score(items: Sequence[Item], key: Callable[[Item], tuple[float, ...]]) -> tuple[float, float]:
    """The share of soon-bad money inside the top 20 %, and the share of these items that turned bad."""
    ranked = sorted(items, key=key, reverse=True)
    top = ranked[: max(1, round(TOP * len(ranked)))]
    everything = sum(item.bad for item in items)
    return sum(item.bad for item in top) / everything, sum(item.bad > 0 for item in top) / len(top)


def _mean(scores: Sequence[tuple[float, float]], place: int) -> float:
    return statistics.fmean(found[place] for found in scores)


def _dates(seed: int) -> list[tuple[list[Item], list[Item]]]:
    """The open bills and the customers who owe at each date at which some money turns bad."""
    everything, draw = bills(seed), Random(seed)  # noqa: S311  # lots, not secrets
    found = (_items(everything, day, draw) for day in fortnights())
    bad = (one for one in found if any(item.bad for _, item in one))
    return [([item for _, item in one], _together(one, draw)) for one in bad]


def _items(everything: Sequence[History], day: date, draw: Random) -> list[tuple[str, Item]]:
    habits = _habits(everything, day)
    return [(bill.debtor, _item(bill, day, habits[bill.debtor], draw)) for bill in open_on(everything, day)]


def _habits(everything: Sequence[History], day: date) -> dict[str, Habit]:
    """How each customer paid what was paid before a day."""
    settled = [bill.as_settled() for bill in everything if bill.paid <= day]
    shop = shop_habit(settled, CollectionPolicy())
    own: dict[str, list[SettledInvoice]] = defaultdict(list)
    for bill in settled:
        own[bill.customer_ref].append(bill)
    return {ref: customer_habit(own[ref], shop) for ref in {bill.debtor for bill in everything}}


def _item(bill: History, day: date, habit: Habit, draw: Random) -> Item:
    owed, days = float(bill.outstanding(day)), (day - bill.due).days
    return Item(
        amount=owed,
        days=days,
        expected=float(chance_unpaid(habit, days)) * owed,
        lot=draw.random(),
        bad=owed if bill.soon_bad(day) else 0.0,
    )


def _together(found: Sequence[tuple[str, Item]], draw: Random) -> list[Item]:
    """All of a customer's bills as one item."""
    own: dict[str, list[Item]] = defaultdict(list)
    for ref, item in found:
        own[ref].append(item)
    return [
        Item(
            amount=sum(item.amount for item in items),
            days=max(item.days for item in items),
            expected=sum(item.expected for item in items),
            lot=draw.random(),
            bad=sum(item.bad for item in items),
        )
        for items in own.values()
    ]
