"""What a credit assessment takes and returns.

There is no field for a name, sex, age, religion, ethnicity, region, telephone
or marital status, and unknown fields are refused: none of them may play a part
in a decision on credit.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ai_addons.features._guard import Answer, Cited, Direction, Prose
from ai_addons.features._inputs import Count, Ghs, Share, Strict, exact

Decision: TypeAlias = Literal["approve", "approve_reduced", "refer", "decline"]
"""What the rules suggest; the owner decides."""

GradeLetter: TypeAlias = Literal["A", "B", "C", "D", "E"]
"""From safest to riskiest."""

BindingRule: TypeAlias = Literal["requested", "absolute_cap", "purchases_multiple", "growth_cap"]
"""Which rule set the limit."""

ReasonCode: TypeAlias = Literal[
    "OVERDUE_NOW",
    "OPEN_DISPUTE",
    "SHORT_TENURE",
    "FEW_INVOICES",
    "LIMIT_RULE",
    "LATE_SHARE",
    "LAST_LATE",
    "WORST_LATE",
    "SHORT_HISTORY",
    "REQUEST_SIZE",
]
"""Hard rules first, then the five components of the score."""

MONTHS: Final = 12
MIN_OUTCOMES: Final = 200
MIN_BAD: Final = 50
BLEND_OUTCOMES: Final = 400


class GradeRule(Strict):
    """What follows from a grade. All values are set by hand, not measured."""

    grade: GradeLetter
    """The grade."""
    from_score: Annotated[Decimal, BeforeValidator(exact), Field(ge=0, le=100)]
    """Lowest score of this grade."""
    factor: Share
    """Part of the purchase-based limit that it may have."""
    pd_90d: Share
    """Indicative chance of being 90 days late."""


_GRADES: Final = (
    GradeRule(grade="A", from_score=Decimal(80), factor=Decimal(1), pd_90d=Decimal("0.03")),
    GradeRule(grade="B", from_score=Decimal(65), factor=Decimal("0.8"), pd_90d=Decimal("0.06")),
    GradeRule(grade="C", from_score=Decimal(50), factor=Decimal("0.5"), pd_90d=Decimal("0.12")),
    GradeRule(grade="D", from_score=Decimal(35), factor=Decimal("0.25"), pd_90d=Decimal("0.25")),
    GradeRule(grade="E", from_score=Decimal(0), factor=Decimal(0), pd_90d=Decimal("0.40")),
)


class WoeBin(Strict):
    """One bin of a characteristic."""

    up_to: Share
    """Highest value in it: the share of a component's points that is lost."""
    woe: Decimal
    """Weight of evidence: log of the share of all bad customers in it over that of all good ones."""


class WoeCharacteristic(Strict):
    """One characteristic of a fitted scorecard: a component of the hand points, in bins."""

    code: ReasonCode
    """The component."""
    weight: Annotated[Decimal, Field(ge=0)]
    """Its coefficient; 0 where the outcomes do not bear it out."""
    bins: Annotated[tuple[WoeBin, ...], Field(min_length=1)]
    """Bins by rising value; their evidence never falls."""


class LinkPoint(Strict):
    """Where a fitted risk lies on the scale of the hand points."""

    risk: Decimal
    """Sum of weight x evidence."""
    lost: Annotated[Decimal, Field(ge=0, le=100)]
    """Points lost by the customer at the same place among those fitted on."""


class FittedScorecard(Strict):
    """What a shop's own outcomes say; made by `fit_scorecard`, kept by the host."""

    version: Annotated[str, Field(min_length=1, max_length=40)]
    """Kept with every result."""
    outcomes: Count
    """Customers it was fitted on."""
    bad: Count
    """How many of them turned bad."""
    characteristics: Annotated[tuple[WoeCharacteristic, ...], Field(min_length=1)]
    """In the order of the components."""
    link: Annotated[tuple[LinkPoint, ...], Field(min_length=2)]
    """By rising risk; brings fitted risks to the scale of the hand points."""

    @property
    def share(self) -> Decimal:
        """Its part in the score, n / (n + 400); 0 below 200 outcomes or 50 bad ones (set by hand)."""
        if self.outcomes < MIN_OUTCOMES or self.bad < MIN_BAD:
            return Decimal(0)
        return Decimal(self.outcomes) / (self.outcomes + BLEND_OUTCOMES)


class CreditPolicy(Strict):
    """The shop's own rules for credit. Defaults are set by hand, not measured."""

    version: str = "1"
    """Kept with every result, for review."""
    min_tenure_months: Count = 6
    """A newer customer is referred to the owner."""
    min_credit_invoices: Count = 3
    """With fewer bills to judge by, the owner looks closer."""
    multiple_of_monthly_purchases: Annotated[Decimal, BeforeValidator(exact), Field(ge=Decimal("0.5"), le=6)] = Decimal(
        2
    )
    """Highest limit as a multiple of a typical month's purchases."""
    growth_cap: Annotated[Decimal, BeforeValidator(exact), Field(ge=1, le=10)] = Decimal("1.5")
    """Highest limit as a multiple of the present one."""
    absolute_cap: Ghs = Decimal(10_000)
    """Highest limit for anybody, in GHS."""
    grades: Annotated[tuple[GradeRule, ...], Field(min_length=1)] = _GRADES
    """Grades, safest first; the last one catches every score."""
    scorecard: FittedScorecard | None = None
    """The shop's own outcomes, blended into the hand points once there are enough; None for hand points alone."""

    @model_validator(mode="after")
    def _grades_cover_all(self) -> Self:
        floors = [rule.from_score for rule in self.grades]
        if floors != sorted(floors, reverse=True) or floors[-1] != 0:
            msg = "grades must run from the highest score down to 0"
            raise ValueError(msg)
        return self


class CreditInvoice(Strict):
    """One bill sold on credit."""

    issued: date
    """Day of the sale."""
    due: date
    """Day by which it was to be paid."""
    paid: date | None = None
    """Day it was paid in full; None while it is open."""
    amount: Annotated[Ghs, Field(gt=0)]
    """In GHS."""

    @model_validator(mode="after")
    def _due_after_issue(self) -> Self:
        if self.due < self.issued:
            msg = "a bill cannot be due before it is issued"
            raise ValueError(msg)
        return self


class CreditApplication(Strict):
    """A customer's request for shop credit: figures only, nobody's identity."""

    as_of: date
    """The day these figures describe."""
    requested_ghs: Ghs
    """The total limit asked for, in GHS."""
    current_limit: Ghs
    """The limit today; 0 for none."""
    exposure: Ghs
    """What the customer owes today."""
    tenure_months: Count
    """Months since the first purchase."""
    orders_12m: Count
    """Orders of the last twelve months."""
    spend_12m: Ghs
    """Purchases of the last twelve months, in GHS."""
    disputes_open: Count
    """Bills the customer disputes."""
    returned_payments_12m: Count
    """Payments that bounced in the last twelve months."""
    monthly_purchases: Annotated[tuple[Ghs, ...], Field(min_length=MONTHS, max_length=MONTHS)]
    """Purchases of the last twelve months, oldest first."""
    credit_invoices: Annotated[tuple[CreditInvoice, ...], Field(max_length=2_000)] = ()
    """Bills of the last 24 months, in any order."""

    @model_validator(mode="after")
    def _nothing_from_the_future(self) -> Self:
        if any(max(bill.issued, bill.paid or bill.issued) > self.as_of for bill in self.credit_invoices):
            msg = "a bill was issued or paid after as_of"
            raise ValueError(msg)
        return self


class ReasonAnswer(Cited):
    """The model's sentence on one reason code."""

    text: Annotated[Prose, Field(min_length=1, max_length=180)]
    code: ReasonCode
    direction: Direction


class Advice(Cited):
    """One thing to do."""

    text: Annotated[Prose, Field(min_length=1, max_length=180)]


class CreditExplanation(Answer):
    """What the model is asked for: words around a decision that code has taken."""

    summary: Cited
    reasons: Annotated[tuple[ReasonAnswer, ...], Field(min_length=2, max_length=4)]
    to_improve: Annotated[tuple[Advice, ...], Field(min_length=1, max_length=3)]
    checks_before_agreeing: Annotated[tuple[Advice, ...], Field(min_length=1, max_length=3)]
    customer_explanation: Cited


class Reason(Strict):
    """One reason, as the owner reads it."""

    code: ReasonCode
    """Stable name."""
    direction: Direction
    """``up`` speaks for credit, ``down`` against."""
    points: Decimal | None
    """Points of the score gained or lost by it; None for a hard rule."""
    text: str
    """The sentence."""


class CreditAssessment(Strict):
    """A suggested decision on shop credit, with its reasons."""

    decision: Decision
    """What the rules suggest."""
    recommended_limit: Decimal
    """Total limit the rules allow, in steps of GHS 50; no offer where the decision is refer or decline."""
    available_now: Decimal
    """That limit less what is owed already, in GHS."""
    credit_score: Decimal
    """0 to 100, higher is safer."""
    risk_grade: GradeLetter
    """Grade by score."""
    pd_90d: Decimal
    """Chance of being 90 days late by grade; indicative only, not fitted to this shop."""
    reason_codes: tuple[ReasonCode, ...]
    """Two to four, the weightiest first."""
    binding_rule: BindingRule
    """The rule that set the limit."""
    requires_human: Literal[True] = True
    """Always: a person decides."""
    policy_version: str
    """Which rules of the shop applied."""
    scorecard_version: str
    """Which scorecard applied."""
    summary: str
    """For the owner, in two or three sentences."""
    reasons: tuple[Reason, ...]
    """One per reason code, in the same order."""
    to_improve: tuple[str, ...]
    """What the customer could do."""
    checks_before_agreeing: tuple[str, ...]
    """What the owner should look at first."""
    customer_explanation: str
    """Words for the customer."""
    owner_note: str
    """That the owner decides."""
