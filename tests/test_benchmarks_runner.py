"""All benchmarks by one command: what it prints, what it writes, and what becomes of one that fails."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks import _all, _machine, cli, import_time
from benchmarks._fresh import Cost, in_turn, median
from benchmarks._page import Run, places, rewritten, section
from benchmarks._report import Benchmark, Failure, Outcome, Result, exit_code, main, not_measured, table

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = """# Benchmarks

By hand.

<!-- results of missing -->
old
<!-- end of results -->

<!-- results of quick -->
old
<!-- end of results -->
"""
RUN: Final = Run(full=False, load=0.1, cores=2, commit="commit abc1234")
MADE: Final = """
import sys
from benchmarks._report import Benchmark, Result, main

def good(folder, /, *, full):
    print("a library says something")
    return [Result(what="good", ours="1 ms", yardstick="2 ms", figure=0.5, goal="ratio <= 1", met={met})]

def bad(folder, /, *, full):
    raise ValueError("no luck")

if __name__ == "__main__":
    sys.exit(main(Benchmark(name="{name}", about="A.", full="more", parts={parts}), sys.argv[1:]))
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a folder with a package of small benchmarks and a page for them."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def made(**sources: str) -> Path:
        for folder in ("small", "docs"):
            (tmp_path / folder).mkdir()
        (tmp_path / "docs" / "benchmarks.md").write_text(PAGE, encoding="utf-8")
        for name, source in {"__init__": "", "_helper": "", **sources}.items():
            (tmp_path / "small" / f"{name}.py").write_text(source, encoding="utf-8")
        return tmp_path

    return made


def benchmark(name: str, parts: str = "{'first': good}", *, met: bool = True) -> str:
    """The source of a small benchmark."""
    return MADE.format(name=name, parts=parts, met=met)


# One benchmark.


def test_a_figure_stands_with_its_unit() -> None:
    """A ratio has none."""
    rows = [Result(what="a", ours="2 ms", figure=2.0, unit="ms"), Result(what="b", ours="1", figure=0.5)]
    assert table(rows).splitlines()[2:] == ["| a | 2 ms |  | 2 ms |  |  |", "| b | 1 |  | 0.5 |  |  |"]


def test_what_cannot_be_measured_says_why() -> None:
    """It is no figure, and it meets or misses nothing."""
    line = not_measured("a", "no server")
    assert (line.ours, line.measured, line.met) == ("not measured: no server", False, None)
    assert Result(what="a", ours="1").measured


@pytest.mark.parametrize(
    ("met", "failures", "code"),
    [(True, (), 0), (None, (), 0), (False, (), 1), (False, (Failure(part="a", error="x"),), 2)],
)
def test_the_exit_code_tells_a_missed_goal_from_a_failure(
    met: bool | None, failures: tuple[Failure, ...], code: int
) -> None:
    """A failure weighs more: what was not measured may have missed its goal too."""
    one = Outcome(machine="", results=(Result(what="a", ours="1", met=met),), failures=failures)
    assert exit_code([one]) == code
    assert exit_code([]) == 0


def test_a_part_that_fails_does_not_lose_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure comes with the command that measures it again; what parts print is kept out of the JSON."""

    def good(_folder: Path, /, *, full: bool) -> list[Result]:
        print("a library says something")  # noqa: T201  # as LiteLLM does
        return [Result(what="good", ours=str(full))]

    def bad(_folder: Path, /, *, full: bool) -> list[Result]:
        raise ValueError(str(full))

    made = Benchmark(name="tiny", about="A.", full="more", parts={"bad": bad, "good": good})
    assert main(made, ["--json", "--full"]) == 2
    printed, said = capsys.readouterr()
    told = json.loads(printed)
    assert told["failures"] == [{"part": "bad", "error": "ValueError: True"}]
    assert [one["command"] for one in told["results"]] == ["uv run python -m benchmarks.tiny --only good --full"]
    assert "a library says something" in said
    assert "FAILED: bad: ValueError: True" in said


# The machine.


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (0.5, "load average 0.5 before the run"),
        (0.6, "load average 0.6 before the run: **the machine was busy with other work**"),
    ],
)
def test_a_busy_machine_is_told(load: float, told: str) -> None:
    """From a quarter of a process for each core."""
    assert _machine.load_told(load, 2) == told


def test_the_processor_is_named_without_more() -> None:
    """Its model and nothing that tells one machine from another; nothing where the system tells nothing."""
    info = "processor : 0\nmodel name\t: ACME  9000 @ 2GHz\nserial : 42\nmodel name\t: ACME 9000 @ 2GHz\n"
    assert _machine.cpu_model(info) == " of ACME 9000 @ 2GHz"
    assert _machine.cpu_model("") == ""


def test_a_folder_without_a_repository_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor has a machine without git."""
    assert _machine.commit(tmp_path) == "no commit known"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _machine.commit(ROOT) == "no commit known"


# The page.


def test_a_section_says_when_where_and_how() -> None:
    """Then comes the table."""
    text = section(Outcome(machine="today, here", results=(Result(what="a", ours="1"),), failures=()), RUN)
    assert text.splitlines()[0] == "today, here; small size, commit abc1234, load average 0.1 before the run."
    assert text.splitlines()[-1] == "| a | 1 |  |  |  |  |"


def test_writing_twice_changes_nothing_more() -> None:
    """One place is rewritten; what stands elsewhere stays, and so do backslashes in the text."""
    once = rewritten(PAGE, "quick", "new \\1\n")
    assert once == PAGE.replace("quick -->\nold\n<", "quick -->\n\nnew \\1\n\n<")
    assert rewritten(once, "quick", "new \\1\n") == once


@pytest.mark.parametrize("page", ["", PAGE + PAGE])
def test_a_benchmark_has_one_place(page: str) -> None:
    """Where it has none, or two, nothing is written."""
    with pytest.raises(LookupError, match="quick has no single place"):
        rewritten(page, "quick", "new")


def test_every_benchmark_has_a_place_on_the_page() -> None:
    """So `--write` writes all of them, and none has two."""
    there = places((ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8"))
    assert sorted(set(there)) == sorted(there)
    assert set(_all.names(ROOT, "benchmarks")) <= set(there)


@pytest.mark.parametrize("name", _all.names(ROOT, "benchmarks"))
def test_every_benchmark_says_how_it_is_run(name: str) -> None:
    """Its name is that of its module, so the command of each of its figures is right."""
    module = import_module(f"benchmarks.{name}")
    (made,) = [one for one in vars(module).values() if isinstance(one, Benchmark)]
    assert made.name == name
    assert f"Run with ``python -m benchmarks.{name} [--full] [--only PART …] [--json]``" in (module.__doc__ or "")


# All of them.


def test_all_are_run_and_written(suite: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A goal that is missed is told at the end, and by the exit code."""
    root = suite(quick=benchmark("quick"), missing=benchmark("missing", met=False))
    assert _all.names(root, "small") == ["missing", "quick"]
    assert _all.main(["--write"], root=root, package="small") == 1
    printed = capsys.readouterr().out
    assert printed.index("## missing") < printed.index("## quick")
    assert printed.endswith("2 figures, 2 goals, 1 met\nnot met: missing: good: 1 ms, ratio <= 1\n")
    page = (root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page.startswith("# Benchmarks\n\nBy hand.\n\n<!-- results of missing -->\n\n")
    assert "old" not in page
    assert page.count("small size, no commit known, load average ") == 2
    assert "| good | 1 ms | 2 ms | 0.5 | ratio <= 1 | **not met** |" in page


def test_what_was_not_run_keeps_its_text(suite: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Its figures and their date stay as they were."""
    root = suite(quick=benchmark("quick"), missing=benchmark("missing"))
    assert _all.main(["--only", "quick", "--write", "--full"], root=root, package="small") == 0
    page = (root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "<!-- results of missing -->\nold\n<!-- end of results -->" in page
    assert "; full size, " in page
    assert "## missing" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (benchmark("missing", "{'first': bad, 'second': good}"), "FAILED: missing first: ValueError: no luck"),
        ("import no_such_module", "FAILED: missing: ended with code 1 and told no outcome"),
    ],
    ids=["a part", "all of it"],
)
def test_one_that_fails_does_not_lose_the_others(
    suite: Callable[..., Path], capsys: pytest.CaptureFixture[str], source: str, error: str
) -> None:
    """It is named with its error, its place keeps what it said, and the exit code is another one."""
    root = suite(quick=benchmark("quick"), missing=source)
    assert _all.main(["--write"], root=root, package="small") == 2
    assert error in capsys.readouterr().out
    page = (root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "<!-- results of missing -->\nold\n<!-- end of results -->" in page
    assert "| good | 1 ms | 2 ms | 0.5 | ratio <= 1 | met |" in page


def test_one_that_hangs_is_stopped(suite: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """With all that it started; it may put its files away."""
    tidy = "import time\ntry:\n    time.sleep(600)\nfinally:\n    open('tidied', 'w').close()\n"
    root = suite(missing=tidy)
    assert _all.main(["--limit", "0.1"], root=root, package="small") == 2
    assert "FAILED: missing: stopped after 0.1 minutes" in capsys.readouterr().out
    assert (root / "tidied").exists()


def test_programs_read_json(suite: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """One record for each figure, under the name of its benchmark."""
    root = suite(quick=benchmark("quick"))
    assert _all.main(["--json"], root=root, package="small") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["quick"]["results"] == [
        {
            "what": "good",
            "ours": "1 ms",
            "yardstick": "2 ms",
            "figure": 0.5,
            "unit": "",
            "goal": "ratio <= 1",
            "met": True,
            "command": "uv run python -m benchmarks.quick --only first",
        }
    ]


def test_a_missing_place_is_told_before_anything_runs(
    suite: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits an hour for a figure that cannot be written."""
    root = suite(quick=benchmark("quick"), stray="raise SystemExit('ran')")
    with pytest.raises(SystemExit):
        _all.main(["--write"], root=root, package="small")
    assert "no single place in docs/benchmarks.md for stray" in capsys.readouterr().err


# What a fresh interpreter costs.


def test_costs_are_those_above_a_bare_interpreter(tmp_path: Path) -> None:
    """Each statement has its turn in each round; medians are taken by themselves."""
    taken = in_turn({"a": "print('printed')", "b": "pass"}, tmp_path, rounds=2)
    assert {name: len(rounds) for name, rounds in taken.items()} == {"a": 2, "b": 2}
    assert median([Cost(1, 9), Cost(3, 5), Cost(2, 7)]) == Cost(2, 7)
    assert (Cost(1_234.4, 2) - Cost(0, 0.5)).told() == "1,234 ms CPU, 1.5 MB"


def test_imports_stand_beside_pydantic() -> None:
    """The goal is that of the package alone."""
    taken = {name: [Cost(100, 10)] for name in import_time.IMPORTS} | {import_time.PACKAGE: [Cost(301, 1)]}
    found = {line.what: line for line in import_time.imported(taken)}
    assert [line.met for line in found.values()] == [False, None, None, None]
    assert found[import_time.PACKAGE].figure == pytest.approx(3.01)
    assert found["declare a feature"].yardstick == "100 ms CPU, 10.0 MB by import pydantic"


def test_the_privacy_layer_is_what_it_adds() -> None:
    """Time and memory both have a goal."""
    rounds = zip(import_time.LAYER, ([Cost(100, 20)], [Cost(150, 30)], [Cost(150, 30.5)]), strict=True)
    assert [(line.figure, line.met) for line in import_time.added(dict(rounds))] == [(50, True), (50, False)]


def test_commands_stand_beside_click() -> None:
    """The goal is that of the help."""
    taken = {cli.YARDSTICK: [Cost(50, 7)], cli.AT_ONCE[0]: [Cost(151, 9)], "ai-addons prices": [Cost(500, 80)]}
    assert [(line.figure, line.met) for line in cli.started(taken)] == [(pytest.approx(3.02), False), (10, None)]
