"""Django's databases for the books: their URL for connections of our own, or Django's own connections.

With connections of our own (the default) a call's credits are held durably before the model is asked, whatever the
host's request does later: its cost is real even if the host rolls back. With Django's the books are part of the
host's transaction: credits that are granted together with rows of the host come or go with them, and tests that roll
back leave nothing behind.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DjangoDatabaseError
from django.db import connections, transaction
from django.db.utils import ConnectionDoesNotExist
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL

from ai_addons.billing.schema import HEAD, VERSION_TABLE
from ai_addons.billing.sql import LentDatabase
from ai_addons.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Engine

KINDS: Final = ("sqlite", "postgresql")
"""Databases that books are kept in, by Django's names."""
# What Django adds to a driver's own options.
_DJANGOS_OPTIONS: Final = frozenset(
    {
        "assume_role",
        "context",
        "cursor_factory",
        "init_command",
        "isolation_level",
        "pool",
        "prepare_threshold",
        "server_side_binding",
        "timeout",
        "transaction_mode",
    }
)
_OUR_THREADS: Final = "ai_addons"
_WAIT: Final = "SELECT current_setting('lock_timeout'), set_config('lock_timeout', '10s', true)"
_WAIT_AS_BEFORE: Final = "SELECT set_config('lock_timeout', %s, true)"


def borrowed(alias: str = "default") -> LentDatabase:
    """Books on Django's own connections, for ``AddOns(…, database=borrowed("default"))``.

    Whatever is booked is part of the transaction that the host is in, or one of its own where it is in none. So:

    - Inside ``atomic`` a hold is not durable before the model is asked, and an answer is paid for only once the host
      commits. Use it for tests, and for grants that stand or fall with rows of the host.
    - A wallet stays locked until the host's transaction ends. Do not call models inside one that others wait for.
    - Events and webhooks of what is rolled back later have been told already.
    - Each thread has a Django connection of its own: calls with ``await`` work in threads of ours, and do not see
      what the caller's transaction has not committed.
    - PostgreSQL needs psycopg 3. The tables come from ``manage.py migrate``.

    Args:
        alias: The database, as in ``DATABASES``.

    Raises:
        ConfigError: If there is none of that name, or it is neither SQLite nor PostgreSQL with psycopg 3.
    """
    return LentDatabase(
        kind_of(alias), _Lender(alias), name=lambda: f"Django's {alias!r} database", path=partial(path_of, alias)
    )


def kind_of(alias: str) -> str:
    """``sqlite`` or ``postgresql``.

    Raises:
        ConfigError: If it is neither, or there is no such database.
    """
    try:
        vendor = str(connections[alias].vendor)
    except (ConnectionDoesNotExist, ImproperlyConfigured) as error:
        msg = f"Django has no database {alias!r} for the books ({error}). Nothing was charged. Correct DATABASES."
        raise ConfigError(msg) from error
    if vendor not in KINDS:
        msg = (
            f"Django's {alias!r} database is {vendor}; books are kept in SQLite or PostgreSQL. Nothing was charged. "
            "Set AI_ADDONS['DATABASE'] to another alias, or to None and AI_ADDONS['SETTINGS']['store']['url']."
        )
        raise ConfigError(msg)
    return vendor


def path_of(alias: str) -> str | None:
    """The file of an SQLite database, as Django has it now; None for one in memory or on a server."""
    connection = connections[alias]
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return None
    return str(connection.settings_dict["NAME"])


def url_of(alias: str) -> str:
    """The URL of one of Django's databases, for connections of our own; with its password.

    Raises:
        ConfigError: If it is in memory, or of another kind.
    """
    kind, settings = kind_of(alias), connections[alias].settings_dict
    if kind == "sqlite":
        path = path_of(alias)
        if path is None:
            msg = (
                f"Django's {alias!r} database is in memory, where a second connection finds nothing. Nothing was "
                "charged. Set AI_ADDONS['CONNECTION'] to 'borrowed', as tests do."
            )
            raise ConfigError(msg)
        return URL.create("sqlite", database=path).render_as_string(hide_password=False)
    options = {k: str(v) for k, v in settings.get("OPTIONS", {}).items() if k not in _DJANGOS_OPTIONS}
    url = URL.create(
        "postgresql+psycopg",
        username=settings.get("USER") or None,
        password=settings.get("PASSWORD") or None,
        host=settings.get("HOST") or None,
        port=int(settings["PORT"]) if settings.get("PORT") else None,
        database=settings.get("NAME") or None,
        query=options,
    )
    return url.render_as_string(hide_password=False)


def engine_on(alias: str) -> Engine:
    """An SQLAlchemy engine whose only connection is Django's; Django alone ends its transactions.

    Work with it inside ``transaction.atomic(using=alias)``.
    """
    kind = kind_of(alias)
    # Asked for, the extension's type would be looked up in a transaction of SQLAlchemy's own.
    more = {"use_native_hstore": False} if kind == "postgresql" else {}
    url = "sqlite://" if kind == "sqlite" else "postgresql+psycopg://"
    engine = create_engine(url, creator=partial(_raw, alias), poolclass=NullPool, hide_parameters=True, **more)
    for name in ("do_begin", "do_commit", "do_rollback", "do_close", "do_terminate"):
        setattr(engine.dialect, name, _left_to_django)
    return engine


def _raw(alias: str) -> Any:  # noqa: ANN401  # a connection of any driver
    connection = connections[alias]
    connection.ensure_connection()
    return connection.connection


def _left_to_django(_connection: object) -> None:
    return


class _Lender:
    """Lends Django's connection of this thread."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._checked = False

    def __call__(self) -> Any:  # noqa: ANN401  # a context manager over a driver's connection
        return self._lent()

    @contextmanager
    def _lent(self) -> Generator[Any, None, None]:
        connection = connections[self._alias]
        try:
            with transaction.atomic(using=self._alias), _patience(connection):
                # A raw connection would not mind that the host's transaction is broken already.
                connection.validate_no_broken_transaction()
                self._check(connection)
                yield connection.connection
        except DjangoDatabaseError as error:
            msg = f"The credit store did not answer ({error}). Nothing was charged. Look at the database of Django."
            raise StoreUnavailable(msg) from None
        finally:
            if threading.current_thread().name.startswith(_OUR_THREADS):
                # Nobody else ends the connection of a thread of ours.
                connection.close()

    def _check(self, connection: Any) -> None:  # noqa: ANN401  # Django's
        """See once that the tables are there and of today.

        Raises:
            ConfigError: If they are not.
        """
        if self._checked:
            return
        found: str | None = None
        with connection.cursor() as cursor:
            if VERSION_TABLE in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608  # a constant
                found = cursor.fetchone()[0]
        if found != HEAD:
            have = "are not there" if found is None else f"are of schema {found}, and this release needs {HEAD}"
            msg = f"The tables of the store {have}. Nothing was charged. Run `manage.py migrate ai_addons`."
            raise ConfigError(msg)
        self._checked = True


@contextmanager
def _patience(connection: Any) -> Generator[None, None, None]:  # noqa: ANN401  # Django's
    """On PostgreSQL: begin, and wait ten seconds for a lock at most.

    Without an end to it a host that locked the same row on another connection would wait for itself for ever.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_WAIT)
        before = cursor.fetchone()[0]
    yield
    # After an error the transaction or savepoint is rolled back, and this with it.
    with connection.cursor() as cursor:
        cursor.execute(_WAIT_AS_BEFORE, [before])
