"""Schema-valid answers made without a model, deterministic and plainly samples."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ai_addons.llm.facts import Facts
from ai_addons.llm.patterns import match_simple
from ai_addons.llm.samples import Draw, draw_for, fitted, phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ai_addons.llm.facts import Value

_REF: Final = "#/$defs/"
_DEEP: Final = 5
_ITEMS: Final = 2
_SPREAD: Final = 10
_FINE: Final = Fraction(1, 20)
_MOST_DRAWN: Final = 1_000_000
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
# Facts are taken over only into formats that can be told by their look.
_LOOKS: Final[Mapping[str, re.Pattern[str]]] = {
    "date": re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"),
    "email": re.compile(r"\[EMAIL_[0-9]+\]|[\w.+-]+@[\w-]+(\.[\w-]+)+"),
}
_NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: the name of its field, its number in a list, its depth."""

    name: str = "answer"
    path: str = ""
    index: int = 0
    depth: int = 0
    unique: bool = False


class Fabricator:
    """Makes an answer for a schema as `AnswerType` builds them.

    Enums, numbers and lengths of lists are drawn; a field takes over a fact of its
    own name where it fits, whole or not at all: a placeholder must not be cut. An
    e-mail address or telephone number that the prompt does not hold is made up, and
    then refused by the privacy layer, as a model's own would be.

    Args:
        schema: Strict schema with an object root.
        facts: What the prompt says.
        draw: What decides between equals.
    """

    def __init__(self, schema: Mapping[str, Any], facts: Facts = _NO_FACTS, draw: Draw | None = None) -> None:
        self._schema = schema
        self._defs: Mapping[str, Any] = schema.get("$defs", {})
        self._facts = facts
        self._draw = draw if draw is not None else draw_for("")
        self._makers: Mapping[str, Callable[[Mapping[str, Any], _Place], object]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": lambda schema, place: int(_number(schema, self._shift(place))),
            "number": lambda schema, place: _plain(_number(schema, self._shift(place))),
            "boolean": lambda _, place: (self._draw(place.path, 2) + place.index) % 2 == 0,
        }

    def answer(self) -> object:
        """The whole answer."""
        return self._value(self._schema, _Place())

    def _value(self, schema: Mapping[str, Any], place: _Place) -> object:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return self._value(self._choice(schema["anyOf"], place), place)
        fact = self._fact(schema, place)
        if fact is not None:
            return fact
        if "enum" in schema:
            return schema["enum"][(self._draw(place.path, _MOST_DRAWN) + place.index) % len(schema["enum"])]
        make = self._makers.get(schema.get("type", "null"))
        return None if make is None else make(schema, place)

    def _fact(self, schema: Mapping[str, Any], place: _Place) -> Value | None:
        """A fact under the field's own name, if it is a value of this schema."""
        fitting = [value for value in self._facts.named(place.name) if _fits(schema, value)]
        if not fitting or (place.unique and place.index >= len(fitting)):
            return None
        return fitting[place.index % len(fitting)]

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._defs[schema["$ref"].removeprefix(_REF)]
        return schema

    def _choice(self, choices: Sequence[Mapping[str, Any]], place: _Place) -> Mapping[str, Any]:
        """One choice of a union; deep down the simplest, so that recursive types come to an end."""
        if place.depth >= _DEEP:
            return min(choices, key=lambda choice: self._levels(choice, frozenset()))
        objects = [choice for choice in choices if self._resolved(choice).get("type") == "object"]
        # Of several forms of one plain value, such as a number and its text, the first is the usual one.
        return objects[(self._draw(place.path, _MOST_DRAWN) + place.index) % len(objects)] if objects else choices[0]

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
            name: self._value(inner, _Place(name, f"{place.path}.{name}", place.index, place.depth + 1))
            for name, inner in schema["properties"].items()
        }

    def _array(self, schema: Mapping[str, Any], place: _Place) -> object:
        least = schema.get("minItems", 0)
        liked = _ITEMS + self._draw(f"{place.path} length", 2) if place.depth < _DEEP else 0
        wanted = max(least, liked)
        count = min(wanted, schema.get("maxItems", wanted))
        kinds = schema.get("prefixItems", [schema["items"]] * count)
        unique = bool(schema.get("uniqueItems"))
        items = [
            self._value(kind, _Place(place.name, place.path, place.index * count + index, place.depth + 1, unique))
            for index, kind in zip(range(count), kinds, strict=False)
        ]
        return items if not unique else [item for index, item in enumerate(items) if item not in items[:index]]

    def _string(self, schema: Mapping[str, Any], place: _Place) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]].format(day=(self._draw(place.path, 28) + place.index) % 28 + 1)
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        for more in range(shortest + 1) if "pattern" in schema else ():
            made = match_simple(schema["pattern"], more)
            if made is not None and shortest <= len(made) <= longest:
                return made
        return fitted(phrases(place.name, place.index, self._facts, self._draw), shortest, longest)

    def _shift(self, place: _Place) -> int:
        return self._draw(place.path, _MOST_DRAWN) + place.index


def _fits(schema: Mapping[str, Any], value: Value) -> bool:
    """Whether a fact is a value of a plain schema."""
    if "enum" in schema:
        return any(value == member and type(value) is type(member) for member in schema["enum"])
    match schema.get("type"), value:
        case "boolean", bool():
            return True
        case (("integer" | "number"), bool()):
            return False
        case ("integer", int()) | ("number", int() | float()):
            return _within(schema, Fraction(str(value)))
        case "string", str():
            return _is_like(schema, value)
        case _:
            return False


def _is_like(schema: Mapping[str, Any], text: str) -> bool:
    """Whether a text has the length, the pattern and the format of a schema."""
    fits = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", math.inf)
    matched = "pattern" not in schema or re.search(schema["pattern"], text) is not None
    look = _LOOKS.get(schema.get("format", ""))
    return fits and matched and ("format" not in schema or bool(look and look.fullmatch(text)))


def _number(schema: Mapping[str, Any], shift: int) -> Fraction:
    """A number inside the bounds, one further for each shift where there is room; exact."""
    return next((value for value in _numbers(schema, shift) if _within(schema, value)), Fraction(0))


def _numbers(schema: Mapping[str, Any], shift: int) -> Iterator[Fraction]:
    """Candidates: multiples of the step between the bounds, or near the one there is, then the middle."""
    low = _bound(schema, "minimum", "exclusiveMinimum")
    high = _bound(schema, "maximum", "exclusiveMaximum")
    step = _step(schema, low, high)
    first = math.ceil(low / step) if low is not None else 1
    last = math.floor(high / step) if high is not None else first + _SPREAD - 1
    if low is None and high is not None:
        first = last - _SPREAD + 1
    room = max(1, last - first + 1)
    for place in (first + shift % room, first + (shift + 1) % room, first + (shift + 2) % room):
        yield place * step
    yield ((low or Fraction(0)) + (high or Fraction(0))) / 2


def _step(schema: Mapping[str, Any], low: Fraction | None, high: Fraction | None) -> Fraction:
    """What the number is a multiple of; between near bounds twentieths, so that shares look like shares."""
    if "multipleOf" in schema:
        return Fraction(str(schema["multipleOf"]))
    near = low is not None and high is not None and high - low < _SPREAD
    return _FINE if near and schema.get("type") == "number" else Fraction(1)


def _bound(schema: Mapping[str, Any], closed: str, open_: str) -> Fraction | None:
    found = schema.get(closed, schema.get(open_))
    return None if found is None else Fraction(str(found))


def _within(schema: Mapping[str, Any], value: Fraction) -> bool:
    closed = schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)
    open_ = schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf)
    step = schema.get("multipleOf")
    return bool(closed and open_ and (step is None or value % Fraction(str(step)) == 0))


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
