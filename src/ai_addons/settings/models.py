"""Which models answer, and how their providers are reached."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration, Route


class ModelSettings(Section):
    """Which model answers, per tier; each a model or a list of fallbacks, tried in order."""

    small: Route | None = None
    """Small tier. None: the first provider with a key (OpenAI, Anthropic, Gemini), else the offline model."""
    large: Route | None = None
    """Large tier; without it a feature that asks for it is a `ConfigError`."""


class ProviderSettings(Section):
    """How to reach one provider."""

    api_key: SecretStr | None = None
    """API key. None: the provider's usual variable, e.g. ``OPENAI_API_KEY``."""
    api_base: str | None = None
    """Base URL. None: the provider's own."""


class OfflineSettings(Section):
    """The offline model: it answers with samples, without a key, and costs nothing."""

    seed: int = 0
    """Another number gives other samples; the same number the same ones, on every machine."""
    latency: Duration = timedelta(0)
    """How long it takes to answer; to see how your pages wait. Longer than the deadline, and it times out."""
