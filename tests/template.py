"""SQLite tables for thousands of tests: made by the real code once a process, copied after that.

SQLAlchemy takes fifteen milliseconds to write the same sixty statements anew for each test's
own database. The tests of the migrations make theirs by themselves and are not concerned.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.sql import connecting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

# The caller has begun a transaction and ends it.
_AROUND = ("BEGIN TRANSACTION;", "COMMIT;")


@contextmanager
def copied_tables() -> Iterator[None]:
    """Give every empty SQLite database of this block the tables of the first one, as it was made."""
    make = connecting.ensure_schema
    template: list[str] = []

    def ensure_schema(connection: Connection) -> None:
        if connection.dialect.name != "sqlite":
            make(connection)
            return
        raw: Any = connection.connection.driver_connection
        if raw.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            make(connection)
        elif template:
            for statement in template:
                raw.execute(statement)
        else:
            make(connection)
            template.extend(statement for statement in raw.iterdump() if statement not in _AROUND)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "ensure_schema", ensure_schema)
        yield
