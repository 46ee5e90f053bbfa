"""Spending limits: how many credits may be held and used in a day or a month. Pure.

A limit says what is allowed; a counter is the row of one window that calls are
counted in. A hold counts in the window it was taken in, also when it is
captured or voided later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.months import day_start, month_start
from ai_addons.errors import LimitReached

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from ai_addons.money import Credits

Scope: TypeAlias = Literal["operator", "business", "user", "feature"]
"""Whose spending: all businesses together, a business, one of its users, one of its features."""

Window: TypeAlias = Literal["day", "month"]
"""Calendar day or calendar month."""

Crossing: TypeAlias = Literal["ok", "warn", "refuse"]
"""What a hold does to a limit: nothing, reach the level of a warning, or go over it."""

SCOPES: Final[tuple[Scope, ...]] = ("operator", "business", "user", "feature")
WINDOWS: Final[tuple[Window, ...]] = ("day", "month")

_HOUR_US: Final = 3_600_000_000
# Longer than any such window, shorter than two of them: clocks change by an hour or two, a month has 28 to 31 days.
_INTO_NEXT: Final[dict[Window, int]] = {"day": 36 * _HOUR_US, "month": (31 * 24 + 12) * _HOUR_US}
_EACH: Final[dict[Window, str]] = {"day": "daily", "month": "monthly"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMPACT: Final = (",", ":")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many credits may be held and used in each window.

    Attributes:
        scope: Whose spending it bounds; ``operator`` is all businesses together.
        window: How long it counts.
        amount: Credits; zero stops all spending.
        business: The business it is for, None for each one.
        key: The user or the feature it is for, None for each one.

    Raises:
        ValueError: For an unknown scope or window, an amount below zero, or a
            business or key that the scope has no use for.
    """

    scope: Scope
    window: Window
    amount: Credits
    business: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would bound something else than it says."""
        wrong = _wrong_words(self) or _wrong_names(self)
        if wrong:
            raise ValueError(wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One window of one limit: the row that calls are counted in.

    Attributes:
        scope: Whose spending it counts.
        business: Which business, "" for all together.
        key: Which user or feature, "" for none.
        window: How long it counts.
        starts_at: Start of the window, UTC microseconds.
    """

    scope: Scope
    business: str
    key: str
    window: Window
    starts_at: int

    @property
    def lock_order(self) -> tuple[bool, str, Scope, str, Window, int]:
        """Sort key of the order in which counters are locked: the rows that all businesses share come last."""
        return (self.scope == "operator", self.business, self.scope, self.key, self.window, self.starts_at)


def _wrong_words(limit: Limit) -> str | None:
    """What is wrong with scope, window or amount."""
    if limit.scope not in SCOPES:
        return f"the scope of a limit is one of {', '.join(SCOPES)}, not {limit.scope!r}"
    if limit.window not in WINDOWS:
        return f"the window of a limit is one of {', '.join(WINDOWS)}, not {limit.window!r}"
    if limit.amount.micro < 0:
        return f"a limit is at least 0 credits, not {limit.amount.short}"
    return None


def _wrong_names(limit: Limit) -> str | None:
    """What is wrong with business or key."""
    if limit.scope == "operator" and limit.business is not None:
        return "a limit of scope operator counts all businesses together; leave out the business"
    if limit.scope in ("operator", "business") and limit.key is not None:
        return f"a limit of scope {limit.scope} has no key; only users and features have one"
    if "" in (limit.business, limit.key):
        return "business and key of a limit are names or None, never empty"
    return None


def applying(limits: Iterable[Limit], *, business: str, user: str | None, feature: str) -> list[Limit]:
    """The limits that hold for a call: per scope and window the most specific one.

    A limit for this business and key beats one for this business, that beats one
    for this key in any business, and that beats the one for all. Of two alike the
    stricter holds.

    Args:
        limits: All limits, in any order.
        business: Who pays.
        user: Who asked; None has no user limit.
        feature: Feature key.

    Returns:
        At most one limit per scope and window, by scope, then window.
    """
    keys = _keys(user, feature)
    fitting = [limit for limit in limits if _covers(limit, business, keys)]
    best = {(limit.scope, limit.window): limit for limit in sorted(fitting, key=_weight)}
    return [best[place] for place in ((scope, window) for scope in SCOPES for window in WINDOWS) if place in best]


def _keys(user: str | None, feature: str) -> dict[Scope, str | None]:
    """What a call is counted under in each scope; None where it is not counted."""
    return {"operator": "", "business": "", "user": user or None, "feature": feature}


def _covers(limit: Limit, business: str, keys: dict[Scope, str | None]) -> bool:
    key = keys[limit.scope]
    return key is not None and limit.business in (None, business) and limit.key in (None, key)


def _weight(limit: Limit) -> tuple[bool, bool, int]:
    """Sort key by which the limit that wins comes last."""
    return (limit.business is not None, limit.key is not None, -limit.amount.micro)


def counters(
    limits: Iterable[Limit],
    *,
    business: str,
    user: str | None,
    feature: str,
    now: int,
    tz: str,
    operator_tz: str,
) -> list[tuple[Counter, Limit]]:
    """The rows that a call taken now counts in, with the limit of each, in lock order.

    Args:
        limits: All limits, in any order.
        business: Who pays.
        user: Who asked, None if unknown.
        feature: Feature key.
        now: UTC microseconds, read inside the lock.
        tz: IANA name of the business's zone.
        operator_tz: IANA name of the operator's zone, for what all businesses share.

    Raises:
        ConfigError: For a zone that is not known.
    """
    keys = _keys(user, feature)
    found = list[tuple[Counter, Limit]]()
    for limit in applying(limits, business=business, user=user, feature=feature):
        shared = limit.scope == "operator"
        counter = Counter(
            scope=limit.scope,
            business="" if shared else business,
            key=keys[limit.scope] or "",
            window=limit.window,
            starts_at=_start(limit.window, now, operator_tz if shared else tz),
        )
        found.append((counter, limit))
    return sorted(found, key=lambda pair: pair[0].lock_order)


def _start(window: Window, at: int, tz: str) -> int:
    """Start of the window that an instant lies in."""
    return day_start(at, tz) if window == "day" else month_start(at, tz)


def resets_at(counter: Counter, tz: str) -> int:
    """Start of the next window, UTC microseconds.

    Args:
        counter: The window that is full.
        tz: IANA name of the zone it is counted in; the operator's for scope ``operator``.

    Raises:
        ConfigError: For a zone that is not known.
    """
    return _start(counter.window, counter.starts_at + _INTO_NEXT[counter.window], tz)


def crossed(limit: Limit, counted_before: Credits, amount: Credits, warn_at: Decimal) -> Crossing:
    """What happens to a limit if more is held.

    Args:
        limit: The limit.
        counted_before: Credits held and used in the window so far.
        amount: Credits to hold now; nothing more is never refused, also where a limit was lowered since.
        warn_at: Share of the limit that is worth a warning, from 0 to 1.

    Returns:
        ``refuse`` if it would go over the limit (all of it may be used), ``warn``
        if it reaches the share and had not before, else ``ok``.
    """
    after = counted_before + amount
    if amount and after > limit.amount:
        return "refuse"
    # Whole numbers on both sides, so that no decimal context of the host rounds the level.
    share, whole = warn_at.as_integer_ratio()
    level = limit.amount.micro * share
    return "warn" if counted_before.micro * whole < level <= after.micro * whole else "ok"


def refusal(counter: Counter, limit: Limit, resets_at: int) -> LimitReached:
    """The error for a call that would go over a limit.

    The operator's own amount is not told: the reader is a shop.

    Args:
        counter: The window that is full.
        limit: Its limit.
        resets_at: Start of the next window, UTC microseconds.
    """
    when = (_EPOCH + timedelta(microseconds=resets_at)).strftime("%Y-%m-%dT%H:%M:%SZ")
    each = _EACH[counter.window]
    sized = f"{each} limit of {limit.amount.short} credits"
    over = {
        "operator": f"the operator's {each} limit for all businesses together",
        "business": f"the {sized} for this business",
        "user": f"the {sized} for this user",
        "feature": f"the {sized} for the feature {counter.key}",
    }[counter.scope]
    msg = (
        f"This call would go over {over}. Nothing was charged and the model was not asked. "
        f"The limit starts afresh at {when}: wait until then, or ask for a higher limit."
    )
    return LimitReached(msg)


def dump(counters: Iterable[Counter]) -> str:
    """The counters of a hold as canonical JSON, in lock order; what the hold's row keeps."""
    ordered = sorted(counters, key=lambda counter: counter.lock_order)
    return json.dumps([[c.scope, c.business, c.key, c.window, c.starts_at] for c in ordered], separators=_COMPACT)


def load(text: str) -> list[Counter]:
    """The counters of a hold, in lock order, from what `dump` wrote."""
    rows: list[tuple[Scope, str, str, Window, int]] = json.loads(text)
    return [
        Counter(scope=scope, business=business, key=key, window=window, starts_at=starts_at)
        for scope, business, key, window, starts_at in rows
    ]
