"""All eight features on one shop: its rows, what each feature takes of them, what the owner reads of the answers.

`Trade` holds the rows; `ai_addons.features.loading.rows` reads them out of a spreadsheet, dictionaries or a DataFrame,
`read_trade` out of a folder of CSV files. `inputs` makes what each feature takes, `pages` makes of each result what an
owner reads. Nothing here asks a model or costs a credit. What a shop counts in another way it makes by itself, from
the models of each feature.

>>> from datetime import date
>>> from decimal import Decimal
>>> rice = StockLine(item="Rice 5 kg", category="groceries", stock=Decimal(3), lead_days=3, unit_cost=Decimal(80))
>>> sold = SaleLine(
...     day=date(2026, 11, 20), sale="1", item="Rice 5 kg", units=Decimal(2), amount=Decimal(199), paid_by="cash"
... )
>>> trade = Trade(as_of=date(2026, 11, 20), sales=(sold,), stock=(rice,))
>>> inputs.report(trade).totals.gross_profit
Decimal('39.00')
"""

from ai_addons.features.shop import inputs, pages
from ai_addons.features.shop.business import portfolio
from ai_addons.features.shop.records import (
    BadRecord,
    CustomerRecord,
    Shop,
    read_customers,
    read_products,
    read_shop,
)
from ai_addons.features.shop.tables import (
    BadTrade,
    ContactLine,
    InvoiceLine,
    PaidBy,
    SaleLine,
    StockLine,
    Trade,
    read_trade,
)

__all__ = [
    "BadRecord",
    "BadTrade",
    "ContactLine",
    "CustomerRecord",
    "InvoiceLine",
    "PaidBy",
    "SaleLine",
    "Shop",
    "StockLine",
    "Trade",
    "inputs",
    "pages",
    "portfolio",
    "read_customers",
    "read_products",
    "read_shop",
    "read_trade",
]
