"""Streams that end in odd ways: with their process, and before a model that is left alone."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest

from ai_addons import AddOns, ProviderUnavailable, bill_to
from ai_addons.events import CircuitClosed, CircuitOpened
from ai_addons.llm.base import ModelFailure, ModelReply, ModelRequest, Usage, Verdict
from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, ManualClock
from ai_addons.testing.kit import kit_settings
from tests import stream_child
from tests.batch_child import BUSINESS, opened
from tests.books import new_url
from tests.features import slogan
from tests.processes import Child
from tests.stream_child import KEY
from tests.test_stream import aread, sread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LUNA, HAIKU = "openai/gpt-6-luna", "anthropic/claude-haiku-5-5"
WAIT: Final = ModelFailure(ProviderUnavailable(), Verdict.ANSWERED, retry=True, retry_after=30)


@pytest.mark.usefixtures("each_database")
def test_a_killed_reader_pays_nothing_and_may_read_again(tmp_path: Path) -> None:
    """The hold of a process that died between two pieces expires; under its key the stream is then paid once."""
    url, clock, llm = new_url(tmp_path), ManualClock(), FakeLlm()
    addons = opened(url, llm, clock)
    addons.grant(BUSINESS, 100, source="adjustment", ref="start")
    with Child(stream_child.main, url) as child:
        assert [child.stdout.readline() for _ in range(2)] == ["read\n"] * 2
        child.kill()
    assert addons.wallet(BUSINESS).held == Credits(5)

    clock.advance(3_600)
    addons.sweep()

    wallet = addons.wallet(BUSINESS)
    assert (wallet.posted, wallet.held) == (Credits(100), Credits(0))
    llm.reply(slogan, "Buy again")
    paid = slogan.options(business=BUSINESS, addons=addons, idempotency_key=KEY)
    assert ["".join(paid.stream(1)) for _ in range(2)] == ["Buy again"] * 2
    assert addons.wallet(BUSINESS).posted == Credits(95)
    assert addons.doctor().ok
    addons.close()


class Shop:
    """A shop with two models, its clock, and what its hooks heard."""

    def __init__(self) -> None:
        self.clock, self.llm, self.events = ManualClock(), FakeLlm(), list[Any]()
        settings = kit_settings(models={"small": [LUNA, HAIKU]}, cache={"backend": "off"})
        self.addons = AddOns(settings, llm=self.llm, clock=self.clock, hooks=[self.events.append])
        self.addons.grant(BUSINESS, 100, source="purchase", ref="order-1")

    @property
    def circuits(self) -> list[type]:
        """What was told of circuits, in order."""
        return [type(event) for event in self.events if isinstance(event, (CircuitOpened, CircuitClosed))]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that is open."""
    made = Shop()
    with closing(made.addons), made.addons, bill_to(BUSINESS):
        yield made


@pytest.fixture(params=["sync", "async"])
def listen(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Read a stream the sync or the async way, and stop after so many pieces."""

    def listening(most: int | None = None) -> Any:
        if request.param == "sync":
            return sread(slogan, 1, most=most)

        async def reading() -> Any:
            return await aread(slogan, 1, most=most)

        return anyio.run(reading)

    return listening


def test_a_stream_goes_past_a_model_that_asked_to_wait(shop: Shop, listen: Callable[..., Any]) -> None:
    """The first stream falls back; the next one asks the other model at once; a whole answer closes the circuit."""
    failing = [True]

    def fail() -> None:
        if failing[0] and shop.llm.calls[-1].model == LUNA:
            raise WAIT

    shop.llm.before_answer(fail)
    shop.llm.reply(slogan, "Buy more rice")
    assert listen().receipt.model == HAIKU
    assert listen().receipt.model == HAIKU
    assert [call.model for call in shop.llm.calls] == [LUNA, HAIKU, HAIKU]
    failing[0] = False
    shop.clock.advance(30)
    assert listen().receipt.model == LUNA
    assert shop.circuits == [CircuitOpened, CircuitClosed]


def test_a_stream_that_breaks_off_speaks_against_its_model(shop: Shop, listen: Callable[..., Any]) -> None:
    """Five broken streams in a row open the circuit; the sixth goes to the next model."""
    shop.llm.reply_pieces(slogan, ["Buy more ", "rice"]).break_after(1)
    for _ in range(5):
        assert isinstance(listen().error, ProviderUnavailable)
    shop.llm.reply(slogan, "Buy more rice")
    listen()
    assert listen().receipt.model == HAIKU
    assert shop.circuits == [CircuitOpened]


def test_a_reader_who_stops_says_nothing_of_the_model(shop: Shop, listen: Callable[..., Any]) -> None:
    """The one stream let through after the pause is left early; the next one may try the model again."""
    failing = [True]

    def fail() -> None:
        if failing[0] and shop.llm.calls[-1].model == LUNA:
            raise WAIT

    shop.llm.before_answer(fail)
    shop.llm.reply(slogan, "Buy more rice")
    listen()
    failing[0] = False
    shop.clock.advance(30)
    stopped = listen(1)
    assert (stopped.receipt.model, stopped.receipt.source) == (LUNA, "ai")
    assert shop.circuits == [CircuitOpened]
    assert listen().receipt.model == LUNA
    assert shop.circuits == [CircuitOpened, CircuitClosed]


@pytest.mark.anyio
async def test_a_reader_who_is_cancelled_before_the_first_word_pays_nothing(shop: Shop) -> None:
    """The model had said nothing: the hold is void, and the model is not blamed."""
    shop.llm.reply_pieces(slogan, ["Buy more"]).hang_after(0)
    asked = anyio.Event()
    shop.llm.before_piece(asked.set)

    async def reading() -> None:
        await aread(slogan, 1, most=None)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reading)
        await asked.wait()
        tasks.cancel_scope.cancel()

    wallet = shop.addons.wallet(BUSINESS)
    assert (wallet.posted, wallet.held, shop.circuits) == (Credits(100), Credits(0), [])


class Whole:
    """A model that cannot stream, as a recording is."""

    def complete(self, request: ModelRequest) -> ModelReply:
        """All at once."""
        return ModelReply(text="Buy more rice", finish="stop", model=request.model, usage=Usage(input=9, output=3))

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same."""
        return self.complete(request)


def test_a_model_that_cannot_stream_is_read_all_the_same(listen: Callable[..., Any]) -> None:
    """A cassette, or any other adapter without streams, stands behind the scripted model."""
    addons = AddOns(kit_settings(), llm=FakeLlm(behind=Whole()), environ={})
    with closing(addons), addons, bill_to(BUSINESS):
        addons.grant(BUSINESS, 10, source="adjustment", ref="start")
        got = listen()
    assert (got.text, got.receipt.charged) == ("Buy more rice", Credits(5))
