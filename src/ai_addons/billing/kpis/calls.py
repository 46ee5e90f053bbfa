"""KPIs of calls: how fast, how they end in the books, how often the cache answers. Pure."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.hits import total_use
from ai_addons.billing.kpis.intervals import percentile
from ai_addons.billing.kpis.shape import Kpi, Percentiles, share_kpi

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.billing.kpis.facts import Facts, Responses

FAST_MS: Final = 3_000
"""What counts as a fast answer."""

FAST_SHARE: Final = Decimal("0.95")
"""Share of calls that should be fast: the same as a 95th percentile of three seconds."""

CORRECT: Final = Decimal("0.99")
CACHE_HITS: Final = Decimal("0.40")

_PERCENTILES: Final = (Decimal("0.50"), Decimal("0.95"), Decimal("0.99"))

_AT_THE_BOUNDARY: Final = (
    "From the call to the booking of its answer, with retries, masking and the wait for the books; the commit and "
    "the restoring of names are not in it. A timeout counts as slow."
)


def responses(facts: Facts) -> Iterator[Kpi]:
    """Provider-served and cached calls apart: a mean over both hides how slow the first ones are."""
    for served, name in (("provider", "served by a provider"), ("cache", "from the cache")):
        own = [one for one in facts.responses if one.served == served]
        yield _fast(facts, served, f"Answers within 3 s, {name}", own, FAST_SHARE)
        for feature in sorted({one.feature for one in own}):
            those = [one for one in own if one.feature == feature]
            yield _fast(facts, f"{served}:{feature}", f"Answers within 3 s, {name}: {feature}", those, None)


def _fast(facts: Facts, part: str, name: str, own: Sequence[Responses], target: Decimal | None) -> Kpi:
    known = [one for one in own if one.given_up or one.latency_ms is not None]
    fast = sum(one.calls for one in known if not one.given_up and (one.latency_ms or 0) <= FAST_MS)
    untimed = sum(one.calls for one in own) - sum(one.calls for one in known)
    note = _AT_THE_BOUNDARY + (f" {untimed} calls were not timed and are left out." if untimed else "")
    counts = fast, sum(one.calls for one in known)
    return share_kpi(facts, "response", name, counts, target, part=part, note=note, percentiles=_percentiles(own))


def _percentiles(own: Sequence[Responses]) -> Percentiles | None:
    times = Counter[int]()
    for one in own:
        if one.latency_ms is not None:
            times[one.latency_ms] += one.calls
    found = [percentile(times, part) for part in _PERCENTILES]
    p50, p95, p99 = found
    return None if p50 is None or p95 is None or p99 is None else Percentiles(p50=p50, p95=p95, p99=p99)


def endings(facts: Facts) -> Iterator[Kpi]:
    """How calls end in the books, and how many have an answer."""
    ends = facts.endings
    note = (
        f"Without refused calls. A failed call whose credits came back is correct. Not correct: {ends.unknown} holds "
        f"that expired, {ends.stuck} stuck, {ends.twice} charged twice, {ends.unlogged} without a line in the log."
    )
    counts = ends.correct, ends.accepted
    yield share_kpi(facts, "credits_correct", "Credit transactions that end correctly", counts, CORRECT, note=note)
    answered = ends.ok, ends.ok + ends.failed + ends.unknown
    yield share_kpi(facts, "ai_success", "Calls with an answer", answered, None, note="Answers by rules included.")


def cache(facts: Facts) -> Iterator[Kpi]:
    """How often the answer cache answered what it could have answered."""
    total, name = total_use(facts.cache), "Cache hits of cacheable calls"
    saved = f"The models took USD {total.saved_usd:f} for the answers that were given again."
    note = f"{saved} Replays of a key are not in it."
    yield share_kpi(facts, "cache_hits", name, (total.hits, total.cacheable), CACHE_HITS, note=note)
    for use in facts.cache:
        if use.cacheable:
            counts = use.hits, use.cacheable
            yield share_kpi(facts, "cache_hits", f"{name}: {use.feature}", counts, None, part=use.feature)
