"""The port to a payment gateway, and what comes back from one.

The truth about a payment is what a gateway says when it is asked (`Gateway.fetch`).
A browser that comes back and a webhook are hints to ask. An adapter makes one HTTP
request a call, reads leniently and decides nothing: whether an answer pays for an
order is for `payments` to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.billing.records import Rate
    from ai_addons.money import Money

Method: TypeAlias = Literal["mobile_money", "card"]
"""How the payer pays."""

NextStep: TypeAlias = Literal["approve_on_phone", "enter_otp"]
"""What the payer has to do next, where a gateway says so."""

Topic: TypeAlias = Literal["payment", "refund", "dispute"]
"""What there is to ask a gateway about."""


class Outcome(StrEnum):
    """What became of an attempt to pay, in our words; anything a gateway says that we do not know is UNKNOWN."""

    PAID = "paid"
    PENDING = "pending"
    FAILED = "failed"
    REVERSED = "reversed"
    UNKNOWN = "unknown"


class RefundOutcome(StrEnum):
    """What became of a refund, in our words."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What an attempt at an order asks a gateway to collect.

    Attributes:
        reference: Our name of the attempt; letters, digits, ``-``, ``.`` and ``=`` only, 100 characters at most.
        amount: What is to be collected.
        email: The payer's billing address; gateways want one.
        description: What is bought, for the payer.
        return_url: Where the payer's browser comes back to; None where there is no browser.
        methods: How the payer may pay.
        metadata: What the gateway keeps beside it; nothing personal.
    """

    reference: str
    amount: Money
    email: str = field(repr=False)
    description: str
    return_url: str | None = None
    methods: tuple[Method, ...] = ("mobile_money", "card")
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A hosted page on which the payer pays.

    Attributes:
        reference: Our name of the attempt.
        url: Where to send the payer's browser.
        gateway_id: The gateway's own name of it; None if it has none.
        charged: What the payer is charged, where that is in another currency than the price.
        rate: The exchange rate it was reckoned with, for the books.
    """

    reference: str
    url: str
    gateway_id: str | None = None
    charged: Money | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCard:
    """A card that may be charged again.

    Attributes:
        code: The gateway's name of the authorisation; a secret.
        email: The address it was made with, which must be used again.
        brand: E.g. ``visa``.
        last4: The last four digits.
        expires: Month and year, ``12/2028``.
    """

    code: str = field(repr=False)
    email: str = field(repr=False)
    brand: str
    last4: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An attempt as the gateway sees it.

    Amounts are in minor units (pesewas, cents).

    Attributes:
        reference: Our name of the attempt.
        outcome: In our words.
        raw_status: In the gateway's.
        amount_minor: What was collected, or is to be; None if the answer does not say.
        requested_minor: What was asked for, where the gateway tells it apart.
        currency: ISO code; None if the answer does not say.
        live: Whether real money moved; None if the answer does not say.
        method: How it was paid; None if unknown, or neither.
        fees_minor: What the gateway kept; None if unknown.
        reason: What the gateway says of it, for the payer or an operator.
        paid_at: UTC microseconds.
        next_step: What the payer has to do.
        card: A card that may be charged again.
        raw: The answer as it came.
    """

    reference: str
    outcome: Outcome
    raw_status: str
    amount_minor: int | None = None
    requested_minor: int | None = None
    currency: str | None = None
    live: bool | None = None
    method: Method | None = None
    fees_minor: int | None = None
    reason: str = ""
    paid_at: int | None = None
    next_step: NextStep | None = None
    card: SavedCard | None = None
    raw: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back to the payer.

    Attributes:
        id: The gateway's name of it; what a claw-back is booked once by.
        reference: Our name of the attempt.
        amount_minor: How much.
        currency: ISO code.
        outcome: In our words.
        dispute: The dispute it answers, which is then the same money; None for a refund of its own.
        raw: The answer as it came.
    """

    id: str
    reference: str
    amount_minor: int
    currency: str
    outcome: RefundOutcome
    dispute: str | None = None
    raw: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A payer's bank contests a payment.

    Attributes:
        id: The gateway's name of it.
        reference: Our name of the attempt.
        open: Whether it is still to be decided.
        lost: Whether the money went back; None while it is open.
        amount_minor: How much is contested.
        currency: ISO code.
        due_at: By when evidence is wanted, UTC microseconds.
    """

    id: str
    reference: str
    open: bool
    lost: bool | None
    amount_minor: int
    currency: str
    due_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEvent:
    """A webhook whose signature holds: a hint that something happened.

    Attributes:
        key: What makes it this one, for dropping what comes twice; not unique for certain.
        name: The gateway's name of its kind, e.g. ``charge.success``.
        topic: What there is to ask about; None for an event that is none of ours.
        reference: Our name of the attempt; None if it names none.
        body: As it came.
    """

    key: str
    name: str
    topic: Topic | None
    reference: str | None
    body: bytes = field(repr=False)


class Gateway(Protocol):
    """A payment gateway (`ai_addons.gateways` entry points).

    Attributes:
        name: What it is called in the settings and the books, e.g. ``paystack``.
        live: Whether its key moves real money.
    """

    name: str
    live: bool

    def checkout(self, request: PaymentRequest) -> Checkout:
        """Open a page on which the payer pays.

        Raises:
            GatewayError: If there is none; whether the attempt exists is then for `fetch` to say.
        """
        ...

    def fetch(self, reference: str) -> Charge | None:
        """What became of an attempt; None if the gateway never heard of it.

        Raises:
            GatewayError: If it cannot be asked.
        """
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Check a webhook's signature over its raw body, and read what it is about.

        Raises:
            BadSignature: If nobody who knows the key signed it.
        """
        ...

    def refund(self, reference: str, amount: Money, *, note: str = "") -> Refund:
        """Send money back.

        Raises:
            GatewayError: If it was refused, or nobody can say.
        """
        ...


@runtime_checkable
class PhoneGateway(Protocol):
    """A gateway that can ask for a payment on the payer's telephone."""

    def charge_phone(self, request: PaymentRequest, *, phone: str, network: str) -> Charge:
        """Prompt the payer.

        Args:
            request: What to collect.
            phone: In any way it is written in Ghana.
            network: ``mtn``, ``telecel`` or ``at``; numbers are portable, so the payer says which.

        Raises:
            GatewayError: If it was refused, or nobody can say.
        """
        ...

    def submit_otp(self, reference: str, otp: str) -> Charge:
        """Give the code that the payer was sent.

        Raises:
            GatewayError: As above.
        """
        ...


@runtime_checkable
class CardGateway(Protocol):
    """A gateway that can charge a card again."""

    def charge_card(self, request: PaymentRequest, card: SavedCard) -> Charge:
        """Charge it, with nobody present.

        Raises:
            GatewayError: If it was refused, or nobody can say.
        """
        ...


@runtime_checkable
class ClosingGateway(Protocol):
    """A gateway whose page can be closed before it ends by itself."""

    def close_checkout(self, reference: str) -> None:
        """Close the page of an attempt, so that nobody can pay there any more.

        Raises:
            GatewayError: If it cannot be closed, or is paid or closed already: `fetch` tells.
        """
        ...


@runtime_checkable
class AuditableGateway(Protocol):
    """A gateway that lists what it did, for reconciliation and for refunds and disputes it began itself."""

    def charges(self, since: int, until: int) -> Iterator[Charge]:
        """Every attempt between two instants, UTC microseconds, page by page."""
        ...

    def refunds(self, reference: str) -> tuple[Refund, ...]:
        """Every refund of an attempt."""
        ...

    def disputes(self, reference: str) -> tuple[Dispute, ...]:
        """Every dispute about an attempt."""
        ...


@runtime_checkable
class ReturnsGateway(Protocol):
    """A gateway that lists the money that goes back, so that a webhook which was lost is made up for.

    What names none of our attempts is left out.
    """

    def refunds_between(self, since: int, until: int) -> Iterator[Refund]:
        """Every refund that was begun between two instants, UTC microseconds, page by page."""
        ...

    def disputes_between(self, since: int, until: int) -> Iterator[Dispute]:
        """Every dispute that was opened between two instants, page by page."""
        ...
