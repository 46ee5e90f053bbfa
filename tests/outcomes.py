"""What becomes of one call, whatever the provider does: played against a real server, written as a table.

``python -m tests.outcomes`` writes ``docs/reference/outcomes.md``; ``test_outcomes`` plays every row and compares.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from ai_addons import AddOns, AddOnsError, Prompt, bill_to, billed_feature
from ai_addons.money import Credits
from ai_addons.testing import kit_settings
from ai_addons.testing.loopback import Loopback
from ai_addons.testing.wire import PROVIDERS
from tests.llm_wire import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_addons.testing.script import Script
    from ai_addons.testing.wire import Provider

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "outcomes.md"
HEAD: Final = """<!-- Written by `python -m tests.outcomes`; change the code, not this page. -->

# Outcomes

What one call comes to, whatever its provider does. Every row was played with the default settings (three attempts a
model) over real connections to a server on this machine that speaks the formats of OpenAI, Anthropic and Gemini, those
with one model in `def` and in `async def` calls; the tests play them again. The feature costs 3 credits and has no
fallback of its own: one that has gives it wherever the first table says an error, uncharged.

Requests are those the provider received. Cost is what is booked against the operator's budget; *unknown* means that the
provider may bill the call, so that its upper bound counts. Where a row names providers or a kind of call, the others
are in the row beside it.
"""


class Verse(BaseModel):
    """An answer."""

    line: str = Field(max_length=40)


@billed_feature("verse", credits=3, cache=None)
def verse(number: int) -> Prompt[Verse]:
    """Write a verse."""
    return Prompt(user=f"Verse number {number}")


class Hurried:
    """The machine's clock, on which nobody has to wait for the next attempt."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> int:
        """UTC microseconds."""
        return time.time_ns() // 1_000 + round(self._skipped * 1_000_000)

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Skip the time."""
        self._skipped += seconds

    async def asleep(self, seconds: float) -> None:
        """Skip the time."""
        self.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a provider may do.

    Attributes:
        play: Plans it.
        deadline: Seconds for the whole call, None for the default.
    """

    play: Callable[[Script, Provider], None]
    deadline: float | None = None


GOOD: Final = {"line": "Akwaaba"}
_DATE: Final = "Wed, 21 Oct 2015 07:28:00 GMT"


def _zero(server: Script, provider: Provider) -> None:
    server.answer(provider, GOOD, usage=(0, 0))


def _repaired(server: Script, provider: Provider) -> None:
    server.answer(provider, "Sure! Here is your verse.")
    server.answer(provider, GOOD)


def _recovered(server: Script, provider: Provider) -> None:
    server.fail(provider, 503)
    server.answer(provider, GOOD)


def _waited(server: Script, provider: Provider) -> None:
    server.fail(provider, 429, retry_after=2)
    server.answer(provider, GOOD)


CASES: Final[dict[str, Case]] = {
    "answers well": Case(lambda server, provider: server.answer(provider, GOOD)),
    "answers well, in drops": Case(lambda server, provider: server.answer(provider, GOOD, drip=0.1)),
    "answers in drops beyond the deadline": Case(
        lambda server, provider: server.answer(provider, GOOD, drip=0.4), deadline=1.0
    ),
    "answers what does not fit, then well": Case(_repaired),
    "answers what does not fit, twice": Case(lambda server, provider: server.answer(provider, "no JSON")),
    "is cut off at the output cap": Case(lambda server, provider: server.truncate(provider, GOOD)),
    "declines": Case(lambda server, provider: server.refuse(provider)),
    "answers without token counts": Case(lambda server, provider: server.missing_usage(provider, GOOD)),
    "answers with token counts of zero": Case(_zero),
    "answers as another model": Case(lambda server, provider: server.answer(provider, GOOD, model="gpt-3")),
    "answers 200 with a web page": Case(lambda server, provider: server.html(provider)),
    "answers 200 with `{}`": Case(lambda server, provider: server.empty(provider)),
    "answers 200 with half a body": Case(lambda server, provider: server.broken_json(provider)),
    "400": Case(lambda server, provider: server.fail(provider, 400)),
    "401, wrong key": Case(lambda server, provider: server.fail(provider, 401)),
    "402, no money left": Case(lambda server, provider: server.fail(provider, 402)),
    "403": Case(lambda server, provider: server.fail(provider, 403)),
    "404, unknown model": Case(lambda server, provider: server.fail(provider, 404)),
    "408": Case(lambda server, provider: server.fail(provider, 408)),
    "429, `Retry-After: 2`, then well": Case(_waited),
    "429, `Retry-After: 2`, again and again": Case(lambda server, provider: server.fail(provider, 429, retry_after=2)),
    "429, `Retry-After: 3600`": Case(lambda server, provider: server.fail(provider, 429, retry_after=3600)),
    "429, `Retry-After` a date that is over": Case(
        lambda server, provider: server.fail(provider, 429, retry_after=_DATE)
    ),
    "500": Case(lambda server, provider: server.fail(provider, 500)),
    "503, then well": Case(_recovered),
    "504": Case(lambda server, provider: server.fail(provider, 504)),
    "takes the request and never answers": Case(lambda server, provider: server.hang(provider), deadline=1.0),
    "closes the connection before a byte": Case(lambda server, provider: server.drop(provider)),
    "closes the connection in the middle of the body": Case(lambda server, provider: server.cut(provider)),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call came to, in words.

    Attributes:
        outcome: ``answer``, or the code of the error.
        requests: How many the first provider received.
        next_requests: How many the second one received.
        charged: Credits.
        cost: In answers' worth of tokens, or ``unknown``.
    """

    outcome: str
    requests: int
    next_requests: int
    charged: str
    cost: str


def play(server: Loopback, provider: Provider, case: Case, *, aio: bool, second: bool) -> Seen:
    """Make one call in a new shop; with a second model if asked, of the provider after this one."""
    other = PROVIDERS[(PROVIDERS.index(provider) + 1) % len(PROVIDERS)]
    route = [ROUTES[provider], ROUTES[other]] if second else [ROUTES[provider]]
    access = {name: {"api_key": "k", "api_base": server.api_base(name)} for name in PROVIDERS}
    settings = kit_settings(models={"small": route}, providers=access, cache={"backend": "off"})
    case.play(server, provider)
    server.answer(other, GOOD)
    with closing(AddOns(settings, clock=Hurried(), environ={})) as addons:
        # Loading LiteLLM takes seconds, which are not the call's.
        addons.warm_up()
        addons.grant("biz_7", 10, source="purchase", ref="order-1")
        feature = verse.options(addons=addons)
        if case.deadline is not None:
            feature = feature.options(deadline=timedelta(seconds=2 * case.deadline if second else case.deadline))
        with bill_to("biz_7"):
            outcome = _outcome(feature, aio=aio)
        row = addons.transactions("biz_7")[-1]
        wallet = addons.wallet("biz_7")
        assert wallet.held == Credits(0)
        assert wallet.available + row.charged == Credits(10)
    counts = [sum(call.provider == name for call in server.calls) for name in (provider, other)]
    worth = [cost for name in (provider, other) if (cost := _ANSWER_COST[name])]
    return Seen(outcome, counts[0], counts[1], str(row.charged), _worth(row.cost, worth))


def _outcome(feature: Any, *, aio: bool) -> str:
    try:
        answer = asyncio.run(feature.aio(1)) if aio else feature(1)
    except AddOnsError as error:
        return f"`{error.code}`"
    assert answer == Verse(line="Akwaaba")
    return "answer"


# 100 prompt and 50 output tokens at the prices of the table, in pico-USD.
_ANSWER_COST: Final[dict[Provider, int]] = {"openai": 35_000_000, "anthropic": 35_000_000, "gemini": 30_000_000}


def _worth(cost: int | None, answers: list[int]) -> str:
    """A cost in answers of the first model, or as one of the second."""
    if cost is None:
        return "unknown"
    count, rest = divmod(cost, answers[0])
    if rest or count > 2:
        assert cost == answers[1]
        count = 1
    return {0: "0", 1: "one answer", 2: "two answers"}[count]


Played = dict[tuple["Provider", bool], Seen]


def played(case: Case, *, second: bool) -> Played:
    """A case with every provider; with one model sync and async, with a second one sync."""
    found: Played = {}
    for provider in PROVIDERS:
        for aio in (False,) if second else (False, True):
            with Loopback() as server:
                found[provider, aio] = play(server, provider, case, aio=aio, second=second)
    return found


def rows(name: str, found: Played, *, second: bool) -> list[str]:
    """The lines of a case: one where all agree, else one for each kind of outcome."""
    kinds: dict[Seen, list[tuple[Provider, bool]]] = {}
    for who, seen in found.items():
        kinds.setdefault(seen, []).append(who)
    return [_line(name + _who(whose, found), seen, second=second) for seen, whose in kinds.items()]


def _who(whose: list[tuple[Provider, bool]], everyone: Played) -> str:
    """Whom a line is about, where it is not about all."""
    if len(whose) == len(everyone):
        return ""
    titles = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}
    if len(everyone) == len(PROVIDERS):
        return f" ({', '.join(titles[provider] for provider, _ in whose)})"
    by_kind = {
        "sync": [titles[provider] for provider, aio in whose if not aio],
        "async": [titles[provider] for provider, aio in whose if aio],
    }
    if by_kind["sync"] == by_kind["async"]:
        return f" ({', '.join(by_kind['sync'])})"
    return f" ({'; '.join(_of(kind, names) for kind, names in by_kind.items() if names)})"


def _of(kind: str, names: list[str]) -> str:
    return kind if len(names) == len(PROVIDERS) else f"{kind}: {', '.join(names)}"


def _line(name: str, seen: Seen, *, second: bool) -> str:
    requests = f"{seen.requests} + {seen.next_requests}" if second else str(seen.requests)
    return f"| {name} | {seen.outcome} | {requests} | {seen.charged} | {seen.cost} |"


def page(one: Iterable[str], two: Iterable[str]) -> str:
    """The page with the lines of both tables."""
    head = "| the provider | the caller gets | requests | credits charged | provider cost |\n|---|---|---|---|---|"
    second = "The second model answers well; requests are those to the first and those to the second."
    return "\n".join(
        [HEAD, "## With one model", "", head, *one, "", "## With a second model", "", second, "", head, *two, ""]
    )


if __name__ == "__main__":
    tables = [
        [line for name, case in CASES.items() for line in rows(name, played(case, second=second), second=second)]
        for second in (False, True)
    ]
    PAGE.write_text(page(*tables), encoding="utf-8")
