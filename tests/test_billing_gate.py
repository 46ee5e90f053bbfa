"""Who may write next: threads in order of arrival, processes one at a time, and nobody for ever."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.sql import gate
from ai_addons.billing.sql.gate import FairLock, FileGate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork and no flock")
SHORT = 0.02
LONG = 30.0


def _until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.001)


def _queue_up(lock: FairLock, work: Callable[[], None]) -> threading.Thread:
    """A thread that has its place in the line when this returns."""
    before = len(lock._waiting)

    def wait() -> None:
        assert lock.acquire(LONG)
        work()
        lock.release()

    thread = threading.Thread(target=wait)
    thread.start()
    _until(lambda: len(lock._waiting) > before)
    return thread


def test_threads_get_their_turn_in_the_order_they_came() -> None:
    """Whoever has waited longest is next, every time; nobody jumps the line."""
    lock, order = FairLock(), list[int]()
    assert lock.acquire(SHORT)
    threads = [_queue_up(lock, partial(order.append, number)) for number in range(20)]
    lock.release()
    for thread in threads:
        thread.join(LONG)
    assert order == list(range(20))


def test_a_newcomer_does_not_overtake_who_waits() -> None:
    """A thread that lets go and asks again at once goes to the end of the line."""
    lock, order = FairLock(), list[str]()
    assert lock.acquire(SHORT)
    waiting = _queue_up(lock, lambda: order.append("waited"))
    lock.release()
    assert lock.acquire(LONG)
    order.append("came again")
    lock.release()
    waiting.join(LONG)
    assert order == ["waited", "came again"]


def test_one_thread_is_in_at_a_time() -> None:
    """However many there are, no two hold the turn together."""
    lock, inside, most = FairLock(), list[int](), list[int]()

    def work() -> None:
        for number in range(50):
            assert lock.acquire(LONG)
            inside.append(number)
            most.append(len(inside))
            inside.pop()
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert most == [1] * 400


def test_who_waits_too_long_leaves_the_line() -> None:
    """After a time-out nothing of it is left: the next in line is served, and the lock is free in the end."""
    lock, order = FairLock(), list[str]()
    assert lock.acquire(SHORT)
    assert not lock.acquire(SHORT)
    patient = _queue_up(lock, lambda: order.append("patient"))
    assert not lock.acquire(SHORT)
    lock.release()
    patient.join(LONG)
    assert order == ["patient"]
    assert lock.acquire(SHORT)
    assert not lock.acquire(SHORT)


@pytest.mark.parametrize("comes", [False, True])
def test_who_is_interrupted_in_the_line_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, comes: bool) -> None:
    """A host's time limit or Ctrl-C raises out of the wait, perhaps in the moment in which the turn comes."""
    lock = FairLock()
    assert lock.acquire(SHORT)

    class Interrupted(Exception):
        pass

    class Turn:
        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                if comes:
                    lock.release()
                raise Interrupted
            return True

        def release(self) -> None:
            assert comes

    with monkeypatch.context() as patched:
        patched.setattr(gate, "threading", SimpleNamespace(Lock=Turn))
        with pytest.raises(Interrupted):
            lock.acquire(LONG)
    if not comes:
        lock.release()
    assert lock.acquire(SHORT)


def test_a_turn_that_comes_at_the_last_moment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed the turn just as it gives up, a thread has it; or nobody would ever be next again."""
    lock = FairLock()
    assert lock.acquire(SHORT)

    class Late:
        """A lock whose time-out runs out just before it is handed over."""

        def acquire(self, timeout: float = -1) -> bool:
            if timeout >= 0:
                lock.release()
            return False

        def release(self) -> None:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(gate, "threading", SimpleNamespace(Lock=Late))
        assert lock.acquire(SHORT)
    assert not lock.acquire(SHORT)
    lock.release()
    assert lock.acquire(SHORT)


@contextmanager
def _child(work: Callable[[], None]) -> Iterator[int]:
    """Another process that does some work; killed at the end if it still lives."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _hold(path: str, tell: int) -> None:
    FileGate(path).enter()
    os.write(tell, b"in")
    time.sleep(LONG)


@forks
def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    """While one process is in, others wait; when it is killed, the next one is in at once."""
    path, entered = str(tmp_path / "books.db-gate"), threading.Event()
    hear, tell = os.pipe()

    def enter() -> None:
        door = FileGate(path)
        door.enter()
        entered.set()
        door.leave()
        door.close()

    waiting = threading.Thread(target=enter)
    with _child(lambda: _hold(path, tell)):
        assert os.read(hear, 2) == b"in"
        waiting.start()
        assert not entered.wait(0.2)
    assert entered.wait(LONG)
    waiting.join()
    os.close(hear)
    os.close(tell)


@forks
def test_thirty_two_processes_all_get_their_share(tmp_path: Path) -> None:
    """Nobody is in together with another, and nobody starves while others are served again and again."""
    path, log, processes, turns_each = str(tmp_path / "books.db-gate"), tmp_path / "log", 32, 40
    log.touch()
    # Nobody begins before all are there, and they end by turns: on a busy machine it takes longer and shows the same.
    begins, begin = os.pipe()
    enough = processes * turns_each * len("10 in\n10 out\n")

    def work(number: int) -> None:
        door, out = FileGate(path), os.open(log, os.O_WRONLY | os.O_APPEND)
        os.close(begin)
        os.read(begins, 1)
        while os.fstat(out).st_size < enough:
            door.enter()
            os.write(out, b"%d in\n" % number)
            time.sleep(0.0005)
            os.write(out, b"%d out\n" % number)
            door.leave()

    children = []
    for number in range(processes):
        if (child := os.fork()) == 0:
            try:
                work(number)
            finally:
                os._exit(0)
        children.append(child)
    os.close(begin)
    os.close(begins)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    lines = log.read_text().splitlines()
    entries = [line.removesuffix(" in") for line in lines[::2]]
    assert lines == [line for number in entries for line in (f"{number} in", f"{number} out")]
    turns = [entries.count(str(number)) for number in range(processes)]
    assert min(turns) > 0
    # SQLite alone gives one process a hundred times the turns of another.
    assert max(turns) <= 20 * min(turns)


@forks
def test_the_file_is_private_and_opened_again_after_closing(tmp_path: Path) -> None:
    """Only its owner may touch it; closing twice does no harm, and the next turn works."""
    path = tmp_path / "books.db-gate"
    door = FileGate(str(path))
    assert not path.exists()
    for _ in range(2):
        door.enter()
        door.enter()
        door.leave()
        door.leave()
        door.close()
        door.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""


@forks
def test_a_gate_closed_inside_the_turn_lets_the_next_one_in(tmp_path: Path) -> None:
    """Closing the database during a write takes the lock along."""
    path = str(tmp_path / "books.db-gate")
    first, second = FileGate(path), FileGate(path)
    first.enter()
    first.close()
    first.leave()
    second.enter()
    second.close()


@pytest.mark.parametrize("locks", [True, False])
def test_a_gate_nobody_shares_is_always_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool) -> None:
    """In memory, or where the system has no file locks, there is nothing to wait for and no file to make."""
    if not locks:
        monkeypatch.setattr(gate, "fcntl", None)
    door = FileGate(None if locks else str(tmp_path / "books.db-gate"))
    door.enter()
    door.leave()
    door.close()
    assert list(tmp_path.iterdir()) == []
