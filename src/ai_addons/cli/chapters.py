"""What the demo has to tell, chapter by chapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.catalog import Offer
    from ai_addons.features.shop.pages import Grid
    from ai_addons.money import Credits, Money
    from ai_addons.receipt import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where everything happens."""

    shop: str
    business: str
    products: int
    customers: int
    models: tuple[str, ...]
    offline: bool
    books: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The credits a new shop starts with."""

    granted: Credits
    balance: Credits


@dataclass(frozen=True, slots=True)
class Sent:
    """A text of the shop's, and what leaves of it."""

    typed: str
    sent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A feature's answer with its receipt.

    Attributes:
        feature: Name for people.
        subject: What was asked about.
        text: The answer, paragraph by paragraph.
        sent: What was masked, None if nothing was.
        receipt: What it cost.
        note: Why this is shown.
    """

    feature: str
    subject: str
    text: tuple[str, ...]
    sent: Sent | None
    receipt: Receipt
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that was not made because credits were short."""

    feature: str
    subject: str
    required: Credits
    available: Credits
    shortfall: Credits
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A pack that was ordered and paid.

    Attributes:
        pack: Its type.
        price: What it costs.
        order: Id of the order.
        state: Where the order stands.
        gateway: Who took the money; the demo's own moves none.
        granted: Credits added.
        balance: Credits available now.
    """

    pack: str
    price: Money
    order: str
    state: str
    gateway: str
    granted: Credits
    balance: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """Something that only the operator can mend."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The ledger at the end."""

    business: str
    entries: tuple[LedgerEntry, ...]
    balance: Credits
    held: Credits
    sound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the features are fed with.

    Attributes:
        since: Day of the first sale.
        until: The day the records describe.
        lines: Lines of sales.
        items: Items of the stock.
        bills: Bills of credit customers, paid or not.
    """

    since: date
    until: date
    lines: int
    items: int
    bills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an owner reads of a feature, with its receipt.

    Attributes:
        key: Stable name of the feature.
        feature: Its name for people.
        price: What it costs.
        subject: What was asked about.
        headline: The one line to read.
        text: The rest, paragraph by paragraph.
        grid: The figures, None where there are none to line up.
        picture: What its chart shows, line by line; empty without a chart.
        notes: What to bear in mind about the result.
        receipt: What it cost.
    """

    key: str
    feature: str
    price: Credits
    subject: str
    headline: str
    text: tuple[str, ...]
    grid: Grid | None
    picture: tuple[str, ...]
    notes: tuple[str, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A feature that was not asked, and why."""

    key: str
    feature: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What everything cost together.

    Attributes:
        rows: Name, price and charge of each call.
        charged: Credits in all.
        pack: The pack by which credits are worth money here.
        worth: What the credits cost at its price, None where no such pack is sold.
    """

    rows: tuple[tuple[str, Credits, Credits], ...]
    charged: Credits
    pack: str
    worth: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The pictures that were written, or why there are none."""

    folder: str
    files: tuple[str, ...]
    why_not: str = ""


Chapter = Opening | Trial | Answered | Refused | Bought | Alerted | Books | Records | Shown | Skipped | Sum | Drawn
