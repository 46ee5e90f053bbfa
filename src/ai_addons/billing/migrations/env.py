"""How revisions are run: on the connection that `ai_addons.billing.migrations` hands over, in its transaction.

Run by alembic, never imported.
"""

from __future__ import annotations

from alembic import context

from ai_addons.billing.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
