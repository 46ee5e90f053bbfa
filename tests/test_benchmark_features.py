"""The benchmark of the features: how figures become lines, and every part on a small size."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import _features_dashboard as dashboard
from benchmarks import _features_speed as speed
from benchmarks import features
from benchmarks._features_rows import Row, above, below, by_method, same, shown
from benchmarks._features_slice import slice_folder
from benchmarks._report import Benchmark, Result, main

if TYPE_CHECKING:
    from collections.abc import Callable

NOWHERE = Path("nowhere")
ROWS = [
    Row(what="AUC", method="guess", figure=0.5, reference=0.51, digits=2),
    Row(what="AUC", method="ours", figure=0.6996, reference=0.7, digits=2),
    Row(what="other", method="ours", figure=9),
]


@pytest.mark.parametrize(
    ("figure", "reference", "digits", "agrees"),
    [
        (0.9855, 0.986, 3, True),
        (0.9854, 0.986, 3, False),
        (Decimal("-197.45"), Decimal("-197.45"), 2, True),
        (388, 388, 0, True),
        (388, 389, 0, False),
        (1, None, 0, False),
    ],
)
def test_figures_agree_to_the_last_digit_given(
    figure: float | Decimal, reference: float | Decimal | None, digits: int, agrees: bool
) -> None:
    """Half of the last digit more or less is the same figure; a count is only itself; nothing agrees with nothing."""
    assert Row(what="x", figure=figure, reference=reference, digits=digits).agrees() is agrees


def test_the_reference_stands_in_brackets() -> None:
    """With the unit of both; thousands are parted."""
    assert Row(what="x", figure=93.04, reference=93.0, unit="%", digits=1).text() == "93.0 % (93.0 %)"
    assert Row(what="x", figure=28_656, digits=0).text() == "28,656"


def test_ours_stands_beside_the_simple_methods() -> None:
    """One line a measure: ours, the others, and whether ours is above each of them."""
    assert above(ROWS, "AUC", "ours") == Result(
        what="AUC",
        ours="ours 0.70 (0.70)",
        yardstick="guess 0.50 (0.51)",
        figure=0.6996,
        goal="above each of them",
        met=True,
    )
    assert above(ROWS, "AUC", "guess").met is False


@pytest.mark.parametrize(("goal", "met"), [(0.70, True), (0.71, False)])
def test_a_goal_is_met_to_the_digits_it_is_given_to(goal: float, met: bool) -> None:
    """What rounds to the reference's figure comes up to it."""
    line = above(ROWS, "AUC", "ours", goal=goal)
    assert (line.goal, line.met) == (f">= {goal}", met)


@pytest.mark.parametrize(("goal", "met"), [(0.70, True), (0.69, False)])
def test_less_may_be_better(goal: float, met: bool) -> None:
    """Errors and sizes have an upper bound."""
    line = below(ROWS, "AUC", "ours", goal=goal)
    assert (line.goal, line.met) == (f"<= {goal:g}", met)


def test_a_figure_may_be_shown_only() -> None:
    """Then there is nothing to meet."""
    line = shown(ROWS, "AUC", "ours")
    assert (line.goal, line.met, line.figure) == ("", None, 0.6996)


def test_a_figure_of_one_way_is_right_if_it_is_the_references() -> None:
    """Without a reference there is nothing to be right about."""
    lines = same([Row(what="a", figure=9, reference=9, digits=0), Row(what="b", figure=9, digits=0)])
    assert [(line.ours, line.goal, line.met) for line in lines] == [
        ("9 (9)", "the reference's figure", True),
        ("9", "", None),
    ]


def test_every_part_is_offered() -> None:
    """What the page shows can be measured one by one."""
    parts = ["report", "insight", "forecast", "credit", "collections", "dashboard", "speed"]
    assert list(features.FEATURES.parts) == parts


def test_a_part_without_its_data_says_so() -> None:
    """Nobody takes an absent slice for a goal that is met."""

    def absent(_data: Path) -> list[Result]:
        message = "it is not here"
        raise FileNotFoundError(message)

    try:
        slice_folder()
    except FileNotFoundError as missing:
        expected = str(missing)
    else:
        expected = "it is not here"
    (line,) = features.on_slice(absent, NOWHERE, full=False)
    assert (line.ours, line.met) == (f"not measured: {expected}", None)


@pytest.mark.parametrize(("part", "lines"), [(features.report, 8), (features.insight, 10), (features.forecast, 10)])
def test_every_goal_on_the_development_slice_is_met(part: Callable[[Path], list[Result]], lines: int) -> None:
    """At or above the reference's figures."""
    try:
        found = part(slice_folder())
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    assert len(found) == lines
    assert [line.what for line in found if line.met is False] == []


def test_generated_credit_and_collections_meet_their_goals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the simple methods, on one small shop each; all of it says that it is generated."""
    monkeypatch.setattr("benchmarks._features_credit.SEEDS", (1,))
    monkeypatch.setattr("benchmarks._features_collections.SEEDS", (1,))
    found = features.credit(NOWHERE, full=True) + features.collections(NOWHERE, full=False)
    assert [line.met for line in found] == [None, True, True, True, True, True]
    assert all("(generated)" in line.what for line in found)


def test_tokens_are_held_against_the_references() -> None:
    """Facts of a small shop, beside its rows, and what both cost."""
    static, sent, cost = features.tokens(dashboard.measure((500,)))
    assert (static.met, sent.met, cost.met) == (True, True, None)
    assert (static.goal, sent.goal) == ("<= 631", "<= 2,845")
    assert "rows" in sent.yardstick


@pytest.mark.parametrize(
    "case",
    [
        speed.purchases(300),
        speed.invoices(60),
        speed.products(40),
        speed.items(3, "week"),
        speed.items(3, "day"),
    ],
    ids=lambda case: case.model.__name__,
)
def test_every_large_input_is_measured(case: speed.Case) -> None:
    """Rows are read, worked out and hashed; the yardstick passes over as many."""
    line = speed.measured(case, rounds=1)
    assert line.what.startswith(case.feature.__name__)
    assert line.goal == "hash <= work out"
    assert (line.figure or 0) > 0
    assert "plain pass" in line.yardstick


def test_the_yardstick_adds_up_by_name() -> None:
    """One pass over the rows."""
    assert speed.one_pass([("a", Decimal(1)), ("b", Decimal(2)), ("a", Decimal(3))]) == {"a": 4, "b": 2}


def test_the_benchmark_is_run_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, with the versions it depends on."""

    def part(_folder: Path, *, full: bool) -> list[Result]:
        return [Result(what="small", ours=str(full))]

    made = features.FEATURES
    main(
        Benchmark(name=made.name, about=made.about, full=made.full, parts={"a": part}, versions=made.versions),
        ["--json"],
    )
    told = json.loads(capsys.readouterr().out)
    assert told["results"][0]["what"] == "small"
    assert "pydantic 2" in told["machine"]
    assert by_method(ROWS, "other")["ours"].figure == 9
