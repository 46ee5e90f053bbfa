"""Where each provider is reached and with which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider we know by name.

    Attributes:
        title: Its name for people.
        variables: Environment variables its key usually stands in, best first.
        api_base: Its public address. Given with every request, because LiteLLM
            otherwise follows variables such as ``OPENAI_BASE_URL`` silently.
    """

    title: str
    variables: tuple[str, ...]
    api_base: str


KNOWN: Final[Mapping[str, Provider]] = {
    "openai": Provider(title="OpenAI", variables=("OPENAI_API_KEY",), api_base="https://api.openai.com/v1"),
    "anthropic": Provider(title="Anthropic", variables=("ANTHROPIC_API_KEY",), api_base="https://api.anthropic.com"),
    "gemini": Provider(
        title="Gemini",
        variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        api_base="https://generativelanguage.googleapis.com/v1beta",
    ),
}
_GEMINI_ALPHA: Final = "https://generativelanguage.googleapis.com/v1alpha"


def split_route(route: str) -> tuple[str, str]:
    """Provider and model of a route.

    >>> split_route("openai/gpt-6-luna")
    ('openai', 'gpt-6-luna')
    """
    provider, _, model = route.partition("/")
    return provider, model


def is_offline(route: str) -> bool:
    """Whether a route leads to no real model.

    >>> is_offline("offline/sample")
    True
    """
    return split_route(route)[0] == "offline"


def title_of(provider: str) -> str:
    """The provider's name for people."""
    return KNOWN[provider].title if provider in KNOWN else provider


def key_variables(provider: str) -> tuple[str, ...]:
    """Environment variables that may hold this provider's key, best first."""
    if provider in KNOWN:
        return KNOWN[provider].variables
    return (f"{provider.upper().replace('-', '_')}_API_KEY",)


def find_key(provider: str, settings: ProviderSettings | None, environ: Mapping[str, str]) -> str | None:
    """The key for a provider: from the settings, else from its usual variable; None if there is none."""
    if settings is not None and settings.api_key is not None:
        return settings.api_key.get_secret_value().strip() or None
    return next((key for name in key_variables(provider) if (key := environ.get(name, "").strip())), None)


def key_for(provider: str, settings: ProviderSettings | None, environ: Mapping[str, str]) -> str | None:
    """The key to send.

    Returns:
        The key; None only for a provider outside `KNOWN`, where LiteLLM finds
        what that provider needs (a local server needs none).

    Raises:
        ConfigError: If a known provider has no key, or the key cannot be one.
    """
    key = find_key(provider, settings, environ)
    if key is None and provider in KNOWN:
        msg = (
            f"There is no API key for {title_of(provider)}. The model was not asked and nothing was charged. "
            f"{where_to_set(provider)}, or choose another model."
        )
        raise ConfigError(msg)
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        msg = (
            f"The API key for {title_of(provider)} holds characters that no key has (a line break?). "
            f"The model was not asked and nothing was charged. {where_to_set(provider)} again."
        )
        raise ConfigError(msg)
    return key


def base_for(route: str, settings: ProviderSettings | None) -> str | None:
    """The base URL to send to: the one in the settings, else the provider's own; None outside `KNOWN`.

    Raises:
        ConfigError: If the one in the settings is no web address.
    """
    provider, model = split_route(route)
    own = settings.api_base if settings is not None else None
    if own is None:
        return _public_base(provider, model)
    if not _is_address(own):
        msg = (
            f"The address set for {title_of(provider)} is no web address. The model was not asked and nothing was "
            f"charged. Correct `providers.{provider}.api_base` in the settings; it starts with https://."
        )
        raise ConfigError(msg)
    return own


def where_to_set(provider: str) -> str:
    """Where this provider's key is set, as an instruction."""
    return f"Set {key_variables(provider)[0]}, or `providers.{provider}.api_key` in the settings"


def _is_address(base: str) -> bool:
    try:
        parts = urlsplit(base)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and base.isprintable() and " " not in base


def _public_base(provider: str, model: str) -> str | None:
    if provider not in KNOWN:
        return None
    # Gemini serves its third generation and the moving aliases under another version of its API.
    if provider == "gemini" and (model.startswith("gemini-3") or model.endswith("-latest")):
        return _GEMINI_ALPHA
    return KNOWN[provider].api_base
