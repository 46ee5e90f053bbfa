"""Digits, groups of digits and check digits, from seeded randomness."""

from __future__ import annotations

import string
from random import Random
from typing import Final

_LETTERS_DIGITS: Final = string.ascii_letters + string.digits


def seeded(seed: int | str) -> Random:
    """Randomness that is the same for the same seed."""
    return Random(seed)  # noqa: S311  # texts for tests, no secrets


def digits(rng: Random, count: int, first: str = string.digits) -> str:
    """So many digits, the first of them one of ``first``."""
    return rng.choice(first) + "".join(rng.choices(string.digits, k=count - 1))


def signs(rng: Random, count: int, among: str = _LETTERS_DIGITS) -> str:
    """So many of some characters."""
    return "".join(rng.choices(among, k=count))


def grouped(number: str, *sizes: int, by: str) -> str:
    """A number in groups of these sizes; what is left over is the last group."""
    pieces: list[str] = []
    for size in sizes:
        pieces.append(number[:size])
        number = number[size:]
    return by.join(filter(None, [*pieces, number]))


def luhn(body: str) -> str:
    """A number with its Luhn check digit (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def ean(body: str) -> str:
    """A number with the check digit of EAN and UPC (GS1)."""
    return body + str(-sum(int(digit) * (3 - 2 * (place % 2)) for place, digit in enumerate(reversed(body))) % 10)
