"""The settings that tests run with: books and cache in memory, one model per tier, invented keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_addons.settings import Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

SMALL = "openai/gpt-6-luna"
LARGE = "openai/gpt-6-sol"
_INVENTED: Final = "test-key-of-"


def kit_settings(**changes: Any) -> Settings:  # noqa: ANN401  # the sections of Settings
    """Settings for a test; prices and feature settings of the host still apply.

    Args:
        **changes: Sections to set differently.
    """
    providers = {name: {"api_key": f"{_INVENTED}{name}"} for name in ("openai", "anthropic", "gemini")}
    return Settings(
        **{
            "store": {"url": "sqlite://"},
            "cache": {"backend": "memory"},
            "events": {"hooks": ()},
            "fx": {"sources": ("static",)},
            "models": {"small": SMALL, "large": LARGE},
            "providers": providers,
            "secret": "a secret for tests, and for nothing else",
        }
        | changes
    )


def is_invented(key: SecretStr | None) -> bool:
    """Whether a key is one of the kit's own, which opens nothing."""
    return key is not None and key.get_secret_value().startswith(_INVENTED)
