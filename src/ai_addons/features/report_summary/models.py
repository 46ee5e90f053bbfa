"""What a report summary takes and returns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ai_addons.features._guard import Answer, Cited, Direction, Prose
from ai_addons.features._inputs import Count, Ghs, Name, Share, SignedGhs, Strict, Units, exact

FindingCode: TypeAlias = Literal[
    "PRICE",
    "VOLUME",
    "MIX",
    "NEW",
    "LOST",
    "MARGIN",
    "DISCOUNTS",
    "RETURNS",
    "CREDIT",
    "ORDERS",
    "BASKET",
    "RISE",
    "FALL",
    "CATEGORY",
    "ODD_DAY",
    "LAST_YEAR",
]
"""What a finding is about; in this order where two have the same effect."""

MOST_FINDINGS: Final = 5


class ReportPolicy(Strict):
    """What counts as a change, an odd day and enough data. Defaults are set by hand unless they name a source."""

    version: str = "1"
    """Kept with every result, for review."""
    flat_share: Share = Decimal("0.01")
    """A change below this share of what it is compared with is flat."""
    flat_points: Share = Decimal("0.005")
    """A change of the gross margin below this share is flat: 0.005 is half a percentage point."""
    min_trading_days: Annotated[int, Field(ge=1, le=400)] = 14
    """With fewer trading days in the two periods together nothing is asked and nothing is charged."""
    thin_trading_days: Annotated[int, Field(ge=1, le=400)] = 28
    """With fewer than this the data quality is ``thin``."""
    odd_score: Annotated[Decimal, BeforeValidator(exact), Field(gt=0, le=100)] = Decimal("3.5")
    """Modified z-score of an odd day; the limit of Iglewicz and Hoaglin (1993)."""
    odd_gap: Share = Decimal("0.05")
    """Least gap of an odd day, as a share of mean daily sales."""
    odd_history: Annotated[int, Field(ge=2, le=60)] = 13
    """How many same weekdays to look back."""
    odd_needed: Annotated[int, Field(ge=2, le=60)] = 6
    """How many same weekdays there must be."""
    finding_share: Share = Decimal("0.01")
    """Beyond the third, a finding needs an effect of this share of sales."""


class Period(Strict):
    """A span of days, both ends included."""

    start: date
    """First day."""
    end: date
    """Last day."""

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end < self.start:
            msg = "a period ends on its first day or later"
            raise ValueError(msg)
        return self

    @property
    def days(self) -> int:
        """Calendar days in it."""
        return (self.end - self.start).days + 1

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.start <= day <= self.end


class Totals(Strict):
    """Sums of one period, in GHS."""

    sales: Ghs
    """Sales after discounts and returns."""
    gross_profit: SignedGhs | None = None
    """Sales less the cost of goods sold; None where costs are not kept."""
    discounts: Ghs
    """Discounts given."""
    returns: Ghs
    """Value of goods taken back."""
    credit_sales: Ghs
    """Part of the sales not paid at once."""
    cash: Ghs
    """Part paid in cash."""
    momo: Ghs
    """Part paid by Mobile Money."""
    orders: Count
    """Number of sales."""


class Sold(Strict):
    """What was sold of a product in one period."""

    units: Units
    """Pieces, kilos or litres, returns taken off."""
    sales: SignedGhs
    """In GHS."""
    cost: SignedGhs | None = None
    """Cost of the goods sold in GHS (of all units, not of one); None if unknown."""


class ProductSales(Strict):
    """A product in both periods."""

    ref: Name
    """Name or number; never sent."""
    category: Name
    """Its category; never sent. Products of one category are counted in one unit."""
    current: Sold
    """In the period."""
    prior: Sold
    """In the prior period."""
    stock_out_days: Annotated[int, Field(ge=0, le=400)] = 0
    """Days of the period without stock."""


class CategorySales(Strict):
    """A category in both periods."""

    ref: Name
    """Its name; never sent."""
    sales: SignedGhs
    """In the period, GHS."""
    orders: Count
    """Sales in the period that held something of it."""
    prior_sales: SignedGhs
    """In the prior period, GHS."""
    prior_orders: Count
    """As ``orders``, in the prior period."""


class DaySales(Strict):
    """One day."""

    day: date
    """The date."""
    sales: SignedGhs
    """In GHS."""
    orders: Count
    """Number of sales."""
    open: bool = True
    """Whether the shop traded; a closed day is not a day of no sales."""


class SalesReport(Strict):
    """Figures of a period and the one before it."""

    as_of: date
    """The day these figures describe."""
    period: Period
    """What is reported."""
    prior_period: Period
    """What it is compared with; ends before the period begins."""
    same_period_last_year: Period | None = None
    """The same days a year ago, where there were any; goes with ``last_year``."""
    totals: Totals
    """Sums of the period."""
    prior_totals: Totals
    """Sums of the prior period."""
    last_year: Totals | None = None
    """Sums of the same period last year."""
    products: Annotated[tuple[ProductSales, ...], Field(max_length=2_000)] = ()
    """Each product once, at most 2,000."""
    categories: Annotated[tuple[CategorySales, ...], Field(max_length=400)] = ()
    """Each category once, at most 400."""
    days: Annotated[tuple[DaySales, ...], Field(max_length=400)] = ()
    """Each day once, at most 400; days before the prior period show what is usual."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        ends = (self.prior_period.end < self.period.start, "the prior period must end before the period begins")
        past = (self.period.end <= self.as_of, "the period must have ended by as_of")
        pair = (
            (self.same_period_last_year is None) == (self.last_year is None),
            "same_period_last_year and last_year go together",
        )
        once = (
            all(
                len(set(keys)) == len(keys)
                for keys in (
                    [row.ref for row in self.products],
                    [row.ref for row in self.categories],
                    [row.day for row in self.days],
                )
            ),
            "each product, category and day may occur once",
        )
        for holds, msg in (ends, past, pair, once):
            if not holds:
                raise ValueError(msg)
        return self


class HeadlineAnswer(Cited):
    """The one line to read."""

    text: Annotated[Prose, Field(min_length=1, max_length=120)]


class FindingAnswer(Cited):
    """The model's sentence on one finding."""

    text: Annotated[Prose, Field(min_length=1, max_length=220)]
    direction: Direction


class ReportLine(Cited):
    """One thing to do or to bear in mind."""

    text: Annotated[Prose, Field(min_length=1, max_length=180)]


class ReportAnswer(Answer):
    """What the model is asked for: words around findings that code has chosen."""

    headline: HeadlineAnswer
    findings: Annotated[tuple[FindingAnswer, ...], Field(min_length=3, max_length=MOST_FINDINGS)]
    actions: Annotated[tuple[ReportLine, ...], Field(max_length=3)]
    caveats: Annotated[tuple[ReportLine, ...], Field(max_length=2)]


class ReportFinding(Strict):
    """One finding, as the owner reads it."""

    code: FindingCode
    """Stable name."""
    direction: Direction
    """Whether what it speaks of went up, down or hardly moved."""
    effect: Decimal
    """What it comes to in GHS; its size ranks the findings."""
    text: str
    """The sentence."""


class SalesParts(Strict):
    """Where the change in the products' sales comes from, in GHS."""

    change: Decimal
    """The five parts together."""
    price: Decimal
    """From other prices."""
    volume: Decimal
    """From more or fewer units."""
    mix: Decimal
    """From dearer or cheaper products in the same number."""
    new: Decimal
    """From products not sold before."""
    lost: Decimal
    """From products not sold any more; zero or less, returns aside."""


class ProfitParts(Strict):
    """Where the change in the products' gross profit comes from, in GHS."""

    change: Decimal
    """The five parts together."""
    price: Decimal
    """From other prices."""
    cost: Decimal
    """From other unit costs; below zero when goods became dearer."""
    volume_and_mix: Decimal
    """From other quantities."""
    new: Decimal
    """Gross profit of products not sold before."""
    lost: Decimal
    """Minus the gross profit of products not sold any more."""


class Mover(Strict):
    """A product whose sales rose or fell."""

    ref: str
    """The product."""
    sales: Decimal
    """In the period, GHS."""
    change: Decimal
    """Against the prior period, GHS."""
    stock_out_days: int
    """Days of the period without stock."""


class UnusualDay(Strict):
    """A day whose sales stood out against the same weekdays before it."""

    day: date
    """The date."""
    sales: Decimal
    """In GHS."""
    usual: Decimal
    """Median of the same weekdays before it, GHS."""


class ReportSummary(Strict):
    """What changed in a period, in order of cedis."""

    headline: str
    """The one line to read."""
    findings: tuple[ReportFinding, ...]
    """Three to five, the weightiest first; the order is code's."""
    actions: tuple[str, ...]
    """What could be done, at most three."""
    caveats: tuple[str, ...]
    """What to bear in mind, at most two."""
    sales_change: Decimal
    """Sales less those of the prior period, GHS."""
    sales_parts: SalesParts | None
    """Where it comes from; None without product rows."""
    profit_parts: ProfitParts | None
    """The same for gross profit; None unless all costs are known."""
    rises: tuple[Mover, ...]
    """The five products that gained most."""
    falls: tuple[Mover, ...]
    """The five that lost most."""
    odd_days: tuple[UnusualDay, ...]
    """Days of the period that stand out."""
    trading_days: int
    """Open days in the two periods."""
    insufficient_data: bool
    """Whether there was too little to go by."""
    policy_version: str
    """Which policy applied."""
