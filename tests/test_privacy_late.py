"""Recognizers that run last: they see what is left, and placeholders in place of the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.fields import Pii, Public
from ai_addons.privacy.late import Remainder
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer
from ai_addons.privacy.spans import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Late:
    """Finds what a pattern finds, after the others, and keeps what it was shown."""

    late = True

    def __init__(self, pattern: str, kind: Kind = Kind.PERSON) -> None:
        self.pattern = re.compile(pattern)
        self.kind = kind
        self.seen: list[str] = []

    def find(self, text: str) -> Iterator[Span]:
        self.seen.append(text)
        return (Span(*match.span(), self.kind) for match in self.pattern.finditer(text))


class Customer(BaseModel):
    """A name and two texts."""

    name: Annotated[str, Pii.NAME] = "Ama Mensah"
    note: str = ""
    product: Annotated[str, Public] = ""


def masker(late: Late) -> BuiltinMasker:
    """The late one stands first, and is run last all the same."""
    return BuiltinMasker([late, EmailRecognizer(), PhoneRecognizer()], max_field_bytes=65_536)


def test_a_late_recognizer_never_sees_what_was_found_before() -> None:
    """Declared values, recognized ones and typed brackets are placeholders by then, in every free text."""
    late = Late("Kofi")
    data = Customer(note="Ama, a@x.com", product="Kofi Cola")
    (text,), rendered = masker(late).session().mask(["Ask AMA MENSAH or Kofi, 024 412 3456 [x]"], data)
    assert late.seen == ["Ask [PERSON_1] or Kofi, [PHONE_2] [TEXT_3]", "[TEXT_1], [EMAIL_2]"]
    assert text == "Ask [PERSON_1] or [PERSON_2], [PHONE_3] [TEXT_4]"
    # A shop's public text is not searched for names, but a name found elsewhere is hidden in it.
    assert rendered == {"name": "[PERSON_1]", "note": "[TEXT_5], [EMAIL_6]", "product": "[PERSON_2] Cola"}


def test_what_it_finds_is_found_in_the_other_texts_too() -> None:
    """As with every recognizer: a value that one text gives away is hidden in all, in any spelling."""
    late = Late("Kofi Addo(?= owes)")
    (first, second), _ = masker(late).session().mask(["Kofi Addo owes", "KOFI ADDO paid"], None)
    assert (first, second) == ("[PERSON_1] owes", "[PERSON_1] paid")


@pytest.mark.parametrize(
    ("pattern", "masked"),
    [
        (r"Dr .*", "[PERSON_1] [EMAIL_2] [PERSON_3]"),
        (r".+", "[PERSON_1] [EMAIL_2] [PERSON_3]"),
        (r"\[EMAIL_1\]", "Dr Kofi at [EMAIL_1] today"),
        (r"EMAIL_1\] ", "Dr Kofi at [EMAIL_1] today"),
        (r"at \[EM", "Dr Kofi [PERSON_1] [EMAIL_2] today"),
        (r"_1\] today", "Dr Kofi at [EMAIL_1] [PERSON_2]"),
    ],
)
def test_a_placeholder_inside_a_finding_stays_what_it_is(pattern: str, masked: str) -> None:
    """The finding is divided by it; what is no letter or digit between placeholders is left."""
    (text,), _ = masker(Late(pattern)).session().mask(["Dr Kofi at a@x.com today"], None)
    assert text == masked


def test_folded_typography_is_mapped_back() -> None:
    """It sees plain blanks and dashes, and what is hidden is what was typed."""
    late = Late("Kofi-Addo x")
    session = masker(late).session()
    (text,), _ = session.mask(["a@x.com, Ko\u200bfi\u2011Addo\u00a0x!"], None)
    assert late.seen == ["[EMAIL_1], Kofi-Addo x!"]
    assert text == "[EMAIL_1], [PERSON_2]!"
    assert session.vault.restore("[PERSON_2]") == "Ko\u200bfi\u2011Addo\u00a0x"


def test_a_place_outside_the_text_refuses_the_call() -> None:
    """A late recognizer is trusted no more than another."""

    class Outside(Late):
        def find(self, text: str) -> Iterator[Span]:
            yield Span(0, len(text) + 1, Kind.ID)

    with pytest.raises(PrivacyRefused, match="The recognizer Outside reported a place outside the text"):
        masker(Outside("x")).session().mask(["text"], None)


def test_a_remainder_maps_every_place_back() -> None:
    """Each character that is left is found where it stood; those of placeholders are nowhere."""
    text = "ab CDE f GH"
    hits = [Hit(3, 6, Kind.ID, 0), Hit(9, 11, Kind.TEXT, 0)]
    remainder = Remainder.of(text, hits)
    assert remainder.text == "ab [ID_1] f [TEXT_2]"
    back = [list(remainder.back(at, at + 1)) for at in range(len(remainder.text))]
    left = [(0, 1), (1, 2), (2, 3), *[None] * 6, (6, 7), (7, 8), (8, 9), *[None] * 8]
    assert back == [[] if place is None else [place] for place in left]
    assert list(remainder.back(0, len(remainder.text))) == [(0, 3), (6, 9)]


def test_a_masker_loads_its_recognizers_on_demand() -> None:
    """`warm_up` reaches those that have something to load."""

    class Heavy(Late):
        loaded = 0

        def warm_up(self) -> None:
            self.loaded += 1

    heavy = Heavy("x")
    masker(heavy).warm_up()
    assert heavy.loaded == 1
