"""Webhooks of the fake gateway arrive signed, and as badly as it was told to send them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.gateways.base import PaymentRequest
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.hooks import Delivery, HookPlan, due, post
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 20.0


class Receiver(ThreadingHTTPServer):
    """A host that takes webhooks, and answers with what it was told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.answers: list[int] = []
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.arrived = threading.Condition()

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self.server_address[1]}/ai/webhooks/paystack/?from=fake"

    def wait(self, number: int) -> list[tuple[str, dict[str, str], bytes]]:
        """What came, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.taken) >= number, SECONDS), self.taken
            return list(self.taken)


class Taking(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        """Take a webhook."""
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.arrived:
            answer = self.server.answers.pop(0) if self.server.answers else 200
            self.server.taken.append((self.path, dict(self.headers.items()), body))
            self.server.arrived.notify_all()
        self.send_response(answer)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's own name
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A host on this machine."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def trade(server: FakeGatewayServer, *references: str) -> None:
    """Let each of these be paid."""
    gateway = FakePaystack(server.url)
    for reference in references:
        gateway.checkout(
            PaymentRequest(reference=reference, amount=Money("30"), email="shop@example.com", description="VALUE")
        )
        server.desk.approve(reference)


def told(taken: list[tuple[str, dict[str, str], bytes]]) -> list[str]:
    """References in the order in which they came."""
    return [json.loads(body)["data"]["reference"] for _, _, body in taken]


def test_a_webhook_comes_signed(receiver: Receiver) -> None:
    """To the whole address; the adapter takes it as it came; the operator sees that it was taken."""
    with FakeGatewayServer(hooks=HookPlan(url=receiver.url)) as server:
        gateway = FakePaystack(server.url)
        trade(server, "aia-1")
        ((path, headers, body),) = receiver.wait(1)
        event = gateway.read_webhook(headers, body)
    assert path == "/ai/webhooks/paystack/?from=fake"
    assert (event.name, event.reference) == ("charge.success", "aia-1")
    assert server.hooks.deliveries == [Delivery("charge.success", "aia-1", "200")]


def test_copies_are_the_same_bytes(receiver: Receiver) -> None:
    """Sent three times, it is one event."""
    with FakeGatewayServer(hooks=HookPlan(url=receiver.url, copies=3)) as server:
        trade(server, "aia-1")
        taken = receiver.wait(3)
    assert len({body for _, _, body in taken}) == 1


def test_one_overtakes_another(receiver: Receiver) -> None:
    """The second of two comes first."""
    with FakeGatewayServer(hooks=HookPlan(url=receiver.url, swapped=True)) as server:
        trade(server, "aia-1", "aia-2")
        assert told(receiver.wait(2)) == ["aia-2", "aia-1"]


def test_what_is_not_taken_is_sent_again(receiver: Receiver) -> None:
    """Until it is answered with 200, or was tried often enough."""
    receiver.answers = [500, 201, 200, 503, 503, 503]
    with FakeGatewayServer(hooks=HookPlan(url=receiver.url, tries=3, retry_seconds=0.0)) as server:
        for number, reference in ((3, "aia-1"), (6, "aia-2"), (7, "aia-3")):
            trade(server, reference)
            receiver.wait(number)
    assert told(receiver.taken) == ["aia-1", "aia-1", "aia-1", "aia-2", "aia-2", "aia-2", "aia-3"]


def test_none_comes_where_none_is_wanted(receiver: Receiver) -> None:
    """Without an address; also if it is taken away while one waits. Asked to send again, it comes."""
    with FakeGatewayServer() as server:
        trade(server, "aia-1")
        server.hooks.plan = HookPlan(url=receiver.url, delay=0.2)
        trade(server, "aia-2")
        server.hooks.plan = HookPlan(url=None)
        trade(server, "aia-3")
        threading.Event().wait(0.4)
        server.hooks.plan = HookPlan(url=receiver.url)
        for event in server.desk.events_of("aia-1"):
            server.hooks.send(event)
        assert told(receiver.wait(1)) == ["aia-1"]


def test_what_waits_is_not_sent_after_the_end(receiver: Receiver) -> None:
    """Stopping waits for nothing that is due later."""
    with FakeGatewayServer(hooks=HookPlan(url=receiver.url, delay=3600)) as server:
        trade(server, "aia-1")
    assert receiver.taken == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nobody_there_is_an_answer_too(scheme: str) -> None:
    """The operator reads why nothing came."""
    assert post(f"{scheme}://127.0.0.1:9", "sk_test_1", b"{}") == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("number", "plan", "seconds"),
    [
        (0, HookPlan(), [0.0]),
        (3, HookPlan(copies=2, delay=1.5), [1.5, 1.5]),
        (0, HookPlan(swapped=True), [1.0]),
        (1, HookPlan(swapped=True), [0.0]),
        (2, HookPlan(swapped=True, delay=2.0), [3.0]),
    ],
)
def test_when_a_webhook_is_due(number: int, plan: HookPlan, seconds: list[float]) -> None:
    """By the plan alone."""
    assert due(number, plan) == seconds
