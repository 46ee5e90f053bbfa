"""A call's arguments as JSON that differs whenever they differ.

The result is hashed, never stored or sent. What JSON has no form for is written
as ``{"!": [type, …]}``, so that ``1``, ``"1"``, ``True`` and ``Decimal("1")``
stay four different values.

The text is written in one go: how a value is written depends on its type alone and
is worked out once a type, so a call with 100,000 rows costs about what it takes to
read them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from json.encoder import encode_basestring as quoted
from operator import itemgetter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from pydantic import AnyUrl, BaseModel

from ai_addons.cache.canonical import canonical
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    _Form: TypeAlias = Callable[[Any], str]

_TAG: Final = "!"
# Python refuses to print integers of thousands of digits; hexadecimal has no such limit.
_PLAIN_BITS: Final = 64
# A host may make classes while it runs, and they must be free to go.
_MOST_CLASSES: Final = 1_024


class _Opaque(TypeError):
    """A value of a type that has no stable content."""


def arguments_text(arguments: Mapping[str, object]) -> str:
    """The bound arguments of a call as canonical JSON, one entry per parameter.

    Lists and tuples count as the same; sets and mappings do not depend on their
    order. Pydantic models and dataclasses count with all their fields, those of
    a subclass included; private attributes do not count.

    >>> arguments_text({"sold": {"b": 1, "a": Decimal(2)}})
    '{"sold":{"a":{"!":["Decimal","2"]},"b":1}}'

    Raises:
        ConfigError: If an argument has no stable content (an open file, a
            generator, a plain object); it names the parameter and the type.
    """
    writer = _Writer()
    return _object((name, _argument(writer, name, arguments[name])) for name in sorted(arguments))


def _argument(writer: _Writer, name: str, value: object) -> str:
    try:
        return writer.text(value)
    except _Opaque as found:
        what = f"a value of type {found}"
    except RecursionError:
        what = "a value that contains itself or is nested too deeply"
    msg = (
        f"The argument {name!r} is or holds {what}, so a repeat of this call could not be recognised. "
        "Nothing was charged. Pass a pydantic model, a dataclass or built-in types."
    )
    raise ConfigError(msg) from None


class _Forms(dict[type, "_Form"]):
    """How values are written, by their exact type; a type that is new is learnt with its first value."""

    def __init__(self, learn: _Form) -> None:
        super().__init__(_EXACT_FORMS)
        self._learn = learn

    def __missing__(self, kind: type) -> _Form:
        return self._learn


class _Days(dict[date, str]):
    """Days as they are written; a shop's rows are of few days."""

    def __missing__(self, day: date) -> str:
        text = self[day] = f'{{"{_TAG}":["date","{day.isoformat()}"]}}'
        return text


class _Writer:
    """Writes the values of one call; what it has found out about them ends with it."""

    __slots__ = ("_forms",)

    def __init__(self) -> None:
        self._forms = _Forms(self._first)
        self._forms[date] = _Days().__getitem__

    def text(self, value: object) -> str:
        """One value as canonical JSON."""
        return self._forms[type(value)](value)

    def _first(self, value: object) -> str:
        """The first value of a type."""
        form = self._scalar(value) or self._compound(value)
        # A proxy passes for what it holds, which may be something else the next time.
        if value.__class__ is type(value):
            self._forms[type(value)] = form
        return form(value)

    def _scalar(self, value: object) -> _Form | None:
        """Enums come first because they may also be strings or numbers."""
        if isinstance(value, Enum):
            return _enum
        return next((form for kind, form in _SCALARS if isinstance(value, kind)), None)

    def _compound(self, value: object) -> _Form:
        if isinstance(value, Mapping):
            return self._mapping
        if isinstance(value, list | tuple):
            return self._sequence
        if isinstance(value, AbstractSet):
            return self._set
        if isinstance(value, BaseModel):
            return self._model(type(value))
        if is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(type(value))
        return _text_form(value)

    def _sequence(self, value: Iterable[object]) -> str:
        forms = self._forms
        return f"[{','.join([forms[type(one)](one) for one in value])}]"

    def _set(self, value: Iterable[object]) -> str:
        return _tagged(quoted("set"), f"[{','.join(sorted([self.text(one) for one in value]))}]")

    def _mapping(self, value: Mapping[Any, object]) -> str:
        """An object where the keys allow it, else pairs."""
        if all(isinstance(key, str) and not isinstance(key, Enum) for key in value) and _TAG not in value:
            return _object((key, self.text(one)) for key, one in sorted(value.items(), key=itemgetter(0)))
        pairs = sorted([f"[{self.text(key)},{self.text(one)}]" for key, one in value.items()])
        return _tagged(quoted("mapping"), f"[{','.join(pairs)}]")

    def _model(self, kind: type[BaseModel]) -> _Form:
        """Every field as it stands, also those that the model leaves out of its own JSON."""
        names, read = _model_fields(kind)
        if kind.model_config.get("extra") != "allow" and _TAG not in names:
            return self._record("model", kind, names, read)
        head = quoted("model"), quoted(_name(kind))

        def form(value: BaseModel) -> str:
            own = dict(zip(names, read(value), strict=True))
            return _tagged(*head, self._mapping(own | (value.model_extra or {})))

        return form

    def _dataclass(self, kind: type) -> _Form:
        names = sorted(part.name for part in fields(kind))
        return self._record("dataclass", kind, names, lambda value: [getattr(value, name) for name in names])

    def _record(self, word: str, kind: type, names: Sequence[str], read: Callable[[Any], Iterable[object]]) -> _Form:
        """A type whose fields are always the same: the text between them is made once."""
        texts = [*_frame(word, kind, tuple(names))]
        forms = self._forms

        def form(value: object) -> str:
            # The values are written before any is put in place: one of them may be of this very type.
            texts[1::2] = [forms[type(one)](one) for one in read(value)]
            return "".join(texts)

        return form


@lru_cache(maxsize=_MOST_CLASSES)
def _frame(word: str, kind: type, names: tuple[str, ...]) -> tuple[str, ...]:
    """The text around the values of a class, with an empty text in the place of each."""
    gap = "\0"  # In quoted text it cannot stand.
    slots = ",".join(f"{quoted(name)}:{gap}" for name in names)
    texts = [""] * (2 * len(names) + 1)
    texts[::2] = _tagged(quoted(word), quoted(_name(kind)), f"{{{slots}}}").split(gap)
    return tuple(texts)


@lru_cache(maxsize=_MOST_CLASSES)
def _model_fields(kind: type[BaseModel]) -> tuple[tuple[str, ...], Callable[[BaseModel], Iterable[object]]]:
    """The fields of a model in order, and what reads them."""
    names = tuple(sorted(kind.model_fields))
    return names, _fields_of(kind, names)


def _fields_of(kind: type[BaseModel], names: Sequence[str]) -> Callable[[BaseModel], Iterable[object]]:
    """Reads the fields of a model from where pydantic keeps them, at half the cost of asking for each by name."""
    # With one name, `itemgetter` would give the value alone.
    many = itemgetter(*names) if len(names) > 1 else None

    def read(value: BaseModel) -> Iterable[object]:
        kept = value.__dict__
        try:
            return [kept[name] for name in names] if many is None else many(kept)
        except KeyError as missing:
            what = f"{_name(kind)} without a value for {missing}"
            raise _Opaque(what) from None

    return read


def _object(entries: Iterable[tuple[str, str]]) -> str:
    """A JSON object of entries in order, the values written already."""
    return f"{{{','.join([f'{quoted(key)}:{text}' for key, text in entries])}}}"


def _tagged(*texts: str) -> str:
    return f'{{"{_TAG}":[{",".join(texts)}]}}'


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _text_form(value: object) -> _Form:
    form = next((form for kind, form in _TEXT_FORMS if isinstance(value, kind)), None)
    if form is None:
        raise _Opaque(_name(type(value)))
    return form


def _enum(value: Enum) -> str:
    return canonical({_TAG: ["enum", _name(type(value)), value.name]})


def _bool(value: object) -> str:
    return "true" if value else "false"


def _int(value: int) -> str:
    return int.__repr__(value) if value.bit_length() < _PLAIN_BITS else _tagged(quoted("int"), quoted(hex(value)))


def _float(value: float) -> str:
    return float.__repr__(value) if math.isfinite(value) else _tagged(quoted("float"), quoted(str(value)))


def _base64(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode()


def _span(value: timedelta) -> str:
    return f"{value.days}d {value.seconds}s {value.microseconds}us"


def _decimal(value: Decimal) -> str:
    return '{"!":["Decimal","' + str(value) + '"]}'


def _worded(kind: type, written: Callable[[Any], str]) -> tuple[type, _Form]:
    """A type that is written as text beside its name."""
    head = f'{{"{_TAG}":["{kind.__name__}",'
    return kind, lambda value: f"{head}{quoted(written(value))}]}}"


# A truth value is a number as well, so it stands before it.
_SCALARS: Final[tuple[tuple[type, _Form], ...]] = (
    (type(None), lambda _value: "null"),
    (bool, _bool),
    (str, quoted),
    (int, _int),
    (float, _float),
)
# A datetime is a date as well, so it stands before it.
_TEXT_FORMS: Final[tuple[tuple[type, _Form], ...]] = (
    _worded(Decimal, str),
    _worded(datetime, datetime.isoformat),
    _worded(date, date.isoformat),
    _worded(time, time.isoformat),
    _worded(timedelta, _span),
    _worded(UUID, str),
    _worded(bytes, _base64),
    _worded(bytearray, _base64),
    _worded(PurePath, str),
    _worded(IPv4Address, str),
    _worded(IPv6Address, str),
    _worded(AnyUrl, str),
)
# A subclass could write itself as anything, so it takes the longer way.
_EXACT_FORMS: Final[dict[type, _Form]] = dict((*_SCALARS, *_TEXT_FORMS)) | {Decimal: _decimal}
