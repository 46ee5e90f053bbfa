"""The built-in sources of rates; each is an `ai_addons.rates` entry point, made from `FxSettings`.

===================== ======================================= =======================================
name                  publishes                               terms (looked up in 2026; read them)
===================== ======================================= =======================================
``static``            the rate of the settings                none; asks nobody
``bog``               Bank of Ghana, interbank middle rate,   no key; can be hosted by yourself
                      through Frankfurter version 2
``er-api``            open.er-api.com, a blend, once a day    no key; attribution is required
``openexchangerates`` openexchangerates.org, a blend        a key (``fx.app_id``)
===================== ======================================= =======================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.billing.fx.base import (
    BASE,
    QUOTE,
    FxRate,
    RateUnavailable,
    read_day,
    read_rate,
    read_seconds,
    require_code,
)
from ai_addons.billing.fx.http import get_json
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    import httpx
    from pydantic import SecretStr

    from ai_addons.settings import FxSettings

STATIC: Final = "static"
URLS: Final = {
    "bog": "https://api.frankfurter.dev/v2/rate/USD/GHS",
    "er-api": "https://open.er-api.com/v6/latest/USD",
    "openexchangerates": "https://openexchangerates.org/api/latest.json",
}
"""Where each is asked; ``fx.urls`` names another address for one that you host yourself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticSource:
    """The rate of the settings.

    Attributes:
        rate: GHS for one USD.
        as_of: Its day.
    """

    rate: Decimal
    as_of: date

    def fetch(self, now: int) -> FxRate:
        """The rate of the settings; it asks nobody and never fails."""
        return FxRate(rate=self.rate, as_of=self.as_of, fetched_at=now, source=STATIC, kind="static")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frankfurter:
    """Bank of Ghana's interbank middle rate, as Frankfurter version 2 passes it on.

    Without naming the bank Frankfurter blends eight sources; version 1 has no GHS.

    Attributes:
        url: Where it is asked.
        seconds: Timeout of each step.
        transport: What carries the request, for tests.
    """

    url: str = URLS["bog"]
    seconds: float = 3.0
    transport: httpx.BaseTransport | None = None

    def fetch(self, now: int) -> FxRate:
        """Ask for ``{"date", "base", "quote", "rate"}``."""
        found = get_json(self.url, seconds=self.seconds, query={"providers": "bog"}, transport=self.transport)
        require_code(found.get("base"), BASE)
        require_code(found.get("quote"), QUOTE)
        as_of, rate = read_day(found.get("date")), read_rate(found.get("rate"))
        return FxRate(rate=rate, as_of=as_of, fetched_at=now, source="bog", kind="interbank")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErApi:
    """The open list of open.er-api.com, once a day. Its terms ask for attribution where rates are shown.

    Attributes:
        url: Where it is asked.
        seconds: Timeout of each step.
        transport: What carries the request, for tests.
    """

    url: str = URLS["er-api"]
    seconds: float = 3.0
    transport: httpx.BaseTransport | None = None

    def fetch(self, now: int) -> FxRate:
        """Ask for ``{"result", "time_last_update_unix", "base_code", "rates"}``."""
        found = get_json(self.url, seconds=self.seconds, transport=self.transport)
        if found.get("result") != "success":
            msg = "it reports no success"
            raise RateUnavailable(msg)
        require_code(found.get("base_code"), BASE)
        as_of, rate = read_seconds(found.get("time_last_update_unix")), _listed(found)
        return FxRate(rate=rate, as_of=as_of, fetched_at=now, source="er-api", kind="market")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExchangeRates:
    """The list of openexchangerates.org, by the hour, for whoever has a key.

    Attributes:
        key: The ``app_id``.
        url: Where it is asked.
        seconds: Timeout of each step.
        transport: What carries the request, for tests.
    """

    key: SecretStr
    url: str = URLS["openexchangerates"]
    seconds: float = 3.0
    transport: httpx.BaseTransport | None = None

    def fetch(self, now: int) -> FxRate:
        """Ask for ``{"timestamp", "base", "rates"}``."""
        query = {"app_id": self.key.get_secret_value(), "symbols": QUOTE}
        found = get_json(self.url, seconds=self.seconds, query=query, transport=self.transport)
        require_code(found.get("base"), BASE)
        as_of, rate = read_seconds(found.get("timestamp")), _listed(found)
        return FxRate(rate=rate, as_of=as_of, fetched_at=now, source="openexchangerates", kind="market")


def _listed(found: dict[str, Any]) -> Decimal:
    """GHS in a list of rates, under that name to the letter: ``GHC`` or ``ghs`` is something else."""
    rates: object = found.get("rates")
    if not isinstance(rates, dict) or QUOTE not in rates:
        msg = f"it lists no {QUOTE}"
        raise RateUnavailable(msg)
    return read_rate(cast("dict[str, object]", rates)[QUOTE])


def static(fx: FxSettings) -> StaticSource:
    """The source ``static``."""
    return StaticSource(rate=fx.ghs_per_usd, as_of=fx.as_of)


def bog(fx: FxSettings) -> Frankfurter:
    """The source ``bog``."""
    return Frankfurter(url=fx.urls.get("bog", URLS["bog"]), seconds=fx.timeout.total_seconds())


def er_api(fx: FxSettings) -> ErApi:
    """The source ``er-api``."""
    return ErApi(url=fx.urls.get("er-api", URLS["er-api"]), seconds=fx.timeout.total_seconds())


def openexchangerates(fx: FxSettings) -> OpenExchangeRates:
    """The source ``openexchangerates``.

    Raises:
        ConfigError: Without a key.
    """
    if fx.app_id is None:
        msg = "The rate source 'openexchangerates' needs a key. Nothing was charged. Set fx.app_id in the settings."
        raise ConfigError(msg)
    url = fx.urls.get("openexchangerates", URLS["openexchangerates"])
    return OpenExchangeRates(key=fx.app_id, url=url, seconds=fx.timeout.total_seconds())
