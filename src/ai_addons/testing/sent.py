"""What a model was sent, and the assertions a test makes about it."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.llm.base import ModelRequest

_REPAIR: Final = re.compile(r"That answer failed validation: (?P<faults>\[.*\])\. Return only the corrected", re.DOTALL)
_GAPS: Final = re.compile(r"(?<=[0-9])[ .\-()/]+(?=[0-9])")
_NATIONAL: Final = 9
"""Digits of a telephone number without its country code or its leading zero."""
_AROUND: Final = 30


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One request a feature made, as the model would have seen it.

    Attributes:
        feature: Key of the feature.
        model: Route asked.
        system: Instructions, masked.
        user: Question and facts, masked.
        request: All of it.
    """

    feature: str
    model: str
    system: str
    user: str
    request: ModelRequest

    @property
    def text(self) -> str:
        """Everything that was sent, a repair's turns too."""
        return "\n".join(message.content for message in self.request.messages)

    @property
    def faults(self) -> tuple[str, ...]:
        """What was wrong with the answer before, if this request asks for a repair; empty otherwise."""
        found = _REPAIR.match(self.request.messages[-1].content)
        return tuple(cast("list[str]", json.loads(found["faults"]))) if found else ()


def call_of(request: ModelRequest) -> ModelCall:
    """A request as a test looks at it."""
    system = "\n".join(message.content for message in request.messages if message.role == "system")
    user = next(message.content for message in request.messages if message.role == "user")
    return ModelCall(request.feature, request.model, system, user, request)


def check_masked(calls: Sequence[ModelCall], values: Sequence[str]) -> None:
    """Fail if any of the values stands in anything that was sent.

    Letters are compared without regard to case, spacing and typography, telephone
    numbers by their last nine digits.

    Raises:
        AssertionError: Naming the value, the call and the text around it; also if
            no model was asked, because nothing was shown then.
        ValueError: If there is nothing to look for.
    """
    if not values or not all(value.strip() for value in values):
        msg = "assert_masked needs the values that must not be sent, none of them empty"
        raise ValueError(msg)
    if not calls:
        msg = "No model was asked, so this shows nothing: call the feature first, with arguments that are not cached."
        raise AssertionError(msg)
    for number, call in enumerate(calls, 1):
        for value in values:
            around = _around(call.text, value)
            if around is not None:
                msg = (
                    f"{value!r} was sent to the model, in call {number} of {len(calls)} ({call.feature}): "
                    f"…{around}…\nMark its field in the data, e.g. `Annotated[str, Pii.NAME]`; "
                    "what stands only in the words of the prompt is found if a recognizer knows its form."
                )
                raise AssertionError(msg)


def _around(text: str, value: str) -> str | None:
    """The place where a value stands in a text, None if it does not."""
    digits = re.sub(r"\D", "", value)
    if len(digits) >= _NATIONAL and len(digits) >= len(re.sub(r"\W", "", value)):
        return _excerpt(_GAPS.sub("", _level(text)), digits[-_NATIONAL:])
    return _excerpt(_level(text), _level(value))


def _excerpt(text: str, value: str) -> str | None:
    at = text.find(value)
    return None if at < 0 else text[max(0, at - _AROUND) : at + len(value) + _AROUND]


def _level(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
