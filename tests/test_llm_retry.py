from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.errors import BadOutput, ProviderRejected, ProviderTimeout, ProviderUnavailable
from ai_addons.llm.base import Attempt, ModelFailure, ModelReply, Usage, Verdict
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.retry import ModelCaller
from tests.llm_wire import KEYS, ROUTES, answer, error_body, request, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.llm.base import Exchange, ModelRequest

ROUTE = "openai/gpt-6-luna"
GOOD = ModelReply(
    text="{}", finish="stop", model="gpt-6-luna", usage=Usage(input=200, cached=800, output=500), request_id="r1"
)
BOTH = pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])


@dataclass
class HandClock:
    """Time that passes only when somebody waits."""

    time: float = 100.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> int:
        """Wall time in microseconds."""
        return round(self.time * 1_000_000)

    def monotonic(self) -> float:
        """The same in seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.time += seconds

    async def asleep(self, seconds: float) -> None:
        """Let time pass and others run."""
        self.sleep(seconds)
        await asyncio.sleep(0)


@dataclass
class Script:
    """A model that answers or fails in a fixed order; each attempt takes some time."""

    clock: HandClock
    steps: Sequence[ModelReply | BaseException]
    takes: float = 0.25
    asked: list[ModelRequest] = field(default_factory=list)

    def complete(self, asked: ModelRequest) -> ModelReply:
        """Play the next step."""
        step = self.steps[len(self.asked)]
        self.asked.append(asked)
        self.clock.time += self.takes
        if isinstance(step, BaseException):
            raise step
        return step

    async def acomplete(self, asked: ModelRequest) -> ModelReply:
        """Play the next step on the loop."""
        await asyncio.sleep(0)
        return self.complete(asked)


def busy(retry_after: float | None = None) -> ModelFailure:
    """429 or 5xx: answered, not billed, to be tried again."""
    return ModelFailure(ProviderUnavailable(), Verdict.ANSWERED, retry=True, retry_after=retry_after)


def lost() -> ModelFailure:
    """A read timeout: perhaps billed."""
    return ModelFailure(ProviderTimeout(), Verdict.MAYBE_BILLED, retry=True)


def refused() -> ModelFailure:
    """A 4xx."""
    return ModelFailure(ProviderRejected(), Verdict.ANSWERED)


def run(  # the knobs of the policy
    *steps: ModelReply | BaseException,
    aio: bool = False,
    seconds: float = 30.0,
    attempts: int = 3,
    random: float = 1.0,
    takes: float = 0.25,
) -> tuple[Exchange, Script]:
    """One exchange against a script."""
    clock = HandClock()
    script = Script(clock, steps, takes)
    caller = ModelCaller(lambda _: script, PriceBook(), clock, attempts, lambda: random)
    deadline = clock.monotonic() + seconds
    asked = request(ROUTE, timeout=10)
    return (asyncio.run(caller.aask(asked, deadline)) if aio else caller.ask(asked, deadline)), script


@BOTH
def test_an_answer_is_recorded_with_its_exact_cost(*, aio: bool) -> None:
    """Who asked what, who answered, what it cost and how long it took."""
    exchange, _ = run(GOOD, aio=aio)

    assert exchange.reply == GOOD
    assert exchange.failure is None
    assert exchange.attempts == (
        Attempt(
            model=ROUTE,
            answered_by="gpt-6-luna",
            usage=GOOD.usage,
            cost=PriceBook().cost(ROUTE, GOOD),
            latency_ms=250,
            started_at=100_000_000,
            request_id="r1",
        ),
    )


@BOTH
def test_a_busy_provider_is_asked_again_after_growing_waits(*, aio: bool) -> None:
    """Two failures, then the answer: three attempts, each on the record, the failed ones free."""
    exchange, script = run(busy(), busy(), GOOD, aio=aio)

    assert exchange.reply == GOOD
    assert script.clock.waits == [0.5, 1.0]
    assert [(a.error, a.cost) for a in exchange.attempts[:2]] == [("provider_unavailable", 0)] * 2
    assert exchange.attempts[2].error is None


@BOTH
def test_it_stops_at_the_number_of_attempts(*, aio: bool) -> None:
    """The last failure is what the caller hears."""
    failures = [busy(), busy(), busy()]

    exchange, script = run(*failures, aio=aio)

    assert exchange.reply is None
    assert exchange.failure is failures[-1]
    assert len(script.asked) == len(exchange.attempts) == 3


def test_waits_never_exceed_eight_seconds() -> None:
    """However often it fails."""
    _, script = run(*[busy() for _ in range(8)], attempts=8, seconds=300)

    assert script.clock.waits == [0.5, 1, 2, 4, 8, 8, 8]


def test_waits_are_random() -> None:
    """A thousand shops do not come back in the same instant."""
    _, script = run(busy(), busy(), GOOD, random=0.5)

    assert script.clock.waits == [0.25, 0.5]


@BOTH
def test_the_provider_may_say_how_long_to_wait(*, aio: bool) -> None:
    """Retry-After wins over our own wait, up to twenty seconds; for longer nobody waits, nor comes too early."""
    exchange, script = run(busy(7.0), busy(20.0), GOOD, aio=aio, seconds=60)
    assert exchange.reply == GOOD
    assert script.clock.waits == [7.0, 20.0]

    failure = busy(21.0)
    exchange, script = run(busy(7.0), failure, GOOD, aio=aio, seconds=60)
    assert exchange.failure is failure
    assert script.clock.waits == [7.0]


@BOTH
def test_a_wait_that_does_not_fit_the_deadline_ends_at_once(*, aio: bool) -> None:
    """Nobody waits for an attempt that could not be made in time; the next model may be asked instead."""
    failure = busy(10.0)

    exchange, script = run(failure, aio=aio, seconds=11.0)

    assert exchange.failure is failure
    assert failure.next_model
    assert script.clock.waits == []
    assert len(script.asked) == 1


@BOTH
def test_a_rejected_request_is_not_repeated(*, aio: bool) -> None:
    """A 4xx would fail again."""
    exchange, script = run(refused(), aio=aio)

    assert isinstance(exchange.failure, ModelFailure)
    assert len(script.asked) == 1
    assert exchange.attempts[0].error == "provider_rejected"


@BOTH
def test_what_may_have_been_billed_is_repeated_once(*, aio: bool) -> None:
    """Two lost answers may already have cost us twice."""
    exchange, script = run(lost(), lost(), GOOD, aio=aio, attempts=5)

    assert len(script.asked) == 2
    assert [a.cost for a in exchange.attempts] == [None, None]


def test_a_lost_answer_between_busy_ones_counts_once() -> None:
    """The rule is about lost answers, not about attempts."""
    exchange, script = run(busy(), lost(), busy(), GOOD, attempts=5)

    assert len(script.asked) == 4
    assert [a.cost for a in exchange.attempts[:3]] == [0, None, 0]
    assert exchange.reply == GOOD


def test_an_unreadable_answer_is_not_asked_for_again() -> None:
    """It was probably billed, and would come again."""
    failure = ModelFailure(BadOutput(), Verdict.MAYBE_BILLED)

    exchange, script = run(failure)

    assert len(script.asked) == 1
    assert exchange.attempts[0].cost is None


def test_each_attempt_gets_what_time_is_left() -> None:
    """The first has the whole limit, later ones end at the deadline."""
    _, script = run(busy(), busy(), GOOD, seconds=15, takes=5)

    assert [asked.timeout for asked in script.asked] == [10, 9.5, 3.5]


@BOTH
def test_no_attempt_starts_in_the_last_second(*, aio: bool) -> None:
    """It could only time out, and might be billed."""
    exchange, script = run(busy(), GOOD, aio=aio, seconds=1.7, takes=0.25)

    assert len(script.asked) == 1
    assert exchange.reply is None


def test_the_first_attempt_is_made_however_little_is_left() -> None:
    """A short deadline is the caller's choice."""
    exchange, script = run(GOOD, seconds=0.4)

    assert exchange.reply == GOOD
    assert script.asked[0].timeout == pytest.approx(0.4)


@BOTH
@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_after_the_deadline_nothing_is_sent(seconds: float, *, aio: bool) -> None:
    """The call ends as a timeout that cost nothing, and no other model is tried."""
    exchange, script = run(GOOD, aio=aio, seconds=seconds)

    assert script.asked == []
    assert exchange.failure is not None
    assert isinstance(exchange.failure.error, ProviderTimeout)
    assert not exchange.failure.next_model
    assert [(a.error, a.cost, a.latency_ms) for a in exchange.attempts] == [("provider_timeout", 0, 0)]


@BOTH
@pytest.mark.parametrize("signal", [KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()], ids=repr)
def test_ctrl_c_and_cancellation_pass_through(signal: BaseException, *, aio: bool) -> None:
    """They are neither retried nor turned into a provider's failure."""
    with pytest.raises(type(signal)):
        run(busy(), signal, GOOD, aio=aio)


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
def test_a_fault_of_ours_is_not_retried(*, aio: bool) -> None:
    """Only a model's failure is; a bug shows as what it is."""
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError(), GOOD, aio=aio)


def test_a_cancelled_wait_ends_the_call() -> None:
    """An async host that gives up while we wait is not kept waiting."""

    class Sleepless(HandClock):
        async def asleep(self, seconds: float) -> None:
            del seconds
            raise asyncio.CancelledError

    clock = Sleepless()
    script = Script(clock, [busy(), GOOD])
    caller = ModelCaller(lambda _: script, PriceBook(), clock, 3, lambda: 1.0)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(caller.aask(request(ROUTE), clock.monotonic() + 30))
    assert len(script.asked) == 1


@given(
    st.lists(st.sampled_from(["busy", "asked", "lost", "refused", "good"]), min_size=10, max_size=10),
    st.floats(0.1, 60),
    st.integers(1, 6),
    st.floats(0, 3),
)
def test_the_limits_hold_whatever_happens(kinds: list[str], seconds: float, attempts: int, takes: float) -> None:
    """Never too many attempts, none started late, at most two that may be billed, sync and async alike."""
    make: dict[str, Callable[[], ModelReply | BaseException]] = {
        "busy": busy,
        "asked": lambda: busy(3.0),
        "lost": lost,
        "refused": refused,
        "good": lambda: GOOD,
    }
    results = [
        run(*[make[kind]() for kind in kinds], aio=aio, seconds=seconds, attempts=attempts, takes=takes, random=0.7)
        for aio in (False, True)
    ]
    exchange, script = results[0]

    assert 1 <= len(exchange.attempts) <= attempts
    assert sum(a.cost is None for a in exchange.attempts) <= 2
    assert (exchange.reply is None) is (exchange.failure is not None)
    assert all(asked.timeout >= 1 - 1e-6 for asked in script.asked[1:])
    assert exchange.attempts == results[1][0].attempts
    assert script.clock.waits == results[1][1].clock.waits


@BOTH
@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("provider", ROUTES)
def test_over_the_wire_there_are_exactly_the_attempts_allowed(provider: str, status: int, *, aio: bool) -> None:
    """No hidden retries add to ours, and the provider's Retry-After is obeyed."""
    clock = HandClock()
    caller = ModelCaller(lambda _: LiteLlm(KEYS, {}), PriceBook(), clock, 3, lambda: 1.0)
    response = httpx.Response(status, json=error_body(provider), headers={"retry-after": "2"})
    with respx.mock() as router:
        serve(router, provider, response)
        asked, deadline = request(ROUTES[provider]), clock.monotonic() + 30
        exchange = asyncio.run(caller.aask(asked, deadline)) if aio else caller.ask(asked, deadline)
        assert len(router.calls) == 3

    assert exchange.failure is not None
    assert clock.waits == [2, 2]


@pytest.mark.parametrize("provider", ROUTES)
def test_over_the_wire_an_answer_after_a_failure_is_priced_once(provider: str) -> None:
    """One failed and one good attempt: the bill is the good one's."""
    clock = HandClock()
    caller = ModelCaller(lambda _: LiteLlm(KEYS, {}), PriceBook(), clock, 3, lambda: 1.0)
    with respx.mock() as router:
        serve(router, provider, httpx.Response(200, json=answer(provider))).side_effect = [
            httpx.Response(503, json=error_body(provider)),
            httpx.Response(200, json=answer(provider)),
        ]
        exchange = caller.ask(request(ROUTES[provider]), clock.monotonic() + 30)

    expected = 228_000_000 if provider == "gemini" else 278_000_000
    assert [attempt.cost for attempt in exchange.attempts] == [0, expected]
