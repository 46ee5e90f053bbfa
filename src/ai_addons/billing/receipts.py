"""Receipts for payments and credit notes for refunds: what stands on them. Pure.

How they look is `receipt_pages`; which number they have is `receipt_numbers`. The
receipt of a call is another thing: `ai_addons.receipt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ai_addons.billing.periods import from_micros
from ai_addons.billing.profile import ACCRA, BusinessProfile
from ai_addons.billing.receipt_pages import as_html, as_text
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ai_addons.billing.tax import Taxed
    from ai_addons.money import Credits, Money
    from ai_addons.settings import ReceiptSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who sells.

    Attributes:
        name: Its legal name.
        address: Lines of its address.
        tax_id: Its tax number.
        phone: For questions.
        email: For questions.
    """

    name: str
    address: tuple[str, ...] = ()
    tax_id: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOrder:
    """An order that was paid.

    Attributes:
        id: The order's id.
        business: Id of who bought.
        buyer: What the host knows of it: its name, its tax number, its zone.
        pack: What was bought, e.g. ``VALUE``.
        credits: Credits received, bonus included.
        bonus: How many of them are a bonus.
        price: What was asked for, in cedis, taxes included.
        charged: What was charged, in the currency of the charge.
        rate: Cedis for one unit of that currency; None where it is cedis.
        paid_at: UTC microseconds.
        method: How it was paid, for people: ``Mobile Money``, ``Card``.
        gateway: Through whom, e.g. ``paystack``.
        gateway_reference: What the gateway calls it.
    """

    id: str
    business: str
    buyer: BusinessProfile
    pack: str
    credits: Credits
    bonus: Credits
    price: Money
    charged: Money
    rate: Decimal | None = None
    paid_at: int
    method: str
    gateway: str
    gateway_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceipt:
    """A receipt.

    Attributes:
        number: As it is printed.
        seller: Who sells.
        order: What was paid.
        taxed: Its price, divided.

    Raises:
        ValueError: If that is not the price of the order.
    """

    number: str
    seller: Seller
    order: PaidOrder
    taxed: Taxed

    def __post_init__(self) -> None:
        """Refuse a receipt over another sum."""
        if self.taxed.gross != self.order.price:
            msg = f"a receipt over {self.taxed.gross} is not one for an order of {self.order.price}"
            raise ValueError(msg)

    @property
    def text(self) -> str:
        """As plain text, for a till's printer."""
        return as_text(receipt_paper(self))

    @property
    def html(self) -> str:
        """As a whole page to print."""
        return as_html(receipt_paper(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """What corrects a receipt after a refund; the receipt itself is never changed.

    Attributes:
        number: As it is printed.
        receipt: What it corrects.
        taxed: The refunded sum, divided (`tax.part_of`).
        credits: Credits taken back; fewer than were bought for it where some were spent.
        refunded_at: UTC microseconds.
        reason: Why, for the buyer.

    Raises:
        ValueError: If more is refunded than was paid.
    """

    number: str
    receipt: PaymentReceipt
    taxed: Taxed
    credits: Credits
    refunded_at: int
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a note over more than was paid, or in another currency."""
        paid, back = self.receipt.taxed.gross, self.taxed.gross
        if back.currency != paid.currency or not 0 < back.minor <= paid.minor:
            msg = f"a credit note over {back} corrects no receipt over {paid}"
            raise ValueError(msg)

    @property
    def text(self) -> str:
        """As plain text, for a till's printer."""
        return as_text(note_paper(self))

    @property
    def html(self) -> str:
        """As a whole page to print."""
        return as_html(note_paper(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What stands on a receipt or a note, from top to bottom; the same on paper and on a page.

    Attributes:
        title: What it is.
        number: Its number.
        seller: Lines about who sells.
        facts: What was bought, when and how, as pairs of label and value.
        sums: Net, taxes and other sums, likewise.
        total: The last sum, likewise.
        notes: Sentences below.
    """

    title: str
    number: str
    seller: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sums: tuple[tuple[str, str], ...]
    total: tuple[str, str]
    notes: tuple[str, ...] = ()


def receipt_paper(receipt: PaymentReceipt) -> Paper:
    """What stands on a receipt."""
    order = receipt.order
    return Paper(
        title="Receipt",
        number=receipt.number,
        seller=tuple(_seller(receipt.seller)),
        facts=(
            *_buyer(order),
            ("Order", order.id),
            ("Paid on", _when(order.paid_at, order.buyer.tz)),
            ("Paid by", f"{order.method}, {order.gateway}"),
            ("Payment reference", order.gateway_reference),
            ("Bought", f"{order.pack}, {_credits(order)}"),
        ),
        sums=tuple(_sums(receipt.taxed)),
        total=("Total paid", str(receipt.taxed.gross)),
        notes=tuple(_charged(order)),
    )


def note_paper(note: CreditNote) -> Paper:
    """What stands on a credit note."""
    order = note.receipt.order
    reason = (("Reason", note.reason),) if note.reason else ()
    return Paper(
        title="Credit note",
        number=note.number,
        seller=tuple(_seller(note.receipt.seller)),
        facts=(
            *_buyer(order),
            ("Corrects receipt", note.receipt.number),
            ("Order", order.id),
            ("Refunded on", _when(note.refunded_at, order.buyer.tz)),
            ("Payment reference", order.gateway_reference),
            ("Credits taken back", note.credits.short),
            *reason,
        ),
        sums=tuple(_sums(note.taxed)),
        total=("Total refunded", str(note.taxed.gross)),
    )


def seller_of(settings: ReceiptSettings) -> Seller:
    """The seller of the settings.

    Raises:
        ConfigError: If it has no name: a receipt must say who sells.
    """
    if settings.seller is None:
        msg = "A receipt must say who sells. Nothing was charged. Set receipts.seller to your company's legal name."
        raise ConfigError(msg)
    return Seller(
        name=settings.seller,
        address=settings.address,
        tax_id=settings.tax_id,
        phone=settings.phone,
        email=settings.email,
    )


def number_text(prefix: str, number: int) -> str:
    """A number as it is printed: ``R-000042``."""
    return f"{prefix}{number:06d}"


def _seller(seller: Seller) -> Iterator[str]:
    yield seller.name
    yield from seller.address
    if seller.tax_id:
        yield f"Tax number {seller.tax_id}"
    yield from (line for line in (seller.phone, seller.email) if line)


def _buyer(order: PaidOrder) -> Iterator[tuple[str, str]]:
    yield "Sold to", order.buyer.name or order.business
    if order.buyer.tax_id:
        yield "Buyer's tax number", order.buyer.tax_id


def _credits(order: PaidOrder) -> str:
    bonus = f", of which {order.bonus.short} bonus" if order.bonus else ""
    return f"{order.credits.short} credits{bonus}"


def _sums(taxed: Taxed) -> Iterator[tuple[str, str]]:
    if taxed.lines:
        yield "Net", str(taxed.net)
    for line in taxed.lines:
        percent = f"{line.rate * 100:f}"
        yield f"{line.name} {percent.rstrip('0').rstrip('.') if '.' in percent else percent} %", str(line.amount)


def _charged(order: PaidOrder) -> Iterator[str]:
    if order.charged.currency != order.price.currency:
        at = "" if order.rate is None else f" at {order.price.currency} {order.rate:f} for one {order.charged.currency}"
        yield f"Charged as {order.charged}{at}."


def _when(micros: int, tz: str) -> str:
    """A time for people, in the buyer's zone, to the minute; with the name of another zone than Ghana's."""
    local = from_micros(micros).astimezone(ZoneInfo(tz))
    return f"{local:%Y-%m-%d %H:%M}" + ("" if tz == ACCRA else f" ({tz})")
