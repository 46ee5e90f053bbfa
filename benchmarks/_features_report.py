"""`report_summary` on the development slice: where the change from May to June comes from, and the odd days.

Online Retail, D. Chen (2015), UCI, CC BY 4.0; a slice. Amounts are pounds.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.report_summary.bridge import Line, sales_bridge
from ai_addons.features.report_summary.odd_days import odd_days, scored_days
from benchmarks._features_rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAY: Final = (2011, 5)
_JUNE: Final = (2011, 6)


def measure(data: Path) -> list[Row]:
    """Work out the reference's figures from the slice.

    Args:
        data: The folder with `sales.csv`.

    Raises:
        FileNotFoundError: If there is no slice.
    """
    sales = list(_sales(data))
    parts = sales_bridge(_lines(sales))
    days: dict[date, Decimal] = defaultdict(Decimal)
    for day, _, units, price in sales:
        days[day] += units * price
    money = (
        ("change in sales, June against May", parts.change, "4837.80"),
        ("price", parts.price, "-2495.08"),
        ("volume", parts.volume, "4186.20"),
        ("mix", parts.mix, "2019.88"),
        ("new", parts.new, "1324.25"),
        ("lost", parts.lost, "-197.45"),
    )
    return [
        *(Row(what=what, figure=figure, reference=Decimal(there), digits=2) for what, figure, there in money),
        Row(what="days that can be tested", figure=len(scored_days(days)), reference=128, digits=0),
        Row(what="odd days among them", figure=len(odd_days(days)), reference=9, digits=0),
    ]


def _sales(data: Path) -> Iterator[tuple[date, str, Decimal, Decimal]]:
    """The positive lines: day, product, units, price of one."""
    with (data / "sales.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            units = Decimal(row["quantity"])
            if units > 0:
                yield date.fromisoformat(row["invoiced_at"][:10]), row["stock_code"], units, Decimal(row["unit_price"])


def _lines(sales: list[tuple[date, str, Decimal, Decimal]]) -> list[Line]:
    """All products, in one category."""
    sums: dict[str, dict[tuple[int, int], list[Decimal]]] = defaultdict(lambda: defaultdict(lambda: [Decimal()] * 2))
    for day, product, units, price in sales:
        month = sums[product][day.year, day.month]
        month[:] = [month[0] + units, month[1] + units * price]
    return [
        Line(
            category="all",
            units=by_month[_JUNE][0],
            sales=by_month[_JUNE][1],
            prior_units=by_month[_MAY][0],
            prior_sales=by_month[_MAY][1],
        )
        for by_month in sums.values()
    ]
