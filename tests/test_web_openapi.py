"""The OpenAPI document: it is one, the command prints it, and the endpoints keep to it whatever they are asked."""

from __future__ import annotations

import json
import os
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS, load_all_checks

from ai_addons.web import Web, WebRequest
from ai_addons.web.base import Endpoint
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.openapi import all_errors, document, is_told
from tests.test_cli import call
from tests.web import OWNER, Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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


EXAMPLES: Final = int(os.environ.get("AI_ADDONS_TEST_HTTP_EXAMPLES", "8"))
"""Requests to each endpoint of each kind; more with the environment."""

# Whatever it allows, and what it does not. A small WSGI host stands for all frameworks.

Environ = dict[str, Any]


def host(web: Web) -> Callable[[Environ, Callable[..., Any]], Iterable[bytes]]:
    """A host in which one owner is always signed in."""

    def app(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        size = int(environ.get("CONTENT_LENGTH") or 0)
        query = environ.get("QUERY_STRING", "")
        answer = web.dispatch(
            WebRequest(
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").removeprefix("/"),
                query=_query(query),
                headers=headers | {"content-type": environ.get("CONTENT_TYPE", "")},
                body=environ["wsgi.input"].read(size),
                principal=OWNER,
            )
        )
        sent = [("Content-Type", answer.content_type), *answer.headers.items()]
        start(f"{answer.status} {HTTPStatus(answer.status).phrase}", sent)
        return [answer.body]

    return app


def _query(text: str) -> dict[str, str]:
    from urllib.parse import parse_qsl  # noqa: PLC0415  # used here alone

    return dict(parse_qsl(text, keep_blank_values=True))


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
def asked() -> Iterator[Any]:
    """A host that answers, with one order in it."""
    limits = {"user_requests": 0, "business_requests": 0}
    with closing(Shop("hybrid", web=limits, receipts={"seller": "Till Ltd"})) as shop:
        shop.buy("VALUE")
        yield host(shop.web)


@schema.exclude(path="/ai/webhooks/{gateway}/").parametrize()
@_SIZE
def test_no_request_gets_an_answer_that_the_document_does_not_know(asked: Any, case: Any) -> None:
    """Good and bad requests to every endpoint: no 5xx, no unknown status, type or shape, and bad ones are refused."""
    case.operation.schema.app = asked
    case.call_and_validate(checks=_CHECKS, app=asked)


@schema.include(path="/ai/webhooks/{gateway}/").parametrize()
@_SIZE
def test_no_webhook_gets_an_answer_that_the_document_does_not_know(asked: Any, case: Any) -> None:
    """None of them is signed, so each is refused."""
    case.operation.schema.app = asked
    case.call_and_validate(checks=_CHECKS[:5], app=asked)
