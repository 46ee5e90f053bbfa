"""What each built-in feature sends: kept as text, as small as it was planned, and the same on the wire.

``AI_ADDONS_TEST_UPDATE_PROMPTS=1 pytest tests/test_features_prompts.py`` writes the texts anew; read what changed.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from ai_addons.llm.base import Message, ModelRequest
from ai_addons.llm.thinking import thinking_arguments
from ai_addons.testing import _prompts, kit_settings
from ai_addons.testing._prompts import FACTORS, Asked, Size, asked_by, examples, on_model, schema_text, size, tokens
from tests.features import AMA, opinion

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons import Settings
    from ai_addons.feature import Feature
    from ai_addons.testing.routes import ModelRoutes
    from ai_addons.testing.wire import Provider

# Each example is built for two sizes of shop.
pytestmark: Final = pytest.mark.timeout(300)

FOLDER: Final = Path(__file__).parent / "prompts"
UPDATE: Final = "AI_ADDONS_TEST_UPDATE_PROMPTS"
MODELS: Final = ("openai/gpt-6-luna", "anthropic/claude-haiku-5-5", "gemini/gemini-2.5-flash-lite")

WAITING: Final = frozenset({"credit_assessment", "product_description"})
"""Built-in features whose package has no example yet."""

CUSTOMERS: Final = (500, 10_000)
"""Sizes of the shops that are looked at: a prompt does not grow with its shop."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the prompt of a feature may take, in tokens of the public tokeniser, without the schema of the answer."""

    static: int
    facts: int
    out: int


# The plan of each feature (static + facts -> out); the first is one of the tests' own.
BUDGETS: Final = {
    "opinion": Budget(90, 30, 30),
    "product_description": Budget(182, 82, 135),
    "report_summary": Budget(483, 833, 326),
    "customer_insight": Budget(370, 816, 221),
    "collection_message": Budget(402, 88, 192),
    "credit_assessment": Budget(495, 438, 320),
    "collection_analysis": Budget(468, 1_947, 468),
    "inventory_forecast": Budget(460, 2_117, 524),
    "portfolio_dashboard": Budget(631, 2_845, 1_062),
}


def _found() -> dict[str, tuple[Feature[..., object], Callable[..., object]]]:
    """Every feature with an example, and one of the tests' own, so that there always is one."""
    return {"opinion": (cast("Feature[..., object]", opinion), lambda _customers=500: AMA), **examples()}


FOUND: Final = _found()
KEYS: Final = tuple(FOUND)


@cache
def sent(key: str, customers: int) -> tuple[Asked, ...]:
    """What a feature asks for its example."""
    feature, example = FOUND[key]
    return asked_by(feature, example(customers))


def written(key: str) -> str:
    """The prompt of a feature as it is kept."""
    feature, _ = FOUND[key]
    head = f"{key}, version {feature.spec.version}, tier {feature.spec.tier}\n"
    return head + "".join(_part(number, asked) for number, asked in enumerate(sent(key, CUSTOMERS[0]), start=1))


def _part(number: int, asked: Asked) -> str:
    request = asked.request
    turns = "".join(f"\n--- {turn.role}\n{turn.content}\n" for turn in request.messages)
    schema = f"\n--- schema\n{schema_text(request, indent=1)}\n"
    limits = "".join(
        f"\n--- {model}\nmax_tokens={request.max_tokens} {json.dumps(thinking_arguments(model, request.thinking))}\n"
        for model in MODELS
    )
    return f"\n=== request {number}\n{turns}{schema}{limits}\n--- tokens\n{_counts(size([asked]))}\n"


def _counts(one: Size) -> str:
    return f"system={one.system} user={one.user} schema={one.schema} sample={one.answer}"


@pytest.mark.parametrize("key", KEYS)
def test_a_prompt_is_what_was_last_read_by_a_person(key: str) -> None:
    """A change of a prompt shows as a change of a text beside the tests."""
    path = FOLDER / f"{key}.txt"
    if os.environ.get(UPDATE):
        path.write_text(written(key), encoding="utf-8")

    assert path.exists(), f"no text yet; run with {UPDATE}=1 and read what it writes"
    assert path.read_text(encoding="utf-8") == written(key), f"if that is meant, run with {UPDATE}=1"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("customers", CUSTOMERS)
@pytest.mark.parametrize("key", KEYS)
def test_a_prompt_keeps_to_its_budget(key: str, customers: int, model: str) -> None:
    """Instructions and facts together, for the tokeniser of each provider and both sizes of shop."""
    asked, budget = sent(key, customers), BUDGETS[key]
    found = size(asked)

    assert asked, "the example must ask a model"
    assert on_model(model, found.system + found.user) <= on_model(model, budget.static + budget.facts)


@pytest.mark.parametrize("key", KEYS)
def test_a_prompt_does_not_grow_with_the_shop(key: str) -> None:
    """Twenty times the customers take at most a fifth more: figures and pseudonyms are longer, rows are not more."""
    small, large = (size(sent(key, customers)) for customers in CUSTOMERS)

    assert large.system == small.system
    assert large.user <= small.user * 12 // 10


@pytest.mark.parametrize("key", KEYS)
def test_an_example_is_the_same_every_time(key: str) -> None:
    """Seeded: the texts beside the tests and the tables in the docs change only with the code."""
    _, example = FOUND[key]

    assert example(CUSTOMERS[0]) == example(CUSTOMERS[0])


def test_every_built_in_feature_has_an_example() -> None:
    """So that none is left out here, in the docs and in the table of costs."""
    installed = {entry.name for entry in entry_points(group="ai_addons.features")}

    assert installed - set(examples()) == WAITING & installed


def test_every_text_belongs_to_a_feature() -> None:
    """A feature that is gone leaves no text behind."""
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(KEYS)


def test_every_provider_has_its_factor() -> None:
    """A budget holds for each of them."""
    assert {model.split("/")[0] for model in MODELS} == set(FACTORS)
    assert [on_model(model, 100) for model in MODELS] == [110, 140, 110]


def test_the_tokeniser_needs_no_network() -> None:
    """It comes with LiteLLM; counts of known texts."""
    assert [tokens(text) for text in ("", "hello world", "GHS 1,234.50")] == [0, 2, 8]


def test_the_tokeniser_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that the host has set for vocabularies stays set."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "the host's own")
    _prompts._encoding.cache_clear()

    assert tokens("hello world") == 2
    assert os.environ["TIKTOKEN_CACHE_DIR"] == "the host's own"


def test_a_text_answer_has_no_schema() -> None:
    """Then none is sent, and none is counted."""
    request = ModelRequest(model=MODELS[0], messages=(Message("user", "Hello"),), max_tokens=9, schema=None, timeout=1)

    assert schema_text(request) == ""
    assert size([Asked(request, "Good day")]) == Size(system=0, user=1, schema=0, answer=2)


def test_the_recorder_answers_async_callers_too() -> None:
    """From the same samples."""
    request = sent("opinion", CUSTOMERS[0])[0].request
    recorder = _prompts._Recorder()

    assert asyncio.run(recorder.acomplete(request)).text == recorder.complete(request).text


@pytest.fixture
def ai_settings(request: pytest.FixtureRequest) -> Settings:
    """The model of the test alone."""
    model = request.node.callspec.params.get("model", MODELS[0]) if hasattr(request.node, "callspec") else MODELS[0]
    return kit_settings(models={"small": model})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("key", KEYS)
def test_the_kept_text_is_what_goes_over_the_wire(key: str, model: str, ai_routes: ModelRoutes, ai_payer: Any) -> None:
    """Each provider gets these instructions, these facts, this schema and this cap, through the real adapter."""
    provider = cast("Provider", model.split("/", maxsplit=1)[0])
    feature, example = FOUND[key]
    asked = sent(key, CUSTOMERS[0])
    for one in asked:
        ai_routes.answer(provider, json.loads(one.answer))

    feature(example(CUSTOMERS[0]))

    assert len(ai_routes.calls) == len(asked)
    for call, one in zip(ai_routes.calls, asked, strict=True):
        turns = [(turn.role, turn.content) for turn in one.request.messages]
        assert [("system", call.system), *((turn.role, turn.content) for turn in call.messages)] == turns
        assert call.max_tokens == one.request.max_tokens
        assert call.schema is not None
        assert set(call.schema["properties"]) == set(json.loads(schema_text(one.request))["properties"])
