from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.privacy.grammar import JOINTS, lookalike, may_hold_lookalike
from ai_addons.privacy.type_words import TYPE_WORDS

ACCENTED = ("TÉLÉPHONE", "DIRECCIÓN", "NEGÓCIO", "GBƆMƆ", "GBƆMO", "AMEGBETƆ", "ENDEREÇO", "E-MAIL")
BETWEEN = ("", "_", " ", "-", ":", "#", "\\_", "\u200b", " - ", "\n")
FRAMES = ("{}", "[{}]", "{{{}}}", "<{}>", "&lt;{}&gt;", "\\u003c{}\\u003e", "［{}］", "see {}, please")  # noqa: RUF001  # full-width brackets are meant


@pytest.mark.parametrize("word", [*TYPE_WORDS, *ACCENTED])
def test_no_form_of_a_type_word_lacks_the_signs(word: str) -> None:
    """What the quick look passes over is looked at no more: it must pass over no form."""
    forms = [frame.format(f"{word}{joint}12") for joint, frame in product(BETWEEN, FRAMES)]
    forms += [frame.format(f"{word.lower()}_3") for frame in FRAMES]
    missed = [form for form in forms if lookalike().search(form) and not may_hold_lookalike(form)]
    assert (missed, any(map(lookalike().search, forms))) == ([], True)


@given(
    st.lists(st.sampled_from([*"PERSONID_ [<{&\\1a9-:#Ɔ]}>", "ID", "AMOUNT", "gbɔmɔ", "&lt;", "\\u005b"]), max_size=12)
)
def test_whatever_looks_like_a_placeholder_has_the_signs(parts: list[str]) -> None:
    """The same for any jumble of what the forms are made of."""
    text = "".join(parts)
    assert may_hold_lookalike(text) or lookalike().search(text) is None


@pytest.mark.parametrize(
    "text", ["GHS 45.00", "Milo 400 g, lot 3", "call 024 412 3456", "2 tins at 5 each", "A4 paper"]
)
def test_quantities_and_prices_are_no_signs(text: str) -> None:
    """Most texts of a shop are spared the whole pattern."""
    assert not may_hold_lookalike(text)


def test_what_may_join_a_word_and_its_number_is_told_twice_alike() -> None:
    """Of two ways to say what stands between them none may forget a sign."""
    signs = set(map(chr, range(0x1_0000))) - set("0123456789\\")
    taken = {
        sign for sign in signs if (found := lookalike().search(f"PERSON{sign}1")) and found[0].startswith("PERSON")
    }
    assert taken == set(JOINTS)


@pytest.mark.parametrize("text", ["x" * 300 + " 1", "x" * 300 + " [a]"])
def test_a_long_text_with_any_number_is_read_by_the_whole_pattern(text: str) -> None:
    """That is quicker than a look at each of its numbers."""
    assert may_hold_lookalike(text)
