"""One transaction: statements prepared once, run straight on the driver.

SQLAlchemy writes each statement's text for the database at hand; from then on
only the driver is between us and the database. Writes that nobody waits for are
queued and sent together, before the next read or with the commit: on PostgreSQL
in one round trip.
"""

from __future__ import annotations

from collections import namedtuple
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

from sqlalchemy import Integer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ClauseElement, Dialect
    from sqlalchemy.types import TypeEngine

    Values: TypeAlias = Mapping[str, object]
    Query: TypeAlias = tuple[ClauseElement, Values]

_LIMIT: Final = 2**63
# A statement is given few mixtures of values and None; whoever meets more looks at each value.
_MOST_SHAPES: Final = 64


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
        self.text: str = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self.types: tuple[type, ...] = tuple(_python_type(compiled.binds[name].type) for name in self._names)
        fixed: dict[str, object] = compiled.params or {}
        self._fixed: dict[str, object] = {name: value for name, value in fixed.items() if value is not None}
        self._pick = _picker(self._names)
        self._numbers: dict[tuple[type, ...], Callable[[Sequence[object]], Sequence[Any]]] = {}
        self.row: Callable[[Iterable[object]], Row] | None = None

    def arguments(self, values: Values) -> Sequence[object]:
        """The parameters in their order.

        Raises:
            TypeError: For anything but text, None and whole numbers, each where it belongs: a float, a bool or a
                Decimal is no amount, and neither is ``'5'``, which a STRICT column takes.
            OverflowError: For a number beyond 64 bits.
        """
        if len(values) != self._given:
            msg = f"this statement is always given {self._given} parameters, not {len(values)}"
            raise TypeError(msg)
        given = {**self._fixed, **values} if self._fixed else values
        arguments = self._pick(given)
        # A loop over the values is what most of a statement's time in Python goes to: only a new shape takes it.
        shape = tuple(map(type, arguments))
        numbers_of = self._numbers.get(shape) or self._learnt(shape)
        if numbers_of is not None:
            numbers = numbers_of(arguments)
            if not numbers or (min(numbers) >= -_LIMIT and max(numbers) < _LIMIT):
                return arguments
        # Rare: a mistake, or text of a host's own kind.
        return [_checked(one, kind) for one, kind in zip(arguments, self.types, strict=True)]

    def _learnt(self, shape: tuple[type, ...]) -> Callable[[Sequence[object]], Sequence[Any]] | None:
        """What picks the numbers out of arguments of these types; None if they do not belong here."""
        if not all(kind is wanted or kind is NoneType for kind, wanted in zip(shape, self.types, strict=True)):
            return None
        numbers_of = _placed([place for place, kind in enumerate(shape) if kind is int])
        if len(self._numbers) < _MOST_SHAPES:
            self._numbers[shape] = numbers_of
        return numbers_of

    def rows(self, cursor: Any) -> list[Row]:  # noqa: ANN401  # a cursor of any driver
        """What a statement found."""
        found = cursor.fetchall()
        if not found:
            return []
        return list(map(self.row or self.row_maker([column[0] for column in cursor.description]), found))

    def row_maker(self, columns: Sequence[str]) -> Callable[[Iterable[object]], Row]:
        """What turns a driver's tuple into a `Row`, kept in ``row``: its columns are always the same."""
        made = self.row = _row_maker(columns)
        return made


def _fits(number: Any) -> bool:  # noqa: ANN401  # known to be an int
    """Whether 64 bits hold it."""
    return bool(-_LIMIT <= number < _LIMIT)


def _checked(value: object, wanted: type) -> object:
    """A value as the driver gets it."""
    if value is None or (type(value) is wanted and (wanted is str or _fits(value))):
        return value
    if wanted is str and isinstance(value, str):
        # A host's enum or safe string: what it says, whatever its own `__str__` would make of it.
        return str.__str__(value)
    if type(value) is wanted:
        msg = "this number is beyond what the store can hold (64 bits); nothing was booked"
        raise OverflowError(msg)
    msg = f"amounts and times are stored as whole numbers, names as text; not {type(value).__name__}"
    raise TypeError(msg)


def _python_type(column: TypeEngine[Any]) -> type:
    """What a column of this type is given: whole numbers or text."""
    return int if isinstance(column, Integer) else str


def _row_maker(columns: Sequence[str]) -> Callable[[Iterable[object]], Row]:
    """What turns a driver's tuple into a `Row` of these columns."""
    kind: Any = namedtuple("Row", columns)  # type: ignore[misc]  # noqa: PYI024  # its fields are known only now
    return cast("Callable[[Iterable[object]], Row]", kind._make)


def _picker(names: Sequence[str]) -> Callable[[Values], Sequence[object]]:
    """What picks values in an order; `itemgetter` makes a tuple of two or more only."""
    if not names:
        return lambda _values: ()
    if len(names) == 1:
        (only,) = names
        return lambda values: (values[only],)
    return itemgetter(*names)


def _placed(places: Sequence[int]) -> Callable[[Sequence[object]], Sequence[Any]]:
    """What picks values by their places; as above."""
    if not places:
        return lambda _values: ()
    if len(places) == 1:
        (only,) = places
        return lambda values: (values[only],)
    return itemgetter(*places)


class Tx:
    """A transaction on a driver's connection, already begun.

    Args:
        connection: The driver's.
        dialect: SQLAlchemy's, which knows the database's SQL.
        prepared: Statements prepared so far, shared by all transactions.
    """

    def __init__(self, connection: Any, dialect: Dialect, prepared: dict[ClauseElement, Prepared]) -> None:  # noqa: ANN401  # of any driver
        self._driver = connection
        self.dialect = dialect
        self._prepared = prepared

    @property
    def connection(self) -> Any:  # noqa: ANN401  # of any driver
        """The driver's connection."""
        return self._driver

    def write(self, statement: ClauseElement, values: Values) -> None:
        """Change something; it is sent with the next read or the commit at the latest."""
        self._execute(statement, values)

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
        return [self._find(statement, values) for statement, values in queries]

    def changed(self, statement: ClauseElement, values: Values) -> int:
        """How many rows a write changed; sent at once."""
        return int(self._execute(statement, values).rowcount)

    def commit(self) -> None:
        """Send what is not sent yet, and make all of it durable."""
        self._driver.execute("COMMIT")

    def _prepare(self, statement: ClauseElement, values: Values) -> Prepared:
        known = self._prepared.get(statement)
        if known is None:
            known = self._prepared[statement] = Prepared(statement, values, self.dialect)
        return known

    def _execute(self, statement: ClauseElement, values: Values) -> Any:  # noqa: ANN401  # a cursor of any driver
        prepared = self._prepare(statement, values)
        return self._driver.execute(prepared.text, prepared.arguments(values))

    def _find(self, statement: ClauseElement, values: Values) -> list[Row]:
        prepared = self._prepare(statement, values)
        return prepared.rows(self._driver.execute(prepared.text, prepared.arguments(values)))
