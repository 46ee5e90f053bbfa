"""OpenAI's SDK without its walk through what is sent and what comes back.

LiteLLM asks OpenAI through its SDK. That holds each message against every type a message may have, and makes objects
of the answer, which LiteLLM makes a dictionary of again: a quarter of what a bare call takes (docs/benchmarks.md). Our
requests are plain JSON, and LiteLLM wants the answer as plain JSON, so both go straight. All else stays LiteLLM's and
the SDK's: client, connections, addresses, proxies, time limits, and errors.

Where somebody has put something of his own in front of the SDK (tracing, say), or LiteLLM or the SDK are not as we know
them, calls go the ordinary way. So do streams, whose pieces the SDK reads.
"""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from ai_addons.llm.providers import split_route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

logger: Final = logging.getLogger("ai_addons")

_PATH: Final = "/chat/completions"
# What LiteLLM may give beside the body, and what the SDK calls it.
_OPTIONS: Final = {
    "timeout": "timeout",
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
}
_BEARER: Final = {"bearer_auth": True}
# What leads from a client to the method that LiteLLM calls.
_WAY: Final = ("chat", "completions", "with_raw_response")


class StraightClients:
    """Makes clients for calls to OpenAI.

    Args:
        library: LiteLLM.
    """

    def __init__(self, library: Any) -> None:  # noqa: ANN401  # untyped: its adapter loads it by name
        self._find: Callable[..., object] | None = None
        try:
            self._find = library.main.openai_chat_completions._get_openai_client  # noqa: SLF001  # it is how LiteLLM gets one
            self._response = importlib.import_module("httpx").Response
            completions = importlib.import_module("openai.resources.chat.completions")
            self._kinds = (completions.Completions, completions.AsyncCompletions)
            folder = Path(completions.__file__ or "").parent
            self._sdks = tuple(_own(kind, folder.parents[2]) for kind in self._kinds)
        except Exception as error:  # noqa: BLE001  # whatever another version of LiteLLM does, the call goes on
            self._give_up(error)

    def arguments(
        self, model: str, access: Callable[[], Mapping[str, object]], *, timeout: float, aio: bool
    ) -> dict[str, object]:
        """Key and address of one call, and a client for it if it goes to OpenAI.

        Args:
            model: Its route.
            access: Gives key and address.
            timeout: Seconds, as LiteLLM is told.
            aio: Whether the call is async; then an event loop runs.
        """
        if self._find is None or split_route(model)[0] != "openai" or _create(self._kinds[aio]) is not self._sdks[aio]:
            return {**access()}
        try:
            client = self._find(is_async=aio, timeout=timeout, max_retries=0, **access())
        except Exception as error:  # noqa: BLE001  # as above
            self._give_up(error)
            return {**access()}
        straight = _AsyncStraight if aio else _Straight
        return {**access(), "client": straight(client, self._response)}

    def _give_up(self, error: Exception) -> None:
        """Leave all further calls to the ordinary way. Only the kind of the error: its text may quote a prompt."""
        self._find = None
        logger.info("OpenAI is asked with all of its SDK, for it or LiteLLM is another: %s", type(error).__name__)


def _create(completions: type) -> object:
    return vars(completions).get("create", completions)


def _own(completions: type, folder: Path) -> object:
    """The method that is called, if it is the SDK's own: tracing tools put theirs in its place."""
    create = _create(completions)
    if isinstance(create, FunctionType) and folder in Path(create.__code__.co_filename).parents:
        return create
    return None


class _Answer:
    """An answer as LiteLLM reads one of the SDK's."""

    def __init__(self, response: httpx.Response) -> None:
        self.headers = response.headers
        self._response = response
        self._body: dict[str, Any] = {}

    def parse(self) -> object:
        """Itself; what is no JSON object, as it is, which LiteLLM refuses.

        Raises:
            ValueError: If it is no JSON.
        """
        body = self._response.json()
        if not isinstance(body, dict):
            return body
        self._body = body
        return self

    def model_dump(self) -> dict[str, Any]:
        """The JSON object."""
        return self._body


class _Straight:
    """In front of a client of the SDK's: what LiteLLM asks of it, but for the walk.

    Args:
        client: LiteLLM's.
        response: The type of what the SDK is to give back.
    """

    # LiteLLM sets retries and organization of the client itself, which others use too.
    def __init__(self, client: Any, response: type) -> None:  # noqa: ANN401
        self.__dict__.update(_client=client, _kind=response, **dict.fromkeys(_WAY, self))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name.startswith("__"):
            # Asked of a copy before it has anything.
            raise AttributeError(name)
        return getattr(self._client, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._client, name, value)

    def create(self, **request: object) -> object:
        """Send a request of chat completions."""
        return _Answer(self._client.post(_PATH, **_posted(request, self._kind)))


class _AsyncStraight(_Straight):
    """The same on an event loop."""

    async def create(self, **request: object) -> object:
        """Send a request of chat completions."""
        return _Answer(await self._client.post(_PATH, **_posted(request, self._kind)))


def _posted(request: dict[str, object], kind: type) -> dict[str, Any]:
    """The SDK's arguments for it. Taken out of the request: a crash reporter prints what frames of ours hold."""
    options = {name: request.pop(given) for given, name in _OPTIONS.items() if given in request}
    body = request.copy()
    request.clear()
    return {"body": body, "cast_to": kind, "options": {**options, "security": _BEARER}}
