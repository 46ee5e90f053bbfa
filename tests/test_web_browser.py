"""The shop owner's pages in a real browser: without a script and with it, on a small phone, in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.profile import BusinessProfile
from ai_addons.money import Credits, Money
from tests.browser import PHONE, picture
from tests.ui_shop import ROOT, SHOP, Shop
from tests.ui_site import WAITING, Api, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, Route

    from tests.browser import NewPage

LONG: Final = (
    "Nana Akosua Boatemaa & Daughters Wholesale, Provisions, Cosmetics and Mobile Money Enterprise (Kejetia) Ltd"
)
PAGES: Final = (
    "",
    "prices/",
    "usage/?days=30",
    "grants/",
    "orders/",
    "ledger/",
    "addon/",
    "buy/",
    "buy/pay/?item=VALUE",
)

# What a checker of accessibility looks for first, by hand: every field and button has a name, every picture a text,
# no link is empty, ids stand once, headings do not jump, and nothing is too small to be pressed by a thumb.
AUDIT: Final = """
() => {
  const faults = [];
  const name = (one) => (one.getAttribute("aria-label") || one.textContent || "").trim();
  for (const field of document.querySelectorAll("input:not([type=hidden]), select")) {
    if (!field.labels.length) faults.push(`no label: ${field.name}`);
  }
  for (const one of document.querySelectorAll("a, button")) if (!name(one)) faults.push(`no name: ${one.outerHTML}`);
  for (const one of document.querySelectorAll("[role=img]:not([aria-label])")) faults.push("no text");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) faults.push("an id twice");
  for (const one of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
    const id = one.getAttribute("aria-labelledby") || one.getAttribute("aria-describedby");
    if (!document.getElementById(id)) faults.push(`points nowhere: ${id}`);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption) faults.push("a table without a caption");
    if ([...table.querySelectorAll("th")].some((th) => !th.scope)) faults.push("a head without a scope");
  }
  for (const one of document.querySelectorAll("button, .button, input:not([type=hidden]), select, nav a")) {
    const box = one.getBoundingClientRect();
    if (box.width && box.height < 24) faults.push(`too small: ${name(one)}`);
  }
  if (document.documentElement.lang !== "en-GH") faults.push("no language");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen");
  return faults;
}
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A shop with a long name that has bought and used much."""
    made = Shop(policy="hybrid", profile=BusinessProfile(name=LONG, email="ama@shop.example"))
    made.addons.subscriptions.subscribe(SHOP, paid=True)
    made.addons.grant(SHOP, "1234567.25", source="purchase", ref="p", paid=Money("999999.99"))
    keys = [spec.key for spec in made.addons.features() if spec.built_in]
    for day in range(12):
        for number, key in enumerate(keys):
            for time in range((day * number) % 4):
                made.addons.billing.charge_credits(SHOP, "u_1", key, "0.001", idempotency_key=f"{day}-{key}-{time}")
        made.clock.advance(86_400)
    order = made.buy_by_phone()
    made.gateway.pay(made.reference(order))
    made.addons.orders.verify(SHOP, made.reference(order))
    yield made
    assert made.addons.doctor().findings == ()
    made.close()


@pytest.fixture(scope="module")
def site(shop: Shop) -> Iterator[Site]:
    """It, over HTTP."""
    with Site(shop.web, Api()) as running:
        yield running


@pytest.mark.parametrize(
    ("size", "dark", "scripts"), [((320, 640), False, True), (PHONE, True, False), ((1280, 800), False, True)]
)
def test_every_page_passes_the_audit_on_a_small_phone_and_in_the_dark(
    new_page: NewPage, site: Site, size: tuple[int, int], dark: bool, scripts: bool
) -> None:
    """With a long name, zeros and millions; nothing is wider than 320 pixels; no script, no complaint."""
    page = new_page(size=size, dark=dark, scripts=scripts)
    for path in PAGES:
        name = path.partition("?")[0].strip("/").replace("/", "-") or "balance"
        page.goto(f"{site.url}{ROOT}ai/ui/{path}")
        assert page.evaluate(AUDIT) == [], name
        picture(page, f"page-{name}-{size[0]}-{'dark' if dark else 'light'}")


def test_the_first_key_leads_past_the_links_to_the_content(page: Page, site: Site) -> None:
    """The first stop of Tab is seen, and goes there; what has the focus can be told by its outline."""
    page.goto(f"{site.url}{ROOT}ai/ui/")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    assert link.evaluate("one => one === document.activeElement && one.getBoundingClientRect().left >= 0")
    assert link.evaluate("one => getComputedStyle(one).outlineWidth") == "3px"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_a_chart_is_seen_without_a_script(new_page: NewPage, site: Site) -> None:
    """Its bars have the colours of the page, which change in the dark."""
    seen = []
    for dark in (False, True):
        page = new_page(scripts=False, dark=dark)
        page.goto(f"{site.url}{ROOT}ai/ui/usage/?days=30")
        bar = page.locator("svg .color-0 rect").first
        seen.append(bar.evaluate("one => getComputedStyle(one).fill"))
        assert page.locator("svg rect.rect").count() >= 30
    assert seen == ["rgb(0, 114, 178)", "rgb(86, 180, 233)"]


@pytest.fixture
def till() -> Iterator[tuple[Shop, Api, Site]]:
    """A new shop for buying, with its API's stand-in."""
    shop, api = Shop(), Api()
    with Site(shop.web, api) as running:
        yield shop, api, running
    assert shop.addons.doctor().findings == ()
    shop.close()


@pytest.mark.parametrize("scripts", [False, True])
def test_credits_are_bought_with_and_without_a_script(
    new_page: NewPage, till: tuple[Shop, Api, Site], scripts: bool
) -> None:
    """Choose, pay, wait, approve; the page shows it by itself, with a script at once and without by loading anew."""
    shop, api, site = till
    page = new_page(size=PHONE, scripts=scripts)
    page.goto(f"{site.url}{ROOT}ai/ui/")
    page.get_by_role("link", name="Buy credits").first.click()
    page.get_by_role("button", name="Choose Value").click()
    page.get_by_label("Phone number").fill("024 400 0001")
    page.get_by_label("Network").select_option("telecel")
    page.get_by_role("button", name="Pay GHS 80.00 by phone").click()
    field = page.get_by_label("The code that you were sent")
    field.wait_for()
    picture(page, f"page-otp-{'script' if scripts else 'plain'}")
    order = shop.addons.orders.history(SHOP)[0].id
    api.says(f"GET purchases/{order}/", 200, {**WAITING, "next_step": "enter_otp"})
    page.reload()
    field.fill(shop.gateway.otp(shop.reference(order)))
    page.get_by_role("button", name="Send the code").click()
    page.get_by_role("heading", name="Paid", level=1).wait_for()
    assert "100 credits available" in page.locator("main").inner_text()
    assert shop.addons.wallet(SHOP).available == Credits(100)


def test_the_waiting_page_runs_its_clock_and_changes_by_itself(page: Page, till: tuple[Shop, Api, Site]) -> None:
    """Each second; after a reload it goes on from the server's time; at the word of the API it loads anew."""
    shop, api, site = till
    order = shop.buy_by_phone()
    api.says(f"GET purchases/{order}/", 200, WAITING)
    shop.clock.advance(60)
    page.goto(f"{site.url}{ROOT}ai/ui/orders/{order}/")
    clock = page.get_by_role("timer")
    wait_until(page, lambda: clock.inner_text() in {"119 seconds left", "118 seconds left"})
    picture(page, "page-waiting")
    shop.clock.advance(60)
    page.reload()
    wait_until(page, lambda: clock.inner_text() in {"59 seconds left", "58 seconds left"})
    shop.gateway.pay(shop.reference(order))
    shop.clock.advance(4)
    api.says(f"GET purchases/{order}/", 200, {**WAITING, "status": "SUCCESSFUL"})
    page.get_by_role("heading", name="Paid", level=1).wait_for()
    picture(page, "page-paid")


def test_a_payment_page_elsewhere_is_reached_by_a_link(page: Page, till: tuple[Shop, Api, Site]) -> None:
    """The policy would stop a form that leads away."""
    shop, api, site = till
    page.goto(f"{site.url}{ROOT}ai/ui/buy/pay/?item=VALUE")
    page.get_by_role("button", name="Continue to payment").click()
    link = page.get_by_role("link", name="Go to the payment page")
    link.wait_for()
    elsewhere: list[str] = []

    def pay(route: Route) -> None:
        elsewhere.append(route.request.url)
        route.fulfill(body="pay here")

    page.route("https://gateway.invalid/**", pay)
    link.click()
    page.wait_for_url("https://gateway.invalid/**")
    assert elsewhere == [shop.addons.orders.find(SHOP, shop.addons.orders.history(SHOP)[0].id)[1][0].url]
    assert api.count("POST purchase/") == 0


def test_an_error_and_a_first_use_are_pages_worth_seeing(new_page: NewPage, till: tuple[Shop, Api, Site]) -> None:
    """With a way on."""
    _, _, site = till
    page = new_page(size=PHONE)
    page.goto(f"{site.url}{ROOT}ai/ui/")
    assert page.get_by_role("button", name="Start with 5 free credits").is_visible()
    assert page.evaluate(AUDIT) == []
    picture(page, "page-first-use")
    page.goto(f"{site.url}{ROOT}ai/ui/orders/none/")
    found: list[Any] = page.evaluate(AUDIT)
    assert found == []
    picture(page, "page-error")
    page.get_by_role("link", name="Your AI credits").click()
    page.get_by_role("heading", name="Your AI credits", level=1).wait_for()
