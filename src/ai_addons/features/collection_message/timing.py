"""Whether, when and in which tone a reminder may be written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ai_addons.privacy.fields import Bucket

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ai_addons.features.collection_message.models import (
        BlockedReason,
        CollectionPolicy,
        CollectionRequest,
        Stage,
        Tone,
    )

TONES: Final[Mapping[Stage, Tone]] = {0: "friendly", 1: "friendly", 2: "neutral", 3: "firm", 4: "firm"}
"""Tone of each stage; set by hand."""

_STAGES: Final[tuple[Stage, ...]] = (0, 1, 2, 3, 4)
_WEEK: Final = 7


def days_overdue(request: CollectionRequest) -> int:
    """Days since the due date; 0 or less up to that day."""
    return (request.as_of - request.due_date).days


def stage_of(days: int, policy: CollectionPolicy) -> Stage:
    """The stage of a bill: 0 up to its due date, then by the policy's edges.

    Args:
        days: Days overdue.
        policy: Its ``stage_edges`` are the last days of stages 1 to 3; the defaults are set by hand.
    """
    edges = (0, *policy.stage_edges)
    return _STAGES[sum(days > edge for edge in edges)]


def amount_band(request: CollectionRequest, policy: CollectionPolicy) -> str:
    """The band of the sum owed, in whole cedis; the exact sum is never sent."""
    return Bucket(*policy.amount_edges).band(request.outstanding)


def stop_reason(request: CollectionRequest, policy: CollectionPolicy) -> BlockedReason | None:
    """Why no reminder may be written; None if one may.

    Ask again with fresh figures just before sending: a bill may have been paid since.
    """
    rules: tuple[tuple[BlockedReason, bool], ...] = (
        ("opted_out", request.opted_out),
        ("no_consent", not request.consent),
        ("nothing_outstanding", request.outstanding == 0),
        ("dispute_open", request.dispute_open),
        ("promise_pending", request.promise_date is not None and request.as_of <= request.promise_date),
        ("contacted_enough", request.contacts_last_7d >= policy.most_contacts_7d),
    )
    return next((reason for reason, holds in rules if holds), None)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: If there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"There is no time zone {name!r}; nothing was charged. Use an IANA name such as 'Africa/Accra'."
        raise ValueError(msg) from None


def first_day(request: CollectionRequest, policy: CollectionPolicy) -> date:
    """The first day to send on: not too soon after the last contact, and one of the week's sending days."""
    rest = 0 if request.last_contact_days is None else max(0, policy.rest_days - request.last_contact_days)
    day = request.as_of + timedelta(days=rest)
    return next(
        later for later in (day + timedelta(days=n) for n in range(_WEEK)) if later.weekday() in policy.weekdays
    )


def send_window(request: CollectionRequest, policy: CollectionPolicy, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When to send: from the first moment to the last, both in that zone and on one day.

    Source of the default hours (08:00 to 19:00, Monday to Saturday): the rules for promotional business SMS in
    Ghana, as read in secondary sources.
    """
    day = first_day(request, policy)
    return datetime.combine(day, policy.opens, zone), datetime.combine(day, policy.closes, zone)
