"""What people read: tables that fit, and what they look at while they wait."""

from __future__ import annotations

from io import StringIO
from typing import Final
from unittest.mock import Mock

import pytest
from rich.console import Console

from ai_addons import WorkProgress
from ai_addons.cli import progress, show
from ai_addons.cli.ending import Stopped

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


def shown(out: Console) -> str:
    """What a screen was sent."""
    text = out.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, see above
    assert isinstance(text, str)
    return text


def at(done: int, total: int | None = 8, what: str = "sums made anew") -> WorkProgress:
    """How far some work has come."""
    return WorkProgress(what=what, done=done, total=total)


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_nobody_is_shown_a_bar_who_does_not_look(terminal: bool, quiet: bool) -> None:
    """In a pipe what a script reads of the standard error stays words; a command with --json shows nothing at all."""
    out = screen(80, terminal=terminal)
    with progress.waiting("checking", quiet=quiet, console=out), progress.following("s", quiet=quiet, console=out) as t:
        t(at(1))
    assert shown(out) == ""


def test_a_terminal_is_shown_what_is_done_and_how_far() -> None:
    """The words and the count of the stage that is worked on."""
    out = screen(80, terminal=True)
    with progress.waiting("comparing with our log", console=out):
        pass
    with progress.following("checking the books", console=out) as tell:
        tell(at(0))
        tell(at(3))
    assert "comparing with our log" in shown(out)
    assert "checking the books" in shown(out)
    assert "sums made anew" in shown(out)
    assert "3/8" in shown(out)


def test_each_stage_begins_anew() -> None:
    """The bar of the next one says nothing of the last."""
    out = screen(80, terminal=True)
    with progress.following("what is due", console=out) as tell:
        tell(at(8))
        tell(at(1_200, None, "rows written"))
    last = shown(out).rpartition("rows written")[2]
    assert "1,200" in last
    assert "/8" not in last


@pytest.mark.parametrize(
    ("done", "total", "speed", "told"),
    [(3, 8, 1.0, "3/8"), (1_200, None, None, "1,200"), (1_200, None, 1_500.4, "1,200, 1,500/s")],
)
def test_without_a_total_the_rate_is_told(done: int, total: int | None, speed: float | None, told: str) -> None:
    """Nobody knows when it ends, but anybody can see whether it goes on."""
    task = Mock(completed=float(done), total=total, speed=speed)
    assert progress.CountColumn().render(task).plain == told


@pytest.mark.parametrize(
    ("total", "told"),
    [(8, "making sums: sums made anew: 3 of 8 done."), (None, "making sums: sums made anew: 3 done.")],
)
def test_ctrl_c_in_a_count_tells_the_count(total: int | None, told: str) -> None:
    """What came before stays done, so it is worth knowing."""

    def work() -> None:
        with progress.following("making sums", console=screen(80)) as tell:
            tell(at(3, total))
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=told):
        work()


def test_ctrl_c_before_anything_was_counted_is_an_ordinary_one() -> None:
    """The command's usual words say what stays."""
    with pytest.raises(KeyboardInterrupt) as caught, progress.following("making sums", console=screen(80)):
        raise KeyboardInterrupt
    assert not isinstance(caught.value, Stopped)
