"""One transaction: statements prepared once, run straight on the driver.

SQLAlchemy writes each statement's text for the database at hand; from then on
only the driver is between us and the database. Writes that nobody waits for are
queued and sent together, before the next read or with the commit: on PostgreSQL
in one round trip.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ClauseElement, Dialect

    Values: TypeAlias = Mapping[str, object]
    Query: TypeAlias = tuple[ClauseElement, Values]

_LIMIT: Final = 2**63


class Row(Protocol):
    """A row of any statement; its columns are attributes."""

    def __getattr__(self, name: str, /) -> Any:  # noqa: ANN401  # columns are of any type
        """The value of a column."""
        ...


class Prepared:
    """A statement's text for one database, with the order of its parameters.

    Args:
        statement: An expression of `ai_addons.billing.sql.statements`.
        names: The parameters it is given, always the same ones.
        dialect: The database's.
    """

    def __init__(self, statement: ClauseElement, names: Collection[str], dialect: Dialect) -> None:
        self._given = len(names)
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        self.text = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._fixed: dict[str, object] = {
            name: value for name, value in (compiled.params or {}).items() if value is not None
        }
        self._row: Callable[[Iterable[object]], Row] | None = None

    def arguments(self, values: Values) -> list[object]:
        """The parameters in their order.

        Raises:
            TypeError: For anything but text, None and whole numbers: a float, a bool or a Decimal is no amount.
            OverflowError: For a number beyond 64 bits.
        """
        if len(values) != self._given:
            msg = f"this statement is always given {self._given} parameters, not {len(values)}"
            raise TypeError(msg)
        given = {**self._fixed, **values} if self._fixed else values
        arguments = [given[name] for name in self._names]
        for value in arguments:
            kind = type(value)
            if kind is int:
                if not -_LIMIT <= value < _LIMIT:  # type: ignore[operator]  # an int, as was just asked
                    msg = "this number is beyond what the store can hold (64 bits); nothing was booked"
                    raise OverflowError(msg)
            elif kind is not str and value is not None:
                msg = f"amounts and times are stored as whole numbers, not {kind.__name__}"
                raise TypeError(msg)
        return arguments

    def rows(self, cursor: Any) -> list[Row]:  # noqa: ANN401  # a cursor of any driver
        """What a statement found."""
        found = cursor.fetchall()
        if self._row is None:
            self._row = _row_maker([column[0] for column in cursor.description])
        make = self._row
        return [make(row) for row in found]


def _row_maker(columns: Sequence[str]) -> Callable[[Iterable[object]], Row]:
    """What turns a driver's tuple into a `Row` of these columns."""
    kind: Any = namedtuple("Row", columns)  # type: ignore[misc]  # noqa: PYI024  # its fields are known only now
    return cast("Callable[[Iterable[object]], Row]", kind._make)


class _Queued(NamedTuple):
    prepared: Prepared
    arguments: list[object]


class Tx:
    """A transaction on a driver's connection, already begun.

    Args:
        connection: The driver's.
        dialect: SQLAlchemy's, which knows the database's SQL.
        prepared: Statements prepared so far, shared by all transactions.
    """

    def __init__(self, connection: Any, dialect: Dialect, prepared: dict[ClauseElement, Prepared]) -> None:  # noqa: ANN401  # of any driver
        self.connection = connection
        self.dialect = dialect
        self._prepared = prepared
        self._queue: list[_Queued] = []

    def write(self, statement: ClauseElement, values: Values) -> None:
        """Queue a write; it is sent before the next read, or with the commit."""
        prepared = self._prepare(statement, values)
        self._queue.append(_Queued(prepared, prepared.arguments(values)))

    def rows(self, statement: ClauseElement, values: Values) -> list[Row]:
        """What a query finds."""
        (found,) = self.gather((statement, values))
        return found

    def one(self, statement: ClauseElement, values: Values) -> Row | None:
        """The one row a query finds, None for none."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def value(self, statement: ClauseElement, values: Values) -> Any:  # noqa: ANN401  # a column of any type
        """The only value of the only row a query finds."""
        found: Any = self.rows(statement, values)
        ((value,),) = found
        return value

    def gather(self, *queries: Query) -> list[list[Row]]:
        """What several queries find, asked for together; each sees what those before it locked."""
        prepared = [self._prepare(*query) for query in queries]
        cursors = self._run(
            [_Queued(one, one.arguments(values)) for one, (_, values) in zip(prepared, queries, strict=True)]
        )
        return [one.rows(cursor) for one, cursor in zip(prepared, cursors, strict=True)]

    def changed(self, statement: ClauseElement, values: Values) -> int:
        """How many rows a write changed; sent at once."""
        prepared = self._prepare(statement, values)
        (cursor,) = self._run([_Queued(prepared, prepared.arguments(values))])
        return int(cursor.rowcount)

    def commit(self) -> None:
        """Send what is queued and make it durable."""
        self._run([], commit=True)

    def _prepare(self, statement: ClauseElement, values: Values) -> Prepared:
        known = self._prepared.get(statement)
        if known is None:
            known = self._prepared[statement] = Prepared(statement, values, self.dialect)
        return known

    def _run(self, asked: Sequence[_Queued], *, commit: bool = False) -> list[Any]:
        """Send what is queued and then what is asked; the cursors of the latter."""
        queue, self._queue = self._queue, []
        self._send(queue)
        cursors = self._send(asked)
        if commit:
            self._commit()
        return cursors

    def _send(self, statements: Sequence[_Queued]) -> list[Any]:
        execute = self.connection.execute
        return [execute(one.prepared.text, one.arguments) for one in statements]

    def _commit(self) -> None:
        self.connection.execute("COMMIT")


class PipelinedTx(Tx):
    """A transaction on a psycopg connection, which can send many statements in one round trip."""

    def _run(self, asked: Sequence[_Queued], *, commit: bool = False) -> list[Any]:
        if not self._queue and len(asked) < 2 and not commit:  # noqa: PLR2004  # a pair is what a pipeline is for
            return self._send(asked)
        with self.connection.pipeline():
            return super()._run(asked, commit=commit)

    def _commit(self) -> None:
        self.connection.commit()
