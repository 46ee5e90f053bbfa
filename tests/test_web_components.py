"""The web components in a real browser, on pages of a host with a strict policy, against a stand-in for the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import picture
from tests.ui_shop import TOKEN, Shop
from tests.ui_site import HOST_SCRIPTS, PRICING, SHORT, Api, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser import NewPage

BADGE = "<ai-credits-badge></ai-credits-badge>"
BUY = "<ai-buy-credits></ai-buy-credits>"
GATE = '<ai-gate feature="report_summary">AI insights</ai-gate>'

# A host's own script: it does the work with fetch, as any would, and writes down what happened.
HOST_SCRIPTS["/host/work.js"] = """
window.told = [];
for (const name of ["ai-gate:done", "ai-gate:error", "ai-buy-credits:paid", "ai-trial-banner:claimed"]) {
  addEventListener(name, (event) => told.push([name, event.detail.feature ?? ""]));
}
addEventListener("ai-credits:changed", () => told.push(["changed", ""]));
const gate = document.querySelector("ai-gate");
if (gate) gate.run = () => fetch("/shop/ai/work/", { method: "POST" });
"""
HOST_SCRIPTS["/host/event.js"] = """
addEventListener("ai-gate:run", (event) => event.detail.waitUntil(
  fetch("/shop/ai/work/", { method: "POST" }).then((answer) => {
    if (!answer.ok) throw Object.assign(new Error("no"), { response: answer });
    return answer.json();
  })));
"""
HOST_SCRIPTS["/host/several.js"] = """
window.pressed = [];
for (const gate of document.querySelectorAll("ai-gate")) {
  gate.run = () => { pressed.push(gate.id); return fetch("/shop/ai/work/", { method: "POST" }); };
}
"""
WORK = '<script src="/host/work.js" defer></script>'


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Serves the files."""
    made = Shop()
    yield made
    made.close()


@pytest.fixture
def api() -> Api:
    """A new stand-in."""
    return Api()


@pytest.fixture
def site(shop: Shop, api: Api) -> Iterator[Site]:
    """A site with its host's pages."""
    with Site(shop.web, api) as running:
        yield running


def told(page: Page) -> list[list[str]]:
    """The events that the host's script saw."""
    found: list[list[str]] = page.evaluate("told")
    return found


def pay_by_phone(page: Page) -> None:
    """Fill in the modal and press Pay."""
    page.get_by_label("Phone number").fill("024 400 0001")
    page.get_by_label("Network").select_option("mtn")
    page.get_by_role("button", name="Pay", exact=True).click()


# The badge.


@pytest.mark.parametrize(
    ("balance", "shown", "part"),
    [
        ("12.00", "12 AI credits", "badge"),
        ("12345.50", "12,345.5 AI credits", "badge"),
        ("9.99", "9.99 AI credits, running low", "badge low"),
        ("0.00", "0 AI credits, running low", "badge low"),
    ],
)
def test_the_badge_shows_what_can_be_spent(
    page: Page, site: Site, api: Api, balance: str, shown: str, part: str
) -> None:
    """Thousands apart, no needless zeros; below ten it says so in words and by its part."""
    api.says("GET credits/", 200, available=balance)
    page.goto(site.page(BADGE))
    badge = page.get_by_role("status")
    wait_until(page, lambda: badge.inner_text() == shown)
    assert badge.get_attribute("part") == part


def test_the_badge_never_shows_an_old_number(page: Page, site: Site, api: Api) -> None:
    """On an error it has a dash; when that is over, the number again."""
    page.goto(site.page(BADGE))
    badge = page.get_by_role("status")
    wait_until(page, lambda: badge.inner_text() == "12 AI credits")
    for status, body in ((500, {"code": "x"}), (200, {"nothing": 1}), (401, {"code": "unauthenticated"})):
        api.says("GET credits/", status, body)
        page.evaluate("dispatchEvent(new Event('ai-credits:changed'))")
        wait_until(page, lambda: badge.inner_text() == "AI credits \N{EN DASH}")
        api.says("GET credits/", 200, {"available": "7"})
        page.evaluate("dispatchEvent(new Event('ai-credits:changed'))")
        wait_until(page, lambda: badge.inner_text() == "7 AI credits, running low")


def test_the_badge_asks_again_only_while_it_is_seen(page: Page, site: Site, api: Api) -> None:
    """Every so many seconds; a hidden page asks nothing, and asks at once when it is seen again."""
    page.add_init_script(
        "let seen = 'visible'; Object.defineProperty(document, 'visibilityState', {get: () => seen});"
        "window.see = (how) => { seen = how; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    page.clock.install()
    page.goto(site.page('<ai-credits-badge poll="60" low="20"></ai-credits-badge>'))
    wait_until(page, lambda: api.count("GET credits/") == 1)
    assert page.get_by_role("status").get_attribute("part") == "badge low"
    page.clock.run_for(60_500)
    wait_until(page, lambda: api.count("GET credits/") == 2)
    page.evaluate("see('hidden')")
    page.clock.run_for(300_000)
    assert api.count("GET credits/") == 2
    page.evaluate("see('visible')")
    wait_until(page, lambda: api.count("GET credits/") == 3)
    page.evaluate("document.querySelector('ai-credits-badge').remove()")
    page.clock.run_for(300_000)
    page.evaluate("dispatchEvent(new Event('ai-credits:changed'))")
    assert api.count("GET credits/") == 3


def test_the_badge_asks_where_it_is_told_to(page: Page, site: Site, api: Api) -> None:
    """Attribute ``src``, and in another language."""
    api.says("GET other/", 200, {"balance": "3.00"})
    words = json.dumps({"low": "Reste : {n} crédits"})
    page.goto(
        site.page(
            f'<script type="application/json" data-ai-addons-strings lang="fr">{words}</script>'
            '<script type="application/json" data-ai-addons-strings lang="tw">{"low": "no"}</script>'
            '<ai-credits-badge src="/shop/ai/other/"></ai-credits-badge>'
            '<ai-credits-badge src="/shop/ai/other/" strings=\'{"low": "{n} left"}\'></ai-credits-badge>',
            lang="fr-CI",
        )
    )
    badges = page.get_by_role("status")
    wait_until(page, lambda: badges.all_inner_texts() == ["Reste : 3 crédits", "3 left"])
    page.evaluate("document.querySelector('ai-credits-badge').setAttribute('low', '2')")
    wait_until(page, lambda: badges.first.inner_text() == "3 AI credits")


# Buying.


def test_credits_are_bought_in_a_modal(page: Page, site: Site, api: Api) -> None:
    """Packs with VALUE chosen, phone and network, the clock, approval, thanks with the new balance."""
    page.goto(site.page(BADGE + BUY + WORK))
    page.get_by_role("button", name="Buy AI credits").click()
    dialog = page.get_by_role("dialog", name="Buy AI credits")
    assert dialog.get_by_role("radio", name="Value Recommended").is_checked()
    picture(page, "component-packs")
    pay_by_phone(page)
    dialog = page.get_by_role("dialog", name="Waiting for your payment")
    wait_until(page, lambda: "Approve the payment on your phone." in dialog.inner_text())
    assert not page.get_by_text("Go to the payment page").is_visible()
    assert page.get_by_role("timer").inner_text() in {"180 seconds left", "179 seconds left", "178 seconds left"}
    picture(page, "component-waiting")
    headers, body = api.sent("POST purchase/")
    assert body == {"pack_type": "VALUE", "payment_method": "MOMO", "phone": "024 400 0001", "network": "mtn"}
    assert headers["x-csrftoken"] == TOKEN
    assert len(headers["idempotency-key"]) == 32
    api.says("GET credits/", 200, available="112.00")
    api.says("GET purchases/o-1/", 200, status="SUCCESSFUL", next_step=None)
    dialog = page.get_by_role("dialog", name="Paid")
    wait_until(page, lambda: "100 credits were added. You now have 112." in " ".join(dialog.inner_text().split()))
    assert told(page) == [["changed", ""], ["ai-buy-credits:paid", ""]]
    wait_until(page, lambda: page.locator("ai-credits-badge").get_by_role("status").inner_text() == "112 AI credits")
    picture(page, "component-paid")
    page.get_by_role("button", name="Close").click()
    assert page.get_by_role("button", name="Buy AI credits").evaluate("one => one.getRootNode().activeElement === one")


def test_the_keyboard_stays_in_the_modal_and_escape_closes_it(page: Page, site: Site) -> None:
    """Tab goes round, forwards and back; focus begins at the heading and goes back to the button."""
    page.goto(site.page(f'<a href="#x">before</a>{BUY}<a href="#y">after</a>'))
    page.get_by_role("button", name="Buy AI credits").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Value Recommended").wait_for()
    inside = (
        "document.activeElement.tagName + ':' + document.activeElement.shadowRoot.activeElement?.closest('dialog')?.id"
    )
    inside = "document.activeElement.shadowRoot?.activeElement?.closest('dialog') != null"
    seen = set()
    for key in ["Tab"] * 14 + ["Shift+Tab"] * 14:
        page.keyboard.press(key)
        assert page.evaluate(inside), key
        seen.add(page.evaluate("document.activeElement.shadowRoot.activeElement.outerHTML"))
    assert len(seen) >= 6
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "AI-BUY-CREDITS"


def test_another_amount_is_paid_on_the_payment_page(page: Page, site: Site, api: Api) -> None:
    """The fields of the phone are put away; the way on is a link."""
    api.says("POST purchase/", 201, payment_url="https://pay.example/x")
    api.says("GET purchases/o-1/", 200, next_step="redirect", payment_url="https://pay.example/x", seconds_left=None)
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    assert not page.get_by_label("Amount in cedis").is_visible()
    page.get_by_label("Your own amount").check()
    page.get_by_label("Amount in cedis").fill("55.50")
    page.get_by_label("Card or another way").check()
    assert not page.get_by_label("Phone number").is_visible()
    page.get_by_role("button", name="Pay", exact=True).click()
    link = page.get_by_role("link", name="Go to the payment page")
    link.wait_for()
    assert link.get_attribute("href") == "https://pay.example/x"
    assert page.get_by_role("timer").inner_text() == ""
    assert api.sent("POST purchase/")[1] == {"pack_type": "CUSTOM", "amount": "55.50", "payment_method": "CARD"}


def test_no_address_but_a_web_address_becomes_a_link(page: Page, site: Site, api: Api) -> None:
    """Whatever the answer says."""
    api.says("POST purchase/", 201, payment_url="javascript:alert(1)")
    api.says("GET purchases/o-1/", 200, next_step="redirect", payment_url="javascript:alert(1)")
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    page.get_by_label("Card or another way").check()
    page.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    wait_until(page, lambda: api.count("GET purchases/o-1/") >= 1)
    assert page.get_by_role("link").count() == 0


def test_a_refusal_is_told_and_the_next_try_is_another_order(page: Page, site: Site, api: Api) -> None:
    """In the words of the API; a lost answer keeps its key instead."""
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    api.says(
        "POST purchase/", 409, {"code": "payment", "detail": "There is no <b>such</b> phone. Nothing was charged."}
    )
    pay_by_phone(page)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == "There is no <b>such</b> phone. Nothing was charged."
    first = api.sent("POST purchase/")[0]["idempotency-key"]
    page.route("**/ai/purchase/", lambda route: route.abort())
    page.get_by_role("button", name="Pay", exact=True).click()
    wait_until(page, lambda: alert.inner_text() == "This did not work, and nothing was charged. Try again.")
    page.unroute("**/ai/purchase/")
    keys: list[str] = []
    page.on("request", lambda sent: keys.append(sent.headers.get("idempotency-key", "")))
    page.route("**/ai/purchase/", lambda route: route.abort())
    page.get_by_role("button", name="Pay", exact=True).click()
    wait_until(page, lambda: len(keys) == 1)
    page.unroute("**/ai/purchase/")
    api.says("POST purchase/", 201, {"purchase_id": "o-1", "payment_reference": "aia-1", "payment_url": None})
    wait_until(page, lambda: page.get_by_role("button", name="Pay", exact=True).is_enabled())
    page.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    last = api.sent("POST purchase/")[0]["idempotency-key"]
    assert keys[0] == last != first


def test_an_order_in_doubt_is_asked_for_under_its_key_until_something_else_is_wanted(
    page: Page, site: Site, api: Api
) -> None:
    """The gateway was not heard, and may have prompted the phone: the same again is the same order."""
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    api.says("POST purchase/", 502, {"code": "gateway", "detail": "The payment gateway cannot be used just now."})
    keys: list[str] = []
    page.on("request", lambda sent: keys.append(sent.headers.get("idempotency-key", "")))
    pay_by_phone(page)
    pay = page.get_by_role("button", name="Pay", exact=True)
    wait_until(page, lambda: api.count("POST purchase/") == 1 and pay.is_enabled())
    pay.click()
    wait_until(page, lambda: api.count("POST purchase/") == 2 and pay.is_enabled())
    page.get_by_label("Card or another way, on the payment page").check()
    pay.click()
    wait_until(page, lambda: api.count("POST purchase/") == 3)
    first, second, third = (key for key in keys if key)
    assert first == second != third


def test_the_waiting_screen_survives_a_reload_and_a_closed_modal(page: Page, site: Site, api: Api) -> None:
    """The clock goes on from what the server says; the button says that a payment waits."""
    url = site.page(BUY)
    page.goto(url)
    page.get_by_role("button", name="Buy AI credits").click()
    pay_by_phone(page)
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    api.says("GET purchases/o-1/", 200, seconds_left=61)
    page.reload()
    dialog = page.get_by_role("dialog", name="Waiting for your payment")
    dialog.wait_for()
    wait_until(page, lambda: page.get_by_role("timer").inner_text() in {f"{n} seconds left" for n in (59, 60, 61)})
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="A payment is waiting").click()
    dialog.wait_for()
    api.says("GET purchases/o-1/", 200, status="FAILED", next_step=None)
    page.reload()
    page.get_by_role("dialog", name="Not paid").wait_for()
    page.reload()
    page.get_by_role("button", name="Buy AI credits").wait_for()
    assert page.get_by_role("dialog").count() == 0
    assert api.count("POST purchase/") == 1


def test_the_clock_runs_down_and_says_so(page: Page, site: Site, api: Api) -> None:
    """Each second for the eye; at the end the payer may still have approved."""
    page.clock.install()
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    pay_by_phone(page)
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    api.says("GET purchases/o-1/", 500, {"code": "x"})
    page.clock.run_for(120_000)
    assert page.get_by_role("timer").inner_text() in {f"{n} seconds left" for n in range(56, 64)}
    page.clock.run_for(70_000)
    assert page.get_by_role("timer").inner_text().startswith("The time on the phone is over.")
    assert page.locator("ai-buy-credits p.quiet").inner_text().startswith("The time on the phone is over.")


def test_a_code_is_asked_for(page: Page, site: Site, api: Api) -> None:
    """And sent; a wrong one ends the attempt, and all begins anew."""
    api.says("GET purchases/o-1/", 200, next_step="enter_otp", display_text="Dial *110# for a code.")
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    pay_by_phone(page)
    field = page.get_by_label("The code that you were sent")
    field.wait_for()
    assert "Dial *110# for a code." in page.get_by_role("dialog").inner_text()
    field.fill("1234")
    api.says("GET purchases/o-1/", 200, next_step="approve_on_phone")
    page.get_by_role("button", name="Send the code").click()
    field.wait_for(state="hidden")
    assert api.sent("POST purchases/o-1/otp/")[1] == {"otp": "1234"}
    api.says("GET purchases/o-1/", 200, next_step="enter_otp")
    field.wait_for()
    api.says("POST purchases/o-1/otp/", 409, {"code": "payment_declined"})
    field.fill("9999")
    page.get_by_role("button", name="Send the code").click()
    page.get_by_role("dialog", name="Buy AI credits").wait_for()
    wait_until(page, lambda: "That code was not accepted" in page.get_by_role("dialog").inner_text())


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ({"next_step": "retry"}, "Not paid"),
        ({"status": "ABANDONED", "next_step": None}, "Not paid"),
        ({"status": "QUARANTINED", "next_step": None}, "We are checking this payment"),
    ],
)
def test_what_ends_without_credits_is_told(
    page: Page, site: Site, api: Api, answer: dict[str, Any], title: str
) -> None:
    """Declined, too late, or held; from the first two one starts again."""
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    api.says("GET purchases/o-1/", 200, **answer)
    pay_by_phone(page)
    page.get_by_role("dialog", name=title).wait_for()
    again = page.get_by_role("button", name="Start again")
    assert again.count() == (title == "Not paid")
    if again.count():
        again.click()
        page.get_by_role("dialog", name="Buy AI credits").wait_for()
    assert api.count("POST purchases/o-1/cancel/") == (title == "Not paid")


def test_a_price_list_that_does_not_come_can_be_asked_for_again(page: Page, site: Site, api: Api) -> None:
    """The modal says so."""
    api.says("GET pricing/", 503, {"code": "x"})
    page.goto(site.page(BUY))
    page.get_by_role("button", name="Buy AI credits").click()
    page.get_by_role("alert").wait_for()
    api.says("GET pricing/", 200, PRICING)
    page.get_by_role("button", name="Start again").click()
    page.get_by_role("radio", name="Value Recommended").wait_for()


# The trial.


def test_the_trial_is_offered_until_it_is_claimed(page: Page, site: Site, api: Api) -> None:
    """One press; then a word of thanks, the event, and no banner the next time."""
    api.says("GET credits/", 200, trial_credits="5.00")
    url = site.page("<ai-trial-banner></ai-trial-banner>" + WORK)
    page.goto(url)
    button = page.get_by_role("button", name="Start with 5 free credits")
    button.wait_for()
    picture(page, "component-trial")
    button.click()
    wait_until(page, lambda: page.get_by_role("status").inner_text() == "5 free credits are yours.")
    assert told(page) == [["changed", ""], ["ai-trial-banner:claimed", ""]]
    assert api.sent("POST trial/")[1] == {}
    api.says("GET credits/", 200, trial_credits="0.00")
    page.goto(url)
    wait_until(page, lambda: api.count("GET credits/") == 2)
    assert not page.locator("ai-trial-banner").is_visible()


@pytest.mark.parametrize(
    ("status", "shown"),
    [(409, "The free credits were given before."), (500, "This did not work, and nothing was charged. Try again.")],
)
def test_a_trial_that_is_refused_says_why(page: Page, site: Site, api: Api, status: int, shown: str) -> None:
    """Had before, or not to be had now."""
    api.says("GET credits/", 200, trial_credits="5.00")
    api.says("POST trial/", status, {"code": "x"})
    page.goto(site.page("<ai-trial-banner></ai-trial-banner>"))
    page.get_by_role("button", name="Start with 5 free credits").click()
    said = page.locator("ai-trial-banner").locator("[role=status], [role=alert]")
    said.wait_for()
    assert said.inner_text() == shown


def test_without_an_answer_there_is_no_banner(page: Page, site: Site, api: Api) -> None:
    """A page is not broken by what it can do without."""
    api.says("GET credits/", 500, {"code": "x"})
    page.goto(site.page("<ai-trial-banner></ai-trial-banner>"))
    wait_until(page, lambda: api.count("GET credits/") == 1)
    assert not page.locator("ai-trial-banner").is_visible()


# The gate.


def test_a_button_shows_its_price_and_does_the_work(page: Page, site: Site, api: Api) -> None:
    """One look at the price list for all of them; names are text."""
    page.goto(site.page(GATE + '<ai-gate feature="gratis"></ai-gate>' + WORK))
    page.get_by_role("button", name="AI insights, 0.2 credits").wait_for()
    page.get_by_role("button", name="<b>Gratis</b>, free").wait_for()
    assert api.count("GET pricing/") == 1
    page.get_by_role("button", name="AI insights").click()
    wait_until(page, lambda: told(page) == [["changed", ""], ["ai-gate:done", "report_summary"]])
    assert api.count("POST work/") == 1


def test_a_button_hides_where_its_feature_is_not_on_the_price_list(page: Page, site: Site) -> None:
    """It is not on for this shop; a button that its page hides stays hidden, and one that gets a feature is seen."""
    off = '<ai-gate id="off" feature="elsewhere"></ai-gate>'
    page.goto(site.page(GATE + off + '<ai-gate id="own" hidden feature="gratis"></ai-gate>'))
    page.get_by_role("button", name="AI insights, 0.2 credits").wait_for()
    page.locator("#off").wait_for(state="hidden")
    assert page.evaluate("document.querySelector('#off').hidden")
    assert not page.locator("#own").is_visible()
    page.evaluate("document.querySelector('#off').setAttribute('feature', 'gratis')")
    page.get_by_role("button", name="<b>Gratis</b>, free").wait_for()


def test_a_button_stays_where_the_price_list_cannot_be_had(page: Page, site: Site, api: Api) -> None:
    """It has the name of its feature and no price."""
    api.says("GET pricing/", 500, {"code": "x"})
    page.goto(site.page("<ai-gate></ai-gate>"))
    page.evaluate("document.querySelector('ai-gate').setAttribute('feature', 'report_summary')")
    page.get_by_role("button", name="report_summary", exact=True).wait_for()


@pytest.mark.parametrize("script", ["work", "event"])
def test_short_credits_lead_over_the_modal_back_to_the_work(page: Page, site: Site, api: Api, script: str) -> None:
    """402: packs with what is missing; paid; one tap finishes what was interrupted."""
    api.says("POST work/", 402, SHORT)
    by_event = '<script src="/host/event.js" defer></script>' if script == "event" else ""
    page.goto(site.page(GATE + WORK + by_event))
    if script == "event":
        page.evaluate("document.querySelector('ai-gate').run = undefined")
    page.get_by_role("button", name="AI insights, 0.2 credits").click()
    page.get_by_role("dialog", name="Buy AI credits").wait_for()
    wait_until(page, lambda: "This needs 3 credits, and you have 1." in page.get_by_role("dialog").inner_text())
    picture(page, f"component-gate-{script}")
    api.says("GET purchases/o-1/", 200, status="SUCCESSFUL", next_step=None)
    pay_by_phone(page)
    finish = page.get_by_role("button", name="Finish: AI insights")
    finish.wait_for()
    assert api.count("POST work/") == 1
    api.says("POST work/", 200, {"text": "done"})
    finish.click()
    wait_until(page, lambda: ["ai-gate:done", "report_summary"] in told(page))
    assert api.count("POST work/") == 2
    assert page.get_by_role("dialog").count() == 0


def test_the_interrupted_work_is_offered_after_a_reload_too(page: Page, site: Site, api: Api) -> None:
    """By the button of the same feature on the page."""
    api.says("POST work/", 402, SHORT)
    page.goto(site.page(GATE + BUY + WORK))
    page.get_by_role("button", name="AI insights, 0.2 credits").click()
    pay_by_phone(page)
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    page.reload()
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    api.says("GET purchases/o-1/", 200, status="SUCCESSFUL", next_step=None)
    api.says("POST work/", 200, {"text": "done"})
    page.get_by_role("button", name="Finish: AI insights").click()
    wait_until(page, lambda: ["ai-gate:done", "report_summary"] in told(page))


def test_of_several_buttons_of_a_feature_the_one_that_was_pressed_is_finished(page: Page, site: Site, api: Api) -> None:
    """After a reload it is known by its id, so that no other customer is assessed."""
    gates = "".join(f'<ai-gate id="{name}" feature="report_summary">{name}</ai-gate>' for name in ("one", "two"))
    api.says("POST work/", 402, SHORT)
    page.goto(site.page(gates + BUY + '<script src="/host/several.js" defer></script>'))
    page.get_by_role("button", name="two, 0.2 credits").click()
    pay_by_phone(page)
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    page.reload()
    page.get_by_role("dialog", name="Waiting for your payment").wait_for()
    api.says("GET purchases/o-1/", 200, status="SUCCESSFUL", next_step=None)
    api.says("POST work/", 200, {"text": "done"})
    page.get_by_role("button", name="Finish: two").click()
    wait_until(page, lambda: page.evaluate("pressed") == ["two"])


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (503, {"code": "paused", "detail": "AI is paused. Nothing was charged."}, "AI is paused. Nothing was charged."),
        (500, {"detail": "a host's own"}, "This did not work, and nothing was charged. Try again."),
    ],
)
def test_an_answer_that_is_no_success_is_an_error(
    page: Page, site: Site, api: Api, status: int, body: dict[str, str], says: str
) -> None:
    """A `Response` with another status than 402 does not count as done; a problem of ours says what is wrong."""
    api.says("POST work/", status, body)
    page.goto(site.page(GATE + WORK))
    page.get_by_role("button", name="AI insights, 0.2 credits").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == says
    assert told(page) == [["ai-gate:error", "report_summary"]]


def test_an_error_of_the_work_is_told_beside_the_button(page: Page, site: Site, api: Api) -> None:
    """Unless the host tells it itself."""
    page.goto(site.page(GATE + WORK))
    page.evaluate("document.querySelector('ai-gate').run = () => { throw new Error('<i>secret</i>') }; 0")
    button = page.get_by_role("button", name="AI insights, 0.2 credits")
    button.click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text() == "This did not work, and nothing was charged. Try again."
    assert told(page) == [["ai-gate:error", "report_summary"]]
    page.evaluate("addEventListener('ai-gate:error', (event) => event.preventDefault())")
    button.click()
    alert.wait_for(state="hidden")
    assert button.is_enabled()
    assert api.count("GET credits/") == 0


def test_a_button_pressed_twice_works_once(page: Page, site: Site) -> None:
    """It is out of use while it works."""
    page.goto(site.page(GATE))
    page.evaluate(
        "window.runs = 0; document.querySelector('ai-gate').run = "
        "() => { runs += 1; return new Promise((r) => { window.end = r }) }; 0"
    )
    button = page.get_by_role("button", name="AI insights")
    button.click()
    assert button.get_attribute("aria-busy") == "true"
    page.evaluate("document.querySelector('ai-gate').go(); 0")
    page.evaluate("end()")
    wait_until(page, button.is_enabled)
    assert page.evaluate("runs") == 1


# All of them.


@pytest.mark.parametrize("dark", [False, True])
def test_the_modal_fits_a_small_phone(new_page: NewPage, site: Site, dark: bool) -> None:
    """At 320 pixels nothing is cut off sideways, in light and in dark."""
    page = new_page(size=(320, 600), dark=dark)
    page.goto(site.page(BADGE + BUY + GATE))
    page.get_by_role("button", name="Buy AI credits").click()
    page.get_by_role("radio", name="Value Recommended").wait_for()
    box = page.locator("ai-buy-credits dialog").evaluate(
        "one => [one.scrollWidth, one.clientWidth, one.getBoundingClientRect().right]"
    )
    assert box[0] <= box[1]
    assert box[2] <= 320
    picture(page, f"component-320-{'dark' if dark else 'light'}")


def test_the_components_follow_the_hosts_colours_and_parts(page: Page, site: Site) -> None:
    """Variables and ``::part`` reach into them."""
    page.goto(site.page(BADGE))
    page.evaluate(
        "const s = new CSSStyleSheet(); s.replaceSync('ai-credits-badge::part(badge) { color: rgb(1, 2, 3) }');"
        "document.adoptedStyleSheets = [s]"
    )
    assert page.get_by_role("status").evaluate("one => getComputedStyle(one).color") == "rgb(1, 2, 3)"
