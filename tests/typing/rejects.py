"""Wrong uses of the public API; each marked line must be refused by both type checkers, and no other.

The mark names what each of them says: ``# E: <mypy code> <pyright rule>``.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel

from ai_addons import AddOns, Credits, Money, Prompt, Steps, ask, billed_feature


class Opinion(BaseModel):
    """An answer."""

    reasons: list[str]


class Verdict(BaseModel):
    """A result that code makes of an answer."""

    good: bool


@billed_feature("opinion", credits="3")
def opinion(customer: str, asked: Decimal) -> Prompt[Opinion]:
    """A sync feature."""
    return Prompt(user=customer, data=asked)


@billed_feature("fetched", credits="3")
async def fetched(customer_id: int) -> Prompt[Opinion]:
    """An async feature."""
    return Prompt(user=f"About {customer_id}")


# What is called.
opinion(7, asked=Decimal(3))  # E: arg-type reportArgumentType
opinion("Ama")  # E: call-arg reportCallIssue
opinion("Ama", asked=Decimal(3), asks=1)  # E: call-arg reportCallIssue
opinion.billed("Ama", asked="3")  # E: arg-type reportArgumentType
opinion.quote("Ama")  # E: call-arg reportCallIssue
opinion.bind("Ama")  # E: call-arg reportCallIssue
opinion.aio("Ama")  # E: call-arg reportCallIssue
fetched("7")  # E: arg-type reportArgumentType

# What comes back.
text: str = opinion("Ama", asked=Decimal(3))  # E: assignment reportAssignmentType
opinion("Ama", asked=Decimal(3)).score  # E: attr-defined reportAttributeAccessIssue
opinion.billed("Ama", asked=Decimal(3)).reasons  # E: attr-defined reportAttributeAccessIssue
opinion.receipt  # E: attr-defined reportAttributeAccessIssue

# What can be read while it is written: text.
opinion.stream("Ama", asked=Decimal(3))  # E: misc reportAttributeAccessIssue
fetched.stream(7)  # E: misc reportAttributeAccessIssue


async def host() -> None:
    """Sync values are not awaited, async ones are."""
    await opinion("Ama", asked=Decimal(3))  # E: misc reportGeneralTypeIssues
    (await opinion.aio("Ama", asked=Decimal(3))).score  # E: attr-defined reportAttributeAccessIssue
    fetched(7).reasons  # E: attr-defined reportAttributeAccessIssue


# Options.
opinion.options(idempotency="sale-81")  # E: call-arg reportCallIssue
opinion.options("biz_7")  # E: call-arg reportCallIssue
opinion.options(deadline=5)  # E: arg-type reportArgumentType
opinion.options(model="large")("Ama")  # E: call-arg reportCallIssue


# Amounts are exact.
Credits(1.5)  # E: arg-type reportArgumentType
Money(80.0, "GHS")  # E: arg-type reportArgumentType
Credits(1) + 1  # E: operator reportOperatorIssue
Credits(1) * 0.5  # E: operator reportOperatorIssue
AddOns().grant("biz_7", 2.5, source="adjustment", ref="x")  # E: arg-type reportArgumentType
AddOns().grant("biz_7", 2, source="gift", ref="x")  # E: arg-type reportArgumentType
billed_feature("inexact", credits=0.1)  # E: arg-type reportArgumentType
billed_feature("tiers", credits="1", tier="medium")  # E: arg-type reportArgumentType
billed_feature("sorts", credits="1", privacy={"PHNE": "drop"})  # E: arg-type reportArgumentType
billed_feature("words", credits="1", privacy={"PHONE": "hide"})  # E: arg-type reportArgumentType


# Builders.
@billed_feature("no_prompt", credits="1")  # E: arg-type reportArgumentType
def no_prompt(title: str) -> str:
    """Returns text where a prompt is due."""
    return title


def finish(answer: Opinion) -> Verdict:
    """Makes a verdict of an opinion."""
    return Verdict(good=bool(answer.reasons))


def words() -> str:
    """Makes text."""
    return "fine"


def other_result() -> Prompt[Opinion]:
    """Its finish makes another type than it promises."""
    return Prompt.composed(answer=Opinion, user="?", finish=finish)  # E: arg-type reportReturnType


def other_fallback() -> Prompt[Verdict]:
    """Its fallback makes another type than its finish."""
    return Prompt.composed(answer=Opinion, user="?", finish=finish, fallback=words)  # E: arg-type reportReturnType


def other_sample() -> Prompt[Verdict]:
    """Its sample is not what the model is asked for."""
    return Prompt.composed(answer=Opinion, user="?", finish=finish, sample=words)  # E: arg-type reportArgumentType


def other_settled() -> Prompt[Verdict]:
    """Settles for another type than it promises."""
    return Prompt.settled(Opinion(reasons=[]))  # E: arg-type reportReturnType


def other_step() -> Steps[Verdict]:
    """Uses the answer of its first question as another type."""
    first = yield from ask(Prompt[Opinion](user="Which?"))
    return Prompt(user=first.route)  # E: attr-defined reportAttributeAccessIssue


def unknown_part() -> Prompt[Opinion]:
    """Names a part that no prompt has."""
    return Prompt(user="Why?", temperature=1)  # E: call-arg reportCallIssue
