"""From the tables of every release to today's, with real books in them."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from ai_addons.billing import migrations
from ai_addons.billing.doctor import examine
from ai_addons.billing.ledger import broken_links
from ai_addons.billing.rows import read_entry
from ai_addons.billing.schema import HEAD, VERSION_TABLE, metadata
from ai_addons.billing.sql import Database, connecting
from ai_addons.errors import ConfigError, StoreUnavailable
from tests.old_books import content, copy_version_1, new_store_like, on, rows, run, shape, stamp, write_version_1
from tests.postgres import postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.ledger import LedgerEntry

SCRIPTS: Final = ScriptDirectory(str(Path(migrations.__file__).parent))


Upgraded: TypeAlias = "tuple[str, dict[str, list[tuple[Any, ...]]]]"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    return f"sqlite:///{tmp_path / 'books.db'}" if request.param == "sqlite" else postgres_url()


@pytest.fixture
def old(empty: str) -> str:
    """The URL of a database with the books of the first release."""
    write_old_books(empty)
    return empty


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    """Books of the first release after the upgrade, to look at only: their URL, and what was in them before."""
    folder = tmp_path_factory.mktemp("upgraded")
    url = f"sqlite:///{folder / 'books.db'}" if request.param == "sqlite" else postgres_url()
    write_old_books(url)
    before = content(url)
    migrations.upgrade(url)
    return url, before


def write_old_books(url: str) -> None:
    """Fill an empty database with the books of the first release."""
    if url.startswith("sqlite"):
        write_version_1(Path(url.removeprefix("sqlite:///")))
    else:
        copy_version_1(url)


def revision(name: str) -> Any:
    """The module of a revision."""
    return SCRIPTS.get_revision(name).module


def entries(url: str, business: str) -> list[LedgerEntry]:
    """The ledger of a business."""
    statement = text("SELECT * FROM ai_ledger WHERE business_id = :business ORDER BY seq")
    return on(
        url, lambda connection: [read_entry(row) for row in connection.execute(statement, {"business": business})]
    )


def test_the_tables_of_today_are_the_last_revision() -> None:
    """Whoever changes the tables writes a revision: both name the same version."""
    assert SCRIPTS.get_current_head() == HEAD


def test_the_first_revision_makes_the_tables_of_the_first_release(tmp_path: Path) -> None:
    """What the first release wrote is what the first revision says it wrote, triggers included."""
    written, made = tmp_path / "written.db", f"sqlite:///{tmp_path / 'made.db'}"
    write_version_1(written)
    on(made, lambda connection: migrations.migrate(connection, None, "0001"))
    assert shape(made) == shape(f"sqlite:///{written}")
    assert run(made, "SELECT version FROM ai_schema") == [(1,)]


def test_an_empty_database_gets_the_tables_of_a_new_store(empty: str, tmp_path: Path) -> None:
    """`ai-addons db upgrade` on an empty database is as good as the first use."""
    assert migrations.find(empty) is None
    assert migrations.upgrade(empty) == (None, HEAD)
    assert migrations.find(empty) == HEAD
    assert shape(empty) == shape(new_store_like(empty, tmp_path))


def test_old_tables_become_those_of_a_new_store(old: str, tmp_path: Path) -> None:
    """After the upgrade nothing in the database tells that it was ever older."""
    assert migrations.find(old) == "0001"
    assert migrations.upgrade(old) == ("0001", HEAD)
    assert migrations.find(old) == HEAD
    assert shape(old) == shape(new_store_like(old, tmp_path))


def test_alembic_finds_no_difference_to_the_tables_of_today(upgraded: Upgraded) -> None:
    """Alembic's own comparison agrees, types and defaults included."""
    url, _ = upgraded
    # An index of block ranges, which only PostgreSQL has; alembic asks nobody for whom an index is.
    brin = set() if url.startswith("postgresql") else {"ix_transaction_at"}
    asked = {
        "compare_type": True,
        "compare_server_default": True,
        "version_table": VERSION_TABLE,
        "include_object": lambda _object, name, *_: name not in brin,
    }
    assert on(url, lambda c: compare_metadata(MigrationContext.configure(c, opts=asked), metadata)) == []


def test_the_ledger_stays_byte_for_byte(upgraded: Upgraded) -> None:
    """Every row, every hash and the head on every wallet are what they were; the chain verifies."""
    url, before = upgraded
    after = content(url)
    assert after["ai_ledger"] == before["ai_ledger"]
    assert len(after["ai_ledger"]) == 13
    old_wallets = before["business_ai_credits"]
    assert [wallet[: len(old_wallets[0])] for wallet in after["business_ai_credits"]] == old_wallets
    for business in ("biz_7", "biz_8", "biz_9"):
        assert broken_links(business, entries(url, business)) == []


def test_the_doctor_is_content_with_upgraded_books(upgraded: Upgraded) -> None:
    """Every invariant of the books holds after the upgrade, daily sums included."""
    with closing(Database(upgraded[0])) as database:
        report = examine(database)
    assert report.findings == ()
    assert report.wallets == 3


def test_a_grant_tells_what_was_paid_for_it(upgraded: Upgraded) -> None:
    """Price per credit times credits, rounded down to whole micro-GHS; free credits cost nothing."""
    assert run(upgraded[0], "SELECT source_ref, paid, features, voided_at FROM ai_credit_grants") == [
        ("order-1", 80_000_000, None, None),
        ("order-2", 6_999_999, None, None),
        ("order-3", 6_999_999, None, None),
        ("spring", 0, None, None),
        ("trial", 0, None, None),
    ]


def test_a_call_tells_its_day_and_what_it_earned(upgraded: Upgraded) -> None:
    """The day is the UTC one, which is Ghana's; the revenue is what the paying grants cost."""
    found = run(
        upgraded[0], "SELECT business_id, id, attempt, day, revenue_micro_ghs, price_version FROM ai_transactions"
    )
    assert found == [
        ("biz_7", "call-1", 1, "2026-09-21", 0, None),
        ("biz_7", "call-2", 1, "2026-09-21", 6_999_999, None),
        ("biz_7", "call-3", 1, "2026-09-21", 0, None),
        ("biz_7", "call-3", 2, "2026-09-21", 80_000, None),
        ("biz_7", "call-4", 0, "2026-09-21", 0, None),
        ("biz_7", "call-5", 1, "2026-09-22", 0, None),
        ("biz_7", "call-6", 1, "2026-09-22", 3_200_000, None),
        ("biz_8", "call-1", 1, "2026-09-22", 0, None),
        ("biz_8", "call-2", 1, "2026-09-22", 0, None),
        ("biz_9", "call-1", 1, "2026-09-22", 233_333, None),
        ("biz_9", "call-2", 1, "2026-09-22", 466_666, None),
    ]


def test_the_last_microsecond_of_a_day_still_counts_in_it(old: str) -> None:
    """A day ends at midnight UTC."""
    midnight = 1_790_035_200_000_000
    for call, at in {"call-1": midnight - 1, "call-2": midnight}.items():
        run(old, "UPDATE ai_transactions SET at = :at WHERE business_id = 'biz_9' AND id = :call", at=at, call=call)
    migrations.upgrade(old)
    assert run(old, "SELECT id, day FROM ai_transactions WHERE business_id = 'biz_9'") == [
        ("call-1", "2026-09-21"),
        ("call-2", "2026-09-22"),
    ]


def test_the_days_add_up_the_call_log(upgraded: Upgraded) -> None:
    """Calls by outcome, cached ones, money, costs, tokens and times; what is unknown is counted, not guessed."""
    assert [" ".join(map(str, row)) for row in rows(upgraded[0], "ai_usage_daily")] == [
        "biz_7 2026-09-21 collection_analysis 4 3 1 0 1 5100000 7079999 105000000 1222 1 400 40 160 30824 3 3 0",
        "biz_7 2026-09-21 product_description 1 1 0 0 0 3000000 0 75000000 873 0 200 20 80 412 1 1 0",
        "biz_7 2026-09-22 collection_analysis 2 1 0 1 0 4000000 3200000 75000000 873 1 200 20 80 412 1 1 0",
        "biz_8 2026-09-22 collection_analysis 2 2 0 0 0 2000000 0 150000000 1746 0 400 40 160 824 2 2 0",
        "biz_9 2026-09-22 collection_analysis 1 1 0 0 0 100000 233333 75000000 873 0 200 20 80 412 1 1 0",
        "biz_9 2026-09-22 product_description 1 1 0 0 0 200000 466666 75000000 873 0 200 20 80 412 1 1 0",
    ]


def test_months_count_from_the_first_booking(old: str) -> None:
    """A wallet's anchor is its first ledger row; what is due stays due; the rest begins as in a new wallet."""
    run(old, "INSERT INTO business_ai_credits (business_id, chain_head, status) VALUES ('biz_0', '', 'active')")
    migrations.upgrade(old)
    asked = "SELECT business_id, anchor_at, next_due_at, policy, tz, period, alert_armed, alert_fired_at "
    assert run(old, asked + "FROM business_ai_credits") == [
        ("biz_0", 0, None, None, "Africa/Accra", -1, 0, None),
        ("biz_7", 1_790_000_000_000_000, 1_790_090_380_000_000, None, "Africa/Accra", -1, 0, None),
        ("biz_8", 1_790_090_060_000_000, None, None, "Africa/Accra", -1, 0, None),
        ("biz_9", 1_790_090_260_000_000, 1_790_090_380_000_000, None, "Africa/Accra", -1, 0, None),
    ]


def test_everything_else_is_carried_over(upgraded: Upgraded) -> None:
    """Claims of a trial, open holds with their shares and kept answers go on as they were."""
    url, before = upgraded
    after = content(url)
    added = {
        "ai_credit_holds": (None, None, None),
        "ai_hold_allocations": (),
        "ai_call_results": (),
        "ai_trial_claims": (1,),
    }
    assert {name: after[name] for name in added} == {
        name: [(*row, *more) for row in before[name]] for name, more in added.items()
    }
    assert [row[1] for row in after["ai_credit_holds"] if "open" in row] == ["call-7"]


def test_large_purchases_are_exact(old: str) -> None:
    """The product of amount and price may pass 64 bits; what was paid is exact all the same."""
    most = 2**63 - 1
    bought = [(most, 1_000_000), (most, 999_999), (1_999_999, 2**62), (1, 999_999), (1, 1_000_000)]
    for amount, unit_price in bought:
        add_grant(old, amount, unit_price)
    migrations.upgrade(old)
    paid = [most, 9_223_362_813_482_738_952, 9_223_367_425_168_757_380, 0, 1]
    found = run(old, "SELECT source_ref, paid FROM ai_credit_grants WHERE id LIKE 'large:%'")
    assert dict(found) == {f"{amount}:{price}": paid for (amount, price), paid in zip(bought, paid, strict=True)}


@given(amount=st.integers(0, 2**63 - 1), unit_price=st.integers(0, 2**63 - 1))
def test_what_was_paid_is_rounded_down(amount: int, unit_price: int) -> None:
    """Never a micro-GHS too much or too few; only what fits no column becomes something else than a whole number."""
    with closing(sqlite3.connect(":memory:")) as file:
        worth = revision("0002")._worth("amount")
        statement = f"SELECT {worth} FROM (SELECT ? AS amount, ? AS unit_price)"  # noqa: S608  # a constant
        (found,) = file.execute(statement, (amount, unit_price)).fetchone()
    paid = amount * unit_price // 10**6
    assert found == paid if paid < 2**63 else isinstance(found, float)


def add_grant(url: str, amount: int, unit_price: int) -> None:
    """One more purchase in old books."""
    run(
        url,
        "INSERT INTO ai_credit_grants VALUES ('biz_9', :id, 'purchase', :ref, :amount, 0, 0, 50, :price, 0, NULL)",
        id=f"large:{amount}:{unit_price}",
        ref=f"{amount}:{unit_price}",
        amount=amount,
        price=unit_price,
    )


def break_with_a_price(url: str) -> None:
    """What was paid fits no column."""
    add_grant(url, 2**63 - 1, 1_000_001)


def break_with_a_table(url: str) -> None:
    """The host has a table of the same name as the last one that is made."""
    run(url, "CREATE TABLE ai_audit (mine INTEGER)")


@pytest.mark.parametrize("break_it", [break_with_a_price, break_with_a_table])
def test_a_failed_upgrade_leaves_everything_as_it_was(old: str, break_it: Callable[[str], None]) -> None:
    """Whatever stops it, early or late: tables and rows are the old ones, and the next attempt may succeed."""
    break_it(old)
    before = content(old)
    with pytest.raises(StoreUnavailable, match=r"could not be upgraded .*whole or not at all; nothing was charged"):
        migrations.upgrade(old)
    assert content(old) == before
    assert VERSION_TABLE not in before
    assert migrations.find(old) == "0001"


def test_a_second_upgrade_does_nothing(upgraded: Upgraded) -> None:
    """It can stand in a start script."""
    url, _ = upgraded
    before = shape(url), content(url)
    assert migrations.upgrade(url) == (HEAD, HEAD)
    assert (shape(url), content(url)) == before


def test_tables_of_a_newer_release_are_left_alone(empty: str) -> None:
    """An old package beside a new store says so and touches nothing."""
    migrations.upgrade(empty)
    stamp(empty, "9999")
    with pytest.raises(ConfigError, match=r"schema 9999.*Nothing was charged\. Upgrade the package"):
        migrations.upgrade(empty)
    assert migrations.find(empty) == "9999"


def test_hosts_that_upgrade_at_once_queue(old: str) -> None:
    """Whoever comes second, also after one that makes the tables, waits and finds them done."""
    found: list[tuple[str | None, str]] = []
    hosts = [threading.Thread(target=lambda: found.append(migrations.upgrade(old))) for _ in range(2)]

    def while_another_makes_tables(connection: Any) -> list[bool]:
        if not old.startswith("sqlite"):
            connection.exec_driver_sql(connecting.CREATION)
        for host in hosts:
            host.start()
        hosts[0].join(0.5)
        return [host.is_alive() for host in hosts]

    assert on(old, while_another_makes_tables) == [True, True]
    for host in hosts:
        host.join(30)
    assert sorted(found, key=repr) == [("0001", HEAD), (HEAD, HEAD)]


@pytest.mark.parametrize("name", [made.revision for made in SCRIPTS.walk_revisions()])
def test_books_are_never_taken_back(name: str) -> None:
    """The way back is the backup, and the error says so."""
    with pytest.raises(ConfigError, match=r"never taken back .*Nothing was charged or changed.*restore the backup"):
        revision(name).downgrade()


def test_looking_makes_no_file(tmp_path: Path) -> None:
    """A look at a store that is not there leaves the disk as it was; memory is empty by nature."""
    assert migrations.find(f"sqlite:///{tmp_path / 'none.db'}") is None
    assert migrations.find("sqlite://") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (
            migrations.find,
            "could not be read (file is not a database). Nothing was charged or changed. Check store.url",
        ),
        (migrations.upgrade, "could not be upgraded (file is not a database). An upgrade is done whole or not at all"),
    ],
)
def test_a_file_of_another_kind_is_named_as_such(tmp_path: Path, act: Callable[[str], object], says: str) -> None:
    """The message is the database's own, with what to do, and without a statement."""
    (tmp_path / "letter.db").write_text("Dear customer, " * 100, encoding="utf-8")
    with pytest.raises(StoreUnavailable, match=re.escape(says)) as caught:
        act(f"sqlite:///{tmp_path / 'letter.db'}")
    assert caught.value.__suppress_context__


def test_the_package_may_lie_in_a_folder_with_a_percent_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the package is installed, its revisions are found."""
    (tmp_path / "50%s").symlink_to(Path(migrations.__file__).parent)
    monkeypatch.setattr(migrations, "__file__", str(tmp_path / "50%s" / "__init__.py"))
    assert migrations.upgrade(f"sqlite:///{tmp_path / 'books.db'}") == (None, HEAD)
