"""Buying credits over HTTP: orders, payments that are waited for, receipts, webhooks."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.replies import Begun, Reply
from ai_addons.errors import LedgerConflict
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.returning import RETURN
from tests.web import OTHER, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


MTN = {"phone": "024 400 0000", "network": "mtn"}
TELECEL = {"phone": "020 123 4987", "network": "telecel"}


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that gives receipts."""
    with closing(Shop(receipts={"seller": "Till Ltd"})) as made:
        yield made


def balance(shop: Shop) -> str:
    """What the business has."""
    return str(shop.get("ai/credits/").body["balance"])


# Ordering.


def test_a_pack_is_ordered_and_paid_on_the_gateways_page(shop: Shop) -> None:
    """201 with where to pay; once paid, verifying grants once."""
    made = shop.buy("VALUE")
    assert made.status == 201
    assert set(made.body) == {"purchase_id", "payment_reference", "payment_url", "pack_details"}
    assert made.body["payment_url"].startswith("https://gateway.invalid/checkout/")
    assert made.body["pack_details"] == {
        "type": "VALUE",
        "price": "80.00",
        "credits": "80.00",
        "bonus": "20.00",
        "total_credits": "100.00",
    }
    reference = {"reference": made.body["payment_reference"]}
    waiting = shop.post("ai/verify-payment/", reference)
    assert waiting.body == {
        "success": False,
        "credits_added": "0.00",
        "new_balance": "0.00",
        "message": "The payment is not finished yet.",
        "already_applied": False,
    }
    shop.gateway.pay(reference["reference"])
    assert shop.post("ai/verify-payment/", reference).body == {
        "success": True,
        "credits_added": "100.00",
        "new_balance": "100.00",
        "message": "100 credits were added.",
        "already_applied": False,
    }
    assert shop.post("ai/verify-payment/", reference).body == {
        "success": True,
        "credits_added": "0.00",
        "new_balance": "100.00",
        "message": "This payment was booked before.",
        "already_applied": True,
    }


def test_a_declined_and_a_doubtful_payment_say_so(shop: Shop) -> None:
    """Neither grants anything."""
    declined, doubtful = (shop.buy("VALUE").body["payment_reference"] for _ in range(2))
    shop.gateway.decline(declined)
    told = shop.post("ai/verify-payment/", {"reference": declined}).body
    assert told["message"] == "The payment did not go through. Try again, or pay in another way."
    shop.gateway.pay(doubtful)
    shop.gateway.currency(doubtful, "NGN")
    told = shop.post("ai/verify-payment/", {"reference": doubtful}).body
    assert told["success"] is False
    assert told["message"].startswith("A payment came that does not fit this order.")
    again = shop.post("ai/verify-payment/", {"reference": doubtful}).body
    assert again["message"] == "This payment is being looked at by the operator."
    assert balance(shop) == "0.00"


def test_a_pack_of_any_size_has_its_price_tier(shop: Shop) -> None:
    """99.50 cedis at 0.80 a credit, rounded down to a hundredth."""
    made = shop.buy("CUSTOM", amount="99.50")
    assert made.body["pack_details"]["total_credits"] == "124.37"


@pytest.mark.parametrize(
    ("body", "code", "loc"),
    [
        ({"pack_type": "GOLD"}, "pack_not_on_sale", ["body", "pack_type"]),
        ({"pack_type": "CUSTOM", "amount": "9.99"}, "pack_not_on_sale", ["body", "amount"]),
        ({"pack_type": "CUSTOM", "amount": "5000.01"}, "pack_not_on_sale", ["body", "amount"]),
        ({"pack_type": "CUSTOM"}, "validation_error", ["body", "amount"]),
        ({"pack_type": "VALUE", "amount": "80"}, "validation_error", ["body", "amount"]),
        ({"pack_type": "CUSTOM", "amount": "80.001"}, "validation_error", ["body", "amount"]),
        ({"pack_type": "CUSTOM", "amount": "-80"}, "validation_error", ["body", "amount"]),
        ({"pack_type": "CUSTOM", "amount": "NaN"}, "validation_error", ["body", "amount"]),
        ({"pack_type": "VALUE", "payment_method": "CASH"}, "validation_error", ["body", "payment_method"]),
        ({"pack_type": "VALUE", "phone": "0551234987"}, "validation_error", ["body"]),
        ({"pack_type": "VALUE", "network": "mtn"}, "validation_error", ["body"]),
        ({"pack_type": "VALUE", "payment_method": "CARD", **MTN}, "validation_error", ["body"]),
        ({"pack_type": "VALUE", "card": "c1"}, "validation_error", ["body"]),
        ({"pack_type": "VALUE", "email": "no address"}, "validation_error", ["body", "email"]),
        ({"pack_type": "VALUE", "phone": "<script>", "network": "mtn"}, "validation_error", ["body", "phone"]),
    ],
)
def test_what_cannot_be_ordered_is_told_where_it_is_wrong(
    shop: Shop, body: dict[str, Any], code: str, loc: list[str]
) -> None:
    """422, and no order is made."""
    told = shop.post("ai/purchase/", body)
    assert (told.status, told.code, told.body["errors"][0]["loc"]) == (422, code, loc)
    assert shop.get("ai/purchases/").body["purchases"] == []


def test_a_policy_without_a_pack_of_any_size_sells_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the amount."""
    monkeypatch.setattr(type(shop.addons.policy), "custom", property(lambda _self: None))
    told = shop.buy("CUSTOM", amount="50")
    assert (told.code, told.body["errors"][0]["loc"]) == ("pack_not_on_sale", ["body", "pack_type"])
    assert shop.get("ai/pricing/").body["custom_pack"] is None


def test_a_number_that_is_none_in_ghana_is_refused_and_not_repeated(shop: Shop) -> None:
    """Only the gateway's adapter knows; the order stands and may be paid otherwise."""
    told = shop.buy("VALUE", phone="1234567890123", network="mtn")
    assert (told.status, told.code) == (409, "payment")
    assert b"1234567890123" not in told.raw


def test_a_gateway_that_is_away_is_502_in_our_own_words(shop: Shop) -> None:
    """The order stands: the same request under its key goes on with it."""
    shop.gateway.fail_next(503)
    key = {"idempotency-key": "k1"}
    told = shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key)
    assert (told.status, told.code) == (502, "gateway")
    assert told.body["detail"].startswith("The payment gateway cannot be used just now.")
    again = shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key)
    assert again.status == 201
    assert len(shop.get("ai/purchases/").body["purchases"]) == 1


# Idempotency keys.


def test_a_key_is_one_order_and_its_answer_the_same_bytes(shop: Shop) -> None:
    """The same request, its words in another order, gets the first answer; another request is refused."""
    key = {"idempotency-key": "k1"}
    first = shop.post("ai/purchase/", b'{"pack_type": "VALUE", "payment_method": "MOMO"}', headers=key)
    shop.gateway.pay(first.body["payment_reference"])
    second = shop.post("ai/purchase/", b'{"payment_method":"MOMO","pack_type":"VALUE"}', headers=key)
    assert (second.status, second.raw) == (201, first.raw)
    other = shop.post("ai/purchase/", {"pack_type": "PRO"}, headers=key)
    assert (other.status, other.code) == (409, "idempotency_conflict")
    phone = shop.post("ai/purchase/", {"pack_type": "VALUE", **MTN}, headers=key)
    assert phone.code == "idempotency_conflict"
    trial = shop.post("ai/trial/", headers=key)
    assert trial.code == "idempotency_conflict"
    assert len(shop.get("ai/purchases/").body["purchases"]) == 1


@pytest.mark.parametrize("path", ["ai/purchase/", "ai/trial/"])
@pytest.mark.parametrize("key", ["auto-top-up:2026-01-01:1", "renewal:sub_1:2"])
def test_a_key_of_the_books_own_is_refused(shop: Shop, path: str, key: str) -> None:
    """Those of automatic orders; nothing is ordered, and it is the client's mistake rather than ours."""
    told = shop.post(path, {"pack_type": "VALUE"} if "purchase" in path else {}, headers={"idempotency-key": key})
    assert (told.status, told.body["errors"][0]["loc"]) == (422, ["header", "idempotency-key"])
    assert shop.get("ai/purchases/").body["purchases"] == []


def test_a_key_belongs_to_its_business(shop: Shop) -> None:
    """Another business may use the same word for something else."""
    key = {"idempotency-key": "k1"}
    shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key)
    assert shop.post("ai/purchase/", {"pack_type": "PRO"}, headers=key, who=OTHER).status == 201


def test_after_its_time_a_key_finds_the_order_still(shop: Shop) -> None:
    """The answer is forgotten by the sweep, the order is not: no second one is made."""
    key = {"idempotency-key": "k1"}
    first = shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key)
    shop.clock.advance(25 * 3_600)
    shop.addons._wiring.store.sweep()
    assert shop.addons._wiring.database.read(_replies) == []
    again = shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key)
    assert again.body["purchase_id"] == first.body["purchase_id"]


def _replies(tx: Any) -> list[Any]:
    return list(tx.connection.execute("SELECT status FROM ai_web_replies").fetchall())


def test_a_key_that_has_run_out_is_taken_anew(shop: Shop) -> None:
    """Also before a sweep has come by; another request may have it."""
    key = {"idempotency-key": "k1"}
    shop.post("ai/trial/", headers=key)
    shop.clock.advance(25 * 3_600)
    assert shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key).status == 201


def test_what_is_in_progress_is_not_done_twice(shop: Shop) -> None:
    """A process that died at it keeps the key for a minute, then the request is carried out."""
    replies = shop.addons.replies
    asked_for: dict[str, object] = {"body": {}, "params": {}}
    assert replies.begin("biz_7", "k1", "web:trial", asked_for) == Begun(shop.clock.now())
    key = {"idempotency-key": "k1"}
    told = shop.post("ai/trial/", headers=key)
    assert (told.status, told.code) == (409, "ledger_conflict")
    shop.clock.advance(61)
    assert shop.post("ai/trial/", headers=key).status == 200


@pytest.mark.parametrize("late", [Reply(status=201, body="late"), None])
def test_who_took_too_long_changes_no_answer_of_another(shop: Shop, late: Reply | None) -> None:
    """The key was taken over after a minute: neither the first one's answer nor its failure is in the way."""
    replies, key = shop.addons.replies, ("biz_7", "k1")
    asked_for: dict[str, object] = {"body": {}, "params": {}}
    slow = replies.begin(*key, "web:trial", asked_for)
    shop.clock.advance(61)
    quick = replies.begin(*key, "web:trial", asked_for)
    assert isinstance(slow, Begun)
    assert isinstance(quick, Begun)
    replies.end(*key, slow, late)
    with pytest.raises(LedgerConflict):
        replies.begin(*key, "web:trial", asked_for)
    replies.end(*key, quick, Reply(status=200, body="first"))
    replies.end(*key, slow, late)
    assert replies.begin(*key, "web:trial", asked_for) == Reply(status=200, body="first")


def test_an_erased_business_has_no_kept_answers(shop: Shop) -> None:
    """One user's erasure leaves them: they name nobody."""
    shop.post("ai/trial/", headers={"idempotency-key": "k1"})
    shop.addons.erase("biz_7", user="u_1", actor="boss")
    assert len(shop.addons._wiring.database.read(_replies)) == 1
    shop.addons.erase("biz_7", actor="boss")
    assert shop.addons._wiring.database.read(_replies) == []


# Waiting for a payment.


def test_a_prompt_counts_down_and_grants_when_it_is_answered(shop: Shop) -> None:
    """Approve on the phone within 180 seconds; the poll that comes after the payment brings the credits."""
    made = shop.buy("VALUE", **MTN)
    assert made.body["payment_url"] is None
    path = f"ai/purchases/{made.body['purchase_id']}/"
    shop.clock.advance(10)
    told = shop.get(path).body
    assert (told["status"], told["next_step"], told["seconds_left"]) == ("PENDING", "approve_on_phone", 170)
    assert (told["method"], told["gateway"], told["payment_url"]) == ("MOMO", "FAKE", None)
    assert told["display_text"] == "Approve the payment on your phone: enter your Mobile Money PIN when it asks."
    shop.gateway.pay(made.body["payment_reference"])
    shop.clock.advance(4)
    done = shop.get(path).body
    assert (done["status"], done["next_step"], done["seconds_left"]) == ("SUCCESSFUL", None, None)
    assert done["paid_at"] == "2026-09-21T14:13:34Z"
    assert balance(shop) == "100.00"


def test_the_gateway_is_asked_every_few_seconds_whatever_the_client_does(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty polls within four seconds are one question; the next one comes when they are over."""
    questions: list[str] = []
    fetch = type(shop.gateway).fetch

    def counted(gateway: Any, reference: str) -> Any:
        questions.append(reference)
        return fetch(gateway, reference)

    monkeypatch.setattr(type(shop.gateway), "fetch", counted)
    path = f"ai/purchases/{shop.buy('VALUE', **MTN).body['purchase_id']}/"
    for _ in range(40):
        shop.get(path)
        shop.clock.advance(0.099)
    assert len(questions) == 1
    shop.clock.advance(0.1)
    shop.get(path)
    assert len(questions) == 2


def test_an_order_that_is_paid_is_not_asked_about(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to learn."""
    made = shop.buy("VALUE").body
    shop.gateway.pay(made["payment_reference"])
    shop.post("ai/verify-payment/", {"reference": made["payment_reference"]})
    monkeypatch.setattr(type(shop.gateway), "fetch", None)
    assert shop.get(f"ai/purchases/{made['purchase_id']}/").body["status"] == "SUCCESSFUL"


def test_a_poll_shows_what_is_known_while_the_gateway_is_away(shop: Shop) -> None:
    """It is a page that waits, not an error."""
    made = shop.buy("VALUE", **MTN).body
    shop.gateway.fail_next(500, 20)
    told = shop.get(f"ai/purchases/{made['purchase_id']}/")
    assert (told.status, told.body["next_step"]) == (200, "approve_on_phone")


def test_a_code_is_asked_for_given_and_approved(shop: Shop) -> None:
    """Telecel sends a code; the right one pays, and the next poll brings the credits."""
    made = shop.buy("VALUE", **TELECEL).body
    path = f"ai/purchases/{made['purchase_id']}/"
    told = shop.get(path).body
    assert (told["next_step"], told["seconds_left"]) == ("enter_otp", 180)
    shop.clock.advance(5)
    given = shop.post(f"{path}otp/", {"otp": shop.gateway.otp(made["payment_reference"])})
    assert given.status == 200
    shop.clock.advance(5)
    assert shop.get(path).body["status"] == "SUCCESSFUL"


def test_a_wrong_code_ends_the_attempt_and_another_may_be_made(shop: Shop) -> None:
    """The order waits for another attempt, also in another way, and that one pays."""
    made = shop.buy("VALUE", **TELECEL).body
    path = f"ai/purchases/{made['purchase_id']}/"
    told = shop.post(f"{path}otp/", {"otp": "000000"})
    assert (told.status, told.body["next_step"]) == (200, "retry")
    assert told.body["display_text"] == "The payment did not go through. Try again, or pay in another way."
    again = shop.post(f"{path}otp/", {"otp": "000000"})
    assert (again.status, again.code) == (409, "payment")
    shop.clock.advance(1)
    retried = shop.post(f"{path}retry/", {"payment_method": "CARD"})
    assert retried.status == 201
    assert retried.body["purchase_id"] == made["purchase_id"]
    assert retried.body["payment_reference"] != made["payment_reference"]
    assert shop.get(path).body["next_step"] == "redirect"
    shop.gateway.pay(retried.body["payment_reference"], method="card")
    shop.clock.advance(5)
    done = shop.get(path).body
    assert (done["status"], done["method"]) == ("SUCCESSFUL", "CARD")


def test_a_second_try_under_a_key_is_one_attempt(shop: Shop) -> None:
    """Two taps on the button prompt once."""
    path = f"ai/purchases/{shop.buy('VALUE').body['purchase_id']}/retry/"
    first, second = (shop.post(path, MTN, headers={"idempotency-key": "again"}) for _ in range(2))
    assert first.raw == second.raw
    (order,) = shop.addons.orders.history("biz_7")
    assert len(shop.addons.orders.find("biz_7", order.id)[1]) == 2


def test_a_second_try_whose_process_died_prompts_once(shop: Shop) -> None:
    """The phone was prompted, and nobody kept the answer: the repeat finds that prompt."""
    made = shop.buy("VALUE").body
    orders, key = shop.addons.orders, {"idempotency-key": "again"}
    first = orders.attempt("biz_7", made["purchase_id"], key="again", phone=MTN["phone"], network=MTN["network"])
    retried = shop.post(f"ai/purchases/{made['purchase_id']}/retry/", MTN, headers=key)
    assert (retried.status, retried.body["payment_reference"]) == (201, first.attempt.reference)
    assert len(orders.find("biz_7", made["purchase_id"])[1]) == 2


def test_an_order_is_cancelled_once_and_not_after_it_is_paid(shop: Shop) -> None:
    """Cancelled twice is cancelled; a paid one is not."""
    first, second = (shop.buy("VALUE").body for _ in range(2))
    path = f"ai/purchases/{first['purchase_id']}/"
    wanted = {
        "success": True,
        "status": "FAILED",
        "message": "The order was given up. A payment that is on its way is honoured all the same.",
    }
    assert [shop.post(f"{path}cancel/").body for _ in range(2)] == [wanted, wanted]
    assert shop.get(path).body["display_text"] == "This order was cancelled. Nothing more is to be paid."
    shop.gateway.pay(second["payment_reference"])
    shop.post("ai/verify-payment/", {"reference": second["payment_reference"]})
    told = shop.post(f"ai/purchases/{second['purchase_id']}/cancel/")
    assert (told.status, told.code) == (409, "payment")


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request"])
def test_an_attempt_that_nobody_heard_of_is_looked_at(shop: Shop, fault: Any) -> None:
    """Neither a page nor a prompt is known: nothing to do but wait."""
    shop.gateway.fail_next(fault)
    assert shop.buy("VALUE", **MTN).status == 502
    (listed,) = shop.get("ai/purchases/").body["purchases"]
    told = shop.get(f"ai/purchases/{listed['id']}/").body
    assert (told["next_step"], told["seconds_left"]) == (None, None)
    assert told["display_text"] == "The payment is being looked at. This page shows when it is done."


# Lists and receipts.


def test_orders_are_listed_by_pages_the_newest_first(shop: Shop) -> None:
    """Five orders in pages of two, each once, and nothing after the last."""
    ids = []
    for _ in range(5):
        ids.append(shop.buy("VALUE").body["purchase_id"])
        shop.clock.advance(1)
    pages: list[list[str]] = []
    query = {"limit": "2"}
    while True:
        told = shop.get("ai/purchases/", query=query).body
        pages.append([one["id"] for one in told["purchases"]])
        if told["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": told["next_cursor"]}
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


@pytest.mark.parametrize("cursor", ["", "x", "bDoz", "!!!!", "cDo", "/w==", "cDoA"])
def test_a_cursor_of_another_list_is_none(shop: Shop, cursor: str) -> None:
    """Nor one that somebody made up."""
    told = shop.get("ai/purchases/", query={"cursor": cursor})
    assert (told.status, told.body["errors"][0]["loc"]) == (422, ["query", "cursor"])


@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_page_has_bounds(shop: Shop, limit: str) -> None:
    """1 to 200 rows."""
    assert shop.get("ai/purchases/", query={"limit": limit}).status == 422


def test_a_cursor_leads_into_nobody_elses_orders(shop: Shop) -> None:
    """A page belongs to whoever asks."""
    for _ in range(3):
        shop.buy("VALUE")
        shop.clock.advance(1)
    cursor = shop.get("ai/purchases/", query={"limit": "1"}).body["next_cursor"]
    assert shop.get("ai/purchases/", query={"cursor": cursor}, who=OTHER).body["purchases"] == []


def test_a_receipt_is_a_page_or_text_once_it_is_paid(shop: Shop) -> None:
    """The link stands in the list; before the payment there is neither link nor receipt."""
    made = shop.buy("VALUE").body
    path = f"ai/purchases/{made['purchase_id']}/receipt/"
    assert shop.get(path).code == "payment"
    shop.gateway.pay(made["payment_reference"])
    shop.post("ai/verify-payment/", {"reference": made["payment_reference"]})
    (listed,) = shop.get("ai/purchases/", root="/shop/").body["purchases"]
    assert listed["receipt_url"] == f"/shop/{path}"
    page = shop.get(path)
    assert (page.status, page.content_type) == (200, "text/html; charset=utf-8")
    assert "<h1>Receipt R-000001</h1>" in page.body
    assert "script-src" not in page.headers["content-security-policy"]
    text = shop.get(path, query={"format": "text"})
    assert text.content_type == "text/plain; charset=utf-8"
    assert "Total paid                             GHS 80.00" in text.body


def test_without_a_seller_there_are_no_receipts() -> None:
    """Not to be had rather than broken."""
    with closing(Shop()) as shop:
        made = shop.buy("VALUE").body
        shop.gateway.pay(made["payment_reference"])
        shop.post("ai/verify-payment/", {"reference": made["payment_reference"]})
        path = f"ai/purchases/{made['purchase_id']}/"
        assert shop.get(path).body["receipt_url"] is None
        assert shop.get(f"{path}receipt/").status == 404


# Where a payer comes back to.


@pytest.mark.parametrize(
    ("settings", "origin", "own", "wanted"),
    [
        ({}, None, True, None),
        ({}, "https://pos.example", False, None),
        ({}, "https://pos.example", True, f"https://pos.example/shop/{RETURN}"),
        ({"payments": {"return_url": "https://a.example/"}}, "https://pos.example", True, "https://a.example/"),
        (
            {"payments": {"return_url": "https://a.example/"}, "web": {"return_url": "https://b.example/"}},
            None,
            True,
            "https://b.example/",
        ),
    ],
)
def test_a_payer_comes_back_to_the_settings_page_or_our_own(
    settings: dict[str, Any], origin: str | None, own: bool, wanted: str | None
) -> None:
    """Our own page counts if it is there and the host's address is known."""
    endpoints = [endpoint for endpoint in ENDPOINTS if own or endpoint.path != RETURN]
    with closing(Shop(endpoints=endpoints, **settings)) as shop:
        made = shop.post("ai/purchase/", {"pack_type": "VALUE"}, origin=origin, root="/shop/").body
        assert shop.gateway.desk.payment(made["payment_reference"]).callback_url == wanted


# Webhooks.


def test_a_signed_webhook_is_kept_and_worked_on(shop: Shop) -> None:
    """200 without anybody signed in; the credits come with the next round of work."""
    made = shop.buy("VALUE").body
    shop.gateway.pay(made["payment_reference"])
    hook = shop.gateway.webhook(made["payment_reference"])
    told = shop.post("ai/webhooks/fake/", hook.body, who=None, headers={**hook.headers, "content-type": "text/plain"})
    assert (told.status, told.raw) == (200, b'{"received":true}')
    shop.addons.orders.work_inbox()
    assert balance(shop) == "100.00"


def test_a_forged_webhook_is_refused_and_an_unknown_gateway_is_not_there(shop: Shop) -> None:
    """401 and 404; nothing was kept."""
    made = shop.buy("VALUE").body
    shop.gateway.pay(made["payment_reference"])
    hook = shop.gateway.webhook(made["payment_reference"])
    assert shop.post("ai/webhooks/fake/", hook.body + b" ", who=None, headers=hook.headers).code == "bad_signature"
    assert shop.post("ai/webhooks/fake/", hook.body, who=None, headers={}).code == "bad_signature"
    assert shop.post("ai/webhooks/paystack/", hook.body, who=None, headers=hook.headers).status == 404
    assert shop.addons.orders.work_inbox().done == 0
