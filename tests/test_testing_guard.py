"""What is kept off the network while tests run."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from ai_addons.testing.guard import NetworkRefused, no_network, no_real_models

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.com", b"example.com"])
def test_no_network_refuses_what_leaves_the_machine(host: str | bytes) -> None:
    """A test that would reach the network fails at once, and the error names the host and nothing else."""
    name = host.decode() if isinstance(host, bytes) else host
    with no_network() as refused, pytest.raises(NetworkRefused, match=f"must not reach {name};"):
        socket.create_connection((host, 443), timeout=1)  # type: ignore[arg-type]  # reason: bytes are allowed, typeshed says str
    assert refused == [name]


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_no_network_refuses_bare_sockets(method: str) -> None:
    """Going below the usual functions is no way around."""
    with no_network(), socket.socket() as sock, pytest.raises(NetworkRefused):
        getattr(sock, method)(("192.0.2.1", 443))


def test_no_network_refuses_httpx() -> None:
    """The client that models are asked with is guarded as well."""
    with no_network() as refused, pytest.raises(NetworkRefused, match=r"api\.openai\.com"):
        httpx.post("https://api.openai.com/v1/chat/completions", json={}, trust_env=False)
    assert refused == ["api.openai.com"]


@pytest.mark.anyio
async def test_no_network_refuses_async_httpx() -> None:
    """An async client is guarded too."""
    with no_network(), pytest.raises(NetworkRefused):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get("https://api.anthropic.com")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "shop.localhost", "::1", "0.0.0.0", ""])  # noqa: S104  # nothing is bound
def test_no_network_leaves_this_machine_alone(host: str) -> None:
    """A test's own server is reachable."""
    with no_network() as refused:
        try:
            socket.create_connection((host, 9), timeout=1)
        except OSError as error:
            assert not isinstance(error, NetworkRefused)  # noqa: PT017  # refused by the machine, not by the guard
    assert refused == []


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Unix sockets are POSIX's")
def test_no_network_leaves_unix_sockets_alone(tmp_path: Path) -> None:
    """A local database socket is not the network."""
    with no_network(), socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))


def test_network_is_open_again_afterwards() -> None:
    """The guard leaves nothing behind, also after an error and when nested."""
    before = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex, dict(os.environ)
    with pytest.raises(LookupError), no_network(), no_real_models(), no_network():
        raise LookupError
    assert (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex, dict(os.environ)) == before


@pytest.mark.parametrize("host", ["api.openai.com", "shop.openai.azure.com", "API.Anthropic.com.", "models.shop.gh"])
def test_real_models_are_refused_by_name(host: str) -> None:
    """A test cannot spend money by accident, also not at an address that the host adds."""
    with no_real_models("models.shop.gh") as refused, pytest.raises(NetworkRefused):
        socket.create_connection((host, 443), timeout=1)
    assert refused == [host]


def test_real_models_are_refused_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy on this machine does not carry a model call out of it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.delenv("no_proxy", raising=False)
    with no_real_models(), pytest.raises(NetworkRefused, match=r"generativelanguage\.googleapis\.com"):
        httpx.post(
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash-lite:generateContent", json={}
        )
    with no_real_models():
        assert os.environ["NO_PROXY"].startswith("intranet,")


def test_rest_of_the_network_is_left_alone_by_the_models_guard() -> None:
    """A host's other tests may use the network; only model providers are refused."""
    with no_real_models() as refused:
        assert socket.getaddrinfo("localhost", 80)
        with socket.socket() as sock:
            assert sock.connect_ex(("127.0.0.1", 9)) != 0
    assert refused == []
