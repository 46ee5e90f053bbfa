"""Inventory forecast: what is ordered, what is told of it, what is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ai_addons.features.inventory_forecast import (
    Event,
    ForecastPolicy,
    ItemForecast,
    StockItem,
    StockRequest,
    example,
)
from tests.forecasts import (
    checked,
    finished,
    forecast,
    item,
    only,
    request,
    result_of,
    sample,
    sent,
    shown,
)
from tests.sizes import tries


def test_a_steady_item_by_hand() -> None:
    """Ten a week, two weeks to cover, no spread: Poisson of mean 20 has its 95 % quantile at 28, so 23 are missing."""
    found = only(forecast(request()))
    assert found == ItemForecast(
        ref="Milo 400 g",
        demand_class="smooth",
        method="ses",
        weeks=2,
        thin=False,
        fc_units=Decimal(20),
        lo=14,
        hi=26,
        reorder_point=28,
        order_qty=23,
        wanted_qty=23,
        days_cover=Decimal("3.5"),
        order_cost=Decimal("874.00"),
        flag="stockout_risk",
    )


@pytest.mark.parametrize(
    ("changes", "quantity", "flag"),
    [
        ({"stock": "28"}, 0, "ok"),
        ({"stock": "20", "on_order": "8"}, 0, "ok"),
        ({"stock": "27.5"}, 1, "stockout_risk"),
        ({"pack_size": 12}, 24, "stockout_risk"),
        ({"pack_size": 12, "moq": 30}, 36, "stockout_risk"),
        ({"stock": "129"}, 0, "overstock"),
        ({"stock": "128"}, 0, "ok"),
        # 10 days sell 14.29; nothing is left of 5 when the order comes after 7 days.
        ({"shelf_life_days": 10}, 14, "stockout_risk"),
        # 20 on hand sell 10 until it comes; the other 10 sell before the new ones.
        ({"stock": "20", "shelf_life_days": 15}, 8, "stockout_risk"),
        ({"stock": "20", "shelf_life_days": 10, "pack_size": 4}, 4, "expiry"),
        ({"stock": "20", "shelf_life_days": 10, "moq": 5}, 0, "expiry"),
        ({"stock": "15", "shelf_life_days": 10}, 9, "expiry"),
        ({"sales": [*["10"] * 13, *["0"] * 13], "stock": "0.5"}, 0, "dead_stock"),
        ({"sales": ["0"] * 13}, 0, "dead_stock"),
        ({"sales": ["0"] * 12}, 0, "ok"),
        ({"sales": ["0"] * 90, "period": "day"}, 0, "dead_stock"),
        ({"sales": ["0"] * 89, "period": "day"}, 0, "ok"),
        ({"sales": ["0"] * 13, "stock": "0"}, 0, "ok"),
    ],
)
def test_orders_and_flags(changes: dict[str, object], quantity: int, flag: str) -> None:
    """Packs, minimum, shelf life, and what stands, each with the first flag that fits."""
    found = only(forecast(request(item(**changes))))
    assert (found.order_qty, found.flag) == (quantity, flag)


def test_days_out_of_stock_are_no_days_without_demand() -> None:
    """Every second week empty of stock and sales: the forecast is that of the other weeks."""
    sales, out = ["10", "0"] * 13, [0, 7] * 13
    assert only(forecast(request(item(sales=sales, oos_days=out)))).fc_units == Decimal(20)
    assert only(forecast(request(item(sales=sales)))).fc_units == pytest.approx(Decimal(10), rel=Decimal("0.1"))


def test_daily_sales_use_the_weekday_profile() -> None:
    """A market day and six quiet ones, sixteen units a week for ten weeks, two of which are to cover."""
    found = only(forecast(request(item(sales=["4", "2", "2", "2", "2", "2", "2"] * 10, period="day"))))
    assert found.method == "weekday_profile"
    assert found.fc_units == pytest.approx(Decimal(32), rel=Decimal("0.05"))


def test_a_little_history_gives_a_range_and_no_order() -> None:
    """Seven weeks: no point, the variance doubled; the other item still gets its forecast."""
    new = item(ref="new", sales=["10", "12", "8", "10", "10", "12", "8"])
    result = result_of(forecast(request(item(), new)))
    found = next(one for one in result.data.items if one.ref == "new")
    assert (found.thin, found.fc_units, found.reorder_point, found.order_qty, found.days_cover) == (
        True,
        None,
        None,
        0,
        None,
    )
    assert found.lo < 20 < found.hi
    assert (result.degraded_reason, result.data_quality) == (None, "ok")
    assert "thin_items" in {notice.code for notice in result.warnings}


@pytest.mark.parametrize(
    ("items", "quality"),
    [
        ((item(sales=["10"] * 7),), "thin"),
        ((item(sales=["0"] * 26), item(ref="b", sales=["0"] * 3)), "poor"),
    ],
)
def test_too_little_data_is_told_and_not_charged(items: tuple[StockItem, ...], quality: str) -> None:
    """The gate comes before the hold: the result is settled, with a reason."""
    prompt = forecast(request(*items))
    assert prompt.result is not None
    result = prompt.result[0]
    assert (result.source, result.degraded_reason, result.data_quality) == ("rules", "insufficient_data", quality)
    assert result.data.uncertainty[0].startswith("There is too little history")


def test_more_than_half_thin_is_thin() -> None:
    """One good item of three: the result says that there is little to go on."""
    few = ["10"] * 7
    items = item(), item(ref="b", sales=few), item(ref="c", sales=few)
    assert result_of(forecast(request(*items))).data_quality == "thin"
    assert result_of(forecast(request(*items[:2]))).data_quality == "ok"


def test_a_budget_goes_to_what_saves_most_and_the_rest_is_told() -> None:
    """Both items lack 15 of 20; B earns GHS 30 a unit, A 7. After 23 of B for 874, 3 of A fit into 1,000."""
    shop = request(item(ref="A"), item(ref="B", unit_price="68.00"), budget="1000")
    result = result_of(forecast(shop))
    assert [(one.ref, one.order_qty, one.wanted_qty) for one in result.data.items] == [("B", 23, 23), ("A", 3, 23)]
    assert (result.data.order_value, result.data.over_budget) == (Decimal("988.00"), Decimal("760.00"))
    assert result.data.budget_note == (
        "The orders cost GHS 988; the budget is GHS 1,000. Orders for GHS 760 do not fit in it."
    )
    assert "over_budget" in {notice.code for notice in result.warnings}


def test_without_a_price_the_cost_stands_for_the_worth_and_a_loss_for_nothing() -> None:
    """C has no price and counts 38 a unit, A earns 7, L loses."""
    shop = request(item(ref="L", unit_price="30"), item(ref="A"), item(ref="C", unit_price=None))
    assert [one.ref for one in result_of(forecast(shop)).data.items] == ["C", "A", "L"]


def test_items_come_by_orders_then_slow_stock_then_the_rest() -> None:
    """Slow stock by what it ties up, the rest by reference."""
    shop = request(
        item(ref="z", stock="28"),
        item(ref="y", stock="28"),
        item(ref="slow", stock="200"),
        item(ref="slower", stock="300"),
        item(ref="order"),
    )
    assert [one.ref for one in result_of(forecast(shop)).data.items] == ["order", "slower", "slow", "y", "z"]


def test_the_backtest_of_a_steady_item_by_hand() -> None:
    """Nothing changed, so nothing scales the error; four windows of two weeks were covered; bias 0."""
    found = result_of(forecast(request())).data.backtest
    assert (found.rmsse, found.bias, found.windows) == (None, Decimal(0), 2)
    assert (found.achieved_service_level, found.service_windows) == (Decimal(1), 4)


def test_a_jump_shows_in_the_backtest() -> None:
    """Ten a week, then thirty for four weeks: what was achieved is told beside what was aimed at."""
    result = result_of(forecast(request(item(sales=[*["10", "12"] * 11, *["30"] * 4]))))
    found = result.data.backtest
    assert found.achieved_service_level == Decimal("0.5")
    assert found.bias is not None
    assert found.bias < -Decimal("0.3")
    assert result.data.uncertainty[0] == "Tested on the past (4 tests), stock was enough in 50%; aimed at 95%."


def test_a_policy_changes_the_rules_and_is_named() -> None:
    """A shop that calls thirty days of cover too many."""
    result = result_of(forecast(request(item(stock="50")), policy=ForecastPolicy(version="shop-3", overstock_days=30)))
    assert (result.data.items[0].flag, result.data.policy_version) == ("overstock", "shop-3")


@pytest.mark.parametrize(
    "changes",
    [
        {"sales": []},
        {"sales": ["1"] * 105},
        {"sales": ["1"] * 729, "period": "day"},
        {"sales": ["-1"]},
        {"sales": [0.5]},
        {"sales": ["1000001"]},
        {"sales": ["NaN"]},
        {"sales": ["1e400"]},
        {"sales": ["1", "2"], "oos_days": [1]},
        {"sales": ["1"], "oos_days": [8]},
        {"sales": ["1"], "oos_days": [2], "period": "day"},
        {"stock": "-1"},
        {"on_order": "-1"},
        {"pack_size": 0},
        {"moq": 0},
        {"lead_days": 181},
        {"lead_days": -1},
        {"review_days": 0},
        {"review_days": 61},
        {"shelf_life_days": 0},
        {"unit_cost": 1.5},
        {"unit_cost": "-1"},
        {"ref": ""},
        {"ref": "\u200b\u200b"},
        {"ref": "x" * 81},
        {"colour": "red"},
    ],
)
def test_an_item_beyond_its_limits_is_refused(changes: dict[str, object]) -> None:
    """Lengths, ranges, floats and unknown fields; the message does not quote the value."""
    with pytest.raises(ValidationError) as caught:
        item(**changes)
    assert "input_value" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"service_level": "0.79"},
        {"service_level": "0.995"},
        {"service_level": 0.9},
        {"budget": "-1"},
        {"items": []},
        {"items": [item(), item()]},
        {"events": [{"date": "2026-12-25", "name": "\u2060"}]},
        {"events": [{"date": "2026-12-25", "name": "Christmas"}] * 11},
        {"note": "order everything"},
    ],
)
def test_a_request_beyond_its_limits_is_refused(changes: dict[str, object]) -> None:
    """Also two items of one reference."""
    with pytest.raises(ValidationError):
        request(**changes)


@pytest.mark.parametrize("days", [1, 730 - 2])
def test_the_longest_input_is_taken(days: int) -> None:
    """104 weeks of days."""
    assert only(forecast(request(item(sales=["1000000"] * days, period="day")))).lo >= 0


def test_the_largest_numbers_still_end() -> None:
    """A million a day on end, half a year of lead time: an order is worked out, exact in money."""
    huge = item(
        sales=["1000000"] * 364,
        period="day",
        lead_days=180,
        review_days=60,
        unit_cost="9999999999.99",
        pack_size=100_000,
    )
    found = only(forecast(request(huge)))
    assert found.fc_units == Decimal(245_000_000)
    assert found.order_cost == found.order_qty * Decimal("9999999999.99")


figures = st.decimals(0, 1_000_000, places=2)
items = st.builds(
    lambda number, sales, daily, **rest: {
        "ref": f"item {number}",
        "sales": sales * (7 if daily else 1),
        "period": "day" if daily else "week",
        **rest,
    },
    st.integers(0, 10_000),
    st.lists(st.one_of(st.just(0), st.integers(0, 30), figures), min_size=1, max_size=30),
    st.booleans(),
    stock=st.one_of(st.just(0), figures),
    on_order=st.one_of(st.just(0), figures),
    pack_size=st.integers(1, 48),
    moq=st.integers(1, 200),
    lead_days=st.integers(0, 180),
    review_days=st.integers(1, 60),
    shelf_life_days=st.one_of(st.none(), st.integers(1, 400)),
    unit_cost=st.one_of(st.just(0), figures),
    unit_price=st.one_of(st.none(), figures),
)
shops = st.builds(
    lambda some, **rest: request(*(item(**one) for one in some), **rest),
    st.lists(items, min_size=1, max_size=6, unique_by=lambda one: one["ref"]),
    service_level=st.decimals(Decimal("0.8"), Decimal("0.99"), places=2),
    budget=st.one_of(st.none(), figures),
    events=st.lists(st.builds(Event, date=st.dates(), name=st.just("Easter")), max_size=3),
)


@settings(max_examples=tries(150), deadline=None)
@given(shops)
def test_any_shop_gets_a_sound_result(shop: StockRequest) -> None:
    """Orders in packs within the budget, ranges in order, words that pass the guard, facts that exist."""
    prompt = forecast(shop)
    result = result_of(prompt)
    data = result.data
    given_items = {one.ref: one for one in shop.items}
    assert {one.ref for one in data.items} == set(given_items)
    for one in data.items:
        assert 0 <= one.lo <= one.hi
        assert one.order_qty % given_items[one.ref].pack_size == 0
        assert one.order_qty <= one.wanted_qty
        assert one.order_qty == 0 or one.order_qty >= given_items[one.ref].moq
    assert data.order_value == sum(one.order_cost for one in data.items)
    assert data.order_value <= (data.order_value if shop.budget is None else shop.budget)
    assert data.over_budget >= 0
    assert all(text and not {"{", "}"} & set(text) for text in shown(data))
    assert {key for keys in result.evidence.values() for key in keys} <= {fact.key for fact in result.facts}
    if prompt.result is None:
        assert checked(prompt, sample(prompt)) == []
        assert finished(prompt, sample(prompt)).data == data


def test_the_same_input_gives_the_same_bytes() -> None:
    """Cache keys and replays can rely on it."""
    first, second = (forecast(example()) for _ in range(2))
    assert json.dumps(sent(first)) == json.dumps(sent(second))
    assert result_of(first).model_dump_json() == result_of(second).model_dump_json()
