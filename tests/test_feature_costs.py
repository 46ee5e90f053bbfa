"""What a call of each feature costs and earns, as the docs say it."""

from __future__ import annotations

import importlib
import importlib.util
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from ai_addons.features.credit_assessment import SPEC as CREDIT
from ai_addons.features.product_description import SPEC as PRODUCT
from ai_addons.money import PicoUsd
from ai_addons.testing._prompts import Size, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.catalog import FeatureSpec

DOCS: Final = Path(__file__).parent.parent / "docs"
LUNA, HAIKU, LITE = "openai/gpt-6-luna", "anthropic/claude-haiku-5-5", "gemini/gemini-2.5-flash-lite"
# 264 tokens in all; the spec plans 135 tokens of answer.
PLANNED: Final = Size(system=150, user=80, schema=34, answer=100)


# Each example is built for two sizes of shop.
pytestmark: Final = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def costs() -> Iterator[Any]:
    """The module that writes the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("feature_costs")


@pytest.fixture(scope="module")
def calls(costs: Any) -> Any:
    """What every feature with an example costs."""
    return costs.costs()


def test_the_page_is_what_the_code_counts(calls: Any) -> None:
    """A prompt that changed without its page fails here."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    generate = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(generate)

    written = (DOCS / "reference" / "feature-costs.md").read_text(encoding="utf-8")

    assert written == generate.costs(calls), "run: uv run python docs/generate.py"


def test_every_feature_earns_its_margin_on_a_model_of_each_provider(costs: Any, calls: Any) -> None:
    """Ninety percent loaded, at the cheapest credit and the built-in rate; what misses it is listed with a reason."""
    assert costs.misses(calls) == {pair for pair in costs.EXCEPTIONS if pair[0] in examples()}
    assert all(costs.EXCEPTIONS.values())


def test_a_call_is_counted_for_the_tokeniser_of_its_provider(costs: Any) -> None:
    """264 and 135 tokens at USD 0.10 and 0.50 a million: 291 x 0.1 + 149 x 0.5 = 103.6 millionths on luna."""
    luna, haiku = (costs.call_cost(PRODUCT, 500, model, PLANNED) for model in (LUNA, HAIKU))

    assert (luna.input, luna.output, luna.cost) == (291, 149, PicoUsd(103_600_000))
    assert (haiku.input, haiku.output, haiku.cost) == (370, 189, PicoUsd(131_500_000))


def test_an_answer_longer_than_planned_counts_in_full(costs: Any) -> None:
    """The sample is what a real answer looks like."""
    longer = costs.call_cost(PRODUCT, 500, LUNA, Size(system=0, user=0, schema=0, answer=200))

    assert (longer.input, longer.output) == (0, 220)


def test_margins_are_those_of_the_books(costs: Any) -> None:
    """0.1 credits at GHS 0.50 bring 0.05; 103.6 millionths of a dollar at 16 are GHS 0.0016576."""
    call = costs.call_cost(PRODUCT, 500, LUNA, PLANNED)

    assert call.in_ghs("16.00") == 1_658
    # 1 - 0.001658 / 0.05, and 1 - 0.0195 - 1.25 x 0.001658 / 0.05.
    assert call.plain("16.00", Decimal("0.50")) == Decimal("0.967")
    assert call.loaded("16.00", Decimal("0.50")) == Decimal("0.939")


@pytest.mark.parametrize(("provider", "model"), [("openai", LUNA), ("anthropic", HAIKU), ("gemini", LITE)])
@pytest.mark.parametrize("spec", [PRODUCT, CREDIT], ids=["product", "credit"])
def test_the_cheapest_model_that_stays_is_taken(costs: Any, spec: FeatureSpec, provider: str, model: str) -> None:
    """Not gpt-5-nano, though it is cheaper: it is about to be switched off."""
    assert costs.cheapest(spec, 500, provider, PLANNED).model == model
    assert "openai/gpt-5-nano" not in costs.fit_models("openai")


def test_a_feature_that_loses_is_named_with_its_reason(costs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt a hundred times as large: the margin at GHS 0.50 is below the goal."""
    huge = Size(system=150, user=50_000, schema=34, answer=100)
    dear = costs.call_cost(PRODUCT, 500, LUNA, huge)
    monkeypatch.setattr(costs, "EXCEPTIONS", {("product_description", "openai"): "it is huge."})

    assert costs.misses([dear]) == {("product_description", "openai")}
    assert costs._exceptions(costs.misses([dear])) == "These do not: `product_description` on OpenAI: it is huge."


def test_the_page_has_a_row_for_each_feature_shop_and_provider(costs: Any) -> None:
    """Two tables of the same rows; a feature settled without a model would have none of its own tokens."""
    made = [costs.call_cost(PRODUCT, size, model, PLANNED) for size in (500, 10_000) for model in (LUNA, HAIKU, LITE)]

    parts = cast("list[str]", list(costs.page(made)))
    tables = [part.splitlines() for part in parts if part.startswith("| ")]

    assert [len(table) for table in tables] == [8, 8]
    assert (
        tables[0][2] == "| `product_description` | 500 | `openai/gpt-6-luna` | 291 | 149 | 0.000104 | 0.0012 | 0.0017 |"
    )
    assert tables[1][2].startswith("| `product_description` | 500 | `openai/gpt-6-luna` | 98.8 / 98.5 / 98.3 / 97.6 | ")
    assert parts[-1].endswith("Every feature above meets it.")
