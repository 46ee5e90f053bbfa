"""The shape of a KPI, and how shares and means become one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from ai_addons.billing.kpis.intervals import Interval, mean_interval, share_of, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from ai_addons.billing.fx_used import FxUsed
    from ai_addons.billing.kpis.facts import Facts

Verdict: TypeAlias = Literal["met", "not met", "not enough data", "denominator not supplied", "no target"]
Unit: TypeAlias = Literal["share", "GHS", "stars", "points"]

LEAST: Final = 30
"""Fewer values than this say nothing about a mean, whatever a bootstrap of them looks like."""

_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Nearest-rank percentiles of response times, milliseconds."""

    p50: int
    p95: int
    p99: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure of an operator's report.

    Attributes:
        key: Stable name.
        part: Of what, where there are several: a feature, a method; empty for all.
        name: For people.
        since: Begin of its window, UTC microseconds.
        until: Its end.
        unit: ``share``, ``GHS``, ``stars`` or ``points``.
        numerator: What is counted; None while unknown.
        denominator: Out of what; None while unknown.
        value: The figure itself; None while unknown.
        interval: Its 95 % interval; None where there is none.
        target: What it should be above; None for none.
        verdict: Whether it is.
        note: What must be known to read it.
        percentiles: Of response times only.
    """

    key: str
    part: str = ""
    name: str
    since: int
    until: int
    unit: Unit = "share"
    numerator: int | Decimal | None
    denominator: int | Decimal | None
    value: Decimal | None
    interval: Interval | None = None
    target: Decimal | None = None
    verdict: Verdict
    note: str = ""
    percentiles: Percentiles | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpis:
    """The KPIs of a window. For operators only.

    Attributes:
        days: Length of the window, today included.
        lines: The figures, in the order of a report.
        fx: The exchange rates that costs were booked at.
    """

    days: int
    lines: tuple[Kpi, ...]
    fx: tuple[FxUsed, ...] = ()

    def line(self, key: str, part: str = "") -> Kpi:
        """One of the figures.

        Raises:
            KeyError: If there is no such figure.
        """
        for line in self.lines:
            if (line.key, line.part) == (key, part):
                return line
        raise KeyError(key, part)

    def for_operator(self) -> dict[str, Any]:
        """All of it as plain data for JSON: amounts and shares are decimal strings."""
        return {
            "days": self.days,
            "lines": [_plain(line) for line in self.lines],
            "fx": [one.plain() for one in self.fx],
        }


def judge(interval: Interval | None, target: Decimal | None) -> Verdict:
    """Whether a figure is above its target, as far as its interval tells."""
    if target is None:
        return "no target"
    if interval is None:
        return "not enough data"
    low, high = interval
    if low > target:
        return "met"
    return "not met" if high <= target else "not enough data"


def share_kpi(  # noqa: PLR0913  # a figure has that many sides
    facts: Facts,
    key: str,
    name: str,
    counts: tuple[int, int],
    target: Decimal | None,
    *,
    part: str = "",
    note: str = "",
    until: int | None = None,
    percentiles: Percentiles | None = None,
) -> Kpi:
    """A share of cases, with its Wilson interval."""
    interval = wilson(*counts)
    return Kpi(
        key=key,
        part=part,
        name=name,
        since=facts.since,
        until=facts.until if until is None else until,
        numerator=counts[0],
        denominator=counts[1],
        value=share_of(*counts),
        interval=interval,
        target=target,
        verdict=judge(interval, target),
        note=note,
        percentiles=percentiles,
    )


def unsupplied(facts: Facts, key: str, name: str, target: Decimal, note: str, numerator: int | None = None) -> Kpi:
    """A figure that only the host or the gateway can complete."""
    return Kpi(
        key=key,
        name=name,
        since=facts.since,
        until=facts.until,
        numerator=numerator,
        denominator=None,
        value=None,
        target=target,
        verdict="denominator not supplied",
        note=note,
    )


def mean_kpi(  # noqa: PLR0913  # a figure has that many sides
    facts: Facts,
    key: str,
    name: str,
    values: Sequence[int],
    rng: Random,
    *,
    unit: Unit,
    scale: int,
    target: Decimal | None,
    note: str,
) -> Kpi:
    """A mean with a bootstrap interval; ``scale`` of the values are one of the unit."""
    found = mean_interval(values, rng) if len(values) >= LEAST else None
    interval = None if found is None else (_scaled(found[0], scale), _scaled(found[1], scale))
    mean = share_of(sum(values), len(values) * scale)
    few = "" if found is not None else f" Fewer than {LEAST} values say too little."
    return Kpi(
        key=key,
        name=name,
        since=facts.since,
        until=facts.until,
        unit=unit,
        numerator=share_of(sum(values), scale),
        denominator=len(values),
        value=mean,
        interval=interval,
        target=target,
        verdict=judge(interval, target),
        note=note + few,
    )


def _scaled(value: Decimal, scale: int) -> Decimal:
    found = share_of(int(value * _MICRO), scale * _MICRO)
    return found if found is not None else value


def _plain(line: Kpi) -> dict[str, Any]:
    return {part.name: _json(getattr(line, part.name)) for part in fields(line)}


def _json(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple):
        return [_json(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, Percentiles):
        return {name: getattr(value, name) for name in ("p50", "p95", "p99")}
    return value
