"""`ai-addons drift`: prices that calls are booked with, beside LiteLLM's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.llm.drift import Drift, drifts, listed_price
from ai_addons.llm.prices import ModelPrice
from tests.test_cli import as_json, call

if TYPE_CHECKING:
    from pathlib import Path

LUNA = ModelPrice(input=100_000, cached=10_000, cache_write=125_000, output=500_000)


def test_every_price_of_the_table_agrees_with_the_list() -> None:
    """The built-in table and the installed LiteLLM know the same prices of all models."""
    found = as_json("drift", "--all")
    assert found["drifts"] == []
    assert "openai/gpt-6-luna" in found["models"]
    assert "agree with LiteLLM's list" in call("drift", "--all").stdout


def test_an_own_price_that_differs_is_shown_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A price in the settings that nobody else knows: both are named, and the exit code is for scripts."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-invented")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ai_addons.toml").write_text(
        '[prices.models."openai/gpt-6-luna"]\ninput = "0.2"\ncached = "0.01"\ncache_write = "0.125"\noutput = "0.5"\n'
    )
    found = as_json("drift", code=1)
    assert found["drifts"] == [{"model": "openai/gpt-6-luna", "pool": "input", "ours": 200_000, "listed": 100_000}]
    shown = call("drift", code=1).stdout
    assert "0.2" in shown
    assert "0.1" in shown


@pytest.mark.parametrize(
    ("ours", "listed", "expected"),
    [
        (LUNA, LUNA, []),
        (LUNA, ModelPrice(input=100_000, output=500_000), []),
        (ModelPrice(input=100_000, output=500_000), LUNA, [("cached", None, 10_000), ("cache_write", None, 125_000)]),
        (LUNA, None, [("input", 100_000, None)]),
        (None, None, []),
        (
            None,
            LUNA,
            [
                ("input", None, 100_000),
                ("cached", None, 10_000),
                ("cache_write", None, 125_000),
                ("output", None, 500_000),
            ],
        ),
    ],
)
def test_what_counts_as_a_difference(
    ours: ModelPrice | None, listed: ModelPrice | None, expected: list[tuple[str, int | None, int | None]]
) -> None:
    """A pool the list says nothing of is no contradiction; a whole model it does not know is one."""
    found = drifts(["m"], {"m": ours}, {} if listed is None else {"m": listed})
    assert list(found) == [Drift(model="m", pool=pool, ours=a, listed=b) for pool, a, b in expected]  # type: ignore[arg-type]  # parametrized


def test_the_lists_floats_are_read_exactly() -> None:
    """1e-07 USD a token is 100,000 pico-USD, with nothing lost on the way."""
    entry = {"input_cost_per_token": 1e-07, "output_cost_per_token": 1.25e-06, "cache_read_input_token_cost": None}
    assert listed_price(entry) == ModelPrice(input=100_000, output=1_250_000)
