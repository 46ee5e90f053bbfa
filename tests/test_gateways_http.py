"""What the gateways' clients share: keys, attempts, what a failure means, and that nothing secret is shown."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.billing.gateways.base import (
    AuditableGateway,
    CardGateway,
    Gateway,
    PhoneGateway,
    SavedCard,
)
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.billing.gateways.paystack import Paystack
from ai_addons.billing.gateways.stripe import Stripe
from ai_addons.errors import ConfigError, GatewayError
from ai_addons.money import Money
from ai_addons.plugins import load
from ai_addons.settings import GatewaySettings, Settings
from ai_addons.testing import ManualClock
from tests.gateways import (
    KEY,
    NOW,
    OLD_KEY,
    REFERENCE,
    SIGNING,
    STRIPE_KEY,
    Wire,
    ok,
    paystack,
    request,
    session,
    stripe,
    transaction,
)

if TYPE_CHECKING:
    from collections.abc import Callable

UNSENT = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.InvalidURL("x")]
SENT = [httpx.ReadTimeout("x"), httpx.WriteError("x"), httpx.RemoteProtocolError("x"), httpx.DecodingError("x")]


@pytest.mark.parametrize(("name", "kind"), [("paystack", Paystack), ("stripe", Stripe)])
def test_a_gateway_is_found_by_its_name(name: str, kind: type[Any]) -> None:
    """The built-in ones come in by the door that any other would."""
    assert load("gateways", name) is kind


def test_each_client_keeps_to_the_ports_it_can_serve() -> None:
    """Type checkers compare the signatures; Stripe has neither telephones nor saved cards."""
    one: Gateway = paystack()[0]
    other: Gateway = stripe()[0]
    ports = (PhoneGateway, CardGateway, AuditableGateway)
    assert [isinstance(one, port) for port in ports] == [True, True, True]
    assert [isinstance(other, port) for port in ports] == [False, False, True]


def test_the_list_of_trusted_certificates_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the network, at the first request; the connections are made anew each time."""
    made: list[object] = []
    read = httpx.create_ssl_context

    def counted() -> Any:
        made.append(read())
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", counted)
    with FakeGatewayServer() as server:
        gateway = FakePaystack(server.url)
        assert made == []
        for number in range(3):
            gateway.checkout(replace(request(), reference=f"ref-{number}"))
        assert [one.reference for one in server.desk.payments.all()] == ["ref-0", "ref-1", "ref-2"]
    assert len(made) == 1


@pytest.mark.parametrize(
    ("kind", "variable", "key", "live"),
    [
        (Paystack, "PAYSTACK_SECRET_KEY", "sk_test_12345678", False),
        (Paystack, "PAYSTACK_SECRET_KEY", " sk_live_12345678\n", True),
        (Stripe, "STRIPE_SECRET_KEY", "sk_test_12345678", False),
        (Stripe, "STRIPE_SECRET_KEY", "rk_live_12345678", True),
    ],
)
def test_a_key_comes_from_the_environment_and_tells_the_mode(
    kind: type[Any], variable: str, key: str, live: bool
) -> None:
    """The usual variable serves where the settings have none; how the key begins says whether money moves."""
    assert kind(GatewaySettings(), environ={variable: key}).live is live


@pytest.mark.parametrize("kind", [Paystack, Stripe])
@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ((), "There is no key for "),
        (("pk_test_12345678",), "A key is not a secret key for "),
        (("sk_test_12345678", "nonsense"), "A key is not a secret key for "),
        (("sk_test_12345678", "sk_live_12345678"), "are for test and for live payments"),
        (("sk_test_1234\n5678",), "is not well formed"),
        (("sk_test_1234 5678",), "is not well formed"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_at_once_and_not_shown(
    kind: type[Any], keys: tuple[str, ...], told: str
) -> None:
    """A missing, public or mixed key is found when the host starts, not when a shop pays."""
    with pytest.raises(ConfigError, match=told) as caught:
        kind(GatewaySettings.model_validate({"keys": keys}), environ={})
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://api.example", "ftp://x", "https://", "//x", "http://[::1", "nonsense"])
def test_an_address_where_the_key_could_be_read_is_refused(address: str) -> None:
    """Only https, but for this machine itself."""
    with pytest.raises(ConfigError, match=r"Correct `gateways\.paystack\.base_url`"):
        paystack(base_url=address)


def test_a_server_on_this_machine_may_stand_in_for_the_gateway() -> None:
    """Tests and demos set the address; a slash at its end does not double."""
    gateway, wire = paystack(ok(transaction()), base_url="http://127.0.0.1:8123/")
    gateway.fetch(REFERENCE)
    assert str(wire.requests[0].url) == f"http://127.0.0.1:8123/transaction/verify/{REFERENCE}"


def test_every_request_carries_the_first_key_and_a_time_limit() -> None:
    """The bearer token is the newest key; ten seconds for each step unless set otherwise."""
    gateway, wire = paystack(ok(transaction()))
    gateway.fetch(REFERENCE)
    sent = wire.requests[0]
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["user-agent"] == "ai-addons"
    assert sent.extensions["timeout"] == {"connect": 10.0, "read": 10.0, "write": 10.0, "pool": 10.0}

    gateway, wire = paystack(ok(transaction()), timeout=timedelta(seconds=3))
    gateway.fetch(REFERENCE)
    assert wire.requests[0].extensions["timeout"]["read"] == 3.0


@pytest.mark.parametrize("first", [(429, b""), (502, b"<html>"), (503, {}), (504, {}), *UNSENT, *SENT], ids=str)
def test_a_read_is_tried_again_until_it_is_answered(first: Any) -> None:
    """A busy gateway and a broken line are asked again, twice at most, a little later each time."""
    clock = ManualClock(NOW)
    gateway, wire = paystack(first, first, ok(transaction()), clock=clock)
    found = gateway.fetch(REFERENCE)
    assert found is not None
    assert found.amount_minor == 3000
    assert clock.slept == [0.25, 0.5]
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("failure", "status", "reason", "told"),
    [
        ((503, {}), 503, "", "Paystack answered 503."),
        (httpx.ReadTimeout("x"), None, "no_answer", "Paystack: no answer in time."),
        (httpx.ConnectError("x"), None, "no_answer", "Paystack: it could not be reached."),
        (httpx.ReadError("x"), None, "no_answer", "Paystack: the connection broke."),
    ],
    ids=str,
)
def test_a_read_gives_up_after_three_attempts(failure: Any, status: int | None, reason: str, told: str) -> None:
    """The error says what happened; a read never leaves anything behind."""
    gateway, wire = paystack(failure, failure, failure)
    with pytest.raises(GatewayError) as caught:
        gateway.fetch(REFERENCE)
    assert (caught.value.status, caught.value.reason, caught.value.may_exist) == (status, reason, False)
    assert str(caught.value) == f"{told} Nothing was granted. Look at the order before you pay again."
    assert len(wire.requests) == 3


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422, 500])
def test_a_read_that_will_not_come_right_is_not_repeated(status: int) -> None:
    """A refusal, a redirect and a fault of the gateway are told at once."""
    gateway, wire = paystack((status, {"status": False, "message": "No", "code": "x"}))
    with pytest.raises(GatewayError) as caught:
        gateway.fetch(REFERENCE)
    assert (caught.value.status, caught.value.reason) == (status, "x")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("asked", "slept"), [("1", [1.0]), ("3", [3.0]), ("4", []), ("nonsense", [0.25])])
def test_a_gateway_that_asks_for_time_gets_up_to_three_seconds(asked: str, slept: list[float]) -> None:
    """A longer wait is for whoever called: it would hold up a page."""
    clock = ManualClock(NOW)
    busy = httpx.Response(429, headers={"retry-after": asked}, content=b"{}")
    gateway, _ = paystack(busy, ok(transaction()), clock=clock)
    if slept:
        gateway.fetch(REFERENCE)
    else:
        with pytest.raises(GatewayError, match="answered 429"):
            gateway.fetch(REFERENCE)
    assert clock.slept == slept


@pytest.mark.parametrize(
    ("failure", "may_exist"),
    [
        *((error, False) for error in UNSENT),
        *((error, True) for error in SENT),
        ((429, {}), False),
        ((400, {}), False),
        ((401, {}), False),
        ((408, {}), True),
        ((302, {}), True),
        ((500, {}), True),
        ((503, b"<html>busy</html>"), True),
        ((200, b"<html>ok</html>"), True),
        ((200, {"status": False, "message": "No"}), True),
        ((200, {"status": "true", "data": {}}), True),
        ((200, {"status": True, "data": []}), True),
        ((200, []), True),
    ],
    ids=str,
)
def test_a_write_is_sent_once_and_says_whether_it_may_have_arrived(failure: Any, may_exist: bool) -> None:
    """Nothing that might charge a payer twice is repeated; who lost the answer asks before another attempt."""
    clock = ManualClock(NOW)
    gateway, wire = paystack(failure, clock=clock)
    with pytest.raises(GatewayError) as caught:
        gateway.checkout(request())
    assert caught.value.may_exist is may_exist
    assert len(wire.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    ("reference", "told"),
    [("", "a reference"), ("a_b", "a reference"), ("a b", "a reference"), ("é", "a reference"), ("x" * 101, "a ref")],
)
@pytest.mark.parametrize("make", [paystack, stripe])
def test_a_reference_that_gateways_do_not_take_is_not_sent(make: Any, reference: str, told: str) -> None:
    """Letters, digits, hyphen, full stop and equals sign only; such an attempt does not exist either."""
    gateway, wire = make()
    with pytest.raises(ValueError, match=told):
        gateway.checkout(request(reference=reference))
    assert gateway.fetch(reference) is None
    assert gateway.refunds(reference) == gateway.disputes(reference) == ()
    assert wire.requests == []


@pytest.mark.parametrize("make", [paystack, stripe])
@pytest.mark.parametrize("amount", ["0", "-1"])
def test_nothing_and_less_is_not_collected(make: Any, amount: str) -> None:
    """An amount is above zero."""
    gateway, wire = make()
    with pytest.raises(ValueError, match="more than nothing"):
        gateway.checkout(request(amount=Money(amount)))
    assert wire.requests == []


FAILURES = [(401, {"status": False, "message": f"Invalid key {KEY}", "code": KEY}), httpx.ConnectError(KEY)]


@pytest.mark.parametrize("failure", FAILURES, ids=["echoed", "unreachable"])
def test_no_secret_is_in_an_error_a_log_or_a_variable_of_its_frames(
    failure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Crash reporters print messages, chains and the variables of every frame; the host's own frame is here too."""
    caplog.set_level(logging.DEBUG)
    gateway, wire = paystack(failure, failure, failure)
    card = SavedCard(code="AUTH_8dfhjjdt", email="shop@example.com", brand="visa", last4="4081", expires="12/2030")
    calls: list[Callable[[], object]] = [
        lambda: gateway.charge_card(request(), card),
        lambda: gateway.fetch(REFERENCE),
    ]
    for call in calls:
        with pytest.raises(GatewayError) as caught:
            call()
        error = caught.value
        assert error.__cause__ is error.__context__ is None
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        kept = [dict(frame.f_locals) for frame in frames if frame.f_code.co_filename != __file__]
        assert kept
        shown = f"{error} {error.reason} {kept} {caplog.text}"
        assert [secret for secret in (KEY, OLD_KEY, "AUTH_8dfhjjdt") if secret in shown] == []
        wire.planned = [failure, failure, failure]


def test_a_key_of_letters_that_is_sent_back_is_not_told() -> None:
    """What looks like a code is taken for one, but for the key itself."""
    key = "sk_test_abcdefgh"
    gateway, _ = paystack((400, {"status": False, "code": key}), keys=(key,))
    with pytest.raises(GatewayError) as caught:
        gateway.checkout(request())
    assert (caught.value.reason, key in str(caught.value)) == ("", False)


def test_no_secret_is_in_a_repr() -> None:
    """Neither clients and settings nor what comes back show a key, a card's code or a payer's address."""
    settings = Settings(gateways={"paystack": {"keys": [KEY]}, "stripe": {"webhook_secrets": [SIGNING]}})
    one, wire = paystack(ok(transaction()))
    other, _ = stripe((200, session()))
    charge = one.fetch(REFERENCE)
    shown = repr((settings, one, vars(one), other, vars(other), charge, request())) + settings.model_dump_json()
    for secret in (KEY, STRIPE_KEY, SIGNING, "shop@example.com", "AUTH_8dfhjjdt"):
        assert secret not in shown
    assert KEY not in repr(wire.requests[0].headers)


def test_settings_of_gateways_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyed by the gateway's name, like those of providers."""
    monkeypatch.setenv("AI_ADDONS_GATEWAYS__PAYSTACK__KEYS", f'["{KEY}"]')
    monkeypatch.setenv("AI_ADDONS_GATEWAYS__STRIPE__CURRENCY", "EUR")
    gateways = Settings().gateways
    assert [key.get_secret_value() for key in gateways["paystack"].keys] == [KEY]
    assert gateways["stripe"].currency == "EUR"


def test_a_currency_is_an_iso_code() -> None:
    """A slip in the settings is found at once."""
    with pytest.raises(ConfigError, match=r"gateways\.paystack\.currency"):
        Settings(gateways={"paystack": {"currency": "cedis"}})


def test_a_wire_without_plans_left_is_noticed() -> None:
    """The double does not make answers up."""
    with pytest.raises(IndexError):
        Wire().handle_request(httpx.Request("GET", "https://x.example"))
