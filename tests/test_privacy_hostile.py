"""Hostile texts cost time in proportion to their length, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.privacy.base import Unresolved
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker, from_settings
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer
from ai_addons.settings import PrivacySettings
from tests.growth import grows_evenly

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
FORMATS = [
    *[
        "GB82 ",
        "GB82 WEST 1234 ",
        "GR 1234 ",
        "GA-183-",
        "G1234567 ",
        "4111 ",
        "4111 1111 1111 1111 ",
        "1 - ",
        "1a",
        "a1",
    ],
    *[
        "dob ",
        "dob 1/",
        "born 5 May ",
        "account 12345678 ",
        "licence A1",
        "::",
        "a1:",
        "eyJa.",
        "sk_live_",
        "wa.me/",
        "\\n",
    ],
]


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


@pytest.mark.parametrize("work", [mask_it, restore_it])
@pytest.mark.parametrize("unit", UNITS)
def test_eight_times_the_text_costs_about_eight_times_as_much(unit: str, work: Callable[[str], None]) -> None:
    """Any pattern takes linear time."""
    assert grows_evenly(work, unit)


def detect_it(text: str) -> None:
    """Search one text."""
    SEARCHER.detect(text)


SEARCHER = from_settings(PrivacySettings(max_field_bytes=1_000_000))


@pytest.mark.parametrize("unit", [*UNITS, *FORMATS])
def test_searching_costs_time_in_proportion_too(unit: str) -> None:
    """All recognizers together, each with its own format half typed again and again."""
    assert grows_evenly(detect_it, unit)
