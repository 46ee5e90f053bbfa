"""Books of the first release, and what a database says of itself.

``version_1.sql`` is the dump of a store that the first release wrote: a trial,
purchases, and calls that were captured, void, expired, late or still open.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import MetaData, text

from ai_addons.billing import migrations
from ai_addons.billing.schema import VERSION_TABLE
from ai_addons.billing.sql import connecting
from tests.postgres import postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

T = TypeVar("T")

DUMP: Final = Path(__file__).with_name("version_1.sql")
# The table that holds the version is the migration tool's own.
PG_SHAPE: Final = (
    """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), o.collname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN pg_collation o ON o.oid = a.attcollation
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relname <> 'ai_schema_version'""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> 'ai_schema_version'::regclass""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'ai_schema_version'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)
SQLITE_SHAPE: Final = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'ai_schema_version'"


def write_version_1(path: Path) -> None:
    """A file as the first release left it."""
    with closing(sqlite3.connect(path)) as file:
        file.executescript(DUMP.read_text(encoding="utf-8"))


def copy_version_1(url: str) -> None:
    """The same books on a server, had the first release kept them there."""

    def copy(connection: Connection) -> None:
        migrations.migrate(connection, None, "0001")
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        names = source.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'ai_schema'")
        for (name,) in names.fetchall():
            for row in map(dict, source.execute(f"SELECT * FROM {name}")):  # noqa: S608  # a table of the dump
                places = ", ".join(f":{column}" for column in row)
                connection.execute(text(f"INSERT INTO {name} VALUES ({places})"), row)  # noqa: S608  # as above

    with closing(sqlite3.connect(":memory:")) as source:
        source.executescript(DUMP.read_text(encoding="utf-8"))
        source.row_factory = sqlite3.Row
        on(url, copy)


def on(url: str, work: Callable[[Connection], T]) -> T:
    """Do something in one transaction of a database."""
    engine = connecting.make_engine(connecting.read_url(url))
    try:
        with engine.connect() as connection, connection.begin():
            return work(connection)
    finally:
        engine.dispose()


def run(url: str, statement: str, **values: object) -> list[tuple[Any, ...]]:
    """What a statement finds, sorted."""

    def work(connection: Connection) -> list[tuple[Any, ...]]:
        result = connection.execute(text(statement), values)
        return sorted((tuple(row) for row in result), key=repr) if result.returns_rows else []

    return on(url, work)


def rows(url: str, table: str) -> list[tuple[Any, ...]]:
    """Every row of a table, sorted."""
    return run(url, f"SELECT * FROM {table}")  # noqa: S608  # a table of ours


def stamp(url: str, version: str) -> None:
    """Say that the tables are of a version."""
    run(url, f"UPDATE {VERSION_TABLE} SET version_num = :version", version=version)  # noqa: S608  # a constant


def content(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, sorted."""

    def everything(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        found = MetaData()
        found.reflect(connection)
        tables = found.tables.items()
        return {name: sorted(map(tuple, connection.execute(table.select())), key=repr) for name, table in tables}

    return on(url, everything)


def shape(url: str) -> list[list[tuple[Any, ...]]]:
    """Tables, columns, types, indexes, constraints and triggers, as the database itself tells of them."""
    if not url.startswith("sqlite"):
        return [run(url, statement) for statement in PG_SHAPE]
    return [[(kind, name, _spelled(sql)) for kind, name, sql in run(url, SQLITE_SHAPE)]]


def _spelled(sql: str) -> str:
    """A definition without what only differs in spelling."""
    return re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql.replace("(-1)", "-1").replace('"', ""))).strip()


def new_store_like(url: str, folder: Path) -> str:
    """A database of the same kind with the tables that a new store makes."""
    new = f"sqlite:///{folder / 'new.db'}" if url.startswith("sqlite") else postgres_url()
    connecting.open_engine(connecting.read_url(new)).dispose()
    return new
