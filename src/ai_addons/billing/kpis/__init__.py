"""The operator's KPIs: each with what it counts, how sure it is, and whether the target is met. Pure.

A target is ``met`` only when the whole 95 % interval lies beyond it, and ``not met``
when the whole interval lies on the other side; in between there is not enough data.
All of it comes from the books, never from sampled telemetry.
"""

from __future__ import annotations

from decimal import localcontext
from typing import TYPE_CHECKING, Final

from ai_addons.billing.kpis.calls import cache, endings, responses
from ai_addons.billing.kpis.intervals import EXACT
from ai_addons.billing.kpis.money import conversion, margin, payments, refusals
from ai_addons.billing.kpis.people import promoters, rating, retention, revenue_per_user, subscribers
from ai_addons.billing.kpis.shape import Kpi, Kpis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from ai_addons.billing.fx_used import FxUsed
    from ai_addons.billing.kpis.facts import Facts

__all__ = ["Kpi", "Kpis", "make_kpis"]

_REPORT: Final[tuple[Callable[[Facts], Iterator[Kpi]], ...]] = (
    responses,
    endings,
    payments,
    conversion,
    refusals,
    cache,
    margin,
    subscribers,
)


def make_kpis(facts: Facts, rng: Random, fx: tuple[FxUsed, ...] = ()) -> Kpis:
    """Work out every KPI.

    Args:
        facts: What was counted.
        rng: Draws the resamples of means; the same seed gives the same figures.
        fx: The exchange rates that costs were booked at.
    """
    with localcontext(EXACT):
        counted = [line for lines in _REPORT for line in lines(facts)]
        means = (revenue_per_user(facts, rng), rating(facts, rng), promoters(facts, rng), retention(facts))
    return Kpis(days=facts.days, lines=(*counted, *means), fx=fx)
