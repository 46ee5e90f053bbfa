"""PostgreSQL: conflicts that are tried again, and connections that break at the worst moment."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import make_url

from ai_addons.billing.sql import Database, connecting, database, statements
from ai_addons.errors import StoreUnavailable
from tests.books import OK, Books, kept_in, open_books
from tests.hands import at_once
from tests.postgres import emptied_url, postgres_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.sql import Tx

psycopg = pytest.importorskip("psycopg")

OWN = {"business": "biz_7"}
CLAIM = {"key_hmac": "claim", "kind": "phone", "claimed_at": 1, "key_version": 1}
DISCONNECT_ALL = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture(autouse=True)
def _on_postgres() -> Iterator[None]:
    with kept_in("postgresql"):
        yield


@pytest.fixture
def books() -> Iterator[Books]:
    """A business with twelve credits."""
    with closing(Books()) as opened:
        yield opened


@pytest.fixture
def lone() -> Iterator[tuple[Books, Any]]:
    """The same in a database of its own, and an operator's connection to it."""
    url = postgres_url()
    with closing(Books(database=Database(url))) as opened, closing(psycopg.connect(url, autocommit=True)) as operator:
        yield opened, operator


# Conflicts.


def _raise(tx: Tx, state: str) -> None:
    tx.connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '{state}'; END $$")


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_a_conflict_is_tried_again_with_a_growing_pause(
    books: Books, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """What another transaction got in the way of is done once in the end; pauses differ, or they collide again."""
    runs, pauses = list[int](), list[float]()
    monkeypatch.setattr(database, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))

    def work(tx: Tx) -> str:
        runs.append(tx.changed(statements.ADD_CLAIM, CLAIM))
        if len(runs) < 8:
            _raise(tx, state)
        return "done"

    assert books.database.write(work) == "done"
    assert runs == [1] * 8
    assert books.sql("SELECT count(*) FROM ai_trial_claims") == [(1,)]
    assert all(0 <= pause <= 0.02 * 2**number for number, pause in enumerate(pauses, 1))
    assert len(set(pauses)) == 7


def test_a_conflict_that_never_ends_is_an_error_to_retry(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """After eight tries the caller is told; nothing was booked."""
    monkeypatch.setattr(database, "_PAUSE_SECONDS", 0)
    runs = []

    def work(tx: Tx) -> None:
        runs.append(tx.changed(statements.ADD_CLAIM, CLAIM))
        _raise(tx, "40001")

    with pytest.raises(StoreUnavailable, match=r"did not answer \(in the way\)\. Nothing was charged") as refused:
        books.database.write(work)
    assert refused.value.retryable
    assert runs == [1] * 8
    assert books.sql("SELECT count(*) FROM ai_trial_claims") == [(0,)]


def test_other_errors_are_not_tried_again(books: Books) -> None:
    """What would fail again is told at once."""
    runs = []

    def work(tx: Tx) -> None:
        runs.append(tx)
        _raise(tx, "XX000")

    with pytest.raises(StoreUnavailable, match="in the way"):
        books.database.write(work)
    assert len(runs) == 1


def test_a_deadlock_is_resolved(books: Books) -> None:
    """Two transactions that wait for each other are both done in the end."""
    books.buy("1", "order-1", business="biz_8")
    both, runs = threading.Barrier(2), list[int]()

    def cross(number: int) -> str:
        names = ["biz_7", "biz_8"][:: 1 - 2 * number]

        def work(tx: Tx) -> str:
            runs.append(number)
            tx.rows(statements.WALLET, {"business": names[0]})
            with suppress(threading.BrokenBarrierError):
                both.wait(5 if len(runs) < 3 else 0)
            return str(tx.rows(statements.WALLET, {"business": names[1]})[0].business_id)

        return books.database.write(work)

    assert at_once(2, cross) == ["biz_8", "biz_7"]
    # The one that gave way may have come too early again.
    assert len(runs) >= 3


def test_waiting_for_a_locked_wallet_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wallet that somebody keeps locked is waited for, but not once per try."""
    monkeypatch.setattr(connecting, "_LOCK_TIMEOUT", "SET lock_timeout = '100ms'")
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.05)
    url, runs = emptied_url(), list[object]()

    def work(tx: Tx) -> None:
        runs.append(tx)
        tx.rows(statements.WALLET, OWN)

    with closing(Books(database=Database(url))) as books, closing(psycopg.connect(url)) as other:
        other.execute("SELECT * FROM business_ai_credits FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="lock timeout") as refused:
            books.database.write(work)
        assert refused.value.retryable
        assert len(runs) == 2
        other.rollback()
        assert books.balance() == ("12", "0")


def test_a_pool_that_is_exhausted_is_an_error_to_retry(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many calls at once end in our own retryable error, not in the pool's."""
    monkeypatch.setattr("ai_addons.billing.sql.database._WAIT_SECONDS", 0.01)
    busy, done = threading.Barrier(9), threading.Event()

    def stay(_: Tx) -> None:
        busy.wait(30)
        done.wait(30)

    threads = [threading.Thread(target=books.database.read, args=(stay,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    busy.wait(30)
    with pytest.raises(StoreUnavailable, match="did not answer") as refused:
        books.balance()
    assert refused.value.retryable
    done.set()
    for thread in threads:
        thread.join()
    assert books.balance() == ("12", "0")


# Connections that break.


def test_connections_lost_between_two_calls_are_not_noticed(lone: tuple[Books, Any]) -> None:
    """After a restart of the server the next call just works, however many connections were open."""
    books, operator = lone
    # As many as there can be: each try would find another dead one.
    at_once(8, lambda _: books.database.read(lambda tx: tx.connection.execute("SELECT pg_sleep(0.2)")))
    assert len(operator.execute(DISCONNECT_ALL).fetchall()) == 8
    hold = books.hold("5", "sale-81")
    for act in (
        lambda: books.store.capture(hold, OK),
        books.balance,
        lambda: lambda: books.store.find(books.call("sale-81")),
    ):
        operator.execute(DISCONNECT_ALL)
        act()
    assert books.balance() == ("7", "0")


def test_a_connection_lost_during_the_work_does_it_again(lone: tuple[Books, Any]) -> None:
    """What was begun is gone with its connection, and is done once on another one."""
    books, operator = lone
    runs = []

    def work(tx: Tx) -> int:
        runs.append(tx.changed(statements.ADD_CLAIM, CLAIM))
        if len(runs) == 1:
            operator.execute(DISCONNECT_ALL)
        return int(tx.rows(statements.LOOK, OWN)[0].posted)

    assert books.database.write(work) == 12_000_000
    assert runs == [1, 1]
    assert books.sql("SELECT count(*) FROM ai_trial_claims") == [(1,)]


class TimeLimit(Exception):
    """What a host raises out of a signal, as Celery does at the end of a task's soft time limit."""


def test_what_interrupts_a_wait_for_the_server_leaves_nothing_behind() -> None:
    """Neither answers on their way nor a locked wallet: the next transaction has a connection of its own."""
    url = emptied_url()

    def strike(*_: object) -> None:
        raise kinds[-1]

    kinds, before = [TimeLimit, KeyboardInterrupt, SystemExit], signal.signal(signal.SIGALRM, strike)
    try:
        with closing(Books(database=Database(url))) as books, closing(psycopg.connect(url)) as other:
            while kinds:
                other.execute("SELECT * FROM business_ai_credits FOR UPDATE")
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                with pytest.raises(kinds[-1]):
                    books.buy("3", "order-2")
                other.rollback()
                assert books.balance() == ("12", "0")
                kinds.pop()
            other.execute("SELECT * FROM business_ai_credits FOR UPDATE")
            kinds.append(TimeoutError)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(StoreUnavailable, match="Nothing was charged"):
                books.buy("3", "order-2")
            other.rollback()
            books.buy("1", "order-3")
            assert books.balance() == ("13", "0")
            assert books.report().ok
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_what_interrupts_a_rollback_leaves_no_transaction_open(lone: tuple[Books, Any]) -> None:
    """The work that failed is undone all the same, and nobody goes on in its transaction."""
    books, _ = lone

    def interrupted() -> None:
        raise KeyboardInterrupt

    def work(tx: Tx) -> None:
        assert tx.changed(statements.ADD_CLAIM, CLAIM) == 1
        tx.connection.rollback = interrupted
        raise TimeLimit

    with pytest.raises(KeyboardInterrupt):
        books.database.write(work)
    books.buy("1", "order-3")
    assert books.balance() == ("13", "0")
    assert books.sql("SELECT count(*) FROM ai_trial_claims") == [(0,)]


class Relay:
    """Stands between a database and its server, which can so be stopped at will.

    Where ``cut_when`` says so, it drops the connection as the next commit is ``asked`` for or ``answered``.
    """

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        host, port = str(parts.query.get("host") or parts.host), parts.port or 5432
        self._server: Any = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        self._sockets: list[socket.socket] = []
        self._port = 0
        self.cut_when: str | None = None
        self.start()
        query = {"sslmode": "disable", "gssencmode": "disable"}
        self.url = parts.set(host="127.0.0.1", port=self._port, query=query).render_as_string(hide_password=False)

    def start(self) -> None:
        """Answer again."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._sockets.append(listener)
        threading.Thread(target=self._serve, args=[listener], daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        while self._sockets:
            one = self._sockets.pop()
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.socket(socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET)
                server.connect(self._server)
                self._sockets += [client, server]
                for way in (("asked", client, server), ("answered", server, client)):
                    threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, what: str, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                # The statement is asked for by a name that ends so, and answered by this word.
                if self.cut_when == what and b"COMMIT\0" in data:
                    self.cut_when = None
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A way to the shared database that can be cut."""
    with closing(Relay(emptied_url())) as between:
        yield between


@pytest.mark.parametrize(("cut_when", "balance"), [("asked", ("12", "0")), ("answered", ("15", "0"))])
def test_a_connection_lost_during_the_commit_leaves_a_doubt_that_a_repeat_resolves(
    relay: Relay, cut_when: str, balance: tuple[str, str]
) -> None:
    """Booked or not, nobody can know and it is said so; the repeat books it once."""
    with closing(Books(database=Database(relay.url))) as books:
        relay.cut_when = cut_when
        with pytest.raises(StoreUnavailable, match=r"not known whether this was booked\. Repeat.*never.*twice") as lost:
            books.buy("3", "order-2")
        assert (lost.value.retryable, lost.value.in_doubt) == (True, True)
        assert lost.value.__suppress_context__
        assert books.balance() == balance
        books.buy("3", "order-2")
        assert books.balance() == ("15", "0")
        assert books.report().ok


@pytest.mark.parametrize("cut_when", ["asked", "answered"])
def test_a_reading_that_breaks_at_its_end_is_repeated(relay: Relay, cut_when: str) -> None:
    """Who only looks has nothing to doubt: the question is asked again."""
    with closing(Books(database=Database(relay.url))) as books:
        relay.cut_when = cut_when
        assert books.balance() == ("12", "0")
        assert relay.cut_when is None


def test_a_server_that_is_stopped_is_an_error_to_retry_until_it_is_back(relay: Relay) -> None:
    """Nothing is charged while it is away, and no host needs a restart when it returns."""
    with closing(Books(database=Database(relay.url))) as books:
        relay.close()
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=r"did not answer.*Nothing was charged") as refused:
                books.balance()
            assert refused.value.retryable
        relay.start()
        assert books.balance() == ("12", "0")


def test_a_server_that_was_never_there_is_named_without_its_password() -> None:
    """A wrong address is told with what to check, and no secret."""
    store = open_books(Database("postgresql://u:hunter2@127.0.0.1:9/none")).store
    with pytest.raises(StoreUnavailable, match=r"did not answer.*Nothing was charged.*check store\.url") as refused:
        store.wallet("biz_7")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__
