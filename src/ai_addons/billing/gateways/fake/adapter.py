"""The gateway ``fake``: the adapter for Paystack, with the fake gateway at the other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from ai_addons.billing.gateways.fake.server import KEY, PORT
from ai_addons.billing.gateways.paystack import Paystack
from ai_addons.settings import GatewaySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from ai_addons.billing.records import Rate
    from ai_addons.clock import Clock

_USUAL: Final = f"http://127.0.0.1:{PORT}"


class FakePaystack(Paystack):
    """Paystack's adapter, asking a `FakeGatewayServer`.

    Args:
        base_url: Where it listens.
        key: Its secret key, which is no secret.
        transport: Another way there than the network.
        clock: Waits between the attempts at a read.
    """

    name: str = "fake"

    def __init__(
        self,
        base_url: str = _USUAL,
        *,
        key: str = KEY,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = GatewaySettings(keys=(SecretStr(key),), base_url=base_url)
        super().__init__(settings, environ={}, transport=transport, clock=clock)


def from_settings(
    settings: GatewaySettings,
    *,
    environ: Mapping[str, str],
    transport: httpx.BaseTransport | None = None,
    clock: Clock | None = None,
    rate: Callable[[], Rate] | None = None,
) -> FakePaystack:
    """The gateway ``fake`` as the settings have it.

    Args:
        settings: Its ``base_url``, if it does not listen on the port it has by itself.
        environ: Not used: its key is no secret.
        transport: Another way there than the network.
        clock: Waits between the attempts at a read.
        rate: Not used: it takes cedis.
    """
    del environ, rate
    return FakePaystack(settings.base_url or _USUAL, transport=transport, clock=clock)
