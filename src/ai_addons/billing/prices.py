"""Prices and packs with effective dates, and the floor below which no price is published. Pure.

A price is frozen when a call's credits are held: a later version never touches
an open hold. A price of zero is free; no version at all is unknown, which is
something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from ai_addons.billing.margin import CHEAPEST_CREDIT, EXTRA_ATTEMPTS, PAYMENT_FEE
from ai_addons.money import MICRO, Credits, MicroGhs, ghs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_addons.catalog import Pack

Outcome: TypeAlias = Literal["ok", "warn", "refuse"]
FloorReason: TypeAlias = Literal["within_target", "below_target", "below_floor", "unknown_cost", "loss_leader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceVersion:
    """What a feature costs from some day on.

    Attributes:
        feature: Key of the feature.
        credits: Credits a call; zero for a free feature.
        effective_from: First instant it holds, UTC microseconds.
        quantum: Derived prices are rounded up to a whole number of these.
        expected_cost: Provider cost of a typical call in micro-GHS, without retries; None if unknown.
        loss_leader: Whether a price below its floor is meant.
        published_at: When it was published, UTC microseconds.
        actor: Who published it.

    Raises:
        ValueError: If price or cost are negative, or the quantum is not above zero.
    """

    feature: str
    credits: Credits
    effective_from: int
    quantum: Credits
    expected_cost: MicroGhs | None
    loss_leader: bool
    published_at: int
    actor: str

    def __post_init__(self) -> None:
        """Refuse a price that could give credits away for using them."""
        cost_below_zero = self.expected_cost is not None and self.expected_cost < 0
        if self.credits < Credits(0) or self.quantum <= Credits(0) or cost_below_zero:
            msg = (
                f"The price of {self.feature!r} was not published and nothing was charged: price and expected cost "
                f"must not be negative, and the quantum must be above zero. Correct them."
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackVersion:
    """A pack as it is sold, or no longer sold, from some day on.

    Attributes:
        pack: The pack; its ``type`` says which one it replaces or adds.
        effective_from: First instant it holds, UTC microseconds.
        withdrawn: Whether the pack is off sale from then on.
        published_at: When it was published, UTC microseconds.
        actor: Who published it.

    Raises:
        ValueError: If the pack is not sold for cedis, or holds no bought credits.
    """

    pack: Pack
    effective_from: int
    withdrawn: bool
    published_at: int
    actor: str

    def __post_init__(self) -> None:
        """Refuse a pack whose credits would have no price."""
        pack = self.pack
        priced = pack.price.currency == "GHS" and pack.price.minor > 0
        if not (priced and Credits(0) <= pack.bonus < pack.credits):
            msg = (
                f"Pack {pack.type!r} was not published and nothing was charged: it needs a price in cedis (GHS) above "
                f"zero, and a bonus from zero to less than all its credits. Correct them."
            )
            raise ValueError(msg)


_Version = TypeVar("_Version", PriceVersion, PackVersion)


def in_force(versions: Iterable[_Version], at: int) -> _Version | None:
    """The version that holds at an instant: of those begun, the one begun last.

    Args:
        versions: Versions of one feature, or of one type of pack, in any order.
        at: UTC microseconds.

    Returns:
        None if none has begun. Of two that begin together the one published later.
    """
    begun = (version for version in versions if version.effective_from <= at)
    return max(begun, key=lambda version: (version.effective_from, version.published_at), default=None)


def prices_in_force(versions: Iterable[PriceVersion], at: int) -> dict[str, PriceVersion]:
    """The price of each feature at an instant, by key; features without one are left out.

    Args:
        versions: Versions of any features, in any order.
        at: UTC microseconds.
    """
    return _each_in_force(versions, at, lambda version: version.feature)


def packs_in_force(list_packs: Iterable[Pack], versions: Iterable[PackVersion], at: int) -> tuple[Pack, ...]:
    """What can be bought at an instant, cheapest first.

    Args:
        list_packs: What the policy sells by itself.
        versions: Published versions, in any order; they replace list packs of their type or add to them.
        at: UTC microseconds.
    """
    published = _each_in_force(versions, at, lambda version: version.pack.type)
    packs = {pack.type: pack for pack in list_packs} | {key: version.pack for key, version in published.items()}
    sold = (pack for key, pack in packs.items() if key not in published or not published[key].withdrawn)
    return tuple(sorted(sold, key=lambda pack: (pack.price.minor, pack.credits.micro, pack.type)))


def _each_in_force(versions: Iterable[_Version], at: int, key: Callable[[_Version], str]) -> dict[str, _Version]:
    by_key = dict[str, list[_Version]]()
    for version in versions:
        by_key.setdefault(key(version), []).append(version)
    holding = ((name, in_force(group, at)) for name, group in by_key.items())
    return {name: version for name, version in holding if version is not None}


def round_up(price: Credits, quantum: Credits) -> Credits:
    """A derived price as it is published: the next whole number of quanta.

    Args:
        price: Credits as they were worked out.
        quantum: Step of published prices, more than zero.

    Raises:
        ValueError: If the quantum is not above zero.
    """
    if quantum <= Credits(0):
        msg = f"A price cannot be rounded to steps of {quantum.short} credits. Nothing was charged. Give more than 0."
        raise ValueError(msg)
    return Credits.from_micro(-(-price.micro // quantum.micro) * quantum.micro)


def loaded_cost(expected_cost: MicroGhs) -> MicroGhs:
    """The cost of a call with its share of retries and repairs, rounded up to a micro-cedi.

    Args:
        expected_cost: Provider cost of one typical call, in micro-GHS.
    """
    return MicroGhs(ceil(expected_cost * Fraction(EXTRA_ATTEMPTS)))


def allowed_cost(
    price: Credits,
    margin: Decimal,
    *,
    cheapest_unit_price: MicroGhs = CHEAPEST_CREDIT,
    fee: Decimal = PAYMENT_FEE,
) -> MicroGhs:
    """The most that a call may cost, retries counted, to keep a margin: ``(1 - margin - fee) x price x unit price``.

    Args:
        price: Credits a call.
        margin: Share of the revenue to keep: 0.90 for 90 %. It is no mark-up on the cost.
        cheapest_unit_price: The least that a credit is sold for, in micro-GHS.
        fee: Share of every payment that the gateway keeps.

    Returns:
        Micro-GHS, rounded down; negative if margin and fee leave nothing.
    """
    # Fractions, because Decimal's own arithmetic rounds to the precision of whatever context the host has set.
    revenue = Fraction(price.micro * cheapest_unit_price, MICRO)
    return MicroGhs(floor((1 - Fraction(margin) - Fraction(fee)) * revenue))


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorVerdict:
    """Whether a price may be published, with the numbers. For operators only.

    Attributes:
        outcome: ``ok``, ``warn`` (published, and shown) or ``refuse``.
        reason: Why, for machines.
        message: Why, for people, and what to do.
        price: Credits a call.
        cost: Expected cost of a call with its retries in micro-GHS, None if unknown.
        floor: The most it may cost before the price is refused, in micro-GHS.
        target: The most it may cost without a warning, in micro-GHS.
        margin: Share of the revenue that is left, in thousandths; None if the cost is
            unknown or the feature is free.
    """

    outcome: Outcome
    reason: FloorReason
    message: str
    price: Credits
    cost: MicroGhs | None
    floor: MicroGhs
    target: MicroGhs
    margin: Decimal | None


_OUTCOMES: Final[dict[FloorReason, Outcome]] = {
    "within_target": "ok",
    "loss_leader": "ok",
    "below_target": "warn",
    "unknown_cost": "warn",
    "below_floor": "refuse",
}

_MESSAGES: Final[dict[FloorReason, str]] = {
    "within_target": "At {price} credits a call may cost GHS {target} and is expected to cost {cost}.",
    "loss_leader": (
        "A loss leader: at {price} credits a call should cost at most GHS {target} and is expected to cost {cost}. "
        "It is published as it is meant."
    ),
    "below_target": (
        "At {price} credits a call should cost at most GHS {target} and is expected to cost {cost}. The price can be "
        "published; nothing was charged. Raise it or choose a cheaper model to reach the target margin."
    ),
    "unknown_cost": (
        "At {price} credits a call may cost at most GHS {floor}, and what it will cost is {cost}, so a loss would "
        "not be seen. The price can be published; nothing was charged. Give the expected tokens and the model's price."
    ),
    "below_floor": (
        "At {price} credits a call may cost at most GHS {floor} and is expected to cost {cost}. The price cannot be "
        "published; nothing was charged. Raise it, choose a cheaper model, or publish it as a loss leader."
    ),
}


def check_floor(
    price: Credits,
    expected_cost: MicroGhs | None,
    *,
    cheapest_unit_price: MicroGhs = CHEAPEST_CREDIT,
    floor_margin: Decimal,
    target_margin: Decimal,
    fee: Decimal = PAYMENT_FEE,
    loss_leader: bool = False,
) -> FloorVerdict:
    """Check a price against what its calls cost, before it is published.

    Args:
        price: Credits a call.
        expected_cost: Provider cost of one typical call in micro-GHS, None if unknown. Retries
            and repairs are added here.
        cheapest_unit_price: The least that a credit is sold for, in micro-GHS.
        floor_margin: Share of the revenue below which the price is refused.
        target_margin: Share of the revenue below which it is published with a warning.
        fee: Share of every payment that the gateway keeps.
        loss_leader: Whether a price below its floor is meant; it then passes with a note.

    Returns:
        The verdict. An unknown cost is never ``ok``, for a loss leader neither.
    """
    lowest = allowed_cost(price, floor_margin, cheapest_unit_price=cheapest_unit_price, fee=fee)
    aim = allowed_cost(price, target_margin, cheapest_unit_price=cheapest_unit_price, fee=fee)
    cost = None if expected_cost is None else loaded_cost(expected_cost)
    reason = _reason(cost, lowest, aim, loss_leader=loss_leader)
    said = "unknown" if cost is None else f"GHS {ghs(cost)}"
    return FloorVerdict(
        outcome=_OUTCOMES[reason],
        reason=reason,
        message=_MESSAGES[reason].format(price=price.short, cost=said, floor=ghs(lowest), target=ghs(aim)),
        price=price,
        cost=cost,
        floor=lowest,
        target=aim,
        margin=_margin(price, cost, cheapest_unit_price, fee),
    )


def _reason(cost: int | None, lowest: int, aim: int, *, loss_leader: bool) -> FloorReason:
    if cost is None:
        return "unknown_cost"
    if cost <= lowest and cost <= aim:
        return "within_target"
    if loss_leader:
        return "loss_leader"
    return "below_target" if cost <= lowest else "below_floor"


def _margin(price: Credits, cost: int | None, unit_price: int, fee: Decimal) -> Decimal | None:
    """Rounded down, so that a margin shown as 90 % has reached 90 %."""
    revenue = Fraction(price.micro * unit_price, MICRO)
    if cost is None or not revenue:
        return None
    return Decimal(f"{floor((1 - Fraction(fee) - cost / revenue) * 1_000)}e-3")
