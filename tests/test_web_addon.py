"""The monthly add-on, the trial and feedback over HTTP."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.profile import BusinessProfile
from ai_addons.web import Principal
from tests.books import run_sql
from tests.web import OTHER, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTH = 31 * 86_400


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop under the hybrid policy."""
    with closing(Shop("hybrid")) as made:
        yield made


def pay(shop: Shop) -> Any:
    """Take the add-on and pay its month."""
    made = shop.post("ai/addon/subscribe/").body
    reference = shop.addons.orders.find("biz_7", made["purchase_id"])[1][-1].reference
    shop.gateway.pay(reference)
    return shop.post("ai/verify-payment/", {"reference": reference})


def test_an_add_on_gives_nothing_before_it_is_paid(shop: Shop) -> None:
    """Taken with a page to pay on; paid, its credits are there beside the five of the month."""
    told = shop.post("ai/addon/subscribe/").body
    subscription = shop.addons.wallet("biz_7").subscription
    assert subscription is not None
    assert told["payment_url"].startswith("https://gateway.invalid/checkout/")
    del told["payment_url"], told["purchase_id"]
    assert told == {
        "success": True,
        "addon_id": subscription.id,
        "monthly_price": "50.00",
        "monthly_credits": "100.00",
        "credits_added": "0.00",
        "new_balance": "5.00",
        "next_renewal": None,
    }
    assert pay(shop).body["credits_added"] == "100.00"
    assert shop.get("ai/credits/").body["balance"] == "105.00"


def test_an_add_on_that_is_paid_is_not_sold_twice(shop: Shop) -> None:
    """Asking again tells how it stands, and orders no second month."""
    pay(shop)
    told = shop.post("ai/addon/subscribe/").body
    assert (told["payment_url"], told["purchase_id"], told["credits_added"]) == (None, None, "0.00")
    assert told["next_renewal"] == "2026-10-21T14:13:20Z"
    assert len(shop.get("ai/purchases/").body["purchases"]) == 1


def test_a_renewal_that_fell_due_is_paid_by_the_same_endpoint(shop: Shop) -> None:
    """In the grace time the month that waits is ordered."""
    pay(shop)
    shop.clock.advance(MONTH)
    assert shop.get("ai/credits/").body["monthly_addon_details"]["state"] == "past_due"
    assert pay(shop).body["success"] is True
    assert shop.get("ai/credits/").body["monthly_addon_details"]["state"] == "active"


def test_a_month_that_is_paid_early_brings_its_credits_when_it_begins(shop: Shop) -> None:
    """The payment is done, nothing is added yet, and the message says why."""
    pay(shop)
    early = shop.addons.orders.start("biz_7", addon=True).attempt.reference
    shop.gateway.pay(early)
    told = shop.post("ai/verify-payment/", {"reference": early}).body
    assert (told["success"], told["credits_added"], told["already_applied"]) == (True, "0.00", False)
    assert told["message"] == "The payment is done. Its credits come when their month begins."


def test_a_saved_card_is_charged_at_once(shop: Shop) -> None:
    """No page to go to, and the credits are there with the answer."""
    bought = shop.buy("VALUE").body["payment_reference"]
    shop.gateway.pay(bought, method="card", save_card=True)
    shop.post("ai/verify-payment/", {"reference": bought})
    (card,) = shop.addons.orders.cards("biz_7")
    told = shop.post("ai/addon/subscribe/", {"payment_method": "CARD", "card": card.id}).body
    assert (told["payment_url"], told["credits_added"]) == (None, "100.00")


def test_a_key_subscribes_once(shop: Shop) -> None:
    """The same bytes again, though the add-on was paid meanwhile."""
    key = {"idempotency-key": "sub"}
    first = shop.post("ai/addon/subscribe/", headers=key)
    pay(shop)
    assert shop.post("ai/addon/subscribe/", headers=key).raw == first.raw


def test_cancelled_at_the_end_it_may_be_resumed(shop: Shop) -> None:
    """While it is cancelled it cannot be taken; resumed it renews again."""
    pay(shop)
    told = shop.post("ai/addon/cancel/")
    assert told.body == {
        "success": True,
        "cancelled_immediately": False,
        "message": "The add-on ends when what is paid is over. Until then you may resume it.",
    }
    assert shop.post("ai/addon/subscribe/").code == "addon_conflict"
    resumed = shop.post("ai/addon/resume/").body
    assert (resumed["success"], resumed["next_renewal"]) == (True, "2026-10-21T14:13:20Z")
    assert shop.post("ai/addon/resume/").code == "addon_conflict"


def test_cancelled_at_once_it_has_ended_and_may_be_taken_anew(shop: Shop) -> None:
    """Its credits stay until their month is over."""
    pay(shop)
    told = shop.post("ai/addon/cancel/", {"immediate": True}).body
    assert told["cancelled_immediately"] is True
    assert shop.get("ai/credits/").body["balance"] == "105.00"
    assert shop.get("ai/credits/").body["has_monthly_addon"] is False
    assert shop.post("ai/addon/resume/").code == "addon_conflict"
    assert pay(shop).body["success"] is True


def test_where_the_host_collects_the_money_no_gateway_is_asked() -> None:
    """Taken, and unpaid until the host says so."""
    with closing(Shop("hybrid", web={"addon_billing": "external"})) as shop:
        told = shop.post("ai/addon/subscribe/").body
        assert (told["success"], told["payment_url"], told["purchase_id"]) == (True, None, None)
        assert shop.addons.subscriptions.pay("biz_7").balance.short == "105"


@pytest.mark.parametrize("path", ["subscribe", "cancel", "resume"])
def test_the_prepaid_policy_has_no_add_on(path: str) -> None:
    """409 for all three."""
    with closing(Shop()) as shop:
        told = shop.post(f"ai/addon/{path}/")
        assert (told.status, told.code) == (409, "addon_not_offered")


def test_nobody_cancels_anothers_add_on(shop: Shop) -> None:
    """It is the asker's own that is meant."""
    pay(shop)
    assert shop.post("ai/addon/cancel/", {"immediate": True}, who=OTHER).code == "addon_not_offered"
    assert shop.get("ai/credits/").body["has_monthly_addon"] is True


# The trial.


def test_a_trial_is_given_once() -> None:
    """A repeat is told the same; under a key to the byte."""
    with closing(Shop()) as shop:
        key = {"idempotency-key": "t1"}
        first = shop.post("ai/trial/", headers=key)
        assert (first.status, first.body) == (
            200,
            {
                "success": True,
                "credits_added": "5.00",
                "new_balance": "5.00",
                "message": "You have 5 credits to begin with.",
            },
        )
        shop.addons.grant("biz_7", 1, source="adjustment", ref="gift")
        assert shop.post("ai/trial/", headers=key).raw == first.raw
        again = shop.post("ai/trial/").body
        assert (again["credits_added"], again["new_balance"]) == ("5.00", "6.00")


def test_nobody_may_say_whose_trial_it_is() -> None:
    """Who the owner is the host knows; a client that names a phone is refused."""
    with closing(Shop()) as shop:
        told = shop.post("ai/trial/", {"phone": "0240000001"})
        assert (told.status, told.code) == (422, "validation_error")
        assert shop.get("ai/credits/").body["trial_credits"] == "5.00"


def test_an_owner_with_two_businesses_gets_no_second_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone is the same."""
    monkeypatch.setattr("tests.web.profile", lambda _business: BusinessProfile(phone="0244123456"))
    with closing(Shop()) as shop:
        shop.post("ai/trial/")
        told = shop.post("ai/trial/", who=OTHER)
        assert (told.status, told.code) == (409, "trial_claimed")
        assert b"0244123456" not in told.raw


def test_a_trial_of_an_owner_of_whom_nothing_is_known_is_the_operators_to_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 with a fixed text: the host's profile says nothing."""
    monkeypatch.setattr("tests.web.profile", lambda _business: BusinessProfile())
    with closing(Shop()) as shop:
        told = shop.post("ai/trial/")
        assert (told.status, told.code) == (503, "not_available")


def test_a_policy_without_a_trial_says_so(shop: Shop) -> None:
    """409, and the credits say that there is none to be had."""
    assert shop.post("ai/trial/").code == "trial_not_offered"
    assert shop.get("ai/credits/").body["trial_credits"] == "0.00"


# Feedback.


def kept(shop: Shop) -> list[tuple[object, ...]]:
    """What is kept of it."""
    query = "SELECT business_id, user_id, rating, recommend, comment FROM ai_feedback ORDER BY 1, 2"
    return run_sql(shop.addons._wiring.books.database, query)


def called(shop: Shop, business: str = "biz_7") -> str:
    """The id of a call that a business made."""
    shop.addons.grant(business, 5, source="adjustment", ref="feedback")
    made: Any = shop.addons.billing.charge_credits(business, "u_1", "report_summary", "0.001")
    return str(made["transaction_id"])


def test_feedback_is_kept_with_who_says_it(shop: Shop) -> None:
    """Whatever else is said, it is about a call of one's own business; two users have a word each, the last one."""
    said = {"transaction_id": called(shop), "rating": 4, "recommend": 0, "comment": "Helps."}
    assert shop.post("ai/feedback/", said).raw == b'{"success":true}'
    shop.post("ai/feedback/", said | {"rating": 5})
    kofi = Principal(business_id="biz_7", user_id="u_2")
    shop.post("ai/feedback/", said | {"rating": 1, "comment": "Wrong."}, who=kofi)
    shop.post("ai/feedback/", {"transaction_id": called(shop, "biz_8"), "rating": 1}, who=OTHER)
    assert kept(shop) == [
        ("biz_7", "u_1", 5, 0, "Helps."),
        ("biz_7", "u_2", 1, 0, "Wrong."),
        ("biz_8", "u_9", 1, None, None),
    ]


def test_what_a_user_said_is_erased_with_the_user(shop: Shop) -> None:
    """The words of another user stay."""
    call = called(shop)
    for user in ("u_1", "u_2"):
        who = Principal(business_id="biz_7", user_id=user)
        shop.post("ai/feedback/", {"transaction_id": call, "rating": 3, "comment": f"By {user}."}, who=who)
    shop.addons.erase("biz_7", user="u_1", actor="boss")
    assert kept(shop) == [("biz_7", "u_2", 3, None, "By u_2.")]


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": "5"}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"recommend": 11}, "recommend"),
        ({"recommend": -1}, "recommend"),
        ({"comment": "x" * 2_001}, "comment"),
        ({"comment": "a\0b"}, "comment"),
        ({"transaction_id": ""}, "transaction_id"),
        ({"transaction_id": "a\0b"}, "transaction_id"),
    ],
)
def test_feedback_has_bounds(shop: Shop, change: dict[str, Any], loc: str) -> None:
    """Stars 1 to 5, a recommendation 0 to 10, a comment of 2,000 characters."""
    told = shop.post("ai/feedback/", {"transaction_id": "call-1", "rating": 5} | change)
    assert (told.status, told.body["errors"][0]["loc"]) == (422, ["body", loc])


def test_feedback_on_anothers_call_is_not_there(shop: Shop) -> None:
    """404, as for a call that never was."""
    theirs = shop.post("ai/feedback/", {"transaction_id": called(shop), "rating": 5}, who=OTHER)
    missing = shop.post("ai/feedback/", {"transaction_id": "missing", "rating": 5})
    assert (theirs.status, theirs.raw) == (404, missing.raw)
    assert kept(shop) == []
