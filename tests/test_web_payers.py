"""In the host's own routes whoever asks pays, and errors of ours are answered as by our endpoints."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.test import Client
from django.test.utils import override_settings
from fastapi import Depends, FastAPI
from flask import Flask
from flask import request as flask_request

from ai_addons.contrib import fastapi as on_fastapi
from ai_addons.contrib import flask as on_flask
from ai_addons.errors import NoPayer
from ai_addons.web import Principal, Web
from tests.web_endpoints import authorize
from tests.web_hosts import WHO, begin_django, django_host, who
from tests.web_words import say_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons import AddOns
    from ai_addons.testing.model import FakeLlm

AMA: Final = {WHO: "biz_7/u_1/"}

Asked = tuple[int, bytes, dict[str, str]]


def principal(request: Any) -> Principal | None:
    """The host's login."""
    return who(request.headers.get(WHO))


@pytest.fixture
def rich(ai_addons: AddOns, ai_llm: FakeLlm) -> AddOns:
    """A business with credits for one call."""
    ai_addons.grant("biz_7", "4", source="adjustment", ref="welcome-1")
    return ai_addons


def on_asgi(app: Any) -> Callable[[str, dict[str, str]], Asked]:
    """An ASGI application, asked as a server would ask it."""

    async def send(path: str, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://shop.example") as http:
            return await http.get(path, headers=headers)

    def ask(path: str, headers: dict[str, str]) -> Asked:
        response = asyncio.run(send(path, headers))
        return response.status_code, response.content, dict(response.headers)

    return ask


def fastapi_host(addons: AddOns) -> Callable[[str, dict[str, str]], Asked]:
    """A FastAPI host with a route of either kind."""
    app, web = FastAPI(), Web(addons, authorize=authorize)
    paid = Depends(on_fastapi.payer(principal))

    @app.get("/word/", dependencies=[paid])
    def word(word: str = "yes") -> str:
        return say_word(word)

    @app.get("/aword/", dependencies=[paid])
    async def aword(word: str = "yes") -> str:
        return await say_word.aio(word)

    app.include_router(on_fastapi.router(web, principal=principal), prefix="/shop")
    on_fastapi.add_errors(app, web, root="/shop/")
    return on_asgi(app)


def flask_host(addons: AddOns) -> Callable[[str, dict[str, str]], Asked]:
    """A Flask host."""
    app, web = Flask("tests"), Web(addons, authorize=authorize)

    @app.get("/word/")
    def word() -> str:
        return say_word(flask_request.args.get("word", "yes"))

    app.register_blueprint(on_flask.blueprint(web, principal=principal), url_prefix="/shop")
    on_flask.add_payer(app, principal)
    on_flask.add_errors(app, web, root="/shop/")
    client = app.test_client()

    def ask(path: str, headers: dict[str, str]) -> Asked:
        response = client.get(path, headers=headers)
        return response.status_code, response.data, {name.lower(): value for name, value in response.headers.items()}

    return ask


def django_wsgi_host(_addons: AddOns) -> Callable[[str, dict[str, str]], Asked]:
    """A Django host behind WSGI."""
    client = Client(raise_request_exception=False)

    def ask(path: str, headers: dict[str, str]) -> Asked:
        response: Any = client.get(path, headers=headers)
        return response.status_code, response.content, {name.lower(): value for name, value in response.headers.items()}

    return ask


def django_asgi_host(_addons: AddOns) -> Callable[[str, dict[str, str]], Asked]:
    """The same behind ASGI."""
    over_http = on_asgi(get_asgi_application())

    def ask(path: str, headers: dict[str, str]) -> Asked:
        told = over_http(path, headers)
        with warnings.catch_warnings():
            # Django never closes a database in memory, and that of a view's thread goes with it.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        return told

    return ask


@pytest.fixture
def django_settings(rich: AddOns) -> Iterator[None]:
    """The Django host with this test's books."""
    begin_django()
    with override_settings(AI_ADDONS=django_host(rich, "tests.web_hosts.django_principal")):
        yield


HOSTS: Final = {
    "fastapi": (fastapi_host, "/word/"),
    "fastapi_async": (fastapi_host, "/aword/"),
    "flask": (flask_host, "/word/"),
    "django_wsgi": (django_wsgi_host, "/word/"),
    "django_asgi": (django_asgi_host, "/word/"),
    "django_asgi_async": (django_asgi_host, "/aword/"),
    "django_rest": (django_wsgi_host, "/rest/"),
}
ANSWERS_402: Final = ("fastapi", "fastapi_async", "flask", "django_rest")


@pytest.mark.parametrize("host", HOSTS)
def test_whoever_asks_pays(rich: AddOns, ai_llm: FakeLlm, django_settings: None, host: str) -> None:
    """The call is billed to the business and the user of the host's login, and to nobody afterwards."""
    make, path = HOSTS[host]
    ai_llm.reply("host_word", "fine")

    status, body, _ = make(rich)(path, AMA)

    assert (status, b"fine" in body) == (200, True)
    assert rich.wallet("biz_7").available.short == "1"
    (booked,) = rich.transactions("biz_7")
    assert (booked.feature, booked.user) == ("host_word", "u_1")
    with pytest.raises(NoPayer):
        say_word("again")


@pytest.mark.parametrize("host", ANSWERS_402)
def test_too_few_credits_are_answered_with_what_to_buy(
    rich: AddOns, ai_llm: FakeLlm, django_settings: None, host: str
) -> None:
    """A 402 of our own form, with links to where our endpoints are."""
    make, path = HOSTS[host]
    ask = make(rich)
    ai_llm.reply("host_word", "fine")
    ask(path, AMA)

    status, body, headers = ask(f"{path}?word=more", AMA)

    assert (status, headers["content-type"]) == (402, "application/problem+json")
    assert b'"code": "insufficient_credits"' in body
    assert b'"packs_url": "/shop/ai/pricing/"' in body


def test_a_route_that_needs_a_payer_refuses_nobody(rich: AddOns, ai_llm: FakeLlm) -> None:
    """FastAPI's dependency says so before the route runs."""
    status, body, _ = fastapi_host(rich)("/word/", {})

    assert status == 401
    assert b'"code": "unauthenticated"' in body


def test_a_route_that_needs_a_payer_refuses_who_acts_for_no_business(rich: AddOns, ai_llm: FakeLlm) -> None:
    """An operator is known, and may not."""
    status, body, _ = fastapi_host(rich)("/word/", {WHO: "/op_1/operator"})

    assert status == 403
    assert b'"code": "forbidden"' in body


def test_a_host_is_told_of_calls_that_nobody_pays(
    rich: AddOns, ai_llm: FakeLlm, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of the host's: whoever runs it reads it in the log."""
    status, _, _ = flask_host(rich)("/word/", {})

    assert status == 503
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Nobody is known to pay for 'host_word'" in caplog.text


@pytest.mark.parametrize("host", ["django_wsgi", "django_asgi", "django_asgi_async"])
def test_django_says_in_headers_what_a_request_cost(
    rich: AddOns, ai_llm: FakeLlm, django_settings: None, host: str
) -> None:
    """Where AI calls were made, and only there."""
    make, path = HOSTS[host]
    ask = make(rich)
    ai_llm.reply("host_word", "fine")

    _, _, headers = ask(path, AMA)
    _, _, without = ask("/shop/ai/credits/", AMA)

    assert (headers["ai-credits-charged"], headers["ai-credits-available"]) == ("3", "1")
    assert "ai-credits-charged" not in without


def test_the_headers_can_be_left_out(rich: AddOns, ai_llm: FakeLlm, django_settings: None) -> None:
    """A host may not want to tell its browsers."""
    ai_llm.reply("host_word", "fine")
    quiet = {**django_host(rich, "tests.web_hosts.django_principal"), "CREDIT_HEADERS": False}
    with override_settings(AI_ADDONS=quiet):
        _, _, headers = django_wsgi_host(rich)("/word/", AMA)

    assert "ai-credits-charged" not in headers


@pytest.mark.parametrize(
    ("said", "expected"), [("biz_7/u_1/", 200), (None, 403), ("expired", 403), ("biz_8/u_1/clerk", 403)]
)
def test_views_of_django_rest_ask_the_host_who_may(
    rich: AddOns, django_settings: None, said: str | None, expected: int
) -> None:
    """By the same hook as our endpoints do."""
    own = {**django_host(rich, "tests.web_hosts.django_principal"), "AUTHORIZE": not_clerks}
    with override_settings(AI_ADDONS=own):
        status, _, _ = django_wsgi_host(rich)("/rest/buy/", {} if said is None else {WHO: said})

    assert status == expected


def not_clerks(principal: Principal, _action: object) -> bool:
    """What a host may say."""
    return "clerk" not in principal.roles


def test_other_errors_of_django_rest_stay_its_own(rich: AddOns, django_settings: None) -> None:
    """The handler answers ours alone."""
    response: Any = Client().post("/rest/buy/", headers=AMA)

    assert response.status_code == 405
    assert response.json() == {"detail": 'Method "POST" not allowed.'}


def test_a_refusal_of_the_login_means_nobody_pays(rich: AddOns, ai_llm: FakeLlm) -> None:
    """Flask's views go on; whether they may is for them to say."""
    status, _, _ = flask_host(rich)("/word/", {WHO: "forged"})

    assert status == 503  # NoPayer: the view made a call for nobody
