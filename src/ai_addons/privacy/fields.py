"""Declared fields: a developer's data becomes a JSON tree whose texts know their marks.

The marks themselves are `Pii`, `FreeText`, `Public`, `Bucket` and `DateBucket`; they work
through optionals, unions, lists, tuples, dicts and nested models. Text without a
mark is searched like `FreeText`. Numbers, enums, truth values and dates without
a mark are business data and pass. Custom serializers are not run: a mark speaks
about the field, so the field is what is sent.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from pydantic import BaseModel, PydanticSchemaGenerationError, RootModel, Secret, SecretBytes, SecretStr, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Declared
from ai_addons.privacy.markers import AMOUNT_BANDS, BUCKETS, DAY_BANDS, Bucket, DateBucket, FreeText, Mark, Pii, Public
from ai_addons.privacy.shapes import (
    MOST_CLASSES,
    UNMARKED,
    FieldPlan,
    Shape,
    extra_of,
    fields_of,
    fitting,
    mark_of,
    part_of,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = [
    "AMOUNT_BANDS",
    "DAY_BANDS",
    "Branch",
    "Bucket",
    "DateBucket",
    "FreeText",
    "Leaf",
    "Pii",
    "Public",
    "Tree",
    "leaves",
    "read",
]

_DEEPEST: Final = 60
_MOST_ITEMS: Final = 100_000
_SECRETS: Final = (Secret, SecretStr, SecretBytes)
_UNWRITABLE: Final = (PydanticSerializationError, UnicodeDecodeError)
_BUSINESS: Final = (Decimal, date, datetime, time, timedelta)


@dataclass(frozen=True, slots=True, repr=False)
class Leaf:
    """A text and what it is marked as.

    Attributes:
        text: The text.
        mark: Its mark.
        place: The field it stands in, by the developer's own names.
        cut: The most characters that are sent of it; None for no limit of its own.
    """

    text: str
    mark: Mark
    place: str = field(default="", compare=False)
    cut: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Branch:
    """A JSON object in the order of its keys; a key is a field's name or, in a free dict, a text of its own."""

    entries: tuple[tuple[str | Leaf, Tree], ...]


Tree: TypeAlias = "bool | int | float | Leaf | Branch | tuple[Tree, ...] | None"
"""JSON whose texts know their marks."""


class _Dropped(Enum):
    DROPPED = "dropped"


_DROPPED: Final = _Dropped.DROPPED
_MISSING: Final = object()
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
    tree = reader.read(data, UNMARKED, _At(None, "", 0))
    return (None if isinstance(tree, _Dropped) else tree), tuple(reader.declared)


def leaves(tree: Tree) -> list[Leaf]:
    """Every text of a tree, keys of free dicts included."""
    found: list[Leaf] = []
    _gather(tree, found)
    return found


def _gather(tree: Tree, found: list[Leaf]) -> None:
    if isinstance(tree, Leaf):
        found.append(tree)
    elif isinstance(tree, tuple):
        for item in tree:
            _gather(item, found)
    elif isinstance(tree, Branch):
        for key, value in tree.entries:
            if isinstance(key, Leaf):
                found.append(key)
            _gather(value, found)


class _At(NamedTuple):
    """Where the walk is: the mark around a value, the name of its place, and how deep it lies."""

    mark: Mark | None
    place: str
    depth: int

    def field(self, name: str) -> _At:
        """A named part; its name is the developer's."""
        return _At(self.mark, f"{self.place}.{name}" if self.place else name, self.depth + 1)

    def item(self) -> _At:
        """A part of a list or a free dict, whose keys may be personal."""
        return _At(self.mark, f"{self.place}[]", self.depth + 1)


@dataclass(frozen=True, slots=True, repr=False)
class _Reader:
    """One walk; `declared` collects what it finds marked as personal."""

    declared: list[Declared]

    def read(self, value: object, shape: Shape, at: _At) -> _Part:
        """Read a value of a known shape."""
        if at.depth > _DEEPEST:
            msg = f"The data is nested more than {_DEEPEST} levels deep. Nothing was sent and nothing was charged."
            raise PrivacyRefused(msg)
        if value is None:
            return None
        fits = fitting(shape, value)
        mark = mark_of(fits) or at.mark
        if mark is Pii.DROP:
            return _DROPPED
        if type(value) is str and not isinstance(mark, BUCKETS):
            # Most fields; the long way asks what else it might be.
            return self._text(value, mark or FreeText, at.place)
        # Not `_replace`, which takes several times as long.
        return self._inside(value, fits, at if mark is at.mark else _At(mark, at.place, at.depth))

    def _inside(self, value: object, shape: Shape, at: _At) -> _Part:
        if isinstance(value, (str, int, float)):
            return self._scalar(value, shape, at)
        if isinstance(value, RootModel):
            root = fields_of(_class_of(cast("object", value)))[0].shape
            return self.read(cast("Any", value).root, root, at._replace(depth=at.depth + 1))
        if (plans := _plans(value)) is not None:
            return self._record(value, plans, at)
        if isinstance(value, Mapping):
            return self._table(cast("Mapping[object, object]", value), shape, at)
        if (items := _items(value)) is not None:
            inner = at.item()
            parts = (self.read(item, part_of(shape, index), inner) for index, item in enumerate(items))
            return tuple(part for part in parts if not isinstance(part, _Dropped))
        return self._scalar(value, shape, at)

    def _record(self, value: object, plans: Iterable[FieldPlan], at: _At) -> Tree:
        if isinstance(value, tuple):
            pairs = zip(plans, cast("tuple[object, ...]", value), strict=True)
            parts = (self.read(item, plan.shape, at.field(plan.name)) for plan, item in pairs)
            return tuple(part for part in parts if not isinstance(part, _Dropped))
        # A model built without validation may lack fields; pydantic does not dump those either.
        entries = [
            (plan.name, self.read(item, plan.shape, at.field(plan.name)))
            for plan in plans
            if (item := getattr(value, plan.name, _MISSING)) is not _MISSING
        ]
        extra = getattr(value, "__pydantic_extra__", None) if isinstance(value, BaseModel) else None
        return _branch([*entries, *self._entries(extra, extra_of(_class_of(value)), at)] if extra else entries)

    def _table(self, value: Mapping[object, object], shape: Shape, at: _At) -> Tree:
        known = {plan.name: plan for arm in shape if arm.record is not None for plan in fields_of(arm.record)}
        free = {key: item for key, item in value.items() if key not in known}
        entries = [
            (plan.name, self.read(value[plan.name], plan.shape, at.field(plan.name)))
            for plan in known.values()
            if plan.name in value
        ]
        return _branch([*entries, *self._entries(free, shape, at)])

    def _entries(self, value: Mapping[object, object], shape: Shape, at: _At) -> Iterator[tuple[Leaf, _Part]]:
        """The entries of a free dict."""
        keys, items, inner = part_of(shape, 0), part_of(shape, 1), at.item()
        for key, item in value.items():
            leaf = self._key(key, mark_of(fitting(keys, key)), inner.place)
            if leaf is not None:
                yield leaf, self.read(item, items, inner)

    def _key(self, key: object, mark: Mark | None, place: str) -> Leaf | None:
        if mark is Pii.DROP:
            return None
        if isinstance(mark, BUCKETS):
            return Leaf(mark.band(key), Public, place)
        free = isinstance(key, str) and not isinstance(key, Enum)
        return self._text(_key_text(key), mark or (FreeText if free else Public), place)

    def _scalar(self, value: object, shape: Shape, at: _At) -> _Part:
        mark = at.mark
        if isinstance(mark, BUCKETS):
            return Leaf(mark.band(value), Public, at.place)
        if isinstance(value, Enum):
            constant = cast("object", value.value)
            return (
                self._text(constant, mark or Public, at.place)
                if isinstance(constant, str)
                else self.read(constant, UNMARKED, at._replace(depth=at.depth + 1))
            )
        if isinstance(value, str):
            return self._text(value, mark or FreeText, at.place)
        if isinstance(value, (bool, int, float)):
            return self._number(value, mark, at.place)
        if isinstance(value, _SECRETS):
            return self._secret(cast("Secret[object]", value), at)
        return self._other(value, shape, at)

    def _other(self, value: object, shape: Shape, at: _At) -> _Part:
        dumped = _dump(value)
        if isinstance(dumped, str):
            return self._text(dumped, at.mark or (Public if isinstance(value, _BUSINESS) else FreeText), at.place)
        return self.read(dumped, shape, at._replace(depth=at.depth + 1))

    def _secret(self, value: Secret[object], at: _At) -> _Part:
        """A secret is never sent, and known wherever else it stands; a marked one can be restored."""
        inside = value.get_secret_value()
        text = inside.decode(errors="replace") if isinstance(inside, bytes) else str(inside)
        if isinstance(at.mark, Pii):
            return self._text(text, at.mark, at.place)
        self._text(text, Pii.ID, at.place)
        return Leaf(str(value), Public, at.place)

    def _number(self, value: bool | float, mark: Mark | None, place: str) -> Tree:  # noqa: FBT001  # a value, not a switch
        if not math.isfinite(value):
            return None
        if not isinstance(mark, Pii):
            return value
        if isinstance(value, bool):
            # Its own field is masked; "true" elsewhere is an ordinary word.
            return Leaf(str(value).lower(), mark, place)
        return self._text(str(value), mark, place)

    def _text(self, text: str, mark: Mark, place: str) -> Leaf:
        # A subclass of str may do as it likes when it is cut or joined.
        exact = str.__str__(text)
        if isinstance(mark, Pii) and exact.strip():
            self.declared.append(Declared(mark.kind, exact, place))
        if isinstance(mark, FreeText):
            return Leaf(exact, FreeText, place, mark.cut)
        return Leaf(exact, mark, place)


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


@lru_cache(maxsize=MOST_CLASSES)
def _tuple_plans(cls: type) -> tuple[FieldPlan, ...]:
    """The fields of a named tuple in their order; those of an old-style one have no annotation."""
    known = {plan.name: plan for plan in fields_of(cls)}
    names = cast("tuple[str, ...]", getattr(cls, "_fields", ()))
    return tuple(known.get(name, FieldPlan(name, UNMARKED)) for name in names)


def _items(value: object) -> Iterable[object] | None:
    """The items of a collection or an iterator; sets are put in an order of their own."""
    if isinstance(value, AbstractSet):
        return sorted(cast("AbstractSet[object]", value), key=lambda item: (type(item).__name__, str(item)))
    if isinstance(value, (Collection, Iterator)) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        items = list(islice(cast("Iterable[object]", value), _MOST_ITEMS + 1))
        if len(items) > _MOST_ITEMS:
            msg = (
                f"A list holds more than {_MOST_ITEMS} items. Nothing was sent and nothing was charged. "
                "Ask about fewer records at a time."
            )
            raise PrivacyRefused(msg)
        return items
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


@lru_cache(maxsize=MOST_CLASSES)
def _adapter(cls: type) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _unsendable(value: object) -> str:
    return (
        f"A value of type {type(value).__name__} cannot be written as JSON, so it cannot be masked. Nothing was sent "
        "and nothing was charged. Give it as text, a number, or a pydantic model."
    )
