"""What thousands of tests need not do again: work of a process's start, which hosts do once and each test would repeat.

The first test of a process does it by the real code; the others get what came of it. The tests
of the migrations make their tables by themselves and are not concerned.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_settings import PyprojectTomlConfigSettingsSource as ProjectFile

from ai_addons.billing.sql import Database, connecting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import ClauseElement, Connection

    from ai_addons.billing.sql.tx import Prepared

# The caller has begun a transaction and ends it.
_AROUND = ("BEGIN TRANSACTION;", "COMMIT;")


@contextmanager
def copied_tables() -> Iterator[None]:
    """Give every empty SQLite database of this block the tables of the first one, as they were made.

    SQLAlchemy takes fifteen milliseconds to write the same sixty statements, and SQLite three to read them.
    A file gets the statements: another process may be about to do the same.
    """
    make = connecting.ensure_schema
    template: list[str] = []
    model = sqlite3.connect(":memory:", check_same_thread=False)

    def ensure_schema(connection: Connection) -> None:
        if connection.dialect.name != "sqlite":
            make(connection)
            return
        raw: Any = connection.connection.driver_connection
        if raw.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            make(connection)
        elif template and connection.engine.url.database in (None, "", ":memory:"):
            # Nothing is copied into an open transaction; the caller ends the new one.
            raw.execute("COMMIT")
            model.backup(raw)
            raw.execute("BEGIN IMMEDIATE")
        elif template:
            for statement in template:
                raw.execute(statement)
        else:
            make(connection)
            template.extend(statement for statement in raw.iterdump() if statement not in _AROUND)
            model.executescript("".join(template))

    with closing(model), pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "ensure_schema", ensure_schema)
        yield


@contextmanager
def shared_statements() -> Iterator[None]:
    """Let all databases of one kind know the statements that one of them has written.

    A call needs some thirty, and SQLAlchemy takes a millisecond to write one.
    """
    known: dict[str, dict[ClauseElement, Prepared]] = {}
    start = Database.__init__

    def init(self: Database, url: str, *rest: Any, **options: Any) -> None:
        start(self, url, *rest, **options)
        self._prepared = known.setdefault("postgresql" if self.postgres else "sqlite", {})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "__init__", init)
        yield


@contextmanager
def parsed_project(ours: Path) -> Iterator[None]:
    """Parse this project's own pyproject.toml once: settings made here look into it, and it is a long one.

    Args:
        ours: Where it is; a test's own file is read as ever.
    """
    read = ProjectFile._read_file
    known: list[dict[str, Any]] = []

    def read_file(self: ProjectFile, path: Any) -> dict[str, Any]:
        if path != ours:
            return read(self, path)
        if not known:
            known.append(read(self, path))
        return known[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProjectFile, "_read_file", read_file)
        yield
