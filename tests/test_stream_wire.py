"""Streams on the wire: three formats, exact usage, every way to break, and no connection left open."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, Final

import pytest

from ai_addons import AddOns, Prompt, billed_feature
from ai_addons.llm.base import ModelFailure, ModelReply, Usage, Verdict
from ai_addons.llm.litellm import LiteLlm
from ai_addons.money import Credits
from ai_addons.scope import Payer
from ai_addons.settings import ProviderSettings
from ai_addons.testing.loopback import Loopback
from ai_addons.testing.routes import ModelRoutes
from ai_addons.testing.wire import PROVIDERS, Provider
from tests.llm_wire import ROUTES, request
from tests.sizes import FULL

BOTH = pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
EACH = pytest.mark.parametrize("provider", PROVIDERS)
OPEN = Path("/proc/self/fd")
PIECES = ("Fresh", " rice", " today", " and", " tomorrow")


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    """A provider on the loopback."""
    with Loopback() as running:
        yield running


def adapter(server: Loopback | None = None) -> LiteLlm:
    """An adapter that asks the loopback, or the real addresses that routes answer."""
    bases: dict[str, Any] = {} if server is None else {name: server.api_base(name) for name in PROVIDERS}
    settings: dict[str, ProviderSettings] = {
        name: ProviderSettings.model_validate(
            {"api_key": f"key-of-{name}"} | ({"api_base": bases[name]} if bases else {})
        )
        for name in PROVIDERS
    }
    return LiteLlm(settings, {})


def hear(
    llm: LiteLlm, provider: str, *, aio: bool, most: int | None = None, timeout: float = 5.0
) -> tuple[str, ModelReply | ModelFailure | None]:
    """All text of a stream, up to so many pieces, and how it ended."""
    asked, texts, ends = request(ROUTES[provider], timeout=timeout), list[str](), list[ModelReply]()

    def enough(item: str | ModelReply) -> bool:
        if isinstance(item, ModelReply):
            ends.append(item)
        elif item:
            texts.append(item)
        return len(texts) == most

    async def listening() -> None:
        async with aclosing(llm.astream(asked)) as items, asyncio.timeout(timeout * 3):
            async for item in items:
                if enough(item):
                    break

    try:
        if aio:
            asyncio.run(listening())
        else:
            with closing(llm.stream(asked)) as items:
                any(map(enough, items))
    except ModelFailure as failure:
        return "".join(texts), failure
    return "".join(texts), next(iter(ends), None)


@BOTH
@EACH
def test_a_whole_stream_has_exact_usage(provider: Provider, ai_routes: ModelRoutes, *, aio: bool) -> None:
    """As the provider counts it, cached tokens apart; the request asks for it and for a stream."""
    ai_routes.answer(provider, "Fresh rice today", usage=(1000, 500), cached=800)
    text, reply = hear(adapter(), provider, aio=aio)
    assert isinstance(reply, ModelReply)
    assert (text, reply.text, reply.finish) == ("Fresh rice today", "Fresh rice today", "stop")
    assert reply.usage == Usage(input=200, cached=800, output=500)
    (call,) = ai_routes.calls
    assert (call.streams, call.max_tokens) == (True, 300)
    if provider == "openai":
        assert call.json["stream_options"] == {"include_usage": True}


@BOTH
@EACH
def test_missing_counts_are_not_guessed(provider: Provider, ai_routes: ModelRoutes, *, aio: bool) -> None:
    """LiteLLM would invent some; the answer stays, unpriced."""
    ai_routes.missing_usage(provider, "Fresh rice today")
    text, reply = hear(adapter(), provider, aio=aio)
    assert isinstance(reply, ModelReply)
    assert (text, reply.usage) == ("Fresh rice today", None)


@BOTH
@EACH
def test_a_stream_that_is_cut_or_refused_says_so(provider: Provider, ai_routes: ModelRoutes, *, aio: bool) -> None:
    """At the output cap, or by a filter: told apart from a whole answer, with its usage."""
    ai_routes.truncate(provider, "Fresh rice today, fresh rice")
    ai_routes.refuse(provider)
    text, reply = hear(adapter(), provider, aio=aio)
    assert isinstance(reply, ModelReply)
    assert (text, reply.finish, reply.usage) == ("Fresh rice tod", "length", Usage(input=100, output=50))
    text, reply = hear(adapter(), provider, aio=aio)
    assert isinstance(reply, ModelReply)
    assert (text, reply.text, reply.finish) == ("", None, "blocked")


@BOTH
@EACH
@pytest.mark.parametrize(
    ("how", "code"), [("cut", "provider_unavailable"), ("error", "provider_unavailable"), ("garbage", "bad_output")]
)
def test_a_stream_that_breaks_is_no_answer(
    how: Any, code: str, provider: Provider, ai_routes: ModelRoutes, *, aio: bool
) -> None:
    """A body that ends early as if it were whole, an error event, a line that is no JSON: maybe billed."""
    ai_routes.break_off(provider, PIECES, after=3, how=how)
    text, failure = hear(adapter(), provider, aio=aio)
    assert isinstance(failure, ModelFailure)
    assert "Fresh rice today".startswith(text)
    assert (failure.error.code, failure.verdict) == (code, Verdict.MAYBE_BILLED)
    assert "scripted failure" not in str(failure.error)


@BOTH
@EACH
def test_a_connection_that_is_lost_is_no_answer(provider: Provider, server: Loopback, *, aio: bool) -> None:
    """Before the headers, or in mid-stream."""
    server.drop(provider)
    server.break_off(provider, PIECES, after=2, how="drop")
    for _ in range(2):
        text, failure = hear(adapter(server), provider, aio=aio)
        assert isinstance(failure, ModelFailure)
        assert "Fresh rice".startswith(text)
        assert (failure.error.code, failure.verdict) == ("provider_unavailable", Verdict.MAYBE_BILLED)


@EACH
def test_silence_in_mid_stream_is_a_timeout(provider: Provider, server: Loopback) -> None:
    """Each read has its limit, with Gemini too, where LiteLLM forgets it."""
    server.break_off(provider, PIECES, after=3, how="hang")
    text, failure = hear(adapter(server), provider, aio=False, timeout=0.5)
    assert isinstance(failure, ModelFailure)
    assert "Fresh rice today".startswith(text)
    assert failure.error.code == "provider_timeout"


@BOTH
@EACH
def test_pieces_come_as_they_are_sent(provider: Provider, server: Loopback, *, aio: bool) -> None:
    """A stream that drips is read whole."""
    server.answer(provider, "".join(PIECES), drip=0.01)
    text, reply = hear(adapter(server), provider, aio=aio)
    assert isinstance(reply, ModelReply)
    assert text == "".join(PIECES)


@EACH
def test_an_error_status_is_read_as_in_a_call(provider: Provider, ai_routes: ModelRoutes) -> None:
    """Before the stream begins nothing is different: 429 was answered, and may be asked again."""
    ai_routes.fail(provider, 429, retry_after=2)
    _, failure = hear(adapter(), provider, aio=False)
    assert isinstance(failure, ModelFailure)
    assert (failure.verdict, failure.retry, failure.error.code) == (Verdict.ANSWERED, True, "provider_unavailable")


@BOTH
def test_a_missing_key_is_found_before_anything_is_loaded(*, aio: bool) -> None:
    """As in a call."""
    _, failure = hear(LiteLlm({}, {}), "openai", aio=aio)
    assert isinstance(failure, ModelFailure)
    assert failure.verdict is Verdict.NEVER_SENT


@EACH
def test_ctrl_c_in_mid_stream_holds_no_key(provider: Provider, ai_routes: ModelRoutes) -> None:
    """It comes out alone, without LiteLLM's frames."""
    ai_routes.answer(provider, "Fresh rice today")
    items = adapter().stream(request(ROUTES[provider]))
    next(items)
    with pytest.raises(KeyboardInterrupt) as caught:
        items.throw(KeyboardInterrupt)
    assert caught.value.__context__ is None


MANY: Final = 100 if FULL else 25


def open_files() -> int:
    """How many files and sockets this process has open."""
    gc.collect()
    return len(list(OPEN.iterdir()))


@pytest.mark.skipif(not OPEN.is_dir(), reason="counts open files where Linux lists them")
@EACH
def test_abandoned_streams_leave_no_connection_open(provider: Provider, server: Loopback) -> None:
    """Fifty of them (in the full size two hundred), half sync and half async on one loop, each left after a word."""
    server.answer(provider, "".join(PIECES * 20))
    llm = adapter(server)

    async def many(count: int) -> int:
        for _ in range(count):
            async with aclosing(llm.astream(request(ROUTES[provider]))) as items:
                async for item in items:
                    if item:
                        break
        await asyncio.sleep(0.05)
        return open_files()

    async def both() -> tuple[int, int]:
        return await many(5), await many(MANY)

    def sync(count: int) -> int:
        for _ in range(count):
            hear(llm, provider, aio=False, most=1)
        return open_files()

    first, last = sync(5), sync(MANY)
    assert last <= first + 4
    first, last = asyncio.run(both())
    assert last <= first + 4


@billed_feature("wired", credits=5)
def wired(topic: str) -> Prompt:
    """Write a few words."""
    return Prompt(user=f"Write about {topic}.")


@BOTH
def test_a_feature_streams_over_the_wire(
    ai_addons: AddOns, ai_payer: Payer, ai_routes: ModelRoutes, *, aio: bool
) -> None:
    """From a mid-stream break to a whole answer: void first, then charged with its exact cost."""
    ai_routes.break_off("openai", PIECES, after=3, how="error")
    ai_routes.answer("openai", "Fresh rice today", usage=(1000, 500), cached=800)

    async def all_of_it() -> str:
        return "".join([piece async for piece in wired.aio.stream("rice")])

    def read() -> str:
        return asyncio.run(all_of_it()) if aio else "".join(wired.stream("rice"))

    with pytest.raises(Exception, match="temporarily unavailable"):
        read()
    assert ai_addons.wallet(ai_payer.business).posted == Credits(1_000)
    assert read() == "Fresh rice today"
    (row,) = [row for row in ai_addons.transactions(ai_payer.business) if row.outcome == "ok"]
    assert (row.charged, row.cost) == (Credits(5), 200 * 100_000 + 800 * 10_000 + 500 * 500_000)
