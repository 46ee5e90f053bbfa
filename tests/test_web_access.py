"""Who gets what over HTTP: every endpoint is asked by everybody, and the page in the docs says what they got."""

from __future__ import annotations

import importlib
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.openapi import is_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ai_addons.web import WebResponse
    from ai_addons.web.base import Endpoint

DOCS: Final = Path(__file__).parent.parent / "docs"
PAGE: Final = DOCS / "reference" / "http-access.md"
LOOKED_AT: Final = [endpoint for endpoint in ENDPOINTS if is_told(endpoint) or endpoint.page]
OF_A_THING: Final = {
    one.name
    for one in LOOKED_AT
    if "{id}" in one.path or "{order}" in one.path or one.name in {"verify_payment", "feedback", "ui_return"}
}
"""Endpoints whose address or body names a thing of a shop."""
STATUS: Final = {"webhook": 401, "addon_subscribe": 409, "trial": 409, "ui_trial": 409, "ui_addon_take": 409}
"""Of answers to those who may ask that are not a success: no signature, and what this shop cannot have."""

# Every endpoint that changes something gets a world of its own.
pytestmark: Final = pytest.mark.timeout(300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An endpoint that everybody has asked, one after the other.

    Attributes:
        endpoint: It.
        answers: By who asked.
        moved: Those after whom the first shop, a switch or the payment set aside was not as before.
        told: Those whose answer held something of the first shop.
        nowhere: What another shop gets for a thing that is not there; None where no thing is asked for.
    """

    endpoint: Endpoint
    answers: Mapping[str, WebResponse]
    moved: frozenset[str]
    told: frozenset[str]
    nowhere: WebResponse | None


@pytest.fixture(scope="module")
def access() -> Iterator[Any]:
    """The module that writes the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("http_access")
        sys.modules.pop("http_access")


@pytest.fixture(scope="module")
def a_world(access: Any) -> Iterator[Callable[[Endpoint], Any]]:
    """Where an endpoint is asked: one world for all that only read, else a new one."""
    with ExitStack() as stack:
        common: list[Any] = []

        def made_for(endpoint: Endpoint) -> Any:
            if endpoint.method != "GET":
                return stack.enter_context(access.world())
            if not common:
                common.append(stack.enter_context(access.world()))
            return common[0]

        yield made_for


@pytest.fixture(scope="module", params=LOOKED_AT, ids=lambda one: one.name)
def asked(request: pytest.FixtureRequest, access: Any, a_world: Callable[[Endpoint], Any]) -> Asked:
    """Each endpoint, asked by everybody."""
    endpoint: Endpoint = request.param
    made = a_world(endpoint)
    secrets = {made.paid, made.waiting, made.reference, made.call, made.note, made.aside, "shop-a", "shop-d", "u-a"}
    unknown = nowhere(access, made, endpoint) if endpoint.name in OF_A_THING else None
    answers, moved, told = {}, set(), set()
    for name, principal in access.ASKERS.items():
        before = known(made)
        answers[name] = made.ask(endpoint, principal)
        if known(made) != before:
            moved.add(name)
        if any(one.encode() in answers[name].body for one in secrets):
            told.add(name)
    return Asked(
        endpoint=endpoint,
        answers=answers,
        moved=frozenset(moved),
        told=frozenset(told),
        nowhere=unknown,
    )


def known(made: Any) -> tuple[object, ...]:
    """All that the first shop has, the switches, and what is set aside."""
    addons = made.addons
    shop = addons.wallet("shop-a"), addons.orders.listed("shop-a"), addons.ledger("shop-a")
    more = addons.orders.cards("shop-a"), addons.transactions("shop-a")
    return *shop, *more, addons.operating.switches(), addons.orders.quarantined()


def nowhere(access: Any, made: Any, endpoint: Endpoint) -> WebResponse:
    """What another shop gets for a thing that is not there."""
    asker = access.ASKERS["another shop"]
    # The gateway's own code for the payer is asked for by the reference, which is left as it is.
    nothing = replace(made, paid="not-there", waiting="not-there", call="not-there", note="not-there")
    unknown = {"reference": "aia-0"}
    answer: WebResponse
    if endpoint.name == "verify_payment":
        answer = made.web.dispatch(nothing.request(endpoint, asker, unknown))
    elif endpoint.name == "ui_return":
        answer = made.web.dispatch(replace(nothing.request(endpoint, asker, {}), query=unknown))
    else:
        answer = nothing.ask(endpoint, asker)
    return answer


def whose(access: Any, endpoint: Endpoint) -> str:
    """Who is meant to ask."""
    return str(access.OPERATOR if (endpoint.action or "").startswith("admin:") else access.OWNER)


def test_nobody_sees_or_changes_what_is_not_theirs(access: Any, asked: Asked) -> None:
    """Whatever others ask, nothing of the first shop moves, and no answer holds anything of it."""
    meant = whose(access, asked.endpoint)
    assert asked.moved <= {meant}
    assert asked.told <= {meant}
    for name, answer in asked.answers.items():
        if name == meant or asked.endpoint.action is None or (name == "another shop" and meant == access.OWNER):
            continue
        assert answer.status == (401 if name == "nobody" else 403), name


def test_anothers_thing_looks_like_one_that_is_not_there(asked: Asked) -> None:
    """The same bytes, so that nobody can find out what exists; what names no thing is always there."""
    others = asked.answers["another shop"]
    assert (others.status == 404) is (asked.nowhere is not None)
    assert asked.nowhere is None or others.body == asked.nowhere.body


def test_who_may_ask_gets_an_answer(access: Any, asked: Asked) -> None:
    """Else the test above would pass by refusing everybody."""
    status = asked.answers[whose(access, asked.endpoint)].status
    assert status == STATUS.get(asked.endpoint.name, asked.endpoint.status)


def test_the_page_in_the_docs_says_what_they_got(access: Any, asked: Asked) -> None:
    """Run ``python docs/generate.py`` after a change."""
    found = {name: answer.status for name, answer in asked.answers.items()}
    assert access.row(asked.endpoint, found) in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_in_the_docs_has_a_line_for_each_and_no_other(access: Any) -> None:
    """In the order of the endpoints."""
    page = PAGE.read_text(encoding="utf-8")
    lines = page.splitlines()[-len(LOOKED_AT) :]
    assert access.ABOUT in page
    assert page.endswith(f"{access.table(lines)}\n")
    assert [line.split("`")[1] for line in lines] == [f"{one.method} {one.path}" for one in LOOKED_AT]
