"""What the columns and tables are made of, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, text
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

metadata: Final = MetaData()

# Ids are compared and sorted as bytes on both databases, whatever language the server speaks.
TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""A whole number of 64 bits. `ai_addons.billing.sql.tx` refuses anything else before it reaches the driver."""


def exact(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    """A column of whole numbers."""
    server = None if default is None else text(str(default))
    return Column(name, EXACT, nullable=null, server_default=server)


def string(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    """A column of text."""
    server = None if default is None else text(f"'{default}'")
    return Column(name, TEXT, nullable=null, server_default=server)


def table(name: str, *items: SchemaItem) -> Table:
    """A table of the books."""
    return Table(name, metadata, *items, sqlite_strict=True)


def where(condition: str) -> dict[str, Any]:
    """A partial index, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
