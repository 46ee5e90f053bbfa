"""What the words of a dashboard may cite, and how it is written down for the model."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from ai_addons.features import _facts
from ai_addons.features._facts import letters
from ai_addons.features._names import named
from ai_addons.features._result import Fact
from ai_addons.features.portfolio_dashboard.kpis import SMALLEST_GROUP, change, ratio
from ai_addons.features.portfolio_dashboard.models import BUCKETS, RollRates
from ai_addons.features.portfolio_dashboard.scores import rounded, rounded_down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ai_addons.features.portfolio_dashboard.kpis import Measure, Unit
    from ai_addons.features.portfolio_dashboard.models import (
        Area,
        CustomerFigures,
        PortfolioFigures,
        ReceivablesFigures,
        RiskRow,
        SalesRow,
    )
    from ai_addons.features.portfolio_dashboard.scores import Board, Scored

MOST_STOREFRONTS: Final = 3
MOST_CATEGORIES: Final = 10
MOST_RISKS: Final = 10
MOST_ALERTS: Final = 6
_WHOLE: Final = Decimal(1)
_TENTH: Final = Decimal("0.1")
_TRENDS: Final[Mapping[int, Literal["up", "down", "flat"]]] = {1: "up", 0: "flat", -1: "down"}
_HUNDRED: Final = 100
_FIRST: Final = {"storefront": "S", "category": "K"}


@dataclass(frozen=True, slots=True)
class Briefed:
    """A fact with the area it belongs to; None for one of the whole business."""

    fact: Fact
    area: Area | None


@dataclass(frozen=True, slots=True)
class Briefing:
    """What may be cited.

    Attributes:
        facts: By key.
        areas: The area of each key that belongs to one.
        alerts: Keys of the alerts that are cited, in the board's order.
    """

    facts: Mapping[str, Fact]
    areas: Mapping[str, Area]
    alerts: tuple[str, ...]

    def own(self, area: Area) -> frozenset[str]:
        """The keys of an area."""
        return frozenset(key for key, found in self.areas.items() if found == area)


def briefing(figures: PortfolioFigures, board: Board) -> Briefing:
    """All that may be cited; what cannot be computed is left out."""
    alerts = tuple(_alert_facts(board))
    everything = (
        *_score_facts(board),
        *(_kpi(kpi) for kpi in board.kpis if kpi.measure.value is not None),
        *(_credit_facts(figures.receivables) if figures.receivables else ()),
        *(_segment_facts(figures.customers) if figures.customers else ()),
        *_index_facts(figures),
        *_sales_rows("storefront", storefronts(figures), figures.storefronts),
        *_sales_rows("category", categories(figures), figures.categories),
        *_risk_rows(risks(figures)),
        *alerts,
    )
    return Briefing(
        facts={one.fact.key: one.fact for one in everything},
        areas={one.fact.key: one.area for one in everything if one.area is not None},
        alerts=tuple(one.fact.key for one in alerts),
    )


def storefronts(figures: PortfolioFigures) -> Sequence[SalesRow]:
    """Those that changed most in GHS."""
    return _moved_most(figures.storefronts, MOST_STOREFRONTS)


def categories(figures: PortfolioFigures) -> Sequence[SalesRow]:
    """Those that changed most in GHS."""
    return _moved_most(figures.categories, MOST_CATEGORIES)


def _moved_most(rows: Iterable[SalesRow], most: int) -> Sequence[SalesRow]:
    return sorted(rows, key=lambda row: (-abs(row.sales - row.sales_prior), row.name))[:most]


def risks(figures: PortfolioFigures) -> Sequence[RiskRow]:
    """Those with the most money likely unpaid."""
    return sorted(figures.risks, key=lambda row: (-row.expected_unpaid, -row.overdue, row.name))[:MOST_RISKS]


def trend_word(measure: Measure) -> Literal["up", "down", "flat"] | None:
    """Which way a figure moves."""
    return None if measure.trend is None else _TRENDS[measure.trend]


def kpi_fact(measure: Measure) -> Fact:
    """A figure as a fact.

    Raises:
        ValueError: If it could not be computed.
    """
    fact = _BY_UNIT[measure.unit](measure.key, measure.label, rounded(measure.known))
    return fact.model_copy(update={"n": measure.n})


def _money(key: str, label: str, value: Decimal) -> Fact:
    return _facts.money(key, label, value)


def _share(key: str, label: str, value: Decimal) -> Fact:
    return _facts.percent(key, label, value)


def _change(key: str, label: str, value: Decimal) -> Fact:
    return _facts.percent(key, label, value, signed=True)


def _points(key: str, label: str, value: Decimal) -> Fact:
    """A change of a share: 0.021 is 2.1 points."""
    return _signed(key, label, value, value * _HUNDRED, "points")


def _day_change(key: str, label: str, value: Decimal) -> Fact:
    return _signed(key, label, value, value, "days")


def _signed(key: str, label: str, value: Decimal, shown: Decimal, word: str) -> Fact:
    text = f"{shown.quantize(_TENTH, ROUND_HALF_UP) + 0:+} {word}"
    kind = "days" if word == "days" else "points"
    sign: Literal[-1, 0, 1] = 0 if value == 0 else 1 if value > 0 else -1
    return Fact(key=key, label=label, kind=kind, value=value, text=text, sign=sign)


def _number(key: str, label: str, value: Decimal) -> Fact:
    return _facts.count(key, label, int(value))


_BY_UNIT: Final[Mapping[Unit, Callable[[str, str, Decimal], Fact]]] = {
    "money": _money,
    "share": _share,
    "change": _change,
    "points": _points,
    "days": _facts.days,
    "day_change": _day_change,
    "count": _number,
}


def _kpi(kpi: Scored) -> Briefed:
    return Briefed(kpi_fact(kpi.measure), kpi.measure.area)


def _score_facts(board: Board) -> Iterator[Briefed]:
    if board.health is not None and board.status is not None:
        yield Briefed(_facts.points("health.score", "health score", rounded_down(board.health), _HUNDRED), None)
        yield Briefed(_facts.words("health.status", "what it says", board.status), None)
    for part in board.areas:
        points = _facts.points(f"{part.area}.score", "score", rounded_down(part.score), _HUNDRED)
        yield Briefed(points, part.area)
        yield Briefed(_facts.words(f"{part.area}.status", "what it says", part.status), part.area)


def _credit_facts(owed: ReceivablesFigures) -> Iterator[Briefed]:
    """Ageing and roll rates; a bucket of fewer than five customers is left out."""
    for name in BUCKETS:
        bucket = owed.ageing.bucket(name)
        share = ratio(bucket.amount, owed.ageing.owed())
        if share is not None and not 0 < bucket.customers < SMALLEST_GROUP:
            yield Briefed(_facts.percent(f"ageing.{name}", "of all that is owed", rounded(share)), "credit")
    for source in RollRates.model_fields:
        rate: Decimal | None = getattr(owed.roll_rates, source)
        if rate is not None:
            yield Briefed(_facts.percent(f"roll.{source}", "moved to the next bucket", rate), "credit")


def _segment_facts(figures: CustomerFigures) -> Iterator[Briefed]:
    """Shares of all customers and of all spend; a segment of fewer than five customers is left out."""
    everybody = sum(segment.customers for segment in figures.segments)
    total = sum((segment.spend for segment in figures.segments), Decimal(0))
    for segment in figures.segments:
        if segment.customers < SMALLEST_GROUP:
            continue
        people, spend = Fraction(segment.customers, everybody), ratio(segment.spend, total)
        fact = _facts.percent(f"segment.{segment.name}", "of all customers", rounded(people), n=segment.customers)
        yield Briefed(fact, "retention")
        if spend is not None:
            yield Briefed(_facts.percent(f"spend.{segment.name}", "of all spend", rounded(spend)), "retention")


def index(amounts: Sequence[Decimal]) -> tuple[int, ...]:
    """Amounts with the first one as 100; nothing if that is 0."""
    if not amounts or amounts[0] <= 0:
        return ()
    return tuple(int((amount / amounts[0] * _HUNDRED).quantize(_WHOLE, ROUND_HALF_UP)) for amount in amounts)


def indexed(figures: PortfolioFigures) -> Iterator[tuple[str, Area, tuple[int, ...]]]:
    """The monthly series that have a first value to divide by: key, area, points."""
    series: tuple[tuple[str, Area, list[Decimal]], ...] = (
        ("sales_index", "sales", [month.sales for month in figures.months]),
        ("owed_index", "credit", [month.receivables for month in figures.months]),
    )
    for key, area, amounts in series:
        if points := index(amounts):
            yield key, area, points


def _index_facts(figures: PortfolioFigures) -> Iterator[Briefed]:
    for key, area, points in indexed(figures):
        last, text = Decimal(points[-1]), f"{points[-1]:,} (first month = 100)"
        yield Briefed(Fact(key=key, label="last month, indexed", kind="ratio", value=last, text=text), area)


def _sales_rows(
    what: Literal["storefront", "category"], rows: Sequence[SalesRow], everything: Sequence[SalesRow]
) -> Iterator[Briefed]:
    total = sum((row.sales for row in everything), Decimal(0))
    for at, row in enumerate(rows):
        ref, grown = _FIRST[what] + letters(at), change(row.sales, row.sales_prior)
        margin = ratio(row.gross_profit, row.sales)
        yield Briefed(named(ref, what, row.name), None)
        share = ratio(row.sales, total)
        if share is not None:
            yield Briefed(_facts.percent(f"{ref}.share", "of all sales", rounded(share)), "sales")
        if grown is not None:
            yield Briefed(_change(f"{ref}.change", "against the 30 days before", rounded(grown)), "sales")
        if margin is not None:
            yield Briefed(_facts.percent(f"{ref}.margin", "gross margin", rounded(margin)), "margin")


def _risk_rows(rows: Sequence[RiskRow]) -> Iterator[Briefed]:
    for at, row in enumerate(rows):
        ref = "C" + letters(at)
        yield Briefed(named(ref, "customer", row.name), None)
        yield Briefed(_facts.money(f"{ref}.overdue", "overdue", row.overdue), "credit")
        yield Briefed(_facts.days(f"{ref}.days", "days overdue", Decimal(row.days_overdue)), "credit")
        yield Briefed(_facts.money(f"{ref}.unpaid", "likely still unpaid", row.expected_unpaid), "credit")
        if row.action is not None:
            yield Briefed(_facts.words(f"{ref}.action", "what was worked out", row.action), "credit")


def _alert_facts(board: Board) -> Iterator[Briefed]:
    for at, alarm in enumerate(board.alarms[:MOST_ALERTS]):
        measure = alarm.scored.measure
        fact = kpi_fact(measure)
        yield Briefed(_facts.words("A" + letters(at), "alert", f"{measure.label}: {fact.text}"), measure.area)
