"""One JSON document over HTTP: exact numbers, bounded in time and size."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from ai_addons.billing.fx.base import RateUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_MOST_BYTES: Final = 262_144
_OK: Final = 200


def get_json(
    url: str, *, seconds: float, query: Mapping[str, str] | None = None, transport: httpx.BaseTransport | None = None
) -> dict[str, Any]:
    """Get a JSON object, its numbers exact; redirects are not followed.

    Args:
        url: Where.
        seconds: For each step: connecting, sending, each part of the answer.
        query: Parameters; they may hold a key, so no error repeats them.
        transport: What carries the request, for tests; None for the network.

    Raises:
        RateUnavailable: If there is no such answer.
    """
    return _object(_body(url, seconds, dict(query or {}), transport))


def _body(url: str, seconds: float, query: dict[str, str], transport: httpx.BaseTransport | None) -> bytes:
    import httpx  # noqa: PLC0415  # hosts with a static rate never load it

    body = bytearray()
    try:
        with (
            httpx.Client(timeout=seconds, transport=transport) as client,
            client.stream("GET", url, params=query or None, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != _OK:
                msg = f"it answered {answer.status_code}"
                raise RateUnavailable(msg)
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    msg = "its answer is too long"
                    raise RateUnavailable(msg)
    except httpx.TimeoutException:
        msg = "no answer in time"
        raise RateUnavailable(msg) from None
    except (httpx.RequestError, httpx.InvalidURL):
        # The error's own text may quote the address, and that a key.
        msg = "it could not be reached"
        raise RateUnavailable(msg) from None
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        msg = "its answer is no JSON"
        raise RateUnavailable(msg) from None
    if not isinstance(found, dict):
        msg = "its answer is no JSON object"
        raise RateUnavailable(msg)
    return cast("dict[str, Any]", found)


def _no_number(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise ValueError(name)
