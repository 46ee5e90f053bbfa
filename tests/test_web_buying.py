"""Buying credits on the pages, without a script: choose, pay, wait, done; and everything that goes wrong on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.profile import BusinessProfile
from ai_addons.money import Credits, Money
from ai_addons.web import Principal, WebRequest
from ai_addons.web.pages.paying import Wait, is_page
from tests.ui_shop import ROOT, SHOP, TOKEN, Page, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.web import WebResponse

PHONE: Final[dict[str, Any]] = {"way": "phone", "phone": "024 400 0001", "network": "mtn"}
KEY: Final[dict[str, Any]] = {"key": "01998a2c-9400-7000-8000-000000000000"}


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A new shop on the prepaid policy, whose books are sound at the end."""
    made = Shop()
    yield made
    assert made.addons.doctor().findings == ()
    made.close()


@pytest.fixture
def hybrid() -> Iterator[Shop]:
    """The same on the hybrid policy."""
    made = Shop(policy="hybrid")
    yield made
    assert made.addons.doctor().findings == ()
    made.close()


def path_of(response: WebResponse) -> str:
    """Where a form led, below ``ai/ui/``."""
    assert response.status == 303
    return response.headers["location"].removeprefix(f"{ROOT}ai/ui/")


def test_the_packs_are_shown_with_what_they_save(shop: Shop) -> None:
    """Three packs, VALUE recommended, and an amount of one's own within its bounds."""
    page = shop.see("buy/")
    assert [form["button"] for form in page.forms] == [
        "Choose Starter",
        "Choose Value",
        "Choose Pro",
        "Choose this amount",
    ]
    assert page.words.count("Recommended") == 1
    assert "Recommended Value 100 credits GHS 80.00 20 of them free you save 20 % a credit" in page.words.replace(
        "  ", " "
    )
    assert "From GHS 10.00 to GHS 5,000.00." in page.words


def test_mobile_money_is_approved_on_the_phone_and_the_credits_are_there(shop: Shop) -> None:
    """Choose, give the number, wait with the clock running, approve, done with the balance and a receipt."""
    order = shop.buy_by_phone()
    page = shop.page
    assert page is not None
    assert page.title == "Waiting for your payment · AI credits"
    assert "About 180 seconds left to approve on your phone" in page.words
    assert "Look at your phone: a request to pay GHS 80.00 appears." in page.words
    assert ("meta", {"http-equiv": "refresh", "content": "6"}) in page.tags
    shop.clock.advance(100)
    assert "About 80 seconds left" in shop.see(f"orders/{order}/").words
    shop.gateway.pay(shop.reference(order))
    shop.clock.advance(4)
    page = shop.see(f"orders/{order}/")
    assert page.title == "Paid · AI credits"
    assert "100 credits available" in page.words
    assert "Receipt R-000001" in page.links
    assert shop.addons.wallet(SHOP).available == Credits(100)


def test_a_page_that_is_loaded_without_end_asks_the_gateway_every_four_seconds_at_most(shop: Shop) -> None:
    """Whatever the browser does."""
    order = shop.buy_by_phone()
    reference = shop.reference(order)
    shop.gateway.pay(reference)
    shop.clock.advance(3)
    assert shop.see(f"orders/{order}/").title.startswith("Waiting")
    shop.clock.advance(1)
    assert shop.see(f"orders/{order}/").title.startswith("Paid")


def test_a_gateway_that_is_not_heard_leaves_the_page_as_it_is(shop: Shop) -> None:
    """The order waits on, and the next look finds the payment."""
    order = shop.buy_by_phone()
    shop.gateway.pay(shop.reference(order))
    shop.clock.advance(4)
    shop.deaf()
    assert shop.see(f"orders/{order}/").title.startswith("Waiting")
    shop.heard()
    shop.clock.advance(60)
    assert shop.see(f"orders/{order}/").title.startswith("Paid")


def test_a_button_pressed_twice_makes_one_order(shop: Shop) -> None:
    """The form carries a key; another form has another."""
    shop.see("buy/")
    page = shop.press("Choose Value")
    fields = page.form("Pay GHS 80.00 by phone")["fields"] | PHONE
    first, second = shop.send("buy/pay/", **fields), shop.send("buy/pay/", **fields)
    assert path_of(first) == path_of(second)
    assert len(shop.addons.orders.history(SHOP)) == 1
    shop.clock.advance(1)
    other = shop.see("buy/pay/?item=VALUE").form("Pay GHS 80.00 by phone")["fields"]
    assert other["key"] != fields["key"]


def test_a_code_is_asked_for_and_taken(shop: Shop) -> None:
    """Telecel sends one; the page does not load itself again while it is typed."""
    order = shop.buy_by_phone("STARTER", "telecel")
    page = shop.page
    assert page is not None
    assert "http-equiv" not in page.html
    assert {"otp"} <= page.labelled
    shop.press("Send the code", otp=shop.gateway.otp(shop.reference(order)))
    shop.clock.advance(4)
    assert shop.see(f"orders/{order}/").title.startswith("Paid")


def test_a_wrong_code_ends_the_attempt_and_another_is_offered(shop: Shop) -> None:
    """Nothing was charged; the same order is paid by the next try."""
    order = shop.buy_by_phone("STARTER", "telecel")
    page = shop.press("Send the code", otp="999999")
    assert "That payment was declined, or not approved in time. Nothing was charged." in page.words
    page = shop.press("Pay GHS 30.00 by phone", PHONE)
    assert page.title.startswith("Waiting")
    shop.gateway.pay(shop.reference(order))
    shop.press("I have paid: look again")
    assert shop.addons.wallet(SHOP).available == Credits(30)
    assert len(shop.addons.orders.history(SHOP)) == 1


@pytest.mark.parametrize("otp", ["", "12", "12 34", "<b>1234"])
def test_a_code_that_is_none_is_not_sent(shop: Shop, otp: str) -> None:
    """422 without it; the attempt stays open."""
    order = shop.buy_by_phone("STARTER", "telecel")
    response = shop.send(f"orders/{order}/otp/", otp=otp)
    assert response.status == 422
    assert b"<b>" not in response.body
    assert shop.addons.orders.find(SHOP, order)[1][-1].state == "open"


def test_a_declined_payment_is_told_in_our_words(shop: Shop) -> None:
    """Not in the gateway's, which may say anything."""
    order = shop.buy_by_phone()
    shop.gateway.decline(shop.reference(order), "INTERNAL: insufficient float at acquirer 42")
    shop.clock.advance(4)
    page = shop.see(f"orders/{order}/")
    assert "That payment was declined, or not approved in time." in page.words
    assert "acquirer" not in page.html


def test_when_the_phones_time_is_over_another_way_is_offered(shop: Shop) -> None:
    """And who has approved late looks again."""
    order = shop.buy_by_phone()
    shop.clock.advance(181)
    shop.gateway.pay(shop.reference(order))
    shop.deaf()
    page = shop.see(f"orders/{order}/")
    assert "The time on the phone is over" in page.words
    assert "Try again, or another way" in page.words
    shop.heard()
    assert shop.press("I have paid: look again").title.startswith("Paid")


def test_a_card_is_paid_for_on_the_page_of_the_gateway_which_is_a_link(shop: Shop) -> None:
    """No redirect of a form leads away; whoever comes back is believed only after the gateway was asked."""
    shop.see("buy/")
    shop.press("Choose Pro")
    page = shop.press("Continue to payment")
    link = page.links["Go to the payment page"]
    assert link.startswith("https://gateway.invalid/")
    order = shop.addons.orders.history(SHOP)[0].id
    reference = shop.reference(order)
    back = shop.ask(f"ai/ui/return/?trxref={reference}&reference={reference}&whatever=1")
    assert path_of(back) == f"orders/{order}/"
    assert shop.see(f"orders/{order}/").title.startswith("Waiting")
    shop.gateway.pay(reference, method="card")
    path_of(shop.ask(f"ai/ui/return/?trxref={reference}"))
    assert shop.addons.wallet(SHOP).available == Credits(250)


def test_whoever_comes_back_while_the_gateway_is_away_is_led_to_the_order(shop: Shop) -> None:
    """By its orders; the order's page asks again."""
    order = shop.buy_by_phone()
    reference = shop.reference(order)
    shop.deaf()
    assert path_of(shop.ask(f"ai/ui/return/?reference={reference}")) == "orders/"
    assert shop.see("orders/").links["See how it stands"] == f"{ROOT}ai/ui/orders/{order}/"
    assert shop.ask(f"ai/ui/return/?reference={reference}", business="biz_8").status == 404
    shop.heard()


@pytest.mark.parametrize("query", ["", "?reference=aia-unknown"])
def test_a_return_for_nothing_is_a_404(shop: Shop, query: str) -> None:
    """As a page."""
    assert Page(shop.ask(f"ai/ui/return/{query}")).headings == [("h1", "Not found")]


@pytest.mark.parametrize("origin", [None, "https://pos.example.com"])
def test_the_gateway_is_told_our_own_page_to_come_back_to(origin: str | None) -> None:
    """If the adapter knows the host's address; else nothing."""
    shop = Shop(origin=origin)
    shop.see("buy/pay/?item=VALUE")
    shop.press("Continue to payment")
    payment = shop.gateway.desk.payment(shop.reference(shop.addons.orders.history(SHOP)[0].id))
    assert payment.callback_url == (None if origin is None else f"{origin}{ROOT}ai/ui/return/")
    shop.close()


def test_the_address_of_the_settings_wins() -> None:
    """A host with a page of its own."""
    shop = Shop(origin="https://pos.example.com", payments={"return_url": "https://own.example/back"})
    shop.see("buy/pay/?item=VALUE")
    shop.press("Continue to payment")
    payment = shop.gateway.desk.payment(shop.reference(shop.addons.orders.history(SHOP)[0].id))
    assert payment.callback_url == "https://own.example/back"
    shop.close()


@pytest.mark.parametrize("home", [None, "/till/"])
def test_a_payer_goes_back_to_the_host(home: str | None) -> None:
    """After the payment, and from every page, where the settings name a page of the host's."""
    shop = Shop(web={"home_url": home})
    assert shop.see("buy/").links.get("Back to the shop") == home
    order = shop.buy_by_phone()
    shop.gateway.pay(shop.reference(order))
    shop.addons.orders.verify(SHOP, shop.reference(order))
    assert shop.see(f"orders/{order}/").links["Done"] == (home or f"{ROOT}ai/ui/")
    shop.close()


def test_a_large_order_has_its_thousands_apart(shop: Shop) -> None:
    """As its price has."""
    shop.see("buy/")
    shop.press("Choose this amount", amount="5000")
    shop.press("Pay GHS 5,000.00 by phone", PHONE)
    assert "Your own amount, 6,944.44 credits for GHS 5,000.00" in shop.see("orders/").words


def test_an_amount_of_ones_own_buys_by_its_tier(shop: Shop) -> None:
    """GHS 100 buys 125 credits; the amount goes along from page to page."""
    shop.see("buy/")
    page = shop.press("Choose this amount", amount="100")
    assert "125 credits for GHS 100.00" in page.words
    shop.press("Pay GHS 100.00 by phone", PHONE)
    order = shop.addons.orders.history(SHOP)[0]
    assert (order.kind, order.price, order.credits) == ("custom", Money(100), Credits(125))


@pytest.mark.parametrize("amount", ["9.99", "5000.01"])
def test_an_amount_out_of_bounds_is_told_with_the_bounds(shop: Shop, amount: str) -> None:
    """422 on the page where it is chosen; nothing is ordered, also if the form is made by hand."""
    shop.see("buy/")
    page = shop.press("Choose this amount", amount=amount, status=422)
    assert "Choose from GHS 10.00 to GHS 5,000.00." in page.words
    assert amount not in page.text
    response = shop.send("buy/pay/", item="CUSTOM", amount=amount, key="k-1", **PHONE)
    assert response.status == 422
    assert shop.addons.orders.history(SHOP) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"item": "VALUE", "way": "phone", "key": "k"} | {"surprise": "1"},
        {"item": "VALUE", "way": "gold", "key": "k"},
        {"item": "value", "way": "page", "key": "k"},
        {"item": "VALUE", "way": "page", "key": "a b"},
        {"item": "VALUE", "way": "page", "key": "k", "email": "nobody"},
        {"item": "CUSTOM", "way": "page", "key": "k", "amount": "1e3"},
        {"item": "CUSTOM", "way": "page", "key": "k", "amount": "\u0661\u0660\u0660"},
        {"item": "VALUE", "way": "phone", "key": "k", "phone": "0" * 21, "network": "mtn"},
        {f"f{number}": "1" for number in range(30)},
    ],
)
def test_a_form_made_by_hand_orders_nothing(shop: Shop, fields: dict[str, str]) -> None:
    """422 as a page."""
    response = shop.send("buy/pay/", **fields)
    assert (response.status, Page(response).headings[0][1]) == (422, "Validation error")
    assert shop.addons.orders.history(SHOP) == []


def test_bytes_that_are_no_text_are_no_form(shop: Shop) -> None:
    """422, as above."""
    assert shop.ask("ai/ui/buy/pay/", method="POST", body=b"item=\xff").status == 422


@pytest.mark.parametrize(("item", "status"), [("GOLD", 404), ("ADDON", 404), ("QUICK", 404)])
def test_what_is_not_on_sale_has_no_page(shop: Shop, item: str, status: int) -> None:
    """Neither another policy's pack nor an add-on where there is none."""
    shop.see(f"buy/pay/?item={item}", status=status)
    assert shop.send("buy/pay/", item=item, key="k", **PHONE).status == status


@pytest.mark.parametrize(
    ("typed", "told", "status"),
    [
        ({"phone": "12"}, "no phone number", 409),
        ({"phone": ""}, "Give both.", 409),
        ({"network": ""}, "Give both.", 409),
    ],
)
def test_a_phone_that_cannot_be_asked_is_told_on_the_same_page(
    shop: Shop, typed: dict[str, str], told: str, status: int
) -> None:
    """With the same key, so that the next try goes on; without the number that was typed."""
    page = shop.see("buy/pay/?item=VALUE")
    key = page.form("Pay GHS 80.00 by phone")["fields"]["key"]
    page = shop.press("Pay GHS 80.00 by phone", PHONE | typed, status=status)
    alert = next(attrs for _, attrs in page.tags if attrs.get("role") == "alert")
    assert alert["class"] == "notice bad-news"
    assert told.lower() in page.words.lower() or "Mobile Money" in page.words
    assert page.form("Pay GHS 80.00 by phone")["fields"]["key"] == key
    shop.press("Pay GHS 80.00 by phone", PHONE)
    assert len(shop.addons.orders.history(SHOP)) == 1


def test_a_gateway_that_refuses_is_told_in_our_words_and_the_next_try_goes_on(shop: Shop) -> None:
    """One order, whatever happened."""
    shop.see("buy/pay/?item=VALUE")
    shop.gateway.fail_next(500, times=9)
    page = shop.press("Pay GHS 80.00 by phone", status=502, typed=PHONE)
    assert "The payment could not be started. Nothing was charged." in page.words
    shop.heard()
    shop.press("Pay GHS 80.00 by phone", PHONE)
    assert len(shop.addons.orders.history(SHOP)) == 1


def test_an_order_that_was_never_opened_can_be_tried_again(shop: Shop) -> None:
    """From its own page, too, by which a process that died is got over."""
    shop.see("buy/pay/?item=VALUE")
    shop.deaf()
    shop.press("Pay GHS 80.00 by phone", status=502, typed=PHONE)
    order = shop.addons.orders.history(SHOP)[0].id
    page = shop.see(f"orders/{order}/")
    assert "That payment could not be started. Try again below." in page.words
    shop.heard()
    shop.clock.advance(1)
    assert "180 seconds" in shop.press("Pay GHS 80.00 by phone", PHONE).words


def test_an_email_address_is_asked_for_where_the_host_knows_none() -> None:
    """And only there."""
    shop = Shop(profile=BusinessProfile(name="Ama"))
    page = shop.see("buy/pay/?item=VALUE")
    assert {"email-momo", "email-page"} <= page.labelled
    shop.press("Pay GHS 80.00 by phone", PHONE, email="kofi@shop.example")
    assert shop.addons.orders.history(SHOP)[0].email == "kofi@shop.example"
    shop.close()


def test_a_saved_card_is_charged_at_once_and_nobody_elses(shop: Shop) -> None:
    """Its last digits are shown; a card of another business is none."""
    shop.see("buy/pay/?item=STARTER")
    shop.press("Continue to payment")
    reference = shop.reference(shop.addons.orders.history(SHOP)[0].id)
    shop.gateway.pay(reference, method="card", save_card=True)
    shop.addons.orders.verify(SHOP, reference)
    page = shop.see("buy/pay/?item=VALUE")
    assert "ending in" in page.words
    page = shop.press("Charge GHS 80.00 to this card")
    assert page.title.startswith("Paid")
    assert shop.addons.wallet(SHOP).available == Credits(130)
    (card,) = shop.addons.orders.cards(SHOP)
    theirs = shop.send("buy/pay/", business="biz_8", item="VALUE", key="k", way="card", card=card.id)
    assert theirs.status == 409
    assert shop.send("buy/pay/", item="VALUE", key="k", way="card", card="none").status == 409
    assert shop.addons.wallet("biz_8").available == Credits(0)


def test_a_waiting_payment_is_called_to_mind_on_every_page(shop: Shop) -> None:
    """After a reload and on another day too; not on its own page, nor once it is paid or cancelled."""
    order = shop.buy_by_phone()
    page = shop.see()
    assert "A payment is waiting: Value, 100 credits for GHS 80.00." in page.words
    assert page.links["See how it stands"] == f"{ROOT}ai/ui/orders/{order}/"
    assert "A payment is waiting" not in shop.see(f"orders/{order}/").words
    page = shop.press("Cancel this order")
    assert page.title.startswith("Order cancelled")
    assert "A payment is waiting" not in shop.see().words


def test_a_payment_after_the_cancellation_is_found(shop: Shop) -> None:
    """Money that moved is never lost."""
    order = shop.buy_by_phone()
    shop.press("Cancel this order")
    shop.gateway.pay(shop.reference(order))
    assert shop.press("I have paid: look again").title.startswith("Paid")
    again = shop.send(f"orders/{order}/check/")
    assert path_of(again) == f"orders/{order}/"
    assert shop.addons.wallet(SHOP).available == Credits(100)


def test_a_payment_that_does_not_fit_is_told_without_particulars(shop: Shop) -> None:
    """Nothing is lost, and somebody looks at it."""
    order = shop.buy_by_phone()
    reference = shop.reference(order)
    shop.gateway.amount(reference, Money(1))
    shop.gateway.pay(reference)
    shop.clock.advance(4)
    page = shop.see(f"orders/{order}/")
    assert page.title.startswith("We are checking this payment")
    assert "A payment came that does not fit this order." in page.words


def test_an_order_nobody_paid_can_still_be_looked_at(shop: Shop) -> None:
    """A day later it is given up, which is not final."""
    order = shop.buy_by_phone()
    shop.clock.advance(90_000)
    shop.addons.orders.expire()
    page = shop.see(f"orders/{order}/")
    assert page.title.startswith("Not paid in time")
    assert "I have paid: look again" in [form["button"] for form in page.forms]


def test_a_receipt_and_its_credit_note_are_pages(shop: Shop) -> None:
    """With our headers; unknown ones are not there."""
    order = shop.buy_by_phone()
    shop.gateway.pay(shop.reference(order))
    shop.clock.advance(4)
    shop.see(f"orders/{order}/")
    receipt = shop.ask(f"ai/ui/orders/{order}/receipt/")
    assert b"Sika POS Ltd" in receipt.body
    assert receipt.headers["x-content-type-options"] == "nosniff"
    shop.addons.orders.refund(SHOP, order, 40, key="r", actor="kofi", reason="wrong pack")
    shop.gateway.move_refund(shop.gateway.refunds(shop.reference(order))[0].id, "processed")
    shop.addons.orders.reconcile()
    page = shop.see(f"orders/{order}/")
    (link,) = [path for name, path in page.links.items() if name.startswith("Credit note")]
    note = shop.ask(link.removeprefix(ROOT))
    assert b"Corrects receipt" in note.body
    assert shop.ask(f"ai/ui/orders/{order}/notes/N-9/").status == 404
    assert "Refunded in part" in page.words


def test_without_a_seller_there_is_no_receipt_to_show() -> None:
    """The link is not there."""
    shop = Shop()
    order = shop.buy_by_phone()
    shop.gateway.pay(shop.reference(order))
    shop.clock.advance(4)
    bare = shop.addons.settings.model_copy(
        update={"receipts": shop.addons.settings.receipts.model_copy(update={"seller": None})}
    )
    shop.addons.settings = bare
    page = shop.see(f"orders/{order}/")
    assert page.title.startswith("Paid")
    assert "receipt/" not in page.html
    shop.close()


@pytest.mark.parametrize("path", ["", "receipt/", "notes/N-1/"])
def test_another_businesss_order_is_not_there(shop: Shop, path: str) -> None:
    """The same page as for an order that never was."""
    order = shop.buy_by_phone()
    theirs = shop.see(f"orders/{order}/{path}", status=404, business="biz_8")
    none = shop.see(f"orders/0199-never/{path}", status=404, business="biz_8")
    assert theirs.html == none.html


@pytest.mark.parametrize("action", ["again/", "otp/", "check/", "cancel/"])
def test_another_businesss_order_takes_no_form(shop: Shop, action: str) -> None:
    """404, and the order is as it was."""
    order = shop.buy_by_phone()
    before = shop.addons.orders.find(SHOP, order)
    fields = {"again/": PHONE | KEY, "otp/": {"otp": "123456"}}.get(action, {})
    assert shop.send(f"orders/{order}/{action}", business="biz_8", **fields).status == 404
    assert shop.addons.orders.find(SHOP, order) == before


@pytest.mark.parametrize("button", ["I have paid: look again", "Pay GHS 80.00 by phone", "Send the code"])
def test_a_gateway_that_is_away_is_told_on_the_orders_own_page(shop: Shop, button: str) -> None:
    """502 in our words, with the buttons to try again; what the gateway is called is nowhere."""
    order = shop.buy_by_phone(network="telecel" if button == "Send the code" else "mtn")
    if button.startswith("Pay"):
        shop.gateway.decline(shop.reference(order))
        shop.clock.advance(4)
        shop.see(f"orders/{order}/")
    shop.deaf()
    typed = PHONE if button.startswith("Pay") else {"otp": "123456"} if button == "Send the code" else {}
    page = shop.press(button, typed, status=502)
    assert "The payment service could not be reached. Nothing was lost. Look again in a minute." in page.words
    assert "Paystack" not in page.html
    assert "I have paid: look again" in [form["button"] for form in page.forms]
    shop.heard()


def test_a_second_try_pressed_twice_prompts_once(shop: Shop) -> None:
    """Also where the first press had no answer: the page that tells so keeps the form's key."""
    order = shop.buy_by_phone()
    shop.gateway.decline(shop.reference(order))
    shop.clock.advance(4)
    shop.see(f"orders/{order}/")
    shop.deaf()
    page = shop.press("Pay GHS 80.00 by phone", PHONE, status=502)
    shop.heard()
    (kept,) = {form["fields"]["key"] for form in page.forms if form["action"].endswith("again/")}
    for _ in range(2):
        assert shop.send(f"orders/{order}/again/", **PHONE, key=kept).status == 303
    attempts = shop.addons.orders.find(SHOP, order)[1]
    assert [attempt.state for attempt in attempts] == ["failed", "open"]


def test_an_order_that_is_over_takes_no_other_attempt(shop: Shop) -> None:
    """409 on its own page, with what to do."""
    order = shop.buy_by_phone()
    shop.press("Cancel this order")
    response = shop.send(f"orders/{order}/again/", **PHONE, **KEY)
    assert response.status == 409
    assert "Make a new order." in Page(response).words


def test_who_may_only_read_sees_an_order_without_its_buttons(shop: Shop) -> None:
    """And its forms answer 403."""
    order = shop.buy_by_phone()
    shop.denied = frozenset({"credits:purchase"})
    page = shop.see(f"orders/{order}/")
    assert page.forms == []
    assert shop.send(f"orders/{order}/cancel/").status == 403


def test_orders_are_listed_with_their_state(shop: Shop) -> None:
    """The newest first, each a link to its page, with its receipt's number."""
    first = shop.buy_by_phone()
    shop.gateway.pay(shop.reference(first))
    shop.clock.advance(5)
    shop.see(f"orders/{first}/")
    second = shop.buy_by_phone("STARTER")
    page = shop.see("orders/")
    found = [attrs["href"] for tag, attrs in page.tags if tag == "a" and "ai/ui/orders/0" in str(attrs["href"])]
    assert found[-2:] == [f"{ROOT}ai/ui/orders/{second}/", f"{ROOT}ai/ui/orders/{first}/"]
    assert "Value GHS 80.00 100 PaidReceipt R-000001" in page.words


# The add-on.


def test_the_add_on_is_taken_paid_cancelled_and_kept(hybrid: Shop) -> None:
    """From the card to its payment; then when it renews, how that is paid, and how it ends."""
    page = hybrid.see("addon/")
    assert "100 credits a month for GHS 50.00" in page.words
    page = hybrid.press("Take the add-on")
    assert "A month of the add-on. Nothing is charged before you approve it." in page.words
    hybrid.press("Pay GHS 50.00 by phone", PHONE)
    order = hybrid.addons.orders.history(SHOP)[0].id
    assert "It begins with its first payment." in hybrid.see("addon/").words
    hybrid.gateway.pay(hybrid.reference(order))
    hybrid.clock.advance(4)
    assert hybrid.see(f"orders/{order}/").title.startswith("Paid")
    page = hybrid.see("addon/")
    assert "Active. Next renewal: 21 Oct 2026." in page.words
    assert "you approve each month yourself" in page.words
    page = hybrid.press("Cancel at the end of the month")
    assert "Cancelled. It ends on 21 Oct 2026." in page.words
    page = hybrid.press("Keep the add-on")
    assert "Active." in page.words
    page = hybrid.press("Cancel now")
    assert "Your add-on has ended. You can take it again." in page.words


def test_an_unpaid_month_is_told_with_its_last_day_and_a_saved_card_is_named(hybrid: Shop) -> None:
    """Pay until then, or it ends."""
    hybrid.see("buy/pay/?item=ADDON")
    hybrid.press("Continue to payment")
    reference = hybrid.reference(hybrid.addons.orders.history(SHOP)[0].id)
    hybrid.gateway.pay(reference, method="card", save_card=True)
    hybrid.addons.orders.verify(SHOP, reference)
    words = hybrid.see("addon/").words
    assert "card ending in" in words
    assert "is charged on the day" in words
    hybrid.clock.advance(31 * 86_400)
    page = hybrid.see("addon/")
    assert "This month is not paid yet. Pay until 28 Oct 2026" in page.words
    assert "Pay this month" in [form["button"] for form in page.forms]


def test_where_no_add_on_is_sold_there_is_a_sentence(shop: Shop) -> None:
    """No link to it, and its page leads to the packs."""
    page = shop.see("addon/")
    assert "There is no monthly add-on here." in page.words
    assert "Add-on" not in page.links
    assert shop.send("addon/cancel/", when="now").status == 409


@pytest.mark.parametrize("fields", [{}, {"when": "never"}])
def test_a_cancellation_says_when(hybrid: Shop, fields: dict[str, str]) -> None:
    """422."""
    assert hybrid.send("addon/cancel/", **fields).status == 422


def test_an_add_on_cannot_be_bought_by_who_may_not_manage_it(hybrid: Shop) -> None:
    """Even with the right to buy packs."""
    hybrid.denied = frozenset({"addon:manage"})
    assert "Monthly add-on" not in hybrid.see("buy/").words
    assert hybrid.send("buy/pay/", item="ADDON", key="k", **PHONE).status == 403


# Small parts.


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("https://pay.example/x", True),
        ("http://127.0.0.1:8765/x", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//pay.example", False),
    ],
)
def test_only_web_addresses_become_links(url: str, there: bool) -> None:
    """Whatever a gateway may say."""
    assert is_page(url) is there


def test_a_host_without_a_token_gets_forms_without_one(shop: Shop) -> None:
    """There is no empty field."""
    request = WebRequest(method="GET", path="ai/ui/", principal=Principal(business_id=SHOP, user_id="u_1"))
    page = shop.web.dispatch(request)
    assert b"csrf" not in page.body
    assert TOKEN.encode() not in page.body
    assert Wait(step="try_again").seconds == 0


def test_an_add_on_that_the_host_bills_is_taken_without_a_payment_here() -> None:
    """Its credits come when the host says that it was paid; on other hosts the form is refused."""
    made = Shop(policy="hybrid", web={"addon_billing": "external"})
    buttons = [form["button"] for form in made.see("addon/").forms]
    assert buttons == ["Take the add-on"]
    page = made.press("Take the add-on")
    assert "It begins with its first payment." in page.words
    assert made.addons.orders.history(SHOP) == []
    made.addons.subscriptions.pay(SHOP)
    assert "Active." in made.see("addon/").words
    assert made.addons.doctor().findings == ()
    made.close()


def test_an_add_on_that_is_paid_here_is_not_taken_by_the_hosts_form(hybrid: Shop) -> None:
    """Nobody gets past the payment with a form made by hand."""
    assert hybrid.send("addon/take/").status == 409
    assert hybrid.addons.wallet(SHOP).subscription is None
