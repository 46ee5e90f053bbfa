"""Charts of the operator's pages as SVG, drawn by pygal on the server: no script, nothing loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ai_addons.web.pages import library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.web.reports.answers import DayAnswer

COLOURS: Final = ("#0072b2", "#d55e00")
"""Blue and vermilion of Okabe and Ito, which the colour-blind tell apart; both stand out from white and from black."""

_SCRIPT: Final = re.compile(r"<script\b.*?</script>", re.DOTALL)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_LABELS: Final = 10


def earned(days: Sequence[DayAnswer]) -> str:
    """Revenue and cost by day, as an SVG that takes the page's colour of text; empty with fewer than two days.

    Raises:
        ConfigError: If pygal is not installed.
    """
    if len(days) < 2:  # noqa: PLR2004  # one day is no course
        return ""
    pygal = library("pygal")
    chart = pygal.Bar(
        style=_style(),
        width=900,
        height=260,
        js=(),
        disable_xml_declaration=True,
        legend_at_bottom=True,
        x_labels_major_every=max(1, len(days) // _LABELS),
        show_minor_x_labels=False,
        truncate_label=-1,
        margin=8,
    )
    # Not by chance: the same days give the same bytes.
    chart.uuid = "earned"
    chart.x_labels = [day.day.isoformat() for day in days]
    # Heights of bars, not money: what is reckoned with stays exact.
    chart.add("Revenue, GHS", [float(day.revenue_ghs) for day in days])
    chart.add("Provider cost, GHS", [float(day.cost_ghs) for day in days])
    return bare(chart.render(is_unicode=True))


def bare(svg: str) -> str:
    """A chart without the script and the comments that pygal writes."""
    return _COMMENT.sub("", _SCRIPT.sub("", svg))


def _style() -> Any:  # noqa: ANN401  # a style of pygal, which may be missing
    return library("pygal.style").Style(
        background="transparent",
        plot_background="transparent",
        foreground="currentColor",
        foreground_strong="currentColor",
        foreground_subtle="currentColor",
        guide_stroke_color="currentColor",
        major_guide_stroke_color="currentColor",
        font_family="inherit",
        colors=COLOURS,
        opacity="1",
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=13,
    )
