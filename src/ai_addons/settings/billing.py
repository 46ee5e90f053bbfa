"""Where credits are booked, how they are sold, and how many may be spent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from ai_addons.settings.base import Section
from ai_addons.settings.values import Amount, Duration, Usd, Zone


class StoreSettings(Section):
    """Where credits and calls are booked."""

    url: str = "sqlite:///ai_addons.db"
    """SQLAlchemy URL of the store."""


class BillingSettings(Section):
    """How credits are sold."""

    policy: str = "prepaid"
    """Name of the billing policy (entry point group ``ai_addons.policies``)."""
    low_balance: Amount = Field(default="10", validate_default=True)
    """Below this a wallet counts as low, and falling below it is told once."""
    alert_cooldown: Duration = timedelta(hours=24)
    """Least time between two low-balance alerts of a wallet, unless credits were bought in between."""
    trial_budget: Amount | None = None
    """Credits that all trials of a day may give together; None for no bound."""


class LimitSettings(Section):
    """How many credits may be spent, in each day or month of the business's zone; None for no limit.

    Limits for one business, user or feature are set at run time.
    """

    operator_day: Amount | None = None
    """All businesses together, a day."""
    operator_month: Amount | None = None
    """All businesses together, a month."""
    business_day: Amount | None = None
    """Each business, a day."""
    business_month: Amount | None = None
    """Each business, a month."""
    user_day: Amount | None = None
    """Each user of a business, a day."""
    user_month: Amount | None = None
    """Each user of a business, a month."""
    feature_day: Amount | None = None
    """Each feature in a business, a day."""
    feature_month: Amount | None = None
    """Each feature in a business, a month."""
    warn_at: Decimal = Field(default=Decimal("0.8"), gt=0, le=1)
    """Share of a limit that is told once when it is reached."""
    operator_tz: Zone = "Africa/Accra"
    """Zone of the operator's own days and months."""


class BudgetSettings(Section):
    """What all models together may cost in the operator's own days and months (zone ``limits.operator_tz``).

    A call counts with the most it can cost until it ends. One that might go over a
    budget is not made: it falls back to rules where it can, else it is refused.
    """

    usd_day: Usd | None = None
    """US dollars a day; None for no bound."""
    usd_month: Usd | None = Decimal(50)
    """US dollars a month; None for no bound."""
    warn_at: Decimal = Field(default=Decimal("0.8"), gt=0, le=1)
    """Share of a budget that is told once when it is reached."""
