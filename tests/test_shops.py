"""The whole way of a shop's owner in each example shop: over HTTP, and in a browser."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.browser import picture
from tests.shops import COMMANDS, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser import NewPage
    from tests.shops import Person, RunningShop

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there"),
    # Seconds of work; a machine that does much else at the same time takes its time.
    pytest.mark.timeout(400),
]
PATIENCE = 60_000  # milliseconds for anything on a page, likewise

BUTTONS = {
    "product_description": ("Perfumed Rice", "0.1"),
    "report_summary": ("", "0.2"),
    "customer_insight": ("Which good customers are at risk of leaving?", "0.5"),
    "collection_message": ("Ama Mensah", "0.5"),
    "credit_assessment": ("Ama Mensah", "3"),
    "inventory_forecast": ("", "4"),
    "collection_analysis": ("", "5"),
    "portfolio_dashboard": ("", "5"),
}


@pytest.fixture(params=list(COMMANDS))
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningShop]:
    """Each shop, newly made."""
    with running(request.param, tmp_path) as started:
        yield started


def test_an_owner_goes_the_whole_way_in_a_browser(new_page: NewPage, shop: RunningShop) -> None:
    """Free credits, a refusal, VALUE by phone, a card on the gateway's page, long names, thousands, 320 px, dark."""
    a_refused_action_is_finished_after_a_payment_by_phone(new_page(), shop)
    a_payer_comes_back_from_the_gateways_page_to_the_button_that_was_pressed(new_page(), shop)
    nothing_sticks_out_of_a_small_screen(new_page(size=(320, 740), dark=True), shop)


def test_a_refused_action_succeeds_after_a_payment_over_http(shop: RunningShop) -> None:
    """Trial, spend, refused, buy, approve, credits are there, the refused action succeeds; then all the rest."""
    a_payment_makes_a_refused_action_succeed(shop)
    every_button_does_its_work(shop)
    roles_decide(shop)
    a_sale_is_seen_at_once(shop)


def signed_in(page: Page, shop: RunningShop, name: str) -> Page:
    """Sign in on the login page."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{shop.url}/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(f"{name}-demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/till/$"))
    return page


def says(page: Page, text: str) -> None:
    """Wait until the page says so."""
    page.get_by_text(text).first.wait_for()


def a_refused_action_is_finished_after_a_payment_by_phone(page: Page, shop: RunningShop) -> None:
    """The way of SPEC 7, as an owner sees it."""
    page.goto(f"{shop.url}/login/")
    picture(page, f"{shop.kind}-0-login")
    signed_in(page, shop, "ama")
    says(page, "0 AI credits, running low")
    picture(page, f"{shop.kind}-1-till-with-nothing")
    page.get_by_role("button", name="Start with 5 free credits").click()
    says(page, "5 AI credits, running low")
    page.get_by_role("link", name="Credit customers").click()
    assess = page.get_by_role("button", name="Assess credit, 3 credits")
    assess.nth(0).click()
    says(page, "It cost 3 credits.")
    says(page, "2 AI credits, running low")
    picture(page, f"{shop.kind}-2-answered")
    assert page.locator("#answer .subject").inner_text() == "Ama Mensah"
    assess.nth(2).click()
    says(page, "This needs 3 credits, and you have 2.")
    assert page.get_by_role("radio", name="Value").is_checked()
    assert page.locator(".flag").all_inner_texts() == ["Recommended"]
    picture(page, f"{shop.kind}-3-refused")
    page.get_by_label("Phone number").fill("024 400 0001")
    page.get_by_label("Network").select_option("mtn")
    page.get_by_role("button", name="Pay", exact=True).click()
    says(page, "Waiting for your payment")
    picture(page, f"{shop.kind}-4-waiting")
    phone = page.context.new_page()
    phone.goto(f"{shop.gateway}/phone")
    phone.get_by_role("button", name="Approve").click()
    says(phone, "No prompt waits.")
    phone.close()
    says(page, "100 credits were added. You now have 102.")
    picture(page, f"{shop.kind}-5-paid")
    page.get_by_role("button", name="Finish: Assess credit").click()
    says(page, "99 AI credits")
    page.locator("#answer .subject", has_text="Akosua Owusu").wait_for()
    page.goto(f"{shop.url}/ai/ui/")
    picture(page, f"{shop.kind}-6-balance")


def a_payer_comes_back_from_the_gateways_page_to_the_button_that_was_pressed(page: Page, shop: RunningShop) -> None:
    """By card, off to another page; of the buttons with the same price Finish means the second."""
    signed_in(page, shop, "esi")
    page.goto(f"{shop.url}/products/")
    page.get_by_role("button", name="Describe it, 0.1 credits").nth(1).click()
    says(page, "This needs 0.1 credits, and you have 0.")
    page.get_by_text("Your own amount").click()
    page.get_by_label("Amount in cedis").fill("5000")
    page.get_by_label("Card or another way, on the payment page").check()
    page.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("link", name="Go to the payment page").click()
    page.get_by_role("button", name="Pay by card").click()
    page.get_by_role("link", name="Back to the shop").click()
    page.wait_for_url(re.compile("/ai/ui/orders/"))
    says(page, "Paid")
    picture(page, f"{shop.kind}-7-order")
    page.goto(f"{shop.url}/products/")
    page.get_by_role("button", name="Finish: Describe it").click()
    says(page, "It cost 0.1 credits.")
    assert page.locator("#answer h2").inner_text().startswith("Palm Nut Soup Base")
    says(page, "6,944.34 AI credits")


def nothing_sticks_out_of_a_small_screen(page: Page, shop: RunningShop) -> None:
    """A shop with a long name and thousands of credits, 320 pixels wide and in the dark."""
    signed_in(page, shop, "esi")
    for name in ("till", "products", "customers", "reports"):
        page.goto(f"{shop.url}/{name}/")
        says(page, "6,944.34 AI credits")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        picture(page, f"{shop.kind}-8-small-{name}")
    page.get_by_role("button", name="The whole business, 5 credits").click()
    says(page, "It cost 5 credits.")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    picture(page, f"{shop.kind}-9-small-answer")


def a_payment_makes_a_refused_action_succeed(shop: RunningShop) -> None:
    """HTTP alone, as an app of the shop's would ask."""
    with shop.person("esi") as esi:
        assert esi.ask("report_summary").status_code == 402
        assert esi.http.post("/ai/trial/", json={}).json()["new_balance"] == "5.00"
        assert esi.ask("collection_analysis").json()["charged"] == "0"  # three debtors need no words
        assert esi.ask("portfolio_dashboard").json()["charged"] == "5"
        refused = esi.ask("inventory_forecast")
        assert refused.status_code == 402
        assert refused.headers["content-type"] == "application/problem+json"
        told = refused.json()
        assert [told[name] for name in ("code", "required", "available", "shortfall", "recommended")] == [
            "insufficient_credits",
            "4.00",
            "0.00",
            "4.00",
            "VALUE",
        ]
        assert esi.http.get(told["packs_url"]).json()["credit_packs"][1]["type"] == "VALUE"
        esi.buy(shop, pack_type="VALUE")
        assert esi.available() == "100.00"
        assert esi.ask("inventory_forecast").json()["charged"] == "4"
        assert esi.available() == "96.00"


def every_button_does_its_work(shop: RunningShop) -> None:
    """All eight, each at the price on the list."""
    with shop.person("ama") as ama:
        ama.buy(shop, pack_type="VALUE")
        listed = {
            one["feature"]: Decimal(one["credits"]) for one in ama.http.get("/ai/pricing/").json()["feature_costs"]
        }
        for feature, (subject, price) in BUTTONS.items():
            answer = ama.ask(feature, subject)
            assert answer.status_code == 200, answer.text
            assert (feature, answer.json()["charged"]) == (feature, price)
            assert listed.pop(feature) == Decimal(price)
            assert answer.json()["headline"]
        assert listed == {}
        assert ama.available() == "81.70"
        assert ama.ask("nope").status_code == 404
        assert ama.ask("product_description", "Nothing").status_code == 404
        assert ama.ask("customer_insight", "?").status_code in {400, 422}
        assert ama.available() == "81.70"


def roles_decide(shop: RunningShop) -> None:
    """A clerk uses and does not buy, an operator has no shop, a stranger is nobody."""
    with shop.person("kojo") as kojo:
        assert kojo.ask("report_summary").status_code == 200
        assert kojo.http.post("/ai/purchase/", json={"pack_type": "VALUE"}).status_code == 403
        assert kojo.http.get("/ai/admin/").status_code == 403
    with shop.person("operator") as operator:
        assert operator.http.get("/till/").url.path == "/ai/admin/"
        assert operator.ask("report_summary").status_code == 403
    assert httpx.get(f"{shop.url}/ai/credits/", trust_env=False).status_code == 401
    assert httpx.post(f"{shop.url}/api/ask/report_summary/", json={}, trust_env=False).status_code in {401, 403}


def a_sale_is_seen_at_once(shop: RunningShop) -> None:
    """Two units over the counter: in the list, and off the shelf; more than there are is refused."""
    with shop.person("ama") as ama:
        form = {"item": "Tomato Paste", "paid_by": "cash", "csrfmiddlewaretoken": ama.http.headers["x-csrftoken"]}
        assert on_shelf(ama) == "96"
        till = ama.http.post("/sell/", data={**form, "units": "2"})
        assert till.url.path == "/till/"
        assert re.search(r'Tomato Paste</td><td class="right">2\b', till.text) is not None
        assert on_shelf(ama) == "94"
        refused = ama.http.post("/sell/", data={**form, "units": "999"})
        assert refused.status_code == 422
        assert "no more than there are" in refused.text


def on_shelf(person: Person) -> str:
    """Tins of tomato paste, as the page has them."""
    found = re.search(r'Tomato Paste</td><td>groceries</td><td class="right">(\d+)', person.http.get("/products/").text)
    assert found is not None
    return found[1]
