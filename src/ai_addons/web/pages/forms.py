"""What the forms of the pages send, read as strictly as the bodies of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ai_addons.web.errors import ValidationFailed

if TYPE_CHECKING:
    from ai_addons.web.base import WebRequest

F = TypeVar("F", bound="Form")

Key = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]
"""What makes a form sent twice one order."""
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"),
]
Amount = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{1,6}(\.[0-9]{1,2})?$")]
"""Cedis, to the pesewa."""
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z]{4,12}$")]

_MOST_FIELDS = 20


class Form(BaseModel):
    """A form. The field of the host's login is for the host alone."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    csrfmiddlewaretoken: str | None = Field(default=None, repr=False)


class Way(Form):
    """How to pay."""

    way: Literal["phone", "page", "card"]
    phone: Short | None = Field(default=None, repr=False)
    network: Literal["mtn", "telecel", "at"] | None = None
    card: Annotated[str, StringConstraints(max_length=64)] | None = None
    email: Email | None = Field(default=None, repr=False)


class Again(Way):
    """How to pay an order in another attempt."""

    key: Key


class Purchase(Way):
    """What to buy, and how to pay it."""

    item: Annotated[str, StringConstraints(pattern=r"^[A-Z_]{1,32}$")]
    """Type of a pack, ``CUSTOM``, or ``ADDON`` for a month of the add-on."""
    amount: Amount | None = None
    key: Key


class Otp(Form):
    """The code that the payer was sent."""

    otp: Code = Field(repr=False)


class Cancel(Form):
    """When to end an add-on."""

    when: Literal["now", "end"]


def read_form(model: type[F], request: WebRequest) -> F:
    """The fields of a form.

    Raises:
        ValidationFailed: If they are not what the form sends; it says which, never what was sent.
    """
    try:
        sent = parse_qsl(request.body.decode(), keep_blank_values=False, max_num_fields=_MOST_FIELDS)
        return model.model_validate(dict(sent))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        faults = [
            {"type": fault["type"], "loc": ["body", *fault["loc"]], "msg": _said(fault["msg"])} for fault in found
        ]
        raise ValidationFailed(faults) from None
    except ValueError:
        # More fields than any form has, or no text.
        raise ValidationFailed([{"type": "form", "loc": ["body"], "msg": "This is not one of our forms"}]) from None


def _said(msg: str) -> str:
    """A pattern says nothing to people."""
    return "This is not written as it must be" if msg.startswith("String should match pattern") else msg
