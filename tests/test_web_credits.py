"""What a business has, what is on sale, what was used, over HTTP."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.catalog import BUILT_IN
from tests.web import OTHER, OWNER, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop under the prepaid policy."""
    with closing(Shop()) as made:
        yield made


@pytest.fixture
def hybrid() -> Iterator[Shop]:
    """A shop under the hybrid policy."""
    with closing(Shop("hybrid")) as made:
        yield made


def test_a_business_never_seen_has_zeros(shop: Shop) -> None:
    """Nothing was bought, nothing used, and the trial waits."""
    told = shop.get("ai/credits/")
    assert (told.status, told.content_type) == (200, "application/json")
    assert told.body == {
        "balance": "0.00",
        "held": "0.00",
        "available": "0.00",
        "low": True,
        "total_purchased": "0.00",
        "total_used": "0.00",
        "trial_credits": "5.00",
        "has_monthly_addon": False,
        "monthly_addon_details": None,
        "grants": [],
        "expiring_soon": {"credits": "0.00", "next_at": None},
    }
    assert told.headers == {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def test_credits_tell_where_they_come_from_and_what_is_left(shop: Shop) -> None:
    """A trial and a pack: only the pack was bought, and what was used is taken off."""
    shop.post("ai/trial/")
    shop.clock.advance(1)
    reference = shop.buy().body["payment_reference"]
    shop.gateway.pay(reference)
    shop.post("ai/verify-payment/", {"reference": reference})
    shop.addons.billing.charge_credits("biz_7", "u_1", "report_summary", None)
    told = shop.get("ai/credits/").body
    assert (told["balance"], told["total_purchased"], told["total_used"]) == ("104.80", "100.00", "0.20")
    assert (told["trial_credits"], told["low"]) == ("0.00", False)
    assert [(one["source"], one["amount"], one["expires_at"]) for one in told["grants"]] == [
        ("trial", "5.00", None),
        ("bonus", "20.00", None),
        ("purchase", "80.00", None),
    ]


def test_an_add_on_is_told_with_its_next_renewal(hybrid: Shop) -> None:
    """Its price, its credits, and what of all that expires within the week."""
    hybrid.addons.subscriptions.subscribe("biz_7", paid=True)
    told = hybrid.get("ai/credits/").body
    assert told["has_monthly_addon"] is True
    assert told["monthly_addon_details"] == {
        "price": "50.00",
        "credits": "100.00",
        "next_renewal": "2026-10-21T14:13:20Z",
        "state": "active",
        "rollover_cap": "50.00",
    }
    assert told["expiring_soon"] == {"credits": "0.00", "next_at": None}
    hybrid.clock.advance(24 * 86_400)
    soon = hybrid.get("ai/credits/").body["expiring_soon"]
    assert soon == {"credits": "105.00", "next_at": "2026-10-21T14:13:20Z"}


def test_a_cancelled_add_on_has_no_next_renewal(hybrid: Shop) -> None:
    """It is still there until its month is over."""
    hybrid.addons.subscriptions.subscribe("biz_7", paid=True)
    hybrid.addons.subscriptions.cancel("biz_7")
    told = hybrid.get("ai/credits/").body
    assert told["has_monthly_addon"] is True
    assert told["monthly_addon_details"]["state"] == "cancel_at_end"
    assert told["monthly_addon_details"]["next_renewal"] is None


def test_credits_for_one_feature_say_for_which(shop: Shop) -> None:
    """A grant may pay for some features only."""
    shop.addons.grant("biz_7", 3, source="adjustment", ref="gift", features=["report_summary"])
    (grant,) = shop.get("ai/credits/").body["grants"]
    assert (grant["features"], grant["remaining"], grant["held"]) == (["report_summary"], "3.00", "0.00")


PACKS = [
    ("STARTER", "30.00", "30.00", "0.00", "30.00", "1.00", "0.000", False),
    ("VALUE", "80.00", "80.00", "20.00", "100.00", "0.80", "0.200", True),
    ("PRO", "180.00", "180.00", "70.00", "250.00", "0.72", "0.280", False),
]


def test_the_prepaid_price_list(shop: Shop) -> None:
    """Packs with their bonus apart, eight features, no add-on, and the system's own price for three storefronts."""
    told = shop.get("ai/pricing/").body
    fields = ("type", "price", "credits", "bonus_credits", "total_credits", "cost_per_credit", "savings", "recommended")
    assert [tuple(pack[name] for name in fields) for pack in told["credit_packs"]] == PACKS
    assert told["custom_pack"] == {
        "type": "CUSTOM",
        "least": "10.00",
        "most": "5000.00",
        "tiers": [
            {"starts_at": "10.00", "cost_per_credit": "1.00"},
            {"starts_at": "80.00", "cost_per_credit": "0.80"},
            {"starts_at": "180.00", "cost_per_credit": "0.72"},
        ],
    }
    built_in = [one for one in told["feature_costs"] if one["feature"] in BUILT_IN]
    assert [one["feature"] for one in built_in] == list(BUILT_IN)
    assert told["feature_costs"][0] == {
        "feature": "product_description",
        "name": "Product Description Generator",
        "credits": "0.10",
        "description": "Generate compelling product descriptions",
        "category": "basic",
        "popular": False,
    }
    assert told["monthly_addon"] == {
        "available": False,
        "price": None,
        "credits": None,
        "description": None,
        "savings": None,
    }
    assert told["storefront_plan"]["yours"] == {"storefronts": 3, "monthly_price": "180.00"}
    assert told["storefront_plan"]["each_further"] == "50.00"


def test_the_hybrid_price_list_offers_the_add_on(hybrid: Shop) -> None:
    """Half the plain price of a credit."""
    told = hybrid.get("ai/pricing/").body
    assert [pack["type"] for pack in told["credit_packs"]] == ["QUICK", "VALUE"]
    assert told["monthly_addon"] == {
        "available": True,
        "price": "50.00",
        "credits": "100.00",
        "description": "100 credits a month; up to 50 unused ones roll over",
        "savings": "0.500",
    }


def test_usage_counts_this_business_alone_and_without_cost(shop: Shop) -> None:
    """Five keys of the first plan's statistics, and not a word of what it cost the operator."""
    shop.addons.grant("biz_7", 10, source="adjustment", ref="gift")
    shop.addons.billing.charge_credits("biz_7", "u_1", "report_summary", "0.01", response_time_ms=400)
    told = shop.get("ai/usage-stats/", query={"days": "7"}).body
    assert told == {
        "period_days": 7,
        "current_balance": "9.80",
        "total_credits_used": "0.20",
        "total_requests": 1,
        "successful_requests": 1,
        "success_rate": "1.000",
        "avg_response_time_ms": "400.000",
        "feature_breakdown": [
            {
                "feature": "report_summary",
                "feature_display_name": "AI Report Summary",
                "count": 1,
                "credits": "0.20",
            }
        ],
        "most_used_feature": "report_summary",
    }
    assert shop.get("ai/usage-stats/", who=OTHER).body["total_requests"] == 0


def test_an_operator_sees_the_cost_too() -> None:
    """Whoever may read what is for operators: 0.01 dollars at 11.646."""
    with closing(Shop(authorize=lambda _principal, _action: True)) as shop:
        shop.addons.grant("biz_7", 10, source="adjustment", ref="gift")
        shop.addons.billing.charge_credits("biz_7", "u_1", "report_summary", "0.01")
        assert shop.get("ai/usage-stats/", who=OWNER).body["total_cost_ghs"] == "0.116460"


@pytest.mark.parametrize("days", ["0", "367", "-1", "1.5", "ten", ""])
def test_days_out_of_bounds_are_told_and_not_repeated(shop: Shop, days: str) -> None:
    """A day to a year; anything else is 422."""
    told = shop.get("ai/usage-stats/", query={"days": days})
    assert (told.status, told.code, told.content_type) == (422, "validation_error", "application/problem+json")
    (wrong,) = told.body["errors"]
    assert (wrong["loc"], set(wrong)) == (["query", "days"], {"type", "loc", "msg"})


@pytest.mark.parametrize(("days", "wanted"), [(None, 30), ("1", 1), ("366", 366)])
def test_days_within_bounds_are_taken(shop: Shop, days: str | None, wanted: int) -> None:
    """Thirty if nothing is said."""
    query: dict[str, Any] = {} if days is None else {"days": days}
    assert shop.get("ai/usage-stats/", query=query).body["period_days"] == wanted


def test_unknown_words_in_a_query_are_refused(shop: Shop) -> None:
    """Whatever the client calls it is not repeated either."""
    told = shop.get("ai/usage-stats/", query={"0244123456": "1"})
    assert told.body["errors"] == [
        {"type": "extra_forbidden", "loc": ["query"], "msg": "Extra inputs are not permitted"}
    ]
