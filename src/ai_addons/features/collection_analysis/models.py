"""What a collection analysis takes and returns.

A customer is a reference of the shop's own: it stays in the process, and only
``CA``, ``CB``, … leave it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ai_addons.features._guard import Answer, Cited, FactKey, Prose
from ai_addons.features._inputs import Count, Ghs, Name, Share, Strict, exact

Bucket: TypeAlias = Literal["current", "days_1_30", "days_31_60", "days_61_90", "over_90"]
"""How long a bill is overdue; ``current`` up to and on its due date."""

Action: TypeAlias = Literal["pause", "plan", "visit", "call", "message"]
"""What to do next: leave alone, agree on instalments, go there, telephone, write."""

ReasonCode: TypeAlias = Literal[
    "DISPUTE", "LIVE_PROMISE", "PAID_TODAY", "BROKEN_PROMISES", "UNANSWERED", "WITHIN_CAPACITY", "BEYOND_CAPACITY"
]
"""The rule that chose the action."""

BUCKETS: Final[tuple[Bucket, ...]] = ("current", "days_1_30", "days_31_60", "days_61_90", "over_90")
MOST_INVOICES: Final = 5_000
MOST_SETTLED: Final = 100_000


class OpenInvoice(Strict):
    """One bill that is not paid in full."""

    ref: Name
    """The shop's number of the bill; unique."""
    customer_ref: Name
    """The shop's name or number of the customer; never sent."""
    issued: date
    """Day of the sale."""
    due: date
    """Day by which it is to be paid."""
    amount: Annotated[Ghs, Field(gt=0)]
    """In GHS."""
    paid_so_far: Ghs = Decimal(0)
    """Part payments, in GHS."""
    dispute: bool = False
    """Whether the customer disputes it."""
    promise_date: date | None = None
    """Day by which the customer promised to pay; None without a promise."""
    broken_promises: Count = 0
    """Promises on this bill that were not kept."""
    last_contact: date | None = None
    """Day the customer was last spoken or written to about it."""
    unanswered_contacts: Count = 0
    """Contacts since the last answer."""

    @property
    def outstanding(self) -> Decimal:
        """What is left to pay, in GHS."""
        return self.amount - self.paid_so_far

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.due < self.issued:
            msg = "a bill cannot be due before it is issued"
            raise ValueError(msg)
        if self.paid_so_far > self.amount:
            msg = "more was paid than the bill is about"
            raise ValueError(msg)
        return self


class SettledInvoice(Strict):
    """One bill that was paid in full."""

    customer_ref: Name
    """The shop's name or number of the customer; never sent."""
    issued: date
    """Day of the sale."""
    due: date
    """Day by which it was to be paid."""
    paid: date
    """Day it was paid in full."""

    @model_validator(mode="after")
    def _due_after_issue(self) -> Self:
        if self.due < self.issued:
            msg = "a bill cannot be due before it is issued"
            raise ValueError(msg)
        return self


class MonthEndAmount(Strict):
    """What was open on one bill at the last month end."""

    ref: Name
    """The bill's number, as in ``open_invoices``; a bill paid since then is found in neither list."""
    bucket: Bucket
    """Its bucket on that day."""
    amount: Annotated[Ghs, Field(gt=0)]
    """What was open then, in GHS."""


class Capacity(Strict):
    """How much calling the shop can do."""

    calls_per_day: Annotated[int, Field(ge=1, le=100)] = 10
    """Calls a day."""
    days: Annotated[int, Field(ge=1, le=7)] = 5
    """Days this list is for."""

    @property
    def calls(self) -> int:
        """Calls in all."""
        return self.calls_per_day * self.days


class Receivables(Strict):
    """All that customers owe a shop, and how they paid before."""

    as_of: date
    """The day these figures describe."""
    open_invoices: Annotated[tuple[OpenInvoice, ...], Field(max_length=MOST_INVOICES)]
    """Bills not paid in full, in any order."""
    settled_invoices: Annotated[tuple[SettledInvoice, ...], Field(max_length=MOST_SETTLED)] = ()
    """Bills paid in full, of the last 24 months, in any order."""
    credit_sales_90d: Ghs = Decimal(0)
    """Sales on credit of the last 90 days, in GHS; 0 if not known."""
    month_end_buckets: Annotated[tuple[MonthEndAmount, ...], Field(max_length=MOST_INVOICES)] = ()
    """Open bills at the last month end; empty if not known."""
    capacity: Capacity = Capacity()
    """How many calls are possible."""

    @model_validator(mode="after")
    def _nothing_from_the_future(self) -> Self:
        opened = (max(bill.issued, bill.last_contact or bill.issued) for bill in self.open_invoices)
        settled = (max(bill.issued, bill.paid) for bill in self.settled_invoices)
        if any(day > self.as_of for days in (opened, settled) for day in days):
            msg = "a bill was issued or paid, or a customer contacted, after as_of"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _each_bill_once(self) -> Self:
        for refs in ([bill.ref for bill in self.open_invoices], [row.ref for row in self.month_end_buckets]):
            if len(set(refs)) != len(refs):
                msg = "a bill is listed twice"
                raise ValueError(msg)
        return self


class CollectionPolicy(Strict):
    """The shop's own rules for collecting. Defaults are set by hand, not measured."""

    version: Annotated[str, Field(min_length=1, max_length=40)] = "1"
    """Kept with every result, for review."""
    min_customers: Annotated[int, Field(ge=5, le=1_000)] = 5
    """With fewer debtors the list comes without a model's comment and without a charge."""
    plan_after_broken_promises: Annotated[int, Field(ge=1, le=100)] = 2
    """From so many broken promises on, agree on instalments."""
    visit_after_days: Count = 30
    """A visit needs more days overdue than this, …"""
    visit_top_share: Share = Decimal("0.1")
    """… a place in this top share of customers by what they owe, …"""
    visit_after_unanswered: Annotated[int, Field(ge=1, le=100)] = 2
    """… and so many contacts without an answer."""
    assumed_late_share: Share = Decimal("0.35")
    """Share of bills paid late, in a shop without a settled bill."""
    assumed_days_late: Annotated[Decimal, BeforeValidator(exact), Field(ge=0, le=365)] = Decimal(3)
    """Mean days late, in a shop without a settled bill."""


class Headline(Cited):
    """The first line."""

    text: Annotated[Prose, Field(min_length=1, max_length=140)]


class Line(Cited):
    """One remark."""

    text: Annotated[Prose, Field(min_length=1, max_length=180)]


class Effect(Cited):
    """What the plan reaches."""

    text: Annotated[Prose, Field(min_length=1, max_length=220)]


class Passage(Cited):
    """Why or how."""

    text: Annotated[Prose, Field(min_length=1, max_length=240)]


class BlockAnswer(Answer):
    """Some customers who are dealt with alike."""

    title: Annotated[Prose, Field(min_length=1, max_length=60)]
    refs: Annotated[tuple[FactKey, ...], Field(min_length=1, max_length=10)]
    why: Passage
    how: Passage


class CollectionComment(Answer):
    """What the model is asked for: words around a list that code has made."""

    headline: Headline
    blocks: Annotated[tuple[BlockAnswer, ...], Field(min_length=2, max_length=4)]
    watch: Annotated[tuple[Line, ...], Field(min_length=1, max_length=3)]
    expected_effect: Effect
    caveats: Annotated[tuple[Line, ...], Field(min_length=1, max_length=2)]


class RankedCustomer(Strict):
    """One line of the worklist."""

    ref: str
    """The shop's own reference of the customer."""
    rank: int
    """1 is first."""
    overdue: Decimal
    """Past due and not paid, in GHS."""
    days_overdue: int
    """Days past due of the oldest open bill; 0 if none is overdue."""
    p_unpaid: Decimal
    """Chance, 0 to 1, that an owed cedi is past due and unpaid in 14 days."""
    expected_unpaid: Decimal
    """That chance times what is owed, bill by bill, in GHS: the order of the list."""
    action: Action
    """What to do next."""
    reason_code: ReasonCode
    """The rule that chose it."""
    reason: str
    """The same in words."""


class AgeingBucket(Strict):
    """What is owed in one bucket."""

    bucket: Bucket
    """Days overdue."""
    amount: Decimal
    """In GHS."""
    share: Decimal
    """Share, 0 to 1, of all that is owed."""
    invoices: int
    """Bills."""
    customers: int
    """Customers with such a bill."""


class RollRate(Strict):
    """How much of a bucket grew older since the last month end."""

    bucket: Bucket
    """Where the money was."""
    month_end_amount: Decimal
    """What was open in it then, in GHS."""
    rolled: Decimal
    """What of it is now in the next older bucket, in GHS."""
    rate: Decimal
    """Their ratio, 0 to 1."""
    invoices: int
    """Bills that were in it."""


class CollectionTotals(Strict):
    """The receivables in a few figures."""

    outstanding: Decimal
    """All that is owed, in GHS."""
    overdue: Decimal
    """Past due, in GHS."""
    expected_unpaid: Decimal
    """Likely past due and unpaid in 14 days, in GHS."""
    customers: int
    """Customers who owe."""
    customers_overdue: int
    """Those with an overdue bill."""
    invoices: int
    """Open bills."""
    par30: Decimal
    """Portfolio at risk: share, 0 to 1, of what is owed that is more than 30 days overdue."""
    par60: Decimal
    """The same for 60 days."""
    dso: Decimal | None
    """Days sales outstanding: owed / credit sales of 90 days x 90; None without such sales."""
    top_10_share: Decimal
    """Share, 0 to 1, of what is owed that the ten largest customers owe."""
    top_fifth_share: Decimal
    """The same for the largest fifth of customers."""


class WorkBlock(Strict):
    """Customers to deal with alike, in the order of the list."""

    title: str
    """What this is."""
    refs: tuple[str, ...]
    """The shop's own references."""
    action: Action
    """What to do with all of them."""
    why: str
    """Why now."""
    how: str
    """How to go about it."""


class CollectionAnalysis(Strict):
    """Whom to contact first this week, and how."""

    ranked: tuple[RankedCustomer, ...]
    """At most 50 customers, the most expected unpaid money first, paused ones last."""
    totals: CollectionTotals
    """The receivables in a few figures."""
    ageing: tuple[AgeingBucket, ...]
    """Five buckets, the youngest first."""
    roll_rates: tuple[RollRate, ...]
    """For each bucket but the oldest that held money at the last month end."""
    headline: str
    """The first line."""
    blocks: tuple[WorkBlock, ...]
    """The first twenty customers in two to four pieces of work; none where no comment was made."""
    watch: tuple[str, ...]
    """What to keep an eye on."""
    expected_effect: str
    """What the plan reaches; no promise."""
    caveats: tuple[str, ...]
    """What the figures cannot say."""
    policy_version: str
    """Which rules of the shop applied."""
    method_version: str
    """Which formula ranked."""
