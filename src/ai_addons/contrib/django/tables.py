"""What a migration of Django does to the tables of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections, transaction

from ai_addons.billing import migrations
from ai_addons.billing.schema import VERSION_TABLE, first_version, metadata
from ai_addons.billing.sql.connecting import ensure_schema, schema_version
from ai_addons.contrib.django.borrowing import KINDS, engine_on
from ai_addons.contrib.django.conf import host_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def make(_apps: object, schema_editor: Any) -> None:  # noqa: ANN401  # Django's
    """Make the tables, or bring them to those of this release, in the database that ``AI_ADDONS`` names."""
    alias = str(schema_editor.connection.alias)
    if alias == host_settings().DATABASE:
        with transaction.atomic(using=alias), engine_on(alias).connect() as connection:
            migrations.upgrade_on(connection)


def keep_of_today(*, using: str, **_rest: object) -> None:
    """After every ``migrate``: bring tables of an earlier release to those of this one.

    So a release with other tables needs no migration of Django's. Where there are none nothing is made: they were
    dropped by going back to ``zero``, or are elsewhere.
    """
    if using != host_settings().DATABASE or connections[using].vendor not in KINDS:
        return
    with transaction.atomic(using=using), engine_on(using).connect() as connection:
        if schema_version(connection) is not None:
            migrations.upgrade_on(connection)


def empty(alias: str) -> None:
    """Empty the tables, if they are in this database."""
    if alias != host_settings().DATABASE or connections[alias].vendor not in KINDS:
        return
    with transaction.atomic(using=alias), engine_on(alias).connect() as connection:
        if schema_version(connection) is None:
            return
        if connection.dialect.name == "postgresql":
            names = ", ".join(sorted(set(metadata.tables) - {first_version.name}))
            connection.exec_driver_sql(f"TRUNCATE {names}")
        else:
            # A trigger lets nobody delete from the ledger.
            _drop(connection)
            ensure_schema(connection)


def drop(_apps: object, schema_editor: Any) -> None:  # noqa: ANN401  # Django's
    """Drop the tables with all that was booked; Django asks nobody, and a backup is the host's to make."""
    alias = str(schema_editor.connection.alias)
    if alias == host_settings().DATABASE:
        with transaction.atomic(using=alias), engine_on(alias).connect() as connection:
            _drop(connection)


def _drop(connection: Connection) -> None:
    metadata.drop_all(connection)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {VERSION_TABLE}")
