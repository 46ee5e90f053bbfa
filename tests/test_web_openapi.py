"""The OpenAPI document: it is one, the command prints it, and the endpoints keep to it whatever they are asked."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIRequest
from fastapi import FastAPI
from flask import Flask
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS, load_all_checks

from ai_addons.contrib.django.views import make_view as make_django_view
from ai_addons.contrib.fastapi import router as fastapi_router
from ai_addons.contrib.flask import blueprint as flask_blueprint
from ai_addons.contrib.wsgi import wsgi
from ai_addons.web import Principal, Web
from ai_addons.web.base import Endpoint
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.openapi import all_errors, document, is_told
from tests.sizes import FULL
from tests.test_cli import call
from tests.web import OWNER, Shop
from tests.web_hosts import begin_django

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PAGE: Final = Endpoint(
    method="GET",
    path="ai/page/",
    name="page",
    summary="A page.",
    handle=lambda _: None,  # type: ignore[arg-type, return-value]  # never asked
    action=None,
    page=True,
)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """The document of all endpoints."""
    return document(ENDPOINTS, root="/shop/")


def test_it_is_an_openapi_document(told: dict[str, Any]) -> None:
    """By the validator of the specification."""
    validate(told)
    assert told["openapi"] == "3.1.0"
    assert told["servers"] == [{"url": "/shop/"}]


def test_every_endpoint_for_machines_is_in_it_and_no_page(told: dict[str, Any]) -> None:
    """Path, method and name of each."""
    found = {
        (path, method): operation["operationId"]
        for path, operations in told["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
    }
    assert found == {(f"/{one.path}", one.method.lower()): one.name for one in ENDPOINTS if is_told(one)}
    assert document([PAGE])["paths"] == {}


def test_an_operation_says_all_that_may_come_back(told: dict[str, Any]) -> None:
    """A costly, keyed one with a body: every status, an example of every problem, and how long to wait."""
    purchase = told["paths"]["/ai/purchase/"]["post"]
    assert list(purchase["responses"]) == [
        *("201", "401", "403", "409", "413", "415", "422", "429", "500", "502", "503")
    ]
    limited = purchase["responses"]["429"]
    assert limited["headers"]["Retry-After"]["schema"] == {"type": "integer"}
    example = limited["content"]["application/problem+json"]["examples"]["too_many_requests"]["value"]
    assert (example["status"], example["code"]) == (429, "too_many_requests")
    (key,) = purchase["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", False)
    assert purchase["requestBody"]["required"] is True
    assert purchase["x-action"] == "credits:purchase"


def test_what_may_be_left_out_of_a_query_is_never_null(told: dict[str, Any]) -> None:
    """A query string cannot say null."""
    ledger = told["paths"]["/ai/ledger/"]["get"]["parameters"]
    assert [(one["name"], one["required"], one["schema"].get("type")) for one in ledger] == [
        ("cursor", False, "string"),
        ("limit", False, "integer"),
        ("format", False, "string"),
    ]
    assert all("default" not in one["schema"] for one in ledger)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if is_told(one)], ids=lambda one: one.name)
def test_every_error_of_an_endpoint_has_an_example_with_its_own_status(endpoint: Endpoint) -> None:
    """The table of errors and the document are one."""
    operation = document([endpoint])["paths"][f"/{endpoint.path}"][endpoint.method.lower()]
    for status, errors in all_errors(endpoint).items():
        examples = operation["responses"][str(status)]["content"]["application/problem+json"]["examples"]
        assert set(examples) == {error.code for error in errors}
        assert {one["value"]["status"] for one in examples.values()} == {status}


def test_the_document_is_served_where_the_endpoints_are(told: dict[str, Any]) -> None:
    """To anybody, and for a while from a cache."""
    with closing(Shop()) as shop:
        served = shop.get("ai/openapi.json", who=None, root="/shop/")
        assert (served.status, served.content_type) == (200, "application/json")
        assert served.headers["cache-control"] == "public, max-age=300"
        assert served.body == told


@pytest.mark.parametrize(("given", "root"), [("/", "/"), ("shop", "/shop/"), ("/a/b/", "/a/b/")])
def test_the_command_prints_it(given: str, root: str) -> None:
    """For a host to keep beside its code."""
    done = call("openapi", "--root", given)
    assert done.exit_code == 0
    assert json.loads(done.stdout) == document(ENDPOINTS, root=root)


def test_a_fastapi_host_tells_the_same(told: dict[str, Any]) -> None:
    """Its own document has every operation as ours has it, but for the tags; its answers are components there."""
    app = FastAPI(title="A shop's system")
    with closing(Shop()) as shop:
        app.include_router(fastapi_router(shop.web, principal=signed_in), prefix="/shop")
    theirs = app.openapi()
    assert {path.removeprefix("/shop"): whole(item, theirs) for path, item in theirs["paths"].items()} == {
        path: whole(item, told) for path, item in told["paths"].items()
    }


def whole(item: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The operations of a path with all that they refer to, their tags left out."""
    shared = item.get("parameters", [])
    return {
        method: resolved({**made, "parameters": [*shared, *made.get("parameters", [])]}, told["components"]["schemas"])
        for method, made in item.items()
        if method != "parameters"
    }


def resolved(part: Any, schemas: dict[str, Any]) -> Any:
    """A part of a document with the schemas that it names in it; a default of null is the same as none."""
    if isinstance(part, list):
        return [resolved(one, schemas) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return resolved(schemas[part["$ref"].rpartition("/")[2]], schemas)
    return {name: resolved(one, schemas) for name, one in part.items() if name != "tags" and one is not None}


EXAMPLES: Final = int(os.environ.get("AI_ADDONS_TEST_HTTP_EXAMPLES", "3"))
"""Requests to each endpoint of each kind; more with the environment."""

# Whatever it allows, and what it does not, in every framework.


def signed_in(_request: Any) -> Principal:
    """The login of hosts in which one owner is always there."""
    return BOTH


BOTH: Final = Principal(business_id=OWNER.business_id, user_id=OWNER.user_id, roles=frozenset({"operator"}))
"""May do everything, so that every endpoint is reached."""


def on_wsgi(web: Web) -> Any:
    """A plain WSGI server."""
    return wsgi(web, principal=signed_in)


def on_fastapi(web: Web) -> Any:
    """FastAPI, behind ASGI."""
    app = FastAPI(openapi_url=None)
    app.include_router(fastapi_router(web, principal=signed_in))
    return app


def on_flask(web: Web) -> Any:
    """Flask, behind WSGI."""
    app = Flask("tests")
    app.register_blueprint(flask_blueprint(web, principal=signed_in))
    return app


def on_django(web: Web) -> Any:
    """Django, behind WSGI, with the view of the endpoints and nothing else of its own."""
    begin_django()
    view = make_django_view(lambda: web, signed_in)

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        request = WSGIRequest(environ)
        # As a resolver of URLs would: what is decoded, below the mount.
        response = view(request, path=request.path_info.removeprefix("/"))
        start(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]

    return app


HOSTS: Final = {"wsgi": on_wsgi, "fastapi": on_fastapi, "flask": on_flask, "django": on_django}


load_all_checks()
_CHECKS: Final = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "negative_data_rejection",
    )
]
_SIZE: Final = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

schema: Final = schemathesis.openapi.from_dict(document(ENDPOINTS))


@pytest.fixture(scope="module")
def running() -> Iterator[Mapping[str, Any]]:
    """Hosts that answer, each with a shop and one order in it."""
    with ExitStack() as stack:

        def begun(host: Callable[[Web], Any]) -> Any:
            limits = {"user_requests": 0, "business_requests": 0}
            shop = Shop("hybrid", web=limits, receipts={"seller": "Till Ltd"}, authorize=lambda *_: True)
            stack.enter_context(closing(shop))
            shop.buy("VALUE")
            return host(shop.web)

        yield {name: begun(host) for name, host in HOSTS.items()}


def hosts_of(case: Any) -> list[str]:
    """Which hosts are asked: each endpoint in the next one, all with ``AI_ADDONS_TEST_SIZE=full``."""
    told = [(f"/{one.path}", one.method) for one in ENDPOINTS if is_told(one)]
    place = told.index((case.operation.path, case.operation.method.upper()))
    return [*HOSTS] if FULL else [[*HOSTS][place % len(HOSTS)]]


def ask(running: Mapping[str, Any], case: Any, checks: list[Any]) -> None:
    """Send a request to its hosts and look at what comes back."""
    for name in hosts_of(case):
        case.operation.schema.app = running[name]
        try:
            case.call_and_validate(checks=checks, app=running[name])
        except BaseException as error:
            error.add_note(f"asked in {name}")
            raise


@schema.exclude(path="/ai/webhooks/{gateway}/").parametrize()
@_SIZE
def test_no_request_gets_an_answer_that_the_document_does_not_know(running: Mapping[str, Any], case: Any) -> None:
    """Good and bad requests to every endpoint: no 5xx, no unknown status, type or shape, and bad ones are refused."""
    ask(running, case, _CHECKS)


@schema.include(path="/ai/webhooks/{gateway}/").parametrize()
@_SIZE
def test_no_webhook_gets_an_answer_that_the_document_does_not_know(running: Mapping[str, Any], case: Any) -> None:
    """None of them is signed, so each is refused."""
    ask(running, case, _CHECKS[:5])
