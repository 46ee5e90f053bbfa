"""Hostile answers cost time in proportion to their length, whole and in pieces."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ai_addons.privacy import contacts
from ai_addons.privacy.base import Kind, Unresolved
from ai_addons.privacy.restore import PlaceholderVault
from tests.hands import FULL

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
GROWTH = 8
# 50 KB at once; in pieces that takes longer to show, and 12 KB show it as well.
AT_ONCE, IN_PIECES = 6_250, 6_250 if FULL else 1_500
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


def cost(work: Callable[[str], None], text: str) -> float:
    """CPU seconds, the best of three."""
    spent: list[float] = []
    for _ in range(3):
        start = time.process_time()
        work(text)
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.mark.parametrize(("work", "length"), [(restore, AT_ONCE), (stream, IN_PIECES)])
@pytest.mark.parametrize("unit", UNITS)
def test_eight_times_the_answer_costs_about_eight_times_as_much(
    unit: str, work: Callable[[str], None], length: int
) -> None:
    """50 KB of any pattern takes linear time: quadratic work would show as sixty-four times."""
    short, long = (unit * (size // len(unit) + 1) for size in (length, length * GROWTH))
    small = max(cost(work, short), 0.002)
    assert cost(work, long) < small * GROWTH * 3
