"""An invented provisions shop in Kumasi and a question of its owner."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.customer_insight.models import CustomerQuestion, Purchase

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED: Final = 20_260_630
_AS_OF: Final = date(2026, 6, 30)
_DAYS: Final = 540
_MOST_PURCHASES: Final = 19
_FIRST: Final = ("Ama", "Kofi", "Akosua", "Kwame", "Esi", "Yaw", "Abena", "Kojo", "Adwoa", "Kwesi", "Afia", "Kwabena")
_LAST: Final = ("Mensah", "Boateng", "Owusu", "Asante", "Addo", "Darko", "Appiah", "Osei", "Tetteh", "Agyeman", "Quaye")
_CATEGORIES: Final = ("Grains", "Tins", "Oils", "Drinks", "Washing", "Snacks")
_PLACES: Final = ("Adum", "Bantama", "Tafo", "Asokwa", "Suame")
_QUESTION: Final = "Which good customers are at risk of leaving?"


def example(customers: int = 500) -> CustomerQuestion:
    """A question with 18 months of purchases, the same each time.

    Args:
        customers: How many customers the shop has; at most 10,500 fit the limit of purchases.
    """
    rng = Random(_SEED)  # noqa: S311  # invented figures, nothing secret
    rows = [row for place in range(customers) for row in _purchases(rng, _ref(place))]
    return CustomerQuestion(as_of=_AS_OF, question=_QUESTION, purchases=tuple(rows))


def _ref(place: int) -> str:
    """A name that occurs once: first and last name, place, and a number from the second round on."""
    turn, first = divmod(place, len(_FIRST))
    turn, last = divmod(turn, len(_LAST))
    turn, where = divmod(turn, len(_PLACES))
    return f"{_FIRST[first]} {_LAST[last]}, {_PLACES[where]}" + (f" {turn + 1}" if turn else "")


def _purchases(rng: Random, ref: str) -> Iterator[Purchase]:
    """One customer: a first day, a habit, a usual sum, perhaps an end, now and then a refund."""
    start, rhythm = rng.randint(0, _DAYS), max(5.0, rng.lognormvariate(3.4, 0.7))
    usual, stays, category = rng.lognormvariate(4, 0.8), rng.random(), rng.choice(_CATEGORIES)
    day, end = float(start), start + (_DAYS if stays > 0.45 else _DAYS * stays / 2)  # noqa: PLR2004  # set by hand
    for number in range(_MOST_PURCHASES):
        if day > min(end, _DAYS):
            return
        amount = Decimal(max(500, round(usual * rng.lognormvariate(0, 0.4) * 100))) / 100
        yield _row(ref, int(day), amount, category, on_credit=rng.random() < 0.15)  # noqa: PLR2004  # set by hand
        if number and rng.random() < 0.02:  # noqa: PLR2004  # set by hand
            yield _row(ref, int(day), -amount / 2, category, on_credit=False)
        day += rng.expovariate(1 / rhythm) + 1


def _row(ref: str, day: int, amount: Decimal, category: str, *, on_credit: bool) -> Purchase:
    return Purchase(
        customer_ref=ref,
        day=_AS_OF - timedelta(days=_DAYS - day),
        amount=amount.quantize(Decimal("0.01")),
        on_credit=on_credit,
        category=category,
    )
