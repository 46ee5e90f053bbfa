"""`collection_analysis`: whom to contact first this week, and how.

Code ranks customers by the money that is likely still unpaid in two weeks, chooses an
action for each and sums up the receivables. The model groups the first twenty into
pieces of work and says why and how; it sees pseudonyms, and no answer can change
a figure, the order or an action.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.feature import sold_as
from ai_addons.features._facts import compact, texts
from ai_addons.features._guard import filled, number_word_notices, words_of_its_own
from ai_addons.features._result import FeatureResult
from ai_addons.features._spec import built_in
from ai_addons.features.collection_analysis.guard import SYSTEM, faults, texts_of
from ai_addons.features.collection_analysis.models import (
    Action,
    AgeingBucket,
    Bucket,
    Capacity,
    CollectionAnalysis,
    CollectionComment,
    CollectionPolicy,
    CollectionTotals,
    MonthEndAmount,
    OpenInvoice,
    RankedCustomer,
    ReasonCode,
    Receivables,
    RollRate,
    SettledInvoice,
    WorkBlock,
)
from ai_addons.features.collection_analysis.plan import plan_collection
from ai_addons.features.collection_analysis.words import collection_facts, comment, data_quality, notices
from ai_addons.features.collection_analysis.worklist import analysis, uncommented
from ai_addons.privacy.fields import Public
from ai_addons.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.features._result import Fact
    from ai_addons.features.collection_analysis.plan import Plan
    from ai_addons.features.collection_analysis.ranking import Placed
    from ai_addons.prompt import Source

__all__ = [
    "SPEC",
    "Action",
    "AgeingBucket",
    "Bucket",
    "Capacity",
    "CollectionAnalysis",
    "CollectionComment",
    "CollectionPolicy",
    "CollectionTotals",
    "MonthEndAmount",
    "OpenInvoice",
    "RankedCustomer",
    "ReasonCode",
    "Receivables",
    "RollRate",
    "SettledInvoice",
    "WorkBlock",
    "collection_analysis",
]

SPEC: Final = built_in(
    "collection_analysis",
    version="1",
    max_tokens=1_000,
    tokens=(2_415, 468),
)
"""What billing and routing need to know."""

DEFAULT_POLICY: Final = CollectionPolicy()
USER: Final = "Comment on this list."
_COLUMNS: Final = ("owed", "overdue", "days", "chance", "expected")


class _CollectionData(BaseModel):
    """What is sent: figures made by code, and pseudonyms."""

    model_config = ConfigDict(frozen=True)

    facts: tuple[Annotated[str, Public], ...]
    rows: tuple[Annotated[str, Public], ...]


@sold_as(SPEC)
def collection_analysis(
    receivables: Receivables, *, policy: CollectionPolicy = DEFAULT_POLICY
) -> Prompt[FeatureResult[CollectionAnalysis]]:
    """Prioritize collections automatically.

    Args:
        receivables: What customers owe, how they paid before, and how many calls are possible.
        policy: The shop's own rules.
    """
    plan = plan_collection(receivables, policy)
    facts = collection_facts(plan)
    if len(plan.placed) < policy.min_customers:
        return Prompt.settled(_settled(receivables, policy, plan, facts))
    written = texts(facts)
    template = comment(plan, facts)

    def result(answer: CollectionComment, source: Source = "ai") -> FeatureResult[CollectionAnalysis]:
        # Two weeks is how far the formula looks, and code's own sentences need no check.
        own = [words_of_its_own(cited, written).replace("two weeks", "") for _, cited, _ in texts_of(answer)]
        return FeatureResult[CollectionAnalysis](
            data=analysis(plan, policy, answer),
            source=source,
            as_of=receivables.as_of,
            data_quality=data_quality(plan.settled),
            warnings=(*notices(plan), *number_word_notices(own if source == "ai" else ())),
            facts=tuple(facts.values()),
            evidence={where: tuple(dict.fromkeys(cited.fact_keys)) for where, cited, _ in texts_of(answer)},
        )

    return Prompt.composed(
        answer=CollectionComment,
        system=SYSTEM,
        user=USER,
        data=_sent(plan, facts),
        check=lambda answer: faults(answer, plan.told, facts),
        finish=result,
        fallback=lambda: result(filled(template, written), "rules"),
        facts=written,
        sample=lambda: template,
    )


def _sent(plan: Plan, facts: Mapping[str, Fact]) -> _CollectionData:
    """Totals as ``key=value`` lines, customers as pipe rows: a third of the tokens of JSON objects."""
    rows = [_row(key, one, facts) for key, one in plan.told.items()]
    told = [fact for key, fact in facts.items() if key.partition(".")[0] not in plan.told]
    return _CollectionData(
        facts=tuple(f"{fact.key}={compact(fact)} ({fact.label})" for fact in told),
        rows=("|".join(["ref", *_COLUMNS, "action", "reason"]), *rows),
    )


def _row(key: str, one: Placed, facts: Mapping[str, Fact]) -> str:
    figures = (compact(facts[f"{key}.{column}"]).split(" ")[0] for column in _COLUMNS)
    return "|".join([key, *figures, one.action, one.reason])


def _settled(
    receivables: Receivables, policy: CollectionPolicy, plan: Plan, facts: Mapping[str, Fact]
) -> FeatureResult[CollectionAnalysis]:
    """The list without a comment: so few debtors need none."""
    return FeatureResult[CollectionAnalysis](
        data=uncommented(plan, policy),
        source="rules",
        degraded_reason="insufficient_data",
        as_of=receivables.as_of,
        data_quality=data_quality(plan.settled),
        warnings=notices(plan),
        facts=tuple(facts.values()),
    )
