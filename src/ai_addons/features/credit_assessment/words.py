"""The facts of a credit assessment, and sentences made of them without a model."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ai_addons.features import _facts
from ai_addons.features._facts import by_key, references
from ai_addons.features._guard import Cited
from ai_addons.features._result import Notice
from ai_addons.features.credit_assessment.models import Advice, CreditExplanation, ReasonAnswer
from ai_addons.features.credit_assessment.scorecard import decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.features._result import DataQuality, Fact
    from ai_addons.features.credit_assessment.models import (
        BindingRule,
        CreditApplication,
        CreditPolicy,
        Decision,
        ReasonCode,
    )
    from ai_addons.features.credit_assessment.scorecard import GivenReason, Verdict

OWNER_NOTE: Final = "This is advice worked out from the figures given. The shop owner decides whether to give credit."

DECISIONS: Final[Mapping[Decision, str]] = {
    "approve": "agree to the request",
    "approve_reduced": "agree to a lower limit",
    "refer": "look closer before answering",
    "decline": "do not extend credit now",
}
BINDING: Final[Mapping[BindingRule, str]] = {
    "requested": "the amount asked for, in steps of GHS 50",
    "absolute_cap": "the shop's highest limit for anybody",
    "purchases_multiple": "the customer's usual monthly purchases and grade",
    "growth_cap": "the most a limit may grow at once",
}
CODE_FACTS: Final[Mapping[ReasonCode, tuple[str, ...]]] = {
    "OVERDUE_NOW": ("days_overdue_now",),
    "OPEN_DISPUTE": ("open_disputes",),
    "SHORT_TENURE": ("tenure", "min_tenure"),
    "FEW_INVOICES": ("credit_bills", "min_credit_bills"),
    "LIMIT_RULE": ("recommended_limit", "binding_rule"),
    "LATE_SHARE": ("on_time_share", "mean_days_late", "credit_bills"),
    "LAST_LATE": ("last_days_late", "credit_bills"),
    "WORST_LATE": ("max_days_late", "credit_bills"),
    "SHORT_HISTORY": ("credit_bills",),
    "REQUEST_SIZE": ("request_ratio", "requested", "current_limit", "typical_month"),
}
"""Facts that belong to each code; a reason cites at least one of them."""


def credit_facts(application: CreditApplication, policy: CreditPolicy, verdict: Verdict) -> dict[str, Fact]:
    """All that the explanation may cite; what cannot be computed is left out.

    The chance of default is not among them: unfitted, it should not be quoted.
    """
    return by_key(
        *_decision_facts(verdict),
        *_request_facts(application, verdict),
        *_customer_facts(application, verdict),
        *_history_facts(verdict),
        *_policy_facts(policy, verdict),
    )


def _decision_facts(verdict: Verdict) -> tuple[Fact, ...]:
    return (
        _facts.words("decision", "suggested decision", verdict.decision, DECISIONS[verdict.decision]),
        _facts.money("recommended_limit", "limit the rules allow", verdict.limit),
        _facts.money("available_now", "left of that limit", verdict.available_now),
        _facts.points("credit_score", "score, higher is safer", decimal(verdict.score), 100),
        _facts.words("risk_grade", "grade, A is safest", verdict.grade.grade),
        _facts.words("binding_rule", "what sets the limit", verdict.binding_rule, BINDING[verdict.binding_rule]),
    )


def _request_facts(application: CreditApplication, verdict: Verdict) -> tuple[Fact | None, ...]:
    limit, ratio = application.current_limit, verdict.ratio
    base = "the present limit" if limit else "a typical month's purchases"
    return (
        _facts.money("requested", "total limit asked for", application.requested_ghs),
        _facts.money("current_limit", "limit today", limit),
        _facts.money("exposure", "owed today", application.exposure),
        _facts.percent("limit_used", "share of the limit in use", application.exposure / limit) if limit else None,
        None if ratio is None else _facts.ratio("request_ratio", "size of the request", decimal(ratio), base),
        _facts.money("typical_month", "median month's purchases", decimal(verdict.median_purchases)),
    )


def _customer_facts(application: CreditApplication, verdict: Verdict) -> tuple[Fact | None, ...]:
    trend = None if verdict.trend is None else decimal(verdict.trend)
    return (
        _facts.months("tenure", "customer for", application.tenure_months),
        _facts.count("orders", "orders in a year", application.orders_12m),
        _facts.money("spend", "purchases in a year", application.spend_12m),
        None if trend is None else _facts.percent("purchase_trend", "last half-year's change", trend, signed=True),
        _facts.count("open_disputes", "bills in dispute", application.disputes_open),
        _facts.count("returned_payments", "payments that bounced in a year", application.returned_payments_12m),
    )


def _history_facts(verdict: Verdict) -> tuple[Fact | None, ...]:
    past = verdict.history
    bills = _facts.count("credit_bills", "credit bills to judge by", past.n)
    overdue = _days("days_overdue_now", "oldest open bill past due by", past.overdue_now) if past.overdue_now else None
    if past.mean is None or past.last is None or past.worst is None:
        return (bills, overdue)
    on_time = decimal(Fraction(past.n - past.late, past.n))
    return (
        bills,
        overdue,
        _facts.percent("on_time_share", "credit bills paid on time", on_time, n=past.n),
        _facts.days("mean_days_late", "days late on average", decimal(past.mean), n=past.n),
        _days("max_days_late", "longest delay", past.worst),
        _days("last_days_late", "delay of the most recent bill", past.last),
    )


def _days(key: str, label: str, value: int) -> Fact:
    return _facts.days(key, label, Decimal(value))


def _policy_facts(policy: CreditPolicy, verdict: Verdict) -> tuple[Fact | None, ...]:
    """The shop's own minimums, where they stand against the request."""
    given = {reason.code for reason in verdict.reasons}
    tenure = _facts.months("min_tenure", "the shop asks for", policy.min_tenure_months)
    bills = _facts.count("min_credit_bills", "credit bills the shop asks for", policy.min_credit_invoices)
    return (tenure if "SHORT_TENURE" in given else None, bills if "FEW_INVOICES" in given else None)


def data_quality(policy: CreditPolicy, verdict: Verdict) -> DataQuality:
    """No bill to judge by is poor, fewer than the shop asks for is thin."""
    n = verdict.history.n
    return "poor" if n == 0 else "thin" if n < policy.min_credit_invoices else "ok"


def notices(application: CreditApplication, verdict: Verdict, policy: CreditPolicy) -> tuple[Notice, ...]:
    """What could not be computed, and what was set aside."""
    past, card = verdict.history, policy.scorecard
    found = (
        (past.n == 0, "no_history", "There is no credit bill to judge by, so lateness was assumed, not measured."),
        (application.current_limit == 0, "no_limit", "There is no present limit, so its use has no percentage."),
        (verdict.ratio is None, "no_base", "There is neither a limit nor usual purchases to compare the request with."),
        (verdict.trend is None, "no_trend", "There were no purchases in the first half of the year to compare with."),
        (card is not None and card.share > 0, "fitted_part", "The shop's own outcomes have a part in the score."),
        (
            card is not None and card.share == 0,
            "fitted_unused",
            "The shop has too few outcomes for a scorecard of its own.",
        ),
        (past.ignored > 0, "old_bills_ignored", "Settled bills older than 24 months were not counted."),
    )
    return tuple(Notice(code=code, text=text) for applies, code, text in found if applies)


def explanation(application: CreditApplication, verdict: Verdict, facts: Mapping[str, Fact]) -> CreditExplanation:
    """The explanation in sentences of ours: what is shown when no model had a part in it."""
    lend = verdict.decision in {"approve", "approve_reduced"}
    return CreditExplanation(
        summary=_cited(_SUMMARY_LEND if lend else _SUMMARY_NOT),
        reasons=tuple(_reason(reason, facts) for reason in verdict.reasons),
        to_improve=tuple(Advice(**_parts(text)) for text in _improvements(verdict)),
        checks_before_agreeing=tuple(Advice(**_parts(text)) for text in _checks(application, verdict)),
        customer_explanation=_cited(_TO_CUSTOMER[verdict.decision]),
    )


_SUMMARY_LEND: Final = (
    "Suggested decision: {decision}, with a total limit of {recommended_limit}. The score is {credit_score} and the"
    " grade is {risk_grade}. The limit comes from {binding_rule}."
)
_SUMMARY_NOT: Final = "Suggested decision: {decision}. The score is {credit_score} and the grade is {risk_grade}."
_TO_CUSTOMER: Final[Mapping[Decision, str]] = {
    "approve": "Thank you for buying from us. The shop is considering the credit limit you asked for: {requested}.",
    "approve_reduced": (
        "Thank you for buying from us. You asked for {requested}. For now the shop is considering a credit limit of"
        " {recommended_limit}."
    ),
    "refer": "Thank you for asking. We need to look at your account with you before the shop can answer.",
    "decline": (
        "Thank you for asking. The shop is not able to give more credit now. Paying the open bills, and the next ones"
        " by their due date, will help when you ask again."
    ),
}
_SPEAKS: Final[Mapping[tuple[ReasonCode, int], str]] = {
    ("OVERDUE_NOW", -1): "A bill is still open {days_overdue_now} after its due date.",
    ("OPEN_DISPUTE", -1): "Bills in dispute: {open_disputes}. They should be settled first.",
    ("SHORT_TENURE", -1): "The customer has been with the shop for {tenure}; the shop asks for {min_tenure}.",
    ("FEW_INVOICES", -1): "Credit bills to judge by: {credit_bills}; the shop asks for {min_credit_bills}.",
    ("LIMIT_RULE", -1): "The rules allow {recommended_limit}; what sets this is {binding_rule}.",
    ("LATE_SHARE", -1): "Paid on time: {on_time_share} of the credit bills. The average delay is {mean_days_late}.",
    ("LATE_SHARE", 1): "Paid on time: {on_time_share} of the credit bills.",
    ("LAST_LATE", -1): "The most recent credit bill was late by {last_days_late}.",
    ("LAST_LATE", 1): "The delay on the most recent credit bill was short: {last_days_late}.",
    ("WORST_LATE", -1): "The longest delay on a credit bill was {max_days_late}.",
    ("WORST_LATE", 1): "The longest delay on a credit bill was short: {max_days_late}.",
    ("SHORT_HISTORY", -1): "Credit bills to judge by: {credit_bills}. That is a short record.",
    ("SHORT_HISTORY", 1): "Credit bills to judge by: {credit_bills}. That is enough to see a habit.",
    ("REQUEST_SIZE", -1): "The request goes beyond what is usual: {request_ratio}.",
    ("REQUEST_SIZE", 1): "The size of the request is reasonable: {request_ratio}.",
}
_NEVER_LATE: Final[Mapping[ReasonCode, str]] = {
    "LAST_LATE": "The most recent credit bill was paid on time: {last_days_late} late.",
    "WORST_LATE": "No credit bill was late: the longest delay is {max_days_late}.",
}
_NO_HISTORY: Final = "Credit bills to judge by: {credit_bills}. How the customer pays is not known yet."
_NO_BASE: Final = "The request of {requested} cannot be compared with a limit or with usual purchases."
_PAY_ON_TIME: Final = "Pay each credit bill by its due date; this helps the score the most."
_IMPROVE: Final[Mapping[ReasonCode, str]] = {
    "OVERDUE_NOW": "Pay the bill that is {days_overdue_now} past its due date first.",
    "OPEN_DISPUTE": "Settle the bills in dispute with the shop.",
    "SHORT_TENURE": "Keep buying regularly, so that the shop gets to know the account.",
    "FEW_INVOICES": "Build a record with small credit purchases that are paid on time.",
    "LIMIT_RULE": "Ask for an amount closer to what is usually bought in a month.",
    "SHORT_HISTORY": "Build a record with small credit purchases that are paid on time.",
    "REQUEST_SIZE": "Ask for an amount closer to what is usually bought in a month.",
}
_MOST_ADVICE: Final = 3
_FALLING: Final = Fraction(-1, 5)


def _parts(text: str) -> dict[str, Any]:
    return {"text": text, "fact_keys": tuple(references(text))}


def _cited(text: str) -> Cited:
    return Cited(**_parts(text))


def _reason(reason: GivenReason, facts: Mapping[str, Fact]) -> ReasonAnswer:
    """The sentence for a code; another one where its facts could not be computed."""
    text = _SPEAKS[reason.code, reason.sign]
    if all(facts[key].value == 0 for key in references(text) if key in facts):
        text = _NEVER_LATE.get(reason.code, text)
    if any(key not in facts for key in references(text)):
        text = _NO_BASE if reason.code == "REQUEST_SIZE" else _NO_HISTORY
    return ReasonAnswer(**_parts(text), code=reason.code, direction="up" if reason.sign > 0 else "down")


def _improvements(verdict: Verdict) -> list[str]:
    texts = [_IMPROVE.get(reason.code, _PAY_ON_TIME) for reason in verdict.reasons if reason.sign < 0]
    return list(dict.fromkeys([*texts, _PAY_ON_TIME]))[:_MOST_ADVICE]


def _checks(application: CreditApplication, verdict: Verdict) -> list[str]:
    past, trend = verdict.history, verdict.trend
    found = (
        (past.overdue_now > 0, "Agree on a day for the bill that is {days_overdue_now} past its due date."),
        (
            application.disputes_open > 0,
            "Ask what is behind the bills in dispute: {open_disputes}.",
        ),
        (application.returned_payments_12m > 0, "Ask about the payments that bounced: {returned_payments} in a year."),
        (
            trend is not None and trend < _FALLING,
            "Ask why purchases changed by {purchase_trend} in half a year.",
        ),
        (application.exposure > 0, "Check with the customer that {exposure} is owed today."),
        (True, "Check that the figures above are complete and up to date."),
    )
    return [text for applies, text in found if applies][:_MOST_ADVICE]
