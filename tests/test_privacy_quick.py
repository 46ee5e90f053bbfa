"""The quick looks that spare a slow search: what they let pass holds nothing that the search would find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.privacy.contacts import NOT_LOOKED, contacts
from ai_addons.privacy.grammar import lookalike, lookalike_or_reference, may_hold_lookalike
from ai_addons.privacy.markers import Pii
from ai_addons.privacy.reading import is_plain

LOOKALIKES = (
    "[PERSON_1]", "<Phone 2>", "«PHONE»", "‹PHONE›", "&lt;PHONE&gt;", "\\u003cPHONE\\u003e", "［Your Name］",  # noqa: RUF001  # full-width brackets are meant
    "【name】", "⟦name⟧", "[PERSO", "【PERSO", "PERSONNE_1", "PHONE 2", "{PERSON_1}", "&#91;PERSON_1&#93;",
)  # fmt: skip
PLAIN = "A tin of Milo for a cold morning: ask Ama, she knows (well, nearly) it's 'good' & new - really!"


@pytest.mark.parametrize("text", LOOKALIKES)
def test_every_kind_of_lookalike_is_worth_a_search(text: str) -> None:
    """A form of each part of the pattern is seen by its signs, alone and in a sentence."""
    assert lookalike().search(text)
    assert may_hold_lookalike(text)
    assert may_hold_lookalike(f"Ask for {text}")


@given(st.from_regex(lookalike()))
def test_what_looks_like_a_placeholder_has_its_signs(text: str) -> None:
    """Whatever the pattern matches, the quick look lets through to it."""
    assert may_hold_lookalike(text)


def test_prose_is_not_worth_a_search() -> None:
    """Letters and the usual punctuation begin no placeholder."""
    assert not may_hold_lookalike("A tin of Milo (large), for Ama's café: {warm} … really!")


@given(st.from_regex(lookalike_or_reference()))
def test_what_can_be_filled_in_is_not_plain(text: str) -> None:
    """Placeholders and references are always read."""
    assert not is_plain(text)


@pytest.mark.parametrize(
    "text", ["call 0241234567", "a@b.gh", "see https://a.gh", "see WWW.a.gh", "ftp://a", "Café", "a\u200bb"]
)
def test_what_could_be_a_contact_is_not_plain(text: str) -> None:
    """Numbers, addresses and links are always looked at, and so is whatever is not ASCII."""
    assert not is_plain(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_a_plain_text_holds_no_contact_and_nothing_to_fill_in(text: str) -> None:
    """What the quick look calls plain, the search finds nothing in."""
    found = lookalike_or_reference().search(text) or next(contacts(text, NOT_LOOKED, len(text)), None)
    assert not (is_plain(text) and found)


def test_an_ordinary_sentence_is_plain_once_it_has_no_sign() -> None:
    """The sentence is plain but for its ampersand."""
    assert is_plain(PLAIN.replace("&", "and"))
    assert not is_plain(PLAIN)


def test_every_mark_but_drop_has_the_type_word_of_its_placeholders() -> None:
    """Names and dates of birth are called by another word; what is dropped has none."""
    words = {mark.name: mark.kind.value for mark in Pii if mark is not Pii.DROP}
    assert words == {
        "NAME": "PERSON",
        "PHONE": "PHONE",
        "EMAIL": "EMAIL",
        "ADDRESS": "ADDRESS",
        "ID": "ID",
        "ACCOUNT": "ACCOUNT",
        "BUSINESS": "BUSINESS",
        "DOB": "DATE",
        "AMOUNT": "AMOUNT",
    }
