"""The pytest plugin: fixtures that make testing a paid AI feature a matter of five lines.

It is loaded by pytest by itself once ``ai_addons[testing]`` is installed. While it
is active no test can ask a real model by accident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ai_addons.addons import AddOns
    from ai_addons.scope import Payer
    from ai_addons.testing.fakes import ManualClock
    from ai_addons.testing.model import FakeLlm
    from ai_addons.testing.routes import ModelRoutes

LIVE = "ai_live"
"""Marker of tests that may ask a real model."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{LIVE}: this test may ask a real model and cost real money")


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
        if request.node.get_closest_marker(LIVE) is None and "ai_routes" not in request.fixturenames:
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
def ai_llm() -> FakeLlm:
    """A model that answers what the test tells it to, and valid inventions otherwise."""
    from ai_addons.testing.model import FakeLlm  # noqa: PLC0415  # tests without AI pay nothing

    return FakeLlm()


@pytest.fixture
def ai_addons(request: pytest.FixtureRequest, ai_clock: ManualClock) -> Generator[AddOns, None, None]:
    """The wiring of this test: books and cache in memory, installed for every call.

    It answers with ``ai_llm``, or over the wire if the test asks for ``ai_routes``.
    Every invariant of the books is checked afterwards.
    """
    from ai_addons import addons  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.testing.kit import kit_settings  # noqa: PLC0415  # as above

    wire = "ai_routes" in request.fixturenames
    wired = addons.AddOns(
        kit_settings(), clock=ai_clock, llm=None if wire else request.getfixturevalue("ai_llm"), environ={}
    )
    before = addons.install(wired)
    yield wired
    report = wired.doctor()
    wired.close()
    addons.install(before)
    if not report.ok:
        pytest.fail(f"the books do not agree: {report.findings}")


@pytest.fixture
def ai_payer(ai_addons: AddOns) -> Generator[Payer, None, None]:
    """A business with 1,000 credits that pays for the calls of this test."""
    from ai_addons.feature import bill_to  # noqa: PLC0415  # tests without AI pay nothing
    from ai_addons.scope import Payer  # noqa: PLC0415  # as above

    payer = Payer("test-business", "test-user")
    ai_addons.grant(payer.business, 1_000, source="adjustment", ref="test funds")
    with bill_to(payer.business, user=payer.user):
        yield payer


@pytest.fixture
def ai_routes() -> Generator[ModelRoutes, None, None]:
    """Provider endpoints on the wire, for OpenAI, Anthropic and Gemini, answered by respx."""
    from ai_addons.testing.routes import ModelRoutes  # noqa: PLC0415  # tests without AI pay nothing

    with ModelRoutes() as routes:
        yield routes
