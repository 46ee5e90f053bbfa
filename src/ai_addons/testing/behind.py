"""Who answers in a test: an invention, a cassette, a server on this machine, or a real model."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ai_addons.llm.costs import PriceBook
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.providers import find_key
from ai_addons.testing.cassette import RecordingLlm, ReplayLlm, cassette_path
from ai_addons.testing.kit import is_invented
from ai_addons.testing.live import CappedLlm
from ai_addons.testing.options import cassette_of, is_live
from ai_addons.testing.wire import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import pytest

    from ai_addons.llm.base import Llm
    from ai_addons.settings import ProviderSettings, Settings
    from ai_addons.testing.loopback import Loopback

_LOOPBACK: Final = "ai_loopback"


def on_the_wire(request: pytest.FixtureRequest) -> bool:
    """Whether the real adapter runs, and what it sends is answered on this machine."""
    if cassette_of(request.node) is not None or is_live(request.config, request.node):
        # A recording and a real model are asked through ai_llm, which counts what they cost.
        return False
    return "ai_routes" in request.fixturenames or _LOOPBACK in request.fixturenames


def sent_to(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The settings, with every provider at the test's own server if it asked for one."""
    if _LOOPBACK not in request.fixturenames:
        return settings
    server: Loopback = request.getfixturevalue(_LOOPBACK)
    local = {
        name: settings.providers[name].model_copy(update={"api_base": server.api_base(name)})
        for name in PROVIDERS
        if name in settings.providers
    }
    return settings.model_copy(update={"providers": {**settings.providers, **local}})


@contextmanager
def model_behind(request: pytest.FixtureRequest) -> Generator[Llm | None]:
    """Who answers what a test does not script.

    Yields:
        A recording, a model within the budget, or None for inventions.

    Raises:
        CassetteError: If the recording cannot be read or written.
    """
    name = cassette_of(request.node)
    if name is None:
        yield _real(request) if is_live(request.config, request.node) else None
        return
    path = cassette_path(request.path, name)
    if not request.config.getoption("--ai-record"):
        yield ReplayLlm(path)
        return
    recording = RecordingLlm(_real(request))
    yield recording
    recording.save(path, _keys(_providers(request)))


def _real(request: pytest.FixtureRequest) -> Llm:
    """A model within the budget of this run."""
    settings: Settings = request.getfixturevalue("ai_settings")
    llm = LiteLlm(_providers(request), os.environ)
    return CappedLlm(llm, PriceBook(settings.prices.models), request.getfixturevalue("_ai_purse"))


def _providers(request: pytest.FixtureRequest) -> Mapping[str, ProviderSettings]:
    """How providers are reached for real: the kit's invented keys do for the test's own server only."""
    settings = sent_to(request, request.getfixturevalue("ai_settings"))
    if _LOOPBACK in request.fixturenames:
        return settings.providers
    return {
        name: own.model_copy(update={"api_key": None}) if is_invented(own.api_key) else own
        for name, own in settings.providers.items()
    }


def _keys(providers: Mapping[str, ProviderSettings]) -> list[str]:
    """Every key that may be used."""
    names = {*providers, *PROVIDERS}
    return [key for name in names if (key := find_key(name, providers.get(name), os.environ))]
