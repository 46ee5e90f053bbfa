"""All SQL of the package: the database and the statements run on it.

Nothing outside this package and `schema` knows SQLAlchemy.
"""

from ai_addons.billing.sql.database import Connection, Database, Row

__all__ = ["Connection", "Database", "Row"]
