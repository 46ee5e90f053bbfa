"""What inputs and rows of features are made of: exact amounts, tidy names, short facts, names without digits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ai_addons.features import _facts
from ai_addons.features._facts import compact, letters, with_sign
from ai_addons.features._inputs import Ghs, Name, SignedGhs, Strict, Units

if TYPE_CHECKING:
    from ai_addons.features import Fact


class Line(Strict):
    """One of each."""

    name: Name = "Milk"
    price: Ghs = Decimal(0)
    change: SignedGhs = Decimal(0)
    units: Units = Decimal(0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": 1.5}, "floats are not exact"),
        ({"price": True}, "floats are not exact"),
        ({"price": "-1"}, "greater than or equal"),
        ({"price": "1.005"}, "decimal places"),
        ({"units": "1.0005"}, "decimal places"),
        ({"change": "99999999999.99"}, "digits"),
        ({"price": "NaN"}, "finite"),
        ({"name": "\u200b \u202e"}, "at least 1"),
        ({"name": "x" * 61}, "at most 60"),
        ({"other": 1}, "Extra inputs"),
    ],
)
def test_what_is_not_exact_or_not_known_is_refused(changes: dict[str, object], message: str) -> None:
    """Found at the door, and the error shows no value."""
    with pytest.raises(ValidationError, match=message) as caught:
        Line.model_validate(changes)
    assert "input_value" not in str(caught.value)


def test_names_are_tidied() -> None:
    """Full-width letters, invisible characters and blanks are brought to their plain form."""
    line = Line(name="  \uff2dilk\u200b \t powder ", change=Decimal("-1.50"))
    assert (line.name, line.change) == ("Milk powder", Decimal("-1.50"))
    assert Line(name=" ".join(["x"] * 30)).name.count("x") == 30


@pytest.mark.parametrize(
    ("fact", "short"),
    [
        (_facts.money("a", "", Decimal("1234.50")), "1235"),
        (_facts.money("a", "", Decimal("-0.40")), "0"),
        (_facts.percent("a", "", Decimal("-0.125")), "-13"),
        (_facts.days("a", "", Decimal(3)), "3 days"),
        (_facts.count("a", "", 1_500), "1,500"),
        (_facts.words("a", "", "champions", "the champions"), "the champions"),
    ],
)
def test_a_fact_is_told_in_few_tokens(fact: Fact, short: str) -> None:
    """Whole cedis without a currency word, whole percent without the sign; the rest as it stands."""
    assert compact(fact) == short


@pytest.mark.parametrize(("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")])
def test_rows_are_named_by_letters(place: int, name: str) -> None:
    """Base 26, so that no name of a row looks like a number."""
    assert letters(place) == name


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_no_two_rows_share_a_name(one: int, other: int) -> None:
    """Different places have different names, of capital letters alone."""
    assert (letters(one) == letters(other)) == (one == other)
    assert letters(one).isalpha()
    assert letters(one).isupper()


def test_a_sign_changes_nothing_else() -> None:
    """The same fact with a direction."""
    fact = _facts.money("a", "b", Decimal(5))
    assert with_sign(fact, -1) == fact.model_copy(update={"sign": -1})
    assert fact.sign is None
