"""Which column of a table fills which field of a row model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from typing_extensions import TypeAliasType

from ai_addons.features.loading.cells import plain_name
from ai_addons.features.loading.errors import BadTable
from ai_addons.privacy.markers import Public, mark_in
from ai_addons.settings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from ai_addons.features.loading.cells import Kind

# datetime before date and bool before int: each is a kind of the other.
_KINDS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, "truth"),
    (int, "whole"),
    (Decimal, "amount"),
    (float, "amount"),
    (datetime, "moment"),
    (date, "day"),
    (str, "text"),
)
_CELLS: Final = tuple(kind for kind, _ in _KINDS)
# As near as a slip of the finger; anything less like a field is a column of the shop's own.
_SLIP: Final = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What a row model takes from one column.

    Attributes:
        key: The name by which the model is given the value.
        kind: What its cells are read as.
        choices: What a choice allows.
        required: Whether a table must have it.
        nullable: Whether an empty cell of a required column is None.
        private: Whether its values are never quoted.
    """

    key: str
    kind: Kind
    choices: tuple[str, ...] = ()
    required: bool = True
    nullable: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the cells of a row become the fields of a model.

    Attributes:
        taken: Place, heading and field of each column that is used.
        unused: Headings of the others.
        width: How many cells a row has.
    """

    taken: tuple[tuple[int, str, Field], ...]
    unused: tuple[str, ...]
    width: int


def fields_of(model: type[BaseModel]) -> tuple[Field, ...]:
    """What a row model takes from a table.

    Raises:
        TypeError: If a required field cannot come from one cell, such as a list.
    """
    found: list[Field] = []
    for name, info in model.model_fields.items():
        types, metadata = _parts(info.annotation)
        if any(_is_cell(type_) for type_ in types):
            found.append(_field(info.alias or name, info, types, metadata))
        elif info.is_required():
            msg = f"{model.__name__}.{name} cannot come from one cell; load a model of plain values"
            raise TypeError(msg)
    return tuple(found)


def _field(key: str, info: FieldInfo, types: Sequence[object], metadata: Iterable[object]) -> Field:
    kinds: set[Kind] = {_kind(type_) for type_ in types if type_ is not NoneType}
    mark = mark_in((*metadata, *info.metadata))
    return Field(
        key=key,
        # Of several kinds pydantic makes the best of the text.
        kind=next(iter(kinds)) if len(kinds) == 1 else "other",
        choices=tuple(choice for type_ in types for choice in _choices(type_)),
        required=info.is_required(),
        nullable=NoneType in types,
        private=mark is not None and mark is not Public,
    )


def _parts(annotation: object) -> tuple[list[object], list[object]]:
    """The types a union allows and all metadata around them."""
    if isinstance(annotation, TypeAliasType):
        return _parts(annotation.__value__)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        types, metadata = _parts(inner[0])
        return types, [*metadata, *inner[1:]]
    if origin is Union or origin is UnionType:
        parts = [_parts(part) for part in inner]
        return [type_ for types, _ in parts for type_ in types], [item for _, found in parts for item in found]
    return [annotation], []


def _is_cell(type_: object) -> bool:
    return bool(_choices(type_)) or (isinstance(type_, type) and issubclass(type_, (*_CELLS, Enum)))


def _kind(type_: object) -> Kind:
    if _choices(type_):
        return "choice"
    for base, kind in _KINDS:
        if isinstance(type_, type) and issubclass(type_, base):
            return kind
    return "other"


def _choices(type_: object) -> tuple[str, ...]:
    """The words that a literal or an enumeration of words allows."""
    values: tuple[Any, ...] = ()
    if get_origin(type_) is Literal:
        values = get_args(type_)
    elif isinstance(type_, type) and issubclass(type_, Enum):
        values = tuple(member.value for member in type_)
    return values if all(isinstance(value, str) for value in values) else ()


def planned(
    fields: Sequence[Field], headings: Sequence[str], columns: Mapping[str, str], ignore: Collection[str]
) -> Plan:
    """Match headings with fields, whatever their case, spaces and underscores.

    Args:
        fields: What the model takes.
        headings: What the table has.
        columns: Headings by field, where they are not the same.
        ignore: Headings to leave out, also where they look like a field.

    Raises:
        BadTable: If a column is missing, stands there twice, or nearly has the name of a field.
    """
    faults = list(_mapping_faults(fields, headings, columns))
    wanted = {plain_name(columns.get(field.key, field.key)): field for field in fields}
    left_out = {plain_name(heading) for heading in ignore}
    names = ["" if plain_name(heading) in left_out else plain_name(heading) for heading in headings]
    taken = tuple((at, headings[at], wanted[name]) for at, name in enumerate(names) if name in wanted)
    unused = tuple(heading for heading, name in zip(headings, names, strict=True) if name not in wanted)
    missing = {name: field for name, field in wanted.items() if name not in names}
    mapped = {plain_name(columns[key]) for key in columns}
    faults += _twice(taken)
    faults += [_missing(field, unused) for name, field in missing.items() if field.required and name not in mapped]
    faults += _slips([field for field in missing.values() if not field.required], unused, left_out)
    if faults:
        msg = f"The columns do not fit: {'; '.join(faults)}."
        raise BadTable(msg)
    return Plan(taken=taken, unused=tuple(filter(str.strip, unused)), width=len(headings))


def _mapping_faults(fields: Sequence[Field], headings: Sequence[str], columns: Mapping[str, str]) -> Iterator[str]:
    keys = [field.key for field in fields]
    plain = [plain_name(heading) for heading in headings]
    for key, heading in columns.items():
        if key not in keys:
            yield f"there is no field {key!r}{did_you_mean(key, keys)}"
        if plain_name(heading) not in plain:
            yield f"there is no column {heading!r}{did_you_mean(heading, headings)}"


def _twice(taken: Iterable[tuple[int, str, Field]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for _, heading, field in taken:
        if field.key in seen:
            yield f"both {seen[field.key]!r} and {heading!r} would fill {field.key!r}"
        seen[field.key] = heading


def _missing(field: Field, unused: Sequence[str]) -> str:
    part = [heading for heading in unused if plain_name(field.key) in plain_name(heading)]
    like = f" (did you mean {part[0]}?)" if part else did_you_mean(field.key, unused)
    return f'{field.key!r} is missing{like}; name its column with columns={{"{field.key}": …}}'


def _slips(optional: Sequence[Field], unused: Sequence[str], left_out: Collection[str]) -> Iterator[str]:
    """Columns that may be misspelt fields: leaving one out would lose what the shop knows."""
    keys = {plain_name(field.key): field.key for field in optional}
    for heading in unused:
        name = plain_name(heading)
        near = get_close_matches(name, keys, n=1, cutoff=_SLIP) if name not in left_out else []
        if near:
            key = keys[near[0]]
            yield f'{heading!r} is unknown (did you mean {key}?); give columns={{"{key}": …}} or ignore=[…]'
