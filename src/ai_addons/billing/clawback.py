"""What money that goes back takes of an order's credits. Pure.

Everything is one function of how things stand now, never of the way they came:
refunds that are done and disputes that are lost say how much money is gone, and
so how many credits must be. So events may come twice, late or in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.gateways.base import RefundOutcome
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.billing.gateways.base import Dispute
    from ai_addons.billing.grants import GrantSource

ShortfallPolicy: TypeAlias = Literal["clamp", "debt", "suspend"]
"""What becomes of credits that were to be taken back but are spent: the operator bears them (``clamp``), credits
bought later pay them (``debt``), or the same and the wallet takes no new calls until then (``suspend``)."""

RefundState: TypeAlias = Literal["asked", "pending", "needs_attention", "done", "failed"]
DisputeState: TypeAlias = Literal["open", "won", "lost"]

SOURCES: Final[tuple[GrantSource, GrantSource]] = ("purchase", "bonus")
"""The sources of a pack's grants; both have the order's id as their reference."""

_NOTHING: Final = Credits(0)
# A gateway may say that a refund went through and later that it failed after all; never the other way round.
_RANK: Final[Mapping[str, int]] = {"asked": 0, "pending": 1, "needs_attention": 1, "done": 2, "failed": 3}
_STATES: Final[Mapping[RefundOutcome, RefundState]] = {
    RefundOutcome.PENDING: "pending",
    RefundOutcome.UNKNOWN: "pending",
    RefundOutcome.NEEDS_ATTENTION: "needs_attention",
    RefundOutcome.DONE: "done",
    RefundOutcome.FAILED: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOrder:
    """An order that was paid, as far as refunds and disputes need it.

    Attributes:
        business: Who paid.
        id: The order's; the reference of its grants.
        reference: Our name of the attempt that paid.
        paid_minor: Money paid, in minor units; more than zero.
        currency: ISO code.
        credits: Credits bought, without the bonus; more than zero.
        bonus: Credits given on top.
        month: Reference of the grant of an add-on's month, if it is one; None for a pack.
    """

    business: str
    id: str
    reference: str
    paid_minor: int
    currency: str
    credits: Credits
    bonus: Credits = _NOTHING
    month: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRecord:
    """A refund as the books know it.

    Attributes:
        id: Ours: ``asked:`` and the key it was asked for with, or ``gateway:`` and the gateway's name.
        gateway_id: The gateway's name of it; None while it has none.
        amount_minor: Minor units.
        state: How far it is.
        dispute: The dispute it answers; None for a refund of its own.
        created_at: UTC microseconds.
        changed_at: When it came this far, or was last taken on; kept by the books.
    """

    id: str
    gateway_id: str | None
    amount_minor: int
    state: RefundState
    dispute: str | None
    created_at: int
    changed_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRecord:
    """A dispute as the books know it.

    Attributes:
        id: The gateway's name of it.
        amount_minor: Minor units contested.
        state: Whether it is open, and if not, who has the money.
        due_at: By when evidence is wanted, UTC microseconds.
        created_at: UTC microseconds.
    """

    id: str
    amount_minor: int
    state: DisputeState
    due_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of an order's money is gone, and how much may be.

    Attributes:
        reversed_minor: Refunded, or lost in a dispute.
        at_risk_minor: The same with what is on its way back or contested.
    """

    reversed_minor: int
    at_risk_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One grant's share of a claim.

    Attributes:
        amount: Credits the order gave by this grant.
        taken: Clawed back so far.
        frozen: Set apart, until it is known whether money goes back.
    """

    amount: Credits
    taken: Credits = _NOTHING
    frozen: Credits = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one grant of an order has.

    Attributes:
        free: What can be taken: neither spent nor held by a call; frozen credits included.
        pinned: Held by calls in progress, or not given yet.
        lapsed: Gone without being spent: expired, carried over or taken back by an operator.
    """

    free: Credits
    pinned: Credits
    lapsed: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What refunds and disputes of one order want of its credits, and what they got.

    Attributes:
        order: Id of the order.
        policy: What becomes of credits that are spent; kept from the first refund or dispute on.
        paid_minor: Money paid for the order.
        currency: ISO code.
        standing: How much of it is gone or may be.
        parts: One for each of `grants_of`, in that order.
        lapsed: Part of what was to be taken that had expired, so that nobody owes it.
        repaid: Part that credits bought later paid.
        written_off: Part that was spent and is borne by the operator.
        owed: Part that was spent and is still to be paid.
        forgiven: What an operator decided not to ask for.
        owed_at: Since when it is owed; credits bought later pay. UTC microseconds.
        suspended: Whether the wallet is suspended for it.
        wanting: Whether it did not get all that it wants, and looks again whenever credits move.
        month: As in `PaidOrder`.
    """

    order: str
    policy: ShortfallPolicy
    paid_minor: int
    currency: str
    standing: Standing
    parts: tuple[Part, ...]
    lapsed: Credits = _NOTHING
    repaid: Credits = _NOTHING
    written_off: Credits = _NOTHING
    owed: Credits = _NOTHING
    forgiven: Credits = _NOTHING
    owed_at: int = 0
    suspended: bool = False
    wanting: bool = False
    month: str | None = None

    @property
    def fully_reversed(self) -> bool:
        """Whether all of the money is gone."""
        return self.standing.reversed_minor == self.paid_minor

    @property
    def amount(self) -> Credits:
        """Credits of the order, bonus included."""
        return total(part.amount for part in self.parts)

    @property
    def target(self) -> Credits:
        """Credits that must be gone: the order's, in proportion to the money that is; rounded down."""
        return share(self.amount, self.standing.reversed_minor, self.paid_minor)

    @property
    def at_risk(self) -> Credits:
        """Credits that must not be spent: those that must be gone, and those that may have to be."""
        return share(self.amount, self.standing.at_risk_minor, self.paid_minor)

    @property
    def taken(self) -> Credits:
        """Clawed back from the order's own grants."""
        return total(part.taken for part in self.parts)

    @property
    def frozen(self) -> Credits:
        """Set apart in the order's own grants."""
        return total(part.frozen for part in self.parts)

    @property
    def waiting(self) -> Credits:
        """Still to be taken, once calls in progress have ended."""
        return self.target - self.taken - self.repaid - self.lapsed - self.written_off - self.owed


def total(amounts: Iterable[Credits]) -> Credits:
    """What amounts come to."""
    return Credits.from_micro(sum(amount.micro for amount in amounts))


def share(amount: Credits, money: int, of: int) -> Credits:
    """Credits in proportion to money, rounded down; of all the money exactly all the credits."""
    return Credits.from_micro(amount.micro * money // of)


def grants_of(claim: Claim) -> tuple[tuple[GrantSource, str], tuple[GrantSource, str]]:
    """Source and reference of the grants that an order's credits lie in, one for each part of its claim.

    A pack's are bought and given on top; a month's are its own, and the rollover that its unused ones were carried to.
    """
    if claim.month is None:
        return (SOURCES[0], claim.order), (SOURCES[1], claim.order)
    subscription, period = month_of(claim)
    return ("addon", claim.month), ("rollover", f"{subscription}:{period + 1}")


def month_of(claim: Claim) -> tuple[str, int]:
    """Id of the add-on and number of the month that a claim is on."""
    subscription, _, period = str(claim.month).rpartition(":")
    return subscription, int(period)


def opened(order: PaidOrder, policy: ShortfallPolicy) -> Claim:
    """The claim of an order of which nothing went back yet."""
    return Claim(
        order=order.id,
        policy=policy,
        paid_minor=order.paid_minor,
        currency=order.currency,
        standing=Standing(0, 0),
        parts=(Part(amount=order.credits), Part(amount=order.bonus)),
        month=order.month,
    )


# How things stand.


def refund_state(known: RefundState | None, told: RefundOutcome) -> RefundState:
    """How far a refund is, given what was known before; old news change nothing.

    Done beats pending whatever comes first. Failed beats done: a bank may send a
    refund back that the gateway had called done, and a new try is a new refund.
    """
    state = _STATES[told]
    return state if known is None or _RANK[state] >= _RANK[known] else known


def dispute_state(known: DisputeState | None, told: Dispute) -> DisputeState:
    """How a dispute stands; one that was decided is never open again, but may be decided otherwise."""
    if told.open or told.lost is None:
        return "open" if known is None else known
    return "lost" if told.lost else "won"


def standing(paid_minor: int, refunds: Iterable[RefundRecord], disputes: Iterable[DisputeRecord]) -> Standing:
    """How much money is gone and may be.

    A refund that answers a dispute is the same money as that dispute: the larger
    of the two counts. While a dispute is open all of the order is at risk.

    Args:
        paid_minor: Money paid for the order.
        refunds: All of its refunds.
        disputes: All of its disputes.
    """
    known, contested = tuple(refunds), tuple(disputes)
    gone = _gone(known, contested, ("done",))
    at_risk = _gone(known, contested, ("done", "asked", "pending", "needs_attention"))
    if any(dispute.state == "open" for dispute in contested):
        at_risk = paid_minor
    return Standing(min(paid_minor, gone), min(paid_minor, at_risk))


def _gone(refunds: Sequence[RefundRecord], disputes: Sequence[DisputeRecord], states: tuple[str, ...]) -> int:
    """Money that refunds in some states and lost disputes come to."""
    money = {dispute.id: dispute.amount_minor for dispute in disputes if dispute.state == "lost"}
    answers = dict[str, int]()
    alone = 0
    for refund in refunds:
        if refund.state not in states:
            continue
        if refund.dispute is None:
            alone += refund.amount_minor
        else:
            answers[refund.dispute] = answers.get(refund.dispute, 0) + refund.amount_minor
    return alone + sum(max(money.get(name, 0), answers.get(name, 0)) for name in {*money, *answers})


# What follows from it.


def settle(claim: Claim, rooms: Sequence[Room]) -> Claim:
    """Take, give back and freeze what the order's present standing asks for; again changes nothing.

    Args:
        claim: What it got so far, with the standing of now.
        rooms: What each of its grants has.

    Returns:
        The claim as it is to be booked.
    """
    missing = claim.target - claim.taken - claim.repaid
    after = _give_back(claim, -missing) if missing < _NOTHING else _take(claim, rooms, missing)
    left = [room.free + old.taken - new.taken for room, old, new in zip(rooms, claim.parts, after.parts, strict=True)]
    return _freeze(after, left)


def _take(claim: Claim, rooms: Sequence[Room], missing: Credits) -> Claim:
    """Take what is unspent; what calls hold is waited for, and the rest is a shortfall."""
    free = [room.free for room in rooms]
    take = min(missing, total(free))
    waiting = min(missing - take, total(room.pinned for room in rooms))
    lapsed = min(missing - take - waiting, total(room.lapsed for room in rooms))
    gone = missing - take - waiting - lapsed
    owed = _NOTHING if claim.policy == "clamp" else max(gone - claim.forgiven, _NOTHING)
    wishes = [_due(claim, part, claim.standing.reversed_minor) - part.taken for part in claim.parts]
    parts = zip(claim.parts, allot(take, wishes, free), strict=True)
    return replace(
        claim,
        parts=tuple(replace(part, taken=part.taken + more) for part, more in parts),
        lapsed=lapsed,
        written_off=gone - owed,
        owed=owed,
        wanting=bool(waiting or gone),
    )


def _give_back(claim: Claim, excess: Credits) -> Claim:
    """Undo what was taken too much: first what later credits paid, then what the order's own grants gave."""
    repaid = min(claim.repaid, excess)
    wishes = [part.taken - _due(claim, part, claim.standing.reversed_minor) for part in claim.parts]
    back = allot(excess - repaid, wishes, [part.taken for part in claim.parts])
    return replace(
        claim,
        parts=tuple(replace(part, taken=part.taken - less) for part, less in zip(claim.parts, back, strict=True)),
        repaid=claim.repaid - repaid,
        lapsed=_NOTHING,
        written_off=_NOTHING,
        owed=_NOTHING,
        wanting=False,
    )


def _freeze(claim: Claim, left: Sequence[Credits]) -> Claim:
    """Set apart what may have to be taken, as far as it is there."""
    wanted = claim.at_risk - claim.target
    risk, gone = claim.standing.at_risk_minor, claim.standing.reversed_minor
    wishes = [_due(claim, part, risk) - _due(claim, part, gone) for part in claim.parts]
    frozen = allot(min(wanted, total(left)), wishes, left)
    parts = tuple(replace(part, frozen=more) for part, more in zip(claim.parts, frozen, strict=True))
    return replace(claim, parts=parts, wanting=claim.wanting or total(frozen) < wanted)


def _due(claim: Claim, part: Part, money: int) -> Credits:
    return share(part.amount, money, claim.paid_minor)


def allot(amount: Credits, wishes: Sequence[Credits], caps: Sequence[Credits]) -> list[Credits]:
    """Divide an amount: to each what it wishes and can give, then the rest to whoever has room, in order.

    Args:
        amount: At most the sum of the caps.
        wishes: Fair share of each; below zero counts as nothing.
        caps: The most of each.
    """
    given, left = list[Credits](), amount
    for wish, cap in zip(wishes, caps, strict=True):
        given.append(min(max(wish, _NOTHING), cap, left))
        left -= given[-1]
    for place, cap in enumerate(caps):
        more = min(cap - given[place], left)
        given[place] += more
        left -= more
    return given


def repay(claim: Claim, amount: Credits) -> Claim:
    """Pay part of what is owed with credits bought later."""
    return replace(claim, repaid=claim.repaid + amount, owed=claim.owed - amount)


def forgive(claim: Claim) -> Claim:
    """Ask no more for what is owed; more that is spent before money goes back is owed again."""
    return replace(claim, forgiven=claim.forgiven + claim.owed)
