"""What the gateways' clients share: keys, one request, reads tried again, and what a failure means.

A read is tried three times. A write is sent once: whether it was carried out is for `fetch` to say.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr

from ai_addons.billing.gateways import _lenient as lenient
from ai_addons.billing.webhooks import keeps_private, read_retry_after
from ai_addons.errors import AddOnsError, BadSignature, ConfigError, GatewayError, bare

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

    import httpx

    from ai_addons.billing.gateways._lenient import Table
    from ai_addons.billing.gateways.base import PaymentRequest
    from ai_addons.clock import Clock
    from ai_addons.settings import GatewaySettings

    Pairs = Sequence[tuple[str, str]]

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Seconds between the three attempts at a read.
_WAITS: Final = (0.25, 0.5)
_LONGEST_WAIT: Final = 3.0
_PASSING: Final = frozenset({429, 502, 503, 504})
_SECOND: Final = 1_000_000
_KEY: Final = re.compile(r"[!-~]{8,255}")
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
# What httpx raises before anything of a request has left.
_UNSENT: Final = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError", "InvalidURL"}
)
_REQUEST_TIMEOUT: Final = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        body: The JSON object; None if it was none.
        raw: As it came.
        retry_after: Microseconds it asks to wait, 0 if it does not.
        write: Whether it answers a write.
    """

    status: int
    body: Table | None = field(repr=False)
    raw: str = field(repr=False)
    retry_after: int
    write: bool

    @property
    def ok(self) -> bool:
        """Whether the status says that it worked."""
        return 200 <= self.status < 300  # noqa: PLR2004  # HTTP: success

    @property
    def may_exist(self) -> bool:
        """Whether the request may have been carried out, though the answer does not say so.

        A refusal (4xx) did nothing. Any other answer that cannot be used says nothing.
        """
        refused = 400 <= self.status < 500 and self.status != _REQUEST_TIMEOUT  # noqa: PLR2004  # HTTP: refused
        return self.write and not refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost:
    """No answer came.

    Attributes:
        why: In a few words; the error's own text may quote what is secret.
        sent: Whether the request may have arrived.
    """

    why: str
    sent: bool


class Api:
    """One gateway's HTTP API.

    Args:
        title: The gateway's name for people.
        base_url: Where it is, without a path's slash at the end.
        key: Sent as the bearer token; shown nowhere.
        headers: What else goes with every request.
        timeout: Seconds for each step: connecting, sending, waiting.
        clock: Waits between the attempts at a read.
        transport: What carries the requests, for tests; None for the network.

    Raises:
        ConfigError: For an address where the key could be read on its way.
    """

    __slots__ = ("_base_url", "_clock", "_headers", "_key", "_timeout", "_transport", "_trusted", "title")

    def __init__(
        self,
        title: str,
        base_url: str,
        key: SecretStr,
        *,
        timeout: float,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        _check_address(title, base_url)
        self.title, self._base_url, self._key = title, base_url.rstrip("/"), key
        self._headers = {"User-Agent": "ai-addons", "Accept": _JSON, **(headers or {})}
        self._timeout, self._clock, self._transport = timeout, clock, transport
        self._trusted: ssl.SSLContext | None = None

    def read(self, path: str, query: Pairs = ()) -> Answer:
        """Ask, up to three times where the gateway is busy or cannot be reached.

        Raises:
            GatewayError: If no answer came.
        """
        came = self._once("GET", path, query=query)
        for least in _WAITS:
            wait = _wait(came, least)
            if wait is None:
                break
            self._clock.sleep(wait)
            came = self._once("GET", path, query=query)
        return self._given(came, write=False)

    def write(self, path: str, body: Mapping[str, object]) -> Answer:
        """Send JSON, once.

        Raises:
            GatewayError: If no answer came; ``may_exist`` says whether it may have arrived.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        return self._given(self._once("POST", path, content=content, headers={"Content-Type": _JSON}), write=True)

    def write_form(self, path: str, pairs: Pairs, *, idempotency_key: str) -> Answer:
        """Send a form, once; the errors are those of `write`."""
        headers = {"Content-Type": _FORM, "Idempotency-Key": idempotency_key}
        content = urlencode(pairs).encode()
        return self._given(self._once("POST", path, content=content, headers=headers), write=True)

    def unusable(self, answer: Answer, reason: str = "", *, carried_out: bool = False) -> GatewayError:
        """The error for an answer that is a refusal, or cannot be read.

        Args:
            answer: What came.
            reason: The gateway's own code.
            carried_out: Whether a refusal may stand for a request that was carried out, now or before.
        """
        if self._key.get_secret_value() in reason:
            reason = ""
        what = f"answered {answer.status}" if not answer.ok else "gave an answer that cannot be used"
        told = f" ({reason})" if reason else ""
        msg = f"{self.title} {what}{told}. Nothing was granted. Look at the order before you pay again."
        return GatewayError(
            msg, status=answer.status, reason=reason, may_exist=answer.may_exist or (answer.write and carried_out)
        )

    def _given(self, came: Answer | _Lost, *, write: bool) -> Answer:
        if isinstance(came, Answer):
            return came
        msg = f"{self.title}: {came.why}. Nothing was granted. Look at the order before you pay again."
        raise GatewayError(msg, reason="no_answer", may_exist=write and came.sent)

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Pairs = (),
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | _Lost:
        import httpx  # noqa: PLC0415  # hosts without payments never load it

        try:
            # A connection of its own: on one that was kept open and died, nobody knows whether a write arrived.
            with httpx.Client(timeout=self._timeout, transport=self._transport, verify=self._trust()) as client:
                got = client.request(
                    method,
                    self._base_url + path,
                    params=list(query) or None,
                    content=content,
                    headers={**self._headers, **(headers or {}), "Authorization": self._bearer()},
                )
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return _lost({kind.__name__ for kind in type(error).__mro__})
        return self._answer(got, write=method == "POST")

    def _trust(self) -> ssl.SSLContext | bool:
        """Whose certificates are good. Read once: the list is long, and reading it took most of a request's time."""
        import httpx  # noqa: PLC0415  # as above

        if self._transport is not None:
            return True
        if self._trusted is None:
            self._trusted = httpx.create_ssl_context()
        return self._trusted

    def _answer(self, got: httpx.Response, *, write: bool) -> Answer:
        value = lenient.parse(got.content)
        return Answer(
            status=got.status_code,
            body=value if lenient.is_table(value) else None,
            raw=got.content.decode(errors="replace"),
            retry_after=read_retry_after(got.headers.get("retry-after", ""), self._clock.now()),
            write=write,
        )

    def _bearer(self) -> str:
        return f"Bearer {self._key.get_secret_value()}"


def quiet(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let errors out without the frames below, whose variables hold addresses, telephone numbers and card codes."""

    @wraps(method)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return method(*args, **kwargs)
        except AddOnsError as error:
            raise bare(error) from None

    return call


def _wait(came: Answer | _Lost, least: float) -> float | None:
    """Seconds until a read is tried again; None if it is not."""
    if isinstance(came, _Lost):
        return least
    wait = max(least, came.retry_after / _SECOND)
    return wait if came.status in _PASSING and wait <= _LONGEST_WAIT else None


def _lost(kinds: set[str]) -> _Lost:
    sent = not kinds & _UNSENT
    if "TimeoutException" in kinds:
        return _Lost(why="no answer in time", sent=sent)
    return _Lost(why="the connection broke" if sent else "it could not be reached", sent=sent)


def _check_address(title: str, base_url: str) -> None:
    try:
        private = keeps_private(base_url)
    except ValueError:
        private = False
    if not private:
        msg = (
            f"The address set for {title} must begin with https:// and name a host; http:// is for this machine "
            f"itself only. Nothing was sent. Correct `gateways.{title.lower()}.base_url` in the settings."
        )
        raise ConfigError(msg)


def keys_of(given: Sequence[SecretStr], variable: str, environ: Mapping[str, str]) -> tuple[SecretStr, ...]:
    """Secrets from the settings, else the one of the environment.

    Raises:
        ConfigError: For one that holds characters that no key has.
    """
    found = [one.get_secret_value().strip() for one in given] or [environ.get(variable, "").strip()]
    keys = tuple(SecretStr(one) for one in found if one)
    if not all(_KEY.fullmatch(one.get_secret_value()) for one in keys):
        msg = f"A secret for payments is not well formed (a line break?). Nothing was sent. Set {variable} again."
        raise ConfigError(msg)
    return keys


def mode_of(key: SecretStr, prefixes: Mapping[str, bool]) -> bool | None:
    """Whether a key moves real money, by how it begins; None if no key of that gateway begins so."""
    return next((live for prefix, live in prefixes.items() if key.get_secret_value().startswith(prefix)), None)


def main_key(
    title: str, keys: Sequence[SecretStr], variable: str, prefixes: Mapping[str, bool]
) -> tuple[SecretStr, bool]:
    """The key to call with, and whether it moves real money.

    Raises:
        ConfigError: If there is none, or one does not begin as that gateway's do.
    """
    modes = {mode_of(key, prefixes) for key in keys}
    if not keys or None in modes:
        what = "There is no key" if not keys else "A key is not a secret key"
        msg = (
            f"{what} for {title}: it begins with {' or '.join(prefixes)}. Nothing was sent. "
            f"Set {variable}, or `gateways.{title.lower()}.keys` in the settings."
        )
        raise ConfigError(msg)
    if len(modes) > 1:
        msg = f"The keys for {title} are for test and for live payments. Nothing was sent. Keep those of one kind."
        raise ConfigError(msg)
    return keys[0], modes == {True}


def seconds_of(settings: GatewaySettings) -> float:
    """The time limit in the unit that httpx wants."""
    return settings.timeout.total_seconds()


def check_request(title: str, request: PaymentRequest, currency: str | None) -> None:
    """Refuse what no gateway could collect, before anything is sent.

    Raises:
        ValueError: For a reference with other signs than gateways take, or an amount that is not above zero.
        ConfigError: For another currency than the gateway is set to; None for any.
    """
    if lenient.named(request.reference) is None:
        msg = "a reference is 1 to 100 letters, digits, '-', '.' and '='"
        raise ValueError(msg)
    if request.amount.minor <= 0:
        msg = f"a payment is of more than nothing, not {request.amount}"
        raise ValueError(msg)
    if currency is not None and request.amount.currency != currency:
        msg = (
            f"{title} is set to charge in {currency}, and the price is in {request.amount.currency}. Nothing was sent."
        )
        raise ConfigError(msg)


def header(headers: Mapping[str, str], name: str) -> str:
    """A header whatever its case; "" if there is none."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def signed_by(keys: Sequence[SecretStr], message: bytes, given: Sequence[str], algorithm: str) -> bool:
    """Whether any signature is the HMAC of a message by any key; the time it takes tells nothing about them."""
    ours = [hmac.digest(key.get_secret_value().encode(), message, algorithm).hex().encode() for key in keys]
    theirs = [one.encode(errors="backslashreplace") for one in given]
    return True in [hmac.compare_digest(left, right) for left in ours for right in theirs]


def untrusted(wrong: str, remedy: str) -> BadSignature:
    """The error for a webhook that nobody who knows the key signed."""
    return BadSignature(f"This webhook {wrong}, so it is not trusted. Nothing was booked. {remedy}")


def body_hash(body: bytes) -> str:
    """What names a webhook that has no name."""
    return hashlib.sha256(body).hexdigest()
