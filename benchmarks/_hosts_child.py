"""An app host of the benchmark of hosts: ``python -m benchmarks._hosts_child JSON``, until it is killed or told to end.

It does what a host does, in threads: billed calls under keys, purchases, and the jobs. What its clients asked for and
were told goes to a journal before and after each call, so it is known whatever happens to the process. Started again
it repeats what was left open, under the same keys, as clients do. It ends when its standard input does.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections import deque
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from ai_addons import AddOns, Prompt, Settings, billed_feature
from ai_addons.billing.renewing import Renewed
from ai_addons.clock import Uuid7
from ai_addons.errors import AddOnsError, InsufficientCreditsError
from ai_addons.llm.base import ModelReply, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.clock import Clock
    from ai_addons.llm.base import ModelRequest

EMAIL: Final = "owner@shop.example"
_STORED: Final = 12
"""How many different questions a business asks of the stored feature."""
_REST: Final = 0.2
"""Seconds that a client waits after a call that was refused."""
STARTED: Final = "started"
"""The first line that a host writes; the others name payments."""
JOBS: Final = 2.0
"""Seconds between two rounds of the jobs, which all hosts do at the same moments."""
_RECONCILE: Final = 5
"""Every so many rounds the gateway is compared too."""


@billed_feature("hosts_fresh", credits=1, cache=None)
def fresh(number: int) -> Prompt[str]:
    """A text like no other."""
    return Prompt[str](user=f"Text {number}, please.")


@billed_feature("hosts_stored", credits=1, cache="1h")
def stored(number: int) -> Prompt[str]:
    """A text that is asked for again and again."""
    return Prompt[str](user=f"Usual text {number}, please.")


_FEATURES: Final = {"hosts_fresh": fresh, "hosts_stored": stored}


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a host is told to do.

    Attributes:
        url: Of the database.
        redis: Of the answer cache; None keeps no answers.
        gateway: Of the fake gateway.
        folder: Where its journal is.
        host: Its number.
        seed: Draws what its clients do.
        businesses: How many there are.
        threads: Clients at a time.
        model: Seconds that the model takes.
    """

    url: str
    redis: str | None
    gateway: str
    folder: str
    host: int
    seed: int
    businesses: int
    threads: int
    model: float

    def text(self) -> str:
        """As it is given to the process."""
        return json.dumps(asdict(self))


class SlowModel:
    """A model that takes its time and never fails.

    Args:
        seconds: How long each answer takes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer after a while."""
        time.sleep(self._seconds)
        usage = Usage(input=100, output=50)
        return ModelReply(text="Fresh bread, every day.", finish="stop", model=request.model, usage=usage)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same; no host of this benchmark is async."""
        return self.complete(request)


def business_id(number: int) -> str:
    """Id of a business."""
    return f"biz_{number}"


def until_jobs(now: float) -> float:
    """Seconds until the next round of the jobs.

    Args:
        now: Seconds since 1970.
    """
    return JOBS - now % JOBS


def open_host(orders: Orders, *, clock: Clock | None = None) -> AddOns:
    """The SDK as each of the hosts makes it.

    Args:
        orders: What the host is told.
        clock: Another clock than the database's own; it shows days gone by.
    """
    settings = Settings(
        store={"url": orders.url},
        cache={"backend": "off"} if orders.redis is None else {"backend": "redis", "url": orders.redis},
        # The shortest time that a hold may live, so that those of killed hosts are soon free.
        call={"deadline": timedelta(seconds=20), "hold_ttl": timedelta(seconds=80)},
        models={"small": "openai/gpt-6-luna"},
        providers={"openai": {"api_key": "k"}},
        budget={"usd_month": None},
        fx={"sources": ("static",)},
        gateways={"fake": {"base_url": orders.gateway}},
        secret="a secret for benchmarks, and for nothing else",  # noqa: S106  # of no worth
    )
    return AddOns(settings, llm=SlowModel(orders.model), environ={}, clock=clock)


# The journal.


class Journal:
    """What clients of a host asked for and were told; a line is whole, or is not there.

    Args:
        path: Its file, which outlives the process.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, what: str, **facts: object) -> None:
        """Add a line, in one write."""
        os.write(self._file, json.dumps({"what": what, "at": time.time(), **facts}).encode() + b"\n")

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


class Logged(logging.Handler):
    """Notes what the SDK logs, in place of printing it.

    Args:
        journal: Where to.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Note a line without its numbers, so that it can be counted."""
        self._journal.note("logged", line=str(record.msg))


def read_journal(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a journal."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that a client wants answered, under its key."""

    key: str
    business: str
    feature: str
    number: int


def open_calls(lines: list[dict[str, Any]]) -> list[Call]:
    """The calls that no client was given an answer to, as they were begun."""
    told = {line["key"] for line in lines if line["what"] == "ok"}
    begun = {
        line["key"]: Call(key=line["key"], business=line["business"], feature=line["feature"], number=line["number"])
        for line in lines
        if line["what"] == "begin"
    }
    return [call for key, call in begun.items() if key not in told]


def make(addons: AddOns, journal: Journal, call: Call) -> AddOnsError | None:
    """Make a call and note it before and after; the error that a client is told, None if it was answered."""
    journal.note("begin", **asdict(call))
    began = time.perf_counter()
    try:
        feature = _FEATURES[call.feature].options(
            addons=addons, business=call.business, user="u_1", idempotency_key=call.key
        )
        _, receipt = feature.billed(call.number)
    except AddOnsError as error:
        journal.note("refused", key=call.key, code=error.code, seconds=time.perf_counter() - began)
        return error
    journal.note(
        "ok",
        key=call.key,
        charged=receipt.charged.micro,
        replayed=receipt.replayed,
        cached=receipt.cached,
        seconds=time.perf_counter() - began,
    )
    return None


# What a host does.


class Host:
    """The threads of a host.

    Args:
        addons: The SDK.
        journal: Where everything is noted.
        orders: What it is told to do.
        again: Calls of an earlier life that nobody was answered.
    """

    def __init__(self, addons: AddOns, journal: Journal, orders: Orders, again: list[Call]) -> None:
        self._addons = addons
        self._journal = journal
        self._orders = orders
        self._again = deque(again)
        self.ending = threading.Event()

    def threads(self) -> list[threading.Thread]:
        """Clients, and one thread for the jobs."""
        clients = [threading.Thread(target=self._client, args=(number,)) for number in range(self._orders.threads)]
        return [*clients, threading.Thread(target=self._jobs)]

    def _client(self, number: int) -> None:
        chance = Random(f"{self._orders.seed}/{number}")  # noqa: S311  # no secret
        for call in self._wanted(chance):
            if call is None:
                self._buy(business_id(chance.randrange(self._orders.businesses)), chance)
                continue
            error = make(self._addons, self._journal, call)
            if isinstance(error, InsufficientCreditsError):
                self._buy(call.business, chance)
            if error is not None:
                # As a client does: the same again, under the same key, a little later.
                self._again.append(call)
                self.ending.wait(_REST)

    def _wanted(self, chance: Random) -> Iterator[Call | None]:
        """What a client wants next; None to buy credits."""
        while not self.ending.is_set():
            what = chance.random()
            with suppress(IndexError):
                if what < 0.2:  # noqa: PLR2004  # one in five, while something is left open
                    yield self._again.popleft()
                    continue
            if what > 0.97:  # noqa: PLR2004  # three in a hundred buy
                yield None
                continue
            repeated = what > 0.6  # noqa: PLR2004  # and nearly four in ten ask what was asked before
            yield Call(
                key=Uuid7().new(time.time_ns() // 1_000),
                business=business_id(chance.randrange(self._orders.businesses)),
                feature="hosts_stored" if repeated else "hosts_fresh",
                number=chance.randrange(_STORED) if repeated else time.time_ns(),
            )

    def _buy(self, business: str, chance: Random) -> None:
        """Order a pack, have it paid (the parent does), and look; who does not look is left to the reconciler."""
        try:
            payment = self._addons.orders.start(business, "VALUE", email=EMAIL)
            reference = payment.attempt.reference
            self._journal.note("order", business=business, reference=reference)
            print(reference, flush=True)  # tells the parent
            if chance.random() < 0.8:  # noqa: PLR2004  # four in five come back to our page
                self.ending.wait(_REST)
                self._addons.orders.verify(business, reference)
        except AddOnsError as error:
            self._journal.note("not_bought", business=business, code=error.code)
            self.ending.wait(_REST)

    def _jobs(self) -> None:
        """Every host does them all, as the documentation says it may."""
        rounds = 0
        while not self.ending.wait(until_jobs(time.time())):
            rounds += 1
            self._do("sweep", self._addons.sweep)
            self._do("renew", self._addons.orders.renew)
            if rounds % _RECONCILE == 0:
                self._do("reconcile", lambda: self._addons.orders.reconcile(days=1))

    def _do(self, job: str, work: Callable[[], object]) -> None:
        try:
            done = work()
        except AddOnsError as error:
            self._journal.note("job_refused", job=job, code=error.code)
        else:
            paid = done.paid if isinstance(done, Renewed) else 0
            self._journal.note("job", job=job, host=self._orders.host, paid=paid)


def main(orders: Orders) -> None:
    """Work until standard input ends."""
    path = Path(orders.folder) / f"host_{orders.host}.jsonl"
    with closing(Journal(path)) as journal, closing(open_host(orders)) as addons:
        logging.getLogger("ai_addons").addHandler(Logged(journal))
        host = Host(addons, journal, orders, open_calls(read_journal(path)))
        journal.note("started")
        print(STARTED, flush=True)
        threads = host.threads()
        for thread in threads:
            thread.start()
        sys.stdin.read()
        host.ending.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(Orders(**json.loads(sys.argv[1])))
