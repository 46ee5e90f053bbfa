"""All SQL of the package: the database, transactions, and the statements run in them.

Nothing outside this package and `schema` knows SQLAlchemy.
"""

from ai_addons.billing.sql.database import Database
from ai_addons.billing.sql.lent import LentDatabase
from ai_addons.billing.sql.tx import Row, Tx

__all__ = ["Database", "LentDatabase", "Row", "Tx"]
