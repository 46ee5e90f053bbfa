"""Asking the sources, one after the other, until one gives a rate that is good and fresh."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ai_addons.billing.fx.base import RateUnavailable, day_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_addons.billing.fx.base import FxRate, RateSource
    from ai_addons.billing.fx.rules import RateRules

CheckOutcome: TypeAlias = Literal["good", "refused", "failed"]

logger: logging.Logger = logging.getLogger("ai_addons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking one source.

    Attributes:
        source: Its name in the settings.
        rate: What it said; None if it gave nothing that can be used.
        fault: Why that is not taken, or why there is none; None for a good rate.
    """

    source: str
    rate: FxRate | None
    fault: str | None

    @property
    def outcome(self) -> CheckOutcome:
        """In one word."""
        if self.rate is None:
            return "failed"
        return "good" if self.fault is None else "refused"


def ask(
    sources: Iterable[tuple[str, RateSource]],
    rules: RateRules,
    last: FxRate | None,
    now: int,
    stopped: Callable[[], bool],
) -> tuple[Asked, ...]:
    """Ask until a rate is good and not old.

    One that is good but old is kept and the next source asked too: a list that stands
    still must not keep a fresh one away.

    Args:
        sources: In order, each with its name.
        rules: What to believe.
        last: The last good rate.
        now: UTC microseconds.
        stopped: Whether to ask no more.
    """
    today, asked = day_at(now), list[Asked]()
    for name, source in sources:
        if stopped():
            break
        one = _ask(name, source, rules, last, now)
        asked.append(one)
        if one.rate is not None and one.fault is None and not rules.is_old(one.rate, today):
            break
    return tuple(asked)


def best(asked: Iterable[Asked]) -> FxRate | None:
    """The good rate of the latest day; of several of one day the one asked for first."""
    good = [one.rate for one in asked if one.rate is not None and one.fault is None and one.rate.kind != "static"]
    return max(good, key=lambda rate: rate.as_of, default=None)


def _ask(name: str, source: RateSource, rules: RateRules, last: FxRate | None, now: int) -> Asked:
    try:
        rate = source.fetch(now)
    except RateUnavailable as reason:
        return Asked(source=name, rate=None, fault=str(reason))
    except Exception:  # a plug-in's mistake must not keep the other sources from being asked
        logger.exception("the rate source %s failed", name)
        return Asked(source=name, rate=None, fault="it failed in its own code; the log says how")
    return Asked(source=name, rate=rate, fault=rules.fault(rate, last, day_at(now)))
