"""What the web keeps and reads, on PostgreSQL as on SQLite."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.books import kept_in, new_url
from tests.web import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose books are in a file or on a server, and who may ask twice a minute."""
    with kept_in(request.param):
        url = new_url(tmp_path)
    with closing(Shop(store={"url": url}, web={"user_requests": 2})) as made:
        yield made


def test_a_key_is_one_order_on_either_database(shop: Shop) -> None:
    """The first answer again, then a conflict, then too many."""
    key = {"idempotency-key": "k1"}
    first, second, third = (shop.post("ai/purchase/", {"pack_type": "VALUE"}, headers=key) for _ in range(3))
    assert (first.status, second.raw, third.status) == (201, first.raw, 429)
    assert shop.post("ai/trial/", headers=key).code == "idempotency_conflict"


def test_a_payment_is_waited_for_and_listed_on_either_database(shop: Shop) -> None:
    """Polled, paid, granted, and then on the pages of orders and of the ledger."""
    made = shop.buy("VALUE", phone="024 400 0000", network="mtn").body
    path = f"ai/purchases/{made['purchase_id']}/"
    assert shop.get(path).body["next_step"] == "approve_on_phone"
    shop.gateway.pay(made["payment_reference"])
    assert shop.get(path).body["status"] == "PENDING"
    shop.clock.advance(4)
    assert shop.get(path).body["status"] == "SUCCESSFUL"
    assert [one["id"] for one in shop.get("ai/purchases/").body["purchases"]] == [made["purchase_id"]]
    assert [one["seq"] for one in shop.get("ai/ledger/", query={"limit": "1"}).body["entries"]] == [2]
    assert shop.get("ai/credits/").body["total_purchased"] == "100.00"


def test_coming_back_without_end_asks_the_gateway_as_often_as_one_may(shop: Shop) -> None:
    """The page asks the gateway each time, so it is counted like the endpoint that does."""
    reference = shop.buy("VALUE").body["payment_reference"]
    statuses = [shop.get("ai/ui/return/", query={"reference": reference}).status for _ in range(3)]
    assert statuses == [303, 303, 429]


@pytest.mark.parametrize("reference", ["a\0b", "x" * 256])
def test_a_reference_that_no_database_holds_is_not_there(shop: Shop, reference: str) -> None:
    """A browser may come back with anything in its address."""
    assert shop.get("ai/ui/return/", query={"reference": reference}).status == 404


def test_an_address_with_a_control_character_is_none_on_either_database(shop: Shop) -> None:
    """PostgreSQL could not even keep it; a form says no more than a client's request does."""
    assert shop.buy("VALUE", email="a\0b@shop.example").status == 422
    assert shop.buy("VALUE", email="a\x1bb@shop.example").status == 422
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = b"item=VALUE&key=k&way=page&email=a%00b@shop.example"
    assert shop.ask("POST", "ai/ui/buy/pay/", body, headers=form).status == 422
    assert shop.get("ai/purchases/").body["purchases"] == []


def test_what_is_erased_is_gone_on_either_database(shop: Shop) -> None:
    """Counters and kept answers, and the sweep runs over what is left."""
    shop.post("ai/trial/", headers={"idempotency-key": "k1"})
    shop.addons.erase("biz_7", actor="boss")
    shop.addons.sweep()
    assert shop.buy("VALUE").status == 201
