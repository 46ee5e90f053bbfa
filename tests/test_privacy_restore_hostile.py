"""Hostile answers cost time in proportion to their length, whole and in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.privacy import contacts
from ai_addons.privacy.base import Kind, Unresolved
from ai_addons.privacy.restore import PlaceholderVault
from tests.growth import LENGTH, grows_evenly
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = [
    *["a", "1", "1-", "1 ", "a@", "@a", "@ ", "a@a.", "ID 5@", "+", "+233 ", "024 ", "0241234567", "call 024 123 45 "],
    *["[", "[P", "[PERSON_", "[PERSON_1", "\\[", "&lt;", "&", "\\u003c", "{", "{{", "{a}", "<", "[a] ", "[[", "E"],
    *[
        "PERSON ",
        "PERSON_",
        "PERSON 1 ",
        "PERSONNE",
        "E-MAIL ",
        "ID",
        "http://",
        "www.",
        "a.bc/",
        "//",
        "a?",
        "\u200b",
        "é ",
    ],
]
# In pieces it takes longer to show, and 6 KB show it as well.
IN_PIECES = LENGTH if FULL else 750
CHUNK = 9


def vault() -> PlaceholderVault:
    """One with a person."""
    made = PlaceholderVault()
    made.placeholder(Kind.PERSON, "ama", "Ama Mensah")
    return made


def restore(text: str) -> None:
    """Restore it whole."""
    try:
        vault().restore(text, facts={})
    except Unresolved:
        return


def stream(text: str) -> None:
    """Restore it in pieces."""
    stream = vault().stream()
    try:
        for at in range(0, len(text), CHUNK):
            stream.feed(text[at : at + CHUNK])
            # Characters without width are held on top of those a reader sees.
            assert stream.held <= contacts.LONGEST + 64 + CHUNK or "\u200b" in text
        stream.finish()
    except Unresolved:
        return


@pytest.mark.parametrize(("work", "length"), [(restore, LENGTH), (stream, IN_PIECES)])
@pytest.mark.parametrize("unit", UNITS)
def test_eight_times_the_answer_costs_about_eight_times_as_much(
    unit: str, work: Callable[[str], None], length: int
) -> None:
    """Any pattern takes linear time."""
    assert grows_evenly(work, unit, length)
