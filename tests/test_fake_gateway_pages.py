"""The fake gateway's pages, used as a person does: read a page, press a button."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from ai_addons.billing.gateways.base import PaymentRequest
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.hooks import HookPlan
from ai_addons.billing.gateways.fake.payments import OTP
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.billing.gateways.fake.server import _Server as FakeHttp
from ai_addons.money import Money
from tests.gateway_browser import Browser, Page

if TYPE_CHECKING:
    from collections.abc import Iterator


class Shop:
    """A gateway that runs, the shop that uses it, and a browser."""

    def __init__(self, server: FakeGatewayServer) -> None:
        self.server = server
        self.gateway = FakePaystack(server.url)
        self.browser = Browser(server.url)

    def checkout(self, reference: str = "aia-1", back: str | None = "https://shop.example.com/back?a=1") -> str:
        """Begin a payment of GHS 80 and look at its page; the address of it."""
        asked = self.request(reference, back)
        url = self.gateway.checkout(asked).url
        self.browser.see(url)
        return url

    def request(self, reference: str, back: str | None = None) -> PaymentRequest:
        """GHS 80 for a pack with an awkward name."""
        return PaymentRequest(
            reference=reference,
            amount=Money("80"),
            email="shop@example.com",
            description="VALUE <b>& more</b>",
            return_url=back,
        )

    def outcome(self, reference: str = "aia-1") -> str:
        """What became of it, in the gateway's word."""
        charge = self.gateway.fetch(reference)
        assert charge is not None
        return charge.raw_status


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop beside a running gateway."""
    with FakeGatewayServer() as server:
        made = Shop(server)
        yield made
        made.browser.http.close()


def test_a_payer_approves_and_goes_back(shop: Shop) -> None:
    """Amount, description and buttons; afterwards a link to the shop with the reference in both names."""
    shop.checkout()
    page = shop.browser.page
    assert "GHS 80.00" in page.text
    assert "VALUE <b>& more</b>" in page.text
    assert [form[":label"] for form in page.forms] == [
        "Approve with Mobile Money",
        "Pay by card",
        "Decline",
        "Let it hang",
    ]
    done = shop.browser.press("Approve with Mobile Money")
    assert "The payment is approved." in done.text
    assert done.links["Back to the shop"] == "https://shop.example.com/back?a=1&trxref=aia-1&reference=aia-1"
    assert shop.outcome() == "success"


def test_a_payer_declines(shop: Shop) -> None:
    """It fails; the page says so again when it is reloaded, and a second press changes nothing."""
    url = shop.checkout(back="http://127.0.0.1:1/back")
    before = shop.browser.page
    page = shop.browser.press("Decline")
    assert "The payment failed: Declined by the payer." in page.text
    assert page.links["Back to the shop"] == "http://127.0.0.1:1/back?trxref=aia-1&reference=aia-1"
    assert "The payment failed" in shop.browser.see(url).text
    shop.browser.page = before
    shop.browser.press("Approve with Mobile Money")
    shop.browser.page = before
    assert "paid already" in shop.browser.press("Decline", status=400).text
    assert shop.outcome() == "success"


@pytest.mark.parametrize("back", [None, "javascript:alert(1)"])
def test_a_payer_lets_it_hang(shop: Shop, back: str | None) -> None:
    """It stays open, and can be approved on the same page later; what is no address is no link."""
    url = shop.checkout(back=back)
    page = shop.browser.press("Let it hang")
    assert "The payment is open." in page.text
    assert "Back to the shop" not in page.links
    assert shop.outcome() == "abandoned"
    shop.browser.see(url)
    shop.browser.press("Approve with Mobile Money")
    assert shop.outcome() == "success"


@pytest.mark.parametrize(("ticked", "saved"), [({"save": "yes"}, True), ({}, False)])
def test_a_card_is_saved_if_the_box_is_ticked(shop: Shop, ticked: dict[str, Any], saved: bool) -> None:
    """And only then; the operator lets it decline from then on."""
    shop.checkout()
    shop.browser.press("Pay by card", **ticked)
    charge = shop.gateway.fetch("aia-1")
    assert charge is not None
    assert (charge.method, charge.card is not None) == ("card", saved)
    shop.browser.see("/operator")
    label = "Let its card decline from now on"
    assert (label in [form[":label"] for form in shop.browser.page.forms]) is saved
    if charge.card is not None:
        shop.browser.press(label)
        assert shop.gateway.charge_card(shop.request("aia-2"), charge.card).outcome == "failed"


def test_a_way_that_is_not_offered_is_not_there(shop: Shop) -> None:
    """Neither the button nor what it would press."""
    shop.gateway.checkout(
        PaymentRequest(
            reference="aia-1", amount=Money("1"), email="a@example.com", description="", methods=("mobile_money",)
        )
    )
    code = shop.server.desk.payment("aia-1").access_code
    page = shop.browser.see(f"/checkout/{code}")
    assert [form[":label"] for form in page.forms] == ["Approve with Mobile Money", "Decline", "Let it hang"]
    answer = shop.browser.http.post(f"/checkout/{code}/approve", data={"channel": "card"})
    assert answer.status_code == 404
    assert shop.outcome() == "abandoned"


def test_prompts_are_answered_on_the_phone(shop: Shop) -> None:
    """One is approved, one declined; then none waits."""
    assert "No prompt waits." in shop.browser.see("/phone").text
    for reference in ("aia-1", "aia-2"):
        shop.gateway.charge_phone(shop.request(reference), phone="0244000000", network="mtn")
    page = shop.browser.see("/phone")
    assert "GHS 80.00 for shop@example.com, on 0244000000 (MTN), aia-1" in page.text
    assert "Approve: aia-2" in page.labels
    shop.browser.press("Approve")
    assert "No prompt waits." in shop.browser.press("Decline").text
    assert (shop.outcome("aia-1"), shop.outcome("aia-2")) == ("success", "failed")


def test_a_code_is_read_on_the_phone(shop: Shop) -> None:
    """And typed in at the shop."""
    shop.gateway.charge_phone(shop.request("aia-1"), phone="0204000000", network="telecel")
    page = shop.browser.see("/phone")
    assert f"Your voucher code is {OTP}." in page.text
    assert [form[":label"] for form in page.forms] == ["Decline"]
    assert shop.gateway.submit_otp("aia-1", OTP).outcome == "paid"
    assert "No prompt waits." in shop.browser.see("/phone").text


def test_the_operator_moves_refunds(shop: Shop) -> None:
    """From pending to needing attention to processed; what has ended has no buttons."""
    shop.checkout()
    shop.browser.press("Approve with Mobile Money")
    shop.gateway.refund("aia-1", Money("30"))
    page = shop.browser.see("/operator")
    assert [form[":label"] for form in page.forms if form[":action"] == "/operator/move-refund"] == [
        "processing",
        "processed",
        "failed",
        "needs-attention",
    ]
    shop.browser.press("needs-attention")
    page = shop.browser.press("processed")
    assert not [form for form in page.forms if form[":action"] == "/operator/move-refund"]
    assert [refund.outcome for refund in shop.gateway.refunds("aia-1")] == ["done"]
    shop.browser.press("Refund all of it", status=400)
    shop.checkout("aia-2")
    shop.browser.press("Pay by card")
    shop.browser.see("/operator")
    shop.browser.press("Refund all of it")
    assert [refund.amount_minor for refund in shop.gateway.refunds("aia-2")] == [8000]


@pytest.mark.parametrize(("label", "lost", "raw"), [("Shop wins", False, "success"), ("Shop loses", True, "reversed")])
def test_the_operator_opens_and_ends_a_dispute(shop: Shop, label: str, lost: bool, raw: str) -> None:
    """A reminder in between; an ended one has no buttons."""
    shop.checkout()
    shop.browser.press("Approve with Mobile Money")
    shop.browser.see("/operator")
    shop.browser.press("Open a dispute")
    assert [dispute.open for dispute in shop.gateway.disputes("aia-1")] == [True]
    shop.browser.press("Remind")
    page = shop.browser.press(label)
    assert not [form for form in page.forms if form[":action"] == "/operator/resolve"]
    assert [dispute.lost for dispute in shop.gateway.disputes("aia-1")] == [lost]
    assert shop.outcome() == raw
    url = f"/checkout/{shop.server.desk.payment('aia-1').access_code}"
    assert ("The payment was returned." in shop.browser.see(url).text) is lost


def test_the_operator_lets_a_payment_fail_and_come_late(shop: Shop) -> None:
    """Failed first, paid after all; its webhook is sent again to an address that was not there before."""
    shop.checkout()
    shop.browser.see("/operator")
    shop.browser.press("Let it fail")
    assert shop.outcome() == "failed"
    shop.browser.press("Pay it after all")
    assert shop.outcome() == "success"
    shop.server.hooks.plan = HookPlan(url="http://127.0.0.1:9/", tries=1)
    shop.browser.press("Send its webhooks again")
    for _ in range(200):
        if "ConnectionRefusedError" in shop.browser.see("/operator").text:
            break
    assert "ConnectionRefusedError" in shop.browser.page.text


@pytest.mark.parametrize("path", ["/", "/phone", "/operator", "checkout", "done"])
def test_a_page_can_be_used_by_everyone(shop: Shop, path: str) -> None:
    """A language, a title, one heading, a main part; no script, no style but ours, nothing from elsewhere."""
    url = shop.checkout()
    shop.gateway.charge_phone(shop.request("aia-2"), phone="0244000000", network="mtn")
    shop.server.desk.approve("aia-1")
    shop.server.desk.open_dispute("aia-1")
    path = {"checkout": shop.checkout("aia-3"), "done": f"{url}/done"}.get(path, path)
    page = shop.browser.see(path)
    names = [tag for tag, _ in page.tags]
    assert (names.count("title"), names.count("h1"), names.count("main")) == (1, 1, 1)
    assert page.tags[0] == ("html", {"lang": "en-GB"})
    assert "script" not in names
    assert not [known for _, known in page.tags if set(known) & {"style", "onclick", "src"}]
    assert [known["href"] for tag, known in page.tags if tag == "link"] == ["/style.css"]
    assert all(known["scope"] == "col" for tag, known in page.tags if tag == "th")
    assert len([known for tag, known in page.tags if tag == "input" and known["type"] == "checkbox"]) <= names.count(
        "label"
    )
    ids = [known["id"] for _, known in page.tags if "id" in known]
    assert len(ids) == len(set(ids))
    assert [known["aria-labelledby"] for _, known in page.tags if "aria-labelledby" in known] == ids


def test_the_browser_is_told_to_run_nothing(shop: Shop) -> None:
    """A strict policy on every page; the style comes as a file."""
    headers = shop.browser.http.get("/operator").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    style = shop.browser.http.get("/style.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "http" not in style.text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example.com"},
        {"host": ""},
        {"host": "evil.example.com:80", "origin": "http://evil.example.com:80"},
    ],
)
def test_another_site_reads_no_page(shop: Shop, headers: dict[str, str]) -> None:
    """A name that leads here is not this server's."""
    assert shop.browser.http.get("/operator", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["[", "[bad]:1"])
def test_a_host_that_is_none_leads_nowhere(shop: Shop, host: str) -> None:
    """A header of nonsense is answered like any other."""
    assert shop.browser.http.get("/operator", headers={"host": host}).status_code in {403, 404}


@pytest.mark.parametrize("origin", ["http://evil.example.com", "null", "http://127.0.0.1:1"])
def test_another_site_presses_no_button(shop: Shop, origin: str) -> None:
    """A form that comes from elsewhere does nothing."""
    shop.checkout()
    answer = shop.browser.http.post("/operator/approve", data={"reference": "aia-1"}, headers={"origin": origin})
    assert answer.status_code == 403
    assert shop.outcome() == "abandoned"


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "/checkout/ab", {}),
        ("GET", "/checkout/no-such-code", {}),
        ("GET", "/phone/other", {}),
        ("POST", "/phone/other", {"reference": "aia-1"}),
        ("POST", "/phone/approve", {}),
        ("POST", "/phone", {}),
        ("POST", "/operator/move-refund", {"id": "x", "state": "processed"}),
        ("POST", "/operator/approve", {"reference": "aia-none"}),
    ],
)
def test_what_is_not_there_is_a_page_too(shop: Shop, method: str, path: str, fields: dict[str, str]) -> None:
    """It says so, with 404."""
    answer = shop.browser.http.request(method, path, data=fields)
    assert answer.status_code == 404
    assert "Not done" in Page(answer).text


@pytest.mark.parametrize("length", ["1000001", "-1", "many", "\u00b2"])
def test_a_body_of_no_proper_length_is_refused(shop: Shop, length: str) -> None:
    """Before it is read."""
    where = urlsplit(shop.server.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        head = f"POST /charge HTTP/1.1\r\nhost: {where.netloc}\r\ncontent-length: {length}\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        assert connection.recv(100).startswith(b"HTTP/1.0 413 ")


@pytest.mark.parametrize(("error", "printed"), [(ConnectionResetError, False), (RuntimeError, True)])
def test_a_client_that_went_away_is_not_reported(
    shop: Shop, error: type[Exception], printed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever else goes wrong is."""
    with FakeHttp(("127.0.0.1", 0), lambda *_: None) as http:
        try:
            raise error
        except (ConnectionResetError, RuntimeError):
            http.handle_error(None, ("127.0.0.1", 1))
    assert ("Traceback" in capsys.readouterr().err) is printed


def test_a_broken_connection_is_seen_as_one(shop: Shop) -> None:
    """An answer that never comes, over real HTTP; the payment was begun all the same."""
    shop.server.api.fail_next("lost_answer")
    with pytest.raises(Exception, match="Nothing was granted") as lost:
        shop.gateway.checkout(shop.request("aia-1"))
    assert getattr(lost.value, "may_exist", None) is True
    assert shop.outcome() == "abandoned"


def test_the_server_hides_its_key() -> None:
    """Printed by accident, it names its address only; a live key makes its payments live; unused, it stops well."""
    server = FakeGatewayServer(key="sk_live_secret")
    assert repr(server) == "FakeGatewayServer('http://127.0.0.1')"
    with server:
        gateway = FakePaystack(server.url, key=server.key)
        gateway.checkout(PaymentRequest(reference="aia-1", amount=Money("1"), email="a@example.com", description=""))
        server.desk.approve("aia-1")
        charge = gateway.fetch("aia-1")
    assert charge is not None
    assert (charge.live, gateway.live) == (True, True)
