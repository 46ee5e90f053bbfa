"""Packs of credits and the monthly add-on: list prices, what they save, and which to offer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ai_addons.billing.policy import AddonPlan
from ai_addons.catalog import Offer, Pack
from ai_addons.money import MICRO, Credits, Money

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY_US: Final = 24 * 60 * 60 * MICRO
_MICRO_PER_PESEWA: Final = MICRO // 100

_VALUE: Final = Pack(type="VALUE", price=Money(80), credits=Credits(100), bonus=Credits(20), recommended=True)

PREPAID_PACKS: Final = (
    Pack(type="STARTER", price=Money(30), credits=Credits(30)),
    _VALUE,
    Pack(type="PRO", price=Money(180), credits=Credits(250), bonus=Credits(70)),
)
"""What the prepaid policy sells, cheapest first."""

HYBRID_PACKS: Final = (Pack(type="QUICK", price=Money(30), credits=Credits(30)), _VALUE)
"""Top-ups beside the monthly add-on, cheapest first."""

ADDON: Final = AddonPlan(price=Money(50), credits=Credits(100), rollover_cap=Credits(50), grace_us=7 * _DAY_US)
"""The monthly add-on of the hybrid policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPack:
    """A pack of any size.

    Attributes:
        least: Smallest amount, in cedis.
        most: Largest amount, in cedis.
        tiers: From which amount which price per credit holds, smallest first; micro-GHS per credit.
        quantum: Credits are rounded down to a whole number of these.

    Raises:
        ValueError: If some amount within the bounds has no price, or no credits.
    """

    least: Money
    most: Money
    tiers: tuple[tuple[Money, int], ...]
    quantum: Credits

    def __post_init__(self) -> None:
        """Refuse what could sell nothing for something."""
        starts = [in_micro_ghs(start) for start, _ in self.tiers]
        sound = (
            starts[:1] <= [in_micro_ghs(self.least)] <= [in_micro_ghs(self.most)]
            and all(low < high for low, high in pairwise(starts))
            and all(price > 0 for _, price in self.tiers)
            and self.quantum > Credits(0)
        )
        if not (starts and sound and all(_credits(self, amount) > Credits(0) for amount in self._steps())):
            msg = (
                "A custom pack needs bounds from small to large, a quantum, and tiers from small to large with a "
                "price above zero, the first at or below its smallest amount; each must buy at least one quantum. "
                "Nothing was charged. Correct the custom pack."
            )
            raise ValueError(msg)

    def _steps(self) -> tuple[Money, ...]:
        """The amounts that buy least at their price."""
        return (self.least, *(start for start, _ in self.tiers[1:]))


def custom(pack: CustomPack, amount: Money) -> Pack:
    """The pack that an amount of the buyer's choice buys, at the price of its tier.

    Args:
        pack: Bounds and prices.
        amount: What the buyer wants to pay, in cedis.

    Returns:
        A pack of type ``CUSTOM``. All its credits are bought; none is called a bonus.

    Raises:
        ValueError: If the amount is not in cedis or lies outside the bounds.
    """
    paid = in_micro_ghs(amount)
    if not in_micro_ghs(pack.least) <= paid <= in_micro_ghs(pack.most):
        msg = f"A custom pack costs {pack.least} to {pack.most}, not {amount}. Nothing was charged. Choose within that."
        raise ValueError(msg)
    return Pack(type="CUSTOM", price=amount, credits=_credits(pack, amount))


def _credits(pack: CustomPack, amount: Money) -> Credits:
    """Credits for an amount, rounded down to the quantum."""
    price = [price for start, price in pack.tiers if start.minor <= amount.minor][-1]
    quantum = pack.quantum.micro
    return Credits.from_micro(in_micro_ghs(amount) * MICRO // (price * quantum) * quantum)


def offers(packs: Iterable[Pack], shortfall: Credits) -> tuple[Offer, ...]:
    """The packs that cover a shortfall, cheapest first; the largest one if none does.

    Args:
        packs: What the policy sells, cheapest first.
        shortfall: Credits missing for the call at hand.
    """
    sold = tuple(packs)
    enough = tuple(pack for pack in sold if pack.credits >= shortfall) or sold[-1:]
    return tuple(Offer(pack.type, pack.price, pack.credits, pack.recommended) for pack in enough)


def paid_micro_ghs(sold: Pack | AddonPlan) -> int:
    """What all its credits cost together, in micro-GHS, as a grant keeps it.

    Args:
        sold: A pack, or a month of an add-on.

    Raises:
        ValueError: If it is not priced in cedis.
    """
    return in_micro_ghs(sold.price)


def unit_price(sold: Pack | AddonPlan) -> int:
    """Micro-GHS really paid per credit, bonus included, rounded down.

    Args:
        sold: A pack, or a month of an add-on.

    Raises:
        ValueError: If it is not priced in cedis.
    """
    return paid_micro_ghs(sold) * MICRO // sold.credits.micro


def cheapest_unit_price(sold: Iterable[Pack | AddonPlan], tailored: CustomPack | None = None) -> int | None:
    """The least that any credit on sale brings, in micro-GHS; what price floors are measured at.

    Args:
        sold: Packs and add-ons.
        tailored: The pack of any size, None if there is none.

    Returns:
        None if nothing is sold.

    Raises:
        ValueError: If one is not priced in cedis.
    """
    tiers = () if tailored is None else tailored.tiers
    return min((*map(unit_price, sold), *(price for _, price in tiers)), default=None)


def saving(sold: Pack | AddonPlan) -> Decimal:
    """Share of the plain price (one cedi a credit) that is saved per credit: VALUE is 0.200.

    Raises:
        ValueError: If it is not priced in cedis.
    """
    plain = sold.credits.micro  # one cedi a credit: as many micro-cedis as micro-credits
    return share(plain - paid_micro_ghs(sold), plain)


def cheaper(sold: Pack | AddonPlan, *, than: Pack | AddonPlan) -> Decimal:
    """Share of another's price per credit that is saved: the add-on is 0.375 cheaper than VALUE.

    Raises:
        ValueError: If one is not priced in cedis.
    """
    theirs = paid_micro_ghs(than) * sold.credits.micro
    return share(theirs - paid_micro_ghs(sold) * than.credits.micro, theirs)


def extra(pack: Pack) -> Decimal:
    """Bonus credits as a share of the bought ones: VALUE gives 0.250 more."""
    return share(pack.bonus.micro, (pack.credits - pack.bonus).micro)


def share(part: int, whole: int) -> Decimal:
    """A part of a whole in thousandths, half rounded up; exact whatever the host's decimal context.

    Args:
        part: May be negative.
        whole: More than zero.
    """
    return Decimal(f"{(2_000 * part + whole) // (2 * whole)}e-3")


def in_micro_ghs(money: Money) -> int:
    """Cedis in micro-GHS."""
    if money.currency != "GHS":
        msg = f"Credits are sold in cedis (GHS), not for {money}. Nothing was charged. Give the price in GHS."
        raise ValueError(msg)
    return money.minor * _MICRO_PER_PESEWA


CUSTOM: Final = CustomPack(
    least=Money(10),
    most=Money(5_000),
    tiers=((Money(10), 1_000_000), (Money(80), 800_000), (Money(180), 720_000)),
    quantum=Credits("0.01"),
)
"""A pack of the buyer's own size, at the prices per credit of STARTER, VALUE and PRO."""
