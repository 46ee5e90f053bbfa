"""Answers as the first plan had them: amounts as JSON numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from ai_addons.money import Credits


def as_numbers(value: object) -> object:
    """The same with every amount as a number.

    A number of JSON has no type: what reads it may round it. An amount of up to 15 digits survives a reader's
    double precision, which is why this is a switch and not the rule.
    """
    if isinstance(value, Credits):
        return float(value.decimal)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: as_numbers(one) for name, one in cast("dict[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [as_numbers(one) for one in cast("list[object]", value)]
    return value
