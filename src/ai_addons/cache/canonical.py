"""The one JSON text of a value; what every keyed hash is taken over."""

from __future__ import annotations

import json
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# Made once: `json.dumps` makes an encoder for every call that has options.
_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(value: object) -> str:
    """The one JSON text of a value: keys sorted, no spaces, nothing escaped that need not be.

    >>> canonical({"b": 1, "a": ["é"]})
    '{"a":["é"],"b":1}'

    Raises:
        ValueError: For NaN and infinities, which JSON does not have.
        TypeError: For anything else that is not JSON.
    """
    return _encode(value)
