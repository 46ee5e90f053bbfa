"""Books in a database whose connections and transactions are the host's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import text

from ai_addons.billing.sql import connecting
from ai_addons.billing.sql.database import Database
from ai_addons.billing.sql.failures import as_ours, is_of_database
from ai_addons.billing.sql.tx import Tx

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import Dialect

T = TypeVar("T")

# Changes nothing, and takes SQLite's write lock before anything is read: a transaction that reads first and then
# wants to write is refused at once where another one wrote meanwhile.
_CLAIM = text("UPDATE ai_schema_version SET version_num = version_num WHERE 0 = 1")


class LentDatabase(Database):
    """A database that a host lends a connection to, in the middle of a transaction of its own.

    What is booked becomes durable when the host commits, and goes when the host rolls back. A transaction is never
    repeated after a conflict: what the host did in it cannot be.

    Args:
        kind: ``sqlite`` or ``postgresql``.
        lend: Lends the driver's connection for a block of work inside a transaction or savepoint, which it rolls
            back when the block raises. PostgreSQL's must have begun and be psycopg's.
        name: Where the books are kept, for people.
        path: The file of an SQLite database, asked for when it is needed; None for any other.
    """

    def __init__(
        self,
        kind: str,
        lend: Callable[[], AbstractContextManager[Any]],
        *,
        name: Callable[[], str],
        path: Callable[[], str | None],
    ) -> None:
        self._lend = lend
        self._told_name = name
        self._told_path = path
        super().__init__(f"{kind}://")
        self._dialect: Dialect = connecting.make_engine(self._url).dialect

    @property
    def path(self) -> str | None:
        """File of the database, None when it lives in memory or on a server."""
        return self._told_path()

    @property
    def name(self) -> str:
        """Where the books are kept, for people; without user or password."""
        return self._told_name()

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do some work in the host's transaction; undone when it raises.

        Raises:
            StoreUnavailable: If the database stayed locked too long, is full or cannot be written.
            BillingError: If a rule of the tables refuses what was written.
        """
        return self._work(work, claim=not self.postgres)

    def read(self, work: Callable[[Tx], T], *, snapshot: bool = False) -> T:  # noqa: ARG002  # the host's transaction decides what is seen
        """Look at the books as the host's transaction sees them.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        return self._work(work, claim=False)

    def close(self) -> None:
        """Nothing: connections are the host's to close."""

    def _work(self, work: Callable[[Tx], T], *, claim: bool) -> T:
        driver: Any = self._dialect.loaded_dbapi
        try:
            with self._lend() as connection:
                tx = self._tx(connection)
                if claim:
                    tx.write(_CLAIM, {})
                result = work(tx)
                tx.commit()
                return result
        except Exception as error:
            if not is_of_database(error, driver):
                raise
            told = as_ours(error, driver, in_doubt=False)
        # Raised out here, so that the original with its statement and parameters is not even in the chain.
        raise told from None

    def _tx(self, connection: Any) -> Tx:  # noqa: ANN401  # of either driver
        if not self.postgres:
            return _LentTx(connection, self._dialect, self._prepared)
        from ai_addons.billing.sql.pipelined import LentPipelinedTx  # noqa: PLC0415  # needs psycopg

        return LentPipelinedTx(connection, self._dialect, self._prepared)


class _LentTx(Tx):
    """A transaction that the host began and will end."""

    def commit(self) -> None:
        """Nothing: everything is sent, and the rest is the host's."""
