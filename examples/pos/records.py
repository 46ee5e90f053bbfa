"""A shop's rows as the features read them, and the CSV files that an empty shop is filled from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ai_addons.features.shop import CustomerRecord, Shop, Trade, read_customers, read_products, read_shop, read_trade
from pos.people import SUNYANI, Business

if TYPE_CHECKING:
    from ai_addons.features.product_description import Product

DATA: Final = Path(__file__).parents[1] / "data"
TODAY: Final = read_shop(DATA / "shop.toml").as_of
"""The day on which the shops stand still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All rows of one shop.

    Attributes:
        shop: Its name and number.
        products: What it sells and could describe.
        customers: Who asks for credit.
        trade: Sales, stock, bills, and whom it may write to.
    """

    shop: Shop
    products: tuple[Product, ...]
    customers: tuple[CustomerRecord, ...]
    trade: Trade


def seed(business: Business) -> Records:
    """The records that an empty shop is filled with; the second shop has a part of them."""
    found = Records(
        shop=Shop(name=business.name, business_id=business.id, phone=business.phone, as_of=TODAY),
        products=tuple(read_products(DATA / "products.csv", as_of=TODAY)),
        customers=tuple(read_customers(DATA / "customers.csv", as_of=TODAY)),
        trade=read_trade(DATA, as_of=TODAY),
    )
    return found if business != SUNYANI else _part(found)


def _part(all_of: Records) -> Records:
    customers = all_of.customers[:3]
    names = {one.name for one in customers}
    trade = replace(
        all_of.trade,
        sales=tuple(line for line in all_of.trade.sales if int(line.sale) % 3 == 0),
        invoices=tuple(bill for bill in all_of.trade.invoices if bill.customer_ref in names),
        contacts=tuple(line for line in all_of.trade.contacts if line.customer in names),
    )
    return replace(all_of, products=all_of.products[:4], customers=customers, trade=trade)
