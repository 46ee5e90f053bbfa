"""The calls of an evaluation, and the report of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_addons.llm.providers import find_key, split_route
from ai_addons.money import PicoUsd, usd
from ai_addons.testing.live import LiveBudgetSpent
from benchmarks._privacy_scores import Share
from evals.scorers import OF_ALL, OF_USABLE, Answered, usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from ai_addons.feature import Feature
    from ai_addons.features import FeatureResult
    from ai_addons.testing import FakeLlm

MODELS: Final = ("openai/gpt-6-luna", "anthropic/claude-haiku-5-5", "gemini/gemini-2.5-flash-lite")
MODEL_VARIABLE: Final = "AI_ADDONS_TEST_EVAL_MODEL"
CASES: Final = 30
_SMALLEST, _STEP = 200, 60


def model_with_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """The model to ask: the one of `MODEL_VARIABLE`, else the first whose provider has a key; None without any."""
    named = environ.get(MODEL_VARIABLE)
    routes = (named,) if named else MODELS
    return next((route for route in routes if find_key(split_route(route)[0], None, environ)), None)


def cases(example: Callable[..., Any]) -> list[object]:
    """Thirty inputs: a feature's example for shops of 200 to 1,940 customers.

    An example that does not depend on its shop is thirty times the same: then the report
    says how steady the model is, not how it does on different shops.
    """
    return [example(_SMALLEST + _STEP * number) for number in range(CASES)]


def ask(feature: Feature[..., FeatureResult[Any]], inputs: Iterable[object], llm: FakeLlm) -> list[Answered]:
    """Make the calls until the budget is spent; those that no provider answered are left out.

    Args:
        feature: The feature.
        inputs: What it is called with, one after the other.
        llm: What the calls go through.
    """
    found: list[Answered] = []
    for one in inputs:
        before = len(llm.calls)
        try:
            result, receipt = feature.billed(one)
        except LiveBudgetSpent:
            break
        if receipt.degraded_reason != "provider_down":
            faults = tuple(fault for call in llm.calls[before:] for fault in call.faults)
            found.append(Answered(result=result, receipt=receipt, faults=faults))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The report on one feature.

    Attributes:
        feature: Its key.
        version: Of its prompt.
        model: Who answered, or was asked where nothing usable came back.
        day: When.
        n: Calls that were answered.
        distinct: How many of the inputs differ.
        scores: Share by scorer.
        cost: What all of it cost; None where a part of it is unknown.
    """

    feature: str
    version: str
    model: str
    day: date
    n: int
    distinct: int
    scores: Mapping[str, Share]
    cost: PicoUsd | None

    def __str__(self) -> str:
        """The report for people: shares with Wilson's 95 % interval."""
        cost = "cost unknown" if self.cost is None else f"USD {usd(self.cost):.6f}"
        asked = f"{self.feature} {self.version} on {self.model}, {self.day}"
        head = f"{asked}: n = {self.n} ({self.distinct} distinct), {cost}"
        return "\n".join([head, *(f"  {name}: {share}" for name, share in self.scores.items())])


def report(feature: str, answered: Sequence[Answered], *, model: str, day: date, distinct: int) -> Row:
    """Score the calls of a feature.

    Args:
        feature: Its key.
        answered: Its calls.
        model: Who was asked.
        day: Today.
        distinct: How many of the inputs differ.
    """
    good = [one for one in answered if usable(one)]
    scores = {name: Share(sum(map(scorer, answered)), len(answered)) for name, scorer in OF_ALL.items()}
    scores |= {name: Share(sum(map(scorer, good)), len(good)) for name, scorer in OF_USABLE.items()}
    costs = [one.receipt.cost for one in answered]
    return Row(
        feature=feature,
        version=answered[0].receipt.prompt_version if answered else "",
        model=next((one.receipt.model for one in answered if one.receipt.model), model),
        day=day,
        n=len(answered),
        distinct=distinct,
        scores=scores,
        cost=None if None in costs else PicoUsd(sum(cost or 0 for cost in costs)),
    )
