"""Thinking is off unless a feature, or its settings, ask for it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from ai_addons import AddOns, ConfigError, Prompt, bill_to, billed_feature
from ai_addons.testing import FakeLlm
from ai_addons.testing.kit import kit_settings

ROUTE = "openai/gpt-6-luna"


@billed_feature("riddle", credits=5, thinking="medium", max_tokens=400, tokens=(100, 50))
def riddle(number: int) -> Prompt:
    """Solve a riddle."""
    return Prompt(user=f"Solve riddle {number}.")


@billed_feature("greeting_line", credits=5, max_tokens=400, tokens=(100, 50))
def greeting_line(number: int) -> Prompt:
    """Greet a customer."""
    return Prompt(user=f"Greet customer {number}.")


def opened(llm: FakeLlm, **features: Any) -> AddOns:
    """A shop whose features are set up so."""
    addons = AddOns(kit_settings(features=features, models={"small": ROUTE}), llm=llm, environ={})
    addons.grant("biz_7", 100, source="adjustment", ref="start")
    return addons


@pytest.mark.parametrize(
    ("feature", "settings", "asked"),
    [
        (greeting_line, {}, ("off", 400)),
        (riddle, {}, ("medium", 2_448)),
        (riddle, {"riddle": {"thinking": "off"}}, ("off", 400)),
        (greeting_line, {"greeting_line": {"thinking": "high", "max_tokens": 100}}, ("high", 4_196)),
    ],
)
def test_settings_beat_the_feature_and_the_cap_has_room(feature: Any, settings: Any, asked: tuple[str, int]) -> None:
    """What the model is asked: the level, and the answer's cap with the level's tokens on top."""
    llm = FakeLlm()
    with closing(opened(llm, **settings)) as addons, addons, bill_to("biz_7"):
        feature.options(addons=addons)(1)
    (call,) = llm.calls
    assert (call.request.thinking, call.request.max_tokens) == asked


def test_a_feature_that_thinks_is_expected_to_cost_more() -> None:
    """The floor of its price counts all the tokens that thinking may take."""
    with closing(opened(FakeLlm())) as addons:
        plain, thinks = addons.expected_cost(greeting_line.spec), addons.expected_cost(riddle.spec)
    # (100 in at USD 0.10, 50 and 2,098 out at USD 0.50 a million) x 11.646 GHS, in micro-GHS.
    assert (plain, thinks) == (408, 12_333)


def test_an_unknown_level_is_refused() -> None:
    """A typing mistake in the settings is named, with what is allowed."""
    with pytest.raises(ConfigError, match="'off', 'low', 'medium' or 'high'"):
        kit_settings(features={"riddle": {"thinking": "much"}})
