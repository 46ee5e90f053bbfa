"""What LiteLLM leaves behind does not reach the next test."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING

import pytest

from ai_addons.testing.loops import own_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

SUITE = """
import pytest
from ai_addons import Prompt, billed_feature

@billed_feature("tagline", credits=2, cache=None)
def tagline(shop: str) -> Prompt:
    return Prompt(user=f"A tagline for {shop}")

@pytest.mark.parametrize("wire", ["ai_routes", "ai_loopback"])
def test_sync(wire, request, ai_routes, ai_payer):
    ai_routes.answer("openai", "Fresh")
    assert tagline("Nyonkopa") == "Fresh"

@pytest.mark.anyio
async def test_async(ai_loopback, ai_payer):
    ai_loopback.answer("openai", "Fresh")
    assert await tagline.aio("Nyonkopa") == "Fresh"

def test_loopback(ai_loopback, ai_payer):
    ai_loopback.answer("openai", "Fresh")
    assert tagline("Nyonkopa") == "Fresh"
"""


@pytest.fixture
def _no_loop() -> Iterator[None]:
    """A thread without a loop, before and after."""
    asyncio.set_event_loop(None)
    yield
    asyncio.set_event_loop(None)


@pytest.mark.timeout(300)
def test_a_run_that_turns_warnings_into_errors_ends_well(pytester: pytest.Pytester) -> None:
    """A stranger's ``pytest -W error`` is green to the end, exit code too."""
    pytester.makepyfile(SUITE)
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n")
    result = pytester.runpytest_subprocess("-q", "-W", "error")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.OK


def current() -> asyncio.AbstractEventLoop:
    """The thread's loop; newer Pythons warn of the question."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return asyncio.get_event_loop()


@pytest.mark.usefixtures("_no_loop")
def test_a_hosts_own_loop_comes_back() -> None:
    """A loop that was there before is there again, open; the block's own is closed."""
    hosts = asyncio.new_event_loop()
    asyncio.set_event_loop(hosts)
    with own_loop():
        inside = current()
    assert inside is not hosts
    assert inside.is_closed()
    assert current() is hosts
    assert not hosts.is_closed()
    hosts.close()


@pytest.mark.usefixtures("_no_loop")
def test_no_loop_is_made_where_there_was_none() -> None:
    """One more loop that nobody closes would be the very thing to avoid."""
    with warnings.catch_warnings(), own_loop():
        pass
    with pytest.raises(RuntimeError, match="no current event loop"):
        current()
