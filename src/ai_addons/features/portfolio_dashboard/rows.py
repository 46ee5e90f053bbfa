"""Rows that can be counted up into the dashboard's figures, whatever class they have.

Only these attributes are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from ai_addons.features.portfolio_dashboard.models import RiskAction, SegmentName


class Totals(Protocol):
    """The totals of a period, as `report_summary` takes them; amounts in GHS."""

    @property
    def sales(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def gross_profit(self) -> Decimal | None:
        """In GHS; None if costs are not known."""
        ...

    @property
    def discounts(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def returns(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def credit_sales(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def orders(self) -> int:
        """Sales rung up."""
        ...


class CategoryTotals(Protocol):
    """A category or storefront in two periods, as `report_summary` takes it; amounts in GHS."""

    @property
    def ref(self) -> str:
        """Its name in the shop."""
        ...

    @property
    def sales(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def prior_sales(self) -> Decimal:
        """Of the period before, in GHS."""
        ...


class OpenInvoice(Protocol):
    """A bill that is not settled, as `collection_analysis` takes it; amounts in GHS."""

    @property
    def customer_ref(self) -> str:
        """Whose."""
        ...

    @property
    def due(self) -> date:
        """Day by which it is to be paid."""
        ...

    @property
    def amount(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def paid_so_far(self) -> Decimal:
        """In GHS."""
        ...


class RankedCustomer(Protocol):
    """A row of the worklist that `collection_analysis` returns; amounts in GHS."""

    @property
    def ref(self) -> str:
        """Its name in the shop."""
        ...

    @property
    def overdue(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def days_overdue(self) -> int:
        """Of the oldest bill."""
        ...

    @property
    def expected_unpaid(self) -> Decimal:
        """In GHS."""
        ...

    @property
    def action(self) -> RiskAction:
        """What was worked out."""
        ...


class StockItem(Protocol):
    """An item, as `inventory_forecast` takes it: units and GHS a unit."""

    @property
    def ref(self) -> str:
        """Its name in the shop."""
        ...

    @property
    def stock(self) -> Decimal | int:
        """Units at hand."""
        ...

    @property
    def unit_cost(self) -> Decimal:
        """GHS a unit."""
        ...


class ForecastItem(Protocol):
    """A row of the order list that `inventory_forecast` returns; units and GHS."""

    @property
    def ref(self) -> str:
        """Its name in the shop."""
        ...

    @property
    def fc_units(self) -> Decimal | int | None:
        """Units likely to sell; None where there is too little to go by."""
        ...

    @property
    def order_cost(self) -> Decimal:
        """Cost of what to order, in GHS."""
        ...

    @property
    def flag(self) -> str:
        """``dead_stock`` for an item without a sale in ninety days."""
        ...


class Purchase(Protocol):
    """What a known customer bought on one day, as `customer_insight` takes it."""

    @property
    def customer_ref(self) -> str:
        """Whose."""
        ...

    @property
    def day(self) -> date:
        """When."""
        ...

    @property
    def amount(self) -> Decimal:
        """In GHS; negative for goods that came back."""
        ...


class SegmentTotals(Protocol):
    """A kind of customer, as `customer_insight` takes it."""

    @property
    def segment(self) -> SegmentName:
        """Which."""
        ...

    @property
    def customers(self) -> int:
        """How many."""
        ...

    @property
    def spend_12m(self) -> Decimal:
        """In GHS."""
        ...


class RolledBucket(Protocol):
    """How much of a bucket grew older, as `collection_analysis` returns it."""

    @property
    def bucket(self) -> str:
        """``current``, ``days_1_30``, ``days_31_60`` or ``days_61_90``."""
        ...

    @property
    def rate(self) -> Decimal:
        """Share that moved to the next worse bucket."""
        ...
