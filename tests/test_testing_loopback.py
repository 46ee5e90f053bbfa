"""A provider on 127.0.0.1: the same script over real sockets, with real waiting and breaking."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.llm.base import Message
from ai_addons.testing.loopback import Loopback
from ai_addons.testing.wire import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.testing.wire import Provider

PATHS = {
    "openai": "/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/models/gemini-2.5-flash-lite:generateContent",
}
REQUESTS: dict[str, dict[str, Any]] = {
    "openai": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
    "anthropic": {"model": "claude-haiku-5-5", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 5}},
}
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A running server."""
    with Loopback() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client that keeps its connections and ignores proxies."""
    with httpx.Client(trust_env=False, timeout=5) as made:
        yield made


def ask(client: httpx.Client, server: Loopback, provider: Provider, timeout: float = 5) -> httpx.Response:
    """Send this provider's request to the server."""
    url = server.api_base(provider) + PATHS[provider]
    return client.post(url, json=REQUESTS[provider], headers={"x-api-key": "sk-secret"}, timeout=timeout)


@every_provider
def test_request_is_answered_and_recorded(client: httpx.Client, server: Loopback, provider: Provider) -> None:
    """Every format is told apart by its path, answered, and recorded like on the routes."""
    server.answer(provider, {"title": "Milo"}, usage=(7, 3))
    response = ask(client, server, provider)
    assert response.status_code == 200
    assert json.dumps({"title": "Milo"}) in json.dumps(response.json()).replace("\\", "")
    (call,) = server.calls
    assert (call.provider, call.messages, call.max_tokens) == (provider, (Message("user", "Hi"),), 5)
    assert "sk-secret" not in str(call.headers)


@every_provider
@pytest.mark.anyio
async def test_async_request_is_answered(server: Loopback, provider: Provider) -> None:
    """An async client gets the same answer."""
    server.answer(provider, "Akwaaba")
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(server.api_base(provider) + PATHS[provider], json=REQUESTS[provider])
    assert "Akwaaba" in response.text


def test_connection_is_kept_alive(client: httpx.Client, server: Loopback) -> None:
    """Many requests go over one connection, as at a real provider."""
    server.answer("openai", "ok")
    streams = {
        ask(client, server, "openai").extensions["network_stream"].get_extra_info("client_addr") for _ in range(5)
    }
    assert len(streams) == 1
    assert len(server.calls) == 5


@every_provider
def test_failure_carries_status_wait_and_body(client: httpx.Client, server: Loopback, provider: Provider) -> None:
    """An overloaded provider says when to come back, in seconds or as a date."""
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    server.fail(provider, 429, retry_after=date)
    response = ask(client, server, provider)
    assert (response.status_code, response.headers["retry-after"]) == (429, date)
    assert "scripted failure" in response.text


def test_delay_is_waited_for(client: httpx.Client, server: Loopback) -> None:
    """A slow model takes its time."""
    server.answer("openai", "late", delay=0.3)
    started = time.monotonic()
    assert ask(client, server, "openai").status_code == 200
    assert time.monotonic() - started >= 0.29


def test_drip_outlives_a_timeout_per_read(client: httpx.Client, server: Loopback) -> None:
    """A body in pieces arrives whole although it takes longer than the client's read timeout."""
    server.answer("openai", "drop by drop", drip=0.1)
    started = time.monotonic()
    response = ask(client, server, "openai", timeout=0.3)
    assert "drop by drop" in response.text
    assert time.monotonic() - started > 0.4


@every_provider
def test_hang_ends_with_the_clients_patience(client: httpx.Client, server: Loopback, provider: Provider) -> None:
    """A provider that never answers is a read timeout, and the request was received."""
    server.hang(provider)
    with pytest.raises(httpx.ReadTimeout):
        ask(client, server, provider, timeout=0.2)
    assert len(server.calls) == 1


@every_provider
def test_drop_closes_before_a_byte(client: httpx.Client, server: Loopback, provider: Provider) -> None:
    """A connection that breaks is an error of the protocol; the next request is answered."""
    server.drop(provider)
    server.answer(provider, "ok")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, server, provider)
    assert ask(client, server, provider).status_code == 200


@every_provider
def test_cut_closes_in_the_middle_of_the_body(client: httpx.Client, server: Loopback, provider: Provider) -> None:
    """Status and headers arrive, then the connection breaks; the next request is answered."""
    server.cut(provider)
    server.answer(provider, "ok")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        ask(client, server, provider)
    assert ask(client, server, provider).status_code == 200


def test_unreadable_answers_go_out_as_they_are(client: httpx.Client, server: Loopback) -> None:
    """A web page, an empty object, half a body, a refusal, a cut: all of the script works over sockets."""
    server.html("openai")
    server.empty("openai")
    server.broken_json("openai")
    server.refuse("openai")
    server.truncate("openai", "12345678")
    server.missing_usage("openai", "x")
    page, empty, half, refused, cut, uncounted = (ask(client, server, "openai") for _ in range(6))
    assert page.headers["content-type"] == "text/html"
    assert empty.json() == {}
    with pytest.raises(json.JSONDecodeError):
        half.json()
    assert refused.json()["choices"][0]["finish_reason"] == "content_filter"
    assert cut.json()["choices"][0]["message"]["content"] == "1234"
    assert "usage" not in uncounted.json()


def test_unknown_path_is_not_found(client: httpx.Client, server: Loopback) -> None:
    """A wrong address is a 404 that names the path."""
    response = client.post(f"{server.url}/v2/complete?x=1", json={})
    assert (response.status_code, response.json()["error"]["message"]) == (404, "no provider answers at /v2/complete")
    assert client.get(server.url).status_code == 404


def test_many_requests_at_once_are_all_recorded(server: Loopback) -> None:
    """Twenty threads make twenty records and get twenty answers."""
    server.answer("openai", "ok", delay=0.05)
    statuses: list[int] = []

    def one() -> None:
        with httpx.Client(trust_env=False) as client:
            statuses.append(ask(client, server, "openai").status_code)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses, len(server.calls)) == ([200] * 20, 20)


def test_server_ends_with_its_block_also_while_hanging() -> None:
    """A hanging request does not keep the test run from ending, and the port is free again."""
    failures: list[Exception] = []

    def hang(server: Loopback) -> None:
        with httpx.Client(trust_env=False) as client:
            try:
                ask(client, server, "openai")
            except httpx.HTTPError as error:
                failures.append(error)

    with Loopback() as server:
        server.hang("openai")
        thread = threading.Thread(target=hang, args=(server,))
        thread.start()
        while not server.calls:
            time.sleep(0.01)
        address = server.url.rpartition(":")
    thread.join(5)
    assert [type(failure) for failure in failures] == [httpx.RemoteProtocolError]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address[2])), timeout=1)


def test_client_that_goes_away_harms_nobody(client: httpx.Client, server: Loopback) -> None:
    """Half a request, then silence: the next client is served."""
    server.answer("openai", "ok")
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
        sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 99\r\n\r\n{")
    assert ask(client, server, "openai").status_code == 200
