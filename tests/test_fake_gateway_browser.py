"""The fake gateway's pages in a real browser: pressed, typed at, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.gateways.base import PaymentRequest
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.payments import OTP
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.money import Money
from tests.browser import PHONE, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.browser import NewPage


@pytest.fixture
def server() -> Iterator[FakeGatewayServer]:
    """A gateway that runs."""
    with FakeGatewayServer() as running:
        yield running


@pytest.fixture
def gateway(server: FakeGatewayServer) -> FakePaystack:
    """The shop's side of it."""
    return FakePaystack(server.url)


def request(server: FakeGatewayServer, reference: str = "aia-1") -> PaymentRequest:
    """GHS 80; the payer comes back to a page that is there, the gateway's own first one."""
    return PaymentRequest(
        reference=reference,
        amount=Money("80"),
        email="shop@example.com",
        description="VALUE: 100 credits",
        return_url=f"{server.url}/?from=shop",
    )


def press(button: Locator) -> None:
    """Press a button that the next page has no more, and wait for that page."""
    button.click()
    button.wait_for(state="detached")


def outcome(gateway: FakePaystack, reference: str = "aia-1") -> str:
    """What became of it, in the gateway's word."""
    charge = gateway.fetch(reference)
    assert charge is not None
    return charge.raw_status


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("button", "told", "became"),
    [
        ("Approve with Mobile Money", "The payment is approved.", "success"),
        ("Pay by card", "The payment is approved.", "success"),
        ("Decline", "The payment failed: Declined by the payer.", "failed"),
        ("Let it hang", "The payment is open.", "abandoned"),
    ],
)
def test_a_payer_presses_a_button_and_goes_back(
    new_page: NewPage,
    server: FakeGatewayServer,
    gateway: FakePaystack,
    scripts: bool,
    button: str,
    told: str,
    became: str,
) -> None:
    """On a phone, with scripts or without: what was pressed happens, and the link leads to the shop."""
    page = new_page(size=PHONE, scripts=scripts)
    page.goto(gateway.checkout(request(server)).url)
    assert page.get_by_text("GHS 80.00").is_visible()
    page.get_by_role("button", name=button).click()
    page.get_by_role("status").filter(has_text=told).wait_for()
    picture(page, f"gateway-{became}")
    page.get_by_role("link", name="Back to the shop").click()
    page.wait_for_url(f"{server.url}/?from=shop&trxref=aia-1&reference=aia-1")
    assert outcome(gateway) == became


def test_what_hangs_is_approved_later(page: Page, server: FakeGatewayServer, gateway: FakePaystack) -> None:
    """The payer goes back in the browser and presses the other button."""
    page.goto(gateway.checkout(request(server)).url)
    page.get_by_role("button", name="Let it hang").click()
    # Going back while the answer still comes would end in either page, or in none.
    page.get_by_role("status").filter(has_text="The payment is open.").wait_for()
    page.go_back()
    page.get_by_role("button", name="Approve with Mobile Money").click()
    page.get_by_role("status").filter(has_text="The payment is approved.").wait_for()
    assert outcome(gateway) == "success"


def test_a_card_is_saved_by_keyboard_alone(page: Page, server: FakeGatewayServer, gateway: FakePaystack) -> None:
    """Tab to the box, space, tab to its button, enter; each of them shows that it has the focus."""
    page.goto(gateway.checkout(request(server)).url)
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate("document.activeElement.type") == "checkbox":
            break
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Pay by card"
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    charge = gateway.fetch("aia-1")
    assert charge is not None
    assert charge.card is not None


def test_a_prompt_is_answered_on_the_phone(new_page: NewPage, server: FakeGatewayServer, gateway: FakePaystack) -> None:
    """A prompt of MTN is approved, another one declined."""
    for reference in ("aia-1", "aia-2"):
        gateway.charge_phone(request(server, reference), phone="0244000000", network="mtn")
    page = new_page(size=PHONE)
    page.goto(f"{server.url}/phone")
    picture(page, "gateway-prompts")
    press(page.get_by_role("button", name="Approve: aia-1"))
    press(page.get_by_role("button", name="Decline: aia-2"))
    page.get_by_text("No prompt waits.").wait_for()
    assert (outcome(gateway, "aia-1"), outcome(gateway, "aia-2")) == ("success", "failed")


@pytest.mark.parametrize(("right", "became"), [(True, "paid"), (False, "failed")])
def test_a_code_is_read_on_the_phone(
    new_page: NewPage, server: FakeGatewayServer, gateway: FakePaystack, right: bool, became: str
) -> None:
    """Telecel's voucher code stands on the page; typed in wrong, it ends the payment."""
    gateway.charge_phone(request(server), phone="0204000000", network="telecel")
    page = new_page(size=PHONE)
    page.goto(f"{server.url}/phone")
    picture(page, "gateway-code")
    code = page.get_by_text("Your voucher code is").inner_text().split()[4].rstrip(".")
    assert code == OTP
    assert gateway.submit_otp("aia-1", code if right else "000000").outcome == became
    page.get_by_role("link", name="Look again").click()
    page.get_by_text("No prompt waits.").wait_for()


def test_the_operator_refunds_and_disputes(page: Page, server: FakeGatewayServer, gateway: FakePaystack) -> None:
    """All of one payment is returned; another one is disputed and lost."""
    for reference in ("aia-1", "aia-2"):
        gateway.checkout(request(server, reference))
        server.desk.approve(reference)
    page.goto(f"{server.url}/operator")
    row = page.get_by_role("row").filter(has_text="aia-1")
    row.get_by_role("button", name="Refund all of it").click()
    page.get_by_role("table", name="Refunds").wait_for()
    page.get_by_role("row").filter(has_text="aia-2").get_by_role("button", name="Open a dispute").click()
    press(page.get_by_role("button", name="Shop loses"))
    picture(page, "gateway-operator")
    assert [refund.amount_minor for refund in gateway.refunds("aia-1")] == [8000]
    assert [dispute.lost for dispute in gateway.disputes("aia-2")] == [True]


@pytest.mark.parametrize("dark", [False, True])
def test_every_page_fits_a_small_phone(
    new_page: NewPage, server: FakeGatewayServer, gateway: FakePaystack, dark: bool
) -> None:
    """Nothing is wider than the screen, every button is high enough for a thumb, in light and in dark colours."""
    url = gateway.checkout(request(server)).url
    gateway.charge_phone(request(server, "aia-2"), phone="0244000000", network="mtn")
    server.desk.approve("aia-1")
    gateway.refund("aia-1", Money("30"))
    waits = gateway.checkout(request(server, "aia-3")).url
    page = new_page(size=PHONE, dark=dark)
    for name, place, has_buttons in (
        ("start", f"{server.url}/", False),
        ("phone", f"{server.url}/phone", True),
        ("operator", f"{server.url}/operator", True),
        ("checkout", waits, True),
        ("done", f"{url}/done", False),
    ):
        page.goto(place)
        picture(page, f"gateway-{name}-{'dark' if dark else 'light'}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], name
        heights = [box["height"] for button in page.get_by_role("button").all() if (box := button.bounding_box())]
        assert all(height >= 44 for height in heights), name
        assert bool(heights) is has_buttons, name
