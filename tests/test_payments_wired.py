"""Orders, gateways, exchange rates, refunds and receipts as the settings put them together."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

import httpx
import pytest

from ai_addons import AddOns
from ai_addons.billing.gateways.stripe import Stripe
from ai_addons.billing.records import Rate
from ai_addons.errors import StaleRate
from ai_addons.money import Credits, Money
from ai_addons.settings import GatewaySettings
from ai_addons.testing import ManualClock
from ai_addons.testing.kit import kit_settings
from tests.gateways import STRIPE_KEY, listed, session
from tests.rates import TODAY, rate
from tests.scripted_gateway import EMAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.fx.base import FxRate
    from ai_addons.settings import FxSettings
    from ai_addons.testing.gateway import FakeGateway

BANK = f"{__name__}:Bank"
CARDS = f"{__name__}:Cards"


class Bank:
    """A source that publishes 11.646 cedis for a dollar."""

    def __init__(self, settings: FxSettings) -> None:
        del settings

    def fetch(self, now: int) -> FxRate:
        return rate("11.646", source=BANK, fetched_at=now)


class Cards(Stripe):
    """Stripe's own adapter, as the settings make it, with a small Stripe at the other end."""

    sessions: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, settings: GatewaySettings, **parts: Any) -> None:
        chosen = settings.model_copy(update={"keys": GatewaySettings(keys=(STRIPE_KEY,)).keys})
        super().__init__(chosen, **parts, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
            made: dict[str, Any] = session(
                client_reference_id=form["client_reference_id"],
                amount_total=int(form["line_items[0][price_data][unit_amount]"]),
                currency=form["line_items[0][price_data][currency]"],
            )
            self.sessions.append(made)
            return httpx.Response(200, json=made)
        if request.url.path.endswith("/cs_test_1"):
            return httpx.Response(200, json=self.sessions[-1])
        return httpx.Response(200, json=listed(*self.sessions)[1])


@pytest.fixture
def sessions() -> list[dict[str, Any]]:
    """What that Stripe knows."""
    Cards.sessions.clear()
    return Cards.sessions


def _shop(**fx: Any) -> AddOns:
    settings = kit_settings(fx=fx, payments={"gateways": [CARDS], "return_url": "https://shop.example/back"})
    return AddOns(settings, clock=ManualClock(), environ={})


@pytest.fixture
def shop(sessions: list[dict[str, Any]]) -> Iterator[AddOns]:
    """A shop that takes cards in dollars, by the rate of its bank."""
    del sessions
    with closing(_shop(sources=[BANK])) as addons:
        yield addons


def test_a_price_in_cedis_is_charged_in_dollars_by_the_banks_rate_and_kept(shop: AddOns) -> None:
    """The attempt keeps USD 6.87 and the rate, and that is what the gateway's answer is held to."""
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    assert payment.order.price == Money(80)
    (attempt,) = shop.orders.find("biz_7", payment.order.id)[1]
    assert attempt.asked == Money("6.87", "USD")
    assert attempt.rate == Rate(scaled=1_164_600_000, day=TODAY, source=BANK)
    applied = shop.orders.verify("biz_7", attempt.reference)
    assert (applied.verdict, applied.added) == ("grant", Credits(100))


@pytest.mark.parametrize("change", [{"amount_total": 686}, {"currency": "ghs"}])
def test_less_than_was_charged_is_not_enough(
    shop: AddOns, sessions: list[dict[str, Any]], change: dict[str, Any]
) -> None:
    """Neither a cent too few nor the same number of pesewas pays."""
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    sessions[-1] |= change
    applied = shop.orders.verify("biz_7", payment.attempt.reference)
    assert (applied.verdict, applied.added) == ("quarantine", Credits(0))


@pytest.mark.parametrize("fx", [{}, {"sources": [BANK], "stale_after": 0, "as_of": date(2026, 9, 1)}])
def test_nobody_is_charged_by_a_stale_rate(sessions: list[dict[str, Any]], fx: dict[str, Any]) -> None:
    """The rate of the settings is none to charge by, and neither is one from days ago; the gateway hears nothing."""
    with closing(_shop(**fx)) as addons:
        if fx:
            addons.rates.refresh()
            clock: Any = addons._wiring.clock
            clock.advance(86_400)
        with pytest.raises(StaleRate):
            addons.orders.start("biz_7", "VALUE", email=EMAIL)
        (order,) = addons.orders.history("biz_7")
        (attempt,) = addons.orders.find("biz_7", order.id)[1]
    assert (order.state, attempt.state, sessions) == ("pending", "failed", [])


# Money that goes back, by Paystack's own adapter and HTTP API.


@pytest.fixture
def paid(ai_gateway: FakeGateway, ai_clock: ManualClock) -> Iterator[tuple[AddOns, str, str]]:
    """A shop with a VALUE pack that was paid: its order and its attempt."""
    with closing(AddOns(kit_settings(), clock=ai_clock, environ={}, gateways=[ai_gateway])) as addons:
        payment = addons.orders.start("biz_7", "VALUE", email=EMAIL)
        ai_gateway.pay(payment.attempt.reference)
        addons.orders.verify("biz_7", payment.attempt.reference)
        yield addons, payment.order.id, payment.attempt.reference


def _state(addons: AddOns, order: str) -> tuple[str, str]:
    return addons.orders.find("biz_7", order)[0].state, addons.wallet("biz_7").available.short


def test_a_dispute_lost_in_part_takes_its_credits_once(ai_gateway: FakeGateway, paid: tuple[AddOns, str, str]) -> None:
    """The refund that it ends in names the dispute: it is the same money."""
    addons, order, reference = paid
    row = ai_gateway.desk.open_dispute(reference, 4_000)
    addons.orders.reconcile()
    addons.orders.receive("fake", *ai_gateway.webhook(reference, "charge.dispute.create"))
    addons.orders.work_inbox()
    assert _state(addons, order) == ("disputed", "0")
    ai_gateway.desk.resolve(row.id, "merchant-accepted")
    addons.orders.reconcile()
    assert _state(addons, order) == ("partially_refunded", "50")
    assert len(ai_gateway.refunds(reference)) == 1
    assert addons.doctor().findings == ()


def test_a_refund_is_sent_and_followed_to_its_end(ai_gateway: FakeGateway, paid: tuple[AddOns, str, str]) -> None:
    """Pending, then processed: the credits are frozen, then gone."""
    addons, order, reference = paid
    asyncio.run(addons.aio.orders.refund("biz_7", order, key="r1", actor="kofi", reason="wrong pack"))
    assert _state(addons, order) == ("successful", "0")
    (told,) = ai_gateway.refunds(reference)
    ai_gateway.desk.move_refund(int(told.id), "processed")
    addons.orders.reconcile()
    assert _state(addons, order) == ("refunded", "0")
    assert asyncio.run(addons.aio.orders.money_back("biz_7", order)).fully_reversed
    assert asyncio.run(addons.aio.orders.forgive("biz_7", order, actor="kofi", reason="none")).owed == Credits(0)
