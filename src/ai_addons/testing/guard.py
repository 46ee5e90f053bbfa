"""Keeps tests off the network, or just away from real models."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PROVIDER_HOSTS: Final = (
    "api.openai.com",
    "openai.azure.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "aiplatform.googleapis.com",
    "api.mistral.ai",
    "api.groq.com",
    "api.deepseek.com",
    "api.x.ai",
    "api.cohere.com",
    "api.together.xyz",
    "openrouter.ai",
)
"""Where models are asked; a subdomain counts as its host."""


class NetworkRefused(RuntimeError):
    """A test tried to reach the network. It is no OSError, so that nobody takes it for a bad line and tries again."""


@contextmanager
def no_network() -> Generator[list[str], None, None]:
    """Refuse every connection that leaves this machine, and looking up any name for one.

    Loopback addresses and Unix sockets stay open. Only this process is guarded,
    and only what goes through Python's `socket` module.

    Yields:
        The hosts refused so far.

    Raises:
        NetworkRefused: In whoever tries, naming the host and nothing else.
    """
    with _guarded(lambda host: not _is_local(host), connects=True) as refused:
        yield refused


@contextmanager
def no_real_models(*hosts: str) -> Generator[list[str], None, None]:
    """Refuse the hosts of model providers and leave the rest of the network alone.

    A proxy is bypassed for these hosts, so that a test cannot reach them through
    one. A model at an address of your own is not known here: name its host, or
    use `no_network`.

    Args:
        *hosts: More hosts to refuse.

    Yields:
        The hosts refused so far.

    Raises:
        NetworkRefused: In whoever tries, naming the host and nothing else.
    """
    refusable = (*PROVIDER_HOSTS, *hosts)
    with _without_proxy(refusable), _guarded(lambda host: _is_under(host, refusable), connects=False) as refused:
        yield refused


@contextmanager
def _guarded(refusable: Callable[[str], bool], *, connects: bool) -> Generator[list[str], None, None]:
    refused: list[str] = []

    def check(host: str) -> None:
        if refusable(host):
            refused.append(host)
            msg = f"tests must not reach {host}; answer it with ai_llm, ai_routes or Loopback, or mark the test ai_live"
            raise NetworkRefused(msg)

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(socket, "getaddrinfo", _checked_lookup(check)))
        for name in ("connect", "connect_ex") if connects else ():
            patches.enter_context(mock.patch.object(socket.socket, name, _checked_connect(name, check)))
        yield refused


def _checked_lookup(check: Callable[[str], None]) -> Callable[..., Any]:
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # the signature is the standard library's
        check(_as_text(host))
        return real(host, *args, **kwargs)

    return getaddrinfo


def _checked_connect(name: str, check: Callable[[str], None]) -> Callable[..., Any]:
    real = getattr(socket.socket, name)

    def connect(self: socket.socket, address: Any) -> Any:  # noqa: ANN401  # the signature is the standard library's
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(_as_text(address[0]))
        return real(self, address)

    return connect


@contextmanager
def _without_proxy(hosts: tuple[str, ...]) -> Generator[None, None, None]:
    """Add hosts to the variables that name exceptions from the proxy."""
    names = ("NO_PROXY", "no_proxy")
    listed = ",".join(dict.fromkeys([part for name in names if (part := os.environ.get(name))] + list(hosts)))
    with mock.patch.dict(os.environ, dict.fromkeys(names, listed)):
        yield


def _as_text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _is_local(host: str) -> bool:
    """Whether a name or address stays on this machine; an empty one means every own address."""
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_under(host: str, hosts: tuple[str, ...]) -> bool:
    plain = host.lower().rstrip(".")
    return any(plain == known or plain.endswith(f".{known}") for known in hosts)
