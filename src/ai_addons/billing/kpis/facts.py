"""What the KPIs are worked out from: plain counts and sums of a window. Pure data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.billing.hits import CacheUse
    from ai_addons.billing.margin import MarginTable

Served: TypeAlias = Literal["provider", "cache", "rules", "offline"]
"""Who answered: a provider was asked, a stored answer, code alone, the offline model."""

GRANT_WITHIN: Final = 300_000_000
"""Five minutes in microseconds: how soon a confirmed payment must be granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """Calls that took equally long.

    Attributes:
        feature: Key of the feature.
        served: Who answered.
        latency_ms: How long each took; None if nobody knows.
        given_up: Whether they ran out of time or nobody knows their end: slow, however short the time says.
        calls: How many.
    """

    feature: str
    served: Served
    latency_ms: int | None
    given_up: bool
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """How accepted calls ended in the books.

    Attributes:
        ok: With an answer.
        failed: Without one, everything that was held given back.
        unknown: Their hold expired; nobody knows.
        stuck: Holds still open although their time is over.
        twice: Charges beyond the first of one call.
        unlogged: Holds that ended without a line in the call log.
    """

    ok: int = 0
    failed: int = 0
    unknown: int = 0
    stuck: int = 0
    twice: int = 0
    unlogged: int = 0

    @property
    def accepted(self) -> int:
        """All of them."""
        return self.ok + self.failed + self.unknown + self.stuck + self.unlogged

    @property
    def correct(self) -> int:
        """Those that were captured or fully released, once."""
        return max(self.ok + self.failed - self.twice, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A payment that its gateway says succeeded.

    Attributes:
        reference: The attempt, by the name that gateway and books know.
        order: The order it pays, None where the books do not know it.
        confirmed_at: When it succeeded, UTC microseconds; None if the gateway does not say.
        granted_at: When the order was granted, None if it was not.
    """

    reference: str
    order: str | None
    confirmed_at: int | None
    granted_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentScore:
    """How confirmed payments were granted.

    Attributes:
        confirmed: Orders with a success at the gateway.
        in_time: Those that were granted within five minutes.
        missing: Those that were not granted at all.
    """

    confirmed: int
    in_time: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Orders that were begun with one method.

    Attributes:
        method: E.g. ``MOMO``; empty while the payer had not chosen.
        initiated: Orders.
        paid: Those that were paid.
    """

    method: str
    initiated: int
    paid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Attempts that came to nothing for one reason.

    Attributes:
        method: As in `Conversion`.
        reason: What the gateway said, in our word for it or its own.
        attempts: How many.
    """

    method: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is counted.

    Attributes:
        days: Length of the window, today included.
        since: Its begin, UTC microseconds.
        until: Its end, now.
        scored_until: End of the window of payments, a day earlier: until then they may still come.
        responses: Calls by how long they took.
        endings: How calls ended.
        cache: Use of the answer cache by feature.
        margins: What was earned by feature, by the grants that paid.
        users: Businesses with a charged call, each with what was paid for the credits it used, micro-GHS.
        former_users: Those with a charged call in the window before, of the same length.
        buyers: Businesses that paid an order.
        active: The host's subscribers now; None if it does not say.
        active_before: Those at the begin of the window; None if it does not say.
        payments: Confirmed payments by the gateways' own lists; None where they were not asked.
        granted: Orders that our own rows say were granted.
        conversion: Orders by method.
        refusals: Attempts that came to nothing.
        ratings: How often each rating was given.
        recommends: How often each answer to the question of recommendation was given.
    """

    days: int
    since: int
    until: int
    scored_until: int
    responses: tuple[Responses, ...]
    endings: Endings
    cache: tuple[CacheUse, ...]
    margins: MarginTable
    users: Mapping[str, int]
    former_users: frozenset[str]
    buyers: frozenset[str]
    active: frozenset[str] | None = None
    active_before: frozenset[str] | None = None
    payments: PaymentScore | None = None
    granted: int = 0
    conversion: tuple[Conversion, ...] = ()
    refusals: tuple[Refusals, ...] = ()
    ratings: Mapping[int, int] = field(default_factory=dict[int, int])
    recommends: Mapping[int, int] = field(default_factory=dict[int, int])


def score_payments(confirmed: Iterable[Confirmed]) -> PaymentScore:
    """Count confirmed payments by order: one that was paid twice is one order.

    A payment whose order the books do not know counts as one that was not granted, and
    one whose time the gateway does not tell as one that was not granted in time.
    """
    first: dict[str, Confirmed] = {}
    for one in sorted(confirmed, key=lambda one: (one.confirmed_at is None, one.confirmed_at or 0)):
        first.setdefault(one.reference if one.order is None else one.order, one)
    states = Counter(_state(one) for one in first.values())
    return PaymentScore(confirmed=len(first), in_time=states["in_time"], missing=states["missing"])


def _state(one: Confirmed) -> str:
    if one.granted_at is None:
        return "missing"
    if one.confirmed_at is None or one.granted_at - one.confirmed_at > GRANT_WITHIN:
        return "late"
    return "in_time"
