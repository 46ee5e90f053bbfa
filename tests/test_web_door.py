"""The door of all endpoints: who may, what is read, what an error says, how often one may ask."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from ai_addons.billing.throttle import Throttle
from ai_addons.catalog import Offer
from ai_addons.errors import (
    AddOnsError,
    ConfigError,
    GatewayError,
    InsufficientCreditsError,
    ProviderTimeout,
    StoreUnavailable,
    UnknownFeature,
)
from ai_addons.events import OperatorAlert
from ai_addons.money import Credits, Money
from ai_addons.web import CsrfFailed, Principal, Web, WebRequest
from ai_addons.web.base import Body, Endpoint
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.endpoints.paying import WayBody
from ai_addons.web.endpoints.purchases import OtpBody
from ai_addons.web.pages.forms import Otp, Way
from tests.web import OTHER, OWNER, Shop, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.web.base import Context


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop with the usual settings."""
    with closing(Shop()) as made:
        yield made


def failing(error: Exception, *, action: Any = "credits:read") -> Endpoint:
    """An endpoint that fails."""

    def fail(_context: Context) -> NoReturn:
        raise error

    return Endpoint(method="GET", path="ai/fails/", name="fails", summary="Fails.", handle=fail, action=action)


def answer_to(error: Exception, **web: Any) -> Any:
    """What a client is told of an error, and what else was told."""
    with closing(Shop(web=web, endpoints=[failing(error)])) as made:
        return made.get("ai/fails/", root="/shop/"), made.events


def test_every_endpoint_has_a_name_of_its_own() -> None:
    """The name is what requests are counted under, and an id of the OpenAPI document."""
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert sorted(names) == sorted(set(names))
    assert all(name.isidentifier() for name in names)


# Who may.


def test_without_a_hook_of_the_host_everything_is_refused() -> None:
    """No ``authorize``, no rights: the safe default."""
    with closing(Shop(authorize=None)) as shop:
        assert shop.get("ai/credits/").code == "forbidden"
        assert shop.get("ai/credits/", who=None).code == "unauthenticated"


def test_somebody_who_acts_for_no_business_has_no_credits(shop: Shop) -> None:
    """An operator without a business is refused a tenant's endpoint, whatever ``authorize`` says."""
    told = shop.get("ai/credits/", who=Principal(business_id="", user_id="boss"))
    assert (told.status, told.code) == (403, "forbidden")


def test_an_operators_endpoint_needs_no_business() -> None:
    """Whoever acts for none may still do what is for operators."""
    endpoint = failing(AddOnsError("reached"), action="admin:read")
    with closing(Shop(authorize=lambda _principal, _action: True, endpoints=[endpoint])) as shop:
        assert shop.get("ai/fails/", who=Principal(business_id="")).body["detail"] == "reached"


@pytest.mark.parametrize("yes", [1, "yes", object()])
def test_only_true_is_a_yes(yes: Any) -> None:
    """A hook that forgot to await something returns a thing that is no answer."""
    with closing(Shop(authorize=lambda _principal, _action: yes)) as shop:
        assert shop.get("ai/credits/").code == "forbidden"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "ai/nothing/", 404, None),
        ("GET", "ai/credits", 404, None),
        ("GET", "ai/purchases/a/b/c/", 404, None),
        ("POST", "ai/credits/", 405, "GET, HEAD"),
        ("GET", "ai/purchase/", 405, "POST"),
        ("OPTIONS", "ai/purchase/", 405, "POST"),
        ("DELETE", "ai/purchases/x/", 405, "GET, HEAD"),
    ],
)
def test_addresses_and_methods(shop: Shop, method: str, path: str, status: int, allow: str | None) -> None:
    """Unknown ones are 404; known ones with another method 405, with what they take."""
    told = shop.ask(method, path)
    assert (told.status, told.headers.get("allow")) == (status, allow)
    assert told.code == {404: "not_found", 405: "method_not_allowed"}[status]


@pytest.mark.parametrize("name", ["%00", "x" * 256, "", "%ff%00"])
def test_a_name_that_no_database_holds_is_not_there(shop: Shop, name: str) -> None:
    """It never reaches the books."""
    assert shop.get(f"ai/purchases/{name}/").code == "not_found"


def test_a_head_is_a_get_without_its_body(shop: Shop) -> None:
    """Same status, same headers, nothing to read; an error likewise."""
    told = shop.ask("HEAD", "ai/credits/")
    assert (told.status, told.raw, told.headers["cache-control"]) == (200, b"", "no-store")
    assert shop.ask("HEAD", "ai/credits/", who=None).raw == b""
    assert shop.ask("HEAD", "ai/credits/", who=None).status == 401


# What is read.


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "json_invalid"),
        (b"\xff\xfe", "json_invalid"),
        (b"[]", "model_type"),
        (b"null", "model_type"),
        (b"[" * 60_000, "json_invalid"),
        (b'{"reference": "\\ud800"}', "json_invalid"),
        (b"{}", "missing"),
        (b'{"reference": 5}', "string_type"),
        (b'{"reference": "a b"}', "string_pattern_mismatch"),
        (b'{"reference": ""}', "string_too_short"),
    ],
)
def test_a_body_that_does_not_fit_is_told_where(shop: Shop, body: bytes, kind: str) -> None:
    """One kind of answer for all of it, 422, which repeats nothing that was sent."""
    told = shop.post("ai/verify-payment/", body)
    assert (told.status, told.code) == (422, "validation_error")
    assert told.body["errors"][0]["type"] == kind
    assert told.body["errors"][0]["loc"][0] == "body"


def test_unknown_fields_are_refused_without_their_names(shop: Shop) -> None:
    """A name may be somebody's number."""
    told = shop.post("ai/verify-payment/", {"reference": "aia-1", "0244123456": True})
    assert told.body["errors"] == [
        {"type": "extra_forbidden", "loc": ["body"], "msg": "Extra inputs are not permitted"}
    ]
    assert b"0244123456" not in told.raw


@pytest.mark.parametrize("value", ["false", 0, None, "yes"])
def test_booleans_are_strict(shop: Shop, value: Any) -> None:
    """The text ``false`` is not true, and not false either."""
    told = shop.post("ai/addon/cancel/", {"immediate": value})
    assert (told.code, told.body["errors"][0]["loc"]) == ("validation_error", ["body", "immediate"])


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 404),
        ("application/json; charset=utf-8", 404),
        ("APPLICATION/JSON", 404),
        ("application/vnd.pos+json", 404),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
        ("image/svg+json", 415),
    ],
)
def test_only_json_is_read(shop: Shop, content_type: str, status: int) -> None:
    """A form of another site never gets as far as an order."""
    told = shop.post("ai/verify-payment/", {"reference": "aia-1"}, headers={"content-type": content_type})
    assert told.status == status


def test_no_body_is_an_empty_one_of_any_type(shop: Shop) -> None:
    """Nothing was sent, so nothing is said of what it is."""
    assert shop.post("ai/trial/", b"", headers={"content-type": ""}).status == 200


def test_a_large_body_is_not_read() -> None:
    """One byte over the setting is 413; a webhook has a size of its own."""
    with closing(Shop(web={"max_body": 40, "max_webhook_body": 50})) as shop:
        reference = {"reference": "a" * 23}
        assert len(json.dumps(reference)) == 40
        assert shop.post("ai/verify-payment/", reference).status == 404
        told = shop.post("ai/verify-payment/", {"reference": "a" * 24})
        assert (told.status, told.code) == (413, "payload_too_large")
        assert shop.post("ai/webhooks/fake/", b"x" * 50, who=None).status == 401
        assert shop.post("ai/webhooks/fake/", b"x" * 51, who=None).status == 413


@pytest.mark.parametrize("key", ["", "k" * 256, "a\0b"])
def test_a_key_that_is_no_name_is_refused(shop: Shop, key: str) -> None:
    """1 to 255 characters."""
    told = shop.post("ai/trial/", headers={"idempotency-key": key})
    assert (told.status, told.body["errors"][0]["loc"]) == (422, ["header", "idempotency-key"])


def test_what_a_payer_typed_and_who_is_signed_in_shows_in_no_repr() -> None:
    """A trace that keeps values, as error reports do, holds neither logins nor numbers nor codes."""
    secret = "0244123456"
    login = {"cookie": secret, "authorization": secret}
    shown: list[object] = [
        WebRequest(method="POST", path="ai/", headers=login, body=secret.encode(), csrf_token=secret),
        WayBody(phone=secret, network="mtn", email=f"{secret}@shop.example"),
        OtpBody(otp=secret),
        Way(way="phone", phone=secret, email=f"{secret}@shop.example", csrfmiddlewaretoken=secret),
        Otp(otp=secret),
    ]
    assert [one for one in map(repr, shown) if secret in one] == []


# What an error says.


def test_too_few_credits_say_what_to_buy() -> None:
    """402 with what is missing, the packs that would do, the one to point to, and where they are listed."""
    offers = (
        Offer("STARTER", Money(30), Credits(30)),
        Offer("VALUE", Money(80), Credits(100), recommended=True),
    )
    told, _ = answer_to(InsufficientCreditsError(required=Credits(3), available=Credits("0.000001"), offers=offers))
    assert (told.status, told.content_type) == (402, "application/problem+json")
    assert told.body == {
        "type": "urn:ai-addons:problem:insufficient_credits",
        "title": "Insufficient credits",
        "status": 402,
        "code": "insufficient_credits",
        "detail": "This costs 3 credits and 0.000001 are available: 2.999999 are missing. Nothing was charged and the "
        "model was not asked. Buy credits to go on: STARTER (30 credits, GHS 30.00), VALUE (100 credits, GHS 80.00).",
        "required": "3.00",
        "available": "0.000001",
        "shortfall": "2.999999",
        "offers": [
            {"type": "STARTER", "price": "30.00", "credits": "30.00"},
            {"type": "VALUE", "price": "80.00", "credits": "100.00"},
        ],
        "recommended": "VALUE",
        "packs_url": "/shop/ai/pricing/",
    }


@pytest.mark.parametrize(("offers", "wanted"), [((), None), ((Offer("PRO", Money(180), Credits(250)),), "PRO")])
def test_what_is_recommended_is_enough(offers: tuple[Offer, ...], wanted: str | None) -> None:
    """Where the recommended pack is too small, the cheapest that is enough; nothing where nothing is sold."""
    told, _ = answer_to(InsufficientCreditsError(required=Credits(200), available=Credits(0), offers=offers))
    assert told.body["recommended"] == wanted


SECRET = "Paystack said: 0244123456 of Ama has no money, key sk_live_1"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (GatewayError(SECRET), 502, "gateway"),
        (ProviderTimeout(SECRET), 504, "provider_timeout"),
        (StoreUnavailable(SECRET), 503, "store_unavailable"),
        (ConfigError(SECRET), 503, "not_available"),
        (ValueError(SECRET), 500, "unexpected"),
        (KeyError(SECRET), 500, "unexpected"),
    ],
)
def test_what_others_say_never_reaches_a_client(error: Exception, status: int, code: str) -> None:
    """Neither a provider's words nor a gateway's, a database's or a programming error's."""
    told, _ = answer_to(error)
    assert (told.status, told.code) == (status, code)
    assert b"Ama" not in told.raw
    assert b"sk_live_1" not in told.raw


def test_an_unknown_feature_is_not_there() -> None:
    """A configuration error that the client can mend: it named the feature."""
    told, events = answer_to(UnknownFeature())
    assert (told.status, told.code, events) == (404, "unknown_feature", [])


def test_a_host_hears_what_a_client_does_not(caplog: pytest.LogCaptureFixture) -> None:
    """What is not configured is logged with its words, and told by an alert that names the endpoint alone."""
    with caplog.at_level(logging.ERROR, logger="ai_addons"):
        _, events = answer_to(ConfigError("Set gateways.paystack."))
    assert events == [OperatorAlert(code="web_not_configured", detail="fails")]
    assert "Set gateways.paystack." in caplog.text


def test_what_nobody_foresaw_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    """And the client gets our own 500, the same in every framework."""
    with caplog.at_level(logging.ERROR, logger="ai_addons"):
        told, events = answer_to(RuntimeError("boom"))
    assert told.body["detail"].startswith("Something went wrong here, and the operator has been told.")
    assert events == [OperatorAlert(code="web_failed", detail="fails")]
    assert "RuntimeError: boom" in caplog.text


def test_an_adapter_may_ask_for_the_answer_to_an_error_of_its_own(shop: Shop) -> None:
    """The host's login fails before the door; its answer looks like all others, even for an address that is none."""
    request = WebRequest(method="POST", path="nowhere/")
    assert read(shop.web.problem(CsrfFailed(), request)).body["code"] == "csrf_failed"
    assert read(shop.web.problem(ConfigError("x"), request)).body["code"] == "not_available"
    assert shop.events == [OperatorAlert(code="web_not_configured", detail="none")]


# The first plan's form.


def test_in_the_old_form_amounts_are_numbers() -> None:
    """The same keys; dates stay text."""
    with closing(Shop("hybrid", web={"compat": True})) as shop:
        shop.addons.subscriptions.subscribe("biz_7", paid=True)
        shop.addons.billing.charge_credits("biz_7", "u_1", "product_description", None)
        told = shop.get("ai/credits/").body
        assert (told["balance"], told["held"], told["total_used"]) == (104.9, 0.0, 0.1)
        assert told["monthly_addon_details"]["next_renewal"] == "2026-10-21T14:13:20Z"
        assert told["grants"][0]["amount"] == 5.0
        assert "total_cost_ghs" not in shop.get("ai/usage-stats/").body


def test_in_the_old_form_errors_and_statuses_are_the_first_plans() -> None:
    """``error`` holds the message, a bad pack is 400, a purchase 200, other bad input stays 422."""
    with closing(Shop(web={"compat": True})) as shop:
        bad = shop.buy("NONE")
        assert (bad.status, bad.content_type) == (400, "application/json")
        assert bad.body["error"] == "This pack is not to be had. Nothing was charged. Look at the price list."
        made = shop.buy("VALUE")
        assert (made.status, made.body["pack_details"]["price"]) == (200, 80.0)
        assert shop.get("ai/usage-stats/", query={"days": "0"}).status == 422
        assert shop.get("ai/credits/", who=None).body == {
            "error": "Nobody is signed in. Nothing was charged. Sign in and try again.",
            "code": "unauthenticated",
        }


def test_in_the_old_form_too_few_credits_are_numbers() -> None:
    """The amounts of a 402 too, within the offers as well."""
    offers = (Offer("STARTER", Money(30), Credits(30)),)
    told, _ = answer_to(InsufficientCreditsError(required=Credits(3), available=Credits(1), offers=offers), compat=True)
    assert (told.status, told.body["required"], told.body["shortfall"]) == (402, 3.0, 2.0)
    assert told.body["offers"] == [{"type": "STARTER", "price": 30.0, "credits": 30.0}]


# How often.


def test_too_many_requests_of_a_user_must_wait() -> None:
    """The third of two a minute; another user and another endpoint go on, and so does everybody in the next minute."""
    with closing(Shop(web={"user_requests": 2, "business_requests": 100})) as shop:
        body = {"reference": "aia-1"}
        assert [shop.post("ai/verify-payment/", body).status for _ in range(3)] == [404, 404, 429]
        told = shop.post("ai/verify-payment/", body)
        # The test's clock stands at 20 seconds past a full minute.
        assert (told.code, told.headers["retry-after"]) == ("too_many_requests", "40")
        colleague = Principal(business_id="biz_7", user_id="u_2")
        assert shop.post("ai/verify-payment/", body, who=colleague).status == 404
        assert shop.post("ai/trial/").status == 200
        assert shop.get("ai/credits/").status == 200
        shop.clock.advance(40)
        assert shop.post("ai/verify-payment/", body).status == 404


def test_too_many_requests_of_a_business_must_wait_whoever_asks() -> None:
    """Users without a name count for the business; another business is not touched."""
    with closing(Shop(web={"user_requests": 0, "business_requests": 2})) as shop:
        body = {"reference": "aia-1"}
        nameless = Principal(business_id="biz_7")
        found = [shop.post("ai/verify-payment/", body, who=who).status for who in (OWNER, nameless, OWNER)]
        assert found == [404, 404, 429]
        assert shop.post("ai/verify-payment/", body, who=OTHER).status == 404


def test_without_limits_nothing_is_counted() -> None:
    """Zero is no limit, and no write either."""
    with closing(Shop(web={"user_requests": 0, "business_requests": 0})) as shop:
        assert {shop.post("ai/verify-payment/", {"reference": "a"}).status for _ in range(200)} == {404}
        assert shop.addons._wiring.database.read(_counted) == []


def _counted(tx: Any) -> list[Any]:
    return list(tx.connection.execute("SELECT * FROM ai_web_rates").fetchall())


def test_requests_are_counted_for_all_hosts_together(shop: Shop) -> None:
    """Two counters on one store are one, and what must wait is not counted further."""
    books = shop.addons._wiring.books
    first, second = (Throttle(books, window=60_000_000, user=3, business=0) for _ in range(2))
    waits = [one.count("biz_7", "u_1", "purchase") for one in (first, second, first, second, first)]
    assert waits == [0, 0, 0, 40_000_000, 40_000_000]
    (row,) = shop.addons._wiring.database.read(_counted)
    assert tuple(row)[-1] == 3


def test_a_host_whose_clock_is_behind_counts_on_in_the_newer_window(shop: Shop) -> None:
    """A window that was begun stays begun."""
    throttle = Throttle(shop.addons._wiring.books, window=60_000_000, user=1, business=0)
    shop.clock.advance(60)
    assert throttle.count("biz_7", "u_1", "purchase") == 0
    shop.clock.advance(-60)
    assert throttle.count("biz_7", "u_1", "purchase") == 100_000_000


def test_what_was_counted_is_forgotten_after_a_month(shop: Shop) -> None:
    """It names users who may be gone; the sweep takes it, and leaves the windows of now."""
    shop.post("ai/trial/")
    shop.clock.advance(30 * 86_400 + 60)
    shop.buy("VALUE")
    shop.addons.sweep()
    assert {row[0] for row in shop.addons._wiring.database.read(_actions)} == {"purchase"}


def _actions(tx: Any) -> list[Any]:
    return list(tx.connection.execute("SELECT action FROM ai_web_rates").fetchall())


def test_erasing_a_user_forgets_what_was_counted(shop: Shop) -> None:
    """The row of the user goes; the business's own stays until all of it is erased."""
    shop.post("ai/trial/", headers={"idempotency-key": "k1"})

    def names() -> list[str]:
        return sorted(tuple(row)[1] for row in shop.addons._wiring.database.read(_counted))

    assert names() == ["", "u_1"]
    shop.addons.erase("biz_7", user="u_1", actor="boss")
    assert names() == [""]
    shop.addons.erase("biz_7", actor="boss")
    assert names() == []


# A host's own endpoints.


def test_a_host_may_add_an_endpoint_of_its_own() -> None:
    """With a body of its own, and the whole table around it."""

    class Greeting(Body):
        name: str

    def greet(context: Context) -> Any:
        assert isinstance(context.body, Greeting)
        assert context.user == "u_1"
        msg = f"hello {len(context.endpoints)} {context.allows('admin:read')}"
        raise AddOnsError(msg)

    endpoint = Endpoint(
        method="POST", path="ai/own/", name="own", summary="Greets.", handle=greet, action="credits:read", body=Greeting
    )
    with closing(Shop(endpoints=[*ENDPOINTS, endpoint])) as shop:
        told = shop.post("ai/own/", {"name": "Ama"})
        assert told.body["detail"] == f"hello {len(ENDPOINTS) + 1} False"


def test_only_endpoints_for_somebody_have_a_business(shop: Shop) -> None:
    """An endpoint that needs nobody must not ask for one; the mistake is told, not leaked."""

    def ask(context: Context) -> Any:
        assert context.user is None
        return context.business

    endpoint = Endpoint(method="GET", path="ai/open/", name="open", summary="Open.", handle=ask, action=None)
    web = Web(shop.addons, endpoints=[endpoint])
    assert read(web.dispatch(WebRequest(method="GET", path="ai/open/"))).body["code"] == "unexpected"
