"""What the inputs and outputs of features are made of: exact amounts, tidy names, nothing extra."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Annotated, ClassVar, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ai_addons.features._facts import clean

_MOST_DECIMALS: Final = 12
_MINUS_NOTHING: Final = re.compile(r"\s*-(?:0+(?:\.0*)?|\.0+)\s*")


def exact(value: object) -> object:
    """Let text, whole numbers and `Decimal` pass; a float is not exact, and minus nothing is nothing.

    Raises:
        ValueError: For a float or a truth value, and for a number of more than twelve decimals.
    """
    if isinstance(value, (bool, float)):
        msg = "amounts are given as text, whole number or Decimal: floats are not exact"
        raise ValueError(msg)  # noqa: TRY004  # pydantic turns a ValueError, not a TypeError, into a field error
    if isinstance(value, str) and _MINUS_NOTHING.fullmatch(value):
        return value.replace("-", "")
    if isinstance(value, Decimal) and value.is_zero():
        return abs(value)
    if _is_too_small(value):
        msg = "this is smaller than anything a shop measures: give at most twelve decimals"
        raise ValueError(msg)
    return value


def _is_too_small(value: object) -> bool:
    """Whether a number has its first digit behind the twelfth decimal; other text is for pydantic."""
    try:
        number = Decimal(value) if isinstance(value, (str, Decimal)) else Decimal(0)
    except InvalidOperation:
        return False
    return number.is_finite() and not number.is_zero() and number.adjusted() < -_MOST_DECIMALS


def tidy(value: object) -> object:
    """Bring text to NFKC with nothing invisible and single spaces; too long stays too long."""
    return clean(unicodedata.normalize("NFKC", value)) if isinstance(value, str) else value


class Strict(BaseModel):
    """Base of inputs and outputs: no unknown field, nothing changeable, no value in an error."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Ghs: TypeAlias = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, max_digits=12, decimal_places=2)]
"""An amount in cedis, exact to the pesewa."""

SignedGhs: TypeAlias = Annotated[Decimal, BeforeValidator(exact), Field(max_digits=12, decimal_places=2)]
"""An amount in cedis that may be below zero, exact to the pesewa."""

Units: TypeAlias = Annotated[Decimal, BeforeValidator(exact), Field(max_digits=12, decimal_places=3)]
"""Pieces, kilos or litres; below zero when more came back than was sold."""

Share: TypeAlias = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, le=1)]
"""A share between 0 and 1."""

Count: TypeAlias = Annotated[int, Field(ge=0, le=100_000_000)]
"""A number of things."""

Name: TypeAlias = Annotated[str, BeforeValidator(tidy), Field(min_length=1, max_length=60)]
"""What the tenant calls something; it is never sent, and stands in for its pseudonym in the finished text."""
