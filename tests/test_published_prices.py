"""Published prices and packs at the till: what is listed, quoted, held, charged and offered is one price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ai_addons import AddOns, Credits, InsufficientCreditsError, Money, Prompt, Settings, billed_feature
from ai_addons.catalog import Pack, Registry
from ai_addons.errors import UnknownFeature
from ai_addons.testing.fakes import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.feature import Feature

BUSINESS = "biz_7"


@pytest.fixture
def clock() -> ManualClock:
    """A clock that only the test moves."""
    return ManualClock()


@pytest.fixture
def addons(tmp_path: Path, clock: ManualClock) -> AddOns:
    """A shop on the offline model, whose settings price the feature at 2 credits."""
    settings = Settings(
        store={"url": f"sqlite:///{tmp_path / 'books.db'}"},
        cache={"backend": "off"},
        prices={"features": {"shelf_label": "2"}},
    )
    return AddOns(settings, clock=clock, registry=Registry(), environ={})


@pytest.fixture
def label(addons: AddOns) -> Feature[[str], str]:
    """A feature of the host's own, at 1 credit by its code."""

    @billed_feature("shelf_label", credits="1")
    def shelf_label(product: str) -> Prompt:
        """Write a label."""
        return Prompt(user="Write a label.", data={"product": product})

    addons._registry.add(shelf_label.spec, "here")
    return shelf_label.options(addons=addons, business=BUSINESS)


def test_a_published_price_is_the_price_everywhere(addons: AddOns, label: Feature[[str], str]) -> None:
    """Price list, quote, hold, receipt and call log agree, and the log names the version."""
    addons.grant(BUSINESS, 100, source="adjustment", ref="welcome")
    assert label.quote("Milo").price == Credits(2)
    version = addons.prices.publish("shelf_label", "3", actor="ama").version

    assert [(one.key, one.credits) for one in addons.price_list().features if one.key == "shelf_label"] == [
        ("shelf_label", Credits(3))
    ]
    assert label.quote("Milo").price == Credits(3)
    assert label.billed("Milo").receipt.charged == Credits(3)
    assert [(row.charged, row.price_version) for row in addons.transactions(BUSINESS)] == [
        (Credits(3), str(version.effective_from))
    ]
    assert addons.prices.history("shelf_label") == [version]


@pytest.mark.anyio
async def test_async_calls_pay_the_published_price(addons: AddOns, label: Feature[[str], str]) -> None:
    """Prices are read beside the event loop; the answer is the same."""
    addons.grant(BUSINESS, 100, source="adjustment", ref="welcome")
    addons.prices.publish("shelf_label", "3", actor="ama")
    assert (await label.aio.quote("Milo")).price == Credits(3)
    assert (await label.aio.billed("Milo")).receipt.charged == Credits(3)


def test_a_price_waits_for_its_day(addons: AddOns, label: Feature[[str], str], clock: ManualClock) -> None:
    """Until then the settings say what it costs."""
    begins = datetime.fromtimestamp(clock.now() / 1_000_000, UTC) + timedelta(days=1)
    addons.prices.publish("shelf_label", "3", effective_from=begins, actor="ama")
    clock.advance(86_399)
    assert label.quote("Milo").price == Credits(2)
    clock.advance(1)
    assert label.quote("Milo").price == Credits(3)


def test_a_refusal_offers_the_published_packs(addons: AddOns, label: Feature[[str], str]) -> None:
    """Price list, quote and refusal sell the same packs."""
    mini = Pack(type="MINI", price=Money(10), credits=Credits(10))
    addons.prices.publish_pack(mini, actor="ama")
    addons.prices.withdraw_pack("STARTER", actor="ama")

    assert [pack.type for pack in addons.price_list().packs] == ["MINI", "VALUE", "PRO"]
    assert [offer.type for offer in label.quote("Milo").offers] == ["MINI", "VALUE", "PRO"]
    with pytest.raises(InsufficientCreditsError) as refused:
        label("Milo")
    assert [offer.type for offer in refused.value.offers] == ["MINI", "VALUE", "PRO"]


def test_only_a_known_feature_has_a_price(addons: AddOns) -> None:
    """A mistyped key is found before anything is written."""
    with pytest.raises(UnknownFeature):
        addons.prices.publish("shelf_lable", "3", actor="ama")
