"""The books are upgraded while hosts of the release before work on them: which of them go on, and which are refused."""

from __future__ import annotations

import threading
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from ai_addons.billing import migrations
from ai_addons.billing.doctor import examine
from ai_addons.billing.schema import HEAD
from ai_addons.billing.sql import Database, connecting
from ai_addons.errors import ConfigError, StoreUnavailable
from tests.books import OK, Books
from tests.old_books import on, run
from tests.postgres import postgres_url

if TYPE_CHECKING:
    from pathlib import Path

BEFORE: Final = "0012"
"""The tables before this release's; the upgrade from them only adds a table, which calls do not use."""


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of empty books with the tables of the release before."""
    url = f"sqlite:///{tmp_path / 'books.db'}" if request.param == "sqlite" else postgres_url()
    on(url, lambda connection: migrations.migrate(connection, None, BEFORE))
    return url


def as_before(url: str, monkeypatch: pytest.MonkeyPatch) -> Books:
    """A host of the release before, that is running: it has seen the tables it knows, and looks no more."""
    with monkeypatch.context() as release:
        release.setattr(connecting, "HEAD", BEFORE)
        return Books("100", database=Database(url))


def test_a_running_host_goes_on_while_the_tables_are_upgraded(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls are charged before, during and after; the new release finds every invariant whole."""
    with closing(as_before(old, monkeypatch)) as books:
        ending, charged, failed = threading.Event(), list[str](), list[Exception]()

        def work() -> None:
            while not ending.is_set():
                try:
                    charged.append(books.store.capture(books.hold("0.001"), OK).charged.short)
                except Exception as error:  # noqa: BLE001  # any of them is a failure of this test
                    failed.append(error)
                    return

        thread = threading.Thread(target=work)
        thread.start()
        while len(charged) < 3 and not failed:
            ending.wait(0.01)
        assert migrations.upgrade(old) == (BEFORE, HEAD)
        during = len(charged)
        while len(charged) < during + 3 and not failed:
            ending.wait(0.01)
        ending.set()
        thread.join()
        assert failed == []
        left = 100 - Decimal("0.001") * len(charged)
        with closing(Books("0", database=Database(old))) as new:
            assert Decimal(new.balance()[0]) == left
            assert examine(new.database).findings == ()


def test_hosts_that_start_are_held_to_the_tables(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new release refuses old tables; the one before, started again, refuses the new ones. Nothing is charged."""
    with closing(Database(old)) as new, pytest.raises(ConfigError, match=r"earlier release.*Nothing was charged"):
        new.read(lambda _: None)
    migrations.upgrade(old)
    with pytest.raises(ConfigError, match=r"newer ai_addons.*Nothing was charged"):
        as_before(old, monkeypatch)
    with closing(Database(old)) as new:
        new.read(lambda _: None)


def test_an_upgrade_that_cannot_get_in_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever keeps a table locked makes it fail in time, as a whole; the hosts go on, and it can be repeated."""
    url = postgres_url()
    on(url, lambda connection: migrations.migrate(connection, None, BEFORE))
    monkeypatch.setattr(migrations, "_QUEUE", (*migrations._QUEUE[:2], "SET LOCAL lock_timeout = '100ms'"))
    psycopg = pytest.importorskip("psycopg")
    with closing(as_before(url, monkeypatch)) as books, closing(psycopg.connect(url)) as other:
        other.execute("LOCK TABLE ai_schema_version IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="whole or not at all"):
            migrations.upgrade(url)
        books.store.capture(books.hold("5"), OK)
        other.rollback()
        assert run(url, "SELECT version_num FROM ai_schema_version") == [(BEFORE,)]
        assert migrations.upgrade(url) == (BEFORE, HEAD)
        assert books.balance() == ("95", "0")
