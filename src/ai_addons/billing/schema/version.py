"""Which version the tables are, and where it is kept."""

from __future__ import annotations

from typing import Final

from sqlalchemy import PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, table

HEAD: Final = "0013"
"""The version of these tables; `ai_addons.billing.migrations` leads here from every earlier one."""

VERSION_TABLE: Final = "ai_schema_version"

FOR_FIRST_RELEASE: Final = 2
"""What the first release finds for a version: more than the 1 it knows."""

first_version: Final = table("ai_schema", exact("version"), PrimaryKeyConstraint("version"))
"""Where the first release looks for a version, so that it refuses tables newer than itself."""
