"""`credit_assessment`: a scorecard decision on shop credit, explained.

Code scores, sets the limit and decides; none of that is in the schema the model
answers, so no answer can change it. The model explains the decision with
references to facts. A person takes the decision: ``requires_human`` is constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.feature import sold_as
from ai_addons.features._facts import texts
from ai_addons.features._guard import filled, number_word_notices, words_of_its_own
from ai_addons.features._result import FeatureResult
from ai_addons.features._spec import built_in
from ai_addons.features.credit_assessment.guard import SYSTEM, faults, texts_of
from ai_addons.features.credit_assessment.models import (
    BindingRule,
    CreditApplication,
    CreditAssessment,
    CreditExplanation,
    CreditInvoice,
    CreditPolicy,
    Decision,
    FittedScorecard,
    GradeRule,
    Reason,
    ReasonCode,
)
from ai_addons.features.credit_assessment.scorecard import (
    GivenReason,
    Verdict,
    assess,
    decimal,
    fit_scorecard,
    version_of,
)
from ai_addons.features.credit_assessment.words import (
    CODE_FACTS,
    OWNER_NOTE,
    credit_facts,
    data_quality,
    explanation,
    notices,
)
from ai_addons.privacy.fields import Public
from ai_addons.prompt import Prompt

if TYPE_CHECKING:
    from ai_addons.prompt import Source

__all__ = [
    "SPEC",
    "BindingRule",
    "CreditApplication",
    "CreditAssessment",
    "CreditExplanation",
    "CreditInvoice",
    "CreditPolicy",
    "Decision",
    "FittedScorecard",
    "GradeRule",
    "Reason",
    "ReasonCode",
    "credit_assessment",
    "fit_scorecard",
]

SPEC: Final = built_in(
    "credit_assessment",
    version="2",
    max_tokens=700,
    tokens=(933, 320),
)
"""What billing and routing need to know."""

DEFAULT_POLICY: Final = CreditPolicy()
USER: Final = "Explain this decision."


class _CreditData(BaseModel):
    """What is sent: texts made by code, nothing of a person."""

    model_config = ConfigDict(frozen=True)

    facts: dict[str, Annotated[str, Public]]
    reasons: tuple[Annotated[str, Public], ...]


@sold_as(SPEC)
def credit_assessment(
    application: CreditApplication, *, policy: CreditPolicy = DEFAULT_POLICY
) -> Prompt[FeatureResult[CreditAssessment]]:
    """Analyze customer credit risk.

    Args:
        application: The request and the customer's figures; no identity.
        policy: The shop's own rules.
    """
    verdict = assess(application, policy)
    facts = credit_facts(application, policy, verdict)
    written = texts(facts)
    template = explanation(application, verdict, facts)

    def result(answer: CreditExplanation, source: Source = "ai") -> FeatureResult[CreditAssessment]:
        return FeatureResult[CreditAssessment](
            data=_assessment(verdict, policy, answer),
            source=source,
            as_of=application.as_of,
            data_quality=data_quality(policy, verdict),
            warnings=(
                *notices(application, verdict, policy),
                *number_word_notices(words_of_its_own(cited, written) for _, cited, _ in texts_of(answer)),
            ),
            facts=tuple(facts.values()),
            evidence={where: tuple(dict.fromkeys(cited.fact_keys)) for where, cited, _ in texts_of(answer)},
        )

    return Prompt.composed(
        answer=CreditExplanation,
        system=SYSTEM,
        user=USER,
        data=_CreditData(
            facts=written,
            reasons=tuple(_briefed(reason) for reason in verdict.reasons),
        ),
        check=lambda answer: faults(answer, verdict, facts),
        finish=result,
        fallback=lambda: result(filled(template, written), "rules"),
        facts=written,
        sample=lambda: template,
    )


def _briefed(reason: GivenReason) -> str:
    """A reason as the model is told it, with the facts that belong to it."""
    direction = "up" if reason.sign > 0 else "down"
    return f"{reason.code} {direction}: {', '.join(CODE_FACTS[reason.code])}"


def _assessment(verdict: Verdict, policy: CreditPolicy, answer: CreditExplanation) -> CreditAssessment:
    return CreditAssessment(
        decision=verdict.decision,
        recommended_limit=verdict.limit,
        available_now=verdict.available_now,
        credit_score=decimal(verdict.score),
        risk_grade=verdict.grade.grade,
        pd_90d=verdict.grade.pd_90d,
        reason_codes=tuple(given.code for given in verdict.reasons),
        binding_rule=verdict.binding_rule,
        policy_version=policy.version,
        scorecard_version=version_of(policy),
        summary=answer.summary.text,
        reasons=tuple(
            Reason(
                code=given.code,
                direction="up" if given.sign > 0 else "down",
                points=None if given.points is None else decimal(given.points),
                text=reason.text,
            )
            for given, reason in zip(verdict.reasons, answer.reasons, strict=True)
        ),
        to_improve=tuple(line.text for line in answer.to_improve),
        checks_before_agreeing=tuple(line.text for line in answer.checks_before_agreeing),
        customer_explanation=answer.customer_explanation.text,
        owner_note=OWNER_NOTE,
    )
