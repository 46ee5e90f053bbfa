"""What is told when credits run low: the packs that help, the same everywhere."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, InsufficientCreditsError, Settings
from ai_addons.billing.packs import offers
from ai_addons.events import WalletEvent
from ai_addons.money import Credits
from ai_addons.testing import fakes
from tests.books import DAY, OK, Books

if TYPE_CHECKING:
    from ai_addons.billing.records import Hold

pytestmark = pytest.mark.usefixtures("each_database")


class Heard:
    """Low-balance alerts."""

    def __init__(self) -> None:
        self.events: list[WalletEvent] = []

    def __call__(self, event: Any, /) -> None:
        if isinstance(event, WalletEvent) and event.topic == "wallet.low_balance":
            self.events.append(event)


@pytest.fixture
def heard() -> Heard:
    """Whoever listens."""
    return Heard()


@pytest.fixture
def books(heard: Heard) -> Books:
    """A business with 100 credits."""
    return Books("100", hooks=[heard], outbox=True)


def spend(books: Books, amount: str) -> None:
    """One call."""
    hold: Hold = books.hold(amount)
    books.store.capture(hold, OK)


def types(event: WalletEvent) -> list[str]:
    """What it offers."""
    return [offer.type for offer in event.offers]


def test_the_alert_names_the_packs_that_help(books: Books, heard: Heard) -> None:
    """All that lift the credits above the threshold, cheapest first; in the outbox as a refused call gives them."""
    spend(books, "90.5")
    (event,) = heard.events
    assert dict(event.facts) == {"posted": "9.50", "threshold": "10.00", "suggested": "VALUE"}
    assert types(event) == ["STARTER", "VALUE", "PRO"]
    ((facts,),) = books.sql("SELECT facts FROM ai_outbox")
    assert json.loads(facts) == {
        **event.facts,
        "offers": [
            {"type": "STARTER", "price": "30.00", "currency": "GHS", "credits": "30.00"},
            {"type": "VALUE", "price": "80.00", "currency": "GHS", "credits": "100.00"},
            {"type": "PRO", "price": "180.00", "currency": "GHS", "credits": "250.00"},
        ],
    }


@pytest.mark.parametrize(
    ("days", "a_day", "suggested"),
    [(1, "1", "VALUE"), (20, "1", "STARTER"), (20, "4", "VALUE"), (60, "0.1", "")],
)
def test_what_is_suggested_is_what_the_business_uses(
    books: Books, heard: Heard, days: int, a_day: str, suggested: str
) -> None:
    """A fortnight of its usual days, today not counted; nothing where what is left covers it."""
    for _ in range(days):
        spend(books, a_day)
        books.clock.advance(DAY // 1_000_000)
    left = books.store.wallet(books.business).available - Credits("9.5")
    spend(books, str(left.decimal))
    assert [event.facts["suggested"] for event in heard.events] == [suggested]


def test_a_threshold_above_every_pack_offers_the_largest(heard: Heard) -> None:
    """Half a way is better than none."""
    books = Books("1000", hooks=[heard], low=Credits(900))
    spend(books, "500")
    assert [types(event) for event in heard.events] == [["PRO"]]


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_alert_wallet_price_list_and_refusal_agree(heard: Heard) -> None:
    """The wallet says low when the alert fires; each pack offered is on the price list, at the same price."""
    settings = Settings(store={"url": "sqlite://"})
    with closing(AddOns(settings, hooks=(heard,), clock=fakes.ManualClock())) as addons:
        addons.grant("biz_7", "100", source="adjustment", ref="welcome")
        charge = addons.billing.charge_credits
        charge("biz_7", "u_1", "portfolio_dashboard", 0, idempotency_key="first")
        assert not addons.wallet("biz_7").low
        for number in range(18):
            charge("biz_7", "u_1", "portfolio_dashboard", 0, idempotency_key=f"call-{number}")
        (event,) = heard.events
        wallet = addons.wallet("biz_7")
        assert wallet.low
        assert str(wallet.posted) == event.facts["posted"] == "5.00"
        packs = addons.price_list().packs
        assert event.offers == offers(packs, Credits(10) - wallet.posted)
        charge("biz_7", "u_1", "portfolio_dashboard", 0, idempotency_key="last")
        with pytest.raises(InsufficientCreditsError) as refused:
            charge("biz_7", "u_1", "portfolio_dashboard", 0, idempotency_key="refused")
        assert refused.value.offers == event.offers
