"""Features that the tests of the call ring up."""

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Annotated

from pydantic import BaseModel

from ai_addons import BadOutput, Bucket, Pii, Prompt, Steps, ask, billed_feature


class Customer(BaseModel):
    """A customer as a shop knows them."""

    name: Annotated[str, Pii.NAME]
    late: int


class Opinion(BaseModel):
    """What the model answers."""

    reasons: list[str]
    verdict: str


class Route(BaseModel):
    """The answer to a first, smaller question."""

    pack: str


AMA = Customer(name="Ama Serwaa", late=2)
KOFI = Customer(name="Kofi Boateng", late=2)
INSTRUCTION = "Remind them."
OPINION = {"reasons": ["pays late"], "verdict": "careful"}


@billed_feature("opinion", credits=3)
def opinion(customer: Customer, asked: Decimal = Decimal(100)) -> Prompt[Opinion]:
    """Say whether a customer may have credit."""
    return Prompt(system="You are careful.", user=f"May they have GHS {asked}?", data=customer)


@billed_feature("opinion_async", credits=3)
async def opinion_async(customer: Customer) -> Prompt[Opinion]:
    """The same, from an async builder."""
    return Prompt(user="May they have credit?", data=customer)


@billed_feature("slogan", credits=5, cache=None)
def slogan(number: int) -> Prompt:
    """Write a slogan."""
    return Prompt(user=f"Slogan number {number}")


@billed_feature("gift", credits=0, cache=None)
def gift() -> Prompt:
    """Write a slogan for nothing."""
    return Prompt(user="A free slogan")


@billed_feature("composed", credits=2)
def composed(customer: Customer, *, hopeless: bool = False) -> Prompt[str]:
    """Ask for an opinion and make a sentence of it."""

    def check(answer: Opinion) -> Sequence[str]:
        if hopeless:
            raise BadOutput
        return [] if answer.reasons else ["reasons: at least one"]

    return Prompt.composed(
        answer=Opinion,
        user="May they have credit?",
        data=customer,
        check=check,
        finish=lambda answer: f"{customer.name}: {answer.verdict}",
        fallback=lambda: f"{customer.name}: ask the owner",
        sample=lambda: Opinion(reasons=["sample"], verdict=f"fine for {customer.name}"),
    )


@billed_feature("settled", credits=2)
def settled(days: int) -> Prompt[str]:
    """Know the answer without a model when there is too little to go by."""
    return Prompt.settled("too little data") if days < 7 else Prompt(user=f"Sum up {days} days")


@billed_feature("routed", credits=4)
def routed(question: str, *, catch: bool = False) -> Steps[str]:
    """Ask where a question belongs, then answer it."""
    try:
        route = yield from ask(Prompt[Route](user=f"Where does this belong: {question}"))
    except Exception:
        if catch:
            return Prompt.settled("no idea")
        raise
    if route.pack == "none":
        return Prompt.settled("not a question for a shop")
    return Prompt(user=f"{route.pack}: {question}")


class Tone(Enum):
    """How a message sounds."""

    FRIENDLY = "friendly"


class Debtor(BaseModel):
    """Somebody to remind: nothing in it says whose customer it is."""

    name: Annotated[str, Pii.NAME]
    owed: Annotated[Decimal, Pii.AMOUNT]
    days: Annotated[int, Bucket(7, 30)]
    tone: Tone = Tone.FRIENDLY
    first: bool = True
    note: None = None


@billed_feature("reminder", credits=1, cache_scope="shared")
def reminder(debtor: Debtor) -> Prompt:
    """Write a reminder."""
    return Prompt(system="You are polite.", user=INSTRUCTION, data=debtor)
