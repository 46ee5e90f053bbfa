"""What a call earns."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ai_addons.billing.margin import expected_cost, loaded_margin
from ai_addons.money import Credits, MicroGhs


def test_the_expected_cost_is_tokens_times_price() -> None:
    """Price per token times tokens, exact in pico-dollars."""
    assert expected_cost((1_000, 200), 75_000, 300_000) == 135_000_000


@pytest.mark.parametrize(
    ("price", "cost", "per_credit", "margin"),
    [
        ("1", 0, 500_000, "0.980"),
        ("1", 32_200, 500_000, "0.900"),
        ("5", 161_000, 500_000, "0.900"),
        ("0.1", 3_220, 500_000, "0.900"),
        ("1", 400_000, 500_000, "-0.020"),
        ("5", 200_000, 800_000, "0.918"),
    ],
)
def test_the_margin_counts_extra_attempts_and_the_payment_fee(
    price: str, cost: int, per_credit: int, margin: str
) -> None:
    """At GHS 0.50 a credit, 90 % is left if a credit's worth of calls costs GHS 0.0322, retries and fee counted."""
    assert loaded_margin(Credits(price), MicroGhs(cost), MicroGhs(per_credit)) == Decimal(margin)


def test_a_feature_that_is_given_away_has_no_margin() -> None:
    """Nothing divided by nothing is told as unknown, not as zero."""
    assert loaded_margin(Credits(0), MicroGhs(100)) is None
