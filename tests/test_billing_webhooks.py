"""Signed webhooks: what is sent, what is trusted, when it is tried again."""

from __future__ import annotations

import base64
import hmac
import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.webhooks import (
    FIRST_WAIT,
    GIVE_UP,
    LONGEST_WAIT,
    TOLERANCE,
    Delivery,
    Envelope,
    WebhookSender,
    backoff,
    headers,
    new_secret,
    read_retry_after,
    sign,
    verify,
)
from ai_addons.errors import BillingError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The example that the libraries of Standard Webhooks are tested with.
SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", new_secret(b"o" * 32)
MESSAGE, SENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = SENT * 1_000_000
URL = "https://shop.example/hooks"
ENVELOPE = Envelope(id="0192", topic="credits.low", business="biz_7", at=1_000_001, facts={"posted": "9.00"})

NO_HEADERS = (
    "This webhook has no proper webhook-id or webhook-timestamp header, so it is not trusted. "
    "Nothing was booked. Drop it."
)
NO_MATCH = (
    "This webhook carries no signature by a known secret, so it is not trusted. "
    "Nothing was booked. Compare the secret with the sender's."
)
NOT_FRESH = (
    "This webhook is too old or from the future, so it is not trusted. "
    "Nothing was booked. Compare this machine's clock; a real one is sent again."
)
BAD_SECRET = (
    "A webhook secret is not well formed. Nothing was sent or trusted. It must be `whsec_` and the base64 of 24 to 64 "
    "random bytes; `new_secret` makes one."
)
NO_SECRET = "There is no webhook secret. Nothing was sent or trusted. Set one in the settings."


def _whole(text: str) -> str:
    return f"^{re.escape(text)}$"


def _signed(**changes: str) -> dict[str, str]:
    plain = {"webhook-id": MESSAGE, "webhook-timestamp": str(SENT), "webhook-signature": SIGNATURE}
    return plain | {name.replace("_", "-"): value for name, value in changes.items()}


def test_a_signature_is_the_standard_s_own() -> None:
    """Any library for Standard Webhooks, in any language, reads what is sent."""
    assert sign([SECRET], MESSAGE, SENT, BODY) == SIGNATURE


def test_each_secret_signs_so_that_it_can_be_changed_without_a_gap() -> None:
    """While receivers move from the old secret to the new one, both signatures are sent."""
    key = base64.b64decode(OLD.removeprefix("whsec_"))
    old = base64.b64encode(hmac.digest(key, f"{MESSAGE}.{SENT}.".encode() + BODY, "sha256")).decode()
    assert sign([SECRET, OLD], MESSAGE, SENT, BODY) == f"{SIGNATURE} v1,{old}"


def test_the_headers_of_an_attempt_carry_its_time_in_whole_seconds() -> None:
    """Three headers, named as the standard names them."""
    assert headers([SECRET], MESSAGE, BODY, now=NOW + 999_999) == _signed()


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\nb", "a\n", "é", "x" * 256], ids=range(7))
def test_an_id_that_would_blur_what_is_signed_is_refused(message_id: str) -> None:
    """A full stop divides the signed text and a line break the headers, so neither may stand in an id."""
    told = f"a webhook's id is 1 to 255 visible ASCII characters without a full stop, not {message_id!r}"
    with pytest.raises(ValueError, match=_whole(told)):
        sign([SECRET], message_id, SENT, BODY)


@pytest.mark.parametrize("message_id", ["x" * 255, "!-/~", "0192-a:b"])
def test_any_other_visible_id_may_be_sent(message_id: str) -> None:
    """The two ends of the range of characters and the longest id are fine."""
    assert verify([SECRET], headers([SECRET], message_id, BODY, now=NOW), BODY, now=NOW) == message_id


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_new_secret_is_random_bytes_in_the_standard_s_form(size: int) -> None:
    """What is made can be signed with, from 24 to 64 bytes."""
    secret = new_secret(b"\xff" * size)
    assert secret == "whsec_" + base64.b64encode(b"\xff" * size).decode()
    assert sign([secret], MESSAGE, SENT, BODY).startswith("v1,")


@pytest.mark.parametrize("size", [0, 23, 65])
def test_too_few_or_too_many_random_bytes_are_refused(size: int) -> None:
    """A secret that could be guessed is never made."""
    with pytest.raises(ValueError, match=_whole(f"a webhook secret takes 24 to 64 random bytes, not {size}")):
        new_secret(b"x" * size)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "whsec_" + "A" * 31,
        "whsec_*" + OLD.removeprefix("whsec_"),
        OLD.rstrip("="),
        OLD + "\n",
        "whsec_é" + SECRET[10:],
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_a_malformed_secret_is_told_without_being_shown(secret: str) -> None:
    """A mistyped secret stops sender and receiver, and no log shows it."""
    for use in (
        lambda: sign([SECRET, secret], MESSAGE, SENT, BODY),
        lambda: verify([SECRET, secret], _signed(), BODY, now=NOW),
        lambda: WebhookSender(URL, [SECRET, secret], timeout=1),
    ):
        with pytest.raises(ConfigError, match=_whole(BAD_SECRET)) as refused:
            use()
        assert refused.value.__cause__ is None


def test_no_secret_at_all_is_told() -> None:
    """Nothing is ever sent unsigned or trusted unsigned."""
    for use in (
        lambda: sign([], MESSAGE, SENT, BODY),
        lambda: verify([], _signed(), BODY, now=NOW),
        lambda: WebhookSender(URL, [], timeout=1),
    ):
        with pytest.raises(ConfigError, match=_whole(NO_SECRET)):
            use()


@pytest.mark.parametrize(
    ("secrets", "signature"),
    [
        ([SECRET], SIGNATURE),
        ([OLD, SECRET], SIGNATURE),
        ([SECRET, OLD], SIGNATURE),
        ([SECRET], f"v1a,abc {SIGNATURE} v1,zzz"),
        ([SECRET], f"é\udc80 {SIGNATURE}"),
    ],
)
def test_one_signature_by_one_known_secret_is_enough(secrets: list[str], signature: str) -> None:
    """Unknown signatures beside a good one do no harm; the id comes back to be remembered."""
    assert verify(secrets, _signed(webhook_signature=signature), BODY, now=NOW) == MESSAGE


def test_header_names_are_read_in_any_case() -> None:
    """Web frameworks spell header names as they like."""
    assert verify([SECRET], {name.title(): value for name, value in _signed().items()}, BODY, now=NOW) == MESSAGE


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_signature": ""},
        {"webhook_signature": SIGNATURE.removeprefix("v1,")},
        {"webhook_signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook_signature": SIGNATURE[:-1]},
        {"webhook_signature": SIGNATURE.replace(" ", ",") + "=="},
        {"webhook_id": "msg_other"},
        {"webhook_timestamp": str(SENT + 1)},
    ],
)
def test_a_message_that_was_changed_is_not_trusted(changes: dict[str, str]) -> None:
    """Id, time and signature all count."""
    with pytest.raises(BillingError, match=_whole(NO_MATCH)):
        verify([SECRET], _signed(**changes), BODY, now=NOW)


@pytest.mark.parametrize(("secret", "body"), [(SECRET, BODY + b" "), (OLD, BODY)])
def test_another_body_or_secret_is_not_trusted(secret: str, body: bytes) -> None:
    """Not one byte may differ, and only the shared secret counts."""
    with pytest.raises(BillingError, match=_whole(NO_MATCH)):
        verify([secret], _signed(), body, now=NOW)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_message_without_one_of_the_headers_is_not_trusted(missing: str) -> None:
    """A plain request to the address does nothing."""
    left = {name: value for name, value in _signed().items() if name != missing}
    with pytest.raises(BillingError, match=_whole(NO_MATCH if missing == "webhook-signature" else NO_HEADERS)):
        verify([SECRET], left, BODY, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_id": "a.b"},
        {"webhook_timestamp": f"{SENT}.0"},
        {"webhook_timestamp": f"-{SENT}"},
        {"webhook_timestamp": f" {SENT}"},
        {"webhook_timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook_timestamp": "9" * 13},
        {"webhook_timestamp": "9" * 5_000},
    ],
)
def test_headers_that_are_no_id_or_no_time_are_not_trusted(changes: dict[str, str]) -> None:
    """Odd headers are refused in the same words as missing ones and never crash the receiver."""
    with pytest.raises(BillingError, match=_whole(NO_HEADERS)):
        verify([SECRET], _signed(**changes), BODY, now=NOW)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_message_is_fresh_for_five_minutes_either_way(side: int) -> None:
    """A recorded message cannot be sent again later, and a clock may be a little wrong."""
    assert TOLERANCE == 300_000_000
    assert verify([SECRET], _signed(), BODY, now=NOW + side * TOLERANCE) == MESSAGE
    with pytest.raises(BillingError, match=_whole(NOT_FRESH)):
        verify([SECRET], _signed(), BODY, now=NOW + side * (TOLERANCE + 1))


def test_the_tolerance_can_be_chosen() -> None:
    """A receiver behind a slow queue may allow more, a strict one nothing."""
    assert verify([SECRET], _signed(), BODY, now=NOW, tolerance=0) == MESSAGE
    with pytest.raises(BillingError, match=_whole(NOT_FRESH)):
        verify([SECRET], _signed(), BODY, now=NOW + 1, tolerance=0)


@given(
    body=st.binary(max_size=200), now=st.integers(0, 4_000_000_000_000_000), random=st.binary(min_size=24, max_size=64)
)
def test_what_is_signed_is_trusted(body: bytes, now: int, random: bytes) -> None:
    """Any body, bytes that are no text included, passes from sender to receiver."""
    secrets = [new_secret(random)]
    assert verify(secrets, headers(secrets, "id", body, now=now), body, now=now) == "id"


def test_the_body_is_canonical_json() -> None:
    """One message is the same bytes at every attempt: keys sorted, no spaces, ASCII, time in UTC."""
    assert ENVELOPE.body() == (
        b'{"data":{"business_id":"biz_7","posted":"9.00"},"timestamp":"1970-01-01T00:00:01.000001Z","type":"credits.low"}'
    )
    other = Envelope(id="1", topic="t", business=None, at=NOW, facts={"z": "é\ud800", "a": 1, "business_id": "biz_8"})
    assert other.body() == (
        b'{"data":{"a":1,"business_id":null,"z":"\\u00e9\\ud800"},"timestamp":"2021-02-25T15:02:10.000000Z","type":"t"}'
    )


def test_a_fact_that_is_not_json_is_refused() -> None:
    """No receiver gets a body that it cannot read."""
    with pytest.raises(ValueError, match="JSON compliant"):
        Envelope(id="1", topic="t", business=None, at=0, facts={"a": float("nan")}).body()
    with pytest.raises(TypeError):
        Envelope(id="1", topic="t", business=None, at=0, facts={"a": object()}).body()


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 10), (2, 20), (3, 40), (12, 20_480), (13, 21_600), (14, 21_600), (25, 21_600)]
)
def test_the_wait_doubles_from_ten_seconds_to_six_hours(attempts: int, seconds: int) -> None:
    """A receiver that was away for a moment is told soon; one that stays away is not hammered."""
    waits = [backoff(attempts, jitter=jitter) for jitter in (0, 0.5, 1)]
    assert waits == [seconds * 1_000_000, seconds * 875_000, seconds * 750_000]
    assert {type(wait) for wait in waits} == {int}


def test_messages_are_given_up_after_about_three_days() -> None:
    """From two and a half to three and a half days, as chance has it."""
    longest, shortest = (sum(backoff(n, jitter=j) for n in range(1, GIVE_UP)) for j in (0, 1))
    assert (longest // 3_600_000_000, shortest // 3_600_000_000) == (83, 62)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (0, FIRST_WAIT),
        (FIRST_WAIT - 1, FIRST_WAIT),
        (FIRST_WAIT + 1, FIRST_WAIT + 1),
        (LONGEST_WAIT, LONGEST_WAIT),
        (LONGEST_WAIT + 1, LONGEST_WAIT),
    ],
)
def test_a_receiver_may_ask_for_a_longer_wait_up_to_the_longest(asked: int, waited: int) -> None:
    """``Retry-After`` is honoured, but no answer silences the messages for ever."""
    assert (FIRST_WAIT, LONGEST_WAIT) == (10_000_000, 21_600_000_000)
    assert backoff(1, jitter=0, retry_after=asked) == waited


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0),
        (" 120 ", 120_000_000),
        ("9" * 12, 999_999_999_999_000_000),
        ("9" * 13, 0),
        ("Thu, 25 Feb 2021 15:02:12 GMT", 1_999_999),
        ("Thu, 25 Feb 2021 15:02:12", 1_999_999),
        ("Thu, 25 Feb 2021 16:02:12 +0100", 1_999_999),
        ("Thu, 25 Feb 2021 15:02:10 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("-5", 0),
        ("Thu, 25 Feb 2021 15:02:12 +99999999999999999999999", 0),
    ],
)
def test_a_retry_after_header_is_seconds_or_a_date(header: str, wait: int) -> None:
    """Both forms of the standard are read, and nonsense is no wait at all."""
    read = read_retry_after(header, NOW + 1)
    assert (read, type(read)) == (wait, int)


def _sender(answer: Callable[[httpx.Request], httpx.Response]) -> WebhookSender:
    return WebhookSender(URL, [SECRET, OLD], timeout=3, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize("status", [200, 204, 299])
def test_a_message_is_posted_once_signed_and_as_json(status: int) -> None:
    """The receiver gets the body that was signed, and any 2xx means it has it."""
    seen = list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, headers={"retry-after": "7"})

    assert _sender(answer).send(ENVELOPE, now=NOW) == Delivery(ok=True)
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.content == ENVELOPE.body()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "ai-addons"
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    assert request.extensions["timeout"] == {"connect": 3, "read": 3, "write": 3, "pool": 3}
    assert verify([OLD], request.headers, request.content, now=NOW) == "0192"


@pytest.mark.parametrize(
    ("status", "header", "delivery"),
    [
        (300, None, Delivery(ok=False, reason="answered 300")),
        (199, None, Delivery(ok=False, reason="answered 199")),
        (302, None, Delivery(ok=False, reason="answered 302")),
        (401, None, Delivery(ok=False, reason="answered 401")),
        (404, None, Delivery(ok=False, reason="answered 404")),
        (409, None, Delivery(ok=False, reason="answered 409")),
        (410, None, Delivery(ok=False, gone=True, reason="answered 410")),
        (429, "3", Delivery(ok=False, retry_after=3_000_000, reason="answered 429")),
        (500, "soon", Delivery(ok=False, reason="answered 500")),
        (503, "Thu, 25 Feb 2021 15:02:12 GMT", Delivery(ok=False, retry_after=2_000_000, reason="answered 503")),
    ],
)
def test_any_other_answer_is_a_failure_told_without_content(
    status: int, header: str | None, delivery: Delivery
) -> None:
    """A redirect is not followed, 410 ends it, a wait that is asked for is told, and the answer's text is not."""
    given = {"location": "https://elsewhere.example/"} | ({"retry-after": header} if header else {})
    sender = _sender(lambda request: httpx.Response(status, headers=given, text=f"{SECRET} {request.content!r}"))
    assert sender.send(ENVELOPE, now=NOW) == delivery


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectTimeout, "no answer in time"),
        (httpx.ReadTimeout, "no answer in time"),
        (httpx.ConnectError, "could not connect"),
        (httpx.ReadError, "connection broke"),
        (httpx.RemoteProtocolError, "connection broke"),
        (httpx.InvalidURL, "address not valid"),
    ],
)
def test_no_answer_is_a_failure_told_in_three_words(error: type[Exception], reason: str) -> None:
    """The error's own text may quote the address or the body, so it is not repeated."""

    def answer(request: httpx.Request) -> httpx.Response:
        msg = f"{request.url} {SECRET}"
        raise error(msg)

    assert _sender(answer).send(ENVELOPE, now=NOW) == Delivery(ok=False, reason=reason)


def test_an_address_that_httpx_cannot_read_is_a_failed_delivery() -> None:
    """One bad address never stops the worker that sends to all."""
    sender = WebhookSender("https://shop.example:port/", [SECRET], timeout=1)
    assert sender.send(ENVELOPE, now=NOW) == Delivery(ok=False, reason="address not valid")


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "HTTPS://shop.example/a?b=c",
        "http://localhost:8000/",
        "http://127.0.0.1:1/",
        "http://127.9.9.9/",
        "http://[::1]:8000/",
    ],
)
def test_an_address_is_https_or_this_machine(url: str) -> None:
    """The two kinds of address that nobody on the way can read."""
    assert isinstance(WebhookSender(url, [SECRET], timeout=1), WebhookSender)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://localhost@shop.example/",
        "ftp://localhost/",
        "ftp://shop.example/",
        "https:///path",
        "shop.example",
        "",
    ],
)
def test_an_address_where_a_message_could_be_read_is_refused(url: str) -> None:
    """A mistyped address is found when the sender is made, before anything is sent."""
    told = (
        "The webhook's address must begin with https:// and name a host; http:// is for this machine itself only. "
        "Nothing was sent. Correct it in the settings."
    )
    with pytest.raises(ConfigError, match=_whole(told)):
        WebhookSender(url, [SECRET], timeout=1)


def test_an_address_that_is_no_url_is_refused_without_being_shown() -> None:
    """It may hold a password."""
    told = "The webhook's address is not a URL. Nothing was sent. Correct it in the settings."
    with pytest.raises(ConfigError, match=_whole(told)) as refused:
        WebhookSender("https://user:hidden@[::1/", [SECRET], timeout=1)
    assert refused.value.__suppress_context__


def test_a_sender_does_not_show_its_secret() -> None:
    """Nothing that is printed by mistake holds the secret."""
    sender = WebhookSender(URL, [SECRET], timeout=1)
    assert SECRET not in f"{sender!r} {sender!s}"


class _Receiver(BaseHTTPRequestHandler):
    """Answers 200 to what it trusts, 400 to the rest."""

    trusted: list[tuple[str, Any]]
    hang: threading.Event | None = None

    def do_POST(self) -> None:  # the standard library's name
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.hang is not None:
            self.hang.wait(30)
        self.trusted.append((verify([SECRET], dict(self.headers), body, now=NOW), json.loads(body)["data"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Keep quiet."""


@contextmanager
def _receiver(hang: threading.Event | None = None) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A real server on this machine: its address, and what it trusted."""
    trusted = list[tuple[str, Any]]()
    handler = type("Handler", (_Receiver,), {"trusted": trusted, "hang": hang})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks", trusted
        finally:
            if hang is not None:
                hang.set()
            server.shutdown()
            thread.join()


def test_a_message_reaches_a_real_server_over_a_real_socket() -> None:
    """Sender and receiver agree on every byte of headers and body."""
    with _receiver() as (url, trusted):
        assert WebhookSender(url, [SECRET], timeout=10).send(ENVELOPE, now=NOW) == Delivery(ok=True)
    assert trusted == [("0192", {"business_id": "biz_7", "posted": "9.00"})]
    assert WebhookSender(url, [SECRET], timeout=10).send(ENVELOPE, now=NOW) == Delivery(
        ok=False, reason="could not connect"
    )


def test_a_receiver_that_hangs_costs_only_the_timeout() -> None:
    """The worker goes on with the next message, and this one is tried again later."""
    with _receiver(threading.Event()) as (url, _):
        assert WebhookSender(url, [SECRET], timeout=0.2).send(ENVELOPE, now=NOW) == Delivery(
            ok=False, reason="no answer in time"
        )


def test_signing_and_verifying_need_no_http_library() -> None:
    """A receiver that only verifies never loads httpx, nor does a host that only sets up a sender."""
    code = """
import sys
from ai_addons.billing.webhooks import WebhookSender
WebhookSender("https://shop.example", [sys.argv[1]], timeout=1)
sys.exit("httpx" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code, SECRET], check=False).returncode == 0
