"""Pictures of results, and the texts that say the same."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons import ConfigError
from ai_addons.features.charts import (
    AgeingChart,
    Band,
    Bar,
    Chart,
    ForecastChart,
    HealthChart,
    Point,
    Score,
    as_svg,
    as_text,
    drawing,
)
from tests.sizes import tries

if TYPE_CHECKING:
    from collections.abc import Callable

ONE: ForecastChart = ForecastChart(
    title="Rice 5 kg",
    unit="bags",
    history=[Point("week 1", Decimal(20)), Point("week 2", None), Point("week 3", Decimal("-1.50"))],
    forecast=[Band("week 4", Decimal(18), Decimal(-2), Decimal(1_500))],
    reorder_point=Decimal(42),
)
CHARTS: dict[str, Chart] = {
    "forecast": ONE,
    "history alone": ForecastChart(title="Rice", unit="bags", history=[Point("week 1", Decimal(3))], forecast=[]),
    "forecast alone": ForecastChart(
        title="Rice", unit="bags", history=[], forecast=[Band("week 1", Decimal(3), Decimal(3), Decimal(3))]
    ),
    "long": ForecastChart(
        title="Rice", unit="bags", history=[Point(f"week {n}", Decimal(n)) for n in range(104)], forecast=[]
    ),
    "ageing": AgeingChart(
        title="Owed", unit="GHS", bars=[Bar("not due", Decimal("12400.50")), Bar("late", Decimal(0))]
    ),
    "health": HealthChart(
        title="Health",
        overall=Decimal(61),
        scores=[Score("sales", Decimal(72), "good"), Score("credit", Decimal(31), "bad"), Score("stock", None, None)],
    ),
    "no overall": HealthChart(title="Health", scores=[Score("margin", Decimal(55), "watch")]),
}


def parsed(svg: str) -> ET.Element:
    """The document."""
    return ET.fromstring(svg)  # noqa: S314  # our own


@cache
def drawn(name: str) -> str:
    """A picture, drawn once for all who look at it."""
    return as_svg(CHARTS[name])


def words(svg: str) -> str:
    """All text of a picture that is text."""
    return " | ".join("".join(node.itertext()) for node in parsed(svg).iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_is_the_same_every_time(name: str) -> None:
    """Bytes, not only looks."""
    assert as_svg(CHARTS[name]) == drawn(name)


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_leads_nowhere_and_runs_nothing(name: str) -> None:
    """The only addresses are the names of its namespaces; every link stays inside."""
    svg = drawn(name)

    assert set(re.findall(r"https?://[^\"' <]+", svg)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(?:script|style|image|foreignObject|metadata|!DOCTYPE|!--)|\son\w+=|@import", svg)
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', svg))
    assert all(link.startswith("#") for link in re.findall(r"url\(([^)]*)\)", svg))


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_tells_its_facts_to_a_screen_reader(name: str) -> None:
    """Its title and its description hold everything that the text holds."""
    chart = CHARTS[name]
    root = parsed(drawn(name))
    title, *facts = as_text(chart).splitlines()

    assert root.attrib["role"] == "img"
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert (root[0].text, root[1].text) == (title, "; ".join(facts))


def test_the_text_of_a_forecast() -> None:
    """Exact values, unknown ones named, the range in words."""
    assert as_text(ONE).splitlines() == [
        "Rice 5 kg",
        "week 1: 20 bags",
        "week 2: not known",
        "week 3: -1.50 bags",
        "week 4, expected: 18 bags, from -2 to 1,500",
        "reorder point: 42 bags",
    ]


def test_a_forecast_shows_what_is_what() -> None:
    """Legend, unit and periods are text."""
    assert {"sold", "range", "expected", "reorder point", "bags", "week 1", "week 4", "Rice 5 kg"} <= set(
        words(drawn("forecast")).split(" | ")
    )


def test_many_periods_are_not_all_named() -> None:
    """At most eight names stand below the picture."""
    assert len(re.findall(r"week \d+", words(drawn("long")))) == 8


def test_a_health_chart_tells_no_fact_by_colour_alone() -> None:
    """Each status stands beside its bar, in a colour of its own."""
    svg = drawn("health")

    assert {"72 of 100, good", "31 of 100, bad", "too little data", "61"} <= set(words(svg).split(" | "))
    assert "#009e73" in svg
    assert "#d55e00" in svg


HOSTILE = '$\\frac{1}{2}$ <script>alert(1)</script> \u202egnp & "q" --> ]]> \x00\x1b' + "x" * 300


@pytest.mark.parametrize(
    "make",
    [
        lambda text: ForecastChart(
            title=text,
            unit=text,
            history=[Point(text, Decimal(1))],
            forecast=[Band(text, Decimal(1), Decimal(1), Decimal(1))],
        ),
        lambda text: AgeingChart(title=text, unit=text, bars=[Bar(text, Decimal(1))]),
        lambda text: HealthChart(title=text, scores=[Score(text, Decimal(1), "bad")]),
    ],
)
def test_names_stay_text(make: Callable[[str], Chart]) -> None:
    """No formula, markup, control or hidden character of a name reaches the document; long ones are cut."""
    svg = as_svg(make(HOSTILE))

    assert "<script" not in svg
    assert not re.search("[\x00\x1b\u202e]", svg)
    assert "$\\frac{1}{2}$ <script>alert…" in words(svg).split(" | ")
    assert parsed(svg)[0].text == HOSTILE.replace("\u202e", "").replace(" \x00\x1b", " ").replace("\x00\x1b", "")


@given(st.text(max_size=60))
@settings(max_examples=tries(25), deadline=None)
def test_any_name_makes_a_document(name: str) -> None:
    """Whatever it is called, in whatever script, the picture can be parsed, and nobody is warned of its font."""
    parsed(as_svg(AgeingChart(title=name, unit=name, bars=[Bar(name, Decimal(5))])))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AgeingChart(title="x", unit="GHS", bars=[]), "something to show"),
        (lambda: HealthChart(title="x", scores=[]), "something to show"),
        (lambda: ForecastChart(title="x", unit="x", history=[], forecast=[]), "something to show"),
        (lambda: AgeingChart(title="x", unit="GHS", bars=[Bar("a", Decimal("-0.01"))]), "finite numbers from 0$"),
        (lambda: AgeingChart(title="x", unit="GHS", bars=[Bar("a", Decimal("NaN"))]), "finite numbers"),
        (lambda: HealthChart(title="x", scores=[Score("a", Decimal(101), "good")]), "finite numbers from 0 to 100"),
        (lambda: HealthChart(title="x", scores=[Score("a", None, "good")]), "go together"),
        (lambda: HealthChart(title="x", scores=[Score("a", Decimal(1), None)]), "go together"),
        (
            lambda: ForecastChart(title="x", unit="x", history=[Point("a", Decimal("Infinity"))], forecast=[]),
            "finite numbers$",
        ),
        (
            lambda: ForecastChart(
                title="x", unit="x", history=[], forecast=[Band("a", Decimal(3), Decimal(4), Decimal(5))]
            ),
            "within its range",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Callable[[], Chart], message: str) -> None:
    """When the chart is made, also where only its text is wanted."""
    with pytest.raises(ValueError, match=message):
        make()


def test_without_matplotlib_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named, and the text needs none."""

    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(drawing, "import_module", absent)
    with pytest.raises(ConfigError, match=r"ai-addons\[charts\]"):
        as_svg(ONE)
    assert as_text(ONE).startswith("Rice 5 kg")


def test_the_rules_of_the_host_are_left_as_they_were() -> None:
    """They change nothing in our picture, and ours nothing in theirs."""
    plain = drawn("forecast")
    with mpl.rc_context({"font.size": 30.0, "svg.fonttype": "path", "text.parse_math": True}):
        assert as_svg(ONE) == plain
        assert (mpl.rcParams["font.size"], mpl.rcParams["svg.fonttype"]) == (30.0, "path")


def test_threads_draw_the_same_picture() -> None:
    """One after the other: the rules are those of the process."""
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: as_svg(ONE), range(6)))) == 1
