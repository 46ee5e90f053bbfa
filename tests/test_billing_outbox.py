"""The outbox: every event reaches the host's receiver, signed, through failures, crashes and many workers."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from ai_addons.billing.outbox import FAILURES_IN_A_ROW, LEASE, MOST_COUNTED, Delivered, Outbox, open_outbox
from ai_addons.billing.sql import Database
from ai_addons.billing.webhooks import GIVE_UP, LONGEST_WAIT, Delivery, WebhookSender, new_secret, verify
from ai_addons.cli import main
from ai_addons.cli import outbox as commands
from ai_addons.clock import SystemClock
from ai_addons.errors import StoreUnavailable
from ai_addons.events import OperatorAlert, WebhookFailed
from ai_addons.money import Credits
from ai_addons.settings import WebhookSettings
from ai_addons.testing.fakes import ManualClock
from tests import outbox_child
from tests.books import OK, SECOND, Books, new_url
from tests.processes import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.billing.webhooks import Envelope
    from ai_addons.events import Event

pytestmark = pytest.mark.usefixtures("each_database")

SECRET = new_secret(b"s" * 32)
TOPIC = "limit.warning"


@dataclass
class Receiver:
    """A host's receiver: what it trusted, and what it is told to answer, in order; then 200."""

    url: str
    now: Callable[[], int]
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    hang: threading.Event | None = None

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """Verify a message and note it."""
        message_id = verify([SECRET], headers, body, now=self.now())
        if self.hang is not None:
            self.hang.wait(30)
        with self.lock:
            self.seen.append((message_id, json.loads(body)))
            self.bodies.append(body)
            return self.answers.pop(0) if self.answers else (200, {})

    @property
    def ids(self) -> list[str]:
        """The ids of what came, in order."""
        return [message_id for message_id, _ in self.seen]


@contextmanager
def receiving(now: Callable[[], int]) -> Iterator[Receiver]:
    """A real server on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the standard library's name
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers = receiver.take(dict(self.headers), body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "6")
            # A sender whose patience is over has hung up.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(b"secret")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(url=f"http://127.0.0.1:{server.server_port}/hooks", now=now)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


class Shop:
    """Books whose events are delivered to a receiver."""

    def __init__(self, receiver: Receiver, clock: ManualClock) -> None:
        self.told: list[Event] = []
        self.clock = clock
        self.receiver = receiver
        self.books = Books("100", clock=clock, outbox=True, hooks=(self.told.append,))
        self.outbox = self.worker()

    def worker(self, sender: Any = None, **options: Any) -> Outbox:
        """A worker on these books."""
        made = sender or WebhookSender(self.receiver.url, [SECRET], timeout=5)
        return Outbox(self.books.opened, made, clock=self.clock, random=lambda: 0.0, **options)

    def tell(self, count: int = 1) -> list[str]:
        """Put some events into the outbox; their ids."""
        return tell(self.books, count)

    def rows(self) -> list[Any]:
        """Attempts, next attempt in microseconds from now, sent or not, and error of each event, oldest first."""
        found = self.books.sql("SELECT attempts, next_at, sent_at, last_error FROM ai_outbox ORDER BY at, id")
        now = self.clock.now()
        return [(attempts, next_at - now, sent_at is not None, error) for attempts, next_at, sent_at, error in found]


def tell(books: Books, count: int) -> list[str]:
    """Put some events into the outbox; their ids."""
    known = {row[0] for row in books.sql("SELECT id FROM ai_outbox")}

    def work(wallet: LockedWallet, _found: Any) -> None:
        for number in range(count):
            wallet.tell(TOPIC, f"event:{len(known)}:{number}", {"number": str(number)})

    books.opened.on(books.business, work)
    return [row[0] for row in books.sql("SELECT id FROM ai_outbox ORDER BY next_at, id") if row[0] not in known]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Books, and a receiver that takes everything."""
    clock = ManualClock()
    with receiving(clock.now) as receiver:
        yield Shop(receiver, clock)


# What arrives.


def test_an_event_arrives_once_signed_and_whole(shop: Shop) -> None:
    """The receiver can trust it, tells it by its id, and reads what happened to whom and when."""
    (event,) = shop.tell()
    assert shop.outbox.deliver() == Delivered(sent=1)
    assert shop.outbox.deliver() == Delivered()
    assert shop.receiver.seen == [
        (
            event,
            {
                "type": TOPIC,
                "timestamp": "2026-09-21T14:13:20.000000Z",
                "data": {"number": "0", "business_id": "biz_7"},
            },
        )
    ]
    assert shop.rows() == [(1, 0, True, None)]


def test_a_round_takes_as_many_as_it_is_told(shop: Shop) -> None:
    """What is left is said; the next round takes it."""
    events = shop.tell(5)
    assert shop.outbox.deliver(2) == Delivered(sent=2, left=3)
    assert shop.outbox.deliver(0) == Delivered(left=3)
    assert shop.outbox.deliver(3) == Delivered(sent=3)
    assert sorted(shop.receiver.ids) == sorted(events)


def test_nothing_personal_leaves_with_an_event(shop: Shop) -> None:
    """Users, keys and what was asked stay in the books; an event tells of the business and its amounts."""
    call = shop.books.call("key-of-ama", user="ama@shop.example", feature="credit_assessment")
    hold = shop.books.store.hold(call, Credits(95))
    shop.books.store.capture(hold, OK)  # type: ignore[arg-type]  # a fresh key gives a hold
    assert shop.outbox.deliver() == Delivered(sent=1)
    ((_, message),), (body,) = shop.receiver.seen, shop.receiver.bodies
    assert message["type"] == "wallet.low_balance"
    assert len(message["data"].pop("offers")) == 3
    level = {"posted": "5.00", "threshold": "10.00", "suggested": "VALUE"}
    assert message["data"] == {"business_id": "biz_7", **level}
    for private in (b"ama", b"credit_assessment", b"masked", b"gpt"):
        assert private not in body


def test_an_event_of_a_transaction_that_failed_is_never_sent(shop: Shop) -> None:
    """Commit and event are one: what was rolled back did not happen."""

    def fails(wallet: LockedWallet, _found: Any) -> None:
        wallet.tell(TOPIC, "never", {})
        shop.books.opened._close(wallet, [])  # the event is written when the work is closed
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        shop.books.opened.on(shop.books.business, fails)
    assert [shop.outbox.deliver(), shop.rows(), shop.told] == [Delivered(), [], []]


def test_the_operators_own_events_name_no_business(shop: Shop) -> None:
    """What concerns all businesses comes with none."""
    shop.tell()
    shop.books.sql("UPDATE ai_outbox SET business_id = ''")
    shop.outbox.deliver()
    assert shop.receiver.seen[0][1]["data"]["business_id"] is None


# What fails.


def test_what_failed_is_tried_again_later(shop: Shop) -> None:
    """With longer and longer waits, under the same id and with the same body; the error is a few words."""
    (event,) = shop.tell()
    shop.receiver.answers = [(500, {}), (302, {"location": "http://127.0.0.1:9/"})]
    assert shop.outbox.deliver() == Delivered(failed=1)
    assert shop.rows() == [(1, 10 * SECOND, False, "answered 500")]
    shop.clock.advance(9.999999)
    assert shop.outbox.deliver() == Delivered()
    shop.clock.advance(0.000001)
    assert shop.outbox.deliver() == Delivered(failed=1)
    assert shop.rows() == [(2, 20 * SECOND, False, "answered 302")]
    shop.clock.advance(20)
    assert shop.outbox.deliver() == Delivered(sent=1)
    assert shop.rows() == [(3, 0, True, None)]
    assert shop.receiver.ids == [event] * 3
    assert len(set(shop.receiver.bodies)) == 1


def test_events_that_failed_together_come_back_apart(shop: Shop) -> None:
    """Chance shortens the wait by up to a quarter."""
    shop.tell()
    shop.receiver.answers = [(500, {})]
    sender = WebhookSender(shop.receiver.url, [SECRET], timeout=5)
    Outbox(shop.books.opened, sender, clock=shop.clock, random=lambda: 1.0).deliver()
    assert shop.rows() == [(1, 7_500_000, False, "answered 500")]


def test_a_receiver_may_ask_to_wait(shop: Shop) -> None:
    """Retry-After is kept, and the other events are not held up by it."""
    shop.tell(2)
    shop.receiver.answers = [(429, {"retry-after": "3600"})]
    assert shop.outbox.deliver() == Delivered(sent=1, failed=1)
    assert sorted(shop.rows()) == [(1, 0, True, None), (1, 3_600 * SECOND, False, "answered 429")]


def test_an_event_is_given_up_after_about_three_days(shop: Shop) -> None:
    """It is not tried for ever; the operator is told which one, and the row keeps its reason."""
    (event,) = shop.tell()
    shop.told.clear()
    shop.books.sql("UPDATE ai_outbox SET attempts = ?", (GIVE_UP - 2,))
    shop.receiver.answers = [(500, {}), (503, {})]
    assert shop.outbox.deliver() == Delivered(failed=1)
    assert shop.rows() == [(GIVE_UP - 1, LONGEST_WAIT, False, "answered 500")]
    assert shop.told == [WebhookFailed(topic=TOPIC, attempts=GIVE_UP - 1, given_up=False)]
    shop.clock.advance(LONGEST_WAIT / SECOND)
    assert shop.outbox.deliver() == Delivered(given_up=1)
    ((attempts, _, over, error),) = shop.rows()
    assert (attempts, over, error) == (GIVE_UP, True, "answered 503")
    detail = f"event {event} ({TOPIC}) was not delivered: answered 503"
    assert shop.told[1:] == [
        WebhookFailed(topic=TOPIC, attempts=GIVE_UP, given_up=True),
        OperatorAlert(code="webhook_given_up", detail=detail),
    ]
    shop.clock.advance(LONGEST_WAIT / SECOND)
    assert shop.outbox.deliver() == Delivered()


def test_a_receiver_that_wants_no_more_stops_the_round(shop: Shop) -> None:
    """After 410 Gone nothing else is sent in this round; that event is given up, the others stay."""
    shop.tell(3)
    shop.receiver.answers = [(410, {})]
    assert shop.outbox.deliver() == Delivered(given_up=1, left=2, gone=True)
    assert sorted((attempts, over, error) for attempts, _, over, error in shop.rows()) == [
        (0, False, None),
        (0, False, None),
        (1, True, "answered 410"),
    ]


def test_a_dead_receiver_does_not_hold_up_the_worker(shop: Shop) -> None:
    """After some failures in a row the round ends, so that each event does not cost a timeout."""
    shop.tell(2 * FAILURES_IN_A_ROW)
    statuses = [*([500] * (FAILURES_IN_A_ROW - 1)), 200, *([500] * FAILURES_IN_A_ROW)]
    shop.receiver.answers = [(status, {}) for status in statuses]
    assert shop.outbox.deliver() == Delivered(sent=1, failed=2 * FAILURES_IN_A_ROW - 1)
    shop.tell(FAILURES_IN_A_ROW + 2)
    shop.receiver.answers = [(500, {})] * FAILURES_IN_A_ROW
    assert shop.outbox.deliver() == Delivered(failed=FAILURES_IN_A_ROW, left=2)


def test_a_slow_receiver_costs_its_timeout_and_blocks_nobody(shop: Shop) -> None:
    """While a message is on its way the books are free for everybody else."""
    shop.tell()
    shop.receiver.hang = threading.Event()
    held = list[str]()

    class Slow(WebhookSender):
        def send(self, envelope: Envelope, *, now: int) -> Delivery:
            with ThreadPoolExecutor(1) as pool:
                held.append(pool.submit(shop.books.hold, "1").result(10).call.business)
            return super().send(envelope, now=now)

    sender = Slow(shop.receiver.url, [SECRET], timeout=0.3)
    assert shop.worker(sender).deliver() == Delivered(failed=1)
    assert shop.rows() == [(1, 10 * SECOND, False, "no answer in time")]
    assert held == ["biz_7"]
    shop.receiver.hang.set()


@pytest.mark.parametrize(
    "wrong", ["UPDATE ai_outbox SET facts = '[broken'", "UPDATE ai_outbox SET id = 'not.an.id', facts = '{}'"]
)
def test_an_event_that_cannot_be_written_does_not_stop_the_others(shop: Shop, wrong: str) -> None:
    """A broken row is given up at once, told without what it says, and the worker goes on."""
    shop.tell()
    shop.books.sql(wrong)
    shop.clock.advance(1)
    shop.tell()
    assert shop.outbox.deliver() == Delivered(sent=1, given_up=1)
    assert shop.rows()[0][2:] == (True, "not a message that can be signed")


# Crashes, and many at once.


def test_a_worker_that_dies_loses_nothing(shop: Shop) -> None:
    """Killed between sending and marking, its event is sent again under the same id once its lease is over."""
    (event,) = shop.tell()

    class Dies(WebhookSender):
        def send(self, envelope: Envelope, *, now: int) -> Delivery:
            super().send(envelope, now=now)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.worker(Dies(shop.receiver.url, [SECRET], timeout=5)).deliver()
    assert shop.rows() == [(1, LEASE, False, None)]
    shop.clock.advance(LEASE / SECOND - 0.000001)
    assert shop.outbox.deliver() == Delivered()
    shop.clock.advance(0.000001)
    assert shop.outbox.deliver() == Delivered(sent=1)
    assert shop.receiver.ids == [event, event]
    assert shop.rows()[0][:1] == (2,)


def test_a_process_killed_after_sending_leaves_its_event_to_another(tmp_path: Path) -> None:
    """A hard kill costs a second delivery under the same id, never the event."""
    url = new_url(tmp_path)
    with receiving(SystemClock().now) as receiver:
        clock = ManualClock(SystemClock().now())
        books = Books("0", database=Database(url), clock=clock, outbox=True)
        books.buy("1", "order-1")
        (event,) = tell(books, 1)
        with Child(outbox_child.main, url, receiver.url, SECRET) as child:
            child.rest()
            assert child.returncode == 9
        assert receiver.ids == [event]
        clock.set(SystemClock().now() + LEASE)
        sender = WebhookSender(receiver.url, [SECRET], timeout=5)
        receiver.now = clock.now
        assert Outbox(books.opened, sender, clock=clock, random=lambda: 0.0).deliver() == Delivered(sent=1)
        assert receiver.ids == [event, event]
        books.close()


def test_many_workers_send_every_event_once(tmp_path: Path) -> None:
    """Workers on one database, each with connections of its own, never send the same event."""
    url, clock = new_url(tmp_path), ManualClock()
    with receiving(clock.now) as receiver:
        shops = [Books("0", database=Database(url), clock=clock, outbox=True) for _ in range(4)]
        shops[0].buy("1", "order-1")
        events = tell(shops[0], 20)

        def work(books: Books) -> int:
            sender = WebhookSender(receiver.url, [SECRET], timeout=30)
            return Outbox(books.opened, sender, clock=clock, random=lambda: 0.0).deliver().sent

        with ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(work, shops))
        assert sum(sent) == 20
        assert sorted(receiver.ids) == sorted(events)
        for books in shops:
            books.close()


class _Steered(WebhookSender):
    """Takes some time over each message, on the clock of the test, and then answers."""

    def __init__(self, clock: ManualClock, seconds: float, answers: Sequence[Delivery]) -> None:
        super().__init__("http://127.0.0.1/", [SECRET], timeout=1)
        self._clock, self._seconds, self._answers = clock, seconds, list(answers)

    def send(self, envelope: Envelope, *, now: int) -> Delivery:
        assert (envelope.topic, now) == (TOPIC, self._clock.now())
        self._clock.advance(self._seconds)
        return self._answers.pop(0)


FAILS, TAKES = Delivery(ok=False, reason="answered 500"), Delivery(ok=True)


@pytest.mark.parametrize(
    ("seconds", "answer", "done", "row"),
    [
        (299.999999, FAILS, Delivered(failed=1), (1, 10 * SECOND, False, "answered 500")),
        (300, FAILS, Delivered(failed=1, left=1), (1, 0, False, None)),
        (300, Delivery(ok=False, gone=True), Delivered(failed=1, left=1, gone=True), (1, 0, False, None)),
        (300, TAKES, Delivered(sent=1), (1, 0, True, None)),
    ],
)
def test_a_worker_that_overslept_does_not_undo_what_another_did(
    shop: Shop, seconds: float, answer: Delivery, done: Delivered, row: tuple[object, ...]
) -> None:
    """After its lease a worker may still say that it sent an event, but not that it failed."""
    shop.tell()
    assert shop.worker(_Steered(shop.clock, seconds, [answer])).deliver(1) == done
    assert shop.rows() == [row]


def test_what_is_left_is_counted_to_a_bound(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A huge backlog does not make the count slow."""
    assert MOST_COUNTED == 1_000
    monkeypatch.setattr("ai_addons.billing.outbox.MOST_COUNTED", 3)
    shop.tell(5)
    assert shop.outbox.deliver(0) == Delivered(left=3)


# By the settings.


def test_without_an_address_nothing_is_sent() -> None:
    """Events of a time when there was one wait."""
    books = Books("100", outbox=True)
    tell(books, 2)
    outbox = open_outbox(books.opened, WebhookSettings(), clock=books.clock, random=lambda: 0.0)
    assert outbox.deliver() == Delivered(left=2)


@pytest.mark.parametrize(("timeout", "lease"), [(10, 300), (50, 300), (51, 306)])
def test_a_claim_outlives_the_longest_attempt(shop: Shop, timeout: int, lease: int) -> None:
    """A long timeout makes the lease longer, so that no second worker sends what is on its way."""
    shop.tell()
    leases = list[int]()

    def look(*_args: object, **_options: object) -> Delivery:
        leases.append(shop.rows()[0][1])
        return TAKES

    settings = WebhookSettings(url=shop.receiver.url, secrets=(SECRET,), timeout=f"{timeout}s")
    outbox = open_outbox(shop.books.opened, settings, clock=shop.clock, random=lambda: 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WebhookSender, "send", look)
        outbox.deliver()
    assert leases == [lease * SECOND]


def test_the_settings_sign_with_every_secret(shop: Shop) -> None:
    """While secrets are rotated, a receiver with the old one still trusts what comes."""
    shop.tell()
    settings = WebhookSettings(url=shop.receiver.url, secrets=(new_secret(b"n" * 32), SECRET))
    outbox = open_outbox(shop.books.opened, settings, clock=shop.clock, random=lambda: 0.0)
    assert outbox.deliver() == Delivered(sent=1)


# The commands.


@pytest.fixture
def till(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Books, Receiver]]:
    """The same by settings alone, as the command line finds it."""
    url = new_url(tmp_path)
    monkeypatch.chdir(tmp_path)
    with receiving(SystemClock().now) as receiver:
        monkeypatch.setenv("AI_ADDONS_STORE__URL", url)
        monkeypatch.setenv("AI_ADDONS_WEBHOOKS__URL", receiver.url)
        monkeypatch.setenv("AI_ADDONS_WEBHOOKS__SECRETS", json.dumps([SECRET]))
        books = Books("0", database=Database(url), clock=ManualClock(SystemClock().now()), outbox=True)
        books.buy("1", "order-1")
        yield books, receiver
        books.close()


def test_the_command_delivers_what_waits(till: tuple[Books, Receiver]) -> None:
    """One round, and its numbers for people or for machines."""
    books, receiver = till
    events = tell(books, 2)
    done = CliRunner().invoke(commands.deliver, [])
    assert (done.exit_code, done.stdout) == (0, "2 sent, 0 to be tried again, 0 given up, 0 left\n")
    assert sorted(receiver.ids) == sorted(events)
    done = CliRunner().invoke(commands.deliver, ["--json"])
    assert json.loads(done.stdout) == {"sent": 0, "failed": 0, "given_up": 0, "left": 0, "gone": False}


def test_the_command_fails_when_an_event_is_given_up(till: tuple[Books, Receiver]) -> None:
    """A job that watches the exit code hears of it."""
    books, receiver = till
    tell(books, 1)
    receiver.answers = [(410, {})]
    done = CliRunner().invoke(commands.deliver, ["--watch"])
    assert (done.exit_code, done.stdout) == (1, "0 sent, 0 to be tried again, 1 given up, 0 left\n")
    assert done.stderr == "The receiver wants no more events (410). Correct webhooks.url, or remove it.\n"


def test_watching_goes_on_until_it_is_stopped(till: tuple[Books, Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    """It rests when there is nothing to do or the receiver is in trouble, and says only what happened."""
    books, receiver = till
    tell(books, 3)
    rests = list[float]()

    def rest(_clock: SystemClock, seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 1:
            receiver.answers = [(500, {})]
            tell(books, 1)
        if len(rests) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(SystemClock, "sleep", rest)
    done = CliRunner().invoke(commands.deliver, ["--watch", "--most", "2"])
    assert (done.exit_code, rests) == (0, [5.0, 5.0, 5.0])
    assert done.stdout.splitlines() == [
        "2 sent, 0 to be tried again, 0 given up, 1 left",
        "1 sent, 0 to be tried again, 0 given up, 0 left",
        "0 sent, 1 to be tried again, 0 given up, 0 left",
    ]
    assert done.stderr == "Stopped. An event that was on its way is sent again.\n"


def test_without_an_address_the_command_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is a mistake of the set-up, and no database is opened for it."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["deliver", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (
        3,
        {
            "type": "urn:ai-addons:problem:config",
            "title": "Config",
            "code": "config",
            "detail": "There is nowhere to deliver to. Nothing was sent. Set webhooks.url and webhooks.secrets.",
            "charged": "0.00",
            "retryable": False,
            "exit_code": 3,
        },
    )
    assert list(tmp_path.iterdir()) == []


def test_a_new_secret_can_sign_and_is_never_the_same() -> None:
    """Copied into the settings it works at once."""
    made = [CliRunner().invoke(commands.webhook_secret, []).stdout.strip() for _ in range(2)]
    made.append(json.loads(CliRunner().invoke(commands.webhook_secret, ["--json"]).stdout)["secret"])
    assert len(set(made)) == 3
    for secret in made:
        assert secret.startswith("whsec_")
        WebhookSender("https://shop.example", [secret], timeout=1)
