"""Taxes in a price: what holds when, and lines that add up to the pesewa."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.tax import (
    GHANA,
    NO_TAX,
    Taxed,
    TaxPeriod,
    TaxRule,
    apportion,
    check_table,
    exclusive,
    inclusive,
    less,
    part_of,
    rules_on,
    table_of,
)
from ai_addons.money import Money
from ai_addons.settings import ReceiptSettings

OLD, NEW = (period.rules for period in GHANA)
VAT = TaxRule(code="VAT", name="Value Added Tax", rate=Decimal("0.15"))

rules = st.sampled_from([(), NEW, OLD, (VAT,)])


def figures(taxed: Taxed) -> tuple[int, dict[str, int], int]:
    """Net, taxes and gross in pesewas."""
    return taxed.net.minor, {line.code: line.amount.minor for line in taxed.lines}, taxed.gross.minor


@pytest.mark.parametrize(
    ("day", "codes", "together"),
    [
        (date(2025, 12, 31), ["NHIL", "GETFUND", "COVID", "VAT"], "0.219"),
        (date(2026, 1, 1), ["NHIL", "GETFUND", "VAT"], "0.2"),
        (date(2026, 11, 26), ["NHIL", "GETFUND", "VAT"], "0.2"),
    ],
)
def test_ghanas_table_changes_with_the_act_of_2026(day: date, codes: list[str], together: str) -> None:
    """With the COVID-19 levy and tax on tax it was 21.9 %; without them it is 20 %."""
    charged = rules_on(GHANA, day)
    assert [rule.code for rule in charged] == codes
    assert exclusive(Money(1_000), charged).gross == Money(1_000 * (1 + Decimal(together)))


def test_a_table_says_nothing_of_days_before_it() -> None:
    """No guess about the past; no table charges nothing on any day."""
    with pytest.raises(ValueError, match="the tax table begins on 2023-01-01 and says nothing of 2022-12-31"):
        rules_on(GHANA, date(2022, 12, 31))
    assert rules_on(NO_TAX, date(1990, 1, 1)) == ()


@pytest.mark.parametrize(
    ("gross", "charged", "net", "taxes"),
    [
        ("80", NEW, 6_667, {"NHIL": 167, "GETFUND": 166, "VAT": 1_000}),
        ("30", NEW, 2_500, {"NHIL": 63, "GETFUND": 62, "VAT": 375}),
        ("180", NEW, 15_000, {"NHIL": 375, "GETFUND": 375, "VAT": 2_250}),
        ("121.90", OLD, 10_000, {"NHIL": 250, "GETFUND": 250, "COVID": 100, "VAT": 1_590}),
        ("80", (), 8_000, {}),
        ("0.01", NEW, 1, {"NHIL": 0, "GETFUND": 0, "VAT": 0}),
        ("0", NEW, 0, {"NHIL": 0, "GETFUND": 0, "VAT": 0}),
    ],
)
def test_an_inclusive_price_is_divided(
    gross: str, charged: tuple[TaxRule, ...], net: int, taxes: dict[str, int]
) -> None:
    """Each part at its share, the pesewas left over to the largest remainders; ties by place."""
    assert figures(inclusive(Money(gross), charged)) == (net, taxes, Money(gross).minor)


@pytest.mark.parametrize(
    ("net", "charged", "taxes", "gross"),
    [
        ("100", NEW, {"NHIL": 250, "GETFUND": 250, "VAT": 1_500}, 12_000),
        ("100", OLD, {"NHIL": 250, "GETFUND": 250, "COVID": 100, "VAT": 1_590}, 12_190),
        ("0.33", NEW, {"NHIL": 1, "GETFUND": 1, "VAT": 5}, 40),
        ("0.02", (VAT,), {"VAT": 0}, 2),
        ("0.10", (VAT,), {"VAT": 2}, 12),
        ("30", (), {}, 3_000),
    ],
)
def test_taxes_are_added_to_an_exclusive_price(
    net: str, charged: tuple[TaxRule, ...], taxes: dict[str, int], gross: int
) -> None:
    """Their sum is rounded half up once, and the lines add up to it."""
    assert figures(exclusive(Money(net), charged)) == (Money(net).minor, taxes, gross)


@given(st.integers(0, 10**9), rules)
def test_lines_always_add_up(minor: int, charged: tuple[TaxRule, ...]) -> None:
    """Whatever the price: net and taxes are the gross, none is below zero, and each is within a pesewa of its share."""
    taxed = inclusive(Money.from_minor(minor), charged)
    net, taxes, gross = figures(taxed)
    assert net + sum(taxes.values()) == gross == minor
    assert min([net, *taxes.values()]) >= 0
    if not any(rule.on for rule in charged):
        assert abs(net - Fraction(gross) / (1 + sum(Fraction(rule.rate) for rule in charged))) < 1
    added = exclusive(Money.from_minor(minor), charged)
    assert added.net.minor + sum(line.amount.minor for line in added.lines) == added.gross.minor


@given(st.integers(1, 10**6), rules, st.data())
def test_refunds_never_give_back_more_of_a_line_than_it_held(
    minor: int, charged: tuple[TaxRule, ...], data: st.DataObject
) -> None:
    """However a price is refunded in parts, every line ends at exactly nothing and is never below it."""
    left = inclusive(Money.from_minor(minor), charged)
    while left.gross.minor:
        part = part_of(left, Money.from_minor(data.draw(st.integers(max(1, left.gross.minor // 3), left.gross.minor))))
        left = less(left, part)
        net, taxes, gross = figures(left)
        assert net + sum(taxes.values()) == gross
        assert min([net, *taxes.values()]) >= 0
    assert figures(left) == (0, {rule.code: 0 for rule in charged}, 0)


@pytest.mark.parametrize("amount", [Money(0), Money(-1), Money("80.01"), Money(1, "USD")])
def test_only_what_is_left_can_be_refunded(amount: Money) -> None:
    """Nothing, less, more, or another currency is refused."""
    with pytest.raises(ValueError, match=r"cannot be refunded of GHS 80\.00"):
        part_of(inclusive(Money(80), NEW), amount)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [(10, (1, 1, 1), (4, 3, 3)), (1, (1, 2), (0, 1)), (0, (), ()), (0, (0, 0), (0, 0)), (5, (0, 1), (0, 5))],
)
def test_whole_numbers_are_divided_by_largest_remainders(
    total: int, weights: tuple[int, ...], parts: tuple[int, ...]
) -> None:
    """Parts add up; what weighs nothing gets nothing."""
    assert apportion(total, [Fraction(weight) for weight in weights]) == parts


def period(starts: str, *charged: TaxRule) -> TaxPeriod:
    """The taxes from a day on."""
    return TaxPeriod(starts=date.fromisoformat(starts), rules=charged)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ((period("2026-01-01"), period("2026-01-01")), "stand in the order of their first days"),
        ((period("2026-01-01", VAT, VAT),), "tax 'VAT' from 2026-01-01: it needs a code of its own"),
        (
            (period("2026-01-01", TaxRule(code="A", name="A", rate=Decimal(1))),),
            "tax 'A' from 2026-01-01: it needs a code of its own, a rate from 0 to below 1",
        ),
        (
            (period("2026-01-01", TaxRule(code="A", name="A", rate=Decimal("0.1"), on=("VAT",)), VAT),),
            "may only lie on taxes that stand before it",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table: tuple[TaxPeriod, ...], said: str) -> None:
    """Before anything is computed by it."""
    with pytest.raises(ValueError, match=said):
        check_table(table)


@pytest.mark.parametrize(
    ("settings", "table"),
    [
        ({}, NO_TAX),
        ({"tax": "ghana"}, GHANA),
        (
            {
                "tax": "own",
                "taxes": [
                    {"starts": "2026-01-01", "rules": [{"code": "VAT", "name": "Value Added Tax", "rate": "0.15"}]},
                    {"starts": "2027-01-01", "rules": []},
                ],
            },
            (period("2026-01-01", VAT), period("2027-01-01")),
        ),
        ({"tax": "own"}, NO_TAX),
    ],
)
def test_the_table_comes_from_the_settings(settings: dict[str, Any], table: tuple[TaxPeriod, ...]) -> None:
    """None by default, the example by name, or one's own; the built-in one is sound."""
    assert table_of(ReceiptSettings.model_validate(settings)) == check_table(table)
