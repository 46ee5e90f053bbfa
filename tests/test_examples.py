"""The examples run as they stand, with no key and no network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.forked import OURS, starter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

    from tests.forked import Starter

ROOT: Final = Path(__file__).parent.parent
CREDIT_OPINION: Final = ROOT / "examples" / "credit_opinion.py"


@pytest.fixture(scope="module")
def python() -> Iterator[Starter]:
    """Runs each example in a process of its own."""
    with starter(OURS) as made:
        yield made


def run(python: Starter, name: str, folder: Path) -> CompletedProcess[str]:
    """What an example said, run to its end in a folder."""
    done = python.run("python", str(ROOT / "examples" / name), folder=folder)
    assert done.returncode == 0, done.stderr
    return done


def test_the_credit_opinion_is_given_and_charged_once(python: Starter, tmp_path: Path) -> None:
    """A first run charges three credits and the same run again is answered from the cache for nothing."""
    said = [run(python, CREDIT_OPINION.name, tmp_path).stdout for _ in range(2)]

    assert said[0].endswith("for 3 credits\n")
    assert said[1] == said[0].replace("for 3 credits", "for 0 credits")


def test_the_readme_shows_the_example_as_it_is() -> None:
    """The call site in the README is the script, word for word."""
    shown = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)

    assert shown is not None
    assert CREDIT_OPINION.read_text(encoding="utf-8").endswith(f'"""\n\n{shown[1]}')


def test_a_shelf_is_labelled_in_one_batch(python: Starter, tmp_path: Path) -> None:
    """Six labels at half a credit; no bar is drawn into a pipe."""
    ran = run(python, "label_a_shelf.py", tmp_path)

    assert ran.stdout.startswith("Milk: ")
    assert ran.stdout.endswith("\n6 labels for 3 credits\n")
    assert ran.stderr == ""


def test_eight_features_are_shown_in_a_few_lines_each(python: Starter, tmp_path: Path) -> None:
    """One line for each feature with its price, and what is left of the credits."""
    ran = run(python, "eight_features.py", tmp_path)

    *features, last = ran.stdout.splitlines()
    assert [line.partition(" credits: ")[0] for line in features] == [
        "product_description, 0.1",
        "report_summary, 0.2",
        "customer_insight, 0.5",
        "credit_assessment, 3",
        "collection_analysis, 5",
        "collection_message, 0.5",
        "inventory_forecast, 4",
        "portfolio_dashboard, 5",
    ]
    assert last == "8 features, 1.7 of 20 credits left"
    assert ran.stderr == ""
