"""What the pages of a shop show, beside the buttons."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ai_addons.features.shop import SaleLine
from ai_addons.features.shop.inputs import MONTH, open_bills, totals, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pos.records import Records

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""The components need no exception: no inline script, no inline style, no other machine."""

_LATEST: Final = 8
_MONTHS: Final = 6
_WAYS: Final = frozenset({"cash", "momo"})


def till(records: Records) -> dict[str, Any]:
    """Sales of today, and a form for one more."""
    today = within(records.trade.sales, records.trade.as_of, timedelta(days=1))
    latest = sorted(records.trade.sales, key=lambda line: int(line.sale), reverse=True)[:_LATEST]
    return {"today": totals(today, records.trade.stock), "latest": latest, "stock": records.trade.stock}


def products(records: Records) -> dict[str, Any]:
    """What can be described, and what lies on the shelves."""
    return {"products": records.products, "stock": records.trade.stock}


def customers(records: Records) -> dict[str, Any]:
    """Credit customers with what they owe."""
    owed: dict[str, Decimal] = defaultdict(Decimal)
    due: dict[str, date] = {}
    for bill in open_bills(records.trade):
        owed[bill.customer_ref] += bill.outstanding
        due[bill.customer_ref] = min(bill.due, due.get(bill.customer_ref, bill.due))
    rows = [
        {"name": one.name, "limit": one.assessment_input.current_limit, "asks": one.assessment_input.requested_ghs}
        | {"owed": owed[one.name], "due": due.get(one.name), "late": due.get(one.name, date.max) < records.trade.as_of}
        for one in records.customers
    ]
    return {"customers": rows}


def reports(records: Records) -> dict[str, Any]:
    """Six times thirty days, the latest first."""
    ends = [records.trade.as_of - back * MONTH for back in range(_MONTHS)]
    return {"months": [(end, totals(within(records.trade.sales, end), records.trade.stock)) for end in ends]}


PAGES: Final[Mapping[str, tuple[str, Callable[[Records], dict[str, Any]]]]] = {
    "till": ("Till", till),
    "products": ("Products", products),
    "customers": ("Credit customers", customers),
    "reports": ("Reports", reports),
}
"""Title and content by address."""


def sale(records: Records, form: Mapping[str, str]) -> SaleLine:
    """A sale as the till's form has it.

    Raises:
        ValueError: If the form is not filled in as it should be.
        LookupError: If there is no such item.
    """
    item = {line.item: line for line in records.trade.stock}[form["item"]]
    units, way = int(form["units"]), form["paid_by"]
    if not 1 <= units <= item.stock or item.unit_price is None or way not in _WAYS:
        msg = "Sell at least one, and no more than there are."
        raise ValueError(msg)
    number = 1 + max(int(line.sale) for line in records.trade.sales)
    return SaleLine.model_validate(
        {"day": records.trade.as_of, "sale": str(number), "item": item.item, "units": units, "paid_by": way}
        | {"amount": units * item.unit_price}
    )
