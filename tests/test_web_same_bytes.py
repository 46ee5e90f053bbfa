"""Every framework answers a request with the same bytes."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from ai_addons import AddOns, Settings
from tests.web_hosts import HOSTS, MOUNT, Ask, Told, dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

AMA: Final = "biz_7/u_1/"
BOSS: Final = "/u_9/operator"
JSON: Final = {"content-type": "application/json"}

ASKS: Final = {
    "credits": Ask(method="GET", path="ai/credits/", who=AMA),
    "head": Ask(method="HEAD", path="ai/credits/", who=AMA),
    "nobody": Ask(method="GET", path="ai/credits/"),
    "expired": Ask(method="GET", path="ai/credits/", who="expired"),
    "forged": Ask(method="POST", path="ai/wish/", who="forged", headers=JSON, body=b'{"word": "a"}'),
    "forbidden": Ask(method="GET", path="ai/office/", who=AMA),
    "operator": Ask(method="GET", path="ai/office/", who=BOSS),
    "body": Ask(method="POST", path="ai/wish/", who=AMA, headers=JSON, body='{"word": "Akwaaba, Ɛfua"}'.encode()),
    "form_type": Ask(
        method="POST",
        path="ai/wish/",
        who=AMA,
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=b'{"word": "a"}',
    ),
    "multipart_type": Ask(
        method="POST",
        path="ai/wish/",
        who=AMA,
        headers={"content-type": "multipart/form-data; boundary=x"},
        body=b'{"word": "a"}',
    ),
    "no_body": Ask(method="POST", path="ai/wish/", who=AMA),
    "bad_body": Ask(method="POST", path="ai/wish/", who=AMA, headers=JSON, body=b'{"word": 4, "more": true}'),
    "not_json": Ask(method="POST", path="ai/wish/", who=AMA, headers=JSON, body=b"\xff"),
    "query": Ask(method="GET", path="ai/wish/?days=7&word=a%20b", who=AMA, headers={"X-Note": "n"}),
    "query_twice": Ask(method="GET", path="ai/wish/?word=a&word=b", who=AMA),
    "bad_query": Ask(method="GET", path="ai/wish/?days=many", who=AMA),
    "unknown_query": Ask(method="GET", path="ai/wish/?day=1", who=AMA),
    "business_in_query": Ask(method="GET", path="ai/credits/?business_id=biz_8", who=AMA),
    "part": Ask(method="GET", path="ai/wish/w-1/", who=AMA),
    "part_encoded": Ask(method="GET", path="ai/wish/w%20%C9%9B%25/", who=AMA),
    "poor": Ask(method="GET", path="ai/poor/", who=AMA),
    "theirs": Ask(method="GET", path="ai/theirs/o-1/", who=AMA),
    "page": Ask(method="GET", path="ai/page/", who=AMA),
    "page_head": Ask(method="HEAD", path="ai/page/", who=AMA),
    "hook": Ask(method="POST", path="ai/hook/", headers=JSON, body=b"\x00\xffraw bytes\r\n"),
    "hook_forged": Ask(method="POST", path="ai/hook/", who="forged", headers=JSON, body=b"{}"),
    "not_ours": Ask(method="GET", path="ai/nothing/", who=AMA),
    "no_slash": Ask(method="GET", path="ai/credits", who=AMA),
    "no_slash_post": Ask(method="POST", path="ai/hook", headers=JSON, body=b"{}"),
    "two_slashes": Ask(method="GET", path="ai//credits/", who=AMA),
    "top": Ask(method="GET", path="ai/", who=AMA),
    "wrong_method": Ask(method="POST", path="ai/credits/", who=AMA),
    "wrong_method_two": Ask(method="DELETE", path="ai/wish/", who=AMA),
    "options": Ask(method="OPTIONS", path="ai/credits/", who=AMA),
    "hook_read": Ask(method="GET", path="ai/hook/"),
    "put": Ask(method="PUT", path="ai/wish/w-1/", who=AMA, headers=JSON, body=b"{}"),
}
STATUS: Final = {
    "credits": 200,
    "head": 200,
    "nobody": 401,
    "expired": 401,
    "forged": 403,
    "forbidden": 403,
    "operator": 200,
    "body": 201,
    "form_type": 415,
    "multipart_type": 415,
    "no_body": 422,
    "bad_body": 422,
    "not_json": 422,
    "query": 200,
    "query_twice": 200,
    "bad_query": 422,
    "unknown_query": 422,
    "business_in_query": 200,
    "part": 200,
    "part_encoded": 200,
    "poor": 402,
    "theirs": 404,
    "page": 200,
    "page_head": 200,
    "hook": 200,
    "hook_forged": 200,
    "not_ours": 404,
    "no_slash": 404,
    "no_slash_post": 404,
    "two_slashes": 404,
    "top": 404,
    "wrong_method": 405,
    "wrong_method_two": 405,
    "options": 405,
    "hook_read": 405,
    "put": 405,
}


@pytest.fixture(scope="module")
def addons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AddOns]:
    """One set of books for all hosts."""
    folder: Path = tmp_path_factory.mktemp("hosts")
    with closing(AddOns(Settings(store={"url": f"sqlite:///{folder / 'shop.db'}"}), environ={})) as made:
        made.grant("biz_7", "25", source="adjustment", ref="welcome-1")
        yield made


@pytest.fixture(scope="module")
def wanted(addons: AddOns) -> Mapping[str, Told]:
    """What `Web.dispatch` itself answers."""
    ask = dispatch(addons)
    return {name: ask(one) for name, one in ASKS.items()}


@pytest.fixture(scope="module", params=HOSTS)
def host(addons: AddOns, request: pytest.FixtureRequest) -> Callable[[Ask], Told]:
    """Each framework, with the endpoints in it."""
    return HOSTS[request.param](addons)


@pytest.mark.parametrize("asked", ASKS)
def test_every_framework_answers_with_the_bytes_of_dispatch(
    wanted: Mapping[str, Told], host: Callable[[Ask], Told], asked: str
) -> None:
    """Status, content type, body and our headers are those of ``Web.dispatch`` itself."""
    assert host(ASKS[asked]) == wanted[asked]
    assert wanted[asked].status == STATUS[asked]


def test_links_begin_with_the_mount(host: Callable[[Ask], Told]) -> None:
    """A 402 says where packs are sold, below the address under which this host has the endpoints."""
    told = host(ASKS["poor"])

    assert f'"packs_url": "{MOUNT}/ai/pricing/"'.encode() in told.body
    assert b'"shortfall": "2.00"' in told.body


def test_a_body_that_is_too_long_is_refused(host: Callable[[Ask], Told]) -> None:
    """Nothing beyond the limit is read, and the refusal is a problem of ours."""
    told = host(Ask(method="POST", path="ai/hook/", body=b"x" * 1_048_577))

    assert (told.status, told.content_type) == (413, "application/problem+json")
    assert b'"code": "payload_too_large"' in told.body
