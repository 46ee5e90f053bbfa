"""The built-in sources of rates pass their contract, and read what the services really answer, strictly."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

from ai_addons import plugins
from ai_addons.billing.fx.base import RateUnavailable, from_scaled, read_rate
from ai_addons.billing.fx.http import get_json
from ai_addons.billing.fx.sources import ErApi, Frankfurter, OpenExchangeRates, StaticSource, openexchangerates
from ai_addons.errors import ConfigError
from ai_addons.settings import FxSettings
from ai_addons.testing.contracts import RateContract
from tests.rates import answering, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.billing.fx.base import FxRate, RateSource

NOW = 1_790_000_000_000_000
BOG: dict[str, Any] = {"date": "2026-07-17", "base": "USD", "quote": "GHS", "rate": 11.4}
ER: dict[str, Any] = {
    "result": "success",
    "time_last_update_unix": 1_784_246_551,
    "base_code": "USD",
    "rates": {"USD": 1, "GHC": 114_000, "GHS": 11.41},
}
OXR: dict[str, Any] = {"timestamp": 1_784_246_400, "base": "USD", "rates": {"GHS": 11.42}}


def bog(body: object = BOG, status: int = 200) -> Frankfurter:
    """Frankfurter that gets this answer."""
    return Frankfurter(transport=answering(body, status))


def er_api(body: object = ER, status: int = 200) -> ErApi:
    """open.er-api.com that gets this answer."""
    return ErApi(transport=answering(body, status))


def oxr(body: object = OXR, status: int = 200) -> OpenExchangeRates:
    """openexchangerates.org that gets this answer."""
    return OpenExchangeRates(key=SecretStr("k3y"), transport=answering(body, status))


def broken(make: Callable[..., RateSource], good: dict[str, Any]) -> Iterator[RateSource]:
    """The same source with everything that may go wrong on the way, and with each of its fields missing."""
    yield make(httpx.ConnectTimeout("late"))
    yield make(httpx.ConnectError("down"))
    yield make(httpx.InvalidURL("no"))
    yield make("<html>", 200)
    yield make("[" * 5_000 + "]" * 5_000)
    yield make("[1]")
    yield make(" " * 300_000)
    yield make(good, 429)
    yield make(good, 302)
    for name in good:
        yield make({key: value for key, value in good.items() if key != name})


class TestFrankfurter(RateContract):
    """Bank of Ghana's rate."""

    def make(self) -> RateSource:
        return bog()

    def broken(self) -> Iterator[RateSource]:
        return broken(bog, BOG)


class TestErApi(RateContract):
    """The daily list."""

    def make(self) -> RateSource:
        return er_api()

    def broken(self) -> Iterator[RateSource]:
        return broken(er_api, ER)


class TestOpenExchangeRates(RateContract):
    """The list with a key."""

    def make(self) -> RateSource:
        return oxr()

    def broken(self) -> Iterator[RateSource]:
        return broken(oxr, OXR)


class TestStatic(RateContract):
    """The rate of the settings."""

    def make(self) -> RateSource:
        return StaticSource(rate=Decimal("11.646"), as_of=date(2026, 9, 29))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (bog(), rate("11.4", as_of=date(2026, 7, 17), fetched_at=NOW)),
        (er_api(), rate("11.41", as_of=date(2026, 7, 17), source="er-api", kind="market", fetched_at=NOW)),
        (oxr(), rate("11.42", as_of=date(2026, 7, 17), source="openexchangerates", kind="market", fetched_at=NOW)),
    ],
)
def test_each_service_is_read_as_it_answers(source: RateSource, expected: FxRate) -> None:
    """The rate, its own day and its kind, exactly."""
    assert source.fetch(NOW) == expected


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (bog(BOG | {"quote": "GHC"}), "it answered in GHC, the old cedi, of which 10,000 are one GHS"),
        (bog(BOG | {"quote": "ghs"}), "it did not answer for GHS"),
        (bog(BOG | {"base": "EUR"}), "it did not answer for USD"),
        (bog(BOG | {"date": "yesterday"}), "its date is no ISO day"),
        (bog(BOG | {"date": 20260717}), "its date is no ISO day"),
        (er_api(ER | {"rates": {"GHC": 114_000, "ghs": 11.4}}), "it lists no GHS"),
        (er_api(ER | {"rates": [11.4]}), "it lists no GHS"),
        (er_api(ER | {"result": "error"}), "it reports no success"),
        (er_api(ER | {"time_last_update_unix": True}), "its time is no UNIX time"),
        (er_api(ER | {"time_last_update_unix": -1}), "its time is no UNIX time"),
        (er_api(ER | {"time_last_update_unix": 10**18}), "its time is no UNIX time"),
        (bog(BOG | {"rate": "11.4"}), "its rate is no number"),
        (bog(BOG | {"rate": True}), "its rate is no number"),
        (bog(BOG | {"rate": None}), "its rate is no number"),
        (bog(BOG | {"rate": 0}), "its rate is not a positive number of sensible size"),
        (bog(BOG | {"rate": -11.4}), "its rate is not a positive number of sensible size"),
        (bog(json.dumps(BOG).replace("11.4", "1e999999")), "its rate is not a positive number of sensible size"),
        (bog(json.dumps(BOG).replace("11.4", "1e-999999")), "its rate is not a positive number of sensible size"),
        (bog(json.dumps(BOG).replace("11.4", "NaN")), "its answer is no JSON"),
        (bog(json.dumps(BOG).replace("11.4", "Infinity")), "its answer is no JSON"),
        (bog(BOG, 503), "it answered 503"),
        (bog("[1]"), "its answer is no JSON object"),
        (bog(" " * 300_000), "its answer is too long"),
        (bog(httpx.ReadTimeout("late")), "no answer in time"),
        (bog(httpx.ConnectError("api.frankfurter.dev")), "it could not be reached"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_no_rate(source: RateSource, why: str) -> None:
    """Another currency, another type, no number, no JSON: each is said in a few words."""
    with pytest.raises(RateUnavailable) as failed:
        source.fetch(NOW)
    assert str(failed.value) == why


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (Decimal("11.123456785"), "11.12345678"),
        (Decimal("11.123456795"), "11.1234568"),
        (20, "20"),
        (Decimal("11.40"), "11.4"),
        (Decimal("1.00000001"), "1.00000001"),
    ],
)
def test_a_rate_is_kept_to_eight_decimals(given: Decimal | int, kept: str) -> None:
    """Rounded half to even, without needless zeros or an exponent."""
    assert str(read_rate(given)) == kept


def test_the_books_give_back_the_same_rate() -> None:
    """A whole number of 10^-8, as a rate again."""
    assert [str(from_scaled(scaled)) for scaled in (1_164_600_000, 2_000_000_000, 500)] == [
        "11.646",
        "20",
        "0.000005",
    ]


def test_the_bank_is_asked_for_by_name_and_the_key_is_shown_nowhere() -> None:
    """Without the bank's name Frankfurter blends; a key is sent, and stands in no repr and no error."""
    seen: list[httpx.Request] = []
    replace(bog(), transport=answering(BOG, seen=seen)).fetch(NOW)
    keyed = replace(oxr(), transport=answering(OXR, 401, seen))
    with pytest.raises(RateUnavailable) as failed:
        keyed.fetch(NOW)
    assert str(seen[0].url) == "https://api.frankfurter.dev/v2/rate/USD/GHS?providers=bog"
    assert seen[1].url.params["app_id"] == "k3y"
    assert "k3y" not in repr(keyed) + str(failed.value)


def test_settings_make_every_source_by_its_name() -> None:
    """Addresses, timeout and key come from the settings; a key that is missing is said."""
    fx = FxSettings.model_validate(
        {"urls": {"bog": "http://rates.example/bog"}, "timeout": "2s", "app_id": "k3y", "ghs_per_usd": "12.5"}
    )
    made = {name: plugins.load("rates", name)(fx) for name in ("static", "bog", "er-api", "openexchangerates")}
    assert made["bog"] == Frankfurter(url="http://rates.example/bog", seconds=2.0)
    assert made["er-api"] == ErApi(seconds=2.0)
    assert made["openexchangerates"] == OpenExchangeRates(key=SecretStr("k3y"), seconds=2.0)
    assert made["static"].fetch(NOW).rate == Decimal("12.5")
    with pytest.raises(ConfigError, match=r"needs a key. Nothing was charged. Set fx\.app_id"):
        openexchangerates(FxSettings())


def test_a_real_server_is_asked_over_a_real_connection() -> None:
    """The default transport: a loopback server answers, and a closed port does not."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server calls
            """Answer in JSON."""
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(BOG).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as inherited
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        assert Frankfurter(url=url).fetch(NOW).rate == Decimal("11.4")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with pytest.raises(RateUnavailable, match="it could not be reached"):
        get_json(url, seconds=1)


class Wrong(RateContract):
    """A source that keeps nothing of the contract."""

    def __init__(self, **changes: Any) -> None:
        self.changes = changes

    def make(self) -> RateSource:
        given = self.changes

        class Source:
            def fetch(self, now: int) -> FxRate:
                return replace(rate(fetched_at=now), **given)

        return Source()

    def broken(self) -> Iterator[RateSource]:
        yield self.make()


@pytest.mark.parametrize(
    ("changes", "test", "said"),
    [
        ({"quote": "GHC"}, "test_it_gives_cedis_for_a_dollar", "It must give GHS for one USD, not GHC for one USD."),
        ({"rate": 11.4}, "test_it_gives_cedis_for_a_dollar", "The rate is a float: it must be a Decimal."),
        ({"source": ""}, "test_it_says_where_it_comes_from", "The rate does not name its source."),
        ({"as_of": "2026"}, "test_it_says_where_it_comes_from", "The rate's day is a str: it must be a date."),
        (
            {"kind": "guess"},
            "test_it_says_where_it_comes_from",
            "The rate's kind is 'guess': it must be one of interbank, market, static.",
        ),
        (
            {"fetched_at": 5},
            "test_it_goes_by_the_time_it_is_given",
            "It says that it was asked at 5: it was told that it is 1795000000000000.",
        ),
        (
            {},
            "test_what_it_cannot_say_it_does_not_guess",
            "Without a good answer it gave 11.4: it must raise RateUnavailable.",
        ),
    ],
)
def test_the_contract_finds_out_a_source_that_breaks_it(changes: dict[str, Any], test: str, said: str) -> None:
    """Each rule has a source that only this rule stops."""
    with pytest.raises(AssertionError) as found:
        getattr(Wrong(**changes), test)()
    assert str(found.value) == said


def test_a_contract_must_be_told_how_to_make_a_source() -> None:
    """Forgetting `make` is an error, not a pass."""
    with pytest.raises(NotImplementedError):
        RateContract().make()
