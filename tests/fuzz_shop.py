"""A shop that the leak fuzz runs: its features, its providers, and everything that can be seen of its calls."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final
from unittest import mock

import httpx
from pydantic import BaseModel

from ai_addons import (
    AddOns,
    AddOnsError,
    FreeText,
    Pii,
    Prompt,
    Public,
    Settings,
    Steps,
    ask,
    bill_to,
    billed_feature,
    receipts,
)
from ai_addons.errors import ContentBlocked
from ai_addons.testing import ManualClock
from ai_addons.testing.wire import WireCall, WireReply, provider_of, read_call, write_answer, write_failure
from tests.canaries import Canary, canary, scattered
from tests.leaks import Net, files_under, rows_of_sqlite, told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ROUTES: Final = ("openai/gpt-6-luna", "anthropic/claude-haiku-5-5", "gemini/gemini-2.5-flash-lite")
SECRET: Final = "a secret for the fuzz, and for nothing else"
API_KEY: Final = "sk-canary-of-a-key"
PLACEHOLDER: Final = re.compile(r"\[[A-Z]+_[0-9]+\]")
OUTCOMES: Final = ("good",) * 10 + (
    "no JSON", "invented", "invented twice", "own contact", "refusal", "500", "400", "hang", "drop", "cut off", "html",
    "wrong type", "too long",
)  # fmt: skip


class Contact(BaseModel):
    """How to reach somebody."""

    phone: Annotated[str, Pii.PHONE]
    email: Annotated[str | None, Pii.EMAIL] = None
    address: Annotated[str, Pii.ADDRESS]


class Customer(BaseModel):
    """A customer as a shop knows them: marks in nested models, lists and dicts."""

    name: Annotated[str, Pii.NAME]
    contacts: list[Contact]
    papers: dict[str, Annotated[str, Pii.ID]]
    account: Annotated[str, Pii.ACCOUNT]
    born: Annotated[date, Pii.DOB]
    firm: Annotated[str, Pii.BUSINESS]
    notes: Annotated[list[str], FreeText]
    remarks: dict[str, str]
    favourite: Annotated[str, Public]
    nickname: Annotated[str, Pii.DROP]
    owes: int


class Letter(BaseModel):
    """What the model answers."""

    subject: str
    body: str
    asks: list[str]


class Kind(BaseModel):
    """The answer to a first, smaller question."""

    kind: str


@dataclass
class Wire:
    """Every provider: takes down each request as it is on the wire, and answers as planned."""

    dice: random.Random
    plan: list[str] = field(default_factory=list[str])
    seen: list[str] = field(default_factory=list[str])
    restorable: int = 0

    def note(self, request: httpx.Request) -> tuple[WireCall, str]:
        """Take a request down: address, headers and body."""
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        self.seen.append(f"{request.method} {request.url}\n{headers}\n\n{request.content.decode()}")
        provider = provider_of(request.url.path)
        assert provider is not None
        call = read_call(provider, request.url.path, request.headers, request.content)
        return call, self.plan.pop() if len(self.plan) > 1 else self.plan[0]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What comes back, or the error of a broken line."""
        call, outcome = self.note(request)
        if outcome == "hang":
            msg = "The read operation timed out"
            raise httpx.ReadTimeout(msg, request=request)
        if outcome == "drop":
            msg = "Server disconnected"
            raise httpx.RemoteProtocolError(msg, request=request)
        reply = self._reply(call, outcome)
        return httpx.Response(reply.status, content=reply.body, headers=dict(reply.headers), request=request)

    def _reply(self, call: WireCall, outcome: str) -> WireReply:
        text = self._words(call)
        if outcome in ("500", "400"):
            # A provider may quote the prompt in its error.
            return write_failure(call.provider, int(outcome), message=f"cannot read: {call.text}")
        if outcome == "refusal":
            return write_answer(call, "", finish="blocked")
        if outcome == "cut off":
            return write_answer(call, self._form(call, text)[:20], finish="length")
        if outcome == "html":
            return WireReply(status=200, body=b"<html>Sign in</html>", headers={"content-type": "text/html"})
        changed = {
            "no JSON": "" if call.schema is None else f"Sure! {text}",
            "invented": self._form(call, f"{text} [PERSON_998]"),
            "own contact": self._form(call, f"{text} Call 0201112223."),
            "wrong type": "" if call.schema is None else json.dumps({"subject": 1, "body": text}),
            "too long": self._form(call, text * 30),
        }
        return write_answer(call, changed.get(outcome) or self._form(call, text))

    def _words(self, call: WireCall) -> str:
        given = PLACEHOLDER.findall(call.messages[0].content)
        known = [one for one in dict.fromkeys(given) if not one.startswith("[AMOUNT")]
        self.restorable += bool(known)
        return " and ".join(["Dear", *self.dice.sample(known, k=min(6, len(known)))])

    def _form(self, call: WireCall, text: str) -> str:
        if call.schema is None:
            return text
        if "kind" in call.schema["properties"]:
            return json.dumps({"kind": text[:200]})
        return json.dumps(
            {"subject": "About rice", "body": text, "asks": [text]}, ensure_ascii=self.dice.random() < 0.5
        )


@contextmanager
def on_the_wire(wire: Wire) -> Iterator[None]:
    """Every request that httpx would send, sync or async, ends at ``wire``."""

    def send(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        request.read()
        return wire.answer(request)

    async def asend(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if wire.plan[-1] == "cancel":
            wire.note(request)
            await asyncio.sleep(3600)
        await asyncio.sleep(0)
        return wire.answer(request)

    with (
        mock.patch.object(httpx.HTTPTransport, "handle_request", send),
        mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", asend),
    ):
        yield


class Diary(logging.Handler):
    """Takes down every record of every logger, formatted with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        self.lines.append(repr(record.args))


@contextmanager
def listening(diary: Diary, *, loud: bool) -> Iterator[None]:
    """Let every logger tell everything; ``loud`` also those that the product keeps quiet."""
    known = [
        logging.root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    quiet = ("LiteLLM", "openai")
    before = [(logger, logger.level, logger.propagate) for logger in known]
    handlers, logging.root.handlers = logging.root.handlers, [diary]
    try:
        for logger in known:
            if loud or not logger.name.startswith(quiet):
                logger.setLevel(logging.DEBUG)
                logger.propagate = True
        yield
    finally:
        logging.root.handlers = handlers
        for logger, level, propagate in before:
            logger.setLevel(level)
            logger.propagate = propagate


class HostsOwn(Exception):
    """An error of the host's builder, whose message quotes the customer; the host's own business."""


@dataclass
class Asked:
    """One call as it was made: who is in it, what the host's texts say, and what is to happen."""

    people: list[Canary]
    customers: list[Customer]
    system: str
    user: str
    outcome: str

    @property
    def raw(self) -> str:
        """What would be seen if nothing were masked."""
        return "\n".join([self.system, self.user, *(repr(customer) for customer in self.customers)])


def asked(dice: random.Random) -> Asked:
    """A call nobody made before."""
    people = [canary(dice) for _ in range(dice.choice([1, 1, 1, 1, 1, 2, 3]))]
    values = [value for one in people for value in one.values]
    return Asked(
        people=people,
        customers=[_customer(one, values, dice) for one in people],
        system=f"You write for a shop. {scattered(values, dice, most=2)}",
        user=f"Write a letter. {scattered(values, dice)}",
        outcome=dice.choice(OUTCOMES),
    )


def _customer(one: Canary, values: list[Any], dice: random.Random) -> Customer:
    contact = Contact(
        phone=one.phone.spell(dice),
        email=dice.choice([one.email.text, one.email.text, None]),
        address=one.address.text,
    )
    return Customer(
        name=one.name.text,
        contacts=[contact] * dice.randrange(1, 3),
        papers={"Ghana Card": one.card.text, "TIN": one.tin.text},
        account=one.account.text,
        born=date.fromisoformat(one.born.text),
        firm=one.firm.text,
        notes=[scattered(values, dice, most=3) for _ in range(dice.randrange(3))],
        remarks={scattered(values, dice, most=1): scattered(values, dice, most=2)},
        favourite=dice.choice(["Perfumed rice 5 kg", "Milo 400 g", "Sardines in oil"]),
        nickname=one.name.text,
        owes=dice.randrange(1, 5_000),
    )


def shop_features() -> dict[str, Callable[..., Any]]:
    """What the shop sells; each is one way through the engine."""

    @billed_feature("fuzz_letter", credits=1, cache="6h")
    def letter(customers: list[Customer], system: str, user: str) -> Prompt[Letter]:
        """Write a letter."""
        return Prompt(system=system, user=user, data=customers)

    @billed_feature("fuzz_text", credits=1, cache=None)
    def text(customers: list[Customer], system: str, user: str) -> Prompt:
        """Write a text about several customers."""
        data = {"people": customers, customers[0].name: customers[0].owes}
        return Prompt(system=system, user=user, data=data)

    @billed_feature("fuzz_composed", credits=1, cache="6h")
    def composed(customers: list[Customer], system: str, user: str) -> Prompt[str]:
        """Write a letter and make a text of it."""

        def check(answer: Letter) -> Sequence[str]:
            if len(answer.body) > 2_000:
                raise ContentBlocked
            return [] if answer.subject else ["subject: empty"]

        fallback = (lambda: f"Dear {customers[0].name}") if len(user) % 2 else None
        return Prompt.composed(
            answer=Letter,
            system=system,
            user=user,
            data=customers,
            check=check,
            finish=lambda answer: answer.body,
            fallback=fallback,
        )

    @billed_feature("fuzz_routed", credits=1, cache="6h")
    def routed(customers: list[Customer], system: str, user: str) -> Steps[Letter]:
        """Ask what it is about first."""
        kind = yield from ask(Prompt[Kind](user=user, data={"people": customers}))
        return Prompt(system=system, user=f"{kind.kind}: {user}", data=customers)

    @billed_feature("fuzz_broken", credits=1)
    def broken(customers: list[Customer], system: str, user: str) -> Prompt:
        """Fail in the host's own code, with a message that quotes the customer."""
        msg = f"no such customer: {customers[0]!r}"
        raise HostsOwn(msg)

    @billed_feature("fuzz_huge", credits=1)
    def huge(customers: list[Customer], system: str, user: str) -> Prompt:
        """Send more than one field may hold."""
        return Prompt(user=user + f" {customers[0].name}" * 9_000)

    return {
        "letter": letter,
        "text": text,
        "composed": composed,
        "routed": routed,
        "broken": broken,
        "huge": huge,
    }


WAYS: Final = ("letter", "text", "composed", "routed") * 6 + ("broken", "huge", "poor")


class Shop:
    """One installation, the calls made in it, and all that can be seen of them.

    Args:
        folder: Where its books and its cache lie.
        seed: What all of it is made from.
        url: Another place for its books.
        loud: Whether LiteLLM tells all it can, too.
    """

    def __init__(self, folder: Path, seed: int, *, url: str | None = None, loud: bool = False) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # dice, not secrets
        self.folder = folder
        self.net = Net()
        self.wire = Wire(random.Random(seed + 1))  # noqa: S311  # as above
        self.diary = Diary()
        self.told: list[str] = []
        self.ends: Counter[str] = Counter()
        self.restored = 0
        self.raw: list[tuple[Asked, str]] = []
        self._loud = loud
        self._features = shop_features()
        self.addons = AddOns(
            shop_settings(folder, url),
            clock=ManualClock(),
            hooks=[lambda event: self.told.append(repr(event))],
            environ={},
        )

    def run(self, calls: int) -> dict[str, set[str]]:
        """Make calls and search everything for what they were about: the values found, by place."""
        with closing(self.addons), listening(self.diary, loud=self._loud), on_the_wire(self.wire):
            for business in ("biz_1", "biz_2"):
                self.addons.grant(business, calls * 9, source="adjustment", ref="start")
            with receipts() as log:
                done = 0
                while done < calls:
                    done += self._several(min(10, calls - done)) if self.dice.random() < 0.03 else self._one()
            self.told += [repr(receipt) + repr(receipt.for_shop()) for receipt in log]
            self._read_the_books()
            found = self.found()
        found["files, closed"] = self.net.catch(files_under(self.folder), shortest=5)
        return {place: caught for place, caught in found.items() if caught}

    def found(self) -> dict[str, set[str]]:
        """What can be seen of anybody, by place."""
        file = self.folder / "shop.db"
        return {
            "requests": self.net.catch("\n".join(self.wire.seen)),
            "logs": self.net.catch("\n".join(dict.fromkeys(self.diary.lines))),
            "errors, events, receipts": self.net.catch("\n".join(dict.fromkeys(self.told))),
            "files": self.net.catch(files_under(self.folder), shortest=5),
            "rows": self.net.catch(rows_of_sqlite(file)) if file.exists() else set(),
        }

    def _read_the_books(self) -> None:
        self.addons.erase("biz_2", user="u_1", actor="operator")
        for business in ("biz_1", "biz_2"):
            parts = [self.addons.transactions(business), self.addons.ledger(business), self.addons.audit(business)]
            self.told += [repr(parts), repr(self.addons.wallet(business)), repr(self.addons.usage(business))]

    def _options(self, way: str) -> dict[str, Any]:
        options: dict[str, Any] = {"addons": self.addons, "model": self.dice.choice(ROUTES)}
        if self.dice.random() < 0.2:
            # Some keys are used again, for another request.
            options["idempotency_key"] = f"key-{self.dice.randrange(40)}"
        if way != "poor" and self.dice.random() < 0.2:
            options["cache"] = False
        return options

    def _prepared(self) -> tuple[Any, Asked, str, str]:
        call, way = asked(self.dice), self.dice.choice(WAYS)
        for one in call.people:
            self.net.add(one)
        self.raw.append((call, way))
        business = "nobody" if way == "poor" else self.dice.choice(["biz_1", "biz_2"])
        feature: Any = self._features.get(way, self._features["letter"])
        return feature.options(**self._options(way)), call, way, business

    def _one(self) -> int:
        """One call in this thread, sometimes made twice."""
        feature, call, _, business = self._prepared()
        self.wire.plan = _plan(call.outcome)
        for _ in range(self.dice.choice([1, 1, 1, 2])):
            with bill_to(business, user=f"u_{self.dice.randrange(3)}"):
                try:
                    self._came(feature(call.customers, call.system, call.user), call)
                except (AddOnsError, HostsOwn) as error:
                    self._failed(error)
        return 1

    def _several(self, count: int) -> int:
        """Calls that run side by side on an event loop; one of two such rounds is cancelled."""
        cancelled = self.dice.random() < 0.5
        self.wire.plan = ["cancel"] if cancelled else _plan(self.dice.choice(OUTCOMES))

        async def one() -> None:
            feature, call, _, business = self._prepared()
            with bill_to(business, user="u_9"):
                task = asyncio.ensure_future(feature.aio(call.customers, call.system, call.user))
            if cancelled:
                await asyncio.wait([task], timeout=self.dice.choice([0, 0.01, 0.2]))
                task.cancel()
            try:
                self._came(await task, call)
            except (AddOnsError, HostsOwn, asyncio.CancelledError) as error:
                self._failed(error)

        async def all_of_them() -> None:
            await asyncio.gather(*(one() for _ in range(count)))

        asyncio.run(all_of_them())
        return count

    def _came(self, value: object, call: Asked) -> None:
        self.ends["answer"] += 1
        self.restored += any(one.name.text in str(value) for one in call.people)

    def _failed(self, error: BaseException) -> None:
        self.ends[type(error).__name__] += 1
        self.told.append(told_by(error, own=[HostsOwn]))


def _plan(outcome: str) -> list[str]:
    """The outcomes of the requests of one call, the last one first."""
    if outcome in ("invented twice", "500", "400", "hang", "drop"):
        return ["invented" if outcome == "invented twice" else outcome]
    return ["good", outcome]


def shop_settings(folder: Path, url: str | None, *, api_base: tuple[str, str] | None = None) -> Settings:
    """The shop's settings.

    Args:
        folder: Where its books and its cache lie.
        url: Another place for its books.
        api_base: A provider and the address to ask it at.
    """
    providers = {name: {"api_key": f"{API_KEY}-{name}"} for name in ("openai", "anthropic", "gemini")}
    if api_base is not None:
        providers[api_base[0]]["api_base"] = api_base[1]
    return Settings(
        store={"url": url or f"sqlite:///{folder / 'shop.db'}"},
        models={"small": ROUTES[0], "large": list(ROUTES)},
        providers=providers,
        cache={"directory": str(folder / "cache")},
        webhooks={
            "url": "https://pos.example/hooks",
            "secrets": ["whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="],
        },
        limits={"user_day": "100000", "warn_at": "0.0001"},
        # Time stands still here: a model that failed too often would be left alone for ever, and little would be sent.
        call={"attempts": 2, "breaker": {"failures": 0}},
        secret=SECRET,
    )
