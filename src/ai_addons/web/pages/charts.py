"""Charts of usage as SVG, drawn by pygal (extra ``web``): no script, nothing loaded, colours from the page.

The same numbers stand in a table beside every chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_addons.web.pages import library

if TYPE_CHECKING:
    from ai_addons.money import Credits
    from ai_addons.web.pages.series import Timeline

_ID: Final = "ai-usage"
_COLOURS: Final = tuple(f"var(--ai-chart-{number})" for number in range(1, 7))
_MOST_LABELS: Final = 8
# pygal's own style draws guides in black, which nobody sees in the dark.
_STYLE: Final = f"inline:#chart-{_ID} .axis .guide.line{{stroke:var(--ai-line)}}"
# What pygal writes beside the picture: its settings for a script of its own, values that only that script reads, its
# name in a comment and in a title.
_DROPPED: Final = frozenset({"script", "desc", "title", ""})


def usage_chart(usage: Timeline) -> str:
    """Stacked bars of the credits used over time, one colour for each feature.

    Args:
        usage: What is drawn; at least one series.

    Returns:
        An ``svg`` element. Its style holds for itself alone, as its id is ``ai-usage``.

    Raises:
        ConfigError: If pygal is not installed.
    """
    pygal = library("pygal")
    chart = pygal.StackedBar(_config(pygal))
    chart.uuid = _ID  # pygal draws a random one, by which a page would change with every look
    chart.x_labels = list(usage.columns)
    chart.x_labels_major = _major(usage.columns)
    for one in usage.series:
        chart.add(one.name, [_drawn(value) for value in one.values])
    tree = chart.render_tree()
    for parent in list(tree.iter()):
        for child in list(parent):
            if _tag(child) in _DROPPED:
                parent.remove(child)
    return str(pygal.etree.etree.tostring(tree, encoding="unicode"))


def _tag(element: Any) -> str:  # noqa: ANN401  # lxml's, or that of the standard library
    """The name of an element without its namespace; nothing for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _config(pygal: Any) -> Any:  # noqa: ANN401  # pygal has no types
    text = "var(--ai-text)"
    style = pygal.style.Style(
        background="transparent",
        plot_background="transparent",
        foreground=text,
        foreground_strong=text,
        foreground_subtle="var(--ai-line)",
        colors=_COLOURS,
        opacity="1",
        opacity_hover="0.85",
        transition="none",
        font_family="inherit",
        label_font_size=14,
        major_label_font_size=14,
    )
    return pygal.Config(
        style=style,
        js=(),
        css=("file://style.css", "file://graph.css", _STYLE),
        disable_xml_declaration=True,
        explicit_size=False,
        width=720,
        height=320,
        show_legend=False,
        show_minor_x_labels=False,
        truncate_label=-1,
        margin=8,
        spacing=8,
        print_values=False,
        pretty_print=False,
        show_x_guides=False,
        value_formatter=_written,
    )


def _major(columns: tuple[str, ...]) -> list[str]:
    """The columns that are labelled: few enough for a small screen."""
    step = -(-len(columns) // _MOST_LABELS)
    return list(columns[::step])


def _written(value: float) -> str:
    """A number at the side of the chart."""
    return f"{value:,.10g}"


def _drawn(value: Credits) -> float:
    """Credits as a length on paper; the table beside it has them exactly."""
    return float(value.decimal)
