"""A small month of trade whose every figure can be worked out by hand, and who looks at it.

By day (September 2026, in Accra; today is the 26th), with credits of shop_a at GHS 0.80 and the dollar at GHS 11.646:

==== ======= ================== ===== ======= ========= =============================
day  shop    feature            calls credits USD each  took, and what came of it
==== ======= ================== ===== ======= ========= =============================
21   shop_a  report_summary     10    0.2     0.001     400 ms
21   shop_a  report_summary     2     0.2     0         8 ms, stored answers
24   shop_a  credit_assessment  1     3       0.05      2,600 ms
24   shop_a  credit_assessment  1     3       0.05      3,400 ms
24   shop_a  credit_assessment  1     0       0.02      30 s, provider_timeout
26   shop_b  credit_assessment  1     3 free  0.05      900 ms
==== ======= ================== ===== ======= ========= =============================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ai_addons.addons import AddOns
from ai_addons.billing.fx.base import FxRate, day_at
from ai_addons.billing.records import CallIdentity, CallRecord, Hold
from ai_addons.money import Credits, Money, PicoUsd
from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.gateway import FakeGateway
from ai_addons.testing.kit import kit_settings
from ai_addons.testing.model import FakeLlm
from ai_addons.web import Principal, Web, WebRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.settings import FxSettings
    from ai_addons.web import Action, WebResponse

PICO: Final = 10**12
DAY: Final = 86_400
MODEL: Final = "openai/gpt-6-luna"

ANSWER: Final = CallRecord(outcome="ok", source="ai", model=MODEL, cost=PicoUsd(PICO // 20), latency_ms=900)
TIMEOUT: Final = replace(
    ANSWER, outcome="failed", error_code="provider_timeout", cost=PicoUsd(PICO // 50), latency_ms=30_000
)
SUMMARY: Final = replace(ANSWER, cost=PicoUsd(PICO // 1_000), latency_ms=400, cacheable=True)
STORED: Final = replace(SUMMARY, source="cache", cost=PicoUsd(0), latency_ms=8, saved=PicoUsd(PICO // 1_000))

READER: Final = Principal(business_id="", user_id="esi@pos.example", roles=frozenset({"read"}))
WRITER: Final = Principal(business_id="", user_id="kofi@pos.example", roles=frozenset({"read", "write"}))
NAMELESS: Final = Principal(business_id="", roles=frozenset({"read", "write"}))
SHOP: Final = Principal(business_id="shop_a", user_id="ama", roles=frozenset({"shop"}))
STRANGER: Final = Principal(business_id="shop_x", user_id="yaw")

_ACTIONS: Final[Mapping[str, frozenset[Action]]] = {
    "read": frozenset({"admin:read"}),
    "write": frozenset({"admin:write"}),
    "shop": frozenset({"credits:read", "credits:purchase", "usage:read", "addon:manage"}),
}


class Leaping:
    """A source of exchange rates: GHS 11.50 for a dollar on 21 September, later far more."""

    def fetch(self, now: int) -> FxRate:
        """The rate of the day."""
        today = day_at(now)
        rate = "11.5" if today == date(2026, 9, 21) else "20.25"
        return FxRate(rate=Decimal(rate), as_of=today, source="leaping", kind="market", fetched_at=now)


def leaping(fx: FxSettings) -> Leaping:
    """Make the source, as the settings name it: ``tests.operator_month:leaping``."""
    return Leaping()


def authorize(principal: Principal, action: Action) -> bool:
    """What a host would say: rights come from roles."""
    return any(action in _ACTIONS[role] for role in principal.roles)


@dataclass(frozen=True, slots=True)
class Office:
    """The operator's office: the SDK with its clock and gateway, behind the endpoints."""

    addons: AddOns
    clock: ManualClock
    gateway: FakeGateway
    web: Web

    def get(self, path: str, principal: Principal | None = READER, **query: str) -> WebResponse:
        """Ask for something."""
        return self.web.dispatch(
            WebRequest(method="GET", path=path, query=query, principal=principal, root="/pos/", csrf_token="t<k>n")
        )

    def post(
        self, path: str, body: bytes, principal: Principal | None = WRITER, *, kind: str = "application/json"
    ) -> WebResponse:
        """Send something."""
        return self.web.dispatch(
            WebRequest(
                method="POST",
                path=path,
                headers={"content-type": kind},
                body=body,
                principal=principal,
                root="/pos/",
                csrf_token="t<k>n",
            )
        )

    def call(self, business: str, feature: str, amount: str, record: CallRecord) -> None:
        """Book one call."""
        store = self.addons._wiring.store
        key = self.addons._wiring.books.new_id(self.clock.now())
        identity = CallIdentity(
            business=business, user="u_1", id=key, feature=feature, request_hash="request", keyed=False
        )
        held = store.hold(identity, Credits(amount))
        assert isinstance(held, Hold)
        if record.outcome == "ok":
            store.capture(held, record)
        else:
            store.void(held, record)

    def close(self) -> None:
        """Let go of everything."""
        self.addons.close()
        self.gateway.close()


def open_office(url: str = "sqlite://", **settings: Any) -> Office:
    """An office where nothing has happened."""
    clock = ManualClock()
    gateway = FakeGateway(clock)
    addons = AddOns(
        kit_settings(store={"url": url}, **settings),
        clock=clock,
        llm=FakeLlm(clock),
        environ={},
        gateways=(gateway,),
    )
    return Office(addons, clock, gateway, Web(addons, authorize=authorize))


def trade(office: Office) -> None:
    """The calls of the month; ends on its sixth day."""
    addons = office.addons
    addons.grant("shop_a", "100", source="purchase", ref="order-1", paid=Money("80", "GHS"))
    addons.grant("shop_b", "5", source="trial", ref="trial")
    for record in (*[SUMMARY] * 10, *[STORED] * 2):
        office.call("shop_a", "report_summary", "0.2", record)
    office.clock.advance(3 * DAY)
    for record in (replace(ANSWER, latency_ms=2_600), replace(ANSWER, latency_ms=3_400), TIMEOUT):
        office.call("shop_a", "credit_assessment", "3", record)
    office.clock.advance(2 * DAY)
    office.call("shop_b", "credit_assessment", "3", ANSWER)
    # A report ends just before now.
    office.clock.advance(1)


def buy(office: Office) -> str:
    """Three orders: one paid, one that waits, one paid too little; the id of the payment that does not fit."""
    more: dict[str, Any] = {"email": "owner@shop.example", "phone": "0244000000", "network": "mtn"}
    orders = office.addons.orders
    paid = orders.start("shop_a", "VALUE", **more).attempt.reference
    office.gateway.pay(paid)
    orders.verify("shop_a", paid)
    orders.start("shop_b", "STARTER", **more)
    short = orders.start("shop_c", "STARTER", **more).attempt.reference
    office.gateway.pay(short)
    office.gateway.amount(short, Money("20", "GHS"))
    orders.verify("shop_c", short)
    (aside,) = orders.quarantined()
    return aside.id
