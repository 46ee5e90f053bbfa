r"""Tables of a shop's own system, read into the row models of a feature.

>>> from datetime import date
>>> from pydantic import BaseModel
>>> class Bill(BaseModel):
...     ref: str
...     due: date
>>> rows(Bill, b"Ref;Due\nB-1;31/05/2026\n").rows
(Bill(ref='B-1', due=datetime.date(2026, 5, 31)),)
"""

from ai_addons.features.loading.cells import DateOrder, Decimals
from ai_addons.features.loading.errors import BadTable, RowError
from ai_addons.features.loading.reading import Loaded, Read, rows, stream
from ai_addons.features.loading.sources import Table

__all__ = ["BadTable", "DateOrder", "Decimals", "Loaded", "Read", "RowError", "Table", "rows", "stream"]
