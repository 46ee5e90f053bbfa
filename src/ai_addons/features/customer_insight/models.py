"""What a question about customers takes and returns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ai_addons.features._guard import Answer, FactKey, Prose
from ai_addons.features._inputs import Count, Ghs, Name, SignedGhs, Strict, exact, tidy

Segment: TypeAlias = Literal["champions", "loyal", "promising", "new", "at_risk", "hibernating", "one_off"]
"""Groups of customers by how lately and how often they bought."""

MetricPack: TypeAlias = Literal[
    "top_customers",
    "at_risk",
    "new_customers",
    "lapsed",
    "repeat_rate",
    "basket_size",
    "segment_mix",
    "credit_buyers",
    "concentration",
    "busy_times",
    "categories_by_segment",
    "change",
]
"""The fixed menu: what a question may be answered from."""

Confidence: TypeAlias = Literal["high", "medium", "low"]
"""How far to trust an answer: by the size of the group and the age of the data."""

MOST_ROWS: Final = 10


class InsightPolicy(Strict):
    """What counts as enough, overdue and confident. All values are set by hand, not measured."""

    version: str = "1"
    """Kept with every result, for review."""
    min_ranked: Annotated[int, Field(ge=5, le=10_000)] = 25
    """With fewer customers there are no scores and no segments."""
    smallest_group: Annotated[int, Field(ge=2, le=1_000)] = 5
    """A figure over fewer customers is left out."""
    overdue_gaps: Annotated[Decimal, BeforeValidator(exact), Field(ge=1, le=20)] = Decimal(2)
    """A customer is overdue after so many usual gaps."""
    overdue_purchases: Annotated[int, Field(ge=2, le=100)] = 3
    """A usual gap needs so many purchase days."""
    change_days: Annotated[int, Field(ge=7, le=365)] = 90
    """How many days are compared with as many before them."""
    high_group: Count = 100
    """For high confidence: the least number of customers."""
    high_age: Count = 7
    """For high confidence: the most days since the last purchase."""
    medium_group: Count = 30
    """For medium confidence: the least number of customers."""
    medium_age: Count = 30
    """For medium confidence: the most days since the last purchase."""


class Purchase(Strict):
    """One purchase, or one refund."""

    customer_ref: Name
    """Who: a name or a number. Never sent; a pseudonym stands for it."""
    day: date
    """When."""
    amount: SignedGhs
    """In GHS; below zero for a refund."""
    on_credit: bool | None = None
    """Whether it was bought on credit; None where this is not kept."""
    category: Name | None = None
    """What was mainly bought; never sent. None where this is not kept."""


class SegmentRow(Strict):
    """A segment, ready made."""

    segment: Segment
    """Which."""
    customers: Count
    """How many customers."""
    spend: SignedGhs
    """Their net spend, GHS."""
    spend_12m: SignedGhs
    """Their net spend of the last twelve months, GHS."""


class CustomerRow(Strict):
    """A customer, ready made."""

    customer_ref: Name
    """Who; never sent."""
    segment: Segment
    """Their segment."""
    spend: Ghs
    """Net spend, GHS."""
    purchases: Annotated[int, Field(ge=1, le=1_000)]
    """Days on which they bought."""
    days_since: Annotated[int, Field(ge=0, le=10_000)]
    """Days since the last of them."""


class CustomerQuestion(Strict):
    """A question of the owner's, with the purchases (or ready sums) to answer it from."""

    as_of: date
    """The day these figures describe."""
    question: Annotated[str, BeforeValidator(tidy), Field(min_length=3, max_length=300)]
    """In the owner's words; personal data in it is masked like any free text."""
    purchases: Annotated[tuple[Purchase, ...], Field(max_length=200_000)] | None = None
    """All purchases of the last 24 months, in any order; either these or the ready sums."""
    segments: Annotated[tuple[SegmentRow, ...], Field(max_length=7)] | None = None
    """Ready sums by segment."""
    customers_top: Annotated[tuple[CustomerRow, ...], Field(max_length=MOST_ROWS)] | None = None
    """The customers with the largest spend, at most ten; goes with ``segments``."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        ready = self.segments is not None
        if ready != (self.customers_top is not None) or ready == (self.purchases is not None):
            msg = "give either purchases, or segments and customers_top"
            raise ValueError(msg)
        if any(row.day > self.as_of for row in self.purchases or ()):
            msg = "a purchase was made after as_of"
            raise ValueError(msg)
        names = [row.segment for row in self.segments or ()]
        refs = [row.customer_ref for row in self.customers_top or ()]
        if len(set(names)) != len(names) or len(set(refs)) != len(refs):
            msg = "each segment and customer may occur once"
            raise ValueError(msg)
        return self


class Route(Answer):
    """The first, small question: where the owner's question belongs."""

    pack: MetricPack | Literal["none"]


class EvidenceAnswer(Answer):
    """A fact that the answer rests on."""

    fact_key: FactKey
    why: Annotated[Prose, Field(min_length=1, max_length=120)]


class InsightAnswer(Answer):
    """What the model is asked for: words around facts of the chosen pack."""

    answer: Annotated[Prose, Field(min_length=1, max_length=600)]
    evidence: Annotated[tuple[EvidenceAnswer, ...], Field(min_length=1, max_length=5)]
    suggested_action: Annotated[Prose, Field(min_length=1, max_length=200)]


class Evidence(Strict):
    """A fact that the answer rests on, as the owner reads it."""

    fact_key: str
    """Which fact."""
    text: str
    """Its value."""
    why: str
    """Why it matters."""


class Table(Strict):
    """The pack as a table, computed."""

    columns: tuple[str, ...]
    """What each column holds."""
    rows: tuple[tuple[str, ...], ...]
    """Values as text; a group of too few customers shows a dash."""


class CustomerInsight(Strict):
    """An answer from the fixed menu."""

    metric_pack: MetricPack | None
    """What it was answered from; None if the question fits none."""
    answer: str
    """The answer."""
    evidence: tuple[Evidence, ...]
    """What it rests on."""
    suggested_action: str
    """What could be done; empty without an answer."""
    table: Table
    """The figures of the pack."""
    customers: int
    """Customers behind the answer."""
    confidence: Confidence
    """By the size of that group and the age of the data."""
    insufficient_data: bool
    """Whether there was too little to go by."""
    policy_version: str
    """Which policy applied."""
