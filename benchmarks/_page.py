"""The generated parts of ``docs/benchmarks.md``: one place for each benchmark, between two marks.

What stands outside the marks is written by hand and stays. A place is rewritten as a whole, so its figures are all of
one run; the places of benchmarks that were not run keep what they say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks._machine import load_told
from benchmarks._report import table

if TYPE_CHECKING:
    from benchmarks._report import Outcome

_PLACE: Final = re.compile(
    r"(?P<begin><!-- results of (?P<name>\w+) -->\n).*?(?P<end><!-- end of results -->)", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all benchmarks of one run have in common.

    Attributes:
        full: The full size.
        load: Load average before the first of them began. Later ones would count the run itself.
        cores: Of the machine.
        commit: What was measured.
    """

    full: bool
    load: float
    cores: int
    commit: str


def section(outcome: Outcome, run: Run) -> str:
    """When, where and how it was measured, then the table, as Markdown."""
    size = f"{'full' if run.full else 'small'} size, {run.commit}, {load_told(run.load, run.cores)}."
    return f"{'; '.join(filter(None, [outcome.machine, size]))}\n\n{table(outcome.results)}\n"


def places(page: str) -> list[str]:
    """The benchmarks that have a place on a page, in its order."""
    return [found["name"] for found in _PLACE.finditer(page)]


def rewritten(page: str, name: str, text: str) -> str:
    """The page with the text in the place of a benchmark.

    Raises:
        LookupError: If the benchmark has no place on the page, or two.
    """
    if places(page).count(name) != 1:
        message = f"{name} has no single place; write there: <!-- results of {name} -->\n<!-- end of results -->"
        raise LookupError(message)
    return _PLACE.sub(
        lambda found: f"{found['begin']}\n{text}\n{found['end']}" if found["name"] == name else found[0], page
    )
