"""Transactions on PostgreSQL: many statements in one round trip, straight through libpq.

psycopg makes a cursor, a transformer and three generators for each statement;
that alone costs more than the database's own work on it. So statements are
prepared once per connection and sent by name, by the low-level interface that
psycopg documents for the purpose (``psycopg.pq``). Connecting, types, waiting
and errors stay psycopg's.
"""

from __future__ import annotations

import re
from itertools import accumulate, count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import OperationalError, errors, pq, waiting
from psycopg.adapt import Transformer

from ai_addons.billing.sql.tx import Prepared, Tx

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGresult
    from sqlalchemy import ClauseElement, Dialect

    from ai_addons.billing.sql.tx import Row, Values

_INT8_OID: Final = 20
_TEXT_OID: Final = 25


class Names:
    """Statements prepared on one connection, by the name the server knows them under."""

    def __init__(self) -> None:
        self._known: dict[bytes | Prepared, bytes] = {}
        self._made = count()

    def of(self, prepared: bytes | Prepared) -> bytes | None:
        """Its name, None if it is not prepared yet."""
        return self._known.get(prepared)

    def add(self, prepared: bytes | Prepared) -> bytes:
        """A name that was never used on this connection; it says what it does, for who looks at the server."""
        text = prepared if isinstance(prepared, bytes) else prepared.text.encode()
        name = self._known[prepared] = b"ai_addons_%d_%s" % (next(self._made), text.split(None, 1)[0])
        return name

    def forget(self) -> None:
        """Prepare everything anew: after an error nobody knows how far the server came."""
        self._known.clear()


class _Queued(NamedTuple):
    statement: bytes | Prepared
    arguments: list[bytes | None]


_BEGIN: Final = _Queued(b"BEGIN ISOLATION LEVEL READ COMMITTED", [])
_COMMIT: Final = _Queued(b"COMMIT", [])
_LOCK_TIMEOUT: Final = _Queued(b"SET LOCAL lock_timeout = '10s'", [])


class PipelinedTx(Tx):
    """A transaction on a psycopg connection.

    Writes are queued; they are sent before the next read, or with the commit.

    Args:
        connection: psycopg's; it is put into autocommit mode, because BEGIN and COMMIT are ours to say: the driver
            waits for the answer to its own ones.
        dialect: SQLAlchemy's, which knows the database's SQL.
        prepared: Statements written so far, shared by all transactions.
        names: Statements this connection knows.
    """

    def __init__(
        self, connection: Connection[Any], dialect: Dialect, prepared: dict[ClauseElement, Prepared], names: Names
    ) -> None:
        super().__init__(connection, dialect, prepared)
        if not connection.autocommit:
            connection.autocommit = True
            # Its own housekeeping of prepared statements would drop ours too.
            connection.prepare_threshold = None
        self._names = names
        self._queue = [_BEGIN]

    @property
    def connection(self) -> Any:  # noqa: ANN401  # as inherited
        """The driver's connection, with everything sent so far."""
        self._run([])
        return self._driver

    def write(self, statement: ClauseElement, values: Values) -> None:
        """Queue a write."""
        self._queue.append(_queued(self._prepare(statement, values), values))

    def gather(self, *queries: tuple[ClauseElement, Values]) -> list[list[Row]]:
        """What several queries find, in one round trip."""
        prepared = [self._prepare(*query) for query in queries]
        results = self._run([_queued(one, values) for one, (_, values) in zip(prepared, queries, strict=True)])
        reader = Transformer(self._driver)
        return [_read(reader, one, result) for one, result in zip(prepared, results, strict=True)]

    def changed(self, statement: ClauseElement, values: Values) -> int:
        """How many rows a write changed; sent at once."""
        (result,) = self._run([_queued(self._prepare(statement, values), values)])
        return result.command_tuples or 0

    def commit(self) -> None:
        """Send what is queued and make it durable."""
        self._run([_COMMIT])

    def _run(self, asked: Sequence[_Queued]) -> list[PGresult]:
        """Send what is queued and then what is asked; the results of the latter."""
        everything, self._queue = [*self._queue, *asked], []
        if not everything:
            return []
        pgconn = self._driver.pgconn
        try:
            pgconn.enter_pipeline_mode()
            wanted = [self._send(pgconn, one) for one in everything]
            pgconn.pipeline_sync()
            results = self._driver.wait(_answers(pgconn))
            pgconn.exit_pipeline_mode()
        except BaseException:
            # Whatever interrupts (Ctrl-C, a time limit of the host's) leaves answers on their way, which the next
            # transaction would take for its own. The server undoes what is not committed when the connection ends.
            self._driver.close()
            raise
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                self._names.forget()
                raise errors.error_from_result(result)
        # A statement that was prepared on the way gave a result of its own.
        ends = list(accumulate(wanted))[len(everything) - len(asked) :]
        return [results[end - 1] for end in ends]

    def _send(self, pgconn: Any, queued: _Queued) -> int:  # noqa: ANN401  # libpq's connection in either build
        """Send a statement; how many results it will give."""
        name, given = self._names.of(queued.statement), 1
        if name is None:
            name, given = self._names.add(queued.statement), 2
            pgconn.send_prepare(name, *_as_sent(queued.statement))
        pgconn.send_query_prepared(name, queued.arguments)
        return given


class PooledTx(PipelinedTx):
    """A transaction behind a pooler that lends a session of the server for no longer than that.

    Nothing is prepared under a name, which another session would not know, and every setting ends with the
    transaction. The server plans each statement anew for it.

    Args:
        connection: psycopg's, to the pooler.
        dialect: SQLAlchemy's, which knows the database's SQL.
        prepared: Statements written so far, shared by all transactions.
    """

    def __init__(self, connection: Connection[Any], dialect: Dialect, prepared: dict[ClauseElement, Prepared]) -> None:
        super().__init__(connection, dialect, prepared, Names())
        self._queue.append(_LOCK_TIMEOUT)

    def _send(self, pgconn: Any, queued: _Queued) -> int:  # noqa: ANN401  # as inherited
        statement, types = _as_sent(queued.statement)
        pgconn.send_query_params(statement, queued.arguments, types)
        return 1


class LentPipelinedTx(PooledTx):
    """A transaction that a host began on its own connection, and will end.

    Nothing is prepared under a name: what the host's settings of psycopg forget would be forgotten with it.

    Args:
        connection: psycopg's, in a transaction.
        dialect: SQLAlchemy's, which knows the database's SQL.
        prepared: Statements written so far, shared by all transactions.
    """

    def __init__(self, connection: Connection[Any], dialect: Dialect, prepared: dict[ClauseElement, Prepared]) -> None:
        Tx.__init__(self, connection, dialect, prepared)
        self._names = Names()
        self._queue = []

    def commit(self) -> None:
        """Send what is queued; the rest is the host's."""
        self._run([])


def _queued(prepared: Prepared, values: Values) -> _Queued:
    """A statement with its arguments as the text that goes over the wire."""
    return _Queued(prepared, [None if one is None else str(one).encode() for one in prepared.arguments(values)])


def _as_sent(statement: bytes | Prepared) -> tuple[bytes, list[int]]:
    """A statement with numbered parameters, as the server reads it, and their types."""
    if isinstance(statement, bytes):
        return statement, []
    number = count(1)
    text = re.sub("%s", lambda _: f"${next(number)}", statement.text).replace("%%", "%")
    return text.encode(), [_INT8_OID if kind is int else _TEXT_OID for kind in statement.types]


def _read(reader: Any, prepared: Prepared, result: PGresult) -> list[Row]:  # noqa: ANN401  # psycopg's transformer in either build
    if not result.ntuples:
        return []
    reader.set_pgresult(result)
    make = prepared.row or prepared.row_maker([(result.fname(n) or b"").decode() for n in range(result.nfields)])
    rows: list[Row] = reader.load_rows(0, result.ntuples, make)
    return rows


def _answers(pgconn: Any) -> Generator[waiting.Wait, waiting.Ready, list[PGresult]]:  # noqa: ANN401  # as above
    """Wait until everything is sent and answered.

    Raises:
        OperationalError: If the connection breaks.
    """
    while pgconn.flush():
        if (yield waiting.Wait.RW) & waiting.Ready.R:
            pgconn.consume_input()
    results = list["PGresult"]()
    while True:
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is not None:
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)
            elif pgconn.status == pq.ConnStatus.BAD:
                msg = "the connection was lost"
                raise OperationalError(msg)
        yield waiting.Wait.R
        pgconn.consume_input()
