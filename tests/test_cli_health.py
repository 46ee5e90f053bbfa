"""`ai-addons doctor --system`: what a running installation needs, each thing with what to do."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from ai_addons import AddOns
from ai_addons.billing.fx.base import FxRate
from ai_addons.billing.fx.desk import RateView
from ai_addons.billing.jobs import JobRun, last_runs, recorded
from ai_addons.billing.overviews import Waiting
from ai_addons.billing.spending import WindowSpending
from ai_addons.cli import main
from ai_addons.cli.health import (
    LEAST_FREE,
    examine_system,
    free_bytes,
    judge_budget,
    judge_clocks,
    judge_disk,
    judge_job,
    judge_rate,
    judge_settings,
    judge_waiting,
)
from ai_addons.errors import StoreUnavailable
from ai_addons.money import PicoUsd
from ai_addons.testing import FakeLlm, kit_settings
from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.gateway import FakeGateway
from tests.books import Books

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder: a new user's machine."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that only the test moves."""
    return ManualClock()


@pytest.fixture
def addons(clock: ManualClock) -> Iterator[AddOns]:
    """An installation with a gateway, books and answers in memory."""
    gateway = FakeGateway(clock)
    made = AddOns(kit_settings(), clock=clock, llm=FakeLlm(clock), environ={}, gateways=(gateway,))
    with closing(made), closing(gateway):
        yield made


def found(addons: AddOns) -> dict[str, str]:
    """How each thing is."""
    return {check.name: check.level for check in examine_system(addons).checks}


# One thing at a time.


@pytest.mark.parametrize(
    ("theirs", "level", "said"),
    [
        (1_000 * SECOND, "ok", "0.0 s"),
        (1_003 * SECOND, "ok", "0.0 s"),
        (1_004 * SECOND, "ok", "1.0 s"),
        (1_005 * SECOND, "warning", "2.0 s"),
        (998 * SECOND, "warning", "2.0 s"),
        (940 * SECOND, "error", "60.0 s"),
        (1_063 * SECOND, "error", "60.0 s"),
    ],
)
def test_clocks_may_differ_by_what_the_question_took_and_two_seconds(theirs: int, level: str, said: str) -> None:
    """A database that took three seconds to answer is no clock that is wrong by three."""
    check = judge_clocks(1_000 * SECOND, theirs, 1_003 * SECOND)
    assert (check.level, check.found) == (level, f"host and database differ by {said}")
    assert ("NTP" in check.todo) == (level != "ok")


@pytest.mark.parametrize(
    ("what", "minutes", "level", "todo"),
    [
        ("holds", 14, "ok", ""),
        ("holds", 15, "warning", "ai-addons sweep"),
        ("inbox", 15, "warning", "ai-addons sweep"),
        ("outbox", 15, "warning", "ai-addons deliver"),
        ("payments", 59, "ok", ""),
        ("payments", 60, "warning", "ai-addons reconcile"),
        ("quarantine", 0, "warning", "ai-addons orders quarantine"),
    ],
)
def test_what_waits_too_long_is_told_with_its_command(what: str, minutes: int, level: str, todo: str) -> None:
    """Each thing has a time of its own."""
    check = judge_waiting(Waiting(what=what, several=3, oldest=DAY), DAY + minutes * MINUTE)
    assert (check.name, check.level) == (f"waiting: {what}", level)
    assert todo in check.todo
    assert check.found.startswith("3 ")


def test_nothing_that_waits_is_well() -> None:
    """No number of nothing is late."""
    check = judge_waiting(Waiting(what="holds", several=0, oldest=None), DAY)
    assert (check.level, check.found, check.todo) == ("ok", "no holds past their time", "")


@pytest.mark.parametrize(
    ("job", "age", "level", "said"),
    [
        ("sweep", 14 * MINUTE, "ok", "ended 14 min ago, after 1.5 s"),
        ("sweep", 15 * MINUTE, "warning", "ended 15 min ago, after 1.5 s"),
        ("deliver", 15 * MINUTE, "warning", "ended 15 min ago, after 1.5 s"),
        ("renew", 25 * HOUR, "ok", "ended 25 h ago, after 1.5 s"),
        ("reconcile", 3 * DAY, "warning", "ended 3 d ago, after 1.5 s"),
        ("sweep", -5 * SECOND, "ok", "ended 0 s ago, after 1.5 s"),
    ],
)
def test_a_job_that_was_not_done_for_long_is_late(job: str, age: int, level: str, said: str) -> None:
    """Sweeps and deliveries every few minutes, renewals and reconciliation daily."""
    check = judge_job(job, JobRun(job=job, ended_at=10 * DAY - age, took=1_500_000), 10 * DAY)
    assert (check.level, check.found) == (level, said)
    assert (f"`ai-addons {job}`" in check.todo) == (level != "ok")


def test_a_job_that_never_ended_is_told() -> None:
    """A new installation, or one whose timer is not there."""
    assert judge_job("sweep", None, DAY).found == "never came to its end"


@pytest.mark.parametrize(
    ("used", "held", "level", "todo"),
    [
        (79, 0, "ok", ""),
        (70, 10, "warning", "margins"),
        (60, 40, "error", "budget.usd_month"),
        (101, 0, "error", "Paid"),
    ],
)
def test_a_budget_is_told_before_it_is_spent(used: int, held: int, level: str, todo: str) -> None:
    """Calls in progress count with the most that they can cost."""
    one = WindowSpending(
        window="month",
        starts_at=0,
        used=PicoUsd(used * 10**12),
        held=PicoUsd(held * 10**12),
        budget=PicoUsd(100 * 10**12),
    )
    check = judge_budget(one, share_that_warns=0.8)
    assert (check.level, check.found) == (level, f"USD {used}.00 of 100.00 spent this month")
    assert todo in check.todo


@pytest.mark.parametrize(
    ("sources", "old", "level"),
    [(("static",), True, "ok"), (("bog",), False, "ok"), (("bog", "static"), True, "warning")],
)
def test_an_old_rate_is_told_unless_it_is_fixed(sources: tuple[str, ...], old: bool, level: str) -> None:
    """Who wrote a rate into the settings knows that it is old."""
    rate = FxRate(
        base="USD",
        quote="GHS",
        rate=Decimal("11.646"),
        as_of=date(2026, 9, 29),
        fetched_at=0,
        source="bog",
        kind="interbank",
    )
    view = RateView(rate=rate, age_days=9, stale=old, old=old, sources=sources)
    assert judge_rate(view).level == level


@pytest.mark.parametrize(
    ("what", "free", "level", "todo"),
    [
        ("books", LEAST_FREE, "ok", ""),
        ("books", LEAST_FREE - 1, "error", "nothing can be booked"),
        ("answers", 0, "warning", "cache.size_limit_mb"),
    ],
)
def test_a_full_disk_is_worse_for_books_than_for_answers(what: str, free: int, level: str, todo: str) -> None:
    """Without room no call can be paid; without stored answers calls go on."""
    check = judge_disk(what, Path("shop.db"), free)
    assert check.level == level
    assert todo in check.todo


def test_room_is_looked_for_where_a_folder_would_be_made(tmp_path: Path) -> None:
    """The folder of answers may not be there yet."""
    assert free_bytes(tmp_path / "not" / "there") > 0


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (
            None,
            "no ai_addons.toml here; a process reads its settings once, so restart those that started before a change",
        ),
        (
            5,
            "ai_addons.toml, changed 5 min ago; a process reads its settings once, so restart those that started",
        ),
        (-5, "ai_addons.toml, changed 0 s ago; "),
    ],
)
def test_settings_say_since_when_they_are_as_they_are(minutes: int | None, said: str) -> None:
    """A host that is running goes on with what it read."""
    changed = None if minutes is None else DAY - minutes * MINUTE
    check = judge_settings(changed, DAY)
    assert (check.level, check.found[: len(said)]) == ("ok", said)


def test_the_file_of_this_folder_is_looked_at(addons: AddOns, tmp_path: Path) -> None:
    """As a process that starts here would find it."""
    (tmp_path / "ai_addons.toml").touch()
    os.utime(tmp_path / "ai_addons.toml", (0, addons.clock.now() / 1_000_000 - 600))
    (told,) = [check.found for check in examine_system(addons).checks if check.name == "settings"]
    assert told.startswith("ai_addons.toml, changed 10 min ago")


# All of it.


def test_a_new_installation_needs_its_jobs(addons: AddOns) -> None:
    """Everything is looked at; what was never done is told."""
    assert found(addons) == {
        "database": "ok",
        "clocks": "ok",
        "waiting: payments": "ok",
        "waiting: inbox": "ok",
        "waiting: quarantine": "ok",
        "waiting: outbox": "ok",
        "waiting: holds": "ok",
        "job: sweep": "warning",
        "job: reconcile": "warning",
        "exchange rate": "ok",
        "budget: month": "ok",
        "answer cache": "ok",
        "gateway": "ok",
        "secret": "ok",
        "settings": "ok",
    }


def test_jobs_that_were_done_are_kept(addons: AddOns, clock: ManualClock) -> None:
    """By the time of their end; hours later they are late."""
    addons.sweep()
    addons.orders.reconcile()
    addons.orders.renew()
    addons.deliver()
    assert [run.job for run in addons.operating.jobs()] == ["deliver", "reconcile", "renew", "sweep"]
    assert {found(addons)[name] for name in ("job: sweep", "job: reconcile")} == {"ok"}
    clock.advance(3_600)
    assert (found(addons)["job: sweep"], found(addons)["job: reconcile"]) == ("warning", "ok")
    addons.sweep()
    assert found(addons)["job: sweep"] == "ok"


def test_a_job_that_fails_is_not_kept() -> None:
    """Its last end grows old, which is what an operator is told."""
    with closing(Books()) as books:

        def fail() -> None:
            books.clock.advance(2)
            raise StoreUnavailable

        assert recorded(books.opened, "renew", lambda: books.clock.advance(4)) is None
        ended = books.clock.now()
        with pytest.raises(StoreUnavailable):
            recorded(books.opened, "renew", fail)
        assert last_runs(books.opened) == (JobRun(job="renew", ended_at=ended, took=4 * SECOND),)


def test_policies_and_webhooks_have_jobs_of_their_own() -> None:
    """Whoever sells add-ons renews them; whoever is told of events has them delivered."""
    settings = kit_settings(
        billing={"policy": "hybrid"},
        budget={"usd_month": None},
        webhooks={"url": "http://127.0.0.1:9/hooks", "secrets": ["whsec_" + "A" * 44]},
    )
    with closing(AddOns(settings, llm=FakeLlm(), environ={})) as addons:
        levels = found(addons)
        assert {name for name in levels if name.startswith("job: ")} == {"job: sweep", "job: renew", "job: deliver"}
        assert (levels["gateway"], levels["budget"]) == ("warning", "warning")


def test_a_cache_that_cannot_be_read_is_a_warning() -> None:
    """Calls go on without it."""
    pytest.importorskip("redis")
    settings = kit_settings(cache={"backend": "redis", "url": "redis://127.0.0.1:9"})
    with closing(AddOns(settings, llm=FakeLlm(), environ={})) as addons:
        assert addons.answers.fault() is not None
        assert found(addons)["answer cache"] == "warning"
    with closing(AddOns(kit_settings(cache={"backend": "off"}), llm=FakeLlm(), environ={})) as addons:
        assert addons.answers.fault() is None


def test_a_gateway_without_its_key_must_be_mended() -> None:
    """Orders would be refused; the message names the key."""
    with closing(AddOns(kit_settings(gateways={"paystack": {}}), llm=FakeLlm(), environ={})) as addons:
        check = next(one for one in examine_system(addons).checks if one.name == "gateway")
        assert check.level == "error"
        assert "PAYSTACK" in check.found


# The command.


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def test_warnings_are_told_and_end_well() -> None:
    """Exit code 0: nothing must be mended now."""
    text = call("doctor", "--system").stdout
    assert "warning  job: sweep: never came to its end\n         Run `ai-addons sweep`" in text
    assert text.endswith("0 wallets checked, 0 findings\n")
    told = as_json("doctor", "--system")
    assert (told["ok"], told["wallets"], told["system"][0]["level"]) == (True, 0, "ok")


def test_the_books_may_be_left_out() -> None:
    """They take long when they are big; that alone is asked for with --system."""
    assert "wallets" not in as_json("doctor", "--system", "--no-books")
    assert "wallets checked" not in call("doctor", "--system", "--no-books").stdout
    assert "--system" in call("doctor", "--no-books", code=2).stderr
    assert "--system" in call("doctor", "--system", "--no-books", "--rebuild", code=2).stderr


def test_a_database_that_does_not_answer_is_told_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1; what lies beside the books is looked at all the same."""
    pytest.importorskip("psycopg")
    monkeypatch.setenv("AI_ADDONS_STORE__URL", "postgresql://pos:hunter2@127.0.0.1:9/pos")
    monkeypatch.setenv("AI_ADDONS_SECRET", "a secret for tests, and for nothing else")
    told = as_json("doctor", "--system", code=1)
    levels = {check["name"]: check["level"] for check in told["system"]}
    assert (told["ok"], levels["database"], levels["secret"]) == (False, "error", "ok")
    assert "wallets" not in told
    assert "job: sweep" not in levels
    assert "hunter2" not in json.dumps(told)
