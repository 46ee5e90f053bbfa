"""A shop's stock, sales and bills from CSV files, read by `ai_addons.features.loading` as a host would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, Field

from ai_addons.cli.records import unreadable
from ai_addons.features._inputs import Count, Ghs, Name, SignedGhs, Strict, Units
from ai_addons.features.collection_analysis import OpenInvoice
from ai_addons.features.loading import BadTable, rows
from ai_addons.privacy.fields import Pii

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)

PaidBy: TypeAlias = Literal["cash", "momo", "credit"]
"""How a sale was paid."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What a shop sold, has, is owed, and whom it may write to.

    Attributes:
        as_of: The day the records describe.
        sales: Lines of sales, in any order.
        stock: Items.
        invoices: Bills, paid or not.
        contacts: Credit customers.
    """

    as_of: date
    sales: tuple[SaleLine, ...]
    stock: tuple[StockLine, ...]
    invoices: tuple[InvoiceLine, ...]
    contacts: tuple[ContactLine, ...]


def read_trade(folder: Path, *, as_of: date) -> Trade:
    """Read sales.csv, stock.csv, invoices.csv and customers.csv; dates such as 03/04/2026 are day first.

    Args:
        folder: Where they are.
        as_of: The day the records describe.

    Raises:
        BadRecord: If a file is missing or cannot be read, or the files do not fit together.
    """
    trade = Trade(
        as_of=as_of,
        sales=_read(SaleLine, folder / "sales.csv"),
        stock=_read(StockLine, folder / "stock.csv"),
        invoices=_read(InvoiceLine, folder / "invoices.csv", {"customer_ref": "customer"}),
        contacts=_read(ContactLine, folder / "customers.csv"),
    )
    _check(folder, trade)
    return trade


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


def _check(folder: Path, trade: Trade) -> None:
    """Nothing from the future, nothing twice, and every item that was sold is known."""
    if not trade.sales or not trade.stock:
        raise unreadable(folder / ("stock.csv" if trade.sales else "sales.csv"), "has no line below its header")
    items = [line.item for line in trade.stock]
    refs = [bill.ref for bill in trade.invoices]
    names = [line.customer for line in trade.contacts]
    _once(folder / "stock.csv", "item", items)
    _once(folder / "invoices.csv", "ref", refs)
    _once(folder / "customers.csv", "customer", names)
    if unknown := sorted({line.item for line in trade.sales} - set(items)):
        raise unreadable(folder / "sales.csv", f"sells {unknown[0]!r}, which stock.csv does not have")
    future = ("has a day after as_of", trade.as_of)
    _past(folder / "sales.csv", future, (line.day for line in trade.sales))
    known = (day for bill in trade.invoices for day in (bill.issued, bill.paid, bill.last_contact) if day is not None)
    _past(folder / "invoices.csv", future, known)


def _once(path: Path, column: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        raise unreadable(path, f"has the same {column} twice")


def _past(path: Path, complaint: tuple[str, date], days: Iterable[date]) -> None:
    text, as_of = complaint
    if any(day > as_of for day in days):
        raise unreadable(path, f"{text}, {as_of}; see shop.toml")
