"""Right uses of the public API: never run, only read by the type checkers (tests/test_typing.py)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, assert_type

from pydantic import BaseModel

from ai_addons import (
    AddOns,
    AsyncTextStream,
    BatchResult,
    Billed,
    BoundCall,
    Credits,
    InsufficientCreditsError,
    Pii,
    Prompt,
    Quote,
    Receipt,
    Settings,
    Steps,
    TextStream,
    ask,
    bill_to,
    billed_feature,
    receipts,
)


class Facts(BaseModel):
    """Facts with a declared name."""

    name: Annotated[str, Pii.NAME]
    late: int


class Opinion(BaseModel):
    """An answer."""

    reasons: list[str]


class Verdict(BaseModel):
    """A result that code makes of an answer."""

    good: bool


@billed_feature("opinion", credits="3", tier="small", cache="6h")
def opinion(customer: Facts, asked: Decimal, *, note: str = "") -> Prompt[Opinion]:
    """Keeps positional, keyword-only and default parameters."""
    return Prompt(system=note, user=f"Explain {asked}.", data=customer)


@billed_feature("blurb", credits=1, cache=None)
def blurb(title: str) -> Prompt:
    """Answers text: `Prompt` alone is `Prompt[str]`."""
    return Prompt(user=title)


@billed_feature("tags", credits=Decimal("0.5"), cache=timedelta(hours=1), privacy={"ID": "refuse", "oversize": "cut"})
def tags(title: str) -> Prompt[list[str]]:
    """Answers a list."""
    return Prompt(user=title)


@billed_feature("route", credits=Credits("0.1"))
def route(title: str) -> Prompt[Opinion | Literal["none"]]:
    """Answers a union."""
    return Prompt(user=title)


@billed_feature("composed", credits="1")
def composed(customer: Facts) -> Prompt[Verdict]:
    """Asks for an opinion and makes a verdict of it."""
    if customer.late < 0:
        return Prompt.settled(Verdict(good=False))
    return Prompt.composed(
        answer=Opinion,
        user="Why?",
        data=customer,
        check=lambda answer: [] if answer.reasons else ["give a reason"],
        finish=lambda answer: Verdict(good=bool(answer.reasons)),
        fallback=lambda: Verdict(good=False),
        sample=lambda: Opinion(reasons=["pays on time"]),
    )


@billed_feature("steps", credits="1")
def steps(question: str) -> Steps[Verdict]:
    """Asks a smaller question first."""
    first = yield from ask(Prompt[Opinion](user=question))
    assert_type(first, Opinion)
    return Prompt(user="Go on.", data=first)


@billed_feature("fetched", credits="1")
async def fetched(customer_id: int) -> Prompt[Opinion]:
    """Builds its prompt on the event loop."""
    return Prompt(user=f"About {customer_id}")


def in_a_sync_host(customer: Facts, addons: AddOns) -> None:
    """Every sync form keeps parameters and result."""
    with bill_to("biz_7", user="u_1"):
        assert_type(opinion(customer, Decimal(3)), Opinion)
        assert_type(opinion(customer, asked=Decimal(3), note="hello"), Opinion)
        assert_type(opinion.billed(customer, asked=Decimal(3)), Billed[Opinion])
        value, receipt = opinion.billed(customer, asked=Decimal(3))
        assert_type(value, Opinion)
        assert_type(receipt, Receipt)
        assert_type(opinion.quote(customer, asked=Decimal(3)), Quote)
        assert_type(opinion.options(model="large", idempotency_key="sale-81")(customer, asked=Decimal(3)), Opinion)
        assert_type(
            opinion.options(deadline=timedelta(seconds=5), cache=False, addons=addons).quote(customer, Decimal(3)),
            Quote,
        )
        assert_type(opinion.__wrapped__(customer, Decimal(3)), Prompt[Opinion])
        assert_type(opinion.options(user="u_2").bind(customer, asked=Decimal(3)), BoundCall[Opinion])
        result = addons.batch([opinion.bind(customer, Decimal(3))], concurrency=2, deadline=timedelta(minutes=1))
        assert_type(result, BatchResult[Opinion])
        assert_type(result[0].result(), Opinion)
        assert_type([item.value for item in result], list[Opinion | None])
    with receipts() as log:
        assert_type(blurb("Milk"), str)
        assert_type(blurb.stream("Milk"), TextStream)
        assert_type(blurb.stream("Milk").receipt, Receipt | None)
        assert_type(tags(title="Milk"), list[str])
        assert_type(route("Milk"), Opinion | Literal["none"])
        assert_type(composed(customer), Verdict)
        assert_type(steps(question="Who owes most?"), Verdict)
    assert_type(log, list[Receipt])


async def in_an_async_host(customer: Facts, addons: AddOns) -> None:
    """Every async form keeps parameters and result."""
    assert_type(await opinion.aio(customer, asked=Decimal(3)), Opinion)
    assert_type(await opinion.aio.billed(customer, asked=Decimal(3)), Billed[Opinion])
    assert_type(await opinion.aio.quote(customer, asked=Decimal(3)), Quote)
    assert_type(await opinion.aio.options(business="biz_8")(customer, asked=Decimal(3)), Opinion)
    assert_type(await fetched(7), Opinion)
    assert_type(fetched.bind(7), BoundCall[Opinion])
    assert_type(await addons.aio.batch([fetched.bind(7), opinion.aio.bind(customer, Decimal(3))]), BatchResult[Opinion])
    assert_type(blurb.aio.stream("Milk"), AsyncTextStream)
    async with blurb.aio.stream("Milk") as pieces:
        async for piece in pieces:
            assert_type(piece, str)
    value, receipt = await fetched.options(user="u_2").billed(7)
    assert_type(value, Opinion)
    assert_type(receipt, Receipt)


def at_the_counter(addons: AddOns) -> None:
    """Credits come as text, whole numbers, decimals or credits."""
    for amount in ("25", 25, Decimal(25), Credits(25)):
        addons.grant("biz_7", amount, source="adjustment", ref="welcome")
    try:
        blurb("Milk")
    except InsufficientCreditsError as short:
        assert_type(short.shortfall, Credits)
    assert_type(Credits("0.1") + Credits(3) * 2, Credits)
    assert_type(AddOns(Settings(models={"small": "openai/gpt-6-luna"})).wallet("biz_7").available, Credits)
