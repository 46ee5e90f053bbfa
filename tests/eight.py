"""The eight built-in features as the tests of all of them see them: found by their entry points, with small inputs."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons import AddOns
from ai_addons.features.collection_message import CollectionPolicy
from ai_addons.features.customer_insight import CustomerQuestion, CustomerRow, SegmentRow
from ai_addons.features.report_summary import Period, SalesReport
from ai_addons.llm.base import ModelReply, Usage
from ai_addons.llm.offline import OFFLINE_MODEL, OfflineLlm
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from ai_addons.testing._prompts import Asked, asked_by, examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from ai_addons.feature import Feature
    from ai_addons.features import FeatureResult
    from ai_addons.llm.base import ModelRequest

CUSTOMERS: Final = 30
"""Enough for every feature to have something to say, and soon computed."""
MORE: Final = {"portfolio_dashboard": 60}
"""With fewer than fifty some of its figures are empty."""

PROSE: Final[Mapping[str, frozenset[str]]] = {
    "product_description": frozenset({"title", "description", "bullets", "keywords", "claims_used"}),
    "report_summary": frozenset({"headline", "findings.text", "actions", "caveats"}),
    "customer_insight": frozenset({"answer", "evidence", "suggested_action"}),
    "collection_message": frozenset({"message", "references_used", "sentence_ids", "encoding", "segments"}),
    "credit_assessment": frozenset(
        {"summary", "reasons.text", "to_improve", "checks_before_agreeing", "customer_explanation"}
    ),
    "collection_analysis": frozenset({"headline", "blocks", "watch", "expected_effect", "caveats"}),
    "inventory_forecast": frozenset({"headline", "urgent", "slow_stock", "budget_note", "uncertainty"}),
    "portfolio_dashboard": frozenset({"headline", "sections.text", "risks", "actions", "what_changed", "caveats"}),
}
"""What a model has a part in; all the rest of a result is decided by code. Rows are named without their place."""

DECIDED: Final[Mapping[str, frozenset[str]]] = {
    "product_description": frozenset({"needs_review"}),
    "report_summary": frozenset(
        {"findings.code", "findings.direction", "findings.effect", "sales_change", "sales_parts", "profit_parts"}
        | {"rises", "falls", "odd_days", "trading_days", "insufficient_data", "policy_version"}
    ),
    "customer_insight": frozenset(
        {"metric_pack", "table", "customers", "confidence", "insufficient_data", "policy_version"}
    ),
    "collection_message": frozenset(
        {"channel", "recipient", "stage", "tone", "language", "drafting", "send_not_before", "send_not_after"}
        | {"blocked_reason", "requires_approval", "bank_version", "policy_version"}
    ),
    "credit_assessment": frozenset(
        {"decision", "recommended_limit", "available_now", "credit_score", "risk_grade", "pd_90d", "reason_codes"}
        | {"binding_rule", "requires_human", "policy_version", "scorecard_version", "owner_note"}
        | {"reasons.code", "reasons.direction", "reasons.points"}
    ),
    "collection_analysis": frozenset({"ranked", "totals", "ageing", "roll_rates", "policy_version", "method_version"}),
    "inventory_forecast": frozenset(
        {"items", "order_value", "over_budget", "service_level", "backtest", "forecaster", "policy_version"}
    ),
    "portfolio_dashboard": frozenset(
        {"health_score", "health_status", "sub_scores", "kpis", "alerts", "sections.area", "policy_version"}
    ),
}
"""What code decides, whatever a model answers."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One of the eight."""

    key: str
    feature: Feature[..., FeatureResult[Any]]
    given: BaseModel


def _found() -> dict[str, BuiltIn]:
    return {
        key: BuiltIn(
            key, cast("Feature[..., FeatureResult[Any]]", feature), cast("BaseModel", example(MORE.get(key, CUSTOMERS)))
        )
        for key, (feature, example) in examples().items()
    }


def _ready(asked: CustomerQuestion) -> CustomerQuestion:
    """A question with sums that the host has made."""
    row = CustomerRow(customer_ref="Esi Addo", segment="at_risk", spend=Decimal(700), purchases=9, days_since=90)
    segment = SegmentRow(segment="at_risk", customers=12, spend=Decimal(3_000), spend_12m=Decimal(1_000))
    return CustomerQuestion(as_of=asked.as_of, question=asked.question, segments=(segment,), customers_top=(row,))


def _with_last_year(report: SalesReport) -> SalesReport:
    """A report beside the same days of the year before."""
    before = Period(start=date(2025, 6, 1), end=date(2025, 6, 30))
    return report.model_copy(update={"same_period_last_year": before, "last_year": report.prior_totals})


EIGHT: Final = _found()
KEYS: Final = tuple(EIGHT)
BUSINESS: Final = "biz"


def asked(built: BuiltIn, given: BaseModel) -> tuple[Asked, ...]:
    """Every request of a call, with the sample that answers it."""
    return asked_by(cast("Feature[..., object]", built.feature), given)


@cache
def inputs(key: str) -> tuple[BaseModel, ...]:
    """Inputs that together hold every field of a feature's input."""
    given = EIGHT[key].given
    if isinstance(given, CustomerQuestion):
        return (given, _ready(given))
    return (_with_last_year(given),) if isinstance(given, SalesReport) else (given,)


@dataclass(frozen=True, slots=True)
class Way:
    """A call of a feature that goes a way of its own: a question more, a draft written freely."""

    name: str
    built: BuiltIn
    given: BaseModel
    options: Mapping[str, object]

    def __str__(self) -> str:
        """Its name."""
        return self.name


def _ways() -> Iterator[Way]:
    for key, built in EIGHT.items():
        yield Way(key, built, built.given, {})
    insight, message = EIGHT["customer_insight"], EIGHT["collection_message"]
    routed = insight.given.model_copy(update={"question": "What should I know of them?"})
    yield Way("customer_insight, asked where it belongs", insight, routed, {})
    yield Way(
        "collection_message, written freely", message, message.given, {"policy": CollectionPolicy(free_drafting=True)}
    )


WAYS: Final = tuple(_ways())


def split(key: str, data: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """What code decided of a result, and the words, both as JSON."""
    decided: dict[str, Any] = {}
    prose: dict[str, Any] = {}
    for name, value in data.model_dump(mode="json").items():
        inner = {path.partition(".")[2] for path in PROSE[key] if path.startswith(f"{name}.")}
        if name in PROSE[key]:
            prose[name] = value
        elif inner:
            decided[name] = [{field: row[field] for field in row if field not in inner} for row in value]
            prose[name] = [{field: row[field] for field in row if field in inner} for row in value]
        else:
            decided[name] = value
    return decided, prose


def decided(key: str, result: FeatureResult[Any]) -> dict[str, Any]:
    """What code decided."""
    return split(key, result.data)[0]


def prose(key: str, result: FeatureResult[Any]) -> dict[str, Any]:
    """The words."""
    return split(key, result.data)[1]


def strings(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


class Puppet:
    """A model that says what it is given (the `Llm` port); the last answer is repeated."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.asked = 0

    def complete(self, request: ModelRequest) -> ModelReply:
        """The next answer."""
        self.asked += 1
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return ModelReply(text=text, finish="stop", model=request.model, usage=Usage(input=100, output=50))

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same."""
        return self.complete(request)


@dataclass(frozen=True, slots=True)
class Shop:
    """A business with credits, and a model that gives each feature's own sample unless told otherwise."""

    addons: AddOns
    llm: FakeLlm

    def call(self, built: BuiltIn, given: BaseModel, **more: Any) -> FeatureResult[Any]:
        """One call, nothing kept."""
        return built.feature.options(addons=self.addons, business=BUSINESS, cache=False)(given, **more)


@contextmanager
def shop(*, down: bool = False, puppet: Puppet | None = None, **settings: Any) -> Iterator[Shop]:
    """A shop whose books are checked in the end, with the offline model unless the settings name others.

    Args:
        down: Whether no provider answers.
        puppet: Who answers in place of the samples.
        **settings: Sections of the settings to set differently.
    """
    clock = ManualClock()
    llm = FakeLlm(clock, behind=OfflineLlm())
    if down:
        llm.fail("")
    made = kit_settings(**({"models": {"small": OFFLINE_MODEL}} | settings))
    with closing(AddOns(made, clock=clock, llm=puppet or llm, environ={})) as addons:
        addons.grant(BUSINESS, 100_000, source="adjustment", ref="funds")
        yield Shop(addons, llm)
        report = addons.doctor()
        assert report.ok, report.findings
