"""How thinking is switched off, per model family.

Thinking tokens are billed as output, so a model that thinks by default costs
several times what the price list assumes. Families differ in how they are told
not to, and each refuses the other's way. A model of no known family is sent
nothing: an argument that does not fit would be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Final[Mapping[str, object]] = {"reasoning_effort": "none"}
_MINIMAL: Final[Mapping[str, object]] = {"reasoning_effort": "minimal"}
# Claude ignores reasoning_effort="none" without a word and goes on thinking.
_DISABLED: Final[Mapping[str, object]] = {"thinking": {"type": "disabled"}}

_FAMILIES: Final[tuple[tuple[str, Mapping[str, object]], ...]] = (
    ("openai/gpt-6-luna", _NONE),
    ("openai/gpt-6-sol", _NONE),
    ("openai/gpt-5.6-luna", _NONE),
    ("openai/gpt-5.4-nano", _NONE),
    ("openai/gpt-5.4-mini", _NONE),
    ("openai/gpt-5-nano", _MINIMAL),
    ("openai/gpt-5-mini", _MINIMAL),
    ("anthropic/claude-haiku-5-5", _DISABLED),
    ("anthropic/claude-haiku-4-5", _DISABLED),
    ("gemini/gemini-2.5-flash", _NONE),
    # Cannot be switched off; "none" asks for the lowest level without the thoughts.
    ("gemini/gemini-3", _NONE),
)


def thinking_off(route: str) -> dict[str, object]:
    """LiteLLM arguments that keep this model from thinking, or as near to it as it goes.

    Dated snapshots (``gpt-5-nano-2025-08-07``) belong to their family.

    >>> thinking_off("gemini/gemini-2.5-flash-lite")
    {'reasoning_effort': 'none'}
    """
    return {name: value for family, off in _FAMILIES if route.startswith(family) for name, value in off.items()}
