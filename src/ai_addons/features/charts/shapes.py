"""What a chart shows, given by code, and the text that says the same.

Values are exact; a picture rounds them to what a screen can show, the text never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from ai_addons.features._facts import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Status: TypeAlias = Literal["good", "watch", "bad"]
"""How an area is doing."""


@dataclass(frozen=True, slots=True)
class Point:
    """One period that is over.

    Attributes:
        label: Its name, such as ``4 May``.
        value: What was sold; None where it is not known, such as a week without stock.
    """

    label: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Band:
    """One period to come.

    Attributes:
        label: Its name.
        value: What is expected.
        low: What is sold at least in most cases.
        high: What is sold at most in most cases.
    """

    label: str
    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket.

    Attributes:
        label: Its name, such as ``1-30 days``.
        value: What is in it.
    """

    label: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Score:
    """One area of the business.

    Attributes:
        label: Its name.
        value: 0 to 100; None where there is too little data.
        status: How it is doing; None without a value.
    """

    label: str
    value: Decimal | None
    status: Status | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastChart:
    """What was sold, what is expected with its range, and where to reorder.

    Attributes:
        title: What the picture is of.
        unit: What is counted, such as ``pieces``.
        history: Periods that are over, oldest first.
        forecast: Periods to come.
        reorder_point: Stock at which to order; None for no line.

    Raises:
        ValueError: Without any period, for a value that is no finite number, or one outside its range.
    """

    title: str
    unit: str
    history: Sequence[Point]
    forecast: Sequence[Band]
    reorder_point: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        bands = [value for band in self.forecast for value in (band.value, band.low, band.high)]
        _check([*self.history, *self.forecast], [*(point.value for point in self.history), *bands, self.reorder_point])
        if any(not band.low <= band.value <= band.high for band in self.forecast):
            msg = "a forecast must lie within its range"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingChart:
    """What is owed, by how late it is.

    Attributes:
        title: What the picture is of.
        unit: What is counted, such as ``GHS``.
        bars: The buckets, from not due to latest.

    Raises:
        ValueError: Without buckets, or for a value that is no finite number or below 0.
    """

    title: str
    unit: str
    bars: Sequence[Bar]

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        _check(self.bars, [bar.value for bar in self.bars], least=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChart:
    """The areas of a business, each with its score and its status.

    Attributes:
        title: What the picture is of.
        scores: The areas, in the order in which they are shown.
        overall: 0 to 100 for the whole; None with too few areas.

    Raises:
        ValueError: Without areas, for a score outside 0 to 100, or a score without its status.
    """

    title: str
    scores: Sequence[Score]
    overall: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        values = [*(score.value for score in self.scores), self.overall]
        _check(self.scores, values, least=Decimal(0), most=Decimal(100))
        if any((score.value is None) != (score.status is None) for score in self.scores):
            msg = "a score and its status go together"
            raise ValueError(msg)


Chart: TypeAlias = ForecastChart | AgeingChart | HealthChart
"""What can be drawn."""


def _check(
    parts: Sequence[object],
    values: Iterable[Decimal | None],
    *,
    least: Decimal | None = None,
    most: Decimal | None = None,
) -> None:
    if not parts:
        msg = "a chart needs something to show"
        raise ValueError(msg)
    for value in values:
        if value is None:
            continue
        if not value.is_finite() or (least is not None and value < least) or (most is not None and value > most):
            msg = f"a chart shows finite numbers{'' if least is None else f' from {least}'}"
            raise ValueError(msg if most is None else f"{msg} to {most}")


def as_text(chart: Chart) -> str:
    """What a chart shows, one line each: for screen readers, plain messages and hosts without pictures.

    Args:
        chart: What would be drawn.
    """
    return "\n".join([plain(chart.title), *lines(chart)])


def lines(chart: Chart) -> Iterator[str]:
    """The facts of a chart, without its title."""
    match chart:
        case ForecastChart():
            yield from _forecast_lines(chart)
        case AgeingChart():
            for bar in chart.bars:
                yield f"{plain(bar.label)}: {amount(bar.value)} {plain(chart.unit)}"
        case _:
            if chart.overall is not None:
                yield f"overall: {amount(chart.overall)} of 100"
            for score in chart.scores:
                yield f"{plain(score.label)}: {score_text(score)}"


def _forecast_lines(chart: ForecastChart) -> Iterator[str]:
    unit = plain(chart.unit)
    for point in chart.history:
        yield f"{plain(point.label)}: {'not known' if point.value is None else f'{amount(point.value)} {unit}'}"
    for band in chart.forecast:
        yield (
            f"{plain(band.label)}, expected: {amount(band.value)} {unit}, "
            f"from {amount(band.low)} to {amount(band.high)}"
        )
    if chart.reorder_point is not None:
        yield f"reorder point: {amount(chart.reorder_point)} {unit}"


def score_text(score: Score) -> str:
    """A score with its status in words: a colour alone tells nothing to who cannot see it."""
    return "too little data" if score.value is None else f"{amount(score.value)} of 100, {score.status}"


def amount(value: Decimal) -> str:
    """A number with its thousands divided; pesewas only where there are some."""
    return f"{value.to_integral_value() if value == value.to_integral_value() else value:,f}"


def plain(text: str) -> str:
    """A label without what cannot be seen or stand in a document."""
    return clean(text)
