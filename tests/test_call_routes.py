"""Which models answer whom: what a call, a business, a feature and a tier say, in this order."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, ConfigError, UnpricedModel, bill_to
from ai_addons.cli.checkup import examine_setup
from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, kit_settings
from tests.features import AMA, OPINION, opinion

if TYPE_CHECKING:
    from collections.abc import Sequence

LUNA, SOL, HAIKU, LITE = (
    "openai/gpt-6-luna",
    "openai/gpt-6-sol",
    "anthropic/claude-haiku-5-5",
    "gemini/gemini-2.5-flash-lite",
)
EVERYWHERE = {"models": {"small": LUNA}}
OF_FEATURE = {"features": {"opinion": {"models": SOL}}}
OF_BUSINESS = {"businesses": {"biz_7": {"models": {"small": [HAIKU, LUNA]}}}}
OF_BOTH = {"businesses": {"biz_7": {"models": {"small": HAIKU}, "features": {"opinion": LITE}}}}


@pytest.mark.parametrize(
    ("business", "settings", "model", "route"),
    [
        ("biz_7", {}, None, [LUNA]),
        ("biz_7", OF_FEATURE, None, [SOL]),
        ("biz_7", OF_BUSINESS, None, [HAIKU, LUNA]),
        ("biz_8", OF_BUSINESS, None, [LUNA]),
        ("biz_7", OF_BUSINESS | OF_FEATURE, None, [SOL]),
        ("biz_7", OF_BUSINESS | OF_FEATURE, "small", [HAIKU, LUNA]),
        ("biz_7", OF_BOTH | OF_FEATURE, None, [LITE]),
        ("biz_8", OF_BOTH | OF_FEATURE, None, [SOL]),
        ("biz_7", OF_BOTH | OF_FEATURE, HAIKU, [HAIKU]),
    ],
)
def test_the_nearest_choice_of_models_wins(
    business: str, settings: dict[str, Any], model: str | None, route: Sequence[str]
) -> None:
    """The call's model, the business's feature, the feature, the business's tier, the tier."""
    with closing(AddOns(kit_settings(**EVERYWHERE | settings), llm=FakeLlm())) as addons:
        assert addons.route(opinion.spec, model, business=business) == tuple(route)


def test_a_call_is_answered_by_its_business_s_models() -> None:
    """One shop's calls go to its own models, another's to the usual one."""
    llm = FakeLlm()
    llm.reply(opinion, OPINION)
    with closing(AddOns(kit_settings(**EVERYWHERE | OF_BUSINESS), llm=llm)) as addons, addons:
        for business in ("biz_7", "biz_8"):
            addons.grant(business, 10, source="purchase", ref=f"order of {business}")
            with bill_to(business):
                opinion(AMA)

    assert [call.model for call in llm.calls] == [HAIKU, LUNA]


def test_a_business_s_large_tier_may_be_the_only_one() -> None:
    """A tier that only one business has is an error that names the feature for all others."""
    settings = kit_settings(models={"small": LUNA}, businesses={"biz_7": {"models": {"large": SOL}}})
    with closing(AddOns(settings, llm=FakeLlm())) as addons:
        assert addons.route(opinion.spec, "large", business="biz_7") == (SOL,)
        with pytest.raises(ConfigError, match=r"'opinion': no large model is configured"):
            addons.route(opinion.spec, "large", business="biz_8")


def test_an_unpriced_model_of_one_business_is_refused_before_the_hold_and_found_by_check() -> None:
    """Its calls are refused uncharged, and the operator is told without a call."""
    settings = kit_settings(businesses={"biz_7": {"models": {"small": "openai/unheard-of"}}})
    with closing(AddOns(settings, llm=FakeLlm())) as addons, addons, bill_to("biz_7"):
        addons.grant("biz_7", 10, source="purchase", ref="order-1")
        with pytest.raises(UnpricedModel):
            opinion(AMA)
        assert addons.wallet("biz_7").available == Credits(10)
        assert any("openai/unheard-of" in finding.text for finding in examine_setup(addons).findings)


def test_check_names_a_feature_of_a_business_that_nobody_declares() -> None:
    """A slip in a key would else change nothing, without a word."""
    settings = kit_settings(businesses={"biz_7": {"features": {"opinoin": LITE}}})
    with closing(AddOns(settings, llm=FakeLlm())) as addons:
        texts = [finding.text for finding in examine_setup(addons).findings]
        assert any("'opinoin', which is not known (did you mean opinion?)" in text for text in texts)


def test_a_model_without_its_provider_is_named_with_its_business() -> None:
    """The settings say what is wrong, and where."""
    with pytest.raises(ConfigError, match=r"businesses\.biz_7\.features\.opinion.*'haiku' lacks its provider"):
        kit_settings(businesses={"biz_7": {"features": {"opinion": "haiku"}}})
