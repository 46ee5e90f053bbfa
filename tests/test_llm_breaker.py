from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.errors import (
    BadOutput,
    ConfigError,
    ContentBlocked,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from ai_addons.events import CircuitClosed, CircuitOpened
from ai_addons.llm.base import ModelFailure, ModelReply, Usage, Verdict
from ai_addons.llm.breaker import Breaker, Rules
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.retry import ModelCaller
from ai_addons.testing import ManualClock
from tests import llm_wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.events import Event
    from ai_addons.llm.base import Exchange, ModelRequest

LUNA, HAIKU = "openai/gpt-6-luna", "anthropic/claude-haiku-5-5"
RULES = Rules(failures=3, window=60, pause=30, longest=300)
GOOD = ModelReply(text="{}", finish="stop", model="gpt-6-luna", usage=Usage(input=1, output=1))
DOWN = ModelFailure(ProviderUnavailable(), Verdict.ANSWERED, retry=True)
LATE = ModelFailure(ProviderTimeout(), Verdict.MAYBE_BILLED, retry=True)
UNSENT = ModelFailure(ProviderUnavailable(), Verdict.NEVER_SENT, retry=True)
UNREADABLE = ModelFailure(BadOutput(), Verdict.MAYBE_BILLED)
BAD_KEY = ModelFailure(ProviderRejected(), Verdict.ANSWERED, alert="provider_key_rejected")
EMPTY = ModelFailure(ProviderUnavailable(), Verdict.ANSWERED, alert="provider_account_empty")
REJECTED = ModelFailure(ProviderRejected(), Verdict.ANSWERED, next_model=False, alert="request_rejected")
BLOCKED = ModelFailure(ContentBlocked(), Verdict.ANSWERED, next_model=False)
NO_KEY = ModelFailure(ConfigError(), Verdict.NEVER_SENT, alert="provider_key_missing")
BOTH = pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])


def asked_to_wait(seconds: float) -> ModelFailure:
    """429 with Retry-After."""
    return ModelFailure(ProviderUnavailable(), Verdict.ANSWERED, retry=True, retry_after=seconds)


class Bench:
    """A breaker with its clock and what it told."""

    def __init__(self, rules: Rules | None = RULES) -> None:
        self.clock = ManualClock()
        self.told: list[Event] = []
        self.breaker = Breaker(rules, self.clock, self.told.append)

    def fail(self, *failures: ModelFailure, model: str = LUNA) -> None:
        """Let attempts fail one after the other; each must be let through."""
        for failure in failures:
            permit = self.breaker.admit(model)
            assert permit is not None
            self.breaker.failed(permit, failure)

    def succeed(self, model: str = LUNA) -> None:
        """Let an attempt be answered."""
        permit = self.breaker.admit(model)
        assert permit is not None
        self.breaker.answered(permit)

    @property
    def rest(self) -> float:
        """Seconds for which the model is left alone."""
        return self.breaker.rest([LUNA])


@pytest.mark.parametrize("failure", [DOWN, LATE, UNSENT, UNREADABLE])
def test_a_model_that_fails_three_times_in_a_row_is_left_alone(failure: ModelFailure) -> None:
    """Two are let pass; the third opens its circuit, for its pause and for this model only."""
    bench = Bench()

    bench.fail(failure, failure)
    assert bench.rest == 0
    bench.fail(failure)

    assert (bench.rest, bench.breaker.admit(LUNA)) == (30, None)
    assert bench.told == [CircuitOpened(model=LUNA, code=failure.error.code, seconds=30)]
    assert bench.breaker.rest([LUNA, HAIKU]) == 0
    bench.succeed(HAIKU)


def test_old_failures_and_those_before_an_answer_do_not_count() -> None:
    """A model that answers between failures, or fails seldom, goes on being asked."""
    bench = Bench()

    bench.fail(DOWN, DOWN)
    bench.succeed()
    bench.fail(DOWN, DOWN)
    bench.clock.advance(60)
    bench.fail(DOWN, DOWN)
    assert (bench.rest, bench.told) == (0, [])

    bench.fail(DOWN)
    assert bench.rest == 30


@pytest.mark.parametrize("failure", [BAD_KEY, EMPTY])
def test_what_only_the_operator_can_mend_opens_at_once(failure: ModelFailure) -> None:
    """A wrong key or an empty account fails for every call."""
    bench = Bench()

    bench.fail(failure)

    assert bench.rest == 30


@pytest.mark.parametrize("failure", [REJECTED, BLOCKED, NO_KEY])
def test_what_is_wrong_with_one_request_or_our_settings_never_opens(failure: ModelFailure) -> None:
    """One shop's odd prompt must not take the model from all others; a missing key says so each time."""
    bench = Bench()

    bench.fail(*[failure] * 10)

    assert (bench.rest, bench.told) == (0, [])


@pytest.mark.parametrize(("asked", "left"), [(7.0, 7.0), (86_400.0, 300.0)])
def test_a_provider_that_names_a_time_is_left_alone_for_it(asked: float, left: float) -> None:
    """At the first 429, and for no longer than we allow."""
    bench = Bench()

    bench.fail(asked_to_wait(asked))

    assert bench.rest == left
    bench.clock.advance(left)
    bench.succeed()
    assert bench.told == [
        CircuitOpened(model=LUNA, code="provider_unavailable", seconds=left),
        CircuitClosed(model=LUNA),
    ]


def test_after_its_pause_one_attempt_tries_the_model_for_all() -> None:
    """Others stay away until it has ended; its answer closes the circuit."""
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.clock.advance(30)

    probe = bench.breaker.admit(LUNA)
    assert probe is not None
    assert (bench.breaker.admit(LUNA), bench.rest) == (None, 1)
    bench.breaker.answered(probe)

    assert bench.rest == 0
    assert bench.told[1:] == [CircuitClosed(model=LUNA)]
    bench.fail(DOWN, DOWN)
    assert bench.rest == 0


def test_each_attempt_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    """A provider that is down for long is asked seldom, but never forgotten."""
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)

    pauses: list[float] = []
    for _ in range(30):
        pauses.append(bench.rest)
        bench.clock.advance(bench.rest)
        bench.fail(DOWN)

    assert pauses == [30, 60, 120, 240, *[300] * 26]


def test_an_attempt_that_was_refused_itself_shows_that_the_model_answers() -> None:
    """A 400 to the one attempt closes the circuit."""
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.clock.advance(30)

    bench.fail(REJECTED)

    assert bench.rest == 0


def test_an_attempt_that_was_interrupted_makes_room_for_another() -> None:
    """A caller who hangs up does not leave the model alone for ever."""
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.clock.advance(30)
    probe = bench.breaker.admit(LUNA)
    assert probe is not None

    bench.breaker.let_go(probe)

    bench.succeed()
    assert bench.rest == 0


def test_what_began_before_a_change_says_nothing_about_it() -> None:
    """A late answer does not close the circuit, late failures do not keep it open."""
    bench = Bench()
    early = [bench.breaker.admit(LUNA) for _ in range(3)]
    assert early[0] is not None
    assert early[1] is not None
    assert early[2] is not None
    bench.fail(DOWN, DOWN, DOWN)

    bench.breaker.answered(early[0])
    bench.breaker.failed(early[1], asked_to_wait(200))
    assert bench.rest == 30
    bench.clock.advance(30)
    bench.succeed()
    bench.breaker.failed(early[2], BAD_KEY)
    assert bench.rest == 0
    assert len(bench.told) == 2


def test_without_rules_every_attempt_is_let_through() -> None:
    """The breaker can be switched off."""
    bench = Bench(None)

    bench.fail(*[BAD_KEY, DOWN, asked_to_wait(9)] * 5)

    assert (bench.rest, bench.told) == (0, [])


def test_of_many_threads_one_tries_the_model() -> None:
    """However many ask in the same instant."""
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.clock.advance(30)
    gate = threading.Barrier(16)

    def come(_: int) -> bool:
        gate.wait()
        return bench.breaker.admit(LUNA) is not None

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(come, range(16))) == 1


@given(st.lists(st.sampled_from(["down", "late", "key", "asked", "good", "let_go", "wait"]), max_size=60))
def test_the_state_is_always_sound(steps: list[str]) -> None:
    """Never open for longer than allowed, never two attempts in an open circuit, and time always opens the way."""
    bench = Bench()
    failures = {"down": DOWN, "late": LATE, "key": BAD_KEY, "asked": asked_to_wait(500)}
    for step in steps:
        if step == "wait":
            bench.clock.advance(17)
            continue
        before, permit = bench.rest, bench.breaker.admit(LUNA)
        assert (permit is None) is (before > 0)
        if permit is None:
            continue
        if step == "good":
            bench.breaker.answered(permit)
        elif step == "let_go":
            bench.breaker.let_go(permit)
        else:
            bench.breaker.failed(permit, failures[step])
        assert bench.rest <= RULES.longest
    bench.clock.advance(RULES.longest)
    assert bench.rest == 0
    kinds = [type(event) for event in bench.told]
    assert all(kind is CircuitOpened for kind in kinds[:1])


class Script:
    """A model that answers or fails in a fixed order."""

    def __init__(self, steps: Sequence[ModelReply | BaseException]) -> None:
        self.steps = list(steps)
        self.asked = 0

    def complete(self, request: ModelRequest) -> ModelReply:
        """Play the next step."""
        del request
        self.asked += 1
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """Play the next step on the loop."""
        await asyncio.sleep(0)
        return self.complete(request)


def caller_of(bench: Bench, script: Script, attempts: int = 5) -> ModelCaller:
    """Asks the script, guarded by the breaker."""
    return ModelCaller(lambda _: script, PriceBook(), bench.clock, attempts, lambda: 1.0, bench.breaker)


def ask(bench: Bench, script: Script, *, aio: bool) -> Exchange:
    """One exchange."""
    caller, deadline = caller_of(bench, script), bench.clock.monotonic() + 60
    return (
        asyncio.run(caller.aask(llm_wire.request(LUNA), deadline))
        if aio
        else caller.ask(llm_wire.request(LUNA), deadline)
    )


@BOTH
def test_attempts_end_when_the_circuit_opens(*, aio: bool) -> None:
    """The next model is asked at once; two more attempts at a dead one would be lost time."""
    bench, script = Bench(), Script([DOWN] * 5)

    exchange = ask(bench, script, aio=aio)

    assert script.asked == len(exchange.attempts) == 3
    assert exchange.failure is DOWN
    assert bench.clock.slept == [0.5, 1.0]


@BOTH
def test_a_model_that_is_left_alone_is_not_asked(*, aio: bool) -> None:
    """Nothing is sent, nothing can be billed, another model may do better, and the message says when to come back."""
    bench, script = Bench(), Script([])
    bench.fail(DOWN, DOWN, DOWN)

    exchange = ask(bench, script, aio=aio)

    assert (script.asked, exchange.attempts, exchange.reply) == (0, (), None)
    assert exchange.failure is not None
    assert (exchange.failure.verdict, exchange.failure.next_model) == (Verdict.NEVER_SENT, True)
    assert isinstance(exchange.failure.error, ProviderUnavailable)
    assert "Nothing was charged. Try again in 30 s." in str(exchange.failure.error)


@BOTH
def test_a_call_may_wait_out_the_time_that_it_was_told(*, aio: bool) -> None:
    """Its own next attempt is the one that tries the model again."""
    bench, script = Bench(), Script([asked_to_wait(7), GOOD])

    exchange = ask(bench, script, aio=aio)

    assert exchange.reply == GOOD
    assert bench.clock.slept == [7]
    assert [type(event) for event in bench.told] == [CircuitOpened, CircuitClosed]


@BOTH
def test_where_another_call_tries_the_model_meanwhile_the_failure_stands(*, aio: bool) -> None:
    """What this call heard from the provider is told, not that the model is left alone."""
    bench, failure = Bench(), asked_to_wait(7)
    script = Script([failure, GOOD])
    plain, waiting = bench.clock.advance, [True]

    def advance(seconds: float) -> None:
        plain(seconds)
        if waiting.pop():
            bench.breaker.admit(LUNA)

    bench.clock.advance = advance  # type: ignore[method-assign]  # another call comes while this one sleeps
    exchange = ask(bench, script, aio=aio)

    assert (script.asked, exchange.failure) == (1, failure)


@BOTH
@pytest.mark.parametrize("signal", [KeyboardInterrupt(), asyncio.CancelledError(), ZeroDivisionError()], ids=repr)
def test_an_interrupted_attempt_gives_its_leave_back(signal: BaseException, *, aio: bool) -> None:
    """Ctrl-C, a cancellation or a bug while the model is tried leaves the next caller the same chance."""
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.clock.advance(30)

    with pytest.raises(type(signal)):
        ask(bench, Script([signal]), aio=aio)

    assert ask(bench, Script([GOOD]), aio=aio).reply == GOOD


def test_of_many_tasks_one_tries_the_model() -> None:
    """The others hear at once that it is left alone."""
    bench, script = Bench(), Script([GOOD] * 16)
    bench.fail(DOWN, DOWN, DOWN)
    bench.clock.advance(30)
    caller, deadline = caller_of(bench, script), bench.clock.monotonic() + 60

    async def main() -> list[Exchange]:
        return await asyncio.gather(*(caller.aask(llm_wire.request(LUNA), deadline) for _ in range(16)))

    exchanges = asyncio.run(main())

    assert script.asked == 1
    assert sum(exchange.reply is not None for exchange in exchanges) == 1
