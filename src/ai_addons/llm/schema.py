"""The type of an answer: its JSON schema for the model, and the way back from text to value.

Providers take a strict dialect of JSON Schema: the root is an object, every
property is required, nothing else may be added. They also return text that
breaks it without saying so, so the schema is a request and our own validation
is the guarantee.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, get_args

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import core_schema, from_json, to_json

from ai_addons.errors import ConfigError
from ai_addons.llm.costs import prompt_bytes
from ai_addons.llm.dialect import strict, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_canonical: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_WRAPPED: Final = "value"
_CACHED: Final = 256
# Their messages may quote the answer; it is masked, but a fault also goes to logs.
_QUOTING: Final = frozenset(
    {
        "assertion_error",
        "bytes_invalid_encoding",
        "get_attribute_error",
        "iteration_error",
        "mapping_type",
        "no_such_attribute",
        "timezone_offset",
        "union_tag_invalid",
        "url_parsing",
        "url_syntax_violation",
        "uuid_parsing",
        "value_error",
    }
)


class BadAnswer(Exception):
    """A model's answer is not of the type that was asked for.

    Attributes:
        faults: What is wrong, as ``place: message``; never a value of the answer.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is worked out once per type."""

    adapter: TypeAdapter[Any]
    schema: Mapping[str, Any] | None = None
    wrapped: bool = False
    words: frozenset[str] = frozenset()
    text: str = "null"
    size: int = 0


class AnswerType:
    """What a model is asked to answer: any type that `pydantic.TypeAdapter` knows.

    ``str`` is plain text. A type whose JSON is no object is asked for as
    ``{"value": …}`` and unwrapped again.

    Args:
        type_: The type of the answer.

    Raises:
        ConfigError: If pydantic does not know the type, or a model cannot be held
            to it (free keys, values of any kind).
    """

    __slots__ = ("_plan",)

    def __init__(self, type_: object) -> None:
        self._plan = _plan(type_)

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Strict JSON schema with an object root; None for plain text."""
        return self._plan.schema

    @property
    def schema_text(self) -> str:
        """The schema as canonical JSON, written once a type."""
        return self._plan.text

    @property
    def schema_bytes(self) -> int:
        """What the schema adds to `prompt_bytes`, measured once a type; 0 for plain text."""
        return self._plan.size

    def parse(self, text: str) -> Json:
        """Read an answer as JSON, strictly: no fences stripped, nothing mended.

        Returns:
            The JSON value, unwrapped; the text itself where plain text was asked for.

        Raises:
            BadAnswer: If it is empty, no JSON, or not an object.
        """
        if self.schema is None:
            return _plain(text)
        try:
            root: object = from_json(text, allow_inf_nan=False)
        except ValueError as error:
            # The parser names the place and what it expected there, not the text.
            fault = f"answer: not valid JSON, {error}"
            raise BadAnswer((fault,)) from None
        if not isinstance(root, dict):
            fault = "answer: must be a JSON object"
            raise BadAnswer((fault,))
        answer = cast("dict[str, Json]", root)
        return self._unwrap(answer) if self._plan.wrapped else answer

    def validate(self, answer: Json) -> Any:  # noqa: ANN401  # its type is the one given to the constructor
        """Make the value from parsed JSON, by pydantic's rules for JSON.

        Raises:
            BadAnswer: If it does not fit the type.
        """
        try:
            return self._plan.adapter.validate_json(to_json(answer))
        except ValidationError as error:
            faults = self._faults(error)
        # Raised out here, so that the original with its values is not even in the chain.
        raise BadAnswer(faults)

    def plain(self, value: object) -> Json:
        """The parsed JSON that means this value; `validate` makes the value from it again."""
        return cast("Json", self._plan.adapter.dump_python(value, mode="json", by_alias=True))

    def dump(self, value: object) -> str:
        """The text a model would answer to mean this value, as canonical JSON."""
        plain = self.plain(value)
        if self.schema is None:
            return str(plain)
        answer = {_WRAPPED: plain} if self._plan.wrapped else plain
        return _canonical(answer)

    def _unwrap(self, answer: dict[str, Json]) -> Json:
        if set(answer) != {_WRAPPED}:
            fault = f"answer: must be an object with the one key {_WRAPPED!r}"
            raise BadAnswer((fault,))
        return answer[_WRAPPED]

    def _faults(self, error: ValidationError) -> tuple[str, ...]:
        issues = error.errors(include_input=False, include_url=False, include_context=False)
        return tuple(f"{self._place(issue['loc'])}: {_message(issue['type'], issue['msg'])}" for issue in issues)

    def _place(self, loc: tuple[int | str, ...]) -> str:
        """The path to the fault; a key that the model invented is not repeated."""
        return (
            ".".join(str(part) if isinstance(part, int) or part in self._plan.words else "*" for part in loc)
            or "answer"
        )


def _plan(type_: object) -> _Plan:
    try:
        hash(type_)
    except TypeError:  # Annotated with something that has no hash
        return _make_plan(type_)
    return _cached_plan(type_)


@lru_cache(maxsize=_CACHED)
def _cached_plan(type_: object) -> _Plan:
    return _make_plan(type_)


def _make_plan(type_: object) -> _Plan:
    adapter = _adapter(type_)
    if type_ is str:
        return _Plan(adapter=adapter)
    schema, wrapped = strict(_json_schema(adapter, type_), wrapper=_WRAPPED)
    return _Plan(
        adapter=adapter,
        schema=schema,
        wrapped=wrapped,
        words=words_of(schema),
        text=_canonical(schema),
        size=prompt_bytes((), schema),
    )


def _adapter(type_: object) -> TypeAdapter[Any]:
    try:
        return TypeAdapter[Any](cast("Any", type_))
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        msg = f"A model cannot answer {_name(type_)}: pydantic does not know the type. Nothing was charged."
        raise ConfigError(msg) from error


def _json_schema(adapter: TypeAdapter[Any], type_: object) -> dict[str, Any]:
    try:
        return adapter.json_schema()
    except PydanticUserError as error:
        msg = f"A model cannot answer {_name(type_)}: the type has no JSON form. Nothing was charged."
        raise ConfigError(msg) from error


def _name(type_: object) -> str:
    return type_.__qualname__ if isinstance(type_, type) else str(type_)


def _plain(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        fault = "answer: empty"
        raise BadAnswer((fault,))
    return stripped


def _message(kind: str, message: str) -> str:
    return kind if kind in _QUOTING or kind not in _core_kinds() else message


@cache
def _core_kinds() -> frozenset[str]:
    """Error types whose messages pydantic wrote, not a host's validator."""
    return frozenset(get_args(core_schema.ErrorType))
