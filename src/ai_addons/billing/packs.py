"""Packs of credits: list prices, what they save, and which to offer. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.catalog import Offer, Pack
from ai_addons.money import MICRO, Credits, Money

if TYPE_CHECKING:
    from collections.abc import Iterable

PREPAID_PACKS: Final = (
    Pack(type="STARTER", price=Money(30), credits=Credits(30)),
    Pack(type="VALUE", price=Money(80), credits=Credits(100), bonus=Credits(20), recommended=True),
    Pack(type="PRO", price=Money(180), credits=Credits(250), bonus=Credits(70)),
)


def offers(packs: Iterable[Pack], shortfall: Credits) -> tuple[Offer, ...]:
    """The packs that cover a shortfall, cheapest first; the largest one if none does.

    Args:
        packs: What the policy sells, cheapest first.
        shortfall: Credits missing for the call at hand.
    """
    sold = tuple(packs)
    enough = tuple(pack for pack in sold if pack.credits >= shortfall) or sold[-1:]
    return tuple(Offer(pack.type, pack.price, pack.credits, pack.recommended) for pack in enough)


def unit_price(pack: Pack) -> int:
    """Micro-GHS really paid per credit, bonus included, rounded down.

    Args:
        pack: A pack priced in cedis.
    """
    return pack.price.minor * (MICRO // 100) * MICRO // pack.credits.micro


def saving(pack: Pack) -> Decimal:
    """Share of the plain price (one cedi a credit) that this pack saves per credit: VALUE is 0.20."""
    return (1 - pack.price.decimal / pack.credits.decimal).quantize(Decimal("0.001"))
