"""The payment gateways that can be paid at, each made once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ai_addons import plugins
from ai_addons.errors import ConfigError
from ai_addons.settings import GatewaySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.billing.gateways.base import Gateway
    from ai_addons.billing.records import Rate
    from ai_addons.clock import Clock
    from ai_addons.settings import Settings


class Gateways:
    """Makes a gateway when it is first asked for.

    Args:
        settings: All settings.
        given: Gateways to use in place of those of the settings, the usual one first.
        environ: Where their keys are looked up.
        clock: Source of time.
        rate: Gives the rate of exchange to charge at.
    """

    def __init__(
        self,
        settings: Settings,
        given: Sequence[Gateway],
        *,
        environ: Mapping[str, str],
        clock: Clock,
        rate: Callable[[], Rate],
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._rate = rate
        self._lock = threading.RLock()
        self._known: dict[str, Gateway] = {gateway.name: gateway for gateway in given}
        self._names: tuple[str, ...] = tuple(self._known) or settings.payments.gateways or tuple(settings.gateways)

    def one(self, name: str | None) -> Gateway:
        """A payment gateway, made once; the usual one for None.

        Raises:
            ConfigError: If there is none.
            UnknownPlugin: If the settings name one that is not installed.
        """
        if not self._names:
            msg = "No payment gateway is configured. Nothing was ordered. Set one, e.g. gateways.paystack."
            raise ConfigError(msg)
        with self._lock:
            if name is None:
                return self._made(self._names[0])
            if name in self.names():
                return self._known[name] if name in self._known else self._made(name)
        msg = (
            f"No payment gateway {name!r} is configured. Nothing was charged. Set gateways.{name}, or use one that is "
            f"configured: {', '.join(self._names)}."
        )
        raise ConfigError(msg)

    def names(self) -> tuple[str, ...]:
        """What the books call the gateways of the settings; one that is named by its path says it itself."""
        return tuple(self._made(name).name if ":" in name else name for name in self._names)

    def _made(self, name: str) -> Gateway:
        with self._lock:
            if name not in self._known:
                own = self._settings.gateways.get(name, GatewaySettings())
                make: Callable[..., Gateway] = plugins.load("gateways", name)
                made = make(own, environ=self._environ, clock=self._clock, rate=self._rate)
                self._known[name] = self._known[made.name] = made
            return self._known[name]
