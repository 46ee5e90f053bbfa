"""A call and the provider budget: what it counts with, and what happens when the budget is spent."""

from __future__ import annotations

import json
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from click.testing import CliRunner

from ai_addons import AddOns, BudgetSpent, ConfigError, Prompt, ProviderTimeout, bill_to, billed_feature
from ai_addons.cli import main
from ai_addons.llm.base import Usage, Verdict
from ai_addons.money import Credits
from ai_addons.settings import Settings
from ai_addons.testing import FakeLlm, kit_settings
from tests.features import AMA, KOFI, OPINION, Customer, Opinion, composed, gift, opinion, routed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LUNA: Final = {"input": 100_000, "output": 500_000}
"""Pico-USD a token."""


@pytest.fixture
def llm() -> FakeLlm:
    """A model that answers as told."""
    return FakeLlm()


def opened(llm: FakeLlm, **budget: Any) -> AddOns:
    """A shop with credits and a budget."""
    addons = AddOns(kit_settings(budget=budget), llm=llm)
    addons.grant("biz_7", 100, source="purchase", ref="order-1")
    return addons


@pytest.fixture
def broke(llm: FakeLlm) -> Iterator[AddOns]:
    """A shop whose operator spends nothing."""
    with closing(opened(llm, usd_month=0)) as addons, addons, bill_to("biz_7"):
        yield addons


@pytest.mark.usefixtures("broke")
def test_a_spent_budget_is_told_and_nothing_is_asked_or_charged(broke: AddOns, llm: FakeLlm) -> None:
    """The shop keeps its credits; the model is never asked."""
    for call in (lambda: opinion(AMA), lambda: anyio.run(opinion.aio, AMA), gift):
        with pytest.raises(BudgetSpent, match=r"Nothing was charged. Try again later") as refused:
            call()
        assert refused.value.charged == Credits(0)
    assert llm.calls == []
    assert broke.wallet("biz_7").available == Credits(100)
    assert broke.transactions("biz_7") == []


@pytest.mark.usefixtures("broke")
def test_a_feature_that_can_do_without_a_model_does(llm: FakeLlm) -> None:
    """Its own words are given uncharged, and the receipt says why."""
    value, receipt = composed.billed(AMA)
    assert value == "Ama Serwaa: ask the owner"
    assert (receipt.source, receipt.degraded_reason, receipt.charged) == ("rules", "over_budget", Credits(0))
    assert llm.calls == []


def test_a_free_repeat_goes_on_when_the_budget_is_spent(llm: FakeLlm) -> None:
    """It asks no model, so it costs the operator nothing."""
    llm.reply(opinion, OPINION, usage=Usage(input=200, output=18_000))
    with closing(opened(llm, usd_month="0.01")) as addons, addons, bill_to("biz_7"):
        opinion(AMA)
        with pytest.raises(BudgetSpent):
            opinion(KOFI.model_copy(update={"late": 9}))
        assert opinion.billed(AMA).receipt.cached


@billed_feature("free_opinion", credits=0)
def free_opinion(customer: Customer) -> Prompt[Opinion]:
    """An opinion for nothing."""
    return Prompt(user="May they have credit?", data=customer)


def test_a_stored_answer_of_a_free_feature_asks_nothing_of_the_budget(llm: FakeLlm) -> None:
    """Another customer's hit holds no credits and no dollars."""
    llm.reply(free_opinion, OPINION, usage=Usage(input=200, output=18_000))
    with closing(opened(llm, usd_month="0.01")) as addons, addons, bill_to("biz_7"):
        free_opinion(AMA)
        assert free_opinion.billed(KOFI).receipt.cached
        assert len(llm.calls) == 1


def test_a_call_counts_with_every_attempt_it_may_make(llm: FakeLlm) -> None:
    """While it runs: three attempts and a repair of each, at the size of the prompt; then what it cost."""
    seen = list[tuple[int, int]]()
    with closing(opened(llm)) as addons, addons, bill_to("biz_7"):

        def look() -> None:
            month = addons.spending()[1]
            seen.append((month.used, month.held))

        llm.before_answer(look)
        llm.reply(opinion, OPINION, usage=Usage(input=200, output=80))
        opinion(AMA)
        (sent,) = llm.calls
        size = sum(len(message.content.encode()) + 8 for message in sent.request.messages) + len(
            json.dumps(sent.request.schema)
        )
        one = size * 125_000 + opinion.spec.max_tokens * LUNA["output"]
        assert seen == [(0, 3 * 3 * one)]
        month = addons.spending()[1]
        assert (month.used, month.held) == (200 * LUNA["input"] + 80 * LUNA["output"], 0)


def test_an_attempt_that_may_have_been_billed_counts_with_its_bound(llm: FakeLlm) -> None:
    """Two attempts that timed out count as if they had cost all they could, the business pays nothing."""
    with closing(opened(llm)) as addons, addons, bill_to("biz_7"):
        llm.fail(opinion, ProviderTimeout(), verdict=Verdict.MAYBE_BILLED)
        with pytest.raises(ProviderTimeout):
            opinion(KOFI)
        (sent,) = llm.calls
        size = sum(len(message.content.encode()) + 8 for message in sent.request.messages) + len(
            json.dumps(sent.request.schema)
        )
        one = size * 125_000 + opinion.spec.max_tokens * LUNA["output"]
        assert addons.spending()[1].used == len(llm.calls) * one
        assert addons.wallet("biz_7").available == Credits(100)


def test_a_builder_that_asks_on_the_way_is_counted_once(llm: FakeLlm) -> None:
    """Its one hold has one bound; what both questions cost is counted at the end."""
    llm.reply(routed, {"pack": "sales"}, usage=Usage(input=10, output=2))
    llm.reply(routed, "well", usage=Usage(input=20, output=4))
    with closing(opened(llm)) as addons, addons, bill_to("biz_7"):
        assert routed("how are sales?") == "well"
        assert addons.spending()[1].used == 30 * LUNA["input"] + 6 * LUNA["output"]
        assert addons.doctor().ok


def test_the_usual_budget_is_fifty_dollars_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to think of it; it can be raised, lowered, set for a day, or taken away."""
    assert (Settings().budget.usd_month, Settings().budget.usd_day) == (Decimal(50), None)
    monkeypatch.setenv("AI_ADDONS_BUDGET__USD_DAY", "2.50")
    assert Settings(budget={"usd_month": None}).budget.usd_day == Decimal("2.50")
    with pytest.raises(ConfigError, match="usd_month"):
        Settings(budget={"usd_month": "-1"})


def test_an_operator_sees_what_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In dollars, beside the budget; the same as JSON."""
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["spending"])
    assert shown.exit_code == 0
    assert "50.00" in shown.output
    assert "none" in shown.output
    found = json.loads(CliRunner().invoke(main, ["spending", "--json"]).output)
    assert [(one["window"], one["used_usd"], one["budget_usd"]) for one in found] == [
        ("day", "0.000000000000", None),
        ("month", "0.000000000000", "50.000000000000"),
    ]
