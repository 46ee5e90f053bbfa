"""Facts of a case, what the model is told of it, and what the shop is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.features._facts import by_key, days, money, words
from ai_addons.features._result import Fact, Notice
from ai_addons.features.collection_message.assembly import LINE, OFFER
from ai_addons.features.collection_message.guard import shows_name
from ai_addons.features.collection_message.timing import TONES, amount_band, days_overdue
from ai_addons.privacy.fields import Bucket, Public

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from ai_addons.features.collection_message.models import CollectionPolicy, CollectionRequest, Stage

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NO_NAME: Final = "Customer"
_NO_STAFF: Final = "all of us"
_RELATIONSHIP: Final = Bucket(6, 24, 60)
_LATENESS: Final = Bucket(0, 7, 30, up_to=True)
_CONTACT: Final = Bucket(7, 30)

_NOTICES: Final[Mapping[str, str]] = {
    LINE: "The model's own line was left out: it did not pass the checks, or there was no room.",
    OFFER: "The offer did not fit the message. Send it by another channel, or shorten it.",
    "link": "The payment link did not fit the message.",
    "promise": "The day of payment that the customer named did not fit the message.",
    "thanks": "The thanks for the part payment did not fit the message.",
    "name": "The customer's name holds a number, a link or a sign and was not used.",
    "staff": "The name of the staff member holds a number, a link or a sign and was not used.",
    "ucs2": "A character outside the SMS alphabet makes this message dearer: see segments.",
    "free_draft": "A model wrote this text. Read every word before you send it.",
}
_CODES: Final[Mapping[str, str]] = {
    LINE: "personal_line_left_out",
    OFFER: "offer_left_out",
    "link": "link_left_out",
    "promise": "promise_left_out",
    "thanks": "thanks_left_out",
    "name": "name_left_out",
    "staff": "staff_left_out",
    "ucs2": "ucs2",
    "free_draft": "free_draft",
}


class Brief(BaseModel):
    """What is sent: bands and flags made by code, sentences of the bank; nothing of a person."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    case: Annotated[str, Public]
    sentences: dict[str, tuple[Annotated[str, Public], ...]]


class DraftBrief(BaseModel):
    """The same for a free draft, with the keys it may cite."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    case: Annotated[str, Public]
    may_cite: Annotated[str, Public]


class Reminder(BaseModel):
    """A draft to be looked at: a model's words, with keys where values will stand."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    reminder: str


def case(request: CollectionRequest, policy: CollectionPolicy, stage: Stage) -> str:
    """The case in bands, so that many customers share it and none is singled out."""
    flags = (
        ("part_paid", request.partial_paid),
        ("missed_own_date", request.promise_date is not None),
        ("can_pay_online", request.pay_link is not None),
    )
    parts = {
        "stage": str(stage),
        "tone": TONES[stage],
        "channel": request.channel,
        "cedis": amount_band(request, policy),
        "months_known": _RELATIONSHIP.band(request.relationship_months),
        "usual_days_late": _band(_LATENESS, request.usual_days_late),
        "last_contact_days": _band(_CONTACT, request.last_contact_days),
        "flags": " ".join(name for name, holds in flags if holds) or "none",
    }
    return "; ".join(f"{key}={value}" for key, value in parts.items())


def _band(bucket: Bucket, value: int | None) -> str:
    return "none" if value is None else bucket.band(value)


def message_facts(request: CollectionRequest) -> dict[str, Fact]:
    """All that a sentence may cite; filled in locally."""
    staff = request.staff_first_name
    return by_key(
        words("customer", "customer", request.customer_name if shows_name(request.customer_name) else _NO_NAME),
        words("shop", "shop", request.shop_name),
        words("contact", "the shop's contact", request.contact),
        words("staff", "signed by", staff if staff is not None and shows_name(staff) else _NO_STAFF),
        money("amount", "outstanding", request.outstanding),
        days("days_overdue", "days overdue", Decimal(days_overdue(request))),
        _day("due_date", "due date", request.due_date),
        None if request.promise_date is None else _day("promise_date", "day of payment named", request.promise_date),
        None if request.pay_link is None else words("pay_link", "page to pay on", request.pay_link),
    )


def _day(key: str, label: str, value: date) -> Fact:
    text = f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    return Fact(key=key, label=label, kind="date", value=value, text=text)


def name_concerns(request: CollectionRequest) -> tuple[str, ...]:
    """Names that may not stand in a message."""
    staff = request.staff_first_name
    found = (("name", not shows_name(request.customer_name)), ("staff", staff is not None and not shows_name(staff)))
    return tuple(name for name, holds in found if holds)


def notices(concerns: Iterable[str]) -> tuple[Notice, ...]:
    """What the shop should know, in a fixed order."""
    held = frozenset(concerns)
    return tuple(Notice(code=_CODES[name], text=text) for name, text in _NOTICES.items() if name in held)
