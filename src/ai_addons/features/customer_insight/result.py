"""The output of a customer question, put together: every number from code, every word from an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons.features._facts import texts
from ai_addons.features._guard import filled, number_word_notices
from ai_addons.features._result import FeatureResult
from ai_addons.features.customer_insight.models import CustomerInsight, Evidence, Table
from ai_addons.features.customer_insight.packs import MAKERS
from ai_addons.features.customer_insight.words import (
    NOT_WRITTEN,
    REFUSED,
    TOO_LITTLE,
    confidence,
    data_quality,
    explanation,
    insight_facts,
    notices,
    pack_table,
)

if TYPE_CHECKING:
    from ai_addons.features._result import Fact
    from ai_addons.features.customer_insight.groups import Shop
    from ai_addons.features.customer_insight.models import InsightAnswer, InsightPolicy, MetricPack
    from ai_addons.features.customer_insight.packs import Pack
    from ai_addons.prompt import DegradedReason, Source

_NO_TABLE = Table(columns=(), rows=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question whose pack is known and has data.

    Attributes:
        name: The pack.
        shop: What is known of the customers.
        pack: The pack's figures.
        facts: What may be cited.
        policy: The tenant's.
    """

    name: MetricPack
    shop: Shop
    pack: Pack
    facts: dict[str, Fact]
    policy: InsightPolicy

    @property
    def written(self) -> dict[str, str]:
        """What stands for each reference."""
        return texts(self.facts)

    @property
    def template(self) -> InsightAnswer:
        """The answer in sentences of ours."""
        return explanation(self.name, self.pack, self.facts)

    def result(
        self, answer: InsightAnswer, source: Source = "ai", reason: DegradedReason | None = None
    ) -> FeatureResult[CustomerInsight]:
        """The result made of an answer whose facts are put in."""
        return FeatureResult[CustomerInsight](
            data=CustomerInsight(
                metric_pack=self.name,
                answer=answer.answer,
                evidence=tuple(
                    Evidence(fact_key=one.fact_key, text=self.facts[one.fact_key].text, why=one.why)
                    for one in answer.evidence
                ),
                suggested_action=answer.suggested_action,
                table=pack_table(self.name, self.shop, self.pack, self.policy),
                customers=self.pack.group,
                confidence=confidence(self.pack.group, self.shop.age, self.policy),
                insufficient_data=reason == "insufficient_data",
                policy_version=self.policy.version,
            ),
            source=source,
            degraded_reason=reason,
            as_of=self.shop.as_of,
            data_quality=data_quality(self.shop, self.policy),
            warnings=(*notices(self.shop, self.pack, self.policy), *number_word_notices(self._own_words(answer))),
            facts=tuple(self.facts.values()),
            evidence={"answer": tuple(one.fact_key for one in answer.evidence)},
        )

    def without_model(self, reason: DegradedReason | None = None) -> FeatureResult[CustomerInsight]:
        """The table, and sentences of ours that say so."""
        answer = filled(self.template, self.written)
        return self.result(answer.model_copy(update={"answer": NOT_WRITTEN + answer.answer}), "rules", reason)

    def _own_words(self, answer: InsightAnswer) -> list[str]:
        """The texts with a gap where a fact was put in, the longest first: a short one may be part of another."""
        values = sorted((fact.text for fact in self.facts.values()), key=len, reverse=True)
        found: list[str] = []
        for text in (answer.answer, answer.suggested_action, *(one.why for one in answer.evidence)):
            own = text
            for value in values:
                own = own.replace(value, " ")
            found.append(own)
        return found


def case(name: MetricPack, shop: Shop, policy: InsightPolicy) -> Case | None:
    """A pack with data; None if the figures do not hold it, or nobody belongs to it."""
    pack = MAKERS[name](shop, policy)
    if pack is None or not pack.group:
        return None
    return Case(name=name, shop=shop, pack=pack, facts=insight_facts(shop, pack, policy), policy=policy)


def refused(shop: Shop, policy: InsightPolicy, reason: DegradedReason = "blocked") -> FeatureResult[CustomerInsight]:
    """The fixed answer to a question that no pack answers."""
    return _unanswered(None, shop, policy, REFUSED, reason)


def too_little(name: MetricPack, shop: Shop, policy: InsightPolicy) -> FeatureResult[CustomerInsight]:
    """The fixed answer where a pack has no data."""
    return _unanswered(name, shop, policy, TOO_LITTLE, "insufficient_data")


def _unanswered(
    name: MetricPack | None, shop: Shop, policy: InsightPolicy, answer: str, reason: DegradedReason
) -> FeatureResult[CustomerInsight]:
    missing = () if name is None else notices(shop, MAKERS[name](shop, policy), policy)
    return FeatureResult[CustomerInsight](
        data=CustomerInsight(
            metric_pack=name,
            answer=answer,
            evidence=(),
            suggested_action="",
            table=_NO_TABLE,
            customers=0,
            confidence="low",
            insufficient_data=reason == "insufficient_data",
            policy_version=policy.version,
        ),
        source="rules",
        degraded_reason=reason,
        as_of=shop.as_of,
        data_quality="poor" if reason == "insufficient_data" else data_quality(shop, policy),
        warnings=missing,
    )
