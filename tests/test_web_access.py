"""Who gets what over HTTP: every endpoint is asked by everybody, and the page in the docs says what they got."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.openapi import is_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.web.base import Endpoint

DOCS: Final = Path(__file__).parent.parent / "docs"
LOOKED_AT: Final = [endpoint for endpoint in ENDPOINTS if is_told(endpoint) or endpoint.page]
OF_A_THING: Final = [
    one
    for one in LOOKED_AT
    if "{id}" in one.path or "{order}" in one.path or one.name in {"verify_payment", "feedback", "ui_return"}
]
"""Endpoints whose address or body names a thing of a shop."""

# Every endpoint gets a world of its own.
pytestmark: Final = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def access() -> Iterator[Any]:
    """The module that writes the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("http_access")
        sys.modules.pop("http_access")


def known(addons: Any) -> tuple[object, ...]:
    """All that the first shop has."""
    wallet = addons.wallet("shop-a")
    orders = addons.orders.listed("shop-a")
    return wallet, orders, addons.ledger("shop-a"), addons.orders.cards("shop-a"), addons.transactions("shop-a")


def whose(access: Any, endpoint: Endpoint) -> str:
    """Who is meant to ask."""
    return str(access.OPERATOR if (endpoint.action or "").startswith("admin:") else access.OWNER)


@pytest.mark.parametrize("endpoint", LOOKED_AT, ids=lambda one: one.name)
def test_nobody_sees_or_changes_what_is_not_theirs(access: Any, endpoint: Endpoint) -> None:
    """Whatever others ask, nothing of the first shop moves, and no answer holds anything of it."""
    meant = whose(access, endpoint)
    with access.world() as made:
        before = known(made.addons)
        secrets = {made.paid, made.waiting, made.reference, made.call, made.note, made.aside, "shop-a", "shop-d", "u-a"}
        for name, principal in access.ASKERS.items():
            if name == meant:
                continue
            answer = made.ask(endpoint, principal)
            assert not [one for one in secrets if one.encode() in answer.body], name
            assert known(made.addons) == before, name
            if endpoint.action is not None and (name != "another shop" or meant != access.OWNER):
                assert answer.status == (401 if name == "nobody" else 403)
        assert made.addons.operating.switches() == ()
        assert [one.id for one in made.addons.orders.quarantined()] == [made.aside]


@pytest.mark.parametrize("endpoint", OF_A_THING, ids=lambda one: one.name)
def test_anothers_thing_looks_like_one_that_is_not_there(access: Any, endpoint: Endpoint) -> None:
    """The same bytes, so that nobody can find out what exists."""
    asker = access.ASKERS["another shop"]
    with access.world() as made:
        others = made.ask(endpoint, asker)
        # The gateway's own code for the payer is asked for by the reference, which is left as it is.
        nothing = replace(made, paid="not-there", waiting="not-there", call="not-there", note="not-there")
        unknown = {"reference": "aia-0"}
        if endpoint.name == "verify_payment":
            not_there = made.web.dispatch(nothing.request(endpoint, asker, unknown))
        elif endpoint.name == "ui_return":
            not_there = made.web.dispatch(replace(nothing.request(endpoint, asker, {}), query=unknown))
        else:
            not_there = nothing.ask(endpoint, asker)
        assert (others.status, others.body) == (404, not_there.body)


STATUS: Final = {"webhook": 401, "addon_subscribe": 409, "trial": 409, "ui_trial": 409, "ui_addon_take": 409}
"""Of answers to those who may ask that are not a success: no signature, and what this shop cannot have."""


@pytest.mark.parametrize("endpoint", LOOKED_AT, ids=lambda one: one.name)
def test_who_may_ask_gets_an_answer(access: Any, endpoint: Endpoint) -> None:
    """Else the test above would pass by refusing everybody."""
    with access.world() as made:
        status = made.ask(endpoint, access.ASKERS[whose(access, endpoint)]).status
    assert status == STATUS.get(endpoint.name, endpoint.status)


def test_the_page_in_the_docs_says_what_they_got(access: Any) -> None:
    """Run ``python docs/generate.py`` after a change."""
    about, table = access.page()
    page = (DOCS / "reference" / "http-access.md").read_text(encoding="utf-8")
    assert about in page
    assert page.endswith(f"{table}\n")
