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


def test_what_is_erased_is_gone_on_either_database(shop: Shop) -> None:
    """Counters and kept answers, and the sweep runs over what is left."""
    shop.post("ai/trial/", headers={"idempotency-key": "k1"})
    shop.addons.erase("biz_7", actor="boss")
    shop.addons.sweep()
    assert shop.buy("VALUE").status == 201
