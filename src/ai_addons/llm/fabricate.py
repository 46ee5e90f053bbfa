"""Schema-valid answers made without a model, deterministic and plainly samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_addons.llm.patterns import match_simple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_REF: Final = "#/$defs/"
_DEEP: Final = 5
_ITEMS: Final = 2
_FILLER: Final = "This text stands in for the model's own."
_FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-01-{day:02d}",
    "date-time": "2026-01-{day:02d}T09:00:00Z",
    "time": "09:{day:02d}:00",
    "duration": "P{day}D",
    "email": "sample{day}@example.com",
    "hostname": "sample{day}.example.com",
    "ipv4": "192.0.2.{day}",
    "ipv6": "2001:db8::{day}",
    "uuid": "00000000-0000-4000-8000-{day:012d}",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: the name of its field, its number in a list, its depth."""

    name: str = "answer"
    index: int = 0
    depth: int = 0


class Fabricator:
    """Makes an answer for a schema as `AnswerType` builds them.

    Args:
        schema: Strict schema with an object root.
        facts: Short texts to use where they fit, whole or not at all: a
            placeholder must not be cut.
    """

    def __init__(self, schema: Mapping[str, Any], facts: Sequence[str] = ()) -> None:
        self._schema = schema
        self._defs: Mapping[str, Any] = schema.get("$defs", {})
        self._facts = facts
        self._makers: Mapping[str, Callable[[Mapping[str, Any], _Place], object]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": lambda schema, place: int(_number(schema, place.index)),
            "number": lambda schema, place: _number(schema, place.index),
            "boolean": lambda _, place: place.index % 2 == 0,
        }

    def answer(self) -> object:
        """The whole answer."""
        return self._value(self._schema, _Place())

    def _value(self, schema: Mapping[str, Any], place: _Place) -> object:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return self._value(self._choice(schema["anyOf"], place), place)
        if "enum" in schema:
            return schema["enum"][place.index % len(schema["enum"])]
        make = self._makers.get(schema.get("type", "null"))
        return None if make is None else make(schema, place)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._defs[schema["$ref"].removeprefix(_REF)]
        return schema

    def _choice(self, choices: Sequence[Mapping[str, Any]], place: _Place) -> Mapping[str, Any]:
        """The first choice; deep down the simplest, so that recursive types come to an end."""
        if place.depth < _DEEP:
            return choices[0]
        return min(choices, key=lambda choice: self._levels(choice, frozenset()))

    def _levels(self, schema: Mapping[str, Any], trail: frozenset[str]) -> float:
        """How many levels a value needs at least; endless where it must hold itself."""
        if "$ref" in schema:
            name: str = schema["$ref"].removeprefix(_REF)
            return math.inf if name in trail else self._levels(self._defs[name], trail | {name})
        if "anyOf" in schema:
            return min(self._levels(choice, trail) for choice in schema["anyOf"])
        if schema.get("type") == "array":
            return 1 + self._levels(schema["items"], trail) if schema.get("minItems") else 0
        return 1 + max((self._levels(inner, trail) for inner in schema.get("properties", {}).values()), default=-1)

    def _object(self, schema: Mapping[str, Any], place: _Place) -> object:
        return {
            name: self._value(inner, _Place(name, place.index, place.depth + 1))
            for name, inner in schema["properties"].items()
        }

    def _array(self, schema: Mapping[str, Any], place: _Place) -> object:
        least = schema.get("minItems", 0)
        wanted = max(least, _ITEMS if place.depth < _DEEP else 0)
        count = min(wanted, schema.get("maxItems", wanted))
        kinds = schema.get("prefixItems", [schema["items"]] * count)
        items = [
            self._value(kind, _Place(place.name, place.index * _ITEMS + index, place.depth + 1))
            for index, kind in zip(range(count), kinds, strict=False)
        ]
        if not schema.get("uniqueItems"):
            return items
        return [item for index, item in enumerate(items) if item not in items[:index]]

    def _string(self, schema: Mapping[str, Any], place: _Place) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]].format(day=place.index % 28 + 1)
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        if "pattern" in schema:
            made = match_simple(schema["pattern"])
            if made is not None and shortest <= len(made) <= longest:
                return made
        return _fitted(self._phrases(place), shortest, longest)

    def _phrases(self, place: _Place) -> list[str]:
        """Candidates, best first."""
        label = place.name.replace("_", " ")
        number = f" {place.index + 1}" if place.index else ""
        fact = self._facts[place.index % len(self._facts)] if self._facts else None
        plain = [f"Sample {label}{number}", f"{label}{number}"]
        return [f"Sample {label}{number}: {fact}", *plain] if fact else plain


def _fitted(phrases: Sequence[str], shortest: int, longest: float) -> str:
    fitting = next((phrase for phrase in phrases if len(phrase) <= longest), None)
    text = phrases[-1][: int(longest)] if fitting is None else fitting
    while len(text) < shortest:
        text = f"{text} {_FILLER}"
    return text if len(text) <= longest else text[: int(longest)]


def _number(schema: Mapping[str, Any], index: int) -> float:
    """A number inside the bounds, the ``index``-th one where there is room."""
    return next((value for value in _numbers(schema, index) if _within(schema, value)), 0)


def _numbers(schema: Mapping[str, Any], index: int) -> Iterator[float]:
    """Candidates: small multiples of the step near the lower bound, then what lies between the bounds."""
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf))
    high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
    start = math.ceil(max(low, min(1, high)) / step)
    for number in (start + index, start, start + 1, start - 1):
        yield number * step
    yield (low + high) / 2


def _within(schema: Mapping[str, Any], value: float) -> bool:
    closed = schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
    open_ = schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
    return bool(closed and open_)
