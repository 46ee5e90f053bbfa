"""For any people and any text around them: nothing declared leaves, and everything comes back."""

from __future__ import annotations

import json
import re
import string
from typing import Annotated

from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from ai_addons.privacy.fields import Pii
from ai_addons.privacy.grammar import EXACT
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer


class Person(BaseModel):
    """Somebody, as declared."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    email: Annotated[str, Pii.EMAIL]


MASKER = BuiltinMasker([EmailRecognizer(), PhoneRecognizer()], max_field_bytes=65_536)
LETTERS = "abcdefghijklmnopqrstuvwxyzɔɛéŋ"
PARTS = st.text(LETTERS, min_size=3, max_size=9).map(str.capitalize)
NAMES = st.lists(PARTS, min_size=2, max_size=4, unique=True).map(" ".join)
PHONES = st.from_regex(r"0[235][0-9]{8}", fullmatch=True)
EMAILS = st.from_regex(r"[a-z]{3,12}[0-9]{0,3}@[a-z]{3,10}\.(com|org|gh)", fullmatch=True)
PEOPLE = st.builds(Person, name=NAMES, phone=PHONES, email=EMAILS)
# Text of any script, rich in what the grammar and the patterns care about.
NOISE = st.text(
    st.one_of(
        st.sampled_from("[]{}<>()\\_-:#/@.,+0123456789 \n'PERSON_TEXTID"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=60,
)


def stripped(text: str) -> str:
    """Letters and digits only, placeholders left out."""
    return re.sub(r"[\W_]+", "", EXACT.sub("|", text)).lower()


@given(NOISE)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    """With nobody declared, masking and restoring give the very same text, as text, as data and as a key."""
    call = MASKER.session()
    (masked,), data = call.mask([text], {text: [text]})
    # Numbers that occur in two spellings come back in the first of them.
    assume(len(re.findall(r"[0-9]", text)) < 14)
    assert call.vault.restore(masked) == text
    assert call.vault.restore(data) == {text: [text]}


@given(PEOPLE, NOISE, NOISE, NOISE, NOISE)
def test_planted_values_are_hidden_and_come_back(person: Person, one: str, two: str, three: str, four: str) -> None:
    """Declared values in any text are gone from what is sent, and back in what is restored."""
    text = f"{one} {person.name} {two} {person.phone} {three} {person.email} {four}"
    call = MASKER.session()
    (masked,), data = call.mask([text], person)
    assert person.name not in masked
    assert person.phone not in masked
    assert person.email not in masked
    assert data == json.loads(json.dumps(data))
    assert call.vault.restore(data) == person.model_dump()


@given(PEOPLE, st.sampled_from([" ", ", ", "; ", "\n", " and "]))
def test_declared_values_come_back_in_their_place(person: Person, gap: str) -> None:
    """Between ordinary words the restored text is the original."""
    text = f"tell{gap}{person.name}{gap}on{gap}{person.phone}{gap}or{gap}{person.email}{gap}today"
    words = {"tell", "on", "or", "and", "today"}
    assume(not words & {part.lower() for part in person.name.split()})
    call = MASKER.session()
    (masked,), _ = call.mask([text], person)
    assert call.vault.restore(masked) == text


VARIANTS = st.sampled_from(
    [
        str.upper,
        str.lower,
        lambda name: "  ".join(name.split()),
        lambda name: "\u00a0".join(name.split()),
        "\u200b".join,
        lambda name: ", ".join([name.split()[-1], " ".join(name.split()[:-1])]),
        lambda name: f"{name.split()[0]} {name.split()[-1]}",
        lambda name: f"{name[0]}. {name.split()[-1]}",
        lambda name: ".".join(name.lower().split()),
        lambda name: name.replace("ɔ", "o").replace("ɛ", "e").replace("é", "e"),
    ]
)


@given(PEOPLE, VARIANTS, NOISE, NOISE)
def test_no_promised_spelling_of_a_name_is_left(person: Person, variant: object, before: str, after: str) -> None:
    """Whatever stands around it, no part of three letters of the name stands alone in what is sent."""
    assert callable(variant)
    text = f"{before} {variant(person.name)} {after}"
    (masked,), _ = MASKER.session().mask([text], person)
    left = {word.lower() for piece in EXACT.split(masked) for word in re.findall(r"[^\W_]+", piece)}
    assert not left & {part.lower() for part in person.name.split()}


@given(PHONES, st.lists(st.sampled_from(["", " ", "-", ".", "\u2011", "\u00a0", "\u200b"]), min_size=8, max_size=8))
def test_no_spacing_of_a_phone_number_is_left(phone: str, gaps: list[str]) -> None:
    """Any single separators between the digits of a declared number hide nothing."""
    national = "".join(digit + gap for digit, gap in zip(phone[1:], [*gaps, ""], strict=True))
    person = Person(name="Ama Mensah", phone=phone, email="ama@x.com")
    for prefix in ("0", "+233 ", "233", ""):
        (masked,), _ = MASKER.session().mask([f"ring {prefix}{national} now"], person)
        assert masked == "ring [PHONE_1] now"


@given(st.lists(PEOPLE, min_size=2, max_size=5), st.data())
def test_nobody_gets_somebody_else_s_value(people: list[Person], data: st.DataObject) -> None:
    """Each row of a list is restored to its own person, whoever else is in the call."""
    call = MASKER.session()
    _, masked = call.mask([], people)
    asked = data.draw(st.permutations(range(len(people))))
    assert isinstance(masked, list)
    restored = call.vault.restore([masked[index] for index in asked])
    wanted = [people[index] for index in asked]
    assert isinstance(restored, list)
    for row, person in zip(restored, wanted, strict=True):
        assert isinstance(row, dict)
        assert stripped(str(row["name"])) == stripped(person.name)
        assert row["phone"] == person.phone
        assert row["email"] == person.email


def test_the_alphabet_of_names_has_what_people_exchange() -> None:
    """The generated names hold letters that are typed in two ways."""
    assert set(LETTERS) - set(string.ascii_lowercase) == set("ɔɛéŋ")
