"""What a collection message takes and returns."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ai_addons.features._facts import clean
from ai_addons.features._guard import Answer, Prose
from ai_addons.features._inputs import Strict, exact
from ai_addons.features.collection_message.gsm7 import Encoding, plain, units
from ai_addons.features.collection_message.guard import MOST_LINE, harmless_offer, kept_line

Channel: TypeAlias = Literal["sms", "whatsapp", "email", "call_script"]
"""How the reminder reaches the customer."""

Stage: TypeAlias = Literal[0, 1, 2, 3, 4]
"""0 up to the due date; 1 to 4 by days overdue."""

Tone: TypeAlias = Literal["friendly", "neutral", "firm"]
"""How the reminder speaks; follows from the stage."""

BlockedReason: TypeAlias = Literal[
    "opted_out", "no_consent", "nothing_outstanding", "dispute_open", "promise_pending", "contacted_enough"
]
"""Why no reminder is written."""

MOST_DRAFT: Final = 600
"""Characters of a free draft before its values are filled in."""

LONGEST: Final[dict[str, int]] = {
    "customer": 40,
    "shop": 40,
    "contact": 24,
    "staff": 20,
    "pay_link": 60,
    "offer": 200,
    "amount": len("GHS 9,999,999.99"),
    "due_date": len("30 Sep 2026"),
    "promise_date": len("30 Sep 2026"),
}
"""The most units each filled value may have; set by hand so that the shortest variants fit one SMS."""

LIMITS: Final[dict[Channel, int]] = {"sms": 160, "whatsapp": 480, "email": 1200, "call_script": 1200}
"""The most a finished message may have: units for an SMS, characters elsewhere."""

JOINTS: Final[dict[Channel, str]] = {"sms": " ", "whatsapp": "\n", "email": "\n\n", "call_script": "\n"}
"""What stands between two sentences."""


def _tidy(value: object) -> object:
    """Nothing invisible, single spaces, typewriter quotes and dashes; too long stays too long."""
    return plain(clean(unicodedata.normalize("NFC", value))) if isinstance(value, str) else value


def _within(key: str) -> AfterValidator:
    """The limit of a value, counted as an SMS counts it: some characters take two places."""

    def check(value: str) -> str:
        if units(value) > LONGEST[key]:
            msg = f"longer than {LONGEST[key]} characters (some count twice in an SMS)"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


_Tidy: TypeAlias = Annotated[str, BeforeValidator(_tidy), Field(min_length=1)]
_Count: TypeAlias = Annotated[int, Field(ge=0, le=100_000)]
_Link: TypeAlias = Annotated[str, BeforeValidator(_tidy), Field(pattern=r"^https://[^\s<>{}\[\]|\\^~]+$")]


class CollectionRequest(Strict):
    """One customer's open bill. Names, contact, link and offer are filled in locally and never sent to a model."""

    as_of: date
    """The day the figures describe."""
    channel: Channel = "sms"
    """How the reminder is sent."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    """Language of the sentence bank."""
    outstanding: Annotated[Decimal, BeforeValidator(exact), Field(ge=0, lt=10_000_000, decimal_places=2)]
    """GHS still owed on the bill; 0 stops the reminder, below 0 is an error."""
    due_date: date
    """When the bill was or is due."""
    partial_paid: bool = False
    """Whether a part of it was paid."""
    dispute_open: bool = False
    """Whether the customer questions the bill."""
    promise_date: date | None = None
    """The day on which the customer said they would pay."""
    relationship_months: _Count
    """Months since the first purchase."""
    usual_days_late: Annotated[int, Field(ge=-3650, le=3650)] | None = None
    """Days after the due date on which this customer usually pays; negative if before."""
    last_contact_days: _Count | None = None
    """Days since the last reminder, 0 for today; None if there was none."""
    contacts_last_7d: _Count
    """Reminders in the last seven days, by any channel."""
    consent: bool
    """Whether the customer agreed to be reminded this way. No default."""
    opted_out: bool
    """Whether the customer asked for no more messages. No default."""
    customer_name: Annotated[_Tidy, _within("customer")]
    """Whom the message greets."""
    shop_name: Annotated[_Tidy, _within("shop")]
    """Who is owed."""
    contact: Annotated[_Tidy, _within("contact")]
    """Where the customer can ask about the bill: the shop's own number or counter."""
    pay_link: Annotated[_Link, _within("pay_link")] | None = None
    """Page where the bill can be paid, ``https`` only."""
    staff_first_name: Annotated[_Tidy, _within("staff")] | None = None
    """Somebody of the shop whom the customer knows: the message is signed with it."""
    authorised_offer: Annotated[_Tidy, _within("offer"), AfterValidator(harmless_offer)] | None = None
    """What the owner offers, in the owner's own words; used word for word or not at all."""


class CollectionPolicy(Strict):
    """The shop's own rules. The defaults are set by hand."""

    version: str = "1"
    """Kept for review."""
    stage_edges: tuple[
        Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1, le=3650)]
    ] = (7, 30, 60)
    """Last days overdue of the stages 1, 2 and 3."""
    amount_edges: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=8)] = (
        100,
        500,
        2_000,
        10_000,
    )
    """Where the bands of the sum begin, in whole cedis."""
    most_contacts_7d: Annotated[int, Field(ge=1, le=7)] = 2
    """So many reminders in seven days are enough."""
    rest_days: Annotated[int, Field(ge=0, le=30)] = 1
    """Days between two reminders."""
    opens: time = time(8)
    """First moment of the day to send, local time."""
    closes: time = time(19)
    """Last moment of the day to send."""
    weekdays: Annotated[frozenset[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1)] = frozenset(range(6))
    """Days to send on, Monday is 0; Monday to Saturday."""
    free_drafting: bool = False
    """Whether a model may write the text itself. Each such draft is checked by rules and by a second question."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        edges = (self.stage_edges, self.amount_edges)
        if any(low >= high for rising in edges for low, high in pairwise(rising)):
            msg = "stage_edges and amount_edges must rise"
            raise ValueError(msg)
        if self.opens.tzinfo or self.closes.tzinfo or self.opens >= self.closes:
            msg = "opens must be before closes, both without a zone"
            raise ValueError(msg)
        return self


class CollectionChoice(Answer):
    """What the model is asked for: ids of approved sentences, and one line of its own."""

    opening: Annotated[Prose, Field(max_length=40)]
    ask: Annotated[Prose, Field(max_length=40)]
    help: Annotated[Prose, Field(max_length=40)]
    close: Annotated[Prose, Field(max_length=40)]
    # Outermost, so that a line that fails is dropped before its length could fail the whole answer.
    personal_line: Annotated[str, Field(max_length=MOST_LINE), BeforeValidator(kept_line)] = ""


class CollectionDraft(Answer):
    """What the model is asked for when the shop lets it write freely."""

    message: Annotated[Prose, Field(min_length=20, max_length=MOST_DRAFT)]


class DraftReview(Answer):
    """A second opinion on a free draft."""

    verdict: Literal["fine", "threat", "shame", "third_party", "offer", "deadline", "insult", "unclear"]


class CollectionMessage(Strict):
    """A reminder for a person to approve and send, to the customer's own number or address only."""

    message: str
    """The finished text; empty where it is blocked."""
    channel: Channel
    """How it is sent."""
    recipient: Literal["customer"] = "customer"
    """Nobody but the customer: no relative, employer, guarantor or group."""
    stage: Stage | None
    """Stage of the bill; None where it is blocked."""
    tone: Tone | None
    """Tone of that stage."""
    language: str
    """Language of the sentences."""
    references_used: tuple[str, ...]
    """Keys of the values that were filled in."""
    sentence_ids: tuple[str, ...]
    """Ids of the approved sentences; empty for a free draft."""
    drafting: Literal["bank", "free"]
    """Whether it is made of approved sentences or was written freely."""
    send_not_before: datetime | None
    """First moment to send; None where it is blocked."""
    send_not_after: datetime | None
    """Last moment to send; ask again later than that."""
    encoding: Encoding | None
    """Alphabet of an SMS; None elsewhere."""
    segments: int | None
    """Messages an SMS is sent and paid as; None elsewhere."""
    blocked_reason: BlockedReason | None
    """Why there is no text."""
    requires_approval: Literal[True] = True
    """A person reads and sends it."""
    bank_version: str
    """Version of the sentence bank."""
    policy_version: str
    """Version of the rules."""
