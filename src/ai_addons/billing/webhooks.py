"""Signed webhooks, as standardwebhooks.com describes them: sign, verify, try again, send.

All is pure but `WebhookSender`. Receivers written in Python can use `verify`::

    message_id = verify([secret], request.headers, request.body, now=time.time_ns() // 1_000)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ai_addons.errors import BadSignature, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

TOLERANCE: Final = 5 * 60 * 1_000_000
"""Microseconds a message may be old, or ahead of the receiver's clock."""

FIRST_WAIT: Final = 10 * 1_000_000
"""Microseconds until the second attempt; each wait after it is twice as long."""

LONGEST_WAIT: Final = 6 * 3_600 * 1_000_000
"""Microseconds between two attempts at most, whatever the receiver asks for."""

GIVE_UP: Final = 25
"""Failed attempts after which no more is made: about three days after the first."""

_PREFIX: Final = "whsec_"
_FEWEST_BYTES: Final = 24
_MOST_BYTES: Final = 64
# Visible ASCII without the full stop, which divides the signed text.
_MESSAGE_ID: Final = re.compile(r"[!-\-/-~]{1,255}")
_SECRET: Final = re.compile(r"whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_GONE: Final = 410
_SIGNED_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_PLAIN_HEADERS: Final = (("content-type", "application/json"), ("user-agent", "ai-addons"))
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)

# What is wrong with a message, and what its receiver can do.
_NO_HEADERS: Final = ("has no proper webhook-id or webhook-timestamp header", "Drop it.")
_NO_MATCH: Final = ("carries no signature by a known secret", "Compare the secret with the sender's.")
_NOT_FRESH: Final = ("is too old or from the future", "Compare this machine's clock; a real one is sent again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message to the host: what happened, where, when.

    Attributes:
        id: Names the message, the same at every attempt; the receiver drops what it has seen.
        topic: E.g. ``credits.low``.
        business: Whose, None for the operator's own.
        at: When it happened, UTC microseconds.
        facts: Plain facts without personal data; amounts as text.
    """

    id: str
    topic: str
    business: str | None
    at: int
    facts: Mapping[str, object]

    def body(self) -> bytes:
        """The message as canonical JSON: the same bytes at every attempt.

        Raises:
            TypeError: For a fact that is not JSON.
            ValueError: For NaN and infinities, which JSON does not have.
        """
        when = (_EPOCH + timedelta(microseconds=self.at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        message = {"type": self.topic, "timestamp": when, "data": {**self.facts, "business_id": self.business}}
        return _CANONICAL.encode(message).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of one attempt.

    Attributes:
        ok: The receiver took the message.
        gone: The receiver wants no more messages; stop sending to it.
        retry_after: Microseconds the receiver asked to wait, 0 if it did not.
        reason: Why it failed, in a few words, without content; "" if it did not.
    """

    ok: bool
    gone: bool = False
    retry_after: int = 0
    reason: str = ""


def new_secret(random: bytes) -> str:
    """Write random bytes as a secret to share with the receiver.

    Args:
        random: 24 to 64 bytes from a secure source, e.g. ``secrets.token_bytes(32)``.

    Raises:
        ValueError: For fewer or more bytes.
    """
    if not _FEWEST_BYTES <= len(random) <= _MOST_BYTES:
        msg = f"a webhook secret takes {_FEWEST_BYTES} to {_MOST_BYTES} random bytes, not {len(random)}"
        raise ValueError(msg)
    return _PREFIX + base64.b64encode(random).decode()


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: one signature per secret, divided by spaces.

    Args:
        secrets: Current secret, then older ones that receivers may still use.
        message_id: Names the message; visible ASCII without a full stop.
        timestamp: Seconds since 1970 at this attempt.
        body: The bytes as sent.

    Raises:
        ConfigError: For no secret, or one that is not well formed.
        ValueError: For an id that would make the signed text ambiguous.
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        msg = f"a webhook's id is 1 to 255 visible ASCII characters without a full stop, not {message_id!r}"
        raise ValueError(msg)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signature(key, signed) for key in _keys(secrets))


def headers(secrets: Sequence[str], message_id: str, body: bytes, *, now: int) -> dict[str, str]:
    """The three headers of one attempt; the arguments and errors are those of `sign`.

    Args:
        secrets: Current secret, then older ones.
        message_id: Names the message.
        body: The bytes as sent.
        now: UTC microseconds.
    """
    timestamp = now // _SECOND
    values = (message_id, str(timestamp), sign(secrets, message_id, timestamp, body))
    return dict(zip(_SIGNED_HEADERS, values, strict=True))


def verify(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, *, now: int, tolerance: int = TOLERANCE
) -> str:
    """Make sure that a message is what its sender signed, and fresh.

    Args:
        secrets: All secrets that are still good; one match is enough.
        headers: The request's headers, in any case.
        body: The raw bytes of the request, before anything parsed them.
        now: UTC microseconds.
        tolerance: Microseconds the message may be old or ahead.

    Returns:
        The message's id. Deliveries repeat: remember it, and drop what was seen.

    Raises:
        BillingError: If the message is not to be trusted.
        ConfigError: For no secret, or one that is not well formed.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (given.get(name, "") for name in _SIGNED_HEADERS)
    if not _MESSAGE_ID.fullmatch(message_id) or not _SECONDS.fullmatch(timestamp):
        raise _untrusted(_NO_HEADERS)
    if not _any_equal(sign(secrets, message_id, int(timestamp), body).split(), signatures.split()):
        raise _untrusted(_NO_MATCH)
    if abs(now - int(timestamp) * _SECOND) > tolerance:
        raise _untrusted(_NOT_FRESH)
    return message_id


def _untrusted(why: tuple[str, str]) -> BadSignature:
    wrong, remedy = why
    return BadSignature(f"This webhook {wrong}, so it is not trusted. Nothing was booked. {remedy}")


def _any_equal(expected: Sequence[str], given: Sequence[str]) -> bool:
    """Whether any two agree, compared in a time that tells nothing about where they differ."""
    pairs = [(ours.encode(), theirs.encode(errors="backslashreplace")) for ours in expected for theirs in given]
    equal = [hmac.compare_digest(ours, theirs) for ours, theirs in pairs]
    return True in equal


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _keys(secrets: Sequence[str]) -> list[bytes]:
    """The secrets' bytes; no message shows a part of a secret."""
    keys = [_key(secret) for secret in secrets]
    if not keys:
        msg = "There is no webhook secret. Nothing was sent or trusted. Set one in the settings."
        raise ConfigError(msg)
    return keys


def _key(secret: str) -> bytes:
    found = _SECRET.fullmatch(secret)
    if found and _FEWEST_BYTES <= len(key := base64.b64decode(found[1])) <= _MOST_BYTES:
        return key
    msg = (
        f"A webhook secret is not well formed. Nothing was sent or trusted. It must be `{_PREFIX}` and the "
        f"base64 of {_FEWEST_BYTES} to {_MOST_BYTES} random bytes; `new_secret` makes one."
    )
    raise ConfigError(msg)


def backoff(attempts: int, *, jitter: float, retry_after: int = 0) -> int:
    """Microseconds until the next attempt: 10 s, 20 s, 40 s and so on, at most 6 h.

    Args:
        attempts: Failed attempts so far, from 1; at `GIVE_UP` there is no next one.
        jitter: 0 to 1, by chance; shortens the wait by up to a quarter, so that messages which failed together
            do not come back together.
        retry_after: Microseconds the receiver asked to wait at least; granted up to 6 h.
    """
    wait = min(FIRST_WAIT << (attempts - 1), LONGEST_WAIT)
    return max(wait - int(wait * jitter) // 4, min(retry_after, LONGEST_WAIT))


def read_retry_after(header: str, now: int) -> int:
    """Microseconds to wait by a ``Retry-After`` header: seconds or a date (RFC 9110 section 10.2.3).

    Args:
        header: The header's value.
        now: UTC microseconds.

    Returns:
        Never less than zero; zero also if it is neither.
    """
    text = header.strip()
    if _SECONDS.fullmatch(text):
        return int(text) * _SECOND
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    zoned = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
    return max(0, (zoned - _EPOCH) // timedelta(microseconds=1) - now)


class WebhookSender:
    """Sends messages to one address: one request each, no redirects, the answer's body unread.

    Args:
        url: Where to; https, but for this machine itself.
        secrets: Current secret, then older ones that the receiver may still use.
        timeout: Seconds for each step: connecting, sending, waiting for the answer.
        transport: What carries the request, for tests; None for the network.

    Raises:
        ConfigError: For another address, for no secret, or one that is not well formed.
    """

    __slots__ = ("_secrets", "_timeout", "_transport", "_url")

    def __init__(
        self, url: str, secrets: Sequence[str], *, timeout: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        _check_address(url)
        _keys(secrets)
        self._url, self._secrets = url, tuple(secrets)
        self._timeout, self._transport = timeout, transport

    def send(self, envelope: Envelope, *, now: int) -> Delivery:
        """Try once to deliver a message; a failure is told, not raised.

        Args:
            envelope: The message.
            now: UTC microseconds.

        Raises:
            TypeError: For a fact that is not JSON.
            ValueError: For an id that cannot be signed, or a number that JSON does not have.
        """
        import httpx  # noqa: PLC0415  # hosts without webhooks never load it

        body = envelope.body()
        signed = headers(self._secrets, envelope.id, body, now=now)
        try:
            # httpx follows no redirect unless it is told to, and streaming leaves the answer's body unread.
            with (
                httpx.Client(timeout=self._timeout, transport=self._transport) as client,
                client.stream("POST", self._url, content=body, headers=dict(_PLAIN_HEADERS) | signed) as answer,
            ):
                return _answered(answer.status_code, answer.headers.get("retry-after", ""), now)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            return Delivery(ok=False, reason=_no_answer({kind.__name__ for kind in type(error).__mro__}))


def _answered(status: int, retry_after: str, now: int) -> Delivery:
    """What an HTTP status means, by the advice of Standard Webhooks; redirects are failures."""
    if 200 <= status < 300:  # noqa: PLR2004  # HTTP: success
        return Delivery(ok=True)
    wait = read_retry_after(retry_after, now)
    return Delivery(ok=False, gone=status == _GONE, retry_after=wait, reason=f"answered {status}")


def _no_answer(kinds: set[str]) -> str:
    """Why no answer came; the error's own text may quote the address, so it is not repeated."""
    if "TimeoutException" in kinds:
        return "no answer in time"
    if "ConnectError" in kinds:
        return "could not connect"
    return "address not valid" if "InvalidURL" in kinds else "connection broke"


def _check_address(url: str) -> None:
    """Refuse an address where a message could be read on its way; the text may hold a password and is not shown."""
    try:
        private = keeps_private(url)
    except ValueError:
        msg = "The webhook's address is not a URL. Nothing was sent. Correct it in the settings."
        raise ConfigError(msg) from None
    if not private:
        msg = (
            "The webhook's address must begin with https:// and name a host; http:// is for this machine itself only. "
            "Nothing was sent. Correct it in the settings."
        )
        raise ConfigError(msg)


def keeps_private(url: str) -> bool:
    """Whether nobody on the way can read what is sent to an address: https, or this machine itself.

    Raises:
        ValueError: If it is no URL.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
