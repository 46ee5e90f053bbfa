"""A provider on 127.0.0.1: real sockets, real delays, real broken connections."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from ai_addons.testing.script import Script

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from ai_addons.testing.script import Act
    from ai_addons.testing.wire import Provider, WireReply

_BASE_PATHS: Final[Mapping[Provider, str]] = {"openai": "/v1", "anthropic": "", "gemini": ""}
_PIECES: Final = 5
_START_SECONDS: Final = 10.0
_FOR_EVER: Final = 86_400.0


class Loopback(Script):
    """An HTTP server in a thread that speaks all three formats, told apart by path.

    Use it as a context manager::

        with Loopback() as server:
            server.answer("anthropic", "Akwaaba", delay=0.2)
            settings = {"providers": {"anthropic": {"api_key": "…", "api_base": server.api_base("anthropic")}}}

    Connections are kept alive. Leaving the block cuts off what still hangs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._port = 0
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Start serving."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._port = listener.getsockname()[1]
        serving: Future[Callable[[], object]] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(listener, serving)), name="ai-loopback")
        thread.start()
        self._exit.callback(thread.join)
        self._exit.callback(serving.result(_START_SECONDS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait until every connection is closed."""
        self._exit.close()

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self._port}"

    def api_base(self, provider: Provider) -> str:
        """What to set as this provider's ``api_base``."""
        return self.url + _BASE_PATHS[provider]

    async def _serve(self, listener: socket.socket, serving: Future[Callable[[], object]]) -> None:
        stopping = asyncio.Event()
        server = await asyncio.start_server(self._connection, sock=listener)
        serving.set_result(partial(asyncio.get_running_loop().call_soon_threadsafe, stopping.set))
        await stopping.wait()
        # asyncio.run cancels the connections that are left.
        server.close()

    async def _connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            # A client that goes away, or a server that stops, ends the connection and nothing else.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            writer.close()
            # The socket is closed in the loop's next turn, and this may be its last.
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: StreamReader, writer: StreamWriter) -> bool:
        """One request and its answer; False if the connection ends here."""
        path, headers, body = await _read_request(reader)
        act = self.receive(path, headers, body)
        await asyncio.sleep(act.delay)
        if act.outcome == "drop":
            return False
        if act.outcome == "hang":
            # A timer of the loop keeps the task alive; one that waits for nobody would be collected.
            await asyncio.sleep(_FOR_EVER)
            return False
        for piece in _pieces(act, act.outcome):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(act.drip)
        if act.end == "hang":
            await asyncio.sleep(_FOR_EVER)
        return act.end is None and not act.cut


async def _read_request(reader: StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Path, headers in lower case, and body of one request (RFC 9112)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return request.split(" ")[1].partition("?")[0], headers, body


def _pieces(act: Act, reply: WireReply) -> list[bytes]:
    """The answer as it is written: in one go, or the head and then the body in pieces."""
    if reply.events is not None:
        return [
            _head(reply, "transfer-encoding: chunked"),
            *map(_chunk, reply.events),
            *([] if act.end else [_chunk(b"")]),
        ]
    head = _head(reply, f"content-length: {len(reply.body)}")
    if act.cut:
        return [head + reply.body[: len(reply.body) // 2]]
    if not act.drip:
        return [head + reply.body]
    size = max(1, len(reply.body) // _PIECES)
    return [head, *(reply.body[start : start + size] for start in range(0, len(reply.body), size))]


def _head(reply: WireReply, length: str) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} Scripted",
        length,
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _chunk(data: bytes) -> bytes:
    """One chunk of a body of unknown length (RFC 9112 section 7.1); an empty one ends it."""
    return b"%x\r\n%s\r\n" % (len(data), data)
