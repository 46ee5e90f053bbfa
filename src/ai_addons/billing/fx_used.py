"""Which exchange rates costs were booked at, and where they came from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ai_addons.money import MicroGhs, PicoUsd, ghs, scaled_rate, to_micro_ghs, usd

if TYPE_CHECKING:
    from ai_addons.billing.sql import Row

SHOWN_AT: Final = (Decimal("11.646"), Decimal("16.00"))
"""Cedis for a dollar at which every margin is shown beside the booked one: the rate of 29 September 2026, and the one
that the first plan reckoned with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FxUsed:
    """A rate, and what was booked at it.

    Attributes:
        source: Where it comes from.
        day: Its day, ISO.
        rate: Cedis for one US dollar.
        stale: Whether it was too old to go by when it was written down.
        calls: Calls booked at it.
        cost: Their provider cost, pico-USD, as far as it is known.
        cost_ghs: The same in micro-GHS.
    """

    source: str
    day: str
    rate: Decimal
    stale: bool
    calls: int
    cost: PicoUsd
    cost_ghs: MicroGhs

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "source": self.source,
            "day": self.day,
            "ghs_per_usd": f"{self.rate:f}",
            "stale": self.stale,
            "calls": self.calls,
            "cost_usd": f"{usd(self.cost):f}",
            "cost_ghs": str(ghs(self.cost_ghs)),
        }


def read_fx(rows: list[Row]) -> tuple[FxUsed, ...]:
    """Rates from rows of the call log summed by rate, the one with most calls first."""
    found = [
        FxUsed(
            source=row.fx_source,
            day=row.fx_date,
            rate=Decimal(f"{row.fx_rate}e-8"),
            stale=bool(row.fx_stale),
            calls=row.calls,
            cost=PicoUsd(row.cost),
            cost_ghs=MicroGhs(row.cost_ghs),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.day, one.source, one.rate)))


def at_rate(cost: PicoUsd, rate: Decimal) -> MicroGhs:
    """A cost in micro-GHS at another rate, cedis for one US dollar."""
    return to_micro_ghs(cost, scaled_rate(rate))
