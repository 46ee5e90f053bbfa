"""Many hands at once, and hands that die: what the tests of reported failures are made with."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from ai_addons.billing.sql.pipelined import PipelinedTx
from ai_addons.billing.sql.tx import Tx
from tests.books import Books, new_database
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import ClauseElement

T = TypeVar("T")


_SEND: Final = PipelinedTx._send
_DIED: Final = 7
_WORKED: Final = 0


def at_once(many: int, work: Callable[[int], T]) -> list[T]:
    """What many threads give that all start at the same moment."""
    start = threading.Barrier(many)

    def one(number: int) -> T:
        start.wait(60)
        return work(number)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


@contextmanager
def examined(folder: Path, credits_: str = "12", **options: Any) -> Iterator[Books]:
    """Books that many threads and processes can use; at the end they must agree with themselves."""
    books = Books(credits_, database=new_database(folder), **options)
    try:
        yield books
        assert books.report().findings == ()
    finally:
        books.close()


def dies_at(step: int, work: Callable[[], object]) -> bool:
    """Do some work in another process that is gone at a step: before a statement, before the commit, or after it.

    Args:
        step: Number of the step, from 0.
        work: The work; the process ends the hard way, as by a kill.

    Returns:
        Whether it died; False if the work has fewer steps and is done.
    """
    child = os.fork()
    if child == 0:
        try:
            # A child that ends soon: nothing is ever put back.
            _lay_trap(step, lambda: os._exit(_DIED), pytest.MonkeyPatch())
            work()
            os._exit(_WORKED)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (_WORKED, _DIED), f"the work failed at step {step}"
    return code == _DIED


def steps_of(work: Callable[[], object]) -> int:
    """How many steps some work has; it is done."""
    steps = list[None]()
    with pytest.MonkeyPatch.context() as patch:
        _watch_steps(lambda: steps.append(None), patch)
        work()
    return len(steps)


def fatal(steps: int) -> Sequence[int]:
    """At which of so many steps to die: at all in the full size; else at every third, and at all about the commit."""
    return range(steps) if FULL else sorted({*range(0, steps, 3), *range(max(steps - 3, 0), steps)})


@contextmanager
def stops_at(step: int | None) -> Iterator[None]:
    """Let work of this process fail at a step with `Stopped`: before a statement, before the commit, or after it.

    On PostgreSQL not before what is sent in one go: a connection that fails there is of no more use.

    Args:
        step: Number of the step, from 0; None for none.
    """

    def stop() -> None:
        raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        if step is not None:
            _lay_trap(step, stop, patch)
            patch.setattr(PipelinedTx, "_send", _SEND)
        yield


class Stopped(Exception):
    """The work of `stops_at` came to its step."""


def _lay_trap(deadly: int, end: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """End at a step of this process's next transactions."""
    steps = count()

    def step() -> None:
        if next(steps) == deadly:
            end()

    _watch_steps(step, patch)


def _watch_steps(step: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Be told of every step of this process's next transactions."""
    start = Tx.__init__

    def mortal(self: Tx, connection: Any, *rest: Any) -> None:
        start(self, _Mortal(connection, step), *rest)

    def mortal_send(self: PipelinedTx, *rest: Any) -> int:
        step()
        return _SEND(self, *rest)

    patch.setattr(Tx, "__init__", mortal)
    patch.setattr(PipelinedTx, "_send", mortal_send)
    for kind in (Tx, PipelinedTx):
        patch.setattr(kind, "commit", _around(kind.commit, step))


class _Mortal:
    """A driver's connection on which each statement is a step."""

    def __init__(self, connection: Any, step: Callable[[], None]) -> None:
        self._connection = connection
        self._step = step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, *statement: Any) -> Any:
        """Run one statement, if there is time."""
        self._step()
        return self._connection.execute(*statement)


def _around(commit: Callable[[Any], None], step: Callable[[], None]) -> Callable[[Any], None]:
    """A commit that is a step before it and a step after it."""

    def around(tx: Any) -> None:
        step()
        commit(tx)
        step()

    return around


def everything(books: Books, business: str = "biz_7") -> dict[str, object]:
    """What the books say of a business, without ids and seals: two ways to one end must agree in all of it."""
    wallet = books.store.wallet(business)
    named = names(books)
    return {
        "wallet": (wallet.posted, wallet.held, wallet.lifetime_in, wallet.lifetime_used),
        "grants": sorted(
            (grant.source, named(grant.ref), grant.amount.micro, grant.remaining.micro, grant.expires_at or 0)
            for grant in wallet.grants
        ),
        "ledger": [
            (entry.kind, entry.debit, entry.credit, entry.amount, named(entry.ref), entry.effective_at)
            for entry in books.store.ledger(business)
        ],
        "calls": sorted(
            (line.id, line.attempt, line.outcome, line.charged) for line in books.store.transactions(business)
        ),
    }


def names(books: Books) -> Callable[[str], str]:
    """Replaces the random ids in a reference by what they stand for."""
    grants = books.sql("SELECT id, source, source_ref FROM ai_credit_grants ORDER BY id")
    known = {id_: f"{source}/{ref}" for id_, source, ref in grants}
    addons = {id_: "addon" for (id_,) in books.sql("SELECT id FROM ai_monthly_addons")}

    def named(ref: str) -> str:
        for id_, name in (*known.items(), *addons.items()):
            ref = ref.replace(id_, name)
        return ref

    return named


def plan(books: Books, statement: ClauseElement, **values: object) -> str:
    """How a database would answer a query, in small letters; on PostgreSQL as if the tables were large."""

    def work(tx: Tx) -> list[Any]:
        asked = tx._prepare(statement, values)
        if books.database.postgres:
            tx.connection.execute("SET LOCAL enable_seqscan = off")
        head = "EXPLAIN" if books.database.postgres else "EXPLAIN QUERY PLAN"
        return list(tx.connection.execute(f"{head} {asked.text}", asked.arguments(values)).fetchall())

    return " ".join(str(cell) for row in books.database.write(work) for cell in row).lower()
