"""The pytest plugin: fixtures that make testing a paid AI feature a matter of five lines.

It is loaded by pytest by itself once ``ai_addons[testing]`` is installed. While it
is active no test can ask a real model by accident.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ai_addons.testing.options import LIVE, MARKERS, add_options, cassette_of, check_options, is_live

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ai_addons.addons import AddOns
    from ai_addons.settings import Settings
    from ai_addons.testing.fakes import ManualClock
    from ai_addons.testing.gateway import FakeGateway
    from ai_addons.testing.live import LivePurse
    from ai_addons.testing.loopback import Loopback
    from ai_addons.testing.model import FakeLlm
    from ai_addons.testing.payer import FundedPayer
    from ai_addons.testing.routes import ModelRoutes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and refuse to record in CI."""
    for marker, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {meaning}")
    check_options(config, os.environ)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what asks real models, unless that was asked for."""
    for item in items:
        if item.get_closest_marker(LIVE) is not None and not is_live(config, item):
            item.add_marker(pytest.mark.skip(reason="asks a real model; run it with --ai-live"))


@pytest.fixture(autouse=True)
def _ai_no_real_models(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse real model calls, and keep each test's features and wiring to itself."""
    from contextlib import ExitStack  # noqa: PLC0415  # tests without AI pay nothing

    import ai_addons.addons  # noqa: PLC0415  # as above
    from ai_addons.catalog import declared  # noqa: PLC0415  # as above
    from ai_addons.testing.guard import no_real_models  # noqa: PLC0415  # as above

    refused: list[str] = []
    hosts_own = ai_addons.addons.install(None)
    ai_addons.addons.install(hosts_own)
    with ExitStack() as stack:
        stack.enter_context(declared.isolated())
        if not _may_reach_models(request):
            refused = stack.enter_context(no_real_models())
        yield
    ai_addons.addons.install(hosts_own)
    if refused:
        hosts = ", ".join(sorted(set(refused)))
        pytest.fail(
            f"this test tried to ask a real model at {hosts}, and was stopped before anything was sent. "
            f"Use the fixture ai_llm or ai_routes, or mark the test {LIVE}."
        )


@pytest.fixture
def ai_clock() -> ManualClock:
    """A clock that moves only when the test says so."""
    from ai_addons.testing.fakes import ManualClock  # noqa: PLC0415  # tests without AI pay nothing

    return ManualClock()


@pytest.fixture
def ai_settings() -> Settings:
    """The settings of this test: books and cache in memory, one model per tier. Override it to change them."""
    from ai_addons.testing.kit import kit_settings  # noqa: PLC0415  # tests without AI pay nothing

    return kit_settings()


@pytest.fixture
def ai_llm(request: pytest.FixtureRequest, ai_clock: ManualClock) -> Iterator[FakeLlm]:
    """A model that answers what the test tells it to; else from the cassette, a real model, or with inventions."""
    from ai_addons.testing.behind import model_behind  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.testing.model import FakeLlm  # noqa: PLC0415  # as above

    with model_behind(request) as behind:
        yield FakeLlm(ai_clock, behind)


@pytest.fixture
def ai_addons(
    request: pytest.FixtureRequest, ai_settings: Settings, ai_clock: ManualClock
) -> Generator[AddOns, None, None]:
    """The wiring of this test: books and cache in memory, installed for every call.

    It answers with ``ai_llm``, or over the wire if the test asks for ``ai_routes``
    or ``ai_loopback``. Every invariant of the books is checked afterwards.
    """
    from ai_addons import addons  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.testing.behind import on_the_wire, sent_to  # noqa: PLC0415  # as above

    llm = None if on_the_wire(request) else request.getfixturevalue("ai_llm")
    wired = addons.AddOns(sent_to(request, ai_settings), clock=ai_clock, llm=llm, environ={})
    before = addons.install(wired)
    yield wired
    report = wired.doctor()
    wired.close()
    addons.install(before)
    if not report.ok:
        pytest.fail(f"the books do not agree: {report.findings}")


@pytest.fixture
def ai_payer(ai_addons: AddOns) -> Generator[FundedPayer, None, None]:
    """A business with 1,000 credits that pays for the calls of this test."""
    from ai_addons.calling import bill_to  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.receipt import receipts  # noqa: PLC0415  # as above
    from ai_addons.testing.payer import FundedPayer  # noqa: PLC0415  # as above

    business, user = "test-business", "test-user"
    ai_addons.grant(business, 1_000, source="adjustment", ref="test funds")
    with bill_to(business, user=user), receipts() as log:
        yield FundedPayer(ai_addons, business, user, log)


@pytest.fixture
def ai_routes() -> Generator[ModelRoutes, None, None]:
    """Provider endpoints on the wire, for OpenAI, Anthropic and Gemini, answered by respx."""
    from ai_addons.testing.loops import own_loop  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.testing.routes import ModelRoutes  # noqa: PLC0415  # as above

    with own_loop(), ModelRoutes() as routes:
        yield routes


@pytest.fixture
def ai_loopback() -> Generator[Loopback, None, None]:
    """A server on 127.0.0.1 that speaks for OpenAI, Anthropic and Gemini, with real delays and broken connections."""
    from ai_addons.testing.loopback import Loopback  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.testing.loops import collect_connections, own_loop  # noqa: PLC0415  # as above

    with own_loop(), Loopback() as server:
        yield server
    collect_connections()


@pytest.fixture
def ai_gateway(ai_clock: ManualClock) -> Generator[FakeGateway, None, None]:
    """A payment gateway in this process, whose payers do what the test tells them to."""
    from ai_addons.testing.gateway import FakeGateway  # noqa: PLC0415  # tests without payments pay nothing

    gateway = FakeGateway(ai_clock)
    yield gateway
    gateway.close()


@pytest.fixture(scope="session")
def _ai_purse(request: pytest.FixtureRequest) -> LivePurse:
    """What real models may cost in this run."""
    from ai_addons.billing.given import pico_usd  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.money import PicoUsd  # noqa: PLC0415  # as above
    from ai_addons.testing.live import LivePurse  # noqa: PLC0415  # as above
    from ai_addons.testing.options import budget  # noqa: PLC0415  # as above

    return LivePurse(pico_usd(budget(request.config)) or PicoUsd(0))


def _may_reach_models(request: pytest.FixtureRequest) -> bool:
    """Whether real addresses may be looked up: not by accident, and on the wire they are caught."""
    recording = cassette_of(request.node) is not None and bool(request.config.getoption("--ai-record"))
    return recording or is_live(request.config, request.node) or "ai_routes" in request.fixturenames
