"""All eight features when no model helps: the same result twice, by rules, for nothing, and the books are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest

from ai_addons.money import Credits
from ai_addons.testing.kit import SMALL
from tests.eight import BUSINESS, WAYS, decided, shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.receipt import Billed
    from tests.eight import Shop, Way

pytestmark: Final = pytest.mark.timeout(120)

REASONS: Final = ("provider_down", "over_budget", "guard_rejected")


@pytest.fixture(scope="module", params=REASONS)
def helpless(request: pytest.FixtureRequest) -> Iterator[tuple[Shop, str]]:
    """A shop without a usable answer, and why there is none."""
    reason: str = request.param
    budget = {"usd_month": 0} if reason == "over_budget" else {}
    with shop(down=reason == "provider_down", models={"small": SMALL}, budget=budget) as one:
        if reason == "guard_rejected":
            one.llm.reply_text("", '{"decision": "approve", "recommended_limit": 50000}')
        yield one, reason


@pytest.fixture(scope="module")
def served() -> Iterator[Shop]:
    """A shop whose model gives the samples."""
    with shop() as one:
        yield one


def in_a_thread(way: Way, one: Shop) -> Billed[Any]:
    """A call of a host without an event loop."""
    return way.built.feature.options(addons=one.addons, business=BUSINESS, cache=False).billed(way.given, **way.options)


def on_a_loop(way: Way, one: Shop) -> Billed[Any]:
    """The same on an event loop."""
    feature = way.built.feature.options(addons=one.addons, business=BUSINESS, cache=False).aio

    async def called() -> Billed[Any]:
        return await feature.billed(way.given, **way.options)

    return anyio.run(called)


@pytest.mark.parametrize("call", [in_a_thread, on_a_loop])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_without_a_usable_answer_the_result_is_codes_own(
    way: Way, call: Callable[[Way, Shop], Billed[Any]], helpless: tuple[Shop, str]
) -> None:
    """Two calls, one result; it says why no model wrote it; nothing is charged and nothing stays held."""
    one, reason = helpless
    first, second = call(way, one), call(way, one)
    assert (first.value.source, first.value.degraded_reason) == ("rules", reason)
    assert first.value == second.value
    assert (first.receipt.charged, second.receipt.charged) == (Credits(0), Credits(0))
    wallet = one.addons.wallet(BUSINESS)
    assert (wallet.held, wallet.lifetime_used, wallet.available) == (Credits(0), Credits(0), Credits(100_000))
    rows = one.addons.transactions(BUSINESS)
    assert {(row.charged, row.source) for row in rows} <= {(Credits(0), "rules")}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_model_changes_no_decision(way: Way, served: Shop, helpless: tuple[Shop, str]) -> None:
    """What code decides is the same with a model and without."""
    answered, alone = in_a_thread(way, served).value, in_a_thread(way, helpless[0]).value
    assert answered.source == "offline"
    # A draft is written freely, and a question read, only where there is a model.
    own = set[str]() if way.name == way.built.key else {"drafting", "metric_pack", "table", "customers", "confidence"}
    found, beside = (decided(way.built.key, result) for result in (answered, alone))
    assert {name: found[name] for name in found.keys() - own} == {name: beside[name] for name in beside.keys() - own}
