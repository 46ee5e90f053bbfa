"""What people read: tables that fit, and what they look at while they wait."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Final

import pytest
from rich.console import Console

from ai_addons.cli import progress, show
from ai_addons.cli.ending import Stopped

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: Final = ("what", "paid", "left")
ROWS: Final = (("a pack with a long name", "GHS 1,234,567.89", "12,345,678.901234"), ("b", "GHS 1.00", "0.5"))


def screen(width: int, *, terminal: bool = False) -> Console:
    """A screen without colours."""
    return Console(file=StringIO(), width=width, force_terminal=terminal, color_system=None, legacy_windows=False)


def drawn(width: int, *, columns: tuple[str, ...] = COLUMNS) -> list[str]:
    """What a screen of a width shows of a table."""
    out = screen(width)
    out.print(show.table("Sums", columns, ROWS, right=columns[1:]))
    text = out.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, see above
    assert isinstance(text, str)
    return [line.rstrip() for line in text.splitlines()]


def test_numbers_stand_right_and_whole() -> None:
    """Text gives way to them where it is narrow."""
    lines = drawn(52)
    assert [line for line in lines if "GHS" in line] == [
        "│ a pack    │ GHS 1,234,567.89 │ 12,345,678.901234 │",
        "│ b         │         GHS 1.00 │               0.5 │",
    ]
    assert max(map(len, lines)) <= 52


def test_a_table_that_does_not_fit_is_told_row_by_row() -> None:
    """No number is broken or cut off; it can be read on a telephone."""
    assert drawn(30) == [
        "Sums",
        "  what  a pack with a long",
        "        name",
        "  paid  GHS 1,234,567.89",
        "  left  12,345,678.901234",
        "",
        "  what  b",
        "  paid  GHS 1.00",
        "  left  0.5",
        "",
    ]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_every_number_is_whole_at_every_width(width: int) -> None:
    """Whichever way the table is shown."""
    text = "\n".join(drawn(width))
    assert "GHS 1,234,567.89" in text
    assert "12,345,678.901234" in text


def test_nobody_is_shown_a_bar_in_a_pipe() -> None:
    """What a script reads of the standard error stays words."""
    out = screen(80)
    with progress.waiting("checking the books", console=out), progress.counting(2, "sums", console=out) as count:
        count.add()
    assert out.file.getvalue() == ""  # type: ignore[attr-defined]  # a StringIO
    assert count.done == 1


def test_a_terminal_is_shown_what_is_done_and_how_far() -> None:
    """The words, the count, and nothing is left of it at the end but an empty line."""
    out = screen(80, terminal=True)
    with progress.waiting("checking the books", console=out):
        pass
    with progress.counting(8, "sums made anew", console=out) as count:
        count.add(3)
    text = out.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "checking the books" in text
    assert "sums made anew" in text
    assert "3/8" in text


@pytest.mark.parametrize(("total", "told"), [(8, "sums: 3 of 8 done."), (None, "sums: 3 done.")])
def test_ctrl_c_in_a_count_tells_the_count(total: int | None, told: str) -> None:
    """What came before stays done, so it is worth knowing."""

    def work() -> None:
        with progress.counting(total, "sums", console=screen(80)) as count:
            count.add(3)
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=told):
        work()


def test_lines_of_a_file_are_counted_as_they_are_written(tmp_path: Path) -> None:
    """The file is new, and its line ends are those that were written."""
    count = progress.Count(None)
    with progress.CountedFile(tmp_path / "out.csv", count) as file:
        csv.writer(file).writerows([["a", "é"], ["b", "2"]])
    assert count.done == 2
    assert (tmp_path / "out.csv").read_bytes() == "a,é\r\nb,2\r\n".encode()
    with pytest.raises(FileExistsError):
        progress.CountedFile(tmp_path / "out.csv", count)
