"""Dates of birth, addresses and lists of known values: other spellings, and many of them."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons import Pii, PrivacyRefused, Prompt, billed_feature
from ai_addons.privacy.base import Declared, Kind
from ai_addons.privacy.dates import Day, written
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.matcher import Matcher
from ai_addons.privacy.normal import normalised

if TYPE_CHECKING:
    from ai_addons import AddOns
    from ai_addons.privacy.base import Session
    from ai_addons.scope import Payer
    from ai_addons.testing import FakeLlm


class Person(BaseModel):
    """Somebody with a date of birth and an address."""

    born: Annotated[dt.date | str | None, Pii.DOB] = None
    home: Annotated[str, Pii.ADDRESS] = ""


def mask(text: str, person: Person) -> tuple[str, Session]:
    """Mask by declared values alone."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    (masked,), _ = session.mask([text], person)
    return masked, session


BORN = [
    "1983-12-05",
    "1983/12/05",
    "1983.12.5",
    "1983 12 05",
    "19831205",
    "1983-Dec-05",
    "05/12/1983",
    "5/12/1983",
    "05-12-83",
    "05.12.83",
    "5 December 1983",
    "5 December, 1983",
    "5th December 1983",
    "5th Dec 1983",
    "5th of December 1983",
    "5-Dec-83",
    "5 dec '83",
    "05DEC1983",
    "December 5, 1983",
    "DECEMBER 5TH, 1983",
    "Dec. 5 1983",
    "05\u201112\u20111983",
    "5\u00a0December\u00a01983",
]


@pytest.mark.parametrize("form", BORN)
@pytest.mark.parametrize("declared", ["1983-12-05", dt.date(1983, 12, 5), "5th December 1983", "05/12/83"], ids=str)
def test_a_date_of_birth_is_found_however_it_is_written(form: str, declared: dt.date | str) -> None:
    """Figures or words, day or year first: one placeholder, and it comes back as declared."""
    masked, session = mask(f"born {form}, in Kumasi", Person(born=declared))
    assert not any(char.isdigit() for char in masked.replace("[DATE_1]", ""))
    assert "[DATE_1]" in masked
    assert session.vault.restore("[DATE_1]") == str(declared)


def test_the_time_behind_a_date_of_birth_stays() -> None:
    """A date and time may be declared or typed; the date is what is hidden."""
    assert mask("1983-12-05T08:30:00Z", Person(born="1983-12-05"))[0] == "[DATE_1]T08:30:00Z"
    assert mask("on 5 Dec 1983", Person(born="1983-12-05T08:30:00+00:00"))[0] == "on [DATE_1]"


def test_a_reading_with_the_month_first_is_hidden_as_typed() -> None:
    """Read one way it is the date of birth, read the other way it is another date: it comes back unchanged."""
    masked, session = mask("on 12/05/1983", Person(born="1983-12-05"))
    assert masked == "on [TEXT_1]"
    assert session.vault.restore(masked) == "on 12/05/1983"
    masked, session = mask("on 5/12/83 or 12 May 1983", Person(born="12/5/1983"))
    assert masked == "on [TEXT_1] or [DATE_2]"
    assert session.vault.restore("[DATE_2]") == "12/5/1983"


@pytest.mark.parametrize(
    "text",
    [
        "5 December 1984",
        "6 December 1983",
        "1983-12-06",
        "5 December",
        "31/13/1983",
        "99 Dec 1983",
        "in 1983",
        "15 December 19834",
    ],
)
def test_other_dates_are_business_data(text: str) -> None:
    """A sale on another day stays as it is."""
    assert mask(text, Person(born="1983-12-05"))[0] == text


def test_two_dates_of_birth_with_one_short_form_are_not_exchanged() -> None:
    """Of 1923 and 2023, "23" may be either: it is hidden as typed."""
    session = BuiltinMasker([], max_field_bytes=1_000).session()
    (masked,), _ = session.mask(["05/12/23, 5 Dec 1923"], [Person(born="1923-12-05"), Person(born="2023-12-05")])
    assert masked == "[TEXT_1], [DATE_2]"
    assert session.vault.restore("[DATE_2]") == "1923-12-05"


def test_what_is_no_date_is_still_a_value() -> None:
    """A field for a date of birth that holds words is hidden as those words."""
    masked, _ = mask("born around independence, 1957", Person(born="around independence"))
    assert masked == "born [DATE_1], 1957"
    assert written("around independence") == ()
    assert written("5 Dec 1983 and more") == ()
    assert written("30 Feb 1983") == ()
    assert written("29 Feb 1983") == (Day(1983, 2, 29),)
    assert written("05121983") == (Day(1983, 12, 5),)
    assert normalised(Kind.DATE, "5th Dec 1983") == normalised(Kind.DATE, "1983-12-05")


HOME = "No. 12 Oxford Street, Osu, near Danquah Circle, Accra"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (HOME, "[ADDRESS_1]"),
        (HOME.upper(), "[ADDRESS_1]"),
        ("no 12 oxford st, osu, near danquah circle, accra", "[ADDRESS_1]"),
        ("No. 12 Oxford Street\nOsu\nnear Danquah Circle\nAccra", "[ADDRESS_1]"),
        ("she lives at 12 Oxford Street", "she lives at [TEXT_1]"),
        ("on Oxford St. in Osu", "on [TEXT_1]. in Osu"),
        ("shop near Danquah Circle", "shop [TEXT_1]"),
        ("Osu, Accra", "Osu, Accra"),
        ("Oxford shirts for the street", "Oxford shirts for the street"),
    ],
)
def test_an_address_is_found_whole_and_in_parts(text: str, sent: str) -> None:
    """Shortened words are the same address; a part of several words is hidden as typed, a town alone is not."""
    masked, session = mask(text, Person(home=HOME))
    assert masked == sent
    if "TEXT" in sent:
        assert session.vault.restore(masked) == text


# Values that are known and not sent.


class Customer(BaseModel):
    """A customer of the shop."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    visits: int = 0


CUSTOMERS = [
    Customer(name="Ama Mensah", phone="0241234567"),
    Customer(name="Kofi Addo", phone="0201112223"),
    Customer(name="Yaw Mensah", phone="0551112223"),
]


def masked_with(known: object, *texts: str, data: object = None) -> tuple[list[str], object, Session]:
    """Mask with known values alone."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    return *session.mask(texts, data, known=known), session


def test_known_values_are_masked_where_they_occur_and_numbered_only_then() -> None:
    """Of a list of customers the model learns nothing but the placeholders of those that are asked about."""
    texts, data, session = masked_with(CUSTOMERS, "How is kofi addo (+233 20 111 2223) doing?", data={"n": "Mensah"})
    assert texts == ["How is [PERSON_1] ([PHONE_2]) doing?"]
    assert data == {"n": "[TEXT_3]"}
    assert dict(session.vault.counts) == {"PERSON": 1, "PHONE": 1, "TEXT": 1}
    assert session.vault.restore("[PERSON_1] [PHONE_2] [TEXT_3]") == "Kofi Addo 0201112223 Mensah"


@pytest.mark.parametrize(
    "known",
    [
        {Pii.NAME: ["Ama Mensah"], Pii.PHONE: ("0241234567",)},
        {Pii.NAME: "Ama Mensah", Pii.PHONE: 241234567, Pii.DROP: ["owes"]},
        {Pii.NAME: (name for name in ["Ama Mensah", "", None]), Pii.PHONE: ["024 123 4567"]},
        {"rows": CUSTOMERS[:1]},
        (customer for customer in CUSTOMERS[:1]),
        CUSTOMERS[0],
    ],
)
def test_known_values_come_as_models_or_by_their_mark(known: object) -> None:
    """Whatever a host has at hand: rows, one row, or plain lists by kind."""
    assert masked_with(known, "Ama Mensah owes, 0241234567")[0] == ["[PERSON_1] owes, [PHONE_2]"]


def test_known_values_without_a_mark_are_refused() -> None:
    """A list of plain names would look as if it were masked and would not be."""
    with pytest.raises(PrivacyRefused, match=r"nothing that is marked.*nothing was charged") as refusal:
        masked_with(["Ama Mensah"], "hello")
    assert "Mensah" not in str(refusal.value)
    assert masked_with([], "hello")[0] == ["hello"]
    assert masked_with(None, "hello")[0] == ["hello"]
    assert masked_with({}, "hello")[0] == ["hello"]


def test_more_known_values_than_placeholders() -> None:
    """The limit of 999 is for what occurs in a call, not for what is known."""
    rng = random.Random(5)  # noqa: S311  # values that everybody can repeat
    many = [Customer(name=f"Ama{n}x Mensah{n % 97}", phone=f"024{rng.randrange(10**7):07d}") for n in range(5_000)]
    text = f"{many[4321].name} called {many[17].phone[1:]}, not {many[8].name.split()[0]}"
    texts, _, session = masked_with(many, text)
    assert texts == ["[PERSON_1] called [PHONE_2], not [TEXT_3]"]
    assert session.vault.restore("[PERSON_1] [PHONE_2]") == f"{many[4321].name} {many[17].phone}"
    assert session.vault.counts["PERSON"] == 1


def test_many_and_few_known_values_find_the_same() -> None:
    """The way of searching changes with the number of values, what is found does not."""
    rng = random.Random(11)  # noqa: S311  # as above
    letters = "abdegiklmnoprstuwy"

    def word() -> str:
        return "".join(rng.choices(letters, k=rng.randrange(3, 9)))

    values = [
        *(Declared(Kind.PERSON, f"{word()} {word()}") for _ in range(120)),
        *(Declared(Kind.PHONE, f"024{rng.randrange(10**7):07d}") for _ in range(120)),
        *(Declared(Kind.ID, f"{word()}{rng.randrange(10**4)}") for _ in range(60)),
        *(Declared(Kind.BUSINESS, f"{word()} {word()} ltd") for _ in range(60)),
    ]
    some = rng.sample(values, 25)
    spelled = [form for value in some for form in (value.value, value.value.upper(), value.value.title())]
    spelled += ["".join(value.value.split()) + "x" for value in some]
    text = "; ".join(part for one in spelled for part in (one, word()))
    many = {(hit.start, hit.end, hit.kind) for hit in Matcher(values).find(text)}
    one_by_one = {(hit.start, hit.end, hit.kind) for value in values for hit in Matcher([value]).find(text)}
    # Where two people could be meant, all together say so and each alone does not.
    assert {hit[:2] for hit in many} == {hit[:2] for hit in one_by_one}
    assert len(many) >= 60


@billed_feature("ask_customers", credits=1, cache=None)
def ask_customers(question: str, customers: list[Customer]) -> Prompt:
    """Answers a question about a customer."""
    return Prompt(user=question, known=customers)


def test_a_feature_knows_the_customers_of_a_shop(ai_payer: Payer, ai_llm: FakeLlm, ai_addons: AddOns) -> None:
    """The question is masked by the customer list, the list stays at home, the answer names the customer."""
    ai_llm.reply(ask_customers, "[PERSON_1] pays late")
    assert ask_customers("How is ama mensah doing?", CUSTOMERS) == "Ama Mensah pays late"
    assert ai_llm.calls[0].user == "How is [PERSON_1] doing?"
    composed = Prompt.composed(answer=str, finish=str, user="x", known=CUSTOMERS)
    assert composed.known is CUSTOMERS
