"""A call's arguments as JSON that differs whenever they differ.

The result is hashed, never stored or sent. What JSON has no form for is written
as ``{"!": [type, …]}``, so that ``1``, ``"1"``, ``True`` and ``Decimal("1")``
stay four different values.
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
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from pydantic import AnyUrl, BaseModel

from ai_addons.cache.canonical import canonical
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_addons.cache.canonical import Json

_TAG: Final = "!"
# Python refuses to print integers of thousands of digits; hexadecimal has no such limit.
_PLAIN_BITS: Final = 64


class _Opaque(TypeError):
    """A value of a type that has no stable content."""


def arguments_json(arguments: Mapping[str, object]) -> dict[str, Json]:
    """The bound arguments of a call as JSON, one entry per parameter.

    Lists and tuples count as the same; sets and mappings do not depend on their
    order. Pydantic models and dataclasses count with all their fields, those of
    a subclass included; private attributes do not count.

    Raises:
        ConfigError: If an argument has no stable content (an open file, a
            generator, a plain object); it names the parameter and the type.
    """
    return {name: _argument(name, value) for name, value in arguments.items()}


def _argument(name: str, value: object) -> Json:
    try:
        return _plain(value)
    except _Opaque as found:
        what = f"a value of type {found}"
    except RecursionError:
        what = "a value that contains itself or is nested too deeply"
    msg = (
        f"The argument {name!r} is or holds {what}, so a repeat of this call could not be recognised. "
        "Nothing was charged. Pass a pydantic model, a dataclass or built-in types."
    )
    raise ConfigError(msg) from None


def _plain(value: object) -> Json:
    """One value; enums come first because they may also be strings or numbers."""
    if isinstance(value, Enum):
        return _tagged("enum", _type_name(value), value.name)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return _number(value)
    return _compound(value)


def _number(value: float) -> Json:
    if isinstance(value, int):
        return value if value.bit_length() < _PLAIN_BITS else _tagged("int", hex(value))
    return value if math.isfinite(value) else _tagged("float", str(value))


def _compound(value: object) -> Json:
    if isinstance(value, Mapping):
        return _mapping(cast("Mapping[object, object]", value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("Iterable[object]", value)]
    if isinstance(value, AbstractSet):
        return _tagged("set", sorted((_plain(item) for item in cast("Iterable[object]", value)), key=canonical))
    if isinstance(value, BaseModel):
        return _tagged("model", _type_name(value), _mapping(_model_fields(value)))
    if is_dataclass(value) and not isinstance(value, type):
        return _tagged(
            "dataclass", _type_name(value), {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
        )
    return _text_form(value)


def _mapping(value: Mapping[Any, object]) -> Json:
    """An object where the keys allow it, else pairs."""
    if all(isinstance(key, str) and not isinstance(key, Enum) for key in value) and _TAG not in value:
        return {key: _plain(item) for key, item in value.items()}
    return _tagged("mapping", sorted(([_plain(key), _plain(item)] for key, item in value.items()), key=canonical))


def _model_fields(value: BaseModel) -> dict[str, object]:
    """Every field as it stands, also those that the model leaves out of its own JSON."""
    return {name: getattr(value, name) for name in type(value).model_fields} | (value.model_extra or {})


def _text_form(value: object) -> Json:
    for kind, form in _TEXT_FORMS:
        if isinstance(value, kind):
            return _tagged(kind.__name__, form(value))
    raise _Opaque(_type_name(value))


def _tagged(*parts: Json) -> Json:
    return {_TAG: list(parts)}


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _base64(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode()


def _span(value: timedelta) -> str:
    return f"{value.days}d {value.seconds}s {value.microseconds}us"


# A datetime is a date as well, so it stands before it.
_TEXT_FORMS: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (Decimal, str),
    (datetime, datetime.isoformat),
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, _span),
    (UUID, str),
    (bytes, _base64),
    (bytearray, _base64),
    (PurePath, str),
    (IPv4Address, str),
    (IPv6Address, str),
    (AnyUrl, str),
)
