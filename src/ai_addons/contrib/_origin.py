"""Whether a request that changes something comes from the host's own pages, where cookies say who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ai_addons.web.errors import CsrfFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def check_origin(method: str, headers: Mapping[str, str], *, own: str, trusted: Collection[str] = ()) -> None:
    """Refuse a request that a page of somebody else may have made the browser send.

    A browser says where a POST comes from in ``Origin``, and only for very old ones ``Referer`` must do (OWASP,
    "Verifying origin with standard headers"). One that says nothing is refused too.

    Args:
        method: The request's.
        headers: By lower-case name.
        own: The origin that was asked, e.g. ``https://shop.example``.
        trusted: Other origins of the host's own, e.g. that which a proxy in front of it has.

    Raises:
        CsrfFailed: If it comes from elsewhere, or does not say.
    """
    if method in _SAFE:
        return
    said = headers.get("origin") or _origin_of(headers.get("referer", ""))
    if said is None or said.lower() not in {own.lower(), *(origin.rstrip("/").lower() for origin in trusted)}:
        raise CsrfFailed


def _origin_of(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None
