"""What every payment gateway does, shown on the fakes: in this process, and over real HTTP."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.gateways.base import (
    AuditableGateway,
    CardGateway,
    Gateway,
    PhoneGateway,
)
from ai_addons.billing.gateways.fake.server import KEY, FakeGatewayServer
from ai_addons.testing.contracts import GatewayContract
from ai_addons.testing.gateway import FakeGateway, GatewaySide
from ai_addons.testing.gateway_client import FakePaystack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.testing.gateways import GatewayDriver


class TestInProcess(GatewayContract):
    """The fixture `ai_gateway`."""

    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    def _gateway(self, ai_gateway: FakeGateway) -> None:
        self.gateway = ai_gateway

    def make(self) -> Gateway:
        return self.gateway

    def side(self) -> GatewayDriver:
        return self.gateway


class TestOverHttp(GatewayContract):
    """The adapter `fake` and the server, as on a developer's machine."""

    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    def _gateway(self) -> Iterator[None]:
        with FakeGatewayServer() as self.server, closing(FakePaystack(self.server.url)) as self.gateway:
            yield

    def make(self) -> Gateway:
        return self.gateway

    def side(self) -> GatewayDriver:
        return GatewaySide(self.server.desk)


class Plain:
    """A gateway that offers no more than it must."""

    def __init__(self, inner: FakeGateway) -> None:
        self.name, self.live = inner.name, inner.live
        self.checkout, self.fetch, self.refund = inner.checkout, inner.fetch, inner.refund
        self.read_webhook = inner.read_webhook


class TestPlain(TestInProcess):
    """What it does not offer it is not asked for."""

    def make(self) -> Gateway:
        return Plain(self.gateway)


def test_the_fakes_offer_everything(ai_gateway: FakeGateway) -> None:
    """Else the contract would pass by asking nothing."""
    assert isinstance(ai_gateway, PhoneGateway)
    assert isinstance(ai_gateway, CardGateway)
    assert isinstance(ai_gateway, AuditableGateway)
