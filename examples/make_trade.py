"""The trade of the demo shop: stock, sales and bills that fit its credit customers. `make_shop.py` writes them.

Everything is drawn from one seed. Goods, prices and the names of the regular customers are invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SEED: Final = 20261121
DAYS: Final = 427  # fourteen months: a year of customers' habits, and the month before it
WINDOW: Final = 30
SUNDAY: Final = 6

STOCK_HEAD: Final = (
    "item",
    "category",
    "stock",
    "on_order",
    "pack_size",
    "moq",
    "lead_days",
    "review_days",
    "shelf_life_days",
    "unit_cost",
    "unit_price",
)
SALES_HEAD: Final = ("day", "sale", "customer", "item", "units", "amount", "discount", "paid_by")
INVOICE_HEAD: Final = (
    "ref",
    "customer",
    "issued",
    "due",
    "amount",
    "paid",
    "paid_so_far",
    "dispute",
    "promise_date",
    "broken_promises",
    "last_contact",
    "unanswered_contacts",
)


class Goods(NamedTuple):
    """One item: how it is bought, what it costs and how often walk-in customers take it."""

    name: str
    category: str
    stock: int
    pack: int
    lead: int
    cost: str
    price: int
    weight: int
    keeps: str = ""
    on_order: int = 0


GOODS: Final = (
    Goods("Perfumed Rice", "groceries", 38, 10, 4, "92.00", 108, 14),
    Goods("Vegetable Oil, 5 Litres", "groceries", 4, 4, 4, "101.00", 118, 9),
    Goods("Tomato Paste", "groceries", 96, 48, 3, "3.20", 4, 20),
    Goods("Evaporated Milk", "groceries", 30, 48, 3, "7.50", 9, 18, on_order=48),
    Goods("Palm Nut Soup Base", "groceries", 60, 12, 7, "21.00", 26, 8),
    Goods("Sobolo Drink", "drinks", 14, 12, 1, "5.00", 7, 16, "14"),
    Goods("Laundry Soap Bar", "household", 240, 24, 5, "9.80", 12, 10),
    Goods("Bath Towel", "household", 9, 6, 7, "38.00", 52, 3),
    Goods("Exercise Book, Ruled", "stationery", 6, 10, 5, "21.00", 26, 6),
    Goods("School Sandal", "footwear", 7, 6, 10, "62.00", 85, 3),
    Goods("Sika Wo Ntaban Wax Print", "textiles", 5, 1, 10, "185.00", 240, 2),
    Goods("Shea Butter, Whipped", "beauty", 11, 12, 7, "24.00", 33, 5),
    Goods("Rechargeable Lamp", "electronics", 8, 4, 10, "58.00", 79, 4),
    Goods("Cement Trowel", "hardware", 34, 6, 10, "22.00", 30, 1),
    Goods("Enamel Cooking Pot with Lid", "kitchen", 16, 2, 14, "75.00", 98, 1),
)
STAPLES: Final = GOODS[:5]
NEW: Final = ("Rechargeable Lamp", 26)  # on the shelf for so many days
DEAD: Final = ("Enamel Cooking Pot with Lid", 130)  # not asked for since
DEAR: Final = 50  # GHS, from which people take one or two
ON_OFFER, BROUGHT_BACK, BY_MOMO, STAYS, MORE_NOW = 0.06, 0.012, 0.6, 0.6, 0.3
"""Chances: a discount, goods that come back, Mobile Money, a regular who never leaves, one more visit of late."""
RISEN: Final = ("Perfumed Rice", 40, 102)  # cheaper until so many days ago
FAIR: Final = 12  # so many days ago there was a fair
REGULARS: Final = tuple(
    f"{first} {last}"
    for last, firsts in (
        ("Ackon", ("Esi", "Kobina", "Araba", "Ebo", "Aba", "Fiifi")),
        ("Essien", ("Kweku", "Mansa", "Kwesi", "Ekua", "Nana Yaw", "Adjoa")),
        ("Mireku", ("Selorm", "Dede", "Nii", "Afia", "Yaa", "Kwabena")),
        ("Cudjoe", ("Baaba", "Kojo", "Efe", "Panyin", "Kakra", "Maame")),
        ("Nyarko", ("Issah", "Fati", "Kwadwo", "Serwaa", "Oforiwaa", "Kwame")),
        ("Blay", ("Ahu", "Ama", "Nyameke", "Enyonam", "Kofi", "Abena")),
    )
    for first in firsts
)


class Dealings(NamedTuple):
    """What followed a bill that is open: promises and contacts."""

    promised_in: int | None = None
    broken: int = 0
    contacted_ago: int | None = None
    unanswered: int = 0


OPEN: Final[Mapping[str, Dealings]] = {
    "Kofi Asante": Dealings(broken=2, contacted_ago=9, unanswered=1),
    "Kojo Addo": Dealings(broken=1, contacted_ago=12, unanswered=3),
    "Adwoa Sarpong": Dealings(contacted_ago=20),
    "Kwame Boateng": Dealings(promised_in=4, contacted_ago=3),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sale, in GHS."""

    day: date
    customer: str
    item: str
    units: int
    amount: float
    paid_by: str
    discount: int = 0


def stock_rows() -> list[tuple[str, ...]]:
    """The stock on the shelves."""
    return [
        (
            one.name,
            one.category,
            str(one.stock),
            str(one.on_order),
            str(one.pack),
            str(one.pack),
            str(one.lead),
            "7",
            one.keeps,
            one.cost,
            f"{one.price}.00",
        )
        for one in GOODS
    ]


def invoice_rows(as_of: date, bills: Mapping[str, str], disputed: Sequence[str]) -> list[tuple[str, ...]]:
    """Every bill of the credit customers, oldest first.

    Args:
        as_of: Today.
        bills: ``issued:due:paid:amount`` joined by ``|``, by customer.
        disputed: Customers who question their open bill.
    """
    found = sorted(
        (*bill.split(":"), name) for name, joined in bills.items() for bill in filter(None, joined.split("|"))
    )
    return [
        (f"B-{number:04}", name, issued, due, amount, paid, *_dealings(as_of, name, paid, disputed))
        for number, (issued, due, paid, amount, name) in enumerate(found, 1)
    ]


def _dealings(as_of: date, name: str, paid: str, disputed: Sequence[str]) -> tuple[str, ...]:
    known = OPEN.get(name, Dealings()) if not paid else Dealings()
    promised = "" if known.promised_in is None else str(as_of + timedelta(days=known.promised_in))
    contacted = "" if known.contacted_ago is None else str(as_of - timedelta(days=known.contacted_ago))
    dispute = "yes" if not paid and name in disputed else "no"
    return ("", dispute, promised, str(known.broken or ""), contacted, str(known.unanswered or ""))


def sales_rows(as_of: date, bills: Mapping[str, str], months: Mapping[str, Sequence[float]]) -> list[tuple[str, ...]]:
    """Every line sold in fourteen months, oldest first; lines of one customer and day are one sale.

    Args:
        as_of: Today.
        bills: As for `invoice_rows`; each is a sale on credit.
        months: What each credit customer bought in each of the last months, GHS, oldest first.
    """
    draw = random.Random(SEED)  # noqa: S311  # invented figures, repeatable on purpose; nothing secret
    start = as_of - timedelta(days=DAYS - 1)
    lines = [*_walk_ins(draw, as_of, start), *_regular(draw, as_of, start)]
    for name, amounts in months.items():
        lines += _on_account(draw, as_of, start, (name, bills[name], amounts))
    lines.sort(key=lambda line: (line.day, line.customer))
    numbers: dict[tuple[date, str, str], int] = {}
    rows: list[tuple[str, ...]] = []
    for place, line in enumerate(lines):
        # Each walk-in is somebody else.
        key = (line.day, line.customer or str(place), line.paid_by)
        number = numbers.setdefault(key, len(numbers) + 1)
        texts = (str(line.units), f"{line.amount:.2f}", str(line.discount or ""))
        rows.append((str(line.day), str(number), line.customer, line.item, *texts, line.paid_by))
    return rows


def _open_day(day: date) -> date:
    """The shop is closed on Sundays; who would come then comes a day earlier."""
    return day - timedelta(days=1) if day.weekday() == SUNDAY else day


def _walk_ins(draw: random.Random, as_of: date, start: date) -> Iterator[Line]:
    for back in range(DAYS):
        day = start + timedelta(days=back)
        if day.weekday() == SUNDAY:
            continue
        ago = (as_of - day).days
        visits = draw.choice((1, 2, 2, 3)) + (14 if ago == FAIR else 0) + (ago < WINDOW and draw.random() < MORE_NOW)
        for _ in range(visits):
            goods = _chosen(draw, ago)
            yield _line(draw, as_of, day, "", goods, draw.randint(1, 3 if goods.price < DEAR else 1))


def _chosen(draw: random.Random, ago: int) -> Goods:
    """An item by how often it is asked for, among those that sold at that time."""
    on_shelf = [one for one in GOODS if not (one.name == NEW[0] and ago >= NEW[1])]
    on_shelf = [one for one in on_shelf if not (one.name == DEAD[0] and ago < DEAD[1])]
    return draw.choices(on_shelf, [one.weight for one in on_shelf])[0]


def _line(draw: random.Random, as_of: date, day: date, customer: str, goods: Goods, units: int) -> Line:
    price = RISEN[2] if goods.name == RISEN[0] and (as_of - day).days > RISEN[1] else goods.price
    discount = units * price // 20 if draw.random() < ON_OFFER else 0
    back = draw.random() < BROUGHT_BACK
    amount = (units * price - discount) * (-1 if back else 1)
    paid_by = "momo" if draw.random() < BY_MOMO else "cash"
    return Line(day, customer, goods.name, -units if back else units, amount, paid_by, 0 if back else discount)


def _regular(draw: random.Random, as_of: date, start: date) -> Iterator[Line]:
    """Each has a first day, a habit, and perhaps a last day."""
    for name in REGULARS:
        first, gap = draw.uniform(0, DAYS * 0.98), draw.lognormvariate(3.2, 0.6)
        last = first + (DAYS if draw.random() < STAYS else draw.uniform(30, 200))
        at = first
        while at < min(last, DAYS):
            day = _open_day(start + timedelta(days=int(at)))
            for _ in range(draw.choice((1, 1, 2))):
                goods = _chosen(draw, (as_of - day).days)
                yield _line(draw, as_of, day, name, goods, draw.randint(1, 4 if goods.price < DEAR else 2))
            at += max(2.0, draw.expovariate(1 / gap))


def _on_account(draw: random.Random, as_of: date, start: date, who: tuple[str, str, Sequence[float]]) -> Iterator[Line]:
    """A credit customer: each bill is a sale, and the rest of each month is paid at once."""
    name, joined, amounts = who
    bills = [bill.split(":") for bill in joined.split("|") if bill]
    billed = [(_open_day(date.fromisoformat(issued)), float(amount)) for issued, _, _, amount in bills]
    for day, amount in billed:
        if day >= start:
            yield _sold(draw, day, name, amount, "credit")
    for month, spend in enumerate(amounts):
        end = as_of - timedelta(days=WINDOW * (len(amounts) - 1 - month))
        on_credit = sum(amount for day, amount in billed if end - timedelta(days=WINDOW) < day <= end)
        for _ in range(2 if spend > on_credit else 0):
            day = _open_day(end - timedelta(days=draw.randrange(WINDOW)))
            if day >= start:
                yield _sold(draw, day, name, round((spend - on_credit) / 2), draw.choice(("momo", "momo", "cash")))


def _sold(draw: random.Random, day: date, name: str, amount: float, paid_by: str) -> Line:
    """Staples for about so much; a wholesale price is agreed on, so it may differ from that on the shelf."""
    fitting = [one for one in STAPLES if one.price * 3 <= amount <= one.price * 90] or [GOODS[3]]
    goods = draw.choice(fitting)
    return Line(day, name, goods.name, max(1, round(amount / goods.price)), amount, paid_by)
