"""Whatever is done to a placeholder, it comes back as its own value or is refused: never as another one."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.privacy.base import Kind, Unresolved
from ai_addons.privacy.grammar import LONGEST, first_unfinished, lookalike
from ai_addons.privacy.type_words import TYPE_WORDS, kind_of
from tests.distortions import DISTORTIONS, LOST, SENTENCES, TRANSLATED, distorted, full_vault
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAWS = 100_000 if FULL else 8_400
CLEAN = 20_000 if FULL else 7_000


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", DISTORTIONS)
def test_one_distortion_of_one_type_is_restored_exactly(name: str, kind: Kind) -> None:
    """All distortions of all types give the very value, in every sentence; a lost number is refused."""
    random = Random(f"{name} {kind}")  # noqa: S311  # dice, not secrets
    vault, values = full_vault(random)
    number = next(number for number, (known, _) in values.items() if known is kind)
    for sentence in SENTENCES:
        written, wanted = distorted(random, name, kind, number, values[number][1])
        if name == LOST:
            with pytest.raises(Unresolved) as refusal:
                vault.restore(sentence.replace("{}", written))
            assert refusal.value.tokens == (f"[{kind.value}]",)
        else:
            assert vault.restore(sentence.replace("{}", written)) == sentence.replace("{}", wanted)


def test_the_suite_is_restored_to_95_percent_and_never_wrongly() -> None:
    """With all distortions equally likely, at least 95 % come back right and not one wrong."""
    random = Random(7)  # noqa: S311  # dice, not secrets
    outcomes: Counter[str] = Counter()
    names = list(DISTORTIONS)
    vault, values = full_vault(random)
    for draw in range(DRAWS):
        if draw % 50 == 0:
            vault, values = full_vault(random)
        number = random.choice([*values])
        kind, value = values[number]
        written, wanted = distorted(random, names[draw % len(names)], kind, number, value)
        sentence = random.choice(SENTENCES)
        try:
            restored = vault.restore(sentence.replace("{}", written))
        except Unresolved:
            outcomes["refused"] += 1
        else:
            outcomes["right" if restored == sentence.replace("{}", wanted) else "wrong"] += 1
    assert outcomes["wrong"] == 0
    assert outcomes["right"] >= 0.95 * DRAWS


@given(st.randoms(use_true_random=False), st.sampled_from([*DISTORTIONS]), st.integers(1, 40), st.sampled_from(Kind))
def test_a_number_of_another_type_never_gives_its_value(random: Random, name: str, number: int, kind: Kind) -> None:
    """Type and number must agree, whatever else was done to the placeholder."""
    vault, values = full_vault(random)
    known, value = values.get(number, (None, ""))
    written, wanted = distorted(random, name, kind, number, value)
    try:
        restored = vault.restore(f"for {written}.")
    except Unresolved:
        assert known is not kind or name == LOST
    else:
        assert known is kind
        assert restored == f"for {wanted}."


EDITS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("[]{}<>\\_- :#0129sSeE'\n\u200bXx&;PERSON")), max_size=4)


@given(st.randoms(use_true_random=False), st.sampled_from([*DISTORTIONS]), EDITS)
def test_random_damage_never_gives_somebody_else(random: Random, name: str, edits: list[tuple[int, str]]) -> None:
    """Characters lost, put in and exchanged: if anything is put in, the number in the text is its own."""
    vault, values = full_vault(random, many=12)
    number = random.choice([*values])
    written = list(distorted(random, name, values[number][0], number, "")[0])
    for place, char in edits:
        at = place % (len(written) + 1)
        written[at : at + random.randint(0, 1)] = char * random.randint(0, 1)
    text = "".join(written)
    try:
        restored = str(vault.restore(text))
    except Unresolved:
        return
    shown = [n for n, (_, value) in values.items() if value in restored and value not in text]
    digits = "".join(char for char in text if char.isdigit())
    assert all(str(n) in digits for n in shown)
    if restored != text:
        assert len(shown) >= 1


WORDS = (
    "rice milk Person person people phone Phone id ID text Text date Date account business address amount email"
    " PHONE ID DATE AMOUNT order Figure Table item_1 product_id_3 text. 12 1,250.00 GHS 3 4 05/12/2026 2026-12-05 10:30"
    " (see 4) 12% x2 @ 5.00 {overdue_total} {line_2} <b>bold</b> <text> a/b & — “so” 4.5 yards. Personne Compte conta"
    " person's phones IDs texts: PERSON, TEXT- DATE: adresse"
)


def _ordinary(words: list[str]) -> Iterator[str]:
    """The words, without numbers right after a type word in capitals (a form without brackets) or another number."""
    before = ""
    for word in words:
        if not (word[0].isdigit() and (before.rstrip(":-").isupper() or before[:1].isdigit())):
            yield word
            before = word


def test_ordinary_texts_are_never_restored() -> None:
    """Thousands of shop texts full of type words and numbers stay as they are while thirty values wait."""
    random = Random(11)  # noqa: S311  # dice, not secrets
    vault, _ = full_vault(random)
    changed = refused = 0
    for _ in range(CLEAN):
        text = " ".join(_ordinary(random.choices(WORDS.split(), k=random.randint(3, 40))))
        try:
            changed += vault.restore(text) != text
        except Unresolved:
            refused += 1
    assert (changed, refused) == (0, 0)


def test_translations_are_few_and_say_one_thing() -> None:
    """Each type has a translation, each word one type, and no word is an English one with another meaning."""
    assert all(TRANSLATED[kind] for kind in Kind)
    assert kind_of("Téléphone") is Kind.PHONE
    assert kind_of("gbɔmɔ") is Kind.PERSON
    assert kind_of("NEG\u00d3CIO") is Kind.BUSINESS
    assert not {"DATA", "PERSONA", "NUMBER", "NAME", "FIGURE", "DATUM", "NOMBRE", "FIRMA"} & set(TYPE_WORDS)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("[TÉLÉPHONE_1]", Kind.PHONE),
        ("[téléphone_1]", Kind.PHONE),
        ("[TELEPHONE 1]", Kind.PHONE),
        ("TELEFONE_1", Kind.PHONE),
        ("[PERSONNE-1]", Kind.PERSON),
        ("<Nipa_1>", Kind.PERSON),
        ("[GBƆMƆ_1]", Kind.PERSON),
        ("[GBOMO_1]", Kind.PERSON),
        ("[E-MAIL_1]", Kind.EMAIL),
        ("[DIRECCI\u00d3N_1]", Kind.ADDRESS),
        (r"\[COMPTE\_1\]", Kind.ACCOUNT),
    ],
)
def test_a_translated_type_word_is_understood(written: str, kind: Kind) -> None:
    """With accents and without, in any accepted form; for another type it stands for nothing."""
    for known in Kind:
        vault, _ = full_vault(Random(1), many=10)  # noqa: S311  # dice, not secrets
        vault.close()
        vault.placeholder(known, "one", "value")
        if known is kind:
            assert vault.restore(f"a {written} b") == "a value b"
        else:
            with pytest.raises(Unresolved):
                vault.restore(f"a {written} b")


@pytest.mark.parametrize("name", DISTORTIONS)
def test_every_beginning_of_a_form_is_seen_to_be_one(name: str) -> None:
    """Cut anywhere, a form is known to be unfinished, and none is longer than the greatest length."""
    random = Random(name)  # noqa: S311  # dice, not secrets
    for kind in Kind:
        written, _ = distorted(random, name, kind, 123, "")
        for match in lookalike().finditer(f"so {written}"):
            assert len(match[0]) <= LONGEST
            for cut in range(match.start() + 1, match.end()):
                assert first_unfinished(match.string[:cut], 0) <= match.start()
