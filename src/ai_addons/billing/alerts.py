"""When to tell a shop that its credits run low: once per crossing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.money import Credits

COOLDOWN: Final = 24 * 3_600_000_000
"""Microseconds between two alerts, unless credits were bought in between: a day."""

RUNWAY_DAYS: Final = 14
"""Days whose use tells how long the credits will last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What is remembered about one alert of one wallet.

    A new one is not armed: a wallet that never was above the level does not
    complain (five trial credits against a level of ten).

    Attributes:
        armed: Whether falling below the level is worth an alert.
        last_fired_at: When it last fired, UTC microseconds; None for never, or not since credits were bought.
    """

    armed: bool = False
    last_fired_at: int | None = None


def after(
    state: AlertState, *, posted: Credits, threshold: Credits, now: int, paid_grant: bool, cooldown: int
) -> tuple[AlertState, bool]:
    """What a change of the booked credits does to the low-balance alert.

    It fires when armed and below the level. It is armed again at one and a half
    times the level, so that hovering around it stays silent, or by bought credits
    that lift the wallet above it. A crossing that falls into the cooldown stays
    armed and fires with the first change after it.

    Args:
        state: As it was after the last change.
        posted: Credits booked now, held ones included: what is available would report one crossing
            for each of two open holds.
        threshold: The level.
        now: UTC microseconds.
        paid_grant: Whether the change was a grant that was paid for; it ends the cooldown.
        cooldown: Microseconds to stay silent after an alert.

    Returns:
        The new state, and whether to send the alert now.
    """
    lifted = paid_grant and posted > threshold
    armed = state.armed or lifted or posted.micro * 2 >= threshold.micro * 3
    last = None if paid_grant else state.last_fired_at
    fires = armed and posted < threshold and (last is None or now - last >= cooldown)
    return (AlertState(last_fired_at=now), True) if fires else (AlertState(armed=armed, last_fired_at=last), False)


def runway_days(available: Credits, used_by_day: Sequence[Credits]) -> Decimal | None:
    """How many days the credits last at the pace of the last days.

    Args:
        available: Credits that can be spent.
        used_by_day: Credits used on each day, days without use included; `RUNWAY_DAYS` of them.

    Returns:
        Days to one decimal, rounded down; None if nothing was used.
    """
    used = sum(day.micro for day in used_by_day)
    if used <= 0:
        return None
    return Decimal(f"{available.micro * len(used_by_day) * 10 // used}e-1")
