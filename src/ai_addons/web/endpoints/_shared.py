"""What several endpoints share: times, pages and their cursors."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from pydantic import Field

from ai_addons.billing.addon import period_start
from ai_addons.billing.periods import from_micros
from ai_addons.web.base import Query
from ai_addons.web.parsing import fault

if TYPE_CHECKING:
    from datetime import datetime

    from ai_addons.billing.policy import Subscription

MOST_ROWS: Final = 200
"""Rows of the largest page."""

_LONGEST_CURSOR: Final = 400


class PageQuery(Query):
    """Which page of a list."""

    cursor: str | None = Field(default=None, max_length=_LONGEST_CURSOR, description="Where the page before ended.")
    limit: int | None = Field(default=None, ge=1, le=MOST_ROWS, description="Rows of the page.")


def when(micros: int) -> datetime:
    """UTC microseconds as a time."""
    return from_micros(micros)


def maybe_when(micros: int | None) -> datetime | None:
    """The same, None for None."""
    return None if micros is None else when(micros)


def next_renewal(subscription: Subscription | None) -> datetime | None:
    """When the next month of an add-on begins; None for one that is not renewed."""
    if subscription is None or subscription.state not in {"active", "past_due"}:
        return None
    return when(period_start(subscription, subscription.paid_through + 1))


def write_cursor(kind: str, position: str) -> str:
    """A position in a list as clients carry it. It holds nothing that its owner may not know.

    Args:
        kind: Which list, so that one list's cursor is none of another.
        position: The last row's key.
    """
    return base64.urlsafe_b64encode(f"{kind}:{position}".encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str) -> str:
    """A position as `write_cursor` wrote it.

    Raises:
        ValidationFailed: If it is none of this list.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        text = ""
    known, _, position = text.partition(":")
    if known != kind or not position or "\0" in position:
        wrong = fault("cursor", ("query", "cursor"), "This is no cursor of this list. Begin without one.")
        raise wrong
    return position
