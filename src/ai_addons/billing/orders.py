"""Orders of credits as a machine of pure rules: what a gateway's answer means for one.

::

    pending      paid: successful · a payment that does not fit: quarantined
                 the owner cancels: failed · unpaid after a day: abandoned
    failed       not final: a late success still pays it
    abandoned    not final: likewise; the owner cancels: failed
    quarantined  another attempt pays, or an operator releases it: successful · sent back: failed
    successful   partially_refunded, refunded, disputed: money that goes back, which is not decided here

One order may have many attempts. A failed one leaves the order as it is; a
second success is one payment too many and goes into quarantine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.gateways.base import Outcome
from ai_addons.billing.packs import in_micro_ghs
from ai_addons.billing.policy import Give
from ai_addons.money import Money

if TYPE_CHECKING:
    from ai_addons.billing.gateways.base import Charge, Method, NextStep
    from ai_addons.billing.records import Rate
    from ai_addons.money import Credits

OrderKind: TypeAlias = Literal["pack", "custom", "addon", "addon_renewal"]
OrderState: TypeAlias = Literal[
    "pending", "failed", "abandoned", "quarantined", "successful", "partially_refunded", "refunded", "disputed"
]
AttemptState: TypeAlias = Literal["started", "open", "paid", "failed", "quarantined"]
Misfit: TypeAlias = Literal["amount", "currency", "mode", "reference", "second_payment", "addon"]
"""Why a payment went into quarantine: too little, other money, test money, another's answer, an order that was paid
already, or an add-on whose month was paid otherwise or is no more."""
Resolution: TypeAlias = Literal["released", "refunded"]
Verdict: TypeAlias = Literal["grant", "again", "quarantine", "failed", "pending", "reversed", "unknown"]

UNPAID: Final[frozenset[OrderState]] = frozenset({"pending", "failed", "abandoned", "quarantined"})
"""States from which a success still grants."""

AUTOMATIC: Final = "auto-top-up:"
"""What the keys of automatic top-ups begin with; the day and a number follow."""

RENEWAL: Final = "renewal:"
"""What the keys of renewed months begin with; the add-on and the number of its month follow."""

OWN_KEYS: Final = (AUTOMATIC, RENEWAL)
"""What keys of orders begin with that nobody else may use: an order of another's under one would be in the way."""

REFERENCE: Final = "aia-"
"""What our references begin with; the rest is a fresh id, so that nothing can be read from one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Credits that a business buys.

    Attributes:
        id: Time-ordered id; also the reference of its grants.
        business: Who buys.
        user: Who ordered; None if unknown.
        kind: A pack, a pack of any size, or a month of the add-on.
        pack: Type of the pack; None for an add-on.
        pack_version: When the published pack began, UTC microseconds as text; None for one of the price list.
        price: What it costs.
        credits: All its credits, bonus included.
        bonus: How many of them are free.
        state: Where it stands.
        email: The payer's billing address.
        subscription: Id of the add-on; None for a pack.
        period: Which month of it.
        created_at: UTC microseconds.
        paid_at: When it was granted, None if it was not.
        paid_reference: The attempt that paid.
        ended_at: When it was cancelled or abandoned.
        key: The caller's key of this order, None without one.
        request_hash: What was ordered under that key.
        receipt_number: Number of its receipt, None while it has none.
    """

    id: str
    business: str
    user: str | None
    kind: OrderKind
    pack: str | None
    pack_version: str | None
    price: Money
    credits: Credits
    bonus: Credits
    state: OrderState
    email: str = field(repr=False)
    subscription: str | None
    period: int | None
    created_at: int
    paid_at: int | None = None
    paid_reference: str | None = None
    ended_at: int | None = None
    key: str | None = None
    request_hash: str = ""
    receipt_number: str | None = None

    @property
    def unpaid(self) -> bool:
        """Whether a success would still grant."""
        return self.state in UNPAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to pay an order.

    Attributes:
        reference: Our name of it, which the gateway knows too.
        business: Who pays.
        order: Id of the order.
        gateway: Which gateway.
        method: How; None while the payer may choose.
        state: ``started`` before the gateway has answered, then ``open``, and how it ended.
        asked: What the payer is asked for.
        live: Whether real money is asked for.
        url: Page on which to pay; None for a prompt.
        next_step: What the payer has to do.
        outcome: What the gateway said last, in our words.
        raw_status: In its own.
        reason: What it said of it.
        fees_minor: What it kept; None if unknown.
        surplus_minor: What was paid above what was asked for.
        rate: The exchange rate that the price was converted by; None where it was not.
        created_at: UTC microseconds.
        checked_at: When the gateway was heard last.
    """

    reference: str
    business: str
    order: str
    gateway: str
    method: Method | None
    state: AttemptState
    asked: Money
    live: bool
    url: str | None = None
    next_step: NextStep | None = None
    outcome: str | None = None
    raw_status: str | None = None
    reason: str | None = None
    fees_minor: int | None = None
    surplus_minor: int = 0
    rate: Rate | None = None
    created_at: int = 0
    checked_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A payment that does not fit its order.

    Attributes:
        id: Time-ordered id.
        business: Whose order.
        order: Its id.
        reference: The attempt.
        reason: What does not fit.
        expected: What was asked for.
        paid_minor: What came; None if the gateway did not say.
        paid_currency: In which currency.
        live: Whether it was real money; None if the gateway did not say.
        opened_at: UTC microseconds.
        resolution: What an operator decided; None while it is open.
        actor: Who.
        note: Why.
        resolved_at: When.
    """

    id: str
    business: str
    order: str
    reference: str
    reason: Misfit
    expected: Money
    paid_minor: int | None
    paid_currency: str | None
    live: bool | None
    opened_at: int
    resolution: Resolution | None = None
    actor: str | None = None
    note: str | None = None
    resolved_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A saved card as its owner may see it; what charges it stays in the database.

    Attributes:
        id: Names it when it is to be charged.
        gateway: Which gateway knows it.
        brand: E.g. ``visa``.
        last4: The last four digits.
        expires: Month and year, ``12/2028``.
        saved_at: UTC microseconds.
    """

    id: str
    gateway: str
    brand: str
    last4: str
    expires: str
    saved_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a gateway's answer means.

    Attributes:
        verdict: What to do.
        misfit: Why it goes into quarantine; None if it does not.
    """

    verdict: Verdict
    misfit: Misfit | None = None


def judge(order: Order, attempt: Attempt, charge: Charge, *, live: bool) -> Judgement:
    """Decide what a gateway's answer about an attempt means; strict, whatever the answer leaves out.

    Args:
        order: As it is now.
        attempt: As it is now.
        charge: The gateway's answer.
        live: Whether the gateway's key of now moves real money.
    """
    if charge.outcome is Outcome.PAID:
        return _paid(order, attempt, charge, live=live)
    # What was granted once is not undone by a later answer; taking back goes by refunds and disputes.
    if charge.outcome is Outcome.REVERSED:
        return Judgement(verdict="reversed")
    if attempt.state in {"paid", "quarantined"}:
        return Judgement(verdict="again")
    known: dict[Outcome, Verdict] = {Outcome.FAILED: "failed", Outcome.PENDING: "pending"}
    return Judgement(verdict=known.get(charge.outcome, "unknown"))


def _paid(order: Order, attempt: Attempt, charge: Charge, *, live: bool) -> Judgement:
    # An operator decides about what is in quarantine, and nobody before.
    if attempt.state in {"paid", "quarantined"}:
        return Judgement(verdict="again")
    misfit = misfit_of(attempt, charge, live=live)
    if misfit is None and not order.unpaid:
        misfit = "second_payment"
    return Judgement(verdict="grant") if misfit is None else Judgement(verdict="quarantine", misfit=misfit)


def misfit_of(attempt: Attempt, charge: Charge, *, live: bool) -> Misfit | None:
    """What of a success does not fit its attempt; None if all does.

    More than was asked for fits: a gateway may put its fee on top.
    """
    if charge.reference != attempt.reference:
        return "reference"
    if charge.live is not attempt.live or charge.live is not live:
        return "mode"
    if charge.currency != attempt.asked.currency:
        return "currency"
    if charge.amount_minor is None or charge.amount_minor < attempt.asked.minor:
        return "amount"
    return None


def gives(order: Order, paid: int) -> tuple[Give, ...]:
    """The grants of a paid pack: bought credits, and the bonus apart.

    What was paid is shared out over both in proportion, since the bonus makes every
    credit of the pack cheaper; to the last micro-cedi it is what was paid.

    Args:
        order: A pack of any kind.
        paid: Micro-GHS really paid.
    """
    bought = order.credits - order.bonus
    for_bought = paid * bought.micro // order.credits.micro
    purchase = Give(source="purchase", ref=order.id, amount=bought, expires_at=None, paid=for_bought)
    if not order.bonus:
        return (purchase,)
    bonus = Give(source="bonus", ref=order.id, amount=order.bonus, expires_at=None, paid=paid - for_bought)
    return (purchase, bonus)


def worth(order: Order, *, minor: int | None, currency: str | None, live: bool) -> int:
    """Micro-GHS that a payment brings for an order's credits, never more than its price.

    Args:
        order: What is paid for.
        minor: What came.
        currency: In which currency; what is no cedi counts as nothing, for no rate is known here.
        live: Whether it was money of the kind that was asked for: test money is none.
    """
    if minor is None or currency != order.price.currency or not live:
        return 0
    return in_micro_ghs(Money.from_minor(min(minor, order.price.minor), order.price.currency))


def after_payment_back(order: Order, *, others_open: bool) -> OrderState:
    """Where an order stands once a quarantined payment was sent back.

    Args:
        order: As it is now.
        others_open: Whether another of its payments is still in quarantine.
    """
    return "failed" if order.state == "quarantined" and not others_open else order.state


def facts(order: Order) -> dict[str, str]:
    """What is told of an order; nothing personal."""
    told = {
        "order": order.id,
        "kind": order.kind,
        "pack": order.pack or "",
        "price": str(order.price.decimal),
        "currency": order.price.currency,
        "credits": str(order.credits),
    }
    return told | {"automatic": "yes"} if is_automatic(order) else told


def is_automatic(order: Order) -> bool:
    """Whether a saved card bought it by itself, by the owner's standing rule."""
    return (order.key or "").startswith(AUTOMATIC)


def described(order: Order) -> str:
    """What a payer reads on the gateway's page."""
    if order.pack is None:
        return f"AI add-on, a month of {order.credits.short} credits"
    return f"{order.pack}: {order.credits.short} AI credits"
