"""A Django host's own tests, run by pytest-django in a process of their own, on books in Django's connections."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy.engine import make_url

from tests.postgres import postgres_url

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: Final = """
import os

SECRET_KEY = "of a host in the tests"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "ai_addons.contrib.django", "shop",
]
DATABASES = {DATABASES}
USE_TZ = True
AI_ADDONS = {
    "CONNECTION": "borrowed",
    "SETTINGS": {"secret": "0123456789abcdef0123456789abcdef", "cache": {"backend": "memory"}},
}
"""

MODELS: Final = """
from django.db import models


class Sale(models.Model):
    note = models.TextField(unique=True)
"""

MIGRATION: Final = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Sale", [
            ("id", models.BigAutoField(primary_key=True)), ("note", models.TextField(unique=True)),
        ]),
    ]
"""

TESTS: Final = '''
import asyncio
import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections, transaction

from ai_addons import Prompt, bill_to, billed_feature
from ai_addons.contrib.django.apps import app
from ai_addons.contrib.django.models import AITransaction, BusinessAICredits
from ai_addons.errors import ConfigError, InsufficientCreditsError, StoreUnavailable
from shop.models import Sale


def give(business="biz_7", credits="10", ref="r-1"):
    return app().addons.grant(business, credits, source="adjustment", ref=ref)


def left(business="biz_7"):
    return str(app().addons.wallet(business).available.short)


@pytest.mark.django_db
@pytest.mark.parametrize("_again", [1, 2])
def test_nothing_leaks_from_one_test_into_the_next(_again):
    assert left() == "0"
    give()
    assert left() == "10"
    assert BusinessAICredits.objects.get(business_id="biz_7").balance == Decimal(10)


@pytest.mark.django_db
def test_a_grant_goes_with_the_rows_of_the_host():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Sale.objects.create(note="a")
        give()
        1 / 0
    assert (left(), Sale.objects.count()) == ("0", 0)
    with transaction.atomic():
        Sale.objects.create(note="b")
        give()
    assert (left(), Sale.objects.count()) == ("10", 1)


@pytest.mark.django_db
def test_a_refusal_of_ours_leaves_the_transaction_of_the_host_whole():
    @billed_feature("borrowed_dear", credits=3)
    def dear(word: str) -> Prompt[str]:
        """Say a word."""
        return Prompt(user=word)

    with transaction.atomic():
        Sale.objects.create(note="a")
        with pytest.raises(InsufficientCreditsError), bill_to("biz_7"):
            dear("yes")
        Sale.objects.create(note="b")
    assert Sale.objects.count() == 2


@pytest.mark.django_db
def test_a_billed_call_is_booked_with_the_host():
    @billed_feature("borrowed_word", credits=3)
    def word(text: str) -> Prompt[str]:
        """Say a word."""
        return Prompt(user=text)

    give()
    with bill_to("biz_7", user="u_1"):
        word("yes")
    assert left() == "7"
    booked = AITransaction.objects.get()
    assert (booked.feature, booked.credits_charged, booked.user_id) == ("borrowed_word", Decimal(3), "u_1")
    assert app().addons.doctor().ok


@pytest.mark.django_db
def test_an_error_of_the_database_is_ours_and_undoes_its_part_alone():
    give()
    books = app().addons._wiring.database
    from ai_addons.billing.sql.statements import text  # SQLAlchemy's
    with pytest.raises(StoreUnavailable):
        books.write(lambda tx: tx.write(text("UPDATE no_such_table SET a = 1"), {}) or tx.connection)
    assert left() == "10"


@pytest.mark.django_db
def test_a_broken_transaction_is_not_written_into():
    try:
        with transaction.atomic():
            Sale.objects.create(note="a")
            try:
                Sale.objects.create(note="a")
            except IntegrityError:
                pass
            with pytest.raises(StoreUnavailable):
                give()
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert left() == "0"


@pytest.mark.django_db
def test_hooks_on_commit_wait_for_the_host(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True) as told:
        with transaction.atomic():
            give()
            transaction.on_commit(lambda: None)
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", [1, 2])
def test_nothing_leaks_from_a_test_that_commits(_again):
    assert left() == "0"
    give()
    Sale.objects.create(note="a")
    assert left() == "10"


@pytest.mark.django_db(transaction=True)
def test_threads_never_spend_more_than_there_is():
    @billed_feature("borrowed_race", credits=1, cache=None)
    def race(text: str) -> Prompt[str]:
        """Say a word."""
        return Prompt(user=text)

    give()
    done, refused = [], []

    def work(number):
        try:
            for turn in range(5):
                try:
                    with bill_to("biz_7"):
                        race(f"{number} {turn}")
                    done.append(turn)
                except InsufficientCreditsError:
                    refused.append(turn)
        finally:
            connections.close_all()

    app().addons.warm_up()
    if connection.vendor == "sqlite":
        work(0), work(1), work(2), work(3)
    else:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert (len(done), len(refused), left()) == (10, 10, "0")
    assert app().addons.doctor().ok


@pytest.mark.django_db(transaction=True)
def test_calls_with_await_work_in_threads_of_ours_and_leave_no_connection():
    if connection.vendor != "postgresql":
        pytest.skip("a database in memory is one connection's")
    @billed_feature("borrowed_await", credits=3, cache=None)
    def word(text: str) -> Prompt[str]:
        """Say a word."""
        return Prompt(user=text)

    async def call():
        with bill_to("biz_7"):
            await word.aio("yes")

    give()
    asyncio.run(call())
    assert left() == "7"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone() == (1,)
    app().addons.close()


@pytest.mark.django_db
def test_the_hosts_own_wait_for_locks_stays_what_it_was():
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL waits by a setting")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        give()
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("3s",)


@pytest.mark.django_db(transaction=True)
def test_a_lock_of_the_host_on_another_connection_ends_in_a_clear_error(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no locks of rows")
    from ai_addons.contrib.django import borrowing
    monkeypatch.setattr(borrowing, "_WAIT", borrowing._WAIT.replace("10s", "100ms"))
    give()
    begun, end = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM business_ai_credits FOR UPDATE")
            begun.set()
            end.wait(20)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    begun.wait(20)
    try:
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            give(ref="r-2")
    finally:
        end.set()
        other.join()
    assert left() == "10"


@pytest.mark.django_db
def test_the_books_cannot_be_changed_by_the_models():
    give()
    row = BusinessAICredits.objects.get()
    for change in (row.save, row.delete, BusinessAICredits.objects.all().delete):
        with pytest.raises(ConfigError):
            change()
    with pytest.raises(ConfigError):
        BusinessAICredits.objects.update(balance=5)
'''


def host(folder: Path, databases: dict[str, object]) -> None:
    """Write a host with one model of its own."""
    shop = folder / "shop"
    (shop / "migrations").mkdir(parents=True)
    for package in (shop, shop / "migrations"):
        (package / "__init__.py").write_text("")
    (shop / "models.py").write_text(MODELS)
    (shop / "migrations" / "0001_initial.py").write_text(MIGRATION)
    (folder / "host_settings.py").write_text(SETTINGS.replace("{DATABASES}", repr(databases)))
    (folder / "test_host.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = host_settings\npythonpath = .\n")


def run(folder: Path, *options: str) -> str:
    """Run the host's tests; what pytest said."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *options]
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environ, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_host_on_sqlite_tests_with_borrowed_connections(tmp_path: Path) -> None:
    """In a database in memory, where connections of our own would find nothing."""
    host(tmp_path, {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})

    assert "12 passed, 3 skipped" in run(tmp_path)


@pytest.mark.parametrize("binding", [False, True])
def test_a_host_on_postgresql_tests_with_borrowed_connections(tmp_path: Path, *, binding: bool) -> None:
    """With psycopg 3, whichever side puts the parameters in."""
    url = make_url(postgres_url())
    settings: dict[str, object] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.query.get("host", url.host) or "",
        "PORT": str(url.port or ""),
        "OPTIONS": {"server_side_binding": binding},
    }
    host(tmp_path, {"default": settings})

    assert "15 passed" in run(tmp_path)
