"""The way of a store's tables from every earlier release to today's.

Each revision is frozen: it says what the tables were, not what they are. All of
them run in one transaction, so that an upgrade happens whole or not at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ai_addons.billing.schema import HEAD
from ai_addons.billing.sql.connecting import CREATION, ensure_schema, make_engine, read_url, schema_version
from ai_addons.billing.sql.failures import root
from ai_addons.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

_FIRST: Final = "0001"
# The lock under which empty databases get their tables. The wait for another host's upgrade has no end;
# the wait for a table that is in use has.
_QUEUE: Final = (
    "SET LOCAL lock_timeout = 0",
    CREATION,
    "SET LOCAL lock_timeout = '10s'",
)


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the tables of a store to today's; make them in an empty database.

    All of it is one transaction. Hosts that do this at the same moment queue for
    it. The ledger and its hash chain stay byte for byte what they were.

    Args:
        url: SQLAlchemy URL of the store.

    Returns:
        The version that was found, None for an empty database, and the one that was reached.

    Raises:
        ConfigError: If the URL is none, the driver is missing, or the tables are of a later release.
        StoreUnavailable: If the database cannot be reached or refuses; then nothing has changed.
    """
    engine = make_engine(read_url(url))
    try:
        with engine.connect() as connection, connection.begin():
            return upgrade_on(connection), HEAD
    except SQLAlchemyError as error:
        # Not chained: the original carries the statement and its values.
        raise _refused(error) from None
    finally:
        engine.dispose()


def find(url: str) -> str | None:
    """The version of a store's tables, None where there are none; changes nothing.

    Args:
        url: SQLAlchemy URL of the store.

    Raises:
        ConfigError: If the URL is none or the driver is missing.
        StoreUnavailable: If the database cannot be reached.
    """
    parsed = read_url(url)
    if not _is_there(parsed):
        return None
    engine = make_engine(parsed)
    try:
        with engine.connect() as connection, connection.begin():
            return schema_version(connection)
    except SQLAlchemyError as error:
        raise _unreachable(error) from None
    finally:
        engine.dispose()


def refuse_downgrade() -> NoReturn:
    """What every revision does on the way back.

    Raises:
        ConfigError: Always: an earlier release has no place for what was booked since.
    """
    msg = (
        "Books are never taken back to the tables of an earlier release. Nothing was charged or changed. "
        "To return to it, restore the backup that was made before the upgrade."
    )
    raise ConfigError(msg)


def upgrade_on(connection: Connection) -> str | None:
    """Bring the tables to today's in the transaction that a connection is in.

    Args:
        connection: To the store, in a transaction that whoever calls ends.

    Returns:
        The version that was found, None for an empty database.

    Raises:
        ConfigError: If the tables are of a later release.
    """
    if connection.dialect.name == "postgresql":
        for statement in _QUEUE:
            connection.execute(text(statement))
    found = schema_version(connection)
    if found is None or found < HEAD:
        migrate(connection, found, HEAD)
    # Holds the outcome to what an opened store asks for, and refuses the tables of a later release.
    ensure_schema(connection)
    return found


def migrate(connection: Connection, found: str | None, target: str) -> None:
    """Run the revisions between two versions, inside the transaction that the connection is in.

    Args:
        connection: To the store.
        found: The version of its tables, None where there are none.
        target: The version wanted.
    """
    # Loaded here: a host that never upgrades needs none of it.
    from alembic import command  # noqa: PLC0415  # only an upgrade pays for it
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    # A percent sign means something to alembic's reader of settings.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    if found == _FIRST:
        # The first release counted in a table of its own, which alembic does not know.
        command.stamp(config, _FIRST)
    command.upgrade(config, target)


def _is_there(url: URL) -> bool:
    """Whether there is anything to look into: SQLite makes a file by opening it."""
    if url.get_backend_name() != "sqlite":
        return True
    return url.database not in (None, "", ":memory:") and Path(url.database or "").exists()


def _unreachable(error: SQLAlchemyError) -> StoreUnavailable:
    msg = (
        f"The store could not be read ({_said(error)}). Nothing was charged or changed. "
        f"Check store.url, and that the database is up and may be written."
    )
    return StoreUnavailable(msg)


def _refused(error: SQLAlchemyError) -> StoreUnavailable:
    msg = (
        f"The tables could not be upgraded ({_said(error)}). An upgrade is done whole or not at all; "
        f"nothing was charged. Stop every host that uses the store, see that the database is up and may be written, "
        f"and run `ai-addons db upgrade` again."
    )
    return StoreUnavailable(msg)


def _said(error: SQLAlchemyError) -> str:
    """What the database itself says, without statement or values."""
    return str(root(error)).split("\n", maxsplit=1)[0]
