"""How thinking is switched off or asked for, per model family.

Thinking tokens are billed as output, so a model that thinks by default costs
several times what the price list assumes. Families differ in how they are told
not to, and each refuses the other's way. A model of no known family is sent
nothing: an argument that does not fit would be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.settings import Thinking

_NONE: Final[Mapping[str, object]] = {"reasoning_effort": "none"}
_MINIMAL: Final[Mapping[str, object]] = {"reasoning_effort": "minimal"}
# Claude ignores reasoning_effort="none" without a word and goes on thinking.
_DISABLED: Final[Mapping[str, object]] = {"thinking": {"type": "disabled"}}

# What LiteLLM turns the levels into where a provider wants a number (its DEFAULT_REASONING_EFFORT_…_THINKING_BUDGET).
_ROOM: Final[Mapping[Thinking, int]] = {"off": 0, "low": 1_024, "medium": 2_048, "high": 4_096}

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


def thinking_arguments(route: str, level: Thinking) -> dict[str, object]:
    """LiteLLM arguments for how much a model thinks.

    Every family takes a level, and LiteLLM writes it as each provider wants it. To be
    off, or as near to it as it goes, is told each family in its own way. Dated
    snapshots (``gpt-5-nano-2025-08-07``) belong to their family.

    >>> thinking_arguments("gemini/gemini-2.5-flash-lite", "off")
    {'reasoning_effort': 'none'}
    >>> thinking_arguments("anthropic/claude-haiku-5-5", "low")
    {'reasoning_effort': 'low'}
    """
    if level != "off":
        return {"reasoning_effort": level}
    return {name: value for family, off in _FAMILIES if route.startswith(family) for name, value in off.items()}


def room(level: Thinking) -> int:
    """Tokens that thinking may take, on top of the answer's own: the cap counts both."""
    return _ROOM[level]
