"""`customer_insight`: one question of the owner, answered from a fixed menu of metric packs.

Code works out segments, scores and the figures of each pack. Which pack answers a question
is found by keywords, else by a first small call that can only name a pack. The model words
the answer; no figure is in the schema it answers, and names of customers do not leave.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.errors import BadOutput, BudgetSpent, CallError, ContentBlocked
from ai_addons.feature import sold_as
from ai_addons.features._facts import escape
from ai_addons.features._result import FeatureResult  # noqa: TC001  # the answer type is read at run time
from ai_addons.features._spec import built_in
from ai_addons.features._traits import names_trait
from ai_addons.features.customer_insight.groups import shop
from ai_addons.features.customer_insight.guard import (
    ROUTE_SYSTEM,
    ROUTE_USER,
    SYSTEM,
    USER,
    insight_faults,
)
from ai_addons.features.customer_insight.models import (
    Confidence,
    CustomerInsight,
    CustomerQuestion,
    CustomerRow,
    Evidence,
    InsightAnswer,
    InsightPolicy,
    MetricPack,
    Purchase,
    Route,
    Segment,
    SegmentRow,
    Table,
)
from ai_addons.features.customer_insight.result import case, refused, too_little
from ai_addons.features.customer_insight.routing import pack_by_keyword
from ai_addons.features.customer_insight.words import sent_rows
from ai_addons.privacy.fields import FreeText, Pii, Public
from ai_addons.prompt import Prompt, Steps, ask

if TYPE_CHECKING:
    from ai_addons.errors import AddOnsError
    from ai_addons.features.customer_insight.groups import Shop
    from ai_addons.features.customer_insight.result import Case
    from ai_addons.prompt import DegradedReason

__all__ = [
    "SPEC",
    "Confidence",
    "CustomerInsight",
    "CustomerQuestion",
    "CustomerRow",
    "Evidence",
    "InsightAnswer",
    "InsightPolicy",
    "MetricPack",
    "Purchase",
    "Route",
    "Segment",
    "SegmentRow",
    "Table",
    "customer_insight",
]

SPEC: Final = built_in(
    "customer_insight",
    version="1",
    max_tokens=500,
    tokens=(1_186, 221),
)
"""What billing and routing need to know."""

DEFAULT_POLICY: Final = InsightPolicy()
_WORD: Final = re.compile(r"\w{3,}")


class _Question(BaseModel):
    """What is sent first: the question alone, masked like any free text."""

    model_config = ConfigDict(frozen=True)

    question: Annotated[str, FreeText]


class _InsightData(_Question):
    """What is sent: the question, and rows made by code with customers under other names."""

    rows: dict[str, Annotated[str, Public]]


@sold_as(SPEC)
def customer_insight(
    asked: CustomerQuestion, *, policy: InsightPolicy = DEFAULT_POLICY
) -> Steps[FeatureResult[CustomerInsight]]:
    """Ask questions about your customers.

    Args:
        asked: The question, with purchases or ready sums.
        policy: What counts as enough, overdue and confident.
    """
    known = shop(asked, policy)
    if names_trait(asked.question):
        return Prompt.settled(refused(known, policy))
    name: MetricPack | None = pack_by_keyword(asked.question)
    if name is None:
        try:
            route = yield from ask(_route(asked, known))
        except (CallError, BudgetSpent) as error:
            return Prompt.settled(_overview(known, policy, _reason(error)))
        if route.pack == "none":
            return Prompt.settled(refused(known, policy))
        name = route.pack
    found = case(name, known, policy)
    return Prompt.settled(too_little(name, known, policy)) if found is None else _prompt(asked, found)


def _route(asked: CustomerQuestion, known: Shop) -> Prompt[Route]:
    """The first question: which pack. Its answer can be nothing else."""
    return Prompt[Route](
        system=ROUTE_SYSTEM,
        user=ROUTE_USER,
        data=_Question(question=escape(asked.question)),
        known=_mentioned(asked, known),
        sample=lambda: Route(pack="top_customers"),
    )


def _prompt(asked: CustomerQuestion, found: Case) -> Prompt[FeatureResult[CustomerInsight]]:
    """The question proper, with the figures of its pack."""
    return Prompt.composed(
        answer=InsightAnswer,
        system=SYSTEM,
        user=USER,
        data=_InsightData(
            question=escape(asked.question), rows=sent_rows(found.shop, found.pack, found.facts, found.policy)
        ),
        check=lambda answer: insight_faults(answer, found.facts),
        finish=found.result,
        fallback=found.without_model,
        facts=found.written,
        sample=lambda: found.template,
        known=_mentioned(asked, found.shop),
    )


def _mentioned(asked: CustomerQuestion, known: Shop) -> dict[Pii, list[str]]:
    """Customers with a word in common with the question: only these can occur in it, and they are masked there."""
    words = set(_WORD.findall(asked.question.lower()))
    refs = [one.ref for one in known.people] + [one.ref for _, one in known.ready]
    near = [ref for ref in refs if words & set(_WORD.findall(ref.lower()))]
    return {
        Pii.NAME: [ref for ref in near if not any(char.isdigit() for char in ref)],
        Pii.ID: [ref for ref in near if any(char.isdigit() for char in ref)],
    }


def _overview(known: Shop, policy: InsightPolicy, reason: DegradedReason) -> FeatureResult[CustomerInsight]:
    """Where nobody could read the question: the segments, or the best customers where there are none."""
    found = case("segment_mix", known, policy) or case("top_customers", known, policy)
    return refused(known, policy, reason) if found is None else found.without_model(reason)


def _reason(error: AddOnsError) -> DegradedReason:
    """Why there was no answer to the first question."""
    if isinstance(error, BudgetSpent):
        return "over_budget"
    return "guard_rejected" if isinstance(error, (BadOutput, ContentBlocked)) else "provider_down"
