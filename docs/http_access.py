"""Asks every endpoint as everybody who might: what each of them gets is the page ``reference/http-access.md``."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from ai_addons import AddOns
from ai_addons.billing.fx.base import FxRate, day_at
from ai_addons.billing.profile import BusinessProfile
from ai_addons.money import Money
from ai_addons.testing import ManualClock
from ai_addons.testing.gateway import FakeGateway
from ai_addons.testing.kit import kit_settings
from ai_addons.web import Principal, Web, WebRequest
from ai_addons.web.openapi import is_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ai_addons.settings import FxSettings
    from ai_addons.web import Action, WebResponse
    from ai_addons.web.base import Endpoint

OWNER: Final = "owner"
OPERATOR: Final = "operator"
ASKERS: Final[Mapping[str, Principal | None]] = {
    "nobody": None,
    "stranger": Principal(business_id="shop-c", user_id="u-c"),
    OPERATOR: Principal(business_id="", user_id="u-o", roles=frozenset({"operator"})),
    "another shop": Principal(business_id="shop-b", user_id="u-b", roles=frozenset({"owner"})),
    OWNER: Principal(business_id="shop-a", user_id="u-a", roles=frozenset({"owner"})),
}
"""Everybody who may ask: not signed in, signed in without any right, the operator who acts for no shop, the owner of
another shop, and the owner whose things are asked for."""

ABOUT: Final = (
    "What each of them gets. Every endpoint was asked by everybody, for the things of one shop: by somebody who is "
    "not signed in, by somebody whom the host's `authorize` allows nothing, by the operator who acts for no shop, "
    "by the owner of another shop, and by their own owner. What has no id of a shop's thing in its address or body "
    "is about the asker's own shop, or about all shops where the action is `admin:…`. A 404 for another shop's "
    "things is the same, to the byte, as for things that are not there. What has `ui` or `pages` in its address, "
    "and `ai/admin/`, is a page: its errors are pages too, and its forms lead on with a 303. A webhook is known by "
    "its signature alone; this one had none. The 409 are answers about the state of the add-on and the trial, "
    "which this shop's policy does not offer."
)
"""What the page says of its table."""

_THIRD: Final = "shop-d"
_OF_WHAT_IS_PAID: Final = frozenset({"purchase_receipt", "ui_receipt", "ui_note"})
_DAY: Final = 86_400
_BEFORE: Final = "11.5"
_LEAPT: Final = "20.25"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A shop with a paid order and one that waits, another shop that has nothing, and what an operator must see to.

    Attributes:
        web: The endpoints.
        addons: What answers.
        gateway: Where payers pay.
        paid: Id of the paid order.
        waiting: Id of the one that waits for a code.
        reference: Of its attempt.
        call: Id of a call that was paid.
        note: Number of the paid order's credit note.
        aside: Id of a payment that does not fit, of a third shop.
    """

    web: Web
    addons: AddOns
    gateway: FakeGateway
    paid: str
    waiting: str
    reference: str
    call: str
    note: str
    aside: str

    def ask(self, endpoint: Endpoint, principal: Principal | None) -> WebResponse:
        """Ask an endpoint for the first shop's things."""
        return self.web.dispatch(self.request(endpoint, principal, self._bodies.get(endpoint.name, {})))

    def request(self, endpoint: Endpoint, principal: Principal | None, body: Mapping[str, object]) -> WebRequest:
        """A request to an endpoint about the first shop's things; what pages send are forms."""
        sent = urlencode(body) if endpoint.page else json.dumps(body)
        return WebRequest(
            method=endpoint.method,
            path=self._path(endpoint),
            query=self._queries.get(endpoint.name, {}),
            headers={"content-type": "application/x-www-form-urlencoded" if endpoint.page else "application/json"},
            body=b"" if endpoint.method == "GET" else sent.encode(),
            principal=principal,
        )

    def _path(self, endpoint: Endpoint) -> str:
        order = self.paid if endpoint.name in _OF_WHAT_IS_PAID else self.waiting
        parts = {"id": order, "order": order, "gateway": "fake", "number": self.note}
        return endpoint.path.format(**parts, business=_THIRD, payment=self.aside)

    @property
    def _bodies(self) -> Mapping[str, Mapping[str, object]]:
        why: Mapping[str, object] = {"reason": "A look at who may."}
        return {
            "purchase": {"pack_type": "VALUE"},
            "verify_payment": {"reference": self.reference},
            "purchase_otp": {"otp": self.gateway.otp(self.reference)},
            "feedback": {"transaction_id": self.call, "rating": 5},
            "ui_start": {"item": "VALUE", "way": "page", "key": "k-1"},
            "ui_again": {"way": "page", "key": "k-2"},
            "ui_otp": {"otp": self.gateway.otp(self.reference)},
            "ui_addon_cancel": {"when": "end"},
            "admin_pause": why,
            "admin_resume": why,
            "admin_confirm": {"rate": _LEAPT, **why},
            "admin_release": why,
            "admin_refunded": why,
            "admin_page_change": {"what": "release", "business": _THIRD, "payment": self.aside, **why},
        }

    @property
    def _queries(self) -> Mapping[str, Mapping[str, str]]:
        return {
            "ui_pay": {"item": "VALUE"},
            "ui_return": {"reference": self.reference},
            "admin_page_ask": {"what": "release", "business": _THIRD, "payment": self.aside},
        }


class Leaping:
    """A source of exchange rates that says nearly twice as much from the second day on, which nobody takes unasked."""

    def fetch(self, now: int) -> FxRate:
        """The rate of the day."""
        today = day_at(now)
        rate = _BEFORE if today == day_at(ManualClock().now()) else _LEAPT
        return FxRate(rate=Decimal(rate), as_of=today, source="leaping", kind="market", fetched_at=now)


def leaping(_fx: FxSettings) -> Leaping:
    """Make the source, as the settings name it."""
    return Leaping()


def may(principal: Principal, action: Action) -> bool:
    """What a host might say: owners do all for their shop, operators what is for operators."""
    return "operator" in principal.roles if action.startswith("admin:") else "owner" in principal.roles


@contextmanager
def world() -> Iterator[World]:
    """A world of its own, in memory."""
    clock = ManualClock()
    gateway = FakeGateway(clock)
    settings = kit_settings(
        billing={"policy": "hybrid"}, receipts={"seller": "Shops Ltd"}, fx={"sources": (f"{__name__}:leaping",)}
    )
    addons = AddOns(settings, clock=clock, environ={}, gateways=[gateway], profile=_profile)
    with closing(gateway), closing(addons):
        addons.rates.refresh(force=True)
        clock.advance(_DAY)
        addons.rates.refresh(force=True)
        paid = addons.orders.start("shop-a", "VALUE", user="u-a")
        gateway.pay(paid.attempt.reference)
        addons.orders.verify("shop-a", paid.attempt.reference)
        addons.orders.refund("shop-a", paid.order.id, 8, key="back-1", actor="u-o", reason="A gift.")
        gateway.move_refund(gateway.refunds(paid.attempt.reference)[0].id, "processed")
        addons.orders.reconcile()
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
            note=addons.orders.credit_notes("shop-a", paid.order.id)[0].number,
            aside=_aside(addons, gateway),
        )


def _aside(addons: AddOns, gateway: FakeGateway) -> str:
    """A payment of the third shop that is too small, and waits for an operator."""
    reference = addons.orders.start(_THIRD, "QUICK").attempt.reference
    gateway.pay(reference)
    gateway.amount(reference, Money("20", "GHS"))
    addons.orders.verify(_THIRD, reference)
    (aside,) = addons.orders.quarantined()
    return aside.id


def _profile(business: str) -> BusinessProfile:
    return BusinessProfile(name=business, email=f"owner@{business}.example", phone="0241234567", storefronts=2)


def looked_at(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """The endpoints that answer differently to different people: all but the files of the pages."""
    return [endpoint for endpoint in endpoints if is_told(endpoint) or endpoint.page]


def statuses(endpoint: Endpoint) -> dict[str, int]:
    """What an endpoint answers to everybody, the owner last."""
    with world() as made:
        return {name: made.ask(endpoint, principal).status for name, principal in ASKERS.items()}


def row(endpoint: Endpoint, found: Mapping[str, int]) -> str:
    """The line of an endpoint in the table, with what it answered to everybody."""
    action = f"`{endpoint.action}`" if endpoint.action else "none"
    return _line(f"`{endpoint.method} {endpoint.path}`", action, *(str(found[name]) for name in ASKERS))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def table(rows: Iterable[str]) -> str:
    """The table of these lines."""
    head = ("endpoint", "action", *ASKERS)
    return "\n".join((_line(*head), _line(*("---",) * len(head)), *rows))


def page() -> tuple[str, str]:
    """The page, without its head: what it is about, and the table."""
    with world() as made:
        endpoints = looked_at(made.web.endpoints)
    return ABOUT, table(row(endpoint, statuses(endpoint)) for endpoint in endpoints)
