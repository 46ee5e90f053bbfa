"""The same endpoints in every framework, each asked through its own test client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import django
import httpx
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.test import Client
from django.test.utils import override_settings
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Mount

from ai_addons.contrib import fastapi as on_fastapi
from ai_addons.contrib import flask as on_flask
from ai_addons.contrib import starlette as on_starlette
from ai_addons.contrib.wsgi import wsgi
from ai_addons.errors import AddOnsError
from ai_addons.web import CsrfFailed, Principal, Unauthenticated, Web, WebRequest
from ai_addons.web.endpoints import ENDPOINTS as OURS
from tests import web_endpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons import AddOns

WHO: Final = "x-who"
"""Says who asks: ``business/user/role``; ``forged`` and ``expired`` stand for a host that refuses by itself."""
TOKEN: Final = "a-token-of-the-host"
MOUNT: Final = "/shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request as a client sends it; its path is below the mount."""

    method: str
    path: str
    who: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer as a client sees it, with those of its headers that are ours."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]


def who(said: str | None) -> Principal | None:
    """The host's own login."""
    if said == "forged":
        raise CsrfFailed
    if said == "expired":
        raise Unauthenticated
    if said is None:
        return None
    business, user, role = said.split("/")
    return Principal(business_id=business, user_id=user or None, roles=frozenset({role} - {""}))


def make_web(addons: AddOns) -> Web:
    """The endpoints of the package and of the tests."""
    return Web(addons, authorize=web_endpoints.authorize, endpoints=(*OURS, *web_endpoints.ENDPOINTS))


def dispatch(addons: AddOns) -> Callable[[Ask], Told]:
    """No framework at all: what all others are held to."""
    web = make_web(addons)

    def ask(one: Ask) -> Told:
        path, _, query = one.path.partition("?")
        pairs = [pair.split("=") for pair in query.split("&") if pair]
        request = WebRequest(
            method=one.method,
            path=path,
            query={name: value.replace("%20", " ") for name, value in pairs},
            headers={name.lower(): value for name, value in one.headers.items()},
            body=one.body,
            root=f"{MOUNT}/",
            csrf_token=TOKEN,
        )
        hook = path == "ai/hook/"
        try:
            response = web.dispatch(replace(request, principal=None if hook else who(one.who)))
        except AddOnsError as error:
            response = web.problem(error, request)
        body = b"" if one.method == "HEAD" else response.body
        return Told(status=response.status, content_type=response.content_type, body=body, headers=response.headers)

    return ask


def plain_wsgi(addons: AddOns) -> Callable[[Ask], Told]:
    """A WSGI server."""
    application = wsgi(
        make_web(addons), principal=lambda environ: who(environ.get("HTTP_X_WHO")), csrf_token=lambda _: TOKEN
    )

    def ask(one: Ask) -> Told:
        path, _, query = one.path.partition("?")
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in _headers(one).items()}
        headers["CONTENT_TYPE"] = headers.pop("HTTP_CONTENT_TYPE", "")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": one.method,
            "SCRIPT_NAME": MOUNT,
            "PATH_INFO": f"/{_unquoted(path)}",
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(one.body)),
            "wsgi.input": BytesIO(one.body),
            **headers,
        }
        begun: list[tuple[int, dict[str, str]]] = []

        def start(status: str, sent: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
            begun.append((int(status.split(maxsplit=1)[0]), {name.lower(): value for name, value in sent}))
            return lambda _: None

        body = b"".join(application(environ, start))
        ((status, sent),) = begun
        return _told(status, sent, body)

    return ask


def fastapi(addons: AddOns) -> Callable[[Ask], Told]:
    """FastAPI, with the router under a prefix and a hook that waits."""

    async def principal(request: Any) -> Principal | None:
        await asyncio.sleep(0)
        return who(request.headers.get(WHO))

    app = FastAPI()
    made = on_fastapi.router(make_web(addons), principal=principal, csrf_token=lambda _: TOKEN)
    app.include_router(made, prefix=MOUNT)
    return by_httpx(app)


def starlette(addons: AddOns) -> Callable[[Ask], Told]:
    """Starlette, with the routes in a mount and hooks that do not wait."""
    made = on_starlette.routes(
        make_web(addons), principal=lambda request: who(request.headers.get(WHO)), csrf_token=lambda _: TOKEN
    )
    return by_httpx(Starlette(routes=[Mount(MOUNT, routes=made)]))


def flask(addons: AddOns) -> Callable[[Ask], Told]:
    """Flask."""
    app = Flask("tests")
    made = on_flask.blueprint(
        make_web(addons), principal=lambda request: who(request.headers.get(WHO)), csrf_token=lambda _: TOKEN
    )
    app.register_blueprint(made, url_prefix=MOUNT)
    client = app.test_client()

    def ask(one: Ask) -> Told:
        response = client.open(f"{MOUNT}/{one.path}", method=one.method, headers=_headers(one), data=one.body)
        return _told(response.status_code, dict(response.headers), response.data)

    return ask


def django_wsgi(addons: AddOns) -> Callable[[Ask], Told]:
    """Django's handler for WSGI."""
    return _by_django(addons, "tests.web_hosts.django_principal")


def django_rest(addons: AddOns) -> Callable[[Ask], Told]:
    """The same, with who asks from a login class of Django REST framework."""
    return _by_django(addons, "tests.web_rest.PRINCIPAL")


def django_asgi(addons: AddOns) -> Callable[[Ask], Told]:
    """Django's handler for ASGI, with a hook that waits."""
    begin_django()
    over_http = by_httpx(get_asgi_application())

    def ask(one: Ask) -> Told:
        with override_settings(AI_ADDONS=django_host(addons, "tests.web_hosts.django_aprincipal")):
            return over_http(one)

    return ask


def django_principal(request: Any) -> Principal | None:
    """The login of the Django host."""
    return who(request.headers.get(WHO))


async def django_aprincipal(request: Any) -> Principal | None:
    """The same for a host that waits."""
    await asyncio.sleep(0)
    return who(request.headers.get(WHO))


def django_host(addons: AddOns, principal: str) -> dict[str, Any]:
    """What the Django host says in ``AI_ADDONS``."""
    return {
        "ADDONS": lambda: addons,
        "PRINCIPAL": principal,
        "AUTHORIZE": "tests.web_endpoints.authorize",
        "ENDPOINTS": "tests.web_endpoints.ENDPOINTS",
    }


def begin_django() -> None:
    """Make this process a Django host; it can be done once."""
    if django_settings.configured:
        return
    django_settings.configure(
        SECRET_KEY="of the tests' host alone",  # invented
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "ai_addons.contrib.django",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "ai_addons.contrib.django.middleware.CreditsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True},
        },
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        ROOT_URLCONF="tests.web_urls",
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": ["tests.web_rest.ByHeader"],
            "EXCEPTION_HANDLER": "ai_addons.contrib.drf.exception_handler",
        },
        USE_TZ=True,
        LOGGING_CONFIG=None,
    )
    django.setup()


def _by_django(addons: AddOns, principal: str) -> Callable[[Ask], Told]:
    begin_django()
    client = Client(enforce_csrf_checks=True)

    def ask(one: Ask) -> Told:
        with override_settings(AI_ADDONS=django_host(addons, principal)):
            response: Any = client.generic(
                one.method,
                f"{MOUNT}/{one.path}",
                one.body,
                content_type=one.headers.get("content-type", "application/octet-stream"),
                headers={name: value for name, value in _headers(one).items() if name != "content-type"},
            )
        return _told(response.status_code, dict(response.headers), response.content)

    return ask


def by_httpx(app: Any) -> Callable[[Ask], Told]:
    """An ASGI application, asked as a server would ask it."""

    async def send(one: Ask) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://shop.example") as client:
            return await client.request(one.method, f"{MOUNT}/{one.path}", headers=_headers(one), content=one.body)

    def ask(one: Ask) -> Told:
        response = asyncio.run(send(one))
        return _told(response.status_code, dict(response.headers), response.content)

    return ask


def _headers(one: Ask) -> dict[str, str]:
    return {**one.headers, **({} if one.who is None else {WHO: one.who})}


def _unquoted(path: str) -> str:
    """As a WSGI server decodes a path."""
    return unquote_to_bytes(path).decode("latin-1")


# What frameworks, their middleware and test clients add.
_THEIRS: Final = frozenset(
    {"content-length", "content-type", "cross-origin-opener-policy", "date", "referrer-policy", "set-cookie", "vary"}
)


def _told(status: int, headers: Mapping[str, str], body: bytes) -> Told:
    lower = {name.lower(): value for name, value in headers.items()}
    ours = {name: value for name, value in lower.items() if name not in _THEIRS}
    return Told(status=status, content_type=lower.get("content-type", ""), body=body, headers=ours)


HOSTS: Final[dict[str, Callable[[AddOns], Callable[[Ask], Told]]]] = {
    "wsgi": plain_wsgi,
    "fastapi": fastapi,
    "starlette": starlette,
    "flask": flask,
    "django_wsgi": django_wsgi,
    "django_asgi": django_asgi,
    "django_rest": django_rest,
}
