"""`customer_insight` on the development slice: segments, and how well scores order who buys again.

20 weeks to 24 April 2011, then the 10 weeks after, 388 customers. Online Retail, D. Chen (2015), UCI,
CC BY 4.0; a slice.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.customer_insight.segments import customers, scored
from benchmarks._features_rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ai_addons.features.customer_insight.models import Segment
    from ai_addons.features.customer_insight.segments import Scored

AUC: Final = "AUC of buying again"
TOP_FIFTH: Final = "share of later spend in the top fifth"
OURS: Final = "return score"
_UNTIL: Final = date(2011, 4, 24)
_SEGMENTS: Final[Mapping[Segment, int]] = {
    "champions": 40,
    "loyal": 37,
    "promising": 50,
    "new": 54,
    "at_risk": 11,
    "hibernating": 22,
    "one_off": 174,
}
_REFERENCE: Final = {
    "recency only": ("0.617", "0.464"),
    "RFM sum": ("0.692", "0.697"),
    OURS: ("0.698", "0.786"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """An order, or a cancellation."""

    customer_ref: str
    day: date
    amount: Decimal


def measure(data: Path) -> list[Row]:
    """Work out the reference's figures from the slice.

    Args:
        data: The folder with `orders.csv`.

    Raises:
        FileNotFoundError: If there is no slice.
    """
    orders = list(_orders(data))
    found, _ = customers((one for one in orders if one.day <= _UNTIL), _UNTIL)
    later: dict[str, Decimal] = defaultdict(Decimal)
    for one in orders:
        if one.day > _UNTIL and one.amount > 0:
            later[one.customer_ref] += one.amount
    rows = scored(found)
    sizes = Counter(row.segment for row in rows)
    return [
        Row(what="customers", figure=len(found), reference=388, digits=0),
        *(
            Row(what=f"segment {name}", figure=sizes[name], reference=size, digits=0)
            for name, size in _SEGMENTS.items()
        ),
        *_rules(rows, later),
    ]


def _orders(data: Path) -> Iterator[Order]:
    with (data / "orders.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Order(row["customer_id"], date.fromisoformat(row["ordered_at"][:10]), Decimal(row["amount"]))


def _rules(rows: Sequence[Scored], later: Mapping[str, Decimal]) -> Iterator[Row]:
    scores: dict[str, list[float]] = {
        "recency only": [-row.customer.recency for row in rows],
        "RFM sum": [row.rfm for row in rows],
        OURS: [row.customer.return_score for row in rows],
    }
    spend = [later.get(row.customer.ref, Decimal()) for row in rows]
    for name, score in scores.items():
        area, share = (Decimal(value) for value in _REFERENCE[name])
        yield Row(what=AUC, method=name, figure=auc(score, [one > 0 for one in spend]), reference=area)
        yield Row(what=TOP_FIFTH, method=name, figure=top_fifth(score, spend), reference=share)


def auc(score: Sequence[float], came: Sequence[bool]) -> Decimal:
    """The chance that one who came back is ranked above one who did not; ties count half."""
    back = [value for value, yes in zip(score, came, strict=True) if yes]
    gone = [value for value, yes in zip(score, came, strict=True) if not yes]
    wins = sum(2 * (one > other) + (one == other) for one in back for other in gone)
    return (Decimal(wins) / (2 * len(back) * len(gone))).quantize(Decimal("0.001"))


def top_fifth(score: Sequence[float], spend: Sequence[Decimal]) -> Decimal:
    """The share of the later spend that the best fifth by score held; ties by reference, the order of the rows."""
    order = sorted(range(len(score)), key=lambda at: -score[at])[: len(score) // 5]
    return (sum((spend[at] for at in order), Decimal()) / sum(spend, Decimal())).quantize(Decimal("0.001"))
