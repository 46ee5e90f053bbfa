"""The corners of the adapters: limits of the host's own, hosts that are not allowed, bodies that announce no length."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click
import pytest
from django.test import Client
from django.test.utils import override_settings
from flask import Flask

from ai_addons import Settings
from ai_addons.cli import serve, show
from ai_addons.contrib import flask as on_flask
from ai_addons.contrib import starlette as on_starlette
from ai_addons.contrib.wsgi import wsgi
from tests.test_django_host import BORROWED, app
from tests.web_hosts import begin_django, django_host, make_web

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons import AddOns

# Python 3.13 calls it by another name than those before.
TOO_LARGE = f"413 {HTTPStatus(413).phrase}"
AMA = {"x-who": "biz_7/u_1/"}


def test_a_lower_limit_of_a_django_host_counts(ai_addons: AddOns) -> None:
    """Its refusal is a problem of ours."""
    begin_django()
    host = django_host(ai_addons, "tests.web_hosts.django_principal")
    with override_settings(AI_ADDONS=host, DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        response: Any = Client().post("/shop/ai/hook/", b"x" * 11, content_type="text/plain")

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")


def test_a_lower_limit_of_a_flask_host_counts(ai_addons: AddOns) -> None:
    """The same there."""
    host = Flask("tests")
    host.config["MAX_CONTENT_LENGTH"] = 10
    host.register_blueprint(on_flask.blueprint(make_web(ai_addons)))

    response = host.test_client().post("/ai/hook/", data=b"x" * 11)

    assert response.status_code == 413
    assert b'"code": "payload_too_large"' in response.data


def test_a_body_that_announces_no_length_is_counted(ai_addons: AddOns) -> None:
    """It comes in pieces, and reading ends at the limit."""
    (route,) = on_starlette.routes(make_web(ai_addons))
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "method": "POST", "path": "/ai/hook/", "headers": [], "query_string": b"", "root_path": ""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 600_000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    match, found = route.matches({**scope, "type": "http"})
    assert match.value == 2
    asyncio.run(route.handle({**scope, **found}, receive, send))

    assert sent[0]["status"] == 413


@pytest.mark.parametrize("length", ["1048577", "9" * 5_000])
def test_a_length_that_is_no_number_of_bytes_is_too_large(ai_addons: AddOns, length: str) -> None:
    """Python does not even read a number of so many digits; nothing of the body is read."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/ai/hook/", "CONTENT_LENGTH": length}
    told: list[str] = []

    def start(status: str, _headers: object, _error: object = None) -> Callable[[bytes], object]:
        told.append(status)
        return bytes.strip

    (body,) = wsgi(make_web(ai_addons))(environ, start)

    assert (told, json.loads(body)["code"]) == ([TOO_LARGE], "payload_too_large")


def test_a_host_that_is_not_allowed_gives_no_origin() -> None:
    """Django's word on it is asked for; a forged one must not become an address to come back to."""
    begin_django()
    from django.test import RequestFactory  # noqa: PLC0415  # Django is set up only now

    from ai_addons.contrib.django.views import request_of  # noqa: PLC0415  # as above

    request = RequestFactory().get("/shop/ai/credits/", headers={"host": "evil.example"})
    with override_settings(ALLOWED_HOSTS=["pos.example"]):
        assert request_of(request, "ai/credits/").origin is None
    with override_settings(ALLOWED_HOSTS=["evil.example"]):
        assert request_of(request, "ai/credits/").origin == "http://evil.example"


def test_books_on_djangos_connections_say_so() -> None:
    """To people; and there is no file to put a key beside."""
    begin_django()
    with override_settings(AI_ADDONS=BORROWED):
        assert app().addons.store_name == "Django's 'default' database"
        assert app().addons._wiring.database.path is None


def test_nothing_is_compared_with_nothing() -> None:
    """A query for a missing amount."""
    begin_django()
    from ai_addons.contrib.django.models import ScaledField  # noqa: PLC0415  # Django is set up only now

    assert ScaledField(places=2).get_prep_value(None) is None
    assert ScaledField(places=2).get_prep_value("0.5") == 50


def test_a_configured_gateway_is_used(ai_addons: AddOns, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fake one starts beside it."""
    from contextlib import ExitStack  # noqa: PLC0415  # here only

    monkeypatch.setattr(show, "open_settings", lambda: Settings(gateways={"paystack": {"keys": ["sk_test_1"]}}))
    monkeypatch.setattr(show, "open_addons", lambda: ai_addons)
    with ExitStack() as stack:
        assert serve._open(stack) == (ai_addons, None)


def test_a_person_reads_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each address."""
    serve._say("http://127.0.0.1:8765/", None, json_out=False)

    assert capsys.readouterr().out.splitlines() == [
        "Serving the AI add-on.",
        "  url       http://127.0.0.1:8765/",
        "  credits   http://127.0.0.1:8765/ai/credits/",
        "Stop it with Ctrl-C.",
    ]


def test_commands_work_with_what_the_host_gives(ai_addons: AddOns) -> None:
    """Else with what environment and files say."""

    class Host:
        def addons(self) -> AddOns:
            return ai_addons

        def settings(self) -> str:
            return "its settings"

    with click.Context(click.Command("any"), obj=Host()):
        found: tuple[Any, Any] = (show.open_addons(), show.open_settings())
    assert found == (ai_addons, "its settings")
