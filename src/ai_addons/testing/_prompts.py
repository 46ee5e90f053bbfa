"""What a feature would send, and how large it is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from ai_addons.addons import AddOns
from ai_addons.llm.dialect import for_wire
from ai_addons.llm.offline import OFFLINE_MODEL, OfflineLlm
from ai_addons.llm.providers import split_route
from ai_addons.testing.kit import kit_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.machinery import ModuleSpec

    from ai_addons.feature import Feature
    from ai_addons.llm.base import ModelReply, ModelRequest

FACTORS: Final[Mapping[str, Decimal]] = {
    "openai": Decimal("1.10"),
    "gemini": Decimal("1.10"),
    "anthropic": Decimal("1.40"),
}
"""Tokens of each provider for one of the public tokeniser; set by hand."""

# Where tiktoken looks for a vocabulary before it would download one.
_FOLDER: Final = "TIKTOKEN_CACHE_DIR"
_PAYER: Final = "prompt-sizes"
_ROLES: Final = ("system", "user")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a feature and the sample that answered it.

    Attributes:
        request: As an adapter gets it, masked.
        answer: What the offline model said, masked.
    """

    request: ModelRequest
    answer: str


class _Recorder:
    """The offline model, keeping what it was asked (the `Llm` port)."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._llm = OfflineLlm()

    def complete(self, request: ModelRequest) -> ModelReply:
        reply = self._llm.complete(request)
        self.asked.append(Asked(request, reply.text or ""))
        return reply

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        return self.complete(request)


def asked_by(feature: Feature[..., object], *arguments: object) -> tuple[Asked, ...]:
    """Call a feature with the offline model and give back every request it made, masked as for a real one.

    Args:
        feature: The feature.
        *arguments: What it is called with.

    Returns:
        Its requests in order; none where the result was settled without a model.
    """
    recorder = _Recorder()
    addons = AddOns(kit_settings(models={"small": OFFLINE_MODEL}), llm=recorder, environ={})
    try:
        addons.grant(_PAYER, 1_000, source="adjustment", ref=_PAYER)
        with addons:
            feature.options(business=_PAYER)(*arguments)
    finally:
        addons.close()
    return tuple(recorder.asked)


def examples() -> dict[str, tuple[Feature[..., object], Callable[..., object]]]:
    """The installed features whose package has an ``example``, by key, each with it."""
    found: dict[str, tuple[Feature[..., object], Callable[..., object]]] = {}
    for entry in sorted(entry_points(group="ai_addons.features"), key=lambda entry: entry.name):
        feature = cast("Feature[..., object]", entry.load())
        if hasattr(import_module(entry.module), "__path__") and find_spec(f"{entry.module}.example"):
            found[feature.spec.key] = (feature, import_module(f"{entry.module}.example").example)
    return found


class _Encoding(Protocol):
    def encode_ordinary(self, text: str) -> list[int]: ...


def tokens(text: str) -> int:
    """Tokens of a text by OpenAI's public tokeniser ``o200k_base``."""
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> _Encoding:
    """The tokeniser, from the vocabulary that LiteLLM ships: no network, and no import of LiteLLM."""
    package = cast("ModuleSpec", find_spec("litellm"))
    folder = Path(cast("str", package.origin)).parent / "litellm_core_utils" / "tokenizers"
    before = os.environ.get(_FOLDER)
    os.environ[_FOLDER] = str(folder)
    try:
        return cast("_Encoding", import_module("tiktoken").get_encoding("o200k_base"))
    finally:
        del os.environ[_FOLDER]
        os.environ.update({} if before is None else {_FOLDER: before})


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Tokens of a call, by the public tokeniser.

    Attributes:
        system: Instructions.
        user: Question and facts.
        schema: JSON schema of the answers; providers count it as input, too.
        answer: The sample answers.
    """

    system: int
    user: int
    schema: int
    answer: int

    def __add__(self, other: Size) -> Size:
        """Sum two requests of a call."""
        return Size(
            system=self.system + other.system,
            user=self.user + other.user,
            schema=self.schema + other.schema,
            answer=self.answer + other.answer,
        )


def size(asked: Iterable[Asked]) -> Size:
    """The tokens of all requests of a call."""
    return sum(map(_size, asked), start=Size(system=0, user=0, schema=0, answer=0))


def _size(one: Asked) -> Size:
    roles = {role: "\n".join(turn.content for turn in one.request.messages if turn.role == role) for role in _ROLES}
    return Size(
        system=tokens(roles["system"]),
        user=tokens(roles["user"]),
        schema=tokens(schema_text(one.request)),
        answer=tokens(one.answer),
    )


def schema_text(request: ModelRequest, *, indent: int | None = None) -> str:
    """The JSON schema of an answer as it is sent; empty for plain text."""
    if request.schema is None:
        return ""
    separators = (",", ":") if indent is None else None
    return json.dumps(for_wire(request.schema), ensure_ascii=False, separators=separators, indent=indent)


def on_model(route: str, count: int) -> int:
    """Tokens that a provider's own tokeniser is taken to make of as many of the public one's, rounded up.

    The factors are set by hand, not measured here: 1.10 for OpenAI and Gemini, 1.40 for Claude.
    """
    return ceil(count * FACTORS[split_route(route)[0]])
