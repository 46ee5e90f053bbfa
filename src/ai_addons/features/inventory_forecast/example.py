"""An invented shop in Kumasi: the input of the demo, the docs and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.inventory_forecast.models import Event, StockItem, StockRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

_WEEKS: Final = 30
_CUSTOMERS: Final = 500


@dataclass(frozen=True, slots=True)
class _Goods:
    """Kind of goods: name, sizes, cost of the first size, how many times a week per 500 customers, how it is bought."""

    name: str
    sizes: tuple[str, ...]
    cost: str
    often: float
    each: int
    pack: int
    keeps: int | None = None


_GOODS: Final = (
    _Goods("Milo tin", ("400 g", "800 g"), "38.00", 7.0, 2, 12),
    _Goods("Gino tomato paste", ("70 g", "210 g", "400 g"), "3.20", 14.0, 3, 48),
    _Goods("Royal Aroma rice", ("5 kg", "25 kg"), "92.00", 4.0, 1, 4),
    _Goods("Frytol oil", ("1 l", "5 l"), "34.00", 5.0, 1, 6),
    _Goods("Ideal milk", ("160 g",), "7.50", 16.0, 4, 48),
    _Goods("Key soap", ("bar",), "9.80", 6.0, 2, 24),
    _Goods("Omo powder", ("90 g", "900 g"), "4.10", 8.0, 3, 24),
    _Goods("Tea bread", ("loaf",), "8.00", 30.0, 2, 10, 4),
    _Goods("Fan yoghurt", ("cup",), "4.50", 12.0, 2, 24, 21),
    _Goods("Blue Band", ("250 g", "450 g"), "13.00", 3.0, 1, 12, 180),
    _Goods("Exercise books", ("pack of 12",), "21.00", 1.2, 5, 10),
    _Goods("Torch battery", ("pair",), "6.00", 1.0, 2, 24),
    _Goods("Cloth, 6 yards", ("Nsu Bura", "Akofena"), "185.00", 0.6, 1, 1),
    _Goods("Standing fan", ("16 inch",), "260.00", 0.25, 1, 1),
    _Goods("Enamel basin", ("large",), "75.00", 0.15, 1, 3),
)


def example(customers: int = 500) -> StockRequest:
    """A provisions shop's stock after 30 weeks of sales.

    The same figures every time. A larger shop sells more of each item; it has no more items.

    Args:
        customers: How many buy there; sales grow with them.
    """
    rng = Random(2_026)  # noqa: S311  # an invented shop, the same every time
    sizes = [(goods, number, size) for goods in _GOODS for number, size in enumerate(goods.sizes)]
    items = tuple(_item(rng, goods, number, size, customers / _CUSTOMERS) for goods, number, size in sizes)
    return StockRequest(
        as_of=date(2026, 11, 22),
        items=(*items, _dead(), _new()),
        service_level=Decimal("0.95"),
        budget=Decimal(4_000) * max(customers, 1) / _CUSTOMERS,
        events=(Event(date=date(2026, 12, 25), name="Christmas"),),
    )


def _item(rng: Random, goods: _Goods, number: int, size: str, scale: float) -> StockItem:
    often = goods.often * scale / (1 + number)
    sales = tuple(_sold(rng, often, goods.each) for _ in range(_WEEKS))
    cost = Decimal(goods.cost) * (1 + 2 * number)
    usual = sum(sales) // _WEEKS
    return StockItem(
        ref=f"{goods.name} {size}",
        sales=tuple(map(Decimal, sales)),
        oos_days=tuple(rng.choice([0] * 12 + [2, 6]) for _ in range(_WEEKS)),
        stock=Decimal(rng.choice([0, usual, usual, 2 * usual, 5 * usual, 18 * usual + 3])),
        on_order=Decimal(rng.choice([0, 0, 0, goods.pack])),
        pack_size=goods.pack,
        moq=goods.pack,
        lead_days=1 if goods.keeps and goods.keeps <= _WEEKS else rng.choice([2, 3, 7]),
        review_days=2 if goods.keeps and goods.keeps <= _WEEKS else 7,
        shelf_life_days=goods.keeps,
        unit_cost=cost,
        unit_price=(cost * Decimal("1.18")).quantize(Decimal("0.10")),
    )


def _sold(rng: Random, often: float, each: int) -> int:
    """A week's units: so many buyers, each taking a few."""
    return sum(rng.randint(1, 2 * each - 1) for _ in _arrivals(rng, often))


def _arrivals(rng: Random, often: float) -> Iterator[None]:
    """Poisson arrivals of one week."""
    at = rng.expovariate(often)
    while at < 1:
        yield
        at += rng.expovariate(often)


def _dead() -> StockItem:
    """Nobody has asked for it since the first weeks."""
    return StockItem(
        ref="Face masks box",
        sales=tuple(map(Decimal, [6, 4, 3, 1, 0, 1, *[0] * (_WEEKS - 6)])),
        stock=Decimal(40),
        lead_days=7,
        review_days=7,
        unit_cost=Decimal("18.00"),
        unit_price=Decimal("25.00"),
    )


def _new() -> StockItem:
    """On the shelf for three weeks."""
    return StockItem(
        ref="Instant noodles carton",
        sales=(Decimal(3), Decimal(5), Decimal(4)),
        stock=Decimal(6),
        lead_days=3,
        review_days=7,
        unit_cost=Decimal("64.00"),
        unit_price=Decimal("76.00"),
    )
