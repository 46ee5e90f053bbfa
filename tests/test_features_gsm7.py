"""How long a text is as an SMS."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.features.collection_message.gsm7 import BASIC, EXTENSION, encoding, plain, segments, units

ALPHABET = "".join(sorted(BASIC | EXTENSION))
any_text = st.text(st.characters(codec="utf-8"), max_size=400)


def test_the_alphabet_is_that_of_the_standard() -> None:
    """127 characters and an escape make 128; ten more stand in the extension table."""
    assert (len(BASIC), len(EXTENSION), BASIC & EXTENSION) == (127, 10, frozenset())


@pytest.mark.parametrize(
    ("text", "alphabet", "size", "parts"),
    [
        ("", "gsm7", 0, 0),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("{" * 80, "gsm7", 160, 1),
        ("{" * 81, "gsm7", 162, 2),
        # 152 septets, and an extension character that does not fit into the part's last one.
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("ɛ" * 70, "ucs2", 70, 1),
        ("ɛ" * 71, "ucs2", 71, 2),
        ("ɛ" * 134, "ucs2", 134, 2),
        ("ɛ" * 135, "ucs2", 135, 3),
        ("\U0001f600" * 35, "ucs2", 70, 1),
        # 33 pairs are 66 units: the 34th is not cut in two.
        ("\U0001f600" * 67, "ucs2", 134, 3),
        ("à la carte, Ñandú", "ucs2", 17, 1),
        ("à la carte, Ñandu é", "gsm7", 19, 1),
    ],
)
def test_known_lengths(text: str, alphabet: str, size: int, parts: int) -> None:
    """160 then 153 septets, 70 then 67 units, extension characters twice."""
    assert (encoding(text), units(text), segments(text)) == (alphabet, size, parts)


def test_a_cedi_sign_costs_three_messages() -> None:
    """146 characters are one message with GHS and three with the sign."""
    text = "Hello Ama, GHS 120 is due." + "x" * 120
    signed = text.replace("GHS", "₵  ")
    assert (len(text), segments(text), len(signed), segments(signed)) == (146, 1, 146, 3)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("\u201cKente\u201d \u2013 Ama\u2019s\u2026", '"Kente" - Ama\'s...'),
        ("₵50", "GHS 50"),
        ("GH₵ 50", "GHS 50"),
        ("GH ₵50", "GHS 50"),
        ("Yaa Asantewaa\u00a0Ɛ", "Yaa Asantewaa Ɛ"),
    ],
)
def test_typographic_signs_become_plain_and_letters_stay(typed: str, sent: str) -> None:
    """Quotes, dashes and the cedi sign are replaced; the letters of a name are not."""
    assert plain(typed) == sent


@given(any_text)
def test_plain_is_done_once(text: str) -> None:
    """A plain text stays as it is."""
    assert plain(plain(text)) == plain(text)


@given(any_text, any_text)
def test_more_text_is_never_fewer_messages(one: str, two: str) -> None:
    """Length and parts never shrink with what is added, also when it changes the alphabet within one message."""
    assert segments(one + two) >= max(segments(one), 1 if two else 0)
    assert segments(one) <= ceil(2 * len(one) / 66)


@given(st.text(st.sampled_from(ALPHABET), max_size=400))
def test_parts_lie_between_two_bounds(text: str) -> None:
    """Whole parts hold at least 152 septets and at most 153."""
    size = units(text)
    assert size == len(text) + sum(char in EXTENSION for char in text)
    assert (segments(text) <= 1) == (size <= 160)
    if size > 160:
        assert ceil(size / 153) <= segments(text) <= ceil(size / 152)
