"""An invented provisions shop in Kumasi, June against May 2026."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.report_summary.models import (
    CategorySales,
    DaySales,
    Period,
    ProductSales,
    SalesReport,
    Sold,
    Totals,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SEED: Final = 20_260_630
_PERIOD: Final = Period(start=date(2026, 6, 1), end=date(2026, 6, 30))
_PRIOR: Final = Period(start=date(2026, 5, 2), end=date(2026, 5, 31))
_HISTORY: Final = 150
_SUNDAY: Final = 6
_GOODS: Final = (
    ("Grains", ("Perfumed rice", "Local rice", "Maize", "Gari", "Millet", "Wheat flour")),
    ("Tins", ("Tomato paste", "Mackerel in tomato", "Sardines", "Evaporated milk", "Corned beef", "Baked beans")),
    ("Oils", ("Palm oil", "Sunflower oil", "Shea butter", "Groundnut paste")),
    ("Drinks", ("Cocoa drink", "Bottled water", "Ginger drink", "Malt drink", "Orange squash")),
    ("Washing", ("Bar soap", "Washing powder", "Bleach", "Sponges")),
    ("Snacks", ("Plantain chips", "Biscuits", "Groundnuts", "Milk sweets")),
)
_SIZES: Final = ("", " large", " small", " carton", " family size", " sachet")
_MOST_PRODUCTS: Final = 2_000
_CUSTOMERS_A_PRODUCT: Final = 10
_LEAST_PRODUCTS: Final = 24
_PESEWA: Final = Decimal("0.01")


def example(customers: int = 500) -> SalesReport:
    """A month's report, the same each time.

    Args:
        customers: How many customers the shop has; more make more products and larger sums.
    """
    rng = Random(_SEED)  # noqa: S311  # invented figures, nothing secret
    products = tuple(_products(rng, customers))
    now, before = [row.current for row in products], [row.prior for row in products]
    return SalesReport(
        as_of=_PERIOD.end,
        period=_PERIOD,
        prior_period=_PRIOR,
        totals=_totals(now, customers * 9 // 2, ("0.024", "0.009", "0.17")),
        prior_totals=_totals(before, customers * 4, ("0.019", "0.011", "0.14")),
        products=products,
        categories=tuple(_categories(products, customers)),
        days=tuple(_days(rng, sum((row.sales for row in now), Decimal()))),
    )


def _products(rng: Random, customers: int) -> Iterator[ProductSales]:
    wanted = min(_MOST_PRODUCTS, max(_LEAST_PRODUCTS, customers // _CUSTOMERS_A_PRODUCT))
    names = [(category, name) for category, goods in _GOODS for name in goods]
    for place in range(wanted):
        category, name = names[place % len(names)]
        turn = place // len(names)
        ref = name + _SIZES[turn % len(_SIZES)] + (f" {turn // len(_SIZES)}" if turn >= len(_SIZES) else "")
        yield _product(rng, ref, category, customers, place)


def _product(rng: Random, ref: str, category: str, customers: int, place: int) -> ProductSales:
    """A product; each 19th is new, each 23rd gone, each 13th ran out for some days."""
    price = Decimal(rng.randint(400, 9_000)) / 100
    units = max(1, round(rng.lognormvariate(0, 0.7) * max(customers, 50) / 4))
    later = max(1, round(units * rng.uniform(0.75, 1.35)))
    sold_out = rng.randint(3, 9) if place % 13 == 5 else 0  # noqa: PLR2004  # see the docstring
    new, gone = place % 19 == 7, place % 23 == 11  # noqa: PLR2004  # see the docstring
    cost = price * Decimal(rng.randint(72, 84)) / 100
    dearer = price * Decimal(rng.randint(98, 108)) / 100
    return ProductSales(
        ref=ref,
        category=category,
        current=_sold(0 if gone else later * (30 - 2 * sold_out) // 30, dearer, cost * Decimal("1.03")),
        prior=_sold(0 if new else units, price, cost),
        stock_out_days=sold_out,
    )


def _sold(units: int, price: Decimal, cost: Decimal) -> Sold:
    return Sold(units=Decimal(units), sales=_pesewas(units * price), cost=_pesewas(units * cost))


def _totals(rows: Sequence[Sold], orders: int, shares: tuple[str, str, str]) -> Totals:
    sales = sum((row.sales for row in rows), Decimal())
    discounts, returns, credit = (_pesewas(sales * Decimal(share)) for share in shares)
    momo = _pesewas((sales - credit) * Decimal("0.62"))
    return Totals(
        sales=sales,
        gross_profit=sales - sum((row.cost or Decimal() for row in rows), Decimal()),
        discounts=discounts,
        returns=returns,
        credit_sales=credit,
        cash=sales - credit - momo,
        momo=momo,
        orders=orders,
    )


def _categories(products: Iterable[ProductSales], customers: int) -> Iterator[CategorySales]:
    rows = list(products)
    for category, _ in _GOODS:
        own = [row for row in rows if row.category == category]
        yield CategorySales(
            ref=category,
            sales=sum((row.current.sales for row in own), Decimal()),
            orders=customers * len(own) // len(rows),
            prior_sales=sum((row.prior.sales for row in own), Decimal()),
            prior_orders=customers * len(own) // len(rows),
        )


def _days(rng: Random, month: Decimal) -> Iterator[DaySales]:
    """Five months of days, closed on Sundays, one of them far above the usual."""
    usual = month / 26
    for back in range(_HISTORY, -1, -1):
        day = _PERIOD.end - timedelta(days=back)
        opened = day.weekday() != _SUNDAY
        factor = Decimal(round(rng.gauss(100, 8))) / 100 * (Decimal("2.4") if day == date(2026, 6, 12) else 1)
        sales = _pesewas(usual * factor) if opened else Decimal(0)
        yield DaySales(day=day, sales=sales, orders=int(sales / 40), open=opened)


def _pesewas(value: Decimal) -> Decimal:
    return value.quantize(_PESEWA)
