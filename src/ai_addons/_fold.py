"""Several requests of one feature folded into one: asked together, answered, counted and priced one by one.

Each call stays its own: it masks its own texts, checks and restores its own answer
and pays its own price. Only its first request travels with others. So that no
value can get from one answer into another, the placeholders of each request are
numbered anew on the way out, and only its own are numbered back on the way in;
another's is then a placeholder that the call never made, and is refused.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.llm.base import Attempt, Exchange, Message, ModelReply, ModelRequest, Usage
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.llm.base import Asker

_LINGER: Final = 1.0
"""Seconds the first request waits for the others; one that waits for another call must not keep them all."""
_APART: Final = 1_000
"""How far the placeholders of two requests are numbered apart; a prompt with so many is asked alone."""
_PLACEHOLDER: Final = re.compile(r"\[([A-Z]+)_(\d+)\]")
_TOGETHER: Final = (
    "Below are {count} requests as JSON, each with an id. Answer each of them on its own, as if it were the only one: "
    "use nothing of one request in the answer to another. Return all answers, each with the id of its request."
)


def units(order: Sequence[list[int]], fold: Callable[[int], tuple[str, int] | None]) -> list[list[list[int]]]:
    """Which groups of calls begin together.

    Args:
        order: Groups of calls that are made one after the other.
        fold: For a call what those that travel with it have in common, and how many they may be; None for none.
    """
    found, filling = list[list[list[int]]](), dict[str, list[list[int]]]()
    for group in order:
        kind = fold(group[0])
        unit = None if kind is None else filling.get(kind[0])
        if kind is None or unit is None or len(unit) >= kind[1]:
            found.append(unit := [])
        if kind is not None:
            filling[kind[0]] = unit
        unit.append(group)
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits to be sent, and when its answer must be there."""

    request: ModelRequest
    deadline: float
    answer: asyncio.Future[Exchange | None] = field(repr=False)


class FoldingAsker:
    """Asks for several calls of one feature; an `Asker` for each of them.

    Args:
        asker: What really asks.
        members: How many calls take part.
    """

    def __init__(self, asker: Asker, members: int) -> None:
        self._asker = asker
        self._missing = members
        self._places = count()
        self._waiting: list[tuple[int, Asked]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def member(self) -> FoldMember:
        """The asker of one call."""
        return FoldMember(self, self._asker, next(self._places))

    async def join(self, request: ModelRequest, deadline: float, place: int) -> Exchange | None:
        """Travel with the others.

        Args:
            request: What is asked.
            deadline: When it must be answered, monotonic seconds.
            place: Where among them; the same batch is the same request, whoever is ready first.

        Returns:
            The exchange as it concerns this request; None if it must be asked alone.
        """
        loop = asyncio.get_running_loop()
        asked = Asked(request, deadline, loop.create_future())
        self._waiting.append((place, asked))
        if self._timer is None:
            self._timer = loop.call_later(_LINGER, self._send)
        self.arrived()
        try:
            return await asked.answer
        except asyncio.CancelledError:
            # All of a batch are cancelled together: nobody waits any more for what is on its way.
            for task in self._sending:
                task.cancel()
            raise

    def arrived(self) -> None:
        """One call less is to be waited for: it asks, or it has ended without."""
        self._missing -= 1
        if self._missing <= 0:
            self._send()

    def _send(self) -> None:
        """Send what waits, those that fit together in one request; called on the event loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        fitting = defaultdict[str, list[Asked]](list)
        for _, asked in sorted(waiting, key=itemgetter(0)):
            fitting[_kind(asked.request)].append(asked)
        for together in fitting.values():
            task = asyncio.ensure_future(self._exchange(together))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _exchange(self, together: Sequence[Asked]) -> None:
        try:
            shares: Sequence[Exchange | None] = [None] * len(together)
            if len(together) > 1:
                request = folded([asked.request for asked in together])
                exchange = await self._asker.aask(request, min(asked.deadline for asked in together))
                shares = unfolded(exchange, len(together))
        except BaseException as error:  # noqa: BLE001  # it is each call's to see
            for asked in together:
                if not asked.answer.done():
                    asked.answer.set_exception(error)
                    # Read here once: a call that was cancelled meanwhile never does.
                    asked.answer.exception()
            return
        for asked, share in zip(together, shares, strict=True):
            if not asked.answer.done():
                asked.answer.set_result(share)


class FoldMember:
    """The asker of one call whose first request travels with others.

    Args:
        together: Where they meet.
        asker: What asks alone.
        place: Where among the others.
    """

    def __init__(self, together: FoldingAsker, asker: Asker, place: int) -> None:
        self._together = together
        self._asker = asker
        self._place = place
        self._joined = False

    def ask(self, request: ModelRequest, deadline: float) -> Exchange:
        """Ask alone: only what waits on an event loop can travel together."""
        return self._asker.ask(request, deadline)

    async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
        """Ask with the others the first time; alone after that, and for what the others' answer lacks."""
        if self._joined:
            return await self._asker.aask(request, deadline)
        self._joined = True
        shared = await self._together.join(request, deadline, self._place)
        if shared is None:
            return await self._asker.aask(request, deadline)
        if shared.failure is not None or shared.reply is not None:
            return shared
        alone = await self._asker.aask(request, deadline)
        return replace(alone, attempts=(*shared.attempts, *alone.attempts))

    def leave(self) -> None:
        """This call has ended; nobody waits for its request any more."""
        if not self._joined:
            self._joined = True
            self._together.arrived()


def _kind(request: ModelRequest) -> str:
    """Equal for requests that one request can carry."""
    system = [message.content for message in request.messages if message.role == "system"]
    numbers = (int(number) for message in request.messages for _, number in _PLACEHOLDER.findall(message.content))
    alone = id(request) if any(number >= _APART for number in numbers) else 0
    return json.dumps([request.model, system, request.schema, alone], sort_keys=True)


def folded(requests: Sequence[ModelRequest]) -> ModelRequest:
    """One request that carries several of one kind.

    Args:
        requests: Two or more, with the same model, instructions and schema.
    """
    first = requests[0]
    asked = [{"id": place, "request": _numbered(_user(request), place)} for place, request in enumerate(requests, 1)]
    block = json.dumps(asked, ensure_ascii=False).replace("<", "\\u003c")
    user = Message("user", f"{_TOGETHER.format(count=len(requests))}\n\n{block}")
    system = tuple(message for message in first.messages if message.role == "system")
    return replace(
        first,
        messages=(*system, user),
        max_tokens=len(requests) * first.max_tokens,
        schema=_schema(first.schema),
        sample=None,
    )


def unfolded(exchange: Exchange, count: int) -> list[Exchange]:
    """What an exchange was for each of the requests it carried; without a reply where the answer lacks it.

    Tokens and cost are shared in whole numbers, what does not divide goes to the first.
    """
    attempts = [_shared(attempt, count) for attempt in exchange.attempts]
    own = [tuple(parts[place] for parts in attempts) for place in range(count)]
    if exchange.failure is not None or exchange.reply is None:
        return [replace(exchange, attempts=one) for one in own]
    answers = _answers(exchange.reply)
    return [
        Exchange(attempts=one, reply=_reply(exchange.reply, answers.get(place), place))
        for place, one in enumerate(own, 1)
    ]


def _user(request: ModelRequest) -> str:
    return "\n\n".join(message.content for message in request.messages if message.role == "user")


def _numbered(text: str, place: int) -> str:
    """A text with its placeholders numbered apart from those of the other requests."""
    return _PLACEHOLDER.sub(lambda found: f"[{found[1]}_{int(found[2]) + place * _APART}]", text)


def _own(text: str, place: int) -> str:
    """The same back; a placeholder of another request stays what it is: unknown."""

    def back(found: re.Match[str]) -> str:
        number = int(found[2]) - place * _APART
        return f"[{found[1]}_{number}]" if 0 < number < _APART else found[0]

    return _PLACEHOLDER.sub(back, text)


def _schema(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """A list of answers, each with the id of its request."""
    answer = {"type": "string"} if schema is None else {key: part for key, part in schema.items() if key != "$defs"}
    item = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "answer": answer},
        "required": ["id", "answer"],
        "additionalProperties": False,
    }
    whole: dict[str, Any] = {
        "type": "object",
        "properties": {"answers": {"type": "array", "items": item}},
        "required": ["answers"],
        "additionalProperties": False,
    }
    return whole if schema is None or "$defs" not in schema else whole | {"$defs": schema["$defs"]}


def _answers(reply: ModelReply) -> dict[int, str]:
    """The answers by the id of their request; one that is given twice counts as missing."""
    if reply.finish != "stop":
        return {}
    try:
        given: Any = json.loads(reply.text or "")
        pairs = [(one["id"], one["answer"]) for one in given["answers"]]
    except (ValueError, TypeError, KeyError):
        return {}
    ids = [place for place, _ in pairs]
    return {
        place: answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        for place, answer in pairs
        if type(place) is int and ids.count(place) == 1
    }


def _reply(reply: ModelReply, answer: str | None, place: int) -> ModelReply | None:
    return None if answer is None else replace(reply, text=_own(answer, place))


def _shared(attempt: Attempt, count: int) -> list[Attempt]:
    """An attempt in as many parts, which add up to it."""
    usage, cost = attempt.usage, attempt.cost
    usages = [None] * count if usage is None else _usages(usage, count)
    costs = [None] * count if cost is None else [PicoUsd(part) for part in _parts(cost, count)]
    return [replace(attempt, usage=used, cost=paid, folded=count) for used, paid in zip(usages, costs, strict=True)]


def _usages(usage: Usage, count: int) -> list[Usage]:
    names = ("input", "cached", "cache_write", "output", "reasoning")
    pools = [_parts(cast("int", getattr(usage, name)), count) for name in names]
    return [Usage(**dict(zip(names, one, strict=True))) for one in zip(*pools, strict=True)]


def _parts(whole: int, count: int) -> list[int]:
    """A whole number in as many whole parts; what does not divide goes to the first."""
    part, rest = divmod(whole, count)
    return [part + rest, *[part] * (count - 1)]
