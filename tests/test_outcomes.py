"""The page of outcomes tells the truth: every row is played again, against a real server."""

from __future__ import annotations

import pytest

from tests.outcomes import CASES, HEAD, PAGE, page, played, rows

SECOND = "## With a second model"


@pytest.mark.parametrize("second", [False, True], ids=["one model", "two models"])
@pytest.mark.parametrize("name", CASES)
def test_a_call_comes_to_what_the_page_says(name: str, *, second: bool) -> None:
    """Outcome, requests, charge and cost of a case, with every provider; what is held is given back."""
    half = PAGE.read_text(encoding="utf-8").split(SECOND)[second]
    found = played(CASES[name], second=second)

    lines = [line for line in half.splitlines() if line.startswith((f"| {name} |", f"| {name} ("))]

    assert lines == rows(name, found, second=second)
    # An error is never charged, an answer always; what was charged was answered.
    assert {(seen.outcome == "answer", str(seen.charged)) for seen in found.values()} <= {
        (True, "3.00"),
        (False, "0.00"),
    }


def test_the_page_holds_all_cases_in_order_and_nothing_else() -> None:
    """A row of a case that is gone, or a word changed by hand, shows."""
    text = PAGE.read_text(encoding="utf-8")
    tables = [[line for line in half.splitlines() if line.startswith("| ")][1:] for half in text.split(SECOND)]

    assert text == page(*tables)
    assert text.startswith(HEAD)
    for lines in tables:
        names = [line.split(" | ")[0].removeprefix("| ") for line in lines]
        told = [next(case for case in CASES if name == case or name.startswith(f"{case} (")) for name in names]
        assert list(dict.fromkeys(told)) == list(CASES)
