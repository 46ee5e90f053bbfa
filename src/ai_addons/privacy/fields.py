"""Declared fields: a developer's data becomes a JSON tree whose texts know their marks.

The marks themselves are `Pii`, `FreeText`, `Public` and `Bucket`; they work
through optionals, unions, lists, tuples, dicts and nested models. Text without a
mark is searched like `FreeText`. Numbers, enums, truth values and dates without
a mark are business data and pass. Custom serializers are not run: a mark speaks
about the field, so the field is what is sent.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from pydantic import BaseModel, PydanticSchemaGenerationError, RootModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Declared
from ai_addons.privacy.markers import Bucket, FreeText, Mark, Pii, Public
from ai_addons.privacy.shapes import UNMARKED, FieldPlan, Shape, fields_of, fitting, mark_of, part_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

__all__ = ["Branch", "Bucket", "FreeText", "Leaf", "Pii", "Public", "Tree", "leaves", "read"]

_DEEPEST: Final = 60
_UNWRITABLE: Final = (PydanticSerializationError, UnicodeDecodeError)
_BUSINESS: Final = (Decimal, date, datetime, time, timedelta)


@dataclass(frozen=True, slots=True, repr=False)
class Leaf:
    """A text and what it is marked as."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True, repr=False)
class Branch:
    """A JSON object in the order of its keys; a key is a field's name or, in a free dict, a text of its own."""

    entries: tuple[tuple[str | Leaf, Tree], ...]


Tree: TypeAlias = "bool | int | float | Leaf | Branch | tuple[Tree, ...] | None"
"""JSON whose texts know their marks."""


class _Dropped(Enum):
    DROPPED = "dropped"


_DROPPED: Final = _Dropped.DROPPED
_Part: TypeAlias = "Tree | _Dropped"


def read(data: object) -> tuple[Tree, tuple[Declared, ...]]:
    """Read data for masking.

    Args:
        data: A pydantic model, dataclass, named tuple, list, dict or scalar; or None.

    Returns:
        The data as a tree, and the values marked as personal in the order they stand.

    Raises:
        PrivacyRefused: For a value that cannot be sent as JSON, or nesting without end.
    """
    reader = _Reader([])
    tree = reader.read(data, UNMARKED, None, 0)
    return (None if isinstance(tree, _Dropped) else tree), tuple(reader.declared)


def leaves(tree: Tree) -> Iterator[Leaf]:
    """Every text of a tree, keys of free dicts included."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, tuple):
        for item in tree:
            yield from leaves(item)
    elif isinstance(tree, Branch):
        for key, value in tree.entries:
            if isinstance(key, Leaf):
                yield key
            yield from leaves(value)


@dataclass(frozen=True, slots=True, repr=False)
class _Reader:
    """One walk; `declared` collects what it finds marked as personal."""

    declared: list[Declared]

    def read(self, value: object, shape: Shape, outer: Mark | None, depth: int) -> _Part:
        """Read a value of a known shape; ``outer`` is the mark around it."""
        if depth > _DEEPEST:
            msg = f"The data is nested more than {_DEEPEST} levels deep. Nothing was sent and nothing was charged."
            raise PrivacyRefused(msg)
        if value is None:
            return None
        fits = fitting(shape, value)
        mark = mark_of(fits) or outer
        if mark is Pii.DROP:
            return _DROPPED
        return self._inside(value, fits, mark, depth)

    def _inside(self, value: object, shape: Shape, mark: Mark | None, depth: int) -> _Part:
        if isinstance(value, RootModel):
            return self.read(
                cast("Any", value).root, fields_of(_class_of(cast("object", value)))[0].shape, mark, depth + 1
            )
        if (plans := _plans(value)) is not None:
            return self._record(value, plans, mark, depth)
        if isinstance(value, Mapping):
            return self._table(cast("Mapping[object, object]", value), shape, mark, depth)
        if (items := _items(value)) is not None:
            parts = (self.read(item, part_of(shape, index), mark, depth + 1) for index, item in enumerate(items))
            return tuple(part for part in parts if not isinstance(part, _Dropped))
        return self._scalar(value, shape, mark, depth)

    def _record(self, value: object, plans: Iterable[FieldPlan], mark: Mark | None, depth: int) -> Tree:
        if isinstance(value, tuple):
            pairs = zip(plans, cast("tuple[object, ...]", value), strict=True)
            parts = (self.read(item, plan.shape, mark, depth + 1) for plan, item in pairs)
            return tuple(part for part in parts if not isinstance(part, _Dropped))
        # A model built without validation may lack fields; pydantic does not dump those either.
        present = [plan for plan in plans if hasattr(value, plan.name)]
        entries = [(plan.name, self.read(getattr(value, plan.name), plan.shape, mark, depth + 1)) for plan in present]
        extra = getattr(value, "__pydantic_extra__", None) if isinstance(value, BaseModel) else None
        return _branch([*entries, *self._entries(extra or {}, UNMARKED, mark, depth)])

    def _table(self, value: Mapping[object, object], shape: Shape, mark: Mark | None, depth: int) -> Tree:
        known = {plan.name: plan for arm in shape if arm.record is not None for plan in fields_of(arm.record)}
        free = {key: item for key, item in value.items() if key not in known}
        entries = [
            (plan.name, self.read(value[plan.name], plan.shape, mark, depth + 1))
            for plan in known.values()
            if plan.name in value
        ]
        return _branch([*entries, *self._entries(free, shape, mark, depth)])

    def _entries(
        self, value: Mapping[object, object], shape: Shape, mark: Mark | None, depth: int
    ) -> Iterator[tuple[Leaf, _Part]]:
        """The entries of a free dict."""
        keys, items = part_of(shape, 0), part_of(shape, 1)
        for key, item in value.items():
            leaf = self._key(key, mark_of(fitting(keys, key)))
            if leaf is not None:
                yield leaf, self.read(item, items, mark, depth + 1)

    def _key(self, key: object, mark: Mark | None) -> Leaf | None:
        if mark is Pii.DROP:
            return None
        if isinstance(mark, Bucket):
            return Leaf(mark.band(key), Public)
        free = isinstance(key, str) and not isinstance(key, Enum)
        return self._text(_key_text(key), mark or (FreeText if free else Public))

    def _scalar(self, value: object, shape: Shape, mark: Mark | None, depth: int) -> _Part:
        if isinstance(mark, Bucket):
            return Leaf(mark.band(value), Public)
        if isinstance(value, Enum):
            constant = cast("object", value.value)
            return (
                self._text(constant, mark or Public)
                if isinstance(constant, str)
                else self.read(constant, UNMARKED, mark, depth + 1)
            )
        if isinstance(value, str):
            return self._text(value, mark or FreeText)
        if isinstance(value, (bool, int, float)):
            return self._number(value, mark)
        dumped = _dump(value)
        if isinstance(dumped, str):
            return self._text(dumped, mark or (Public if isinstance(value, _BUSINESS) else FreeText))
        return self.read(dumped, shape, mark, depth + 1)

    def _number(self, value: bool | float, mark: Mark | None) -> Tree:  # noqa: FBT001  # a value, not a switch
        if not math.isfinite(value):
            return None
        if not isinstance(mark, Pii):
            return value
        if isinstance(value, bool):
            # Its own field is masked; "true" elsewhere is an ordinary word.
            return Leaf(str(value).lower(), mark)
        return self._text(str(value), mark)

    def _text(self, text: str, mark: Mark) -> Leaf:
        if isinstance(mark, Pii) and text.strip():
            self.declared.append(Declared(mark.kind, text))
        return Leaf(text, mark)


def _class_of(value: object) -> Hashable:
    """The class of a value, as the key of a cache."""
    return cast("Hashable", type(value))


def _branch(entries: Iterable[tuple[str | Leaf, _Part]]) -> Branch:
    """A JSON object in the order of its keys, so that equal data gives equal prompts."""
    kept = [(key, part) for key, part in entries if not isinstance(part, _Dropped)]
    return Branch(tuple(sorted(kept, key=lambda entry: entry[0].text if isinstance(entry[0], Leaf) else entry[0])))


def _plans(value: object) -> tuple[FieldPlan, ...] | None:
    """How to read a record; None for what is no record."""
    cls = _class_of(value)
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return fields_of(cls)
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return _tuple_plans(cls)
    return None


@cache
def _tuple_plans(cls: type) -> tuple[FieldPlan, ...]:
    """The fields of a named tuple in their order; those of an old-style one have no annotation."""
    known = {plan.name: plan for plan in fields_of(cls)}
    names = cast("tuple[str, ...]", getattr(cls, "_fields", ()))
    return tuple(known.get(name, FieldPlan(name, UNMARKED)) for name in names)


def _items(value: object) -> Iterable[object] | None:
    """The items of a sequence or set; sets are put in an order of their own."""
    if isinstance(value, AbstractSet):
        return sorted(cast("AbstractSet[object]", value), key=lambda item: (type(item).__name__, str(item)))
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return cast("Sequence[object]", value)
    return None


def _key_text(key: object) -> str:
    """A dict key as pydantic writes it."""
    if isinstance(key, str) and not isinstance(key, Enum):
        return key
    try:
        dumped: dict[str, None] = to_jsonable_python({key: None})
    except _UNWRITABLE:
        raise PrivacyRefused(_unsendable(key)) from None
    return next(iter(dumped))


def _dump(value: object) -> object:
    """A value that is neither text nor number, as pydantic's JSON mode writes it."""
    try:
        return to_jsonable_python(value)
    except _UNWRITABLE:
        pass
    try:
        return _adapter(_class_of(value)).dump_python(value, mode="json")
    except (*_UNWRITABLE, PydanticSchemaGenerationError):
        raise PrivacyRefused(_unsendable(value)) from None


@cache
def _adapter(cls: type) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _unsendable(value: object) -> str:
    return (
        f"A value of type {type(value).__name__} cannot be written as JSON, so it cannot be masked. Nothing was sent "
        "and nothing was charged. Give it as text, a number, or a pydantic model."
    )
