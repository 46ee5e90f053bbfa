"""What the dashboard of a business takes, and the shop's own thresholds.

Figures only: names of storefronts, categories and customers stay here and are
put into the text afterwards; the model sees references in their place.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ai_addons.features._inputs import Count, Ghs, Name, Share, SignedGhs, Strict, exact

Area: TypeAlias = Literal["sales", "margin", "credit", "stock", "retention"]
"""A part of the business with a score of its own."""

AREAS: Final[tuple[Area, ...]] = ("sales", "margin", "credit", "stock", "retention")

BucketName: TypeAlias = Literal["current", "month", "two_months", "three_months", "older"]
"""Days overdue: none, 1-30, 31-60, 61-90, more."""

BUCKETS: Final[tuple[BucketName, ...]] = ("current", "month", "two_months", "three_months", "older")

SegmentName: TypeAlias = Literal["new", "one_off", "champions", "loyal", "promising", "at_risk", "hibernating"]
"""Kind of customer by when and how often they bought."""

RiskAction: TypeAlias = Literal["pause", "plan", "visit", "call", "message"]
"""What was worked out for a customer who owes."""

MONTHS: Final = 12


Number: TypeAlias = Annotated[Decimal, BeforeValidator(exact), Field(ge=-1_000, le=1_000)]
"""An end of a range: a share, points or days."""


def _within(*pairs: tuple[Decimal | int, Decimal | int, str]) -> None:
    for part, whole, words in pairs:
        if part > whole:
            msg = f"{words}: the part is larger than the whole"
            raise ValueError(msg)


class SalesPeriod(Strict):
    """Sales of thirty days, all storefronts together."""

    sales: Ghs
    """Net of returns, in GHS."""
    orders: Count
    """Number of sales."""
    active_customers: Count | None = None
    """Different known customers who bought; None if not known."""
    credit_sales: Ghs | None = None
    """Part of the sales that was sold on credit, in GHS."""

    @model_validator(mode="after")
    def _credit_is_a_part(self) -> Self:
        _within((self.credit_sales or Decimal(0), self.sales, "credit_sales of sales"))
        return self


class SalesFigures(Strict):
    """The last thirty days beside the thirty before, and beside the same days last year."""

    current: SalesPeriod
    """The thirty days that end with ``as_of``."""
    prior: SalesPeriod
    """The thirty days before."""
    last_year: Ghs | None = None
    """Sales of the same days a year earlier, in GHS."""


class MarginPeriod(Strict):
    """What was left of the sales of thirty days."""

    sales: Ghs
    """Net of returns, in GHS."""
    gross_profit: SignedGhs | None = None
    """Sales less the cost of what was sold, in GHS; None if costs are not known."""
    discounts: Ghs | None = None
    """Given away at the till, in GHS."""
    returns: Ghs | None = None
    """Taken back, in GHS."""


class MarginFigures(Strict):
    """Margins of the last thirty days beside the thirty before."""

    current: MarginPeriod
    """The thirty days that end with ``as_of``."""
    prior: MarginPeriod | None = None
    """The thirty days before."""


class Bucket(Strict):
    """What is owed with one age."""

    amount: Ghs
    """In GHS."""
    customers: Count
    """How many customers owe it; an amount of fewer than five is not sent."""


class Ageing(Strict):
    """All that is owed, by days past the due date."""

    current: Bucket
    """Not overdue."""
    month: Bucket
    """1 to 30 days."""
    two_months: Bucket
    """31 to 60 days."""
    three_months: Bucket
    """61 to 90 days."""
    older: Bucket
    """More than 90 days."""

    def owed(self, *, beyond: BucketName = "current") -> Decimal:
        """What is owed in a bucket and all worse ones, in GHS."""
        names = BUCKETS[BUCKETS.index(beyond) :]
        return sum((self.bucket(name).amount for name in names), Decimal(0))

    def bucket(self, name: BucketName) -> Bucket:
        """A bucket by its name."""
        found: Bucket = getattr(self, name)
        return found


class RollRates(Strict):
    """Share of each bucket's amount at the last month end that has moved to the next worse one."""

    current: Share | None = None
    """To 1-30 days."""
    month: Share | None = None
    """To 31-60 days."""
    two_months: Share | None = None
    """To 61-90 days."""
    three_months: Share | None = None
    """To more than 90 days."""


class ReceivablesFigures(Strict):
    """What customers owe."""

    ageing: Ageing
    """Today."""
    debtors: Count
    """Customers who owe anything."""
    credit_sales_90d: Ghs
    """Sold on credit in the last ninety days, in GHS."""
    top10_owed: Ghs
    """What the ten largest debtors owe together, in GHS."""
    ageing_prior: Ageing | None = None
    """A month earlier."""
    credit_sales_90d_prior: Ghs | None = None
    """Sold on credit in the ninety days that ended a month earlier, in GHS."""
    limits_total: Ghs | None = None
    """All credit limits together, in GHS."""
    expected_unpaid: Ghs | None = None
    """What is likely still unpaid in two weeks, in GHS."""
    roll_rates: RollRates = RollRates()
    """From the last month end to today."""

    @model_validator(mode="after")
    def _top_is_a_part(self) -> Self:
        _within((self.top10_owed, self.ageing.owed(), "top10_owed of all that is owed"))
        return self


class StockPoint(Strict):
    """The stock on one day."""

    active_items: Count
    """Items that sell."""
    stockout_items: Count
    """Those of them with none left."""
    stock_value: Ghs
    """At cost, in GHS."""
    dead_stock_value: Ghs
    """Of that, items without a sale in ninety days."""
    cost_of_sales_30d: Ghs | None = None
    """Cost of what was sold in thirty days, in GHS."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        _within(
            (self.stockout_items, self.active_items, "stockout_items of active_items"),
            (self.dead_stock_value, self.stock_value, "dead_stock_value of stock_value"),
        )
        return self


class StockFigures(Strict):
    """The stock today beside that of a month earlier."""

    current: StockPoint
    """Today."""
    prior: StockPoint | None = None
    """A month earlier."""
    order_value: Ghs | None = None
    """Cost of what should be ordered now, in GHS."""


class CustomerPoint(Strict):
    """How customers come back, seen from one day."""

    customers: Count
    """Known customers who bought within twelve months."""
    repeat_customers: Count
    """Of these, who bought on two days or more."""
    base_customers: Count
    """Who bought in the ninety days before the last ninety."""
    lost_customers: Count
    """Of these, who have not bought since."""
    new_customers: Count | None = None
    """Whose first purchase was within thirty days."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        _within(
            (self.repeat_customers, self.customers, "repeat_customers of customers"),
            (self.lost_customers, self.base_customers, "lost_customers of base_customers"),
        )
        return self


class Segment(Strict):
    """One kind of customer."""

    name: SegmentName
    """Which."""
    customers: Count
    """How many; with fewer than five the segment is not sent."""
    spend: Ghs
    """What they spent in twelve months, in GHS."""


class CustomerFigures(Strict):
    """Customers today beside those of a month earlier."""

    current: CustomerPoint
    """Today."""
    prior: CustomerPoint | None = None
    """A month earlier."""
    segments: Annotated[tuple[Segment, ...], Field(max_length=7)] = ()
    """Each at most once."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({segment.name for segment in self.segments}) < len(self.segments):
            msg = "each segment is given at most once"
            raise ValueError(msg)
        return self


class MonthPoint(Strict):
    """One month; sent as an index only."""

    sales: Ghs
    """In GHS."""
    receivables: Ghs
    """Owed at its end, in GHS."""


class SalesRow(Strict):
    """A storefront or a category: thirty days beside the thirty before."""

    name: Name
    """What the shop calls it; not sent."""
    sales: SignedGhs
    """In GHS."""
    sales_prior: SignedGhs
    """In GHS."""
    gross_profit: SignedGhs | None = None
    """In GHS."""


class RiskRow(Strict):
    """One customer who may not pay soon."""

    name: Name
    """The customer's name or number in the shop; not sent."""
    overdue: Ghs
    """Owed past its due date, in GHS."""
    days_overdue: Annotated[int, Field(strict=True, ge=0, le=10_000)]
    """Of the oldest bill."""
    expected_unpaid: Ghs
    """What is likely still unpaid in two weeks, in GHS."""
    action: RiskAction | None = None
    """What was worked out for this customer."""


class PortfolioFigures(Strict):
    """The ready figures of a whole business; an area that is not known is left out."""

    as_of: date
    """The day these figures describe."""
    sales: SalesFigures | None = None
    """Sales of all storefronts."""
    margin: MarginFigures | None = None
    """Margins of all storefronts."""
    receivables: ReceivablesFigures | None = None
    """What customers owe."""
    stock: StockFigures | None = None
    """The stock of all storefronts."""
    customers: CustomerFigures | None = None
    """How customers come back."""
    months: Annotated[tuple[MonthPoint, ...], Field(max_length=MONTHS)] = ()
    """The last twelve months, oldest first; or none."""
    storefronts: Annotated[tuple[SalesRow, ...], Field(max_length=200)] = ()
    """In any order; the three that changed most in GHS are sent."""
    categories: Annotated[tuple[SalesRow, ...], Field(max_length=500)] = ()
    """In any order; the ten that changed most in GHS are sent."""
    risks: Annotated[tuple[RiskRow, ...], Field(max_length=5_000)] = ()
    """In any order; the ten with the most expected unpaid are sent."""

    @model_validator(mode="after")
    def _twelve_or_none(self) -> Self:
        if len(self.months) not in {0, MONTHS}:
            msg = "months: give twelve points, or none"
            raise ValueError(msg)
        return self
