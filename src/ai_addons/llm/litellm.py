"""Models through LiteLLM, used as a wire adapter and nothing else.

One call is one HTTP request: no router, no cache, no callbacks, no retries, no
budgets of LiteLLM's, and no log where nobody reads it (`quiet`). It is
imported at the first call or by `LiteLlm.warm_up`, because that takes seconds
and more than a hundred megabytes.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
import threading
from copy import copy
from math import floor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ai_addons.clock import SystemClock
from ai_addons.errors import ConfigError
from ai_addons.llm.base import ModelFailure
from ai_addons.llm.dialect import for_wire
from ai_addons.llm.drift import listed_price
from ai_addons.llm.failures import not_sent, read_failure, timed_out
from ai_addons.llm.providers import base_for, key_for, split_route
from ai_addons.llm.quiet import QuietLogs
from ai_addons.llm.replies import read_reply
from ai_addons.llm.straight import StraightClients
from ai_addons.llm.streamed import Incoming
from ai_addons.llm.thinking import thinking_arguments

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping

    from ai_addons.clock import Clock
    from ai_addons.llm.base import ModelReply, ModelRequest
    from ai_addons.llm.prices import ModelPrice
    from ai_addons.settings import ProviderSettings

logger: logging.Logger = logging.getLogger("ai_addons")

# Read by LiteLLM while it is imported: no price list from the network, no stray .env file.
_BEFORE_IMPORT: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",
}
# On the async path of these LiteLLM sends a request again after a lost connection; it may be billed twice then.
_SENT_AGAIN: Final = ("anthropic", "gemini")
# Always with exact counts: OpenAI gives none otherwise.
_STREAM: Final[Mapping[str, Any]] = MappingProxyType({"stream": True, "stream_options": {"include_usage": True}})
# Below WARNING these write prompts and headers; openai is what LiteLLM speaks to OpenAI with.
_LOGGERS: Final = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai")

# From so many seconds on, time limits are multiples of so many.
_GRID: Final = ((5.0, 0.5), (1.0, 0.125))


class _Library(Protocol):
    """What we use of LiteLLM."""

    suppress_debug_info: bool
    disable_aiohttp_transport: bool
    provider_list: list[str]
    model_cost: dict[str, dict[str, object]]

    def completion(self, **arguments: object) -> object: ...

    async def acompletion(self, **arguments: object) -> object: ...


class LiteLlm:
    """Asks any model that LiteLLM reaches (the `Llm` port).

    Args:
        providers: Keys and addresses by provider; the rest comes from the
            provider's usual variable and public address.
        environ: Where keys are looked up, by default the process's environment.
        clock: Tells the time to which a ``Retry-After`` date is compared.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderSettings] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._providers = dict(providers or {})
        self._environ = os.environ if environ is None else environ
        self._clock = clock or SystemClock()
        self._library: _Library | None = None
        self._logs: QuietLogs | None = None
        self._straight: StraightClients | None = None
        self._clients: dict[asyncio.AbstractEventLoop, tuple[object, AsyncGenerator[None]]] = {}
        self._shared: Any = None
        self._loading = threading.Lock()

    def listed_prices(self, models: Iterable[str]) -> dict[str, ModelPrice]:
        """What the price map that comes with LiteLLM says of these routes; it imports LiteLLM, and asks nobody."""
        listed = self._load().model_cost
        found = {model: listed.get(model) or listed.get(split_route(model)[1]) for model in models}
        return {model: listed_price(entry) for model, entry in found.items() if entry is not None}

    def warm_up(self) -> None:
        """Import LiteLLM now; in each worker process, after the fork and before traffic."""
        self._load()

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, blocking.

        The timeout counts between two pieces of the answer: a provider that sends
        it drop by drop can outlive the deadline here. The hold lives a minute
        longer, and a later answer is captured late. `acomplete` ends on time.

        Raises:
            ModelFailure: If there is no reply.
        """
        access = self._access(request)
        library = self._load()
        try:
            response = library.completion(**self._arguments_of(request, library, access))
        except ModelFailure:
            raise
        except Exception as error:
            raise read_failure(request.model, error, self._clock.now()) from error
        except BaseException as interruption:  # noqa: BLE001  # raised again at once
            raise _alone(interruption) from None
        return read_reply(request.model, response)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """Ask once; ends within ``request.timeout`` seconds and when cancelled.

        Raises:
            ModelFailure: If there is no reply.
        """
        access = self._access(request)
        # Loading holds the event loop up for seconds; in a thread at least other tasks get a turn.
        library = self._library if self._library is not None else await asyncio.to_thread(self._load)
        client = await self._client(request)
        limit = asyncio.timeout(request.timeout)
        try:
            async with limit:
                response = await library.acompletion(**self._arguments_of(request, library, access, aio=True), **client)
        except ModelFailure:
            raise
        except Exception as error:
            if limit.expired():
                raise timed_out() from error
            raise read_failure(request.model, error, self._clock.now()) from error
        except BaseException as interruption:  # noqa: BLE001  # raised again at once
            raise _alone(interruption) from None
        return read_reply(request.model, response)

    def stream(self, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
        """Ask once: the text in pieces, and the whole reply last; each wait may take ``request.timeout`` seconds.

        Raises:
            ModelFailure: If it breaks off, or never begins.
        """
        access = self._access(request)
        library = self._load()
        incoming = Incoming(request.model)
        try:
            incoming.wrapper = library.completion(
                **_arguments(request, library), **_STREAM, **access(), **self._stream_client(request, incoming)
            )
            for chunk in incoming.wrapper:
                yield incoming.take(chunk)
            reply = incoming.reply()
        except ModelFailure:
            raise
        except Exception as error:
            raise read_failure(request.model, error, self._clock.now()) from error
        except BaseException as interruption:  # noqa: BLE001  # raised again at once
            raise _alone(interruption) from None
        finally:
            incoming.close()
        yield reply

    async def astream(self, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
        """The same for async features; who waits for a piece says how long.

        Raises:
            ModelFailure: If it breaks off, or never begins.
        """
        access = self._access(request)
        library = self._library if self._library is not None else await asyncio.to_thread(self._load)
        client = await self._client(request)
        incoming = Incoming(request.model)
        if client:
            client["client"] = _kept_client(client["client"], incoming, request.timeout)
        try:
            incoming.wrapper = await library.acompletion(
                **_arguments(request, library), **_STREAM, **access(), **client
            )
            async for chunk in incoming.wrapper:
                yield incoming.take(chunk)
            reply = incoming.reply()
        except ModelFailure:
            raise
        except Exception as error:
            raise read_failure(request.model, error, self._clock.now()) from error
        except BaseException as interruption:  # noqa: BLE001  # raised again at once
            raise _alone(interruption) from None
        finally:
            await incoming.aclose()
        yield reply

    def _stream_client(self, request: ModelRequest, incoming: Incoming) -> dict[str, object]:
        """LiteLLM's sync client for one stream, on connections that all share; OpenAI's stream closes itself."""
        if split_route(request.model)[0] not in _SENT_AGAIN:
            return {}
        handler = importlib.import_module("litellm.llms.custom_httpx.http_handler").HTTPHandler
        with self._loading:
            if self._shared is None:
                self._shared = handler()
        client = handler(client=self._shared.client)
        client.post = incoming.keep(client.post, request.timeout)
        return {"client": client}

    def _access(self, request: ModelRequest) -> Callable[[], dict[str, object]]:
        """Key and address, checked before LiteLLM is even loaded: its own complaints look retryable.

        They come from a function, so that the key is in no frame of ours that a crash reporter may print. What an
        interruption passed in LiteLLM, where the key is in every frame, is cut off.
        """
        provider = split_route(request.model)[0]
        settings = self._providers.get(provider)
        try:
            key = key_for(provider, settings, self._environ)
        except ConfigError as error:
            raise not_sent(error, "provider_key_missing") from None
        try:
            base = base_for(request.model, settings)
        except ConfigError as error:
            raise not_sent(error, "provider_address_invalid") from None
        return lambda: {name: value for name, value in (("api_key", key), ("api_base", base)) if value is not None}

    async def _client(self, request: ModelRequest) -> dict[str, object]:
        """The running loop's own client, where LiteLLM's would send a request twice."""
        if split_route(request.model)[0] not in _SENT_AGAIN:
            return {}
        loop = asyncio.get_running_loop()
        with self._loading:
            self._clients = {known: client for known, client in self._clients.items() if not known.is_closed()}
        if loop not in self._clients:
            client = _one_request_client()
            closer = _close_with_loop(client)
            await anext(closer)
            self._clients[loop] = (client, closer)
        return {"client": self._clients[loop][0]}

    def _arguments_of(
        self, request: ModelRequest, library: _Library, access: Callable[[], dict[str, object]], *, aio: bool = False
    ) -> dict[str, Any]:
        """Everything of one call. OpenAI is asked straight, and LiteLLM logs nothing where nobody wants to hear of it.

        In no frame that an error passes these have a name: a crash reporter would print the prompt.
        """
        logs = self._logs = self._logs or QuietLogs(library)
        clients = self._straight = self._straight or StraightClients(library)
        arguments = _arguments(request, library)
        return (
            arguments
            | logs.arguments(request.model, arguments["messages"], "acompletion" if aio else "completion")
            | clients.arguments(request.model, access, timeout=arguments["timeout"], aio=aio)
        )

    def _load(self) -> _Library:
        with self._loading:
            if self._library is None:
                self._library = _import()
            return self._library


def _import() -> _Library:
    """Import LiteLLM so that it stays off the network and httpx carries every request."""
    loaded = sys.modules.get("litellm")
    ours = getattr(loaded, "disable_aiohttp_transport", False)
    if loaded is not None and not ours and any(name not in os.environ for name in _BEFORE_IMPORT):
        logger.warning("litellm was imported before ai_addons could keep its import off the network")
    for name, value in _BEFORE_IMPORT.items():
        os.environ.setdefault(name, value)
    # By name: with a plain import, type checkers would read all of LiteLLM for three attributes.
    library = cast("_Library", importlib.import_module("litellm"))
    library.suppress_debug_info = True
    library.disable_aiohttp_transport = True
    for name in _LOGGERS:
        quiet = logging.getLogger(name)
        quiet.setLevel(max(quiet.level, logging.WARNING))
        quiet.addFilter(_worth_telling)
    return library


def _alone(interruption: BaseException) -> BaseException:
    """A cancellation or Ctrl-C without LiteLLM's frames, whose locals hold the key."""
    interruption.__context__ = None
    return interruption.with_traceback(None)


def _worth_telling(record: logging.LogRecord) -> bool:
    """Not that loops come and go: LiteLLM says so at each call of a host that runs one loop a call."""
    return "event loop changed" not in record.getMessage()


def _kept_client(client: object, incoming: Incoming, seconds: float) -> object:
    """The same client for one stream, whose response is kept; its connections stay the loop's."""
    kept: Any = copy(client)
    # Or the copy would close them when it is dropped; this is how LiteLLM itself marks a client that was given.
    kept.client = kept.client
    kept.post = incoming.keep_async(kept.post, seconds)
    return kept


def _one_request_client() -> object:
    """LiteLLM's async client, made to send a request once."""
    handlers = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    kind = type("OneRequestClient", (handlers.AsyncHTTPHandler,), {"single_connection_post_request": _not_again})
    return kind()


async def _close_with_loop(client: Any) -> AsyncGenerator[None]:  # noqa: ANN401  # LiteLLM's client
    """Close a client when its event loop ends: every runner then finishes the generators that still wait."""
    try:
        yield
    finally:
        await client.client.aclose()


async def _not_again(*_: object, **__: object) -> None:
    """Stand in for the second request: raise what ended the first, which is being handled right now."""
    raise cast("BaseException", sys.exc_info()[1])


def _arguments(request: ModelRequest, library: _Library) -> dict[str, Any]:
    """Everything of one call but key and address.

    Raises:
        ModelFailure: If LiteLLM knows no such provider.
    """
    provider = split_route(request.model)[0]
    if provider not in library.provider_list:
        msg = (
            f"No AI provider called {provider!r} is known (model {request.model!r}). The model was not asked and "
            "nothing was charged. Correct the model's name in the settings."
        )
        raise not_sent(ConfigError(msg), "model_unknown")
    fixed: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens": request.max_tokens,
        "timeout": _on_a_grid(request.timeout),
        # Retries belong to us: LiteLLM's own multiply requests and ignore the deadline.
        "max_retries": 0,
        # An argument that does not fit must fail: a dropped "thinking off" is a dearer call.
        "drop_params": False,
    }
    return fixed | thinking_arguments(request.model, request.thinking) | _format(request)


def _on_a_grid(seconds: float) -> float:
    """A time limit, made a little shorter so that few different ones occur.

    LiteLLM makes and keeps a client of its own for every time limit it meets, and what is left of a
    deadline is never the same twice.
    """
    step = next((step for least, step in _GRID if seconds >= least), 0.0)
    return floor(seconds / step) * step if step else seconds


def _format(request: ModelRequest) -> dict[str, Any]:
    if request.schema is None:
        return {}
    answer = {"name": "answer", "strict": True, "schema": for_wire(request.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": answer}}
