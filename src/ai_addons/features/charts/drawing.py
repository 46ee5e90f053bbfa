"""Charts as SVG, drawn by Matplotlib (extra ``charts``), which is loaded when a picture is drawn.

Chosen over pygal (LGPL, beta, no ranges) for its licence, its age and its ranges, at about 65 MB more.
"""

from __future__ import annotations

import re
import threading
import warnings
from html import escape
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from ai_addons.errors import ConfigError
from ai_addons.features.charts.shapes import AgeingChart, ForecastChart, HealthChart, amount, lines, plain, score_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from ai_addons.features.charts.shapes import Chart, Status

# Okabe and Ito, "Color Universal Design" (2008): told apart with every kind of colour vision.
_BLUE: Final = "#0072B2"
_SKY: Final = "#56B4E9"
_VERMILION: Final = "#D55E00"
_GREEN: Final = "#009E73"
_ORANGE: Final = "#E69F00"
_GREY: Final = "#595959"
_COLOURS: Final[Mapping[Status, str]] = {"good": _GREEN, "watch": _ORANGE, "bad": _VERMILION}

# Text stays text, ids are the same every time, and a dollar sign in a name begins no formula.
_RULES: Final = {"svg.fonttype": "none", "svg.hashsalt": "ai_addons", "text.parse_math": False, "font.size": 10.0}
_MOST_TICKS: Final = 8
_LONGEST: Final = 28
_INCHES: Final = (7.2, 3.2)
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))
# Some readers fetch a document type, metadata only name addresses, and a style would be that of the whole page.
_DROPPED: Final = re.compile(
    r"<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*|<style.*?</style>\s*", re.DOTALL
)
_STYLE: Final = "stroke-linejoin: round; stroke-linecap: butt"

# Matplotlib's rules are one set for the whole process, and its figures are drawn by them.
_drawing: Final = threading.Lock()


def as_svg(chart: Chart) -> str:
    """Draw a chart; the same chart gives the same bytes with the same release of Matplotlib.

    The picture has a title and a description for screen readers, no script and no
    reference to anything outside. While it is drawn Matplotlib's rules are ours in
    the whole process; a host that draws in other threads too keeps the two apart.

    Args:
        chart: What is drawn.

    Raises:
        ConfigError: If Matplotlib is not installed.
    """
    matplotlib = _library("matplotlib")
    with _drawing, matplotlib.rc_context(), warnings.catch_warnings():
        # Of letters that Matplotlib's own font lacks: the reader's font draws them.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        # Whatever the host has set for its own pictures.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RULES)
        figure = _library("matplotlib.figure").Figure(figsize=_INCHES)
        axes = figure.subplots()
        wide = isinstance(chart, ForecastChart)
        figure.subplots_adjust(left=0.1 if wide else 0.25, right=0.96, bottom=0.16, top=0.8 if wide else 0.88)
        axes.set_title(_short(chart.title), loc="left", pad=24 if wide else 6)
        _draw(axes, chart)
        out = StringIO()
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    return _told(out.getvalue(), chart)


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        msg = "Pictures are drawn by Matplotlib. Run: pip install 'ai-addons[charts]'; `as_text` needs nothing."
        raise ConfigError(msg) from None


def _told(svg: str, chart: Chart) -> str:
    """The picture with its title and description, and without what leads outside."""
    head = f"<title>{escape(plain(chart.title))}</title>\n <desc>{escape('; '.join(lines(chart)))}</desc>"
    root = rf'<svg \1 role="img" style="{_STYLE}">'
    return re.sub(r"<svg ([^>]*)>", root, _DROPPED.sub("", svg), count=1).replace(">\n", f">\n {head}\n", 1)


def _draw(axes: Any, chart: Chart) -> None:  # noqa: ANN401  # Matplotlib is not there when types are checked
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    match chart:
        case ForecastChart():
            _draw_forecast(axes, chart)
        case AgeingChart():
            _draw_bars(axes, [(bar.label, float(bar.value), amount(bar.value), _BLUE) for bar in chart.bars])
            axes.set_xlabel(_short(chart.unit))
            axes.xaxis.set_major_formatter("{x:,.0f}")
        case _:
            _draw_health(axes, chart)


def _draw_forecast(axes: Any, chart: ForecastChart) -> None:  # noqa: ANN401  # as above
    past = [float("nan") if point.value is None else float(point.value) for point in chart.history]
    places = range(len(past), len(past) + len(chart.forecast))
    axes.plot(range(len(past)), past, color=_BLUE, marker="o", markersize=3, label="sold")
    if chart.forecast:
        heights = [float(band.high - band.low) for band in chart.forecast]
        lowest = [float(band.low) for band in chart.forecast]
        axes.bar(places, heights, 0.9, lowest, color=_SKY, alpha=0.4, label="range")
        expected = [float(band.value) for band in chart.forecast]
        axes.plot(places, expected, color=_VERMILION, linestyle="--", marker="s", markersize=3, label="expected")
    if chart.reorder_point is not None:
        axes.axhline(float(chart.reorder_point), color=_GREY, linestyle=":", label="reorder point")
    labels = [_short(label) for label in (*(p.label for p in chart.history), *(b.label for b in chart.forecast))]
    step = -(-len(labels) // _MOST_TICKS)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if _below_zero(chart) else 0.0)
    axes.set_ylabel(_short(chart.unit))
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=4)


def _below_zero(chart: ForecastChart) -> bool:
    return any(point.value is not None and point.value < 0 for point in chart.history) or any(
        band.low < 0 for band in chart.forecast
    )


def _draw_bars(axes: Any, bars: Sequence[tuple[str, float, str, str]]) -> None:  # noqa: ANN401  # as above
    """Bars from the top down, each with its text at its end."""
    places = range(len(bars))
    drawn = axes.barh(places, [value for _, value, _, _ in bars], color=[colour for *_, colour in bars], height=0.6)
    axes.bar_label(drawn, labels=[text for _, _, text, _ in bars], padding=4)
    axes.set_yticks(places, [_short(label) for label, *_ in bars])
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.set_xlim(left=0)


def _draw_health(axes: Any, chart: HealthChart) -> None:  # noqa: ANN401  # as above
    overall = [] if chart.overall is None else [("overall", float(chart.overall), amount(chart.overall), _GREY)]
    areas = [
        (
            score.label,
            0.0 if score.value is None else float(score.value),
            score_text(score),
            _GREY if score.status is None else _COLOURS[score.status],
        )
        for score in chart.scores
    ]
    _draw_bars(axes, [*overall, *areas])
    axes.set_xlim(0, 140)
    axes.set_xticks(range(0, 101, 20))


def _short(label: str) -> str:
    """A label that fits; the description has all of it."""
    text = plain(label)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
