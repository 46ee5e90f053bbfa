"""All eight features by every way there is to call them: one result, and a charge for each answer that was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest

from ai_addons.catalog import BUILT_IN
from ai_addons.errors import IdempotencyConflict
from ai_addons.money import Credits
from tests.eight import BUSINESS, WAYS, inputs, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.feature import Feature
    from ai_addons.features import FeatureResult
    from ai_addons.receipt import Billed
    from tests.eight import Shop, Way

pytestmark: Final = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    """A shop whose model gives the samples."""
    with shop() as one:
        yield one


def feature_of(way: Way, one: Shop, **options: Any) -> Feature[..., FeatureResult[Any]]:
    """The feature, billed to the shop, with nothing kept."""
    return way.built.feature.options(addons=one.addons, business=BUSINESS, cache=False, **options)


def spent(one: Shop) -> Credits:
    """What the shop was charged so far."""
    return one.addons.wallet(BUSINESS).lifetime_used


async def both(feature: Feature[..., FeatureResult[Any]], way: Way, one: Shop) -> list[Any]:
    """A call and a batch of two on an event loop."""
    alone = await feature.aio(way.given, **way.options)
    bound = [feature.aio.bind(way.given, **way.options) for _ in range(2)]
    return [alone, *(item.result() for item in await one.addons.aio.batch(bound))]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_gives_the_same_result(way: Way, open_shop: Shop) -> None:
    """In a thread, on an event loop, alone and in a batch."""
    feature, before = feature_of(way, open_shop), spent(open_shop)
    first = feature(way.given, **way.options)
    batch = open_shop.addons.batch([feature.bind(way.given, **way.options) for _ in range(2)])
    others = [*(item.result() for item in batch), *anyio.run(both, feature, way, open_shop)]
    assert len(others) == 5
    assert [other.data for other in others] == [first.data] * 5
    assert {other.degraded_reason for other in others} == {None}
    # Identical calls of a batch are made once, and the others are its free repeats.
    assert spent(open_shop) - before <= Credits(BUILT_IN[way.built.key].credits.decimal * 6)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_quote_asks_nobody_and_names_the_price(way: Way, open_shop: Shop) -> None:
    """The price of the list, on either kind of host, and nothing is charged."""
    feature, before, asked = feature_of(way, open_shop), spent(open_shop), len(open_shop.llm.calls)

    async def quoted() -> Any:
        return await feature.aio.quote(way.given, **way.options)

    quotes = [feature.quote(way.given, **way.options), anyio.run(quoted)]
    assert [quote.price for quote in quotes] == [BUILT_IN[way.built.key].credits] * 2
    assert (spent(open_shop), len(open_shop.llm.calls)) == (before, asked)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_key_replays_the_first_result(way: Way, open_shop: Shop) -> None:
    """Asked and charged once, whichever way it comes again; another request under the key is refused."""
    feature, before = feature_of(way, open_shop, idempotency_key=f"key of {way}"), spent(open_shop)
    first = feature.billed(way.given, **way.options)
    asked = len(open_shop.llm.calls)

    async def again() -> Billed[Any]:
        return await feature.aio.billed(way.given, **way.options)

    replays = [feature.billed(way.given, **way.options), anyio.run(again)]
    assert [replay.value.data for replay in replays] == [first.value.data] * 2
    assert len(open_shop.llm.calls) == asked
    assert spent(open_shop) - before == first.receipt.charged == BUILT_IN[way.built.key].credits
    other = way.given.model_copy(update={"as_of": way.given.as_of.replace(year=2027)})  # type: ignore[attr-defined]  # every input has it
    with pytest.raises(IdempotencyConflict):
        feature(other, **way.options)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_repeat_is_free_and_the_same(way: Way, open_shop: Shop) -> None:
    """From the cache, within its time."""
    feature = way.built.feature.options(addons=open_shop.addons, business=BUSINESS)
    first = feature.billed(way.given, **way.options)
    before = spent(open_shop)
    again = feature.billed(way.given, **way.options)
    assert (again.value.data, again.receipt.charged, spent(open_shop)) == (first.value.data, Credits(0), before)


def test_inputs_cover_every_field() -> None:
    """Where one input cannot hold all fields there are several."""
    assert {way.built.key: len(inputs(way.built.key)) for way in WAYS if way.name == way.built.key} == {
        way.name: 2 if way.name == "customer_insight" else 1 for way in WAYS if way.name == way.built.key
    }
