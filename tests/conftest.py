"""What every test shares: one event loop kind, the databases, and an environment without the developer's own keys."""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Final

import pytest

from tests import books, postgres, redis_server
from tests.browser import chromium, new_page, page  # noqa: F401  # fixtures, passed on to every test
from tests.inner import libraries_stay  # noqa: F401  # as above
from tests.scratch import keep_in_memory
from tests.spared import copied_tables, parsed_project, shared_statements
from tests.unwatched import WATCHER, proves_no_line, unwatched, watcher
from tests.wire_fixtures import library, router  # noqa: F401  # as above

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_OWN_VARIABLES: Final = (
    *("OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_API_KEY", "LITELLM_", "AI_ADDONS_"),
    # Of this run alone: a run of pytest within a test would begin with workers of its own.
    "PYTEST_ADDOPTS",
)
# Where the tests of this project find real databases and the like.
_TEST_VARIABLES: Final = "AI_ADDONS_TEST_"
# How many modules there were when the garbage collector was last told of them.
_KNOWN: Final[pytest.StashKey[int]] = pytest.StashKey()
# As many new ones are a library and no module of a test: LiteLLM, Django, matplotlib.
_LIBRARY: Final = 150


def pytest_configure(config: pytest.Config) -> None:
    """Remember who watches; once stopped, coverage does not name itself again."""
    config.stash[WATCHER] = watcher()
    config.stash[_KNOWN] = len(sys.modules)
    # A shell without job control starts what is to run in the background with interrupts ignored, and whatever that
    # starts ignores them too: no server of a test would end.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Leave coverage off where it would learn nothing, and keep what the test loaded from the garbage collector."""
    try:
        if not proves_no_line(item):
            return (yield)
        with unwatched(item):
            return (yield)
    finally:
        _keep_libraries(item.config)


def _keep_libraries(config: pytest.Config) -> None:
    """Spare the collector a library that lives to the end of the session.

    It holds a million objects; whoever collects on purpose would walk them all each time, a fifth of a second.
    """
    now = len(sys.modules)
    if now - config.stash[_KNOWN] > _LIBRARY:
        with warnings.catch_warnings():
            # A warning of what this finds would be laid at the door of the next test.
            warnings.simplefilter("ignore")
            gc.collect()
        gc.freeze()
        config.stash[_KNOWN] = now


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Keep the garbage collector away from the thousands of tests that live to the end of the session.

    While they are gathered it would walk them again and again and find nothing, and later each test
    that collects on purpose would walk them all: half a second every time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        session.config.stash[_KNOWN] = len(sys.modules)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that hosts use; the SDK is built on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_keys_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say themselves which keys and settings there are; child processes inherit the same."""
    for name in list(os.environ):
        if name.startswith(_OWN_VARIABLES) and not name.startswith(_TEST_VARIABLES):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _once_for_all(request: pytest.FixtureRequest) -> Iterator[None]:
    """Spare the tests what a process does once."""
    with copied_tables(), shared_statements(), parsed_project(request.config.rootpath / "pyproject.toml"):
        yield


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a module's tests on either database: ``pytestmark = pytest.mark.usefixtures("each_database")``.

    A test of one of them only says ``@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)``.
    """
    with books.kept_in(request.param):
        yield


def pytest_sessionstart() -> None:
    """Choose where the tests' folders are before anybody, workers included, asks for one."""
    keep_in_memory()


def pytest_sessionfinish() -> None:
    """Leave no server and no database behind."""
    postgres.stop()
    redis_server.stop()
