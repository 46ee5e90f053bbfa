"""What calls cost, and the rate that turns their cost into cedis."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field, SecretStr

from ai_addons.settings.base import Section
from ai_addons.settings.values import Amount, Duration, Names


class ModelPriceSettings(Section):
    """Price of one model in USD per million tokens, as its provider lists it."""

    input: Decimal = Field(ge=0)
    """Uncached input."""
    output: Decimal = Field(ge=0)
    """Output, thinking included."""
    cached: Decimal | None = Field(default=None, ge=0)
    """Input read from the provider's cache."""
    cache_write: Decimal | None = Field(default=None, ge=0)
    """Input written to the provider's cache."""
    max_input: int | None = Field(default=None, gt=0)
    """Prompt tokens above which this price no longer holds."""


class PriceSettings(Section):
    """What calls cost: credits per feature for the shop, US dollars per model for us."""

    features: dict[str, Amount] = Field(default_factory=dict)
    """Credits per call, by feature key; wins over the decorator and the catalogue."""
    models: dict[str, ModelPriceSettings] = Field(default_factory=dict)
    """Own or corrected model prices, by model name."""
    floor_margin: Decimal = Field(default=Decimal(0), lt=1)
    """A price whose margin would be below this share is not published, unless as a loss leader."""
    target_margin: Decimal = Field(default=Decimal("0.60"), lt=1)
    """A price whose margin would be below this share is published with a warning; 0.90 for built-in features."""
    refresh: Duration = timedelta(seconds=5)
    """How soon every process sees a price or a pack that was published."""
    allow_unpriced: bool = False
    """Let models without a known price be called; their cost is then shown as unknown."""


class FxSettings(Section):
    """The exchange rate that turns provider cost into cedis. No source is asked unless you name one."""

    ghs_per_usd: Decimal = Field(default=Decimal("11.646"), gt=0, decimal_places=8)
    """Cedis for one US dollar, while no source gave a rate; always counted as stale."""
    as_of: date = date(2026, 9, 29)
    """Day of that rate."""
    sources: Annotated[Names, Field(min_length=1)] = ("static",)
    """Who is asked, in order: ``bog`` (Bank of Ghana through Frankfurter), ``er-api``, ``openexchangerates``, a plug-in
    (entry point group ``ai_addons.rates``) or ``package.module:attribute``; ``static`` asks nobody."""
    urls: dict[str, str] = Field(default_factory=dict)
    """Other addresses, by source: one that you host yourself."""
    app_id: SecretStr | None = None
    """Key of openexchangerates.org."""
    refresh: Duration = Field(default=timedelta(hours=6), ge=timedelta(minutes=10))
    """How often one host of all asks."""
    timeout: Duration = Field(default=timedelta(seconds=3), gt=timedelta(0))
    """How long each step of a request to a source may take; no call waits for it."""
    low: Decimal = Field(default=Decimal(5), gt=0)
    """A rate below it is not taken until an operator confirms it."""
    high: Decimal = Field(default=Decimal(50), gt=0)
    """A rate above it likewise."""
    most_move: Decimal = Field(default=Decimal("0.15"), gt=0, lt=1)
    """A rate that differs from the last good one by a larger share likewise."""
    warn_after: Duration = timedelta(days=4)
    """A rate whose own day is longer ago is worth a warning, in whole days."""
    stale_after: Duration = timedelta(days=7)
    """A rate whose own day is longer ago is stale, in whole days; nobody is charged in another currency by it."""
