"""What the operator's page asks before a change, and says after it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

What: TypeAlias = Literal["pause", "resume", "release", "refunded", "rate"]

ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked before a change.

    Attributes:
        title: The question's title, and what its button says.
        meaning: What happens then.
        done: What is said afterwards.
    """

    title: str
    meaning: str
    done: str


QUESTIONS: Final[Mapping[What, Question]] = {
    "pause": Question(
        title="Pause paid calls",
        meaning="No new calls that cost credits are made until somebody resumes them. Free repeats and calls in "
        "progress go on. Whoever calls meanwhile is told that AI is paused and pays nothing.",
        done="Paid calls are paused.",
    ),
    "resume": Question(
        title="Resume paid calls",
        meaning="The kill switch of just this business and feature is released. Others that are pulled still hold.",
        done="Paid calls go on, unless another switch holds.",
    ),
    "release": Question(
        title="Accept this payment",
        meaning="The payment is taken for good, and the credits of its order are granted now. Be sure that the money "
        "has arrived.",
        done="The payment is accepted and its order granted.",
    ),
    "refunded": Question(
        title="Note that this payment was sent back",
        meaning="Nothing is granted for it. The money itself is sent back at the gateway: do that first.",
        done="The payment is noted as sent back.",
    ),
    "rate": Question(
        title="Confirm this exchange rate",
        meaning="Costs are booked with it from now on. It was refused because it differs from what was known: compare "
        "it with the Bank of Ghana's first.",
        done="The exchange rate is taken from now on.",
    ),
}
"""By what is to change."""


def facts(**values: str) -> tuple[tuple[str, str], ...]:
    """What a change is about, for people; empty values are left out.

    Args:
        **values: By name, as the form knows them.
    """
    return tuple((name.replace("_", " ").capitalize(), value) for name, value in values.items() if value)
