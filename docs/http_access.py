"""Asks every endpoint as everybody who might: what each of them gets is the page ``reference/http-access.md``."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons import AddOns
from ai_addons.billing.profile import BusinessProfile
from ai_addons.testing import ManualClock
from ai_addons.testing.gateway import FakeGateway
from ai_addons.testing.kit import kit_settings
from ai_addons.web import Principal, Web, WebRequest
from ai_addons.web.openapi import is_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.web import Action, WebResponse
    from ai_addons.web.base import Endpoint

OWNER: Final = "owner"
ASKERS: Final[Mapping[str, Principal | None]] = {
    "nobody": None,
    "stranger": Principal(business_id="shop-c", user_id="u-c"),
    "operator": Principal(business_id="", user_id="u-o", roles=frozenset({"operator"})),
    "another shop": Principal(business_id="shop-b", user_id="u-b", roles=frozenset({"owner"})),
    OWNER: Principal(business_id="shop-a", user_id="u-a", roles=frozenset({"owner"})),
}
"""Everybody who may ask: not signed in, signed in without any right, the operator who acts for no shop, the owner of
another shop, and the owner whose things are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A shop with a paid order and one that waits, beside another shop that has nothing.

    Attributes:
        web: The endpoints.
        addons: What answers.
        gateway: Where payers pay.
        paid: Id of the paid order.
        waiting: Id of the one that waits for a code.
        reference: Of its attempt.
        call: Id of a call that was paid.
    """

    web: Web
    addons: AddOns
    gateway: FakeGateway
    paid: str
    waiting: str
    reference: str
    call: str

    def ask(self, endpoint: Endpoint, principal: Principal | None) -> WebResponse:
        """Ask an endpoint for the first shop's things."""
        return self.web.dispatch(self.request(endpoint, principal, self._bodies.get(endpoint.name, {})))

    def request(self, endpoint: Endpoint, principal: Principal | None, body: Mapping[str, object]) -> WebRequest:
        """A request to an endpoint about the first shop's things."""
        order = self.paid if endpoint.name == "purchase_receipt" else self.waiting
        return WebRequest(
            method=endpoint.method,
            path=endpoint.path.replace("{id}", order).replace("{gateway}", "fake"),
            headers={"content-type": "application/json"},
            body=b"" if endpoint.method == "GET" else json.dumps(body).encode(),
            principal=principal,
        )

    @property
    def _bodies(self) -> Mapping[str, Mapping[str, object]]:
        return {
            "purchase": {"pack_type": "VALUE"},
            "verify_payment": {"reference": self.reference},
            "purchase_otp": {"otp": self.gateway.otp(self.reference)},
            "feedback": {"transaction_id": self.call, "rating": 5},
        }


def may(principal: Principal, action: Action) -> bool:
    """What a host might say: owners do all for their shop, operators what is for operators."""
    return "operator" in principal.roles if action.startswith("admin:") else "owner" in principal.roles


@contextmanager
def world() -> Iterator[World]:
    """A world of its own, in memory."""
    clock = ManualClock()
    gateway = FakeGateway(clock)
    settings = kit_settings(billing={"policy": "hybrid"}, receipts={"seller": "Shops Ltd"})
    addons = AddOns(settings, clock=clock, environ={}, gateways=[gateway], profile=_profile)
    with closing(gateway), closing(addons):
        paid = addons.orders.start("shop-a", "VALUE", user="u-a")
        gateway.pay(paid.attempt.reference)
        addons.orders.verify("shop-a", paid.attempt.reference)
        addons.subscriptions.subscribe("shop-a", paid=True)
        addons.subscriptions.cancel("shop-a")
        waiting = addons.orders.start("shop-a", "QUICK", user="u-a", phone="0201234987", network="telecel")
        charged = addons.billing.charge_credits("shop-a", "u-a", "report_summary", None, idempotency_key="call-of-a")
        yield World(
            web=Web(addons, authorize=may),
            addons=addons,
            gateway=gateway,
            paid=paid.order.id,
            waiting=waiting.order.id,
            reference=waiting.attempt.reference,
            call=charged["transaction_id"],
        )


def _profile(business: str) -> BusinessProfile:
    return BusinessProfile(name=business, email=f"owner@{business}.example", phone="0241234567", storefronts=2)


def told(web: Web) -> list[Endpoint]:
    """The endpoints that are for machines."""
    return [endpoint for endpoint in web.endpoints if is_told(endpoint)]


def statuses(endpoint: Endpoint) -> dict[str, int]:
    """What an endpoint answers to everybody, the owner last."""
    with world() as made:
        return {name: made.ask(endpoint, principal).status for name, principal in ASKERS.items()}


def rows() -> Iterator[tuple[str, ...]]:
    """The lines of the table."""
    with world() as made:
        endpoints = told(made.web)
    for endpoint in endpoints:
        found = statuses(endpoint)
        action = f"`{endpoint.action}`" if endpoint.action else "none"
        yield (f"`{endpoint.method} {endpoint.path}`", action, *(str(found[name]) for name in ASKERS))


def page() -> tuple[str, ...]:
    """The page, without its head."""
    head = ("endpoint", "action", *ASKERS)
    lines = [head, ("---",) * len(head), *rows()]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    about = (
        "What each of them gets. Every endpoint was asked by everybody, for the things of one shop: by somebody who is "
        "not signed in, by somebody whom the host's `authorize` allows nothing, by the operator who acts for no shop, "
        "by the owner of another shop, and by their own owner. What has no id of a shop's thing in its address or body "
        "is about the asker's own shop. A 404 for another shop's things is the same, to the byte, as for things that "
        "are not there. A webhook is known by its signature alone; this one had none. The 409 are answers about the "
        "state of the add-on and the trial, which this shop's policy does not offer."
    )
    return about, table
