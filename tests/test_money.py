"""Exact amounts: what goes in comes out, and nothing inexact goes in."""

from __future__ import annotations

import operator
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ai_addons.money import Credits, MicroGhs, Money, PicoUsd, ghs, scaled_rate, to_micro_ghs, usd

if TYPE_CHECKING:
    from collections.abc import Callable

MICRO = st.integers(-(10**19), 10**19)
RATE = scaled_rate("11.646")


@given(MICRO)
def test_credits_survive_every_form_they_are_written_in(micro: int) -> None:
    """Text, Decimal and repr each give back the very same amount."""
    amount = Credits.from_micro(micro)
    assert Credits(str(amount)) == amount
    assert Credits(amount.short) == amount
    assert Credits(amount.decimal) == amount
    assert Credits(amount) == amount
    assert eval(repr(amount)) == amount  # noqa: S307  # the property is that repr can be evaluated
    assert amount.micro == micro


@given(MICRO)
def test_amounts_do_not_depend_on_the_host_s_decimal_settings(micro: int) -> None:
    """A host that works with few digits elsewhere does not change a credit."""
    with localcontext(Context(prec=3)):
        amount = Credits(str(Credits.from_micro(micro)))
        assert amount.micro == micro
        assert str(amount.decimal) == str(Decimal(f"{micro}e-6"))
        assert Money(str(Money.from_minor(micro).decimal)).minor == micro


@given(MICRO, MICRO, st.integers(-1000, 1000))
def test_credits_add_up_like_whole_numbers(left: int, right: int, times: int) -> None:
    """Adding, subtracting, multiplying and comparing never round."""
    a, b = Credits.from_micro(left), Credits.from_micro(right)
    assert ((a + b).micro, (a - b).micro, (a * times).micro, (-a).micro) == (
        left + right,
        left - right,
        left * times,
        -left,
    )
    assert (a < b, a <= b, a > b, a >= b, a == b) == (
        left < right,
        left <= right,
        left > right,
        left >= right,
        left == right,
    )
    assert bool(a) == (left != 0)
    assert len({a, b, Credits.from_micro(left)}) == len({left, right})


@pytest.mark.parametrize(
    ("text", "wire", "short"),
    [
        ("0", "0.00", "0"),
        ("0.1", "0.10", "0.1"),
        ("5", "5.00", "5"),
        ("10", "10.00", "10"),
        ("1.234567", "1.234567", "1.234567"),
        ("-0.5", "-0.50", "-0.5"),
        ("1e3", "1000.00", "1000"),
        ("2.50000000", "2.50", "2.5"),
        ("0e999999", "0.00", "0"),
    ],
)
def test_credits_are_written_for_machines_and_for_people(text: str, wire: str, short: str) -> None:
    """The wire form has 2 to 6 decimals, the short form no needless zeros, neither an exponent."""
    assert (str(Credits(text)), Credits(text).short) == (wire, short)


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), True, False, None, b"5", [5]])
def test_floats_and_bools_are_no_amounts(value: Any) -> None:
    """What is not exact is refused by type, for credits, money and rates alike."""
    for make in (Credits, Money, scaled_rate):
        with pytest.raises(TypeError, match="floats are not exact"):
            make(value)


@pytest.mark.parametrize(
    "value",
    ["", "five", "1,5", "NaN", "Infinity", "0.0000001", "1e-999999999", "1e31", "1e999999999", Decimal("sNaN")],
)
def test_text_that_is_no_exact_amount_is_refused_fast(value: Any) -> None:
    """Nonsense, infinities, too many decimals or digits are refused, however they are written."""
    with pytest.raises(ValueError, match="credits"):
        Credits(value)


@pytest.mark.parametrize(
    ("make", "value", "said"),
    [
        (Credits, 0.1, "credits must be given as str, int or Decimal, not float: floats are not exact"),
        (Credits, "five", "'five' is not a number of credits"),
        (Credits, "NaN", "credits must be finite, not 'NaN'"),
        (Credits, "0.0000001", "'0.0000001' has more than 6 decimals; credits are exact to 10^-6"),
        (Credits, "1e31", "credits must have at most 30 digits before the point"),
        (Money, "0.001", "'0.001' has more than 2 decimals; GHS amounts are exact to 10^-2"),
        (scaled_rate, "x", "'x' is not a number of exchange rates"),
        (scaled_rate, "0", "an exchange rate must be positive, not '0'"),
    ],
)
def test_a_refused_amount_says_what_is_wrong_with_it(make: Callable[[Any], object], value: object, said: str) -> None:
    """Whoever typed the amount reads what it was for and what it must look like."""
    with pytest.raises((TypeError, ValueError)) as refused:
        make(value)
    assert str(refused.value) == said


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("other", [1, "1", Decimal(1), 1.0])
def test_credits_do_not_mix_with_bare_numbers(operation: Callable[[Any, Any], Any], other: object) -> None:
    """A bare number next to credits is a mistake in the unit, so it is a TypeError."""
    with pytest.raises(TypeError):
        operation(Credits(1), other)


@pytest.mark.parametrize("times", [True, 1.5, "2", Decimal(2)])
def test_credits_multiply_by_whole_numbers_only(times: Any) -> None:
    """Half of something must be decided, not computed."""
    with pytest.raises(TypeError):
        Credits(1) * times


def test_credits_are_never_equal_to_bare_numbers() -> None:
    """Five credits are not the number five."""
    assert Credits(5) != 5
    assert Credits(5) == Credits("5.00")


def test_no_amount_given_is_no_credits() -> None:
    """A pack without a bonus has a bonus of nothing."""
    assert Credits() == Credits(0)


@pytest.mark.parametrize("make", [Credits.from_micro, Money.from_minor])
def test_many_amounts_can_be_told_apart_at_once(make: Callable[[int], object]) -> None:
    """A set of a thousand prices is looked up, not searched through."""
    assert len({hash(make(units)) for units in range(1_000)}) > 900


def test_pydantic_says_what_is_wrong_with_credits() -> None:
    """A float in a settings file is told as such, with what to write instead."""
    with pytest.raises(ValidationError, match="Value error, credits must be given as str, int or Decimal, not float"):
        TypeAdapter(Credits).validate_python(2.5)


def test_pydantic_reads_credits_strictly_and_writes_the_wire_form() -> None:
    """In settings and HTTP bodies the same rule holds: no floats in, decimal text out."""
    adapter = TypeAdapter(Credits)
    assert adapter.validate_python("2.5") == adapter.validate_python(Decimal("2.5")) == Credits("2.5")
    assert adapter.validate_python(Credits(1)) == Credits(1)
    assert adapter.dump_json(Credits("0.1")) == b'"0.10"'
    assert adapter.json_schema()["type"] == "string"
    for wrong in (2.5, True, "x"):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "text"),
    [
        ("80", "GHS", 8_000, "GHS 80.00"),
        (30, "GHS", 3_000, "GHS 30.00"),
        (Decimal("0.01"), "GHS", 1, "GHS 0.01"),
        ("1234567.5", "USD", 123_456_750, "USD 1,234,567.50"),
        ("500", "UGX", 500, "UGX 500"),
        ("500", "XOF", 500, "XOF 500"),
    ],
)
def test_money_knows_the_minor_unit_of_its_currency(
    amount: str | int | Decimal, currency: str, minor: int, text: str
) -> None:
    """Pesewas, cents and currencies without any: never "divided by 100"."""
    money = Money(amount, currency)
    assert (money.minor, money.currency, str(money)) == (minor, currency, text)
    assert Money.from_minor(minor, currency) == money
    assert eval(repr(money)) == money  # noqa: S307  # the property is that repr can be evaluated


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "GHS"), ("0.5", "UGX"), ("1", "XYZ"), ("1", "ghs")])
def test_money_that_does_not_exist_is_refused(amount: str, currency: str) -> None:
    """A tenth of a pesewa, half a shilling, an unknown currency."""
    with pytest.raises(ValueError, match=currency):
        Money(amount, currency)


def test_money_is_equal_by_amount_and_currency() -> None:
    """GHS 1 is not USD 1, nor the number 1."""
    assert len({Money(1), Money("1.00"), Money(1, "USD")}) == 2
    assert Money(1) != 1
    with pytest.raises(ValueError, match="unknown currency 'XYZ'; known are EUR, GBP, GHS, "):
        Money.from_minor(1, "XYZ")


@pytest.mark.parametrize(
    ("cost", "rate", "expected"),
    [
        (75_000, RATE, 1),
        (11_250_000, RATE, 131),
        (15_000_000, RATE, 175),
        (10**12, RATE, 11_646_000),
        (500_000, scaled_rate(1), 0),
        (1_500_000, scaled_rate(1), 2),
        (2_500_000, scaled_rate(1), 2),
        (2_500_001, scaled_rate(1), 3),
        (3_500_000, scaled_rate(1), 4),
        (4_500_000, scaled_rate(1), 4),
        (0, RATE, 0),
    ],
)
def test_costs_are_rounded_once_half_to_even(cost: int, rate: int, expected: int) -> None:
    """The published vectors of the one rounding place."""
    assert to_micro_ghs(PicoUsd(cost), rate) == expected


@given(st.integers(0, 10**19), st.integers(1, 10**13))
def test_a_rounded_cost_is_never_off_by_more_than_half(cost: int, rate: int) -> None:
    """Rounding moves a cost by at most half a micro-cedi, and ties go to even."""
    scale = 10**14
    off = to_micro_ghs(PicoUsd(cost), rate) * scale - cost * rate
    assert abs(off) * 2 <= scale
    if abs(off) * 2 == scale:
        assert to_micro_ghs(PicoUsd(cost), rate) % 2 == 0


@pytest.mark.parametrize("rate", ["0", "-1", "0.000000001", "x"])
def test_exchange_rates_are_positive_and_exact(rate: str) -> None:
    """A rate of nothing, below nothing or with more decimals than are stored is refused."""
    with pytest.raises(ValueError, match=r"exchange rate"):
        scaled_rate(rate)


@pytest.mark.parametrize(("rate", "scaled"), [("0.00000001", 1), ("11.646", 1_164_600_000), (1, 100_000_000)])
def test_an_exchange_rate_is_kept_to_its_eighth_decimal(rate: str | int, scaled: int) -> None:
    """Each cost is stored with the integer it was converted by, down to the smallest rate there is."""
    assert scaled_rate(rate) == scaled


def test_costs_can_be_read_by_people() -> None:
    """Pico-dollars and micro-cedis turn into exact decimals."""
    assert usd(PicoUsd(75_000)) == Decimal("0.000000075")
    assert ghs(MicroGhs(873)) == Decimal("0.000873")
