"""Hostile texts cost time in proportion to their length, and no more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.privacy.base import Unresolved
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = [
    *["a", "1", "1-", "1 ", "1.", "a@", "@a", "a.", "a@a.", ":", "a:", "(", "GHA-", "+233 ", "024 ", "AB12 ", "sk-"],
    *["http://", "www.", "a.bc/", "[", "[P", "[PERSON_", "\\[", "&lt;", "{", "PERSON ", "[a] ", "0241234567", "00"],
    *[
        "ama ",
        "ama-",
        "mensah ",
        "ama s ",
        "a mensah ",
        "mensah, ama ",
        "call 1",
        "call 024 123 45 ",
        "\u200b",
        "\u00e9",
    ],
]
LENGTH = 6_250
GROWTH = 8


class Customer(BaseModel):
    """One value of each searched kind."""

    name: Annotated[str, Pii.NAME] = "Ama Serwaa Mensah"
    phone: Annotated[str, Pii.PHONE] = "0241234567"
    email: Annotated[str, Pii.EMAIL] = "ama.mensah@x.com"
    card: Annotated[str, Pii.ID] = "GHA-123456789-0"
    debt: Annotated[str, Pii.AMOUNT] = "1250.00"


def mask_it(text: str) -> None:
    """Mask one text."""
    masker = BuiltinMasker([EmailRecognizer(), PhoneRecognizer()], max_field_bytes=1_000_000)
    masker.session().mask([text], Customer())


def restore_it(text: str) -> None:
    """Restore an answer that is nothing but this text."""
    call = BuiltinMasker([], max_field_bytes=1_000_000).session()
    call.mask(["ask"], Customer())
    try:
        call.vault.restore(text)
    except Unresolved:
        return


def cost(work: Callable[[str], None], text: str) -> float:
    """CPU seconds, the best of three."""
    spent: list[float] = []
    for _ in range(3):
        start = time.process_time()
        work(text)
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.mark.parametrize("work", [mask_it, restore_it])
@pytest.mark.parametrize("unit", UNITS)
def test_eight_times_the_text_costs_about_eight_times_as_much(unit: str, work: Callable[[str], None]) -> None:
    """50 KB of any pattern takes linear time: quadratic work would show as sixty-four times."""
    short, long = (unit * (size // len(unit) + 1) for size in (LENGTH, LENGTH * GROWTH))
    small = max(cost(work, short), 0.002)
    assert cost(work, long) < small * GROWTH * 3
