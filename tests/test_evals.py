"""The scorers and the report of the wording evaluations, on scripted answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from ai_addons import Prompt, billed_feature
from ai_addons.features import FeatureResult
from ai_addons.money import PicoUsd
from ai_addons.testing.live import LiveBudgetSpent
from benchmarks._privacy_scores import Share
from evals import scorers
from evals.asking import CASES, ask, cases, model_with_key, report
from evals.scorers import Answered, prose

if TYPE_CHECKING:
    from ai_addons.testing import FakeLlm

DAY = date(2026, 11, 20)


class Line(BaseModel):
    """What the model answers."""

    text: str


class Page(BaseModel):
    """What the shop gets."""

    lines: list[str]
    sales: Decimal = Decimal(5)


def _result(text: str, source: Any = "ai") -> FeatureResult[Page]:
    return FeatureResult[Page](
        data=Page(lines=[text, "short"]), source=source, as_of=DAY, evidence={"text": ("sales",)}
    )


@billed_feature("eval_probe", credits=1, cache=None)
def probe(number: int) -> Prompt[FeatureResult[Page]]:
    """Write a line."""
    return Prompt.composed(
        answer=Line,
        user=f"A line on shop {number}.",
        check=lambda line: ["text: too long"] if len(line.text) > 60 else [],
        finish=lambda line: _result(line.text),
        fallback=lambda: _result("Sales rose this week.", "rules"),
    )


GOOD = "Sales rose this week. Rice sold best of all."


def answers(llm: FakeLlm, *texts: str, inputs: int | None = None) -> list[Answered]:
    """What comes of as many calls as there are texts."""
    for text in texts:
        llm.reply(probe, Line(text=text))
    return ask(probe, range(len(texts) if inputs is None else inputs), llm)


def scores(one: Answered) -> dict[str, bool]:
    """Every scorer's word on a call."""
    return {name: scorer(one) for name, scorer in {**scorers.OF_ALL, **scorers.OF_USABLE}.items()}


def test_a_good_answer_passes_every_scorer(ai_llm: FakeLlm, ai_payer: Any) -> None:
    """Its sentences are found wherever they stand in the result."""
    (one,) = answers(ai_llm, GOOD)

    assert prose(one) == [GOOD]
    assert set(scores(one).values()) == {True}


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("Unlock amazing growth this week.", {"no hype"}),
        ("Sales rose this week. Sales rose this week.", {"nothing twice"}),
        (" ".join(["a"] * 23), {"short sentences"}),
        ("Too short", {"short sentences"}),
    ],
)
def test_each_scorer_fails_what_it_is_for(ai_llm: FakeLlm, ai_payer: Any, text: str, failed: set[str]) -> None:
    """And nothing else."""
    (one,) = answers(ai_llm, text)

    assert {name for name, passed in scores(one).items() if not passed} == failed


def test_a_corrected_answer_is_usable_and_not_right_the_first_time(ai_llm: FakeLlm, ai_payer: Any) -> None:
    """The fault that the check named is kept."""
    one, two = answers(ai_llm, "x" * 61, GOOD, GOOD, inputs=2)

    assert (one.faults, scores(one)["usable"], scores(one)["first time"]) == (("text: too long",), True, False)
    assert (two.faults, scores(two)["first time"]) == ((), True)


def test_without_a_citation_an_answer_is_not_grounded(ai_llm: FakeLlm, ai_payer: Any) -> None:
    """Evidence without keys is none."""
    (one,) = answers(ai_llm, GOOD)
    bare = one.result.model_copy(update={"evidence": {"text": ()}})

    assert not scorers.grounded(Answered(result=bare, receipt=one.receipt))


def test_the_report_counts_with_its_interval(ai_llm: FakeLlm, ai_payer: Any) -> None:
    """Two of three usable; of these both without hype; each request costs 100 x 0.1 + 50 x 0.5 millionths."""
    found = answers(ai_llm, GOOD, GOOD, "x" * 61, inputs=3)

    row = report("eval_probe", found, model="openai/gpt-6-luna", day=DAY, distinct=3)

    assert (row.n, row.model, row.version) == (3, "openai/gpt-6-luna", "1")
    assert (row.scores["usable"], row.scores["no hype"]) == (Share(2, 3), Share(2, 2))
    # Two answers, then a bad one and its correction, which is as bad.
    assert row.cost == PicoUsd(4 * 35_000_000)
    assert str(row).splitlines()[:2] == [
        "eval_probe 1 on openai/gpt-6-luna, 2026-11-20: n = 3 (3 distinct), USD 0.000140",
        "  usable: 66.7% (20.8% to 93.9%; 2 of 3)",
    ]


def test_a_cost_that_is_unknown_is_said_so(ai_llm: FakeLlm, ai_payer: Any) -> None:
    """A provider without usage leaves no sum."""
    ai_llm.reply(probe, Line(text=GOOD), usage=None)

    row = report("eval_probe", ask(probe, [1], ai_llm), model="openai/gpt-6-luna", day=DAY, distinct=1)

    assert row.cost is None
    assert "n = 1 (1 distinct), cost unknown" in str(row)


def test_nothing_asked_is_a_report_of_nothing() -> None:
    """Then everything is possible."""
    row = report("eval_probe", [], model="openai/gpt-6-luna", day=DAY, distinct=0)

    assert (row.n, row.cost, str(row.scores["usable"])) == (0, 0, "100.0% (0.0% to 100.0%; 0 of 0)")


def test_a_provider_that_is_down_is_not_the_models_fault(ai_llm: FakeLlm, ai_payer: Any) -> None:
    """The call is left out."""
    ai_llm.fail(probe)
    ai_llm.reply(probe, Line(text=GOOD))

    assert len(ask(probe, [1, 2], ai_llm)) == 1


def test_a_spent_budget_ends_the_asking(ai_llm: FakeLlm, ai_payer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered before is kept."""
    ai_llm.reply(probe, Line(text=GOOD))

    def spend() -> None:
        if len(ai_llm.calls) == 3:
            raise LiveBudgetSpent

    ai_llm.before_answer(spend)

    assert len(ask(probe, range(9), ai_llm)) == 2


def test_thirty_shops_of_different_size_are_asked_about() -> None:
    """From 200 customers in steps of 60."""
    found = cases(lambda customers: customers)

    assert (len(found), found[0], found[-1]) == (CASES, 200, 1_940)


@pytest.mark.parametrize(
    ("environ", "model"),
    [
        ({}, None),
        ({"GEMINI_API_KEY": "k"}, "gemini/gemini-2.5-flash-lite"),
        ({"GEMINI_API_KEY": "k", "OPENAI_API_KEY": "k"}, "openai/gpt-6-luna"),
        ({"OPENAI_API_KEY": "k", "AI_ADDONS_TEST_EVAL_MODEL": "openai/gpt-6-sol"}, "openai/gpt-6-sol"),
        ({"OPENAI_API_KEY": "k", "AI_ADDONS_TEST_EVAL_MODEL": "gemini/gemini-2.5-flash-lite"}, None),
    ],
)
def test_the_model_is_one_that_has_a_key(environ: dict[str, str], model: str | None) -> None:
    """The named one, else the first of the three."""
    assert model_with_key(environ) == model
