"""Identical calls in flight: one request, and each caller has its own deadline, receipt and end."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, InsufficientCreditsError, bill_to, install
from ai_addons.cache.base import CacheFault
from ai_addons.cache.flights import Flight, Flights
from ai_addons.cache.memory import MemoryAnswers
from ai_addons.cache.redis import RedisAnswers
from ai_addons.errors import ProviderTimeout, ProviderUnavailable
from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests import together_child
from tests.features import AMA, OPINION, Customer, Debtor, composed, opinion, reminder, routed
from tests.processes import Child
from tests.redis_server import own_prefix, redis_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ai_addons.llm.base import ModelReply, ModelRequest
    from ai_addons.receipt import Receipt

SHOP = "shop"
PRICE = Credits(3)
FUNDS = Credits(1_000)


class SlowLlm(FakeLlm):
    """A model that thinks until the test lets it answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.go = threading.Event()

    def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.set()
        assert self.go.wait(30)
        return super().complete(request)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        self.asked.set()
        while not self.go.is_set():  # noqa: ASYNC110  # the gate is one for threads as well
            await asyncio.sleep(0.005)
        return await super().acomplete(request)


@pytest.fixture
def llm() -> SlowLlm:
    """A model that thinks until the test lets it answer."""
    made = SlowLlm()
    made.reply(opinion, OPINION)
    return made


@pytest.fixture(params=["memory"])
def addons(request: pytest.FixtureRequest, llm: SlowLlm, tmp_path: Path) -> Iterator[AddOns]:
    """The wiring with one of the caches, installed, and a business with credits."""
    cache = {"backend": request.param, "directory": tmp_path / "cache"}
    if request.param == "redis":
        cache |= {"url": redis_url(), "prefix": own_prefix()}
    with AddOns(kit_settings(cache=cache), clock=ManualClock(), llm=llm, environ={}) as made:
        before = install(made)
        made.grant(SHOP, FUNDS, source="adjustment", ref="funds")
        yield made
        made._wiring.desk().kit.cache.evict()  # type: ignore[union-attr]  # each of these has one
        report = made.doctor()
        made.close()
        install(before)
    assert report.ok


each_cache = pytest.mark.parametrize("addons", ["memory", "disk", "redis"], indirect=True)


class Waiting:
    """Counts who waits for a flight just now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._lock = threading.Lock()
        wait, async_wait = Flight.wait, Flight.async_wait

        def counted(flight: Flight, seconds: float) -> bool:
            self._add(1)
            try:
                return wait(flight, seconds)
            finally:
                self._add(-1)

        async def async_counted(flight: Flight, seconds: float) -> bool:
            self._add(1)
            try:
                return await async_wait(flight, seconds)
            finally:
                self._add(-1)

        monkeypatch.setattr(Flight, "wait", counted)
        monkeypatch.setattr(Flight, "async_wait", async_counted)

    def _add(self, number: int) -> None:
        with self._lock:
            self.count += number

    def until(self, number: int) -> None:
        """Wait until so many wait."""
        end = time.monotonic() + 30
        while self.count != number:
            assert time.monotonic() < end, f"{self.count} wait, not {number}"
            time.sleep(0.005)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    """Counts who waits for a flight just now."""
    return Waiting(monkeypatch)


def ring(customer: Customer = AMA, **options: Any) -> Receipt:
    """Make the call; its receipt."""
    return opinion.options(business=SHOP, **options).billed(customer).receipt


async def aring(customer: Customer = AMA) -> Receipt:
    """The same on an event loop."""
    return (await opinion.options(business=SHOP).aio.billed(customer)).receipt


def on_a_loop(customers: list[Customer]) -> list[Receipt]:
    """Make calls as tasks of one loop."""

    async def together() -> list[Receipt]:
        return await asyncio.gather(*(aring(customer) for customer in customers))

    return asyncio.run(together())


def told(receipts: list[Receipt]) -> Counter[tuple[str, str, bool]]:
    """What the receipts say: credits, source, cached."""
    return Counter((receipt.charged.short, receipt.source, receipt.cached) for receipt in receipts)


@each_cache
@pytest.mark.parametrize("leader", ["thread", "task"])
def test_threads_and_tasks_share_one_request(addons: AddOns, llm: SlowLlm, waiting: Waiting, leader: str) -> None:
    """16 threads and 16 tasks with one question: one request, one charge, 31 free repeats."""
    with ThreadPoolExecutor(17) as pool:
        starts: list[Callable[[], list[Receipt]]] = [partial(on_a_loop, [AMA] * 16), lambda: [ring()]]
        first, second = starts[::-1] if leader == "thread" else starts
        running = [pool.submit(first)]
        assert llm.asked.wait(10)
        running += [pool.submit(second), *(pool.submit(lambda: [ring()]) for _ in range(15))]
        waiting.until(31)
        assert addons.wallet(SHOP).held == PRICE
        llm.go.set()
        receipts = [receipt for each in running for receipt in each.result()]
    assert len(llm.calls) == 1
    assert told(receipts) == {("3", "ai", False): 1, ("0", "cache", True): 31}
    assert len({receipt.id for receipt in receipts}) == 32
    assert addons.wallet(SHOP).posted == FUNDS - PRICE
    rows = addons.transactions(SHOP)
    costs = [row.cost for row in rows]
    assert sorted(cost or 0 for cost in costs) == [0] * 31 + [35_000_000]
    assert (sum(row.cacheable for row in rows), sum(row.saved for row in rows)) == (32, 31 * 35_000_000)


@each_cache
def test_other_customers_pay_and_may_repeat(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """The same masked question about eight customers: one request, eight charges, and then each repeat is free."""
    customers = [Customer(name=f"Kofi {name}", late=2) for name in ("Ansah", "Badu", "Cudjoe", "Danso")]
    customers += [Customer(name=f"Esi {name}", late=2) for name in ("Ansah", "Badu", "Cudjoe", "Danso")]
    with ThreadPoolExecutor(5) as pool:
        tasks = pool.submit(on_a_loop, customers[:4])
        assert llm.asked.wait(10)
        threads = [pool.submit(ring, customer) for customer in customers[4:]]
        waiting.until(7)
        llm.go.set()
        receipts = [*tasks.result(), *(thread.result() for thread in threads)]
    assert len(llm.calls) == 1
    assert told(receipts) == {("3", "ai", False): 1, ("3", "cache", True): 7}
    assert {receipt.cost for receipt in receipts if receipt.cached} == {0}
    assert told([ring(customer) for customer in customers]) == {("0", "cache", True): 8}


@pytest.mark.parametrize("addons", ["memory", "redis"], indirect=True)
def test_waiting_keeps_no_worker_thread(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """Many more tasks than worker threads wait, and the threads are free for other calls."""
    with ThreadPoolExecutor(1) as pool:
        tasks = pool.submit(on_a_loop, [AMA] * 40)
        waiting.until(39)
        desk = addons._wiring.desk()
        assert [desk.threads.submit(int, "1").result(5) for _ in range(9)] == [1] * 9
        llm.go.set()
        assert told(tasks.result()) == {("3", "ai", False): 1, ("0", "cache", True): 39}


@each_cache
def test_a_leaders_failure_is_its_own(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """The first caller is told that the provider is down; one of the others asks again, for all of them."""
    llm._scripts.clear()
    llm.fail(opinion)
    llm.reply(opinion, OPINION)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(ring)
        assert llm.asked.wait(10)
        others = [pool.submit(ring) for _ in range(5)]
        waiting.until(5)
        llm.go.set()
        with pytest.raises(ProviderUnavailable):
            first.result()
        receipts = [other.result() for other in others]
    assert len(llm.calls) == 2
    assert told(receipts) == {("3", "ai", False): 1, ("0", "cache", True): 4}


def test_a_leader_without_credits_is_alone_with_it(addons: AddOns, llm: SlowLlm) -> None:
    """Who cannot pay asks nobody, and is nobody's reason to fail."""
    llm.go.set()
    with pytest.raises(InsufficientCreditsError):
        opinion.options(business="poor")(AMA)
    assert ring().charged == PRICE
    assert len(llm.calls) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("addons", ["memory", "redis"], indirect=True)
async def test_a_cancelled_leader_hands_over(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """The leader's task is cancelled at the model: a follower asks, and pays."""
    first = asyncio.ensure_future(aring())
    await asyncio.to_thread(llm.asked.wait, 10)
    others = [asyncio.ensure_future(aring()) for _ in range(3)]
    await asyncio.to_thread(waiting.until, 3)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    llm.go.set()
    assert told(await asyncio.gather(*others)) == {("3", "ai", False): 1, ("0", "cache", True): 2}
    assert addons.wallet(SHOP).posted == FUNDS - PRICE


@pytest.mark.anyio
async def test_a_cancelled_follower_disturbs_nobody(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """Cancelled or closed while it waits, a follower is gone, has held nothing, and leaves no line in the log."""
    first = asyncio.ensure_future(aring())
    await asyncio.to_thread(llm.asked.wait, 10)
    gone, other = asyncio.ensure_future(aring()), asyncio.ensure_future(aring())
    await asyncio.to_thread(waiting.until, 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    closed = aring()
    closed.send(None)
    assert waiting.count == 2
    closed.close()
    assert waiting.count == 1
    llm.go.set()
    assert told([await first, await other]) == {("3", "ai", False): 1, ("0", "cache", True): 1}
    assert len(addons.transactions(SHOP)) == 2


def test_ctrl_c_ends_a_wait(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """Ctrl-C strikes at once while another call is waited for."""
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ring)
        assert llm.asked.wait(10)

        def strike() -> None:
            waiting.until(1)
            os.kill(os.getpid(), signal.SIGINT)

        pool.submit(strike)
        with pytest.raises(KeyboardInterrupt):
            ring()
        llm.go.set()
        assert first.result().charged == PRICE


@each_cache
def test_a_follower_has_its_own_deadline(addons: AddOns, llm: SlowLlm) -> None:
    """Who waits too long is told so, pays nothing and stands in the log; the leader goes on."""
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ring)
        assert llm.asked.wait(10)
        with pytest.raises(ProviderTimeout):
            ring(deadline=timedelta(seconds=1))
        assert addons.wallet(SHOP).held == PRICE
        llm.go.set()
        assert first.result().charged == PRICE
    failed, paid = sorted(addons.transactions(SHOP), key=lambda row: row.charged)
    assert (failed.error_code, failed.cost, failed.cacheable, paid.charged) == ("provider_timeout", 0, False, PRICE)


def test_a_follower_out_of_time_falls_back(addons: AddOns, llm: SlowLlm) -> None:
    """A feature that can do without the model does, after its own deadline, for nothing."""
    llm.reply(composed, OPINION)
    call = composed.options(business=SHOP)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(call.billed, AMA)
        assert llm.asked.wait(10)
        value, receipt = call.options(deadline=timedelta(seconds=1)).billed(AMA)
        assert (value, receipt.source, receipt.charged) == ("Ama Serwaa: ask the owner", "rules", Credits(0))
        llm.go.set()
        assert first.result().value == "Ama Serwaa: careful"


def test_a_deadline_that_is_over_is_not_waited_for(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """The time a call took before it comes to wait counts."""
    clock: Any = addons._wiring.clock
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ring)
        assert llm.asked.wait(10)
        other = pool.submit(ring)
        waiting.until(1)
        llm._scripts.clear()
        llm.fail(opinion)
        clock.advance(31)
        llm.go.set()
        for call in (first, other):
            with pytest.raises((ProviderTimeout, ProviderUnavailable)):
                call.result()


def test_a_call_that_leads_waits_for_nobody(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """A feature with two questions: the callers wait for the first one's whole call; two requests in all."""
    llm.reply(routed, {"pack": "top"})
    llm.reply(routed, "Ama")
    call = routed.options(business=SHOP)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call.billed, "Who?") for _ in range(4)]
        waiting.until(3)
        llm.go.set()
        answers = [each.result() for each in calls]
    assert [answer.value for answer in answers] == ["Ama"] * 4
    assert len(llm.calls) == 2
    assert sorted(answer.receipt.charged for answer in answers) == [Credits(0)] * 3 + [Credits(4)]


def test_a_call_that_holds_waits_for_nobody(addons: AddOns, llm: SlowLlm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it paid for a first answer a call asks the second question itself, whoever else asks it."""
    llm.go.set()
    llm.reply(routed, {"pack": "top"})
    llm.reply(routed, "Ama")
    call = routed.options(business=SHOP)
    call("Who?")
    monkeypatch.setattr("ai_addons._call.repeats.Repeats.is_free", lambda *_: False)
    join, joined = Flights.join, list[str]()

    def noting(flights: Flights, key: str) -> tuple[Flight, bool]:
        joined.append(key)
        return join(flights, key)

    monkeypatch.setattr(Flights, "join", noting)
    rows: Any = addons._wiring.desk().kit.cache
    for key in [key for key, row in rows._rows.items() if "Ama" in row.text]:
        del rows._rows[key]
    assert call.billed("Who?").receipt.charged == Credits(4)
    assert (len(llm.calls), len(joined)) == (3, 1)


def test_a_shared_question_of_two_businesses_is_one_request(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """Where answers are shared, who waits waits for another business; each pays the price."""
    addons.grant("other", 10, source="adjustment", ref="funds")
    llm.reply(reminder, "Dear [PERSON_1]")
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(reminder.options(business=business).billed, Debtor(name=name, owed=Decimal(20), days=3))
            for business, name in ((SHOP, "Ama"), ("other", "Kofi"))
        ]
        waiting.until(1)
        llm.go.set()
        answers = [call.result() for call in calls]
    assert [answer.value for answer in answers] == ["Dear Ama", "Dear Kofi"]
    assert [answer.receipt.charged for answer in answers] == [Credits(1)] * 2
    assert len(llm.calls) == 1


def test_a_cache_that_is_off_brings_nobody_together(addons: AddOns, llm: SlowLlm) -> None:
    """Who wants a fresh answer gets one, at its price."""
    llm.go.set()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(ring, cache=False) for _ in range(4)]
        receipts = [each.result() for each in calls]
    assert len(llm.calls) == 4
    assert told(receipts) == {("3", "ai", False): 4}


def test_a_cache_that_keeps_nothing_still_brings_them_together(
    addons: AddOns, llm: SlowLlm, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is handed over beside the cache: a broken one does not make them ask one after the other."""
    monkeypatch.setattr(MemoryAnswers, "put", lambda *_, **__: None)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(ring) for _ in range(4)]
        waiting.until(3)
        llm.go.set()
        receipts = [each.result() for each in calls]
    assert len(llm.calls) == 1
    assert told(receipts) == {("3", "ai", False): 1, ("0", "cache", True): 3}


def test_one_key_in_two_places_is_one_charge(addons: AddOns, llm: SlowLlm, waiting: Waiting) -> None:
    """A retry under the same idempotency key, sent before the first one ended, costs nothing more."""
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(ring, idempotency_key="sale-81") for _ in range(2)]
        waiting.until(1)
        llm.go.set()
        receipts = [each.result() for each in calls]
    assert sorted(receipt.charged for receipt in receipts) == [Credits(0), PRICE]
    assert ring(idempotency_key="sale-81").replayed
    assert len(llm.calls) == 1


def test_a_flight_that_landed_is_waited_for_no_more() -> None:
    """Who comes late goes on at once, with the answer; the next one leads a new flight."""
    flights = Flights()
    flight, leads = flights.join("a")
    assert (leads, flights.join("a")) == (True, (flight, False))
    assert flight.wait(0.001) is False
    assert asyncio.run(flight.async_wait(0.001)) is False
    flights.land("a", flight, "text")
    assert (flight.wait(9), asyncio.run(flight.async_wait(9)), flight.text) == (True, True, "text")
    assert flights.join("a")[1] is True


def test_a_loop_that_is_gone_does_not_keep_a_flight_from_landing(caplog: pytest.LogCaptureFixture) -> None:
    """A host that closes its loop while a task waits leaves nothing behind that fails later."""
    flight = Flight()

    async def give_up() -> None:
        task = asyncio.ensure_future(flight.async_wait(60))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(give_up())
    flight.land(None)
    assert caplog.records == []


def test_two_hosts_share_one_request(tmp_path: Path) -> None:
    """Two processes with eight threads each and one server: one request, one charge, 15 free repeats."""
    url, prefix = redis_url(), own_prefix()
    store = {"url": f"sqlite:///{tmp_path}/books.db"}
    with AddOns(kit_settings(store=store), environ={}) as addons:
        addons.grant("shop", 100, source="adjustment", ref="funds")
        with ExitStack() as ended:
            hosts = [
                ended.enter_context(Child(together_child.ask_at_once, str(tmp_path), url, prefix)) for _ in range(2)
            ]
            assert [host.stdout.readline() for host in hosts] == ["ready\n"] * 2
            for host in hosts:
                host.stdin.write("go\n")
                host.stdin.flush()
            told_by = [host.rest() for host in hosts]
        lines = Counter(line for printed in told_by for line in printed.splitlines())
        assert lines == {"3 careful": 1, "0 careful": 15}
        assert (tmp_path / "requests").read_text() == "x"
        assert addons.wallet("shop").posted == Credits(97)
        addons.close()


def test_an_answer_that_comes_just_before_the_lock_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets its turn looks once more: another host asked and answered in between, and nobody asks again."""
    cache = {"backend": "redis", "url": redis_url(), "prefix": own_prefix()}
    settings = kit_settings(store={"url": f"sqlite:///{tmp_path}/books.db"}, cache=cache)
    llm, turns, lock = FakeLlm(), list[str](), RedisAnswers.lock
    llm.reply(opinion, OPINION)
    with AddOns(settings, llm=llm, environ={}) as here, AddOns(settings, llm=llm, environ={}) as there:
        here.grant(SHOP, FUNDS, source="adjustment", ref="funds")

        def late(self: RedisAnswers, key: str, token: str, seconds: float) -> bool:
            turns.append(key)
            if len(turns) == 1:
                assert ring(addons=there).charged == PRICE
            return lock(self, key, token, seconds)

        monkeypatch.setattr(RedisAnswers, "lock", late)
        assert ring(addons=here).charged == Credits(0)
        assert (len(turns), len(llm.calls), here.wallet(SHOP).posted) == (2, 1, FUNDS - PRICE)


@pytest.mark.parametrize("addons", ["redis"], indirect=True)
def test_a_dead_hosts_lock_ends(addons: AddOns, llm: SlowLlm) -> None:
    """A host that died while it asked is waited for until its lock ends, and then somebody else asks."""
    cache: Any = addons._wiring.desk().kit.cache
    taken: list[str] = []
    original: Callable[..., bool] = RedisAnswers.lock

    def dies(self: RedisAnswers, key: str, token: str, seconds: float) -> bool:
        if not taken:
            taken.append(key)
            assert seconds == 15
            original(self, key, "dead", 0.5)
        return original(self, key, token, seconds)

    llm.go.set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RedisAnswers, "lock", dies)
        assert ring().charged == PRICE
    assert len(llm.calls) == 1
    assert cache.lock(taken[0], "next", 1) is True


def test_a_host_that_is_killed_while_it_asks_is_replaced(tmp_path: Path) -> None:
    """Another host waits until the dead one's lock ends, then asks and is charged."""
    url, prefix = redis_url(), own_prefix()
    cache = {"backend": "redis", "url": url, "prefix": prefix}
    store = {"url": f"sqlite:///{tmp_path}/books.db"}
    llm = FakeLlm()
    llm.reply(opinion, OPINION)
    with AddOns(kit_settings(store=store, cache=cache), llm=llm, environ={}) as addons:
        addons.grant("shop", 100, source="adjustment", ref="funds")
        with Child(together_child.hang, str(tmp_path), url, prefix) as victim:
            assert victim.stdout.readline() == "asked\n"
            victim.kill()
        receipt = opinion.options(addons=addons, business="shop").billed(AMA).receipt
        assert (receipt.source, receipt.charged) == ("ai", PRICE)
        assert addons.wallet("shop").held == PRICE
        assert addons.answers.clear() == 1
        addons.close()


@pytest.mark.parametrize("addons", ["redis"], indirect=True)
@pytest.mark.parametrize("method", ["lock", "unlock"])
def test_where_locks_fail_calls_go_on(
    addons: AddOns, llm: SlowLlm, method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that cannot lock costs a duplicate at worst."""

    def fails(*_: object) -> None:
        raise CacheFault(method)

    llm.go.set()
    monkeypatch.setattr(RedisAnswers, method, fails)
    with bill_to(SHOP):
        assert opinion.billed(AMA).receipt.charged == PRICE
    assert f"answer cache not {method}ed" in caplog.text
