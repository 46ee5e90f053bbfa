"""A shop's stock, sales and bills: the rows that all features are fed from, and the CSV files that may hold them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, Field

from ai_addons.features._inputs import Count, Ghs, Name, SignedGhs, Strict, Units
from ai_addons.features.collection_analysis import OpenInvoice
from ai_addons.features.loading import BadTable, rows
from ai_addons.features.shop.records import unreadable
from ai_addons.privacy.fields import Pii

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)

PaidBy: TypeAlias = Literal["cash", "momo", "credit"]
"""How a sale was paid."""

_FILES: Final = {"contacts": "customers.csv"}
"""Files with another name than their table."""

_Whole: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]


class SaleLine(Strict):
    """One item of one sale (sales.csv)."""

    day: date
    """When."""
    sale: Name
    """Number of the sale; its lines share it."""
    customer: Annotated[Name | None, Pii.NAME] = None
    """Who; empty for a customer who is not known."""
    item: Name
    """What, as it is called in stock.csv."""
    units: Units
    """How many; below zero for goods that came back."""
    amount: SignedGhs
    """Paid or owed for them after discount, in GHS; below zero for goods that came back."""
    discount: Ghs = Decimal(0)
    """Given away, in GHS."""
    paid_by: PaidBy
    """How."""


class StockLine(Strict):
    """One item on the shelves (stock.csv)."""

    item: Name
    """What it is called."""
    category: Name
    """Where it stands."""
    stock: Annotated[Units, Field(ge=0)]
    """Units in the shop."""
    on_order: Annotated[Units, Field(ge=0)] = Decimal(0)
    """Units ordered and not yet there."""
    pack_size: _Whole = 1
    """Units of a pack."""
    moq: _Whole = 1
    """Fewest units that the supplier sells."""
    lead_days: Annotated[int, Field(ge=0, le=180)]
    """Days from an order to its arrival."""
    review_days: Annotated[int, Field(ge=1, le=60)] = 7
    """Days between two looks at the stock."""
    shelf_life_days: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Days that fresh goods keep; empty if they do not expire."""
    unit_cost: Ghs
    """Cost of a unit, in GHS."""
    unit_price: Ghs | None = None
    """Price of a unit, in GHS."""


class InvoiceLine(OpenInvoice):
    """One bill, paid or not (invoices.csv)."""

    paid: date | None = None
    """When it was paid in full; empty while it is open."""


class ContactLine(Strict):
    """Whether a credit customer may be reminded (customers.csv, beside what an assessment takes)."""

    customer: Annotated[Name, Pii.NAME]
    """Who."""
    current_limit: Ghs
    """Present credit limit, in GHS."""
    tenure_months: Count
    """Months as a customer."""
    consent: bool = False
    """Whether the customer agreed to be reminded; without it nobody is."""
    opted_out: bool = False
    """Whether the customer asked for no more messages."""


class BadTrade(BadTable):
    """Rows do not fit together; none of them was used.

    Attributes:
        table: Which ones: ``sales``, ``stock``, ``invoices`` or ``contacts``.
        what: What is wrong with them.
    """

    def __init__(self, *, table: str, what: str) -> None:
        super().__init__(f"{table}: {what}")
        self.table: str = table
        self.what: str = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What a shop sold, has, is owed, and whom it may write to.

    Attributes:
        as_of: The day the records describe.
        sales: Lines of sales, in any order.
        stock: Items.
        invoices: Bills, paid or not.
        contacts: Credit customers.

    Raises:
        BadTrade: If something is there twice, an item that was sold is unknown, or a day lies in the future.
    """

    as_of: date
    sales: tuple[SaleLine, ...]
    stock: tuple[StockLine, ...]
    invoices: tuple[InvoiceLine, ...] = ()
    contacts: tuple[ContactLine, ...] = ()

    def __post_init__(self) -> None:
        """Check that the rows fit together."""
        _check(self)


def read_trade(folder: Path, *, as_of: date) -> Trade:
    """Read sales.csv, stock.csv, invoices.csv and customers.csv; dates such as 03/04/2026 are day first.

    Args:
        folder: Where they are.
        as_of: The day the records describe.

    Raises:
        BadRecord: If a file is missing or cannot be read, or the files do not fit together.
    """
    sales, stock = _read(SaleLine, folder / "sales.csv"), _read(StockLine, folder / "stock.csv")
    invoices = _read(InvoiceLine, folder / "invoices.csv", {"customer_ref": "customer"})
    contacts = _read(ContactLine, folder / _FILES["contacts"])
    for name, lines in (("sales.csv", sales), ("stock.csv", stock)):
        if not lines:
            raise unreadable(folder / name, "has no line below its header")
    try:
        return Trade(as_of=as_of, sales=sales, stock=stock, invoices=invoices, contacts=contacts)
    except BadTrade as error:
        raise unreadable(folder / _FILES.get(error.table, f"{error.table}.csv"), error.what) from None


def _read(model: type[M], path: Path, columns: Mapping[str, str] | None = None) -> tuple[M, ...]:
    try:
        return rows(model, path, columns=columns, dates="day_first").rows
    except BadTable as error:
        # What the loader says of columns is for whoever can change the call; here only the file can be changed.
        named = "" if error.errors else f" Its columns are {', '.join(_columns(model, columns or {}))}"
        raise unreadable(path, f"{str(error).removesuffix('.')}.{named}".rstrip(".")) from None
    except OSError as error:
        raise unreadable(path, f"cannot be opened ({error.strerror})") from None


def _columns(model: type[BaseModel], columns: Mapping[str, str]) -> list[str]:
    return [
        columns.get(name, name) + ("" if field.is_required() else " (optional)")
        for name, field in model.model_fields.items()
    ]


def _check(trade: Trade) -> None:
    """Nothing from the future, nothing twice, and every item that was sold is known."""
    items = [line.item for line in trade.stock]
    _once("stock", "item", items)
    _once("invoices", "ref", [bill.ref for bill in trade.invoices])
    _once("contacts", "customer", [line.customer for line in trade.contacts])
    if unknown := sorted({line.item for line in trade.sales} - set(items)):
        what = f"sells {unknown[0]!r}, which stock does not have"
        raise BadTrade(table="sales", what=what)
    _past("sales", trade.as_of, (line.day for line in trade.sales))
    known = (day for bill in trade.invoices for day in (bill.issued, bill.paid, bill.last_contact) if day is not None)
    _past("invoices", trade.as_of, known)


def _once(table: str, column: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        raise BadTrade(table=table, what=f"has the same {column} twice")


def _past(table: str, as_of: date, days: Iterable[date]) -> None:
    if any(day > as_of for day in days):
        raise BadTrade(table=table, what=f"has a day after as_of, {as_of}")
