"""The thresholds of the dashboard: what is good and what is bad, set by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from ai_addons.features._inputs import Share, Strict
from ai_addons.features.portfolio_dashboard.models import Number


class Scale(Strict):
    """A figure scores 0 at ``bad`` or beyond, 100 at ``good`` or beyond, and in proportion between."""

    bad: Number
    """Where the score is 0."""
    good: Number
    """Where it is 100."""

    @model_validator(mode="after")
    def _two_ends(self) -> Self:
        if self.bad == self.good:
            msg = "bad and good must differ"
            raise ValueError(msg)
        return self


class Band(Strict):
    """A figure scores 100 between ``low`` and ``high`` and falls to 0 on either side."""

    empty: Number
    """Scores 0 here and below."""
    low: Number
    """100 from here."""
    high: Number
    """100 up to here."""
    full: Number
    """0 here and above."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.empty < self.low <= self.high < self.full:
            msg = "give empty < low <= high < full"
            raise ValueError(msg)
        return self


def _scale(bad: str, good: str) -> Scale:
    return Scale(bad=Decimal(bad), good=Decimal(good))


class Thresholds(Strict):
    """One range for each scored figure. Defaults are set by hand, not measured.

    Shares and changes of amounts are shares (0.05 is 5 %), changes of the margin
    too (-0.05 is 5 points less), times are days.
    """

    sales_change: Scale = _scale("-0.20", "0.05")
    """Sales of 30 days against the 30 before."""
    sales_change_year: Scale = _scale("-0.20", "0.10")
    """Sales of 30 days against the same days last year."""
    active_change: Scale = _scale("-0.15", "0.05")
    """Customers who bought, against the 30 days before."""
    gross_margin: Scale = _scale("0.10", "0.25")
    """Gross profit of sales; differs by trade, so set it for yours."""
    margin_change: Scale = _scale("-0.05", "0")
    """Change of that share."""
    discount_share: Scale = _scale("0.10", "0.02")
    """Discounts of sales."""
    return_share: Scale = _scale("0.05", "0.01")
    """Returns of sales."""
    par30: Scale = _scale("0.40", "0.10")
    """Portfolio at risk: owed for more than 30 days past due, of all that is owed."""
    dso_change: Scale = _scale("15", "0")
    """Change of days sales outstanding, in days."""
    top10_share: Scale = _scale("0.80", "0.40")
    """What the ten largest debtors owe, of all that is owed."""
    utilisation: Scale = _scale("0.95", "0.60")
    """What is owed, of all credit limits."""
    stockout_share: Scale = _scale("0.15", "0.03")
    """Items with none left, of those that sell."""
    dead_stock_share: Scale = _scale("0.25", "0.05")
    """Value of stock without a sale in 90 days, of all stock."""
    stock_cover: Band = Band(empty=Decimal(7), low=Decimal(20), high=Decimal(60), full=Decimal(120))
    """Days that the stock lasts."""
    repeat_rate: Scale = _scale("0.15", "0.45")
    """Customers who bought on two days or more."""
    lost_share: Scale = _scale("0.20", "0.05")
    """Customers who stopped coming."""


class Weights(Strict):
    """What each area counts for. Set by hand; those of the areas at hand are scaled to one."""

    sales: Share = Decimal("0.25")
    margin: Share = Decimal("0.20")
    credit: Share = Decimal("0.25")
    stock: Share = Decimal("0.15")
    retention: Share = Decimal("0.15")

    @model_validator(mode="after")
    def _all_count(self) -> Self:
        weights = (self.sales, self.margin, self.credit, self.stock, self.retention)
        if sum(weights) != 1 or not all(weights):
            msg = "each area has a weight above 0, and they add up to 1"
            raise ValueError(msg)
        return self


class DashboardPolicy(Strict):
    """The shop's own rules for its dashboard. Defaults are set by hand, not measured."""

    version: Annotated[str, Field(min_length=1, max_length=40)] = "1"
    """Kept with every result, for review."""
    thresholds: Thresholds = Thresholds()
    """What is good and what is bad."""
    weights: Weights = Weights()
    """What each area counts for."""
    good_from: Annotated[int, Field(ge=1, le=100)] = 70
    """Lowest score of what is good."""
    watch_from: Annotated[int, Field(ge=1, le=100)] = 40
    """Lowest score of what should be watched; below it is bad."""
    min_areas: Annotated[int, Field(ge=1, le=5)] = 3
    """With fewer areas there is no health score and no call to the model."""

    @model_validator(mode="after")
    def _statuses_in_order(self) -> Self:
        if self.watch_from > self.good_from:
            msg = "watch_from cannot lie above good_from"
            raise ValueError(msg)
        return self
