"""One call: everything is masked together, in order, or nothing is sent."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.errors import PrivacyRefused, UnknownPlugin
from ai_addons.privacy import search as search_module
from ai_addons.privacy.base import Declared, Kind, Recognizer, Span
from ai_addons.privacy.fields import Pii, Public
from ai_addons.privacy.mask import BuiltinMasker, from_settings
from ai_addons.privacy.matcher import Matcher
from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS
from ai_addons.settings import PrivacySettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_addons.privacy.base import Session


class Customer(BaseModel):
    """A customer with a note."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str | None, Pii.PHONE] = None
    note: str = ""
    product: Annotated[str, Public] = ""
    reference: int = 0


def session(*more: Recognizer, limit: int = 65_536) -> Session:
    """A call masked with the built-in recognizers."""
    built_in = [make() for make in BUILT_IN_RECOGNIZERS.values()]
    return BuiltinMasker([*built_in, *more], max_field_bytes=limit).session()


def test_a_declared_value_is_hidden_in_every_text_of_the_call() -> None:
    """System, user, other fields and dict keys: one placeholder everywhere."""
    call = session()
    texts, data = call.mask(
        ["You help Ama Mensah.", "Ring +233 24 123 4567"],
        {"who": Customer(name="Ama Mensah", phone="0241234567", note="MENSAH, Ama"), "0241234567": "x"},
    )
    assert texts == ["You help [PERSON_1].", "Ring [PHONE_2]"]
    assert data == {
        "[PHONE_2]": "x",
        "who": {"name": "[PERSON_1]", "note": "[PERSON_1]", "phone": "[PHONE_2]", "product": "", "reference": 0},
    }


def test_placeholders_are_numbered_as_they_appear() -> None:
    """One counter over all types, texts first, then the data by its keys: equal requests give equal prompts."""
    texts, data = session().mask(["0241234567 a@x.com"], [Customer(name="Kofi Addo"), Customer(name="Ama Mensah")])
    assert texts == ["[PHONE_1] [EMAIL_2]"]
    assert isinstance(data, list)
    assert [row["name"] for row in data if isinstance(row, dict)] == ["[PERSON_3]", "[PERSON_4]"]


def test_equal_requests_about_different_people_give_equal_prompts() -> None:
    """That is what makes a masked answer worth caching."""
    prompts = [
        session().mask([f"Write to {name} on {phone}"], Customer(name=name, phone=phone))
        for name, phone in [("Ama Mensah", "0241234567"), ("Kofi Addo", "0201112223")]
    ]
    assert prompts[0] == prompts[1]


def test_one_value_keeps_its_placeholder_over_several_prompts() -> None:
    """A second prompt of the same call goes on counting and knows what the first one declared."""
    call = session()
    call.mask(["hello"], Customer(name="Ama Mensah"))
    (second,), _ = call.mask(["Kofi a@x.com and ama mensah"], Customer(name="Kofi Addo"))
    assert second == "[TEXT_2] [EMAIL_3] and [PERSON_1]"
    assert call.mask_text("AMA MENSAH, a@x.com") == "[PERSON_1], [EMAIL_3]"
    assert call.vault.restore("[PERSON_1] [EMAIL_3]") == "Ama Mensah a@x.com"


def test_what_free_text_gives_away_is_hidden_in_public_texts_and_numbers_too() -> None:
    """A phone number found in a note does not leave through a product name or a number field."""
    call = session()
    _, data = call.mask([], Customer(name="Ama", note="0241234567", product="Ask 024 123 4567", reference=241234567))
    assert data == {
        "name": "[PERSON_1]",
        "note": "[PHONE_2]",
        "phone": None,
        "product": "Ask [PHONE_2]",
        "reference": "[PHONE_2]",
    }


def test_public_texts_keep_contact_details_but_not_documents() -> None:
    """A shop's own phone number may be sent; a document number may not."""

    class Documents:
        def find(self, text: str) -> Iterable[Span]:
            at = text.find("DOC")
            return [Span(at, at + 7, Kind.ID, 80)] if at >= 0 else []

    _, data = session(Documents()).mask([], Customer(name="Ama", product="0241234567 or DOC1234"))
    assert isinstance(data, dict)
    assert data["product"] == "0241234567 or [ID_2]"


def test_json_text_stays_json() -> None:
    """A sample answer is masked value by value, quotes and all."""
    call = session()
    call.mask([], Customer(name='Ama "Sweet" Mensah'))
    text = json.dumps({"to": ['Ama "Sweet" Mensah', "[x]"], "n": 1.5, "ok": None})
    assert json.loads(call.mask_text(text)) == {"to": ["[PERSON_1]", "[TEXT_2]"], "n": 1.5, "ok": None}
    assert call.mask_text("{not json, Ama Sweet Mensah}") == "{not json, [PERSON_1]}"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("see https://wa.me/233241234567, now", "see [ID_1], now"),
        ("see www.x.test/?m=a@x.com.", "see [ID_1]."),
        ("see shop.com/0241234567!", "see [ID_1]!"),
        ("see https://x.test/prices now", "see [ID_1] now"),
        ("see x.test/prices now", "see x.test/prices now"),
    ],
)
def test_links_with_something_to_hide_are_hidden_whole(text: str, sent: str) -> None:
    """A placeholder inside a link is never filled in, so the whole link is one value."""
    call = session()
    (masked,), _ = call.mask([text], None)
    assert masked == sent
    assert call.vault.restore(masked) == text


def test_overlapping_finds_leave_no_tail() -> None:
    """The union is hidden; the label is that of the surest find."""

    class Ends:
        def find(self, text: str) -> Iterable[Span]:
            return [Span(0, 12, Kind.ACCOUNT, 10), Span(14, len(text), Kind.ACCOUNT, 10)]

    call = session(Ends())
    (masked,), _ = call.mask(["ab 0241234567 zz"], None)
    assert masked == "[PHONE_1] [ACCOUNT_2]"
    assert call.vault.restore(masked) == "ab 0241234567 zz"


def test_a_fuller_spelling_of_a_number_is_still_that_number() -> None:
    """A recognizer that takes in more of a number than was declared does not make it another one."""

    class Wide:
        def find(self, text: str) -> Iterable[Span]:
            return [Span(0, len(text), Kind.PHONE, 1)] if text else []

    (masked,), _ = session(Wide()).mask(["+(233) 24 123 4567 "], Customer(name="Ama", phone="0241234567"))
    assert masked == "[PHONE_1]"


def test_a_word_left_alone_between_hidden_stretches_is_searched_again() -> None:
    """A name glued to a phone number stands alone once the number is hidden."""
    call = session()
    (masked,), _ = call.mask(["Mensah0241234567"], Customer(name="Ama Mensah", phone="0241234567"))
    assert masked == "[TEXT_1][TEXT_2]"
    assert call.vault.restore(masked) == "Mensah0241234567"


@pytest.mark.parametrize(
    ("texts", "data"),
    [
        (["x" * 101], None),
        (["é" * 51], None),
        ([], {"k": "x" * 101}),
        ([], {"x" * 101: 1}),
        ([], Customer(name="x" * 101)),
    ],
)
def test_oversize_texts_are_refused_by_size_alone(texts: list[str], data: object) -> None:
    """The refusal names the size and the limit, says nothing was charged, and quotes nothing."""
    with pytest.raises(PrivacyRefused, match="over the limit of 100 bytes") as refusal:
        session(limit=100).mask(texts, data)
    assert "nothing was charged" in str(refusal.value)
    assert "xx" not in str(refusal.value)


def test_a_text_at_the_limit_is_sent() -> None:
    """The limit itself is allowed."""
    assert session(limit=100).mask(["é" * 50], None)[0] == ["é" * 50]


@pytest.mark.parametrize("span", [(-1, 2), (0, 99), (2, 2), (3, 2)])
def test_a_recognizer_that_points_outside_the_text_stops_the_call(span: tuple[int, int]) -> None:
    """A plug-in whose offsets are wrong cannot be trusted to have found anything."""

    class Broken:
        def find(self, text: str) -> Iterable[Span]:
            return [Span(*span, Kind.ID)] if text else []

    with pytest.raises(PrivacyRefused, match="Broken reported a place outside"):
        session(Broken()).mask(["text"], None)


def test_a_recognizer_that_fails_stops_the_call() -> None:
    """Fail closed: a broken detector never means "nothing found", and what it says is not passed on."""

    class Failing:
        def find(self, text: str) -> Iterable[Span]:
            raise LookupError(text)

    with pytest.raises(PrivacyRefused, match="Failing failed with LookupError") as refusal:
        session(Failing()).mask(["secret"], None)
    assert refusal.value.__cause__ is None
    assert "secret" not in str(refusal.value)


def test_too_many_values_are_refused_before_anything_is_sent() -> None:
    """A text with a thousand phone numbers is refused at once."""
    text = " ".join(f"02411{number:05d}" for number in range(1_000))
    with pytest.raises(PrivacyRefused, match="more than 999"):
        session().mask([text], None)


def test_the_last_look_stops_what_masking_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If masking itself were broken, the call would be refused and the value not quoted."""
    monkeypatch.setattr(search_module, "settle", lambda _hits, _text: [])
    with pytest.raises(PrivacyRefused, match="would have been sent, so nothing was sent") as refusal:
        session().mask(["Ama Mensah owes"], Customer(name="Ama Mensah"))
    assert "Mensah" not in str(refusal.value)


def test_calls_in_many_threads_never_mix_their_people() -> None:
    """A hundred calls at once, two prompts each: everybody gets their own values back."""
    together = threading.Barrier(10)

    def call(number: int) -> tuple[str, str]:
        name, phone = f"Ama{number}x Mensah", f"0241{number:06d}"
        mine = session()
        together.wait(timeout=30)
        (first,), _ = mine.mask([f"To {name}"], Customer(name=name, phone=phone))
        together.wait(timeout=30)
        return str(mine.vault.restore(f"{first} {mine.mask_text(phone)}")), f"To {name} {phone}"

    with ThreadPoolExecutor(10) as threads:
        assert all(got == wanted for got, wanted in threads.map(call, range(100)))


def test_the_settings_choose_recognizers_and_limit() -> None:
    """Recognizers are named in the settings; a name nobody registers is an error that says so."""
    masker = from_settings(PrivacySettings(recognizers=("email",), max_field_bytes=30))
    assert masker.session().mask(["a@x.com 0241234567"], None)[0] == ["[EMAIL_1] 0241234567"]
    with pytest.raises(PrivacyRefused, match="30 bytes"):
        masker.session().mask(["x" * 31], None)
    with pytest.raises(UnknownPlugin):
        from_settings(PrivacySettings(recognizers=("nobody-has-this",)))


def test_a_matcher_can_leave_amounts_alone() -> None:
    """In number fields a declared amount is business data."""
    matcher = Matcher([Declared(Kind.AMOUNT, "3000.00")])
    assert [*matcher.find("3000")]
    assert not [*matcher.find("3000", figures=False)]


def test_half_a_character_is_refused_before_anything_is_sent() -> None:
    """A lone surrogate, as a wrong encoding leaves it, is named; it could not be sent or restored."""
    session = BuiltinMasker((), max_field_bytes=1_000).session()
    with pytest.raises(PrivacyRefused, match=r"half a character.*nothing was charged"):
        session.mask(["broken \ud800 text"], None)


def test_what_recognizers_find_is_told_where_it_stands_in_the_text_as_given() -> None:
    """Offsets are those of the original, with its invisible characters; declared fields play no part."""
    masker = BuiltinMasker([make() for make in BUILT_IN_RECOGNIZERS.values()], max_field_bytes=65_536)
    text = "\u200bKofi, 024\u2011123\u20114567 or kofi@x.com"
    found = masker.detect(text)
    assert [(text[span.start : span.end], span.kind) for span in found] == [
        ("024\u2011123\u20114567", Kind.PHONE),
        ("kofi@x.com", Kind.EMAIL),
    ]
