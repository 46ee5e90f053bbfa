"""Whoever is woken by an alert, or receives an event, finds it explained."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
GUIDES: Final = ROOT / "docs" / "how-to"
PACKAGE: Final = ROOT / "src" / "ai_addons"
ROW: Final = re.compile(r"^\| ((?:`[\w.]+`(?:, )?)+) \|", flags=re.MULTILINE)
TOPIC: Final = re.compile(r'"((?:addon|budget|credits|debt|dispute|limit|payment|top_up|wallet)\.[a-z_]+)"')
TELLERS: Final = frozenset({"OperatorAlert", "_failure", "ModelFailure", "not_sent", "_alert", "_tell"})
CODE: Final = re.compile(r"[a-z]+(?:_[a-z]+)+")


def first_column(page: str) -> list[str]:
    """The names at the head of the rows of a page; ``.lost`` after ``dispute.won`` is ``dispute.lost``."""
    found = list[str]()
    for cell in ROW.findall((GUIDES / page).read_text(encoding="utf-8")):
        names = re.findall(r"`([\w.]+)`", cell)
        found += [f"{names[0].partition('.')[0]}{name}" if name.startswith(".") else name for name in names]
    return found


def alert_codes() -> Iterator[str]:
    """The code of every alert in the source."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in TELLERS:
                given = [*node.args, *(one.value for one in node.keywords if one.arg in {"alert", "code"})]
                texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                yield from filter(CODE.fullmatch, texts)


def test_every_alert_has_its_row_and_every_row_its_alert() -> None:
    """The page for the night knows all codes, each once, and none that is gone."""
    rows = [name for name in first_column("answer-an-alert.md") if name != "code"]
    assert sorted(rows) == sorted(set(alert_codes()))
    assert len(rows) == 19


def test_every_event_of_a_wallet_has_its_row() -> None:
    """Who writes a receiver learns of every type from the page."""
    told = {topic for file in (PACKAGE / "billing").glob("*.py") for topic in TOPIC.findall(file.read_text("utf-8"))}
    assert {"budget.spent", "wallet.low_balance", "dispute.won"} <= told
    assert told <= set(first_column("receive-events.md"))
