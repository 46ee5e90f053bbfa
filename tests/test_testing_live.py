"""Tests that may ask a real model: only when told to, and only for so much money."""

from __future__ import annotations

import pytest

from ai_addons.errors import UnpricedModel
from ai_addons.llm.base import Message, ModelFailure, ModelRequest, Usage, Verdict
from ai_addons.llm.costs import PriceBook, prompt_bytes
from ai_addons.money import PicoUsd
from ai_addons.testing import FakeLlm, LiveBudgetSpent
from ai_addons.testing.live import CappedLlm, LivePurse
from tests.inner import run_here

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("libraries_stay")

LUNA = "openai/gpt-6-luna"
SUITE = """
import pytest
from ai_addons import Prompt, billed_feature

@billed_feature("tagline", credits=2, cache=None)
def tagline(shop: str) -> Prompt:
    return Prompt(user=f"A tagline for {shop}")

@pytest.fixture(autouse=True)
def provider(ai_loopback):
    ai_loopback.answer("openai", "Fresh", usage=(1_000, 500))

@pytest.mark.ai_live
def test_real(ai_loopback, ai_llm, ai_payer):
    assert tagline("Nyonkopa") == "Fresh"
    assert ai_loopback.calls[0].model == "gpt-6-luna"

@pytest.mark.ai_live
@pytest.mark.anyio
async def test_real_async(ai_loopback, ai_llm, ai_payer):
    assert await tagline.aio("Nyonkopa") == "Fresh"
"""


def request(model: str = LUNA) -> ModelRequest:
    """A small request."""
    return ModelRequest(model=model, messages=(Message("user", "Say a word."),), max_tokens=412, schema=None, timeout=5)


def capped(fake: FakeLlm, most: int) -> tuple[CappedLlm, LivePurse]:
    """A model with a purse."""
    purse = LivePurse(PicoUsd(most))
    return CappedLlm(fake, PriceBook(), purse), purse


def bound() -> int:
    """The most that request can cost."""
    return PriceBook().bound(LUNA, prompt_bytes(request().messages, None), 412) or 0


def test_marked_tests_are_skipped_unless_asked_for(pytester: pytest.Pytester) -> None:
    """A plain run costs nothing; ``--ai-live`` runs them; a budget of nothing stops them before anything is sent."""
    pytester.makepyfile(SUITE)
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n")
    run_here(pytester, "-q").assert_outcomes(skipped=2)
    run_here(pytester, "-q", "--ai-live").assert_outcomes(passed=2)
    poor = run_here(pytester, "-q", "--ai-live", "--ai-budget", "0.0000001")
    poor.assert_outcomes(failed=2)
    poor.stdout.fnmatch_lines(["*LiveBudgetSpent: This call may cost up to USD 0.0*It was not sent.*--ai-budget*"])


@pytest.mark.parametrize("sum_", ["-1", "much", "inf", "nan"])
def test_a_budget_is_a_sum_of_money(pytester: pytest.Pytester, sum_: str) -> None:
    """A slip of the pen must not become an endless budget."""
    result = run_here(pytester, f"--ai-budget={sum_}")
    result.stderr.fnmatch_lines(["*--ai-budget is a sum in US dollars*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_workers_share_the_budget(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes together spend no more than one."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    pytester.makepyfile(
        """
        from decimal import Decimal
        from ai_addons.testing.options import budget

        def test_share(request):
            assert budget(request.config) == Decimal("0.25")
        """
    )
    run_here(pytester, "-q", "--ai-budget=1", "-p", "no:xdist").assert_outcomes(passed=1)


def test_a_call_is_counted_at_its_cost() -> None:
    """Before it is made with the most it can cost, afterwards with what it did cost."""
    fake = FakeLlm()
    fake.reply("", "a", usage=Usage(input=10, output=2))
    llm, purse = capped(fake, bound())
    assert llm.complete(request()).text == "a"
    assert purse.spent == 10 * 100_000 + 2 * 500_000
    with pytest.raises(LiveBudgetSpent, match="It was not sent"):
        llm.complete(request())
    assert len(fake.calls) == 1


@pytest.mark.anyio
async def test_async_calls_are_counted_too() -> None:
    """One purse for both."""
    fake = FakeLlm()
    fake.reply("", "a", usage=Usage(input=10, output=2))
    llm, purse = capped(fake, bound())
    await llm.acomplete(request())
    assert purse.spent == 2_000_000


def test_a_cost_that_is_unknown_stays_counted_at_its_most() -> None:
    """No usage in the answer, or a call that may have been billed: the money is taken to be gone."""
    fake = FakeLlm()
    fake.reply("", "a", usage=None)
    fake.fail("", verdict=Verdict.MAYBE_BILLED)
    fake.fail("", verdict=Verdict.NEVER_SENT)
    llm, purse = capped(fake, 10 * bound())
    llm.complete(request())
    assert purse.spent == bound()
    for counted in (2, 2):
        with pytest.raises(ModelFailure):
            llm.complete(request())
        assert purse.spent == counted * bound()


def test_a_model_without_a_price_is_not_asked() -> None:
    """What nobody can count cannot be capped."""
    fake = FakeLlm()
    with pytest.raises(UnpricedModel):
        capped(fake, 10**15)[0].complete(request("openai/gpt-unheard-of"))
    assert fake.calls == []
