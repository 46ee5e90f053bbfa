"""Who is let in: by sessions with their check against forged requests, by login classes, and nobody without a hook."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings
from fastapi import FastAPI
from flask import Flask

from ai_addons.contrib import fastapi as on_fastapi
from ai_addons.contrib import flask as on_flask
from ai_addons.contrib import wsgi as on_wsgi
from ai_addons.contrib._origin import check_origin
from ai_addons.contrib.wsgi import wsgi
from ai_addons.errors import ConfigError
from ai_addons.web import CsrfFailed, Principal, Web
from tests.web_endpoints import ENDPOINTS
from tests.web_hosts import WHO, Ask, Told, begin_django, by_httpx, make_web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons import AddOns

JSON: Final = {"content-type": "application/json"}
WISH: Final = b'{"word": "a"}'
SELF: Final = "https://shop.example"


def business_of(_request: Any) -> str:
    """The business of whoever is signed in."""
    return "biz_7"


def principal_of(request: Any) -> Principal:
    """The same with a role."""
    return Principal(business_id="biz_7", user_id=str(request.user.pk), roles=frozenset({"operator"}))


@pytest.fixture
def django_tables() -> Iterator[None]:
    """The Django host with its tables."""
    begin_django()
    call_command("migrate", verbosity=0)
    yield
    call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def client(django_tables: None) -> Client:
    """A browser that is signed in; Django's check is on."""
    from django.contrib.auth.models import User  # noqa: PLC0415  # Django is set up only now

    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("ama"))
    return client


@pytest.fixture
def sessions(ai_addons: AddOns) -> Iterator[None]:
    """The host signs people in by sessions."""
    begin_django()
    with override_settings(AI_ADDONS=host(ai_addons, "tests.web_sessions.SESSION")):
        yield


def host(addons: AddOns, principal: str | None) -> dict[str, Any]:
    """What the Django host says."""
    return {
        "ADDONS": lambda: addons,
        "PRINCIPAL": principal,
        "AUTHORIZE": "tests.web_endpoints.authorize",
        "ENDPOINTS": "tests.web_endpoints.ENDPOINTS",
    }


def wish(client: Client, **headers: str) -> tuple[int, Any]:
    """Send a wish; what came back."""
    response: Any = client.post("/shop/ai/wish/", WISH, content_type="application/json", headers=headers)
    return response.status_code, response.json()


def test_a_session_may_read(client: Client, sessions: None) -> None:
    """A GET changes nothing and needs no token."""
    response: Any = client.get("/shop/ai/credits/")

    assert response.status_code == 200


def test_a_session_changes_things_only_with_the_token(client: Client, sessions: None) -> None:
    """Django's own check decides, by header or by form field, and its refusal is a problem of ours."""
    page: Any = client.get("/shop/ai/page/")
    token = client.cookies["csrftoken"].value

    assert b"with token" in page.content
    assert wish(client)[0] == 403
    assert wish(client)[1]["code"] == "csrf_failed"
    assert wish(client, **{"x-csrftoken": "z" * 64})[0] == 403
    assert wish(client, **{"x-csrftoken": token, "origin": "https://evil.example"})[0] == 403
    status, made = wish(client, **{"x-csrftoken": token})
    assert (status, made["business"]) == (201, "biz_7")


def test_a_form_sends_the_token_in_its_body(client: Client, sessions: None) -> None:
    """The body is read before Django looks for the field in it; what is no form is refused as such, not as forged."""
    client.get("/shop/ai/page/")
    token = client.cookies["csrftoken"].value

    response: Any = client.post("/shop/ai/wish/", {"csrfmiddlewaretoken": token, "word": "a"})
    forged: Any = client.post("/shop/ai/wish/", {"word": "a"})

    assert response.status_code != 403
    assert (forged.status_code, forged.json()["code"]) == (403, "csrf_failed")


def test_nobody_is_asked_for_a_token(django_tables: None, sessions: None) -> None:
    """Who is not signed in hears that, whatever else is wrong."""
    assert wish(Client(enforce_csrf_checks=True))[1]["code"] == "unauthenticated"


def test_a_webhook_needs_neither_login_nor_token(django_tables: None, sessions: None) -> None:
    """Its signature is all it has."""
    response: Any = Client(enforce_csrf_checks=True).post("/shop/ai/hook/", b"{}", content_type="application/json")

    assert response.status_code == 200


def test_a_hook_may_say_more_than_the_business(client: Client, ai_addons: AddOns) -> None:
    """A `Principal` with roles is taken as it is."""
    with override_settings(AI_ADDONS=host(ai_addons, "tests.web_sessions.BOSS")):
        response: Any = client.get("/shop/ai/office/")

    assert response.status_code == 200


def test_the_classes_of_django_rest_check_a_session_themselves(client: Client, ai_addons: AddOns) -> None:
    """Their own check against forged requests runs, and a refusal bears our code."""
    classes = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}
    with override_settings(AI_ADDONS=host(ai_addons, "tests.web_sessions.REST"), REST_FRAMEWORK=classes):
        refused = wish(client)
        client.get("/shop/ai/page/")
        allowed = wish(client, **{"x-csrftoken": client.cookies["csrftoken"].value})

    assert (refused[0], refused[1]["code"]) == (403, "csrf_failed")
    assert (allowed[0], allowed[1]["business"]) == (201, "biz_7")


def test_asking_who_pays_signs_nobody_out(client: Client, ai_addons: AddOns) -> None:
    """Views of the host's own see the user that Django knows, though the framework would refuse the request."""
    classes = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}
    with override_settings(AI_ADDONS=host(ai_addons, "tests.web_sessions.REST"), REST_FRAMEWORK=classes):
        response: Any = client.post("/who/", WISH, content_type="application/json")

    assert response.content == b"ama paid by biz_7"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("NotAuthenticated", "unauthenticated"),
        ("AuthenticationFailed", "unauthenticated"),
        ("PermissionDenied", "forbidden"),
        ("ParseError", "web"),
    ],
)
def test_a_refusal_of_a_login_class_keeps_its_meaning_and_loses_its_words(kind: str, expected: str) -> None:
    """Its text may hold anything."""
    begin_django()
    from rest_framework import exceptions  # noqa: PLC0415  # Django is set up only now

    from ai_addons.contrib.drf import _as_ours  # noqa: PLC0415  # as above

    error = _as_ours(getattr(exceptions, kind)("token abc of Ama"))

    assert error.code == expected
    assert "Ama" not in str(error)


def test_a_breakdown_of_a_login_class_is_no_refusal() -> None:
    """The host's own error handling hears of it."""
    begin_django()
    from rest_framework.exceptions import APIException  # noqa: PLC0415  # Django is set up only now

    from ai_addons.contrib.drf import _as_ours  # noqa: PLC0415  # as above

    with pytest.raises(APIException):
        _as_ours(APIException("down"))


CLOSED: Final = {
    "fastapi": lambda web: _fastapi(web, None),
    "flask": lambda web: _flask(web, None),
    "wsgi": lambda web: _wsgi(web),  # noqa: PLW0108  # it stands below
}


@pytest.mark.parametrize("kind", CLOSED)
def test_without_a_hook_everything_that_needs_somebody_is_refused(ai_addons: AddOns, kind: str) -> None:
    """A host that forgot it is closed, not open."""
    ask = CLOSED[kind](make_web(ai_addons))

    assert ask(Ask(method="GET", path="ai/credits/", who="biz_7/u_1/")).status == 401
    assert ask(Ask(method="POST", path="ai/hook/")).status == 200


def test_without_a_hook_a_django_host_is_closed_too(ai_addons: AddOns) -> None:
    """The same for the settings."""
    begin_django()
    with override_settings(AI_ADDONS=host(ai_addons, None)):
        response: Any = Client().get("/shop/ai/credits/", headers={WHO: "biz_7/u_1/"})

    assert response.status_code == 401


@pytest.mark.parametrize("kind", ["fastapi", "flask"])
def test_a_host_that_does_not_say_who_may_lets_nobody(ai_addons: AddOns, kind: str) -> None:
    """Knowing who asks is not enough."""
    web = Web(ai_addons)
    ask = _fastapi(web, _by_header) if kind == "fastapi" else _flask(web, _by_header)

    assert ask(Ask(method="GET", path="ai/credits/", who="biz_7/u_1/")).status == 403


def _by_header(request: Any) -> Principal | None:
    said = request.headers.get(WHO)
    return None if said is None else Principal(business_id=said.split("/")[0])


def _fastapi(web: Web, principal: Any) -> Callable[[Ask], Told]:
    app = FastAPI()
    app.include_router(on_fastapi.router(web, principal=principal), prefix="/shop")
    return by_httpx(app)


def _flask(web: Web, principal: Any) -> Callable[[Ask], Told]:
    app = Flask("tests")
    app.register_blueprint(on_flask.blueprint(web, principal=principal), url_prefix="/shop")
    client = app.test_client()

    def ask(one: Ask) -> Told:
        headers = {**one.headers, **({} if one.who is None else {WHO: one.who})}
        response = client.open(f"/shop/{one.path}", method=one.method, headers=headers, base_url=SELF, data=one.body)
        return Told(status=response.status_code, content_type="", body=response.data, headers={})

    return ask


def _wsgi(web: Web, principal: Any = None) -> Callable[[Ask], Told]:
    application = wsgi(web, principal=principal)

    def ask(one: Ask) -> Told:
        begun: list[int] = []

        def start(status: str, _headers: object, *_: object) -> Callable[[bytes], object]:
            begun.append(int(status[:3]))
            return lambda _: None

        environ = _environ(one)
        body = b"".join(application(environ, start))
        return Told(status=begun[0], content_type="", body=body, headers={})

    return ask


def _environ(one: Ask) -> dict[str, Any]:
    """A request as a server hands it over."""
    sent = {**one.headers, **({} if one.who is None else {WHO: one.who})}
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items() if name not in JSON}
    return named | {
        "REQUEST_METHOD": one.method,
        "PATH_INFO": f"/{one.path}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(one.body)),
        "HTTP_HOST": urlsplit(SELF).netloc,
        "SERVER_NAME": "inside",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(one.body),
    }


def _by_environ(environ: Any) -> Principal | None:
    said = environ.get(f"HTTP_{WHO.upper().replace('-', '_')}")
    return None if said is None else Principal(business_id=said.split("/")[0])


ORIGINS: Final = {
    "own": ({"origin": SELF}, 201),
    "trusted": ({"origin": "https://pos.example"}, 201),
    "referer": ({"referer": f"{SELF}/till"}, 201),
    "elsewhere": ({"origin": "https://evil.example"}, 403),
    "http": ({"origin": "http://shop.example"}, 403),
    "looks_alike": ({"origin": f"{SELF}.evil.example"}, 403),
    "null": ({"origin": "null"}, 403),
    "referer_elsewhere": ({"referer": f"https://evil.example/?{SELF}"}, 403),
    "origin_counts": ({"origin": "https://evil.example", "referer": f"{SELF}/"}, 403),
    "broken_referer": ({"referer": "http://[broken"}, 403),
    "silent": ({}, 403),
}


@pytest.mark.parametrize("said", ORIGINS)
@pytest.mark.parametrize("kind", ["fastapi", "flask", "wsgi"])
def test_cookie_sessions_change_things_only_from_the_hosts_own_pages(ai_addons: AddOns, kind: str, said: str) -> None:
    """A browser says where a POST comes from."""
    headers, expected = ORIGINS[said]
    web, trusted = make_web(ai_addons), ["https://pos.example/"]
    if kind == "fastapi":
        ask = _fastapi(web, on_fastapi.cookie_principal(_by_header, origins=trusted))
    elif kind == "flask":
        ask = _flask(web, on_flask.cookie_principal(_by_header, origins=trusted))
    else:
        ask = _wsgi(web, on_wsgi.cookie_principal(_by_environ, origins=trusted))

    told = ask(Ask(method="POST", path="ai/wish/", who="biz_7/u_1/", headers={**JSON, **headers}, body=WISH))
    read = ask(Ask(method="GET", path="ai/credits/", who="biz_7/u_1/", headers=headers))

    assert (told.status, read.status) == (expected, 200)


@pytest.mark.parametrize(
    ("scheme", "port", "own"),
    [
        ("https", "443", "https://till.example"),
        ("http", "80", "http://till.example"),
        ("http", "443", "http://till.example:443"),
        ("https", "8443", "https://till.example:8443"),
    ],
)
def test_a_server_without_a_host_header_is_known_by_its_name(scheme: str, port: str, own: str) -> None:
    """As HTTP/1.0 clients ask; a browser's origin has no usual port."""
    environ = _environ(Ask(method="POST", path="ai/wish/", who="biz_7/u_1/", headers={"origin": own}))
    environ |= {"HTTP_HOST": "", "SERVER_NAME": "till.example", "SERVER_PORT": port, "wsgi.url_scheme": scheme}
    hook = on_wsgi.cookie_principal(_by_environ)
    assert hook(environ) == Principal(business_id="biz_7")
    with pytest.raises(CsrfFailed):
        hook(environ | {"HTTP_ORIGIN": f"{own}0"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_reading_needs_no_origin(method: str) -> None:
    """It changes nothing."""
    check_origin(method, {"origin": "https://evil.example"}, own=SELF)
    with pytest.raises(CsrfFailed):
        check_origin("DELETE", {"origin": "https://evil.example"}, own=SELF)


def test_the_schemas_reach_the_document_of_a_fastapi_host(ai_addons: AddOns) -> None:
    """Bodies, queries, answers and errors; nothing points outside of it."""
    app = FastAPI()
    app.include_router(on_fastapi.router(make_web(ai_addons)), prefix="/shop")
    document = app.openapi()
    made = document["paths"]["/shop/ai/wish/"]["post"]

    asked = made["requestBody"]["content"]["application/json"]["schema"]
    assert asked["properties"]["colours"]["items"]["properties"]["name"]["type"] == "string"
    assert made["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Echo"}
    assert sorted(made["responses"]) == [
        *("201", "401", "402", "403", "409", "413", "415", "422", "500", "503"),
    ]
    short = made["responses"]["402"]["content"]["application/problem+json"]["schema"]["properties"]
    assert {"required", "available", "shortfall", "packs_url", "code"} <= set(short)
    assert {one["name"]: one["in"] for one in made["parameters"]} == {"Idempotency-Key": "header"}
    read = document["paths"]["/shop/ai/wish/{id}/"]["get"]
    assert {one["name"]: one["in"] for one in read["parameters"]} == {"id": "path", "days": "query", "word": "query"}
    assert "/shop/ai/page/" not in document["paths"]
    assert "$defs" not in str(document)


def test_the_table_of_the_tests_has_every_kind() -> None:
    """What the adapters are held to: a body, a query, a named part, a page, and one that needs nobody."""
    assert {bool(one.body) for one in ENDPOINTS} == {True, False}
    assert any(one.page for one in ENDPOINTS)
    assert any(one.action is None for one in ENDPOINTS)


def test_an_unknown_database_is_said() -> None:
    """By the name that the host wrote."""
    begin_django()
    from ai_addons.contrib.django import borrowed  # noqa: PLC0415  # Django is set up only now

    with pytest.raises(ConfigError, match="no database 'elsewhere'"):
        borrowed("elsewhere")
