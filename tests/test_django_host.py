"""The Django app around the endpoints: settings, checks, addresses, tables, models, the admin and our commands."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import reverse
from django.utils.module_loading import import_string

from ai_addons import addons as wiring
from ai_addons.billing.schema import HEAD, metadata
from ai_addons.errors import ConfigError
from tests.forked import OURS, starter
from tests.web_hosts import begin_django, django_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_addons import AddOns

JINJA: Final = "django.template.backends.jinja2.Jinja2"
SECRET: Final = "0123456789abcdef0123456789abcdef"
BORROWED: Final = {
    "CONNECTION": "borrowed",
    "PRINCIPAL": "tests.web_hosts.django_principal",
    "AUTHORIZE": "tests.web_endpoints.authorize",
    "SETTINGS": {"secret": SECRET, "cache": {"backend": "memory"}},
}


@pytest.fixture(autouse=True)
def _django() -> None:
    """This process is a Django host."""
    begin_django()


@pytest.fixture
def tables() -> Iterator[None]:
    """The host's tables and ours, emptied afterwards."""
    with override_settings(AI_ADDONS=BORROWED):
        call_command("migrate", verbosity=0)
        yield
        call_command("flush", interactive=False, verbosity=0)


def app() -> Any:
    """The app of this host."""
    from ai_addons.contrib.django.apps import app as found  # noqa: PLC0415  # Django is set up only now

    return found()


def problems(**host: object) -> list[tuple[str, str]]:
    """What ``manage.py check`` says."""
    with override_settings(AI_ADDONS=host):
        return [(str(one.id), str(one.msg)) for one in run_checks(tags=["ai_addons"])]


def test_a_host_that_is_set_up_has_nothing_to_correct() -> None:
    """No error and no warning."""
    assert problems(**BORROWED) == []


@pytest.mark.parametrize(
    ("host", "code", "says"),
    [
        ({"PRINCIPLE": "a.b"}, "E001", "PRINCIPLE: Extra inputs"),
        ({"PRINCIPAL": "no.such.hook"}, "E001", "AI_ADDONS['PRINCIPAL'] names 'no.such.hook'"),
        ({"PRINCIPAL": "tests.web_hosts.WHO"}, "E001", "must be a function"),
        ({"AUTHORIZE": "no.such.hook"}, "E001", "AI_ADDONS['AUTHORIZE']"),
        ({"TRANSLATE": "no.such.hook"}, "E001", "AI_ADDONS['TRANSLATE']"),
        ({"PROFILE": "no.such.hook"}, "E001", "AI_ADDONS['PROFILE']"),
        ({"HOOKS": ["no.such.hook"]}, "E001", "AI_ADDONS['HOOKS']"),
        ({"ENDPOINTS": "no.such.table"}, "E001", "AI_ADDONS['ENDPOINTS']"),
        ({"SETTINGS": {"billing": {"polcy": "hybrid"}}}, "E001", "policy"),
        ({"SETTINGS": {"store": {"url": "sqlite://"}}}, "E001", "says twice where the books are"),
        ({"DATABASE": "elsewhere"}, "E001", "no database 'elsewhere'"),
        ({"DATABASE": None, "CONNECTION": "borrowed"}, "E001", "names no DATABASE"),
        ({"CONNECTION": "own"}, "E001", "is in memory"),
        ({"CONNECTION": "lent"}, "E001", "CONNECTION"),
        ({"PRINCIPAL": None}, "W001", "AI_ADDONS['PRINCIPAL'] is not set."),
        ({"AUTHORIZE": None}, "W002", "AI_ADDONS['AUTHORIZE'] is not set."),
    ],
)
def test_what_is_wrong_is_said_before_the_first_request(host: dict[str, Any], code: str, says: str) -> None:
    """By the key that the host wrote, and never with a value that may be a secret."""
    ((found, message),) = problems(**{**BORROWED, **host})

    assert found == f"ai_addons.{code}"
    assert says in message
    assert SECRET not in message


def test_a_database_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books are kept in SQLite and PostgreSQL."""
    monkeypatch.setattr(type(connections["default"]), "vendor", "mysql")

    ((_, message),) = problems(**BORROWED)

    assert "database is mysql" in message


def test_books_elsewhere_are_as_the_settings_say(tmp_path: Path) -> None:
    """With DATABASE None the SDK's own setting counts."""
    host = {**BORROWED, "DATABASE": None, "CONNECTION": "own"}
    host["SETTINGS"] = {"store": {"url": f"sqlite:///{tmp_path / 'books.db'}"}}
    with override_settings(AI_ADDONS=host):
        assert app().addons.store_name == f"SQLite, {tmp_path / 'books.db'}"


def test_connections_of_our_own_go_to_djangos_database() -> None:
    """With all that libpq must know, and nothing that only Django understands."""
    from ai_addons.contrib.django.borrowing import url_of  # noqa: PLC0415  # Django is set up only now

    settings = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "pos",
        "USER": "ama",
        "PASSWORD": "p@ss/word",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require", "pool": True, "server_side_binding": True},
    }
    connections.databases["books"] = connections.configure_settings({"books": settings, "default": {}})["books"]
    try:
        assert url_of("books") == "postgresql+psycopg://ama:p%40ss%2Fword@db.example:5433/pos?sslmode=require"
    finally:
        del connections.databases["books"]
        delattr(connections._connections, "books")


def test_addresses_have_names() -> None:
    """Templates link to them."""
    assert reverse("ai_addons:credits") == "/shop/ai/credits/"


def test_features_find_the_host(tables: None) -> None:
    """The app installs what the settings say, and makes it at the first use."""
    before = wiring.install(lambda: app().addons)
    try:
        assert wiring.current() is app().addons
        assert wiring.current() is wiring.current()
    finally:
        wiring.install(before)


def test_changed_settings_are_read_anew() -> None:
    """As tests change them."""
    with override_settings(AI_ADDONS=BORROWED):
        first = app().addons
        assert app().addons is first
    with override_settings(AI_ADDONS=BORROWED):
        assert app().addons is not first


def test_the_migration_makes_the_tables_of_today(tables: None) -> None:
    """All of them, with their version; and Django has no more to migrate."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version_num FROM ai_schema_version")
        assert cursor.fetchone() == (HEAD,)
        found = set(connection.introspection.table_names(cursor))
    assert set(metadata.tables) <= found
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_models_are_the_tables(tables: None) -> None:
    """Every column that a model reads is there, and is read."""
    from ai_addons.contrib.django.models import MODELS  # noqa: PLC0415  # Django is set up only now

    for model in MODELS:
        columns = set(metadata.tables[model._meta.db_table].columns.keys())
        assert {field.column for field in model._meta.fields} <= columns
        assert list(model.objects.all()) == []


def test_going_back_drops_the_tables_and_coming_again_makes_them(tables: None) -> None:
    """``migrate ai_addons zero`` and ``migrate``."""
    from ai_addons.contrib.django.models import BusinessAICredits  # noqa: PLC0415  # Django is set up only now

    app().addons.grant("biz_7", "5", source="adjustment", ref="r-1")
    call_command("migrate", "ai_addons", "zero", verbosity=0)
    with connection.cursor() as cursor:
        assert not set(metadata.tables) & set(connection.introspection.table_names(cursor))
    with pytest.raises(ConfigError, match="are not there"), override_settings(AI_ADDONS={**BORROWED}):
        app().addons.wallet("biz_7")
    call_command("migrate", verbosity=0)
    assert BusinessAICredits.objects.count() == 0


def test_tables_of_another_release_are_refused(tables: None) -> None:
    """With the command that brings them to this one."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ai_schema_version SET version_num = '0001'")
    try:
        with pytest.raises(ConfigError, match="are of schema 0001"), override_settings(AI_ADDONS={**BORROWED}):
            app().addons.wallet("biz_7")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ai_schema_version SET version_num = %s", [HEAD])


def test_amounts_and_times_are_read_as_people_mean_them(tables: None) -> None:
    """Exact decimals and aware datetimes, in rows and in queries."""
    from ai_addons.contrib.django.models import (  # noqa: PLC0415  # Django is set up only now
        AICreditGrant,
        AILedgerEntry,
        BusinessAICredits,
    )

    before = datetime.now(UTC)
    app().addons.grant("biz_7", "2.5", source="adjustment", ref="r-1")

    wallet = BusinessAICredits.objects.get(balance=Decimal("2.5"))
    assert (wallet.balance, wallet.held, wallet.available) == (Decimal("2.5"), Decimal(0), Decimal("2.5"))
    assert before <= wallet.booked_at <= datetime.now(UTC)
    assert BusinessAICredits.objects.filter(booked_at__lt=before).count() == 0
    grant = AICreditGrant.objects.get(business_id="biz_7")
    assert (grant.amount, grant.expires_at, str(grant)) == (Decimal("2.5"), None, "adjustment r-1")
    assert str(AILedgerEntry.objects.get()) == "biz_7 1"
    assert str(wallet) == "biz_7"
    assert AICreditGrant.objects.filter(expires_at=None, amount__gt=2).exists()
    with pytest.raises(TypeError, match="never floats"):
        BusinessAICredits.objects.filter(balance=2.5).count()


@pytest.mark.parametrize("name", ["AITransaction", "AICreditPurchase", "AIMonthlyAddon"])
def test_rows_are_named_by_their_id(name: str) -> None:
    """In the admin and in a shell."""
    from ai_addons.contrib.django import models  # noqa: PLC0415  # Django is set up only now

    assert str(getattr(models, name)(id="x-1")) == "x-1"


def test_the_admin_shows_and_changes_nothing(tables: None) -> None:
    """A list for each table; no page for a row, nothing to add, change or delete."""
    from django.contrib.auth.models import User  # noqa: PLC0415  # Django is set up only now

    app().addons.grant("biz_7", "2.5", source="adjustment", ref="r-1")
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))

    for name in ("businessaicredits", "aicreditgrant", "aitransaction", "aicreditpurchase", "aimonthlyaddon"):
        listed: Any = client.get(f"/admin/ai_addons/{name}/")
        assert listed.status_code == 200
        assert client.get(f"/admin/ai_addons/{name}/add/").status_code == 403
    page: Any = client.get("/admin/ai_addons/businessaicredits/")
    assert b"biz_7" in page.content
    assert client.get("/admin/ai_addons/businessaicredits/biz_7/change/").status_code == 302
    assert client.post("/admin/ai_addons/businessaicredits/biz_7/delete/", {"post": "yes"}).status_code in (302, 403)
    assert app().addons.wallet("biz_7").available.short == "2.5"


def test_our_commands_work_on_the_books_of_the_host(tables: None, capsys: pytest.CaptureFixture[str]) -> None:
    """``manage.py ai_addons balance biz_7``."""
    app().addons.grant("biz_7", "2.5", source="adjustment", ref="r-1")

    with pytest.raises(SystemExit) as ended:
        call_command("ai_addons", "balance", "biz_7", "--json")

    assert ended.value.code == 0
    assert '"available": "2.50"' in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["no", "yes"])
def test_a_flush_asks_before_it_empties_the_books(tables: None, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """And does nothing unless the answer is yes."""
    app().addons.grant("biz_7", "2.5", source="adjustment", ref="r-1")
    monkeypatch.setattr("builtins.input", lambda _: answer)

    call_command("flush", verbosity=0, interactive=True)

    assert app().addons.wallet("biz_7").available.short == ("2.5" if answer == "no" else "0")


def test_other_databases_get_no_tables(ai_addons: AddOns) -> None:
    """Where the books are elsewhere, a migration and a flush of this one leave them alone."""
    from ai_addons.contrib.django import tables as of_django  # noqa: PLC0415  # Django is set up only now

    elsewhere = {**django_host(ai_addons, "tests.web_hosts.django_principal"), "DATABASE": None}
    with override_settings(AI_ADDONS=elsewhere), connection.schema_editor() as editor:
        of_django.make(None, editor)
        of_django.drop(None, editor)
        of_django.empty("default")
        of_django.keep_of_today(using="default")


def test_a_manage_py_in_a_process_of_its_own(tmp_path: Path) -> None:
    """From nothing: migrate, grant and read with connections of our own to Django's file."""
    (tmp_path / "host_settings.py").write_text(
        "SECRET_KEY = 'x'\nINSTALLED_APPS = ['ai_addons.contrib.django']\nUSE_TZ = True\n"
        f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': r'{tmp_path / 'pos.db'}'}}}}\n"
    )
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "host_settings", "PYTHONPATH": str(tmp_path)}

    with starter(("django.core.management", *OURS)) as python:

        def manage(*arguments: str) -> str:
            done = python.run("python", "-m", "django", *arguments, folder=tmp_path, environ=environ)
            done.check_returncode()
            return done.stdout + done.stderr

        assert "Applying ai_addons.0001_initial... OK" in manage("migrate")
        manage("ai_addons", "grant", "biz_7", "5", "--ref", "r-1")
        assert '"available": "5.00"' in manage("ai_addons", "balance", "biz_7", "--json")
        assert f"there are no tables; made those of schema {HEAD}" not in manage("ai_addons", "db", "upgrade")


def test_unknown_commands_are_refused() -> None:
    """As the command line refuses them."""
    with pytest.raises((SystemExit, CommandError)):
        call_command("ai_addons", "no-such-command")


@pytest.mark.parametrize("backend", ["django.template.backends.django.DjangoTemplates", JINJA])
def test_a_template_has_the_tags_of_the_components(backend: str) -> None:
    """In either engine, unescaped and with the host's token; a page that does not use them gets no token."""
    options = {"context_processors": ["ai_addons.contrib.django.context.assets"]}
    engine = import_string(backend)({"NAME": "host", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    used, unused = RequestFactory().get("/"), RequestFactory().get("/")

    head = engine.from_string("{{ ai_addons_assets }}").render({}, used)
    engine.from_string("nothing").render({}, unused)

    assert '<script type="module" src="/shop/ai/ui/static/' in head
    assert '<meta name="ai-addons-csrf" content="' in head
    assert ("CSRF_COOKIE" in used.META, "CSRF_COOKIE" in unused.META) == (True, False)
