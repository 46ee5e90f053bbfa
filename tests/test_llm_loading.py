from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.errors import ProviderTimeout
from ai_addons.llm.base import ModelFailure, Verdict
from ai_addons.llm.litellm import LiteLlm
from tests.llm_wire import HOSTS, KEYS, ROUTES, answer, request, serve

if TYPE_CHECKING:
    import respx


async def _slow(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(30)
    raise AssertionError


@pytest.mark.anyio
@pytest.mark.parametrize("provider", HOSTS)
async def test_an_async_call_ends_on_time(router: respx.MockRouter, provider: str) -> None:
    """A provider that hangs is left after the attempt's time, and may have billed it."""
    serve(router, provider, httpx.Response(200, json=answer(provider)))
    llm = LiteLlm(KEYS, {})
    # The first call loads more of LiteLLM, on a busy machine for longer than a call may take; and LiteLLM leaves a
    # coroutine behind when it is stopped before it sends.
    await llm.acomplete(request(ROUTES[provider], timeout=60.0))
    router.route(host=HOSTS[provider]).mock(side_effect=_slow)
    started = asyncio.get_running_loop().time()

    with pytest.raises(ModelFailure) as caught:
        await llm.acomplete(request(ROUTES[provider], timeout=1.0))

    assert isinstance(caught.value.error, ProviderTimeout)
    assert caught.value.verdict is Verdict.MAYBE_BILLED
    assert asyncio.get_running_loop().time() - started < 10


@pytest.mark.anyio
@pytest.mark.parametrize("provider", HOSTS)
async def test_a_cancelled_call_stays_cancelled(router: respx.MockRouter, provider: str) -> None:
    """Cancelling the task ends the call as a cancellation, not as a provider's failure."""
    started = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        started.set()
        await asyncio.sleep(30)
        raise AssertionError

    router.route(host=HOSTS[provider]).mock(side_effect=hang)
    task = asyncio.create_task(LiteLlm(KEYS, {}).acomplete(request(ROUTES[provider], timeout=20)))
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
def test_an_event_loop_that_ends_leaves_no_connection_open(
    router: respx.MockRouter, caplog: pytest.LogCaptureFixture, provider: str
) -> None:
    """Hosts that run one event loop a call do not run out of open files, and read no warning each time."""
    serve(router, provider, httpx.Response(200, json=answer(provider)))
    llm = LiteLlm(KEYS, {})

    async def twice() -> list[bool]:
        await llm.acomplete(request(ROUTES[provider]))
        await llm.acomplete(request(ROUTES[provider]))
        return open_clients()

    def open_clients() -> list[bool]:
        clients: list[Any] = [client for client, _ in llm._clients.values()]
        return [not client._client.is_closed for client in clients]

    assert asyncio.run(twice()) == [True]
    assert open_clients() == [False]
    assert asyncio.run(twice()) == [True]
    assert not [record for record in caplog.records if "event loop" in record.getMessage()]


_FRESH = """
import logging, os, socket, sys
class Opened(Exception): ...
def refuse(*_): raise Opened
socket.socket.connect = refuse
socket.getaddrinfo = refuse
heard = []
class Ear(logging.Handler):
    def emit(self, record): heard.append(record.getMessage())
logging.getLogger("ai_addons").addHandler(Ear())
from ai_addons.llm import litellm as adapter, retry
assert not {"tenacity", "httpx", "litellm"} & set(sys.modules)
adapter.LiteLlm().warm_up()
adapter.LiteLlm().warm_up()
import litellm
from importlib.metadata import version
print(version("litellm"), litellm.disable_aiohttp_transport, litellm.suppress_debug_info,
      os.environ["LITELLM_MODE"], logging.getLogger("LiteLLM").level >= logging.WARNING, len(heard))
"""


@pytest.mark.timeout(300)
def test_litellm_is_loaded_late_and_stays_off_the_network() -> None:
    """Importing the package loads no LiteLLM; loading it opens no connection."""
    env = {"PATH": "/usr/bin:/bin", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    done = subprocess.run([sys.executable, "-c", _FRESH], capture_output=True, text=True, env=env, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [version("litellm"), "True", "True", "PRODUCTION", "True", "0"]


def test_a_host_that_loaded_litellm_first_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its import may have used the network; what we can still set is set all the same."""
    early: Any = ModuleType("litellm")
    monkeypatch.setitem(sys.modules, "litellm", early)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "LITELLM_MODE"):
        os.environ.pop(name, None)

    LiteLlm().warm_up()
    del os.environ["LITELLM_MODE"]
    LiteLlm().warm_up()

    told = [record.getMessage() for record in caplog.records if record.name.startswith("ai_addons")]
    assert told == ["litellm was imported before ai_addons could keep its import off the network"]
    assert (early.disable_aiohttp_transport, early.suppress_debug_info) == (True, True)
    assert os.environ["LITELLM_MODE"] == "PRODUCTION"
    assert logging.getLogger("LiteLLM").level >= logging.WARNING


def test_the_installed_litellm_runs_nothing_at_interpreter_start() -> None:
    """The malicious releases of March 2026 carried a .pth file; ours must not."""
    from importlib.metadata import files  # noqa: PLC0415  # used here only

    assert not [path for path in files("litellm") or () if path.suffix == ".pth"]
