"""Inventory forecast: whole calls, and forecasters of other makes."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ai_addons import AddOns, bill_to
from ai_addons.errors import ConfigError, UnknownPlugin
from ai_addons.features.inventory_forecast import (
    ForecastPolicy,
    example,
    inventory_forecast,
)
from ai_addons.features.inventory_forecast.methods import BUILT_IN, BuiltIn
from ai_addons.llm.offline import OFFLINE_MODEL
from ai_addons.money import Credits
from ai_addons.plugins import load
from ai_addons.testing import ManualClock, kit_settings
from tests.forecasts import (
    forecast,
    item,
    only,
    request,
    result_of,
    rewritten,
    sample,
    sent,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.features.inventory_forecast import History, Method
    from ai_addons.features.inventory_forecast.demand import DemandClass
    from ai_addons.testing import FakeLlm, FundedPayer


def test_a_call_is_charged_once_and_the_model_sees_letters(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """The answer's references become the owner's figures; the wire holds the rows as they were made."""
    shop = example()
    ai_llm.reply(inventory_forecast, sample(forecast(shop)))
    result, receipt = inventory_forecast.billed(shop)
    assert (result.source, result.degraded_reason) == ("ai", None)
    assert receipt.charged == ai_payer.spent
    ai_payer.assert_charged(4, inventory_forecast)
    wire = ai_llm.calls[0].request.messages[-1].content
    assert all(row in wire for row in sent(forecast(shop))["rows"])
    assert not any(one.ref in wire for one in shop.items)
    assert result.data == result_of(forecast(shop)).data


def test_a_quote_names_the_price_and_calls_nobody(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """Four credits; free where there is too little data."""
    quote = inventory_forecast.quote(example())
    assert (quote.price, quote.charge) == (Credits(4), Credits(4))
    assert ai_llm.calls == []
    assert inventory_forecast(request(item(sales=["1"]))).degraded_reason == "insufficient_data"
    assert ai_llm.calls == []
    ai_payer.assert_charged(0)


def test_a_faulty_answer_is_repaired_once_then_replaced(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """Two bad answers: the rules speak, the figures are the same, nothing is charged."""
    shop = example()
    bad = rewritten(sample(forecast(shop)), "headline", "Order 9,000 of everything.")
    ai_llm.reply(inventory_forecast, bad)
    ai_llm.reply(inventory_forecast, bad)
    result = inventory_forecast(shop)
    assert (result.source, result.degraded_reason) == ("rules", "guard_rejected")
    assert "holds a digit" in ai_llm.calls[1].request.messages[-1].content
    assert result.data == result_of(forecast(shop)).data
    ai_payer.assert_charged(0)


@pytest.mark.parametrize("finish", ["length", "refusal"])
def test_a_cut_off_or_refused_answer_is_replaced(ai_payer: FundedPayer, ai_llm: FakeLlm, finish: Any) -> None:
    """Whatever the provider calls it, the owner gets the figures."""
    for _ in range(2):
        ai_llm.reply_text(inventory_forecast, '{"headline": {"text": "cut', finish=finish)
    assert inventory_forecast(example()).source == "rules"
    ai_payer.assert_charged(0)


def test_with_every_provider_down_the_rules_speak(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """Uncharged, sync and async alike."""
    ai_llm.fail(inventory_forecast)
    result = inventory_forecast(example())
    assert (result.source, result.degraded_reason) == ("rules", "provider_down")
    again = anyio.run(inventory_forecast.aio, example())
    assert again.data == result.data
    ai_payer.assert_charged(0)


def test_it_works_without_any_key() -> None:
    """The offline model gives the sample and is named."""
    free = kit_settings(models={"small": OFFLINE_MODEL})
    with closing(AddOns(free, clock=ManualClock(), environ={})) as addons, addons, bill_to("shop"):
        addons.grant("shop", 10, source="adjustment", ref="funds")
        result = inventory_forecast(example())
    assert result.source == "offline"
    assert result.data.headline == "To order now: 4 items, for GHS 3,943.80."


class Thirty:
    """A host's own forecaster: thirty a week, whatever was."""

    says = 30.0

    def __init__(self, policy: ForecastPolicy) -> None:
        self.policy = policy

    def methods(self, _history: History, _kind: DemandClass, /) -> Mapping[str, Method]:
        return {"thirty": lambda _: self.says}


class Nonsense(Thirty):
    """One that fails."""

    says = float("nan")


class Beyond(Thirty):
    """One that exaggerates."""

    says = float("inf")


class Below(Thirty):
    """One whose trend went below zero."""

    says = -4.0


def test_a_host_may_bring_its_own_forecaster() -> None:
    """Named in the policy, it forecasts, and is named in the result."""
    name = f"{__name__}:Thirty"
    result = result_of(forecast(request(), policy=ForecastPolicy(forecaster=name)))
    assert (result.data.forecaster, result.data.items[0].method) == (name, "thirty")
    assert result.data.items[0].fc_units == Decimal(60)
    assert result.data.backtest.bias == Decimal(2)


def test_what_a_forecaster_says_is_bounded() -> None:
    """No number is an error before anything is held; a negative one is none; infinity is the largest."""
    with pytest.raises(ConfigError, match="nothing was charged"):
        forecast(request(), policy=ForecastPolicy(forecaster=f"{__name__}:Nonsense"))
    with pytest.raises(UnknownPlugin, match="builtin"):
        forecast(request(), policy=ForecastPolicy(forecaster="buildin"))
    below = only(forecast(request(), policy=ForecastPolicy(forecaster=f"{__name__}:Below")))
    assert (below.fc_units, below.days_cover) == (Decimal(0), None)
    beyond = only(forecast(request(), policy=ForecastPolicy(forecaster=f"{__name__}:Beyond")))
    assert (beyond.fc_units, beyond.days_cover) == (Decimal(50_000_000), Decimal(0))


def test_our_own_forecaster_is_the_registered_one() -> None:
    """It is taken without a search; a host that looks it up by its name gets the same."""
    assert load("forecasters", BUILT_IN) is BuiltIn
    assert ForecastPolicy().forecaster == BUILT_IN
