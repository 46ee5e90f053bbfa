"""What happens to personal data is chosen per feature: masked, dropped, or the call refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel, SecretStr

from ai_addons import AddOns, ConfigError, Pii, PrivacyRefused, Prompt, Settings, billed_feature
from ai_addons.privacy.base import Kind, Rules
from ai_addons.privacy.fields import FreeText, Public
from ai_addons.privacy.mask import BuiltinMasker, from_settings
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer
from ai_addons.privacy.rules import cut_before, rules_of, without
from ai_addons.privacy.spans import Hit
from ai_addons.settings import FeaturePrivacySettings, PrivacySettings
from ai_addons.testing import FakeLlm, ManualClock, kit_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.privacy.base import Json, Session
    from ai_addons.scope import Payer
    from ai_addons.settings import Handling


class Customer(BaseModel):
    """A customer with a note."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str | None, Pii.PHONE] = None
    card: Annotated[str | None, Pii.ID] = None
    note: str = ""
    product: Annotated[str, Public] = ""
    reference: int = 0


def session(**handling: Handling) -> Session:
    """A call with rules by type word."""
    masker = BuiltinMasker([EmailRecognizer(), PhoneRecognizer()], max_field_bytes=100)
    return masker.session(Rules(handling={Kind(name): value for name, value in handling.items()}))


def send(data: object, **handling: Handling) -> Json:
    """What would be sent of some data."""
    return session(**handling).mask([], data)[1]


# Dropping.


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Call 0241234567 now", "Call now"),
        ("0241234567 is hers", "is hers"),
        ("Ring 0241234567", "Ring "),
        ("Ring (0241234567), please", "Ring (), please"),
        ("Ring 0241234567, 0201112223.", "Ring , ."),
        ("write a@x.com or 0241234567!", "write [EMAIL_1] or !"),
        ("a stretch\n0241234567\nof its own", "a stretch\n\nof its own"),
        ("0241234567", ""),
        ("nothing here", "nothing here"),
    ],
)
def test_a_dropped_sort_is_cut_out_of_texts(text: str, sent: str) -> None:
    """The stretch is gone, what stood around it does not grow together, and nothing is there to restore."""
    call = session(PHONE="drop")
    assert call.mask([text], None)[0] == [sent]
    assert "PHONE" not in call.vault.counts


def test_what_grows_together_by_dropping_is_searched_again() -> None:
    """Digits on both sides of a dropped address are a phone number then, and go too."""
    assert session(EMAIL="drop").mask(["0241 <a@x.com>"], None)[0] == ["0241 <>"]
    assert session(EMAIL="drop").mask(["02412 a@x.com 34567"], None)[0] == ["[PHONE_1]"]
    assert session(EMAIL="drop", PHONE="drop").mask(["02412 a@x.com 34567 x"], None)[0] == ["x"]


def test_a_dropped_field_is_left_out_and_still_known_elsewhere() -> None:
    """Field, list item and dict entry are gone, and so is the value in notes, other fields, keys and numbers."""
    data = {
        "who": Customer(name="Ama Mensah", phone="0241234567", note="ring +233 24 123 4567!", reference=241234567),
        "0241234567 x": 1,
    }
    assert send(data, PHONE="drop") == {
        "x": 1,
        "who": {"name": "[PERSON_1]", "card": None, "note": "ring !", "product": "", "reference": None},
    }
    phones: dict[str, object] = {"list": Phones(items=["0241234567", None]), "keys": ByPhone(debts={"0241234567": 5})}
    assert send(phones, PHONE="drop") == {"list": {"items": [None]}, "keys": {"debts": {}}}
    assert send(Only.model_validate({"phone": "0241234567"}).phone, PHONE="drop") == ""


class Phones(BaseModel):
    """A list of marked values."""

    items: list[Annotated[str, Pii.PHONE] | None]


class ByPhone(BaseModel):
    """Marked dict keys."""

    debts: dict[Annotated[str, Pii.PHONE], int]


class Only(BaseModel):
    """One value."""

    phone: Annotated[str, Pii.PHONE]


def test_a_part_of_a_dropped_name_is_hidden_as_typed() -> None:
    """A first name alone may be an ordinary word: it is neither sent nor cut out."""
    call = session(PERSON="drop")
    assert call.mask(["Grace Mensah has a grace period"], Customer(name="Grace Mensah"))[0] == ["has a [TEXT_1] period"]
    assert call.vault.restore("a [TEXT_1] period") == "a grace period"


def test_dropping_everything_of_two_keys_loses_no_entry() -> None:
    """Keys that have nothing left stay different keys."""
    call = session(PHONE="drop")
    _, sent = call.mask([], {"0241234567": 1, "0201112223": 2, "x": 3})
    assert isinstance(sent, dict)
    assert sorted(map(str, sent.values())) == ["1", "2", "3"]
    assert not any(char.isdigit() for key in sent for char in key.replace("TEXT_1", "").replace("TEXT_2", ""))


# Refusing.


@pytest.mark.parametrize(
    ("texts", "data", "where"),
    [
        (["ring 0241234567"], None, "The text of the prompt"),
        ([], {"note": "ring 0241234567"}, r"The field '\[\]'"),
        ([], {"who": Customer(name="Ama", note="0241234567")}, r"The field '\[\].note'"),
        ([], Customer(name="Ama", phone="0241234567"), "The field 'phone'"),
        ([], {"who": [Customer(name="Ama", phone="none")]}, r"The field '\[\]\[\].phone'"),
        (["see https://wa.me/233241234567"], None, "The text of the prompt"),
    ],
)
def test_a_refused_sort_stops_the_call_and_names_the_place(texts: list[str], data: object, where: str) -> None:
    """Field and type are named, what happened to the money too, and the value never."""
    with pytest.raises(PrivacyRefused, match=where) as refusal:
        session(PHONE="refuse").mask(texts, data)
    assert "type PHONE" in str(refusal.value)
    assert "nothing was charged" in str(refusal.value)
    assert "123" not in str(refusal.value)


def test_what_is_not_there_is_not_refused() -> None:
    """An empty field and a part of a name are no value of the sort."""
    sent = send([Customer(name="Ama Mensah", card="")], ID="refuse")
    assert isinstance(sent, list)
    assert session(PERSON="refuse").mask(["hello Mensah"], None)[0] == ["hello Mensah"]


def test_known_values_are_refused_where_they_occur_only() -> None:
    """A list of customers is no field that is sent; one of them in a text stops the call."""
    known = {Pii.NAME: ["Ama Mensah"]}
    assert session(PERSON="refuse").mask(["how is trade?"], None, known=known)[0] == ["how is trade?"]
    with pytest.raises(PrivacyRefused, match="type PERSON"):
        session(PERSON="refuse").mask(["how is Ama Mensah?"], None, known=known)


# Where the policy is written.


@billed_feature("strict_note", credits=1, privacy={"ID": "refuse", "PHONE": "drop"})
def strict_note(customer: Customer) -> Prompt:
    """Says something of a customer."""
    return Prompt(user="Describe them.", data=customer)


AMA = Customer(name="Ama Mensah", phone="0241234567", note="ring 024 123 4567")


def test_the_decorator_says_it(ai_payer: Payer, ai_llm: FakeLlm, ai_addons: AddOns) -> None:
    """A dropped field never reaches the model; a refused one costs nothing and asks nobody."""
    ai_llm.reply(strict_note, "fine")
    assert strict_note(AMA) == "fine"
    assert "phone" not in ai_llm.calls[0].user
    assert "ring " in ai_llm.calls[0].user

    before = ai_addons.wallet(ai_payer.business)
    with pytest.raises(PrivacyRefused, match="field 'card'"):
        strict_note(AMA.model_copy(update={"card": "GHA-123456789-0"}))
    after = ai_addons.wallet(ai_payer.business)
    assert (after.available, after.held) == (before.available, before.held)
    assert len(ai_llm.calls) == 1


def test_the_settings_of_a_feature_win_over_its_code(ai_llm: FakeLlm) -> None:
    """Feature settings, then the decorator, then the section for all; what nobody names is masked."""
    settings = kit_settings(
        privacy={"email": "refuse", "PHONE": "refuse"},
        features={"strict_note": {"privacy": {"PHONE": "mask", "NAME": "drop"}}},
    )
    with AddOns(settings, llm=ai_llm) as addons:
        addons.grant("biz", "10", source="adjustment", ref="x")
        ai_llm.reply(strict_note, "call [PHONE_1]")
        assert strict_note.options(business="biz")(AMA) == "call 0241234567"
        assert "name" not in ai_llm.calls[0].user
        with pytest.raises(PrivacyRefused, match="EMAIL"):
            strict_note.options(business="biz")(AMA.model_copy(update={"note": "a@x.com"}))
        with pytest.raises(PrivacyRefused, match="field 'card'"):
            strict_note.options(business="biz")(AMA.model_copy(update={"card": "C1"}))
        with pytest.raises(PrivacyRefused, match="PHONE"):
            addons.mask("ring 0241234567")


def test_answers_under_another_policy_are_not_mixed_up(tmp_path: Path) -> None:
    """What was stored while phones were masked is not given when they are dropped: the prompt is another one."""
    store = {"url": f"sqlite:///{tmp_path / 'books.db'}"}
    cache = {"backend": "disk", "directory": str(tmp_path / "cache")}
    for phone, reply in (("mask", "call [PHONE_2]"), ("drop", "do not call")):
        settings = kit_settings(
            store=store, cache=cache, secret="s" * 32, features={"strict_note": {"privacy": {"phone": phone}}}
        )
        llm = FakeLlm()
        llm.reply(strict_note, reply)
        with AddOns(settings, llm=llm) as addons:
            addons.grant("biz", "10", source="adjustment", ref="x")
            first = strict_note.options(business="biz").billed(AMA)
            assert not first.receipt.cached
            assert first.value == reply.replace("[PHONE_2]", "0241234567")
            assert strict_note.options(business="biz").billed(AMA).receipt.cached
        addons.close()
        assert len(llm.calls) == 1


def test_the_environment_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every choice can be made where the host is run."""
    monkeypatch.setenv("AI_ADDONS_PRIVACY__ID", "refuse")
    monkeypatch.setenv("AI_ADDONS_FEATURES__STRICT_NOTE__PRIVACY__PHONE", "mask")
    monkeypatch.setenv("AI_ADDONS_FEATURES__STRICT_NOTE__PRIVACY__OVERSIZE", "cut")
    settings = Settings()
    rules = rules_of(settings.features["strict_note"].privacy, strict_note.spec.privacy, settings.privacy)
    assert rules == Rules(handling={Kind.PHONE: "mask", Kind.ID: "refuse"}, oversize="cut")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"PHNE": "drop"}, r"there is no PHNE \(did you mean PHONE\?\)"),
        ({"TEXT": "drop"}, "there is no TEXT"),
        ({"ID": "hide"}, "ID: Input should be 'mask', 'drop' or 'refuse'"),
        ({"oversize": "drop"}, "OVERSIZE: Input should be 'refuse' or 'cut'"),
        ("drop", "Input should be a valid dictionary"),
    ],
)
def test_a_policy_that_cannot_be_one_is_refused_where_it_is_written(policy: object, message: str) -> None:
    """The error names the feature and the word, and shows how it is written."""
    with pytest.raises(ConfigError, match=message) as wrong:
        billed_feature("odd_policy", credits=1, privacy=policy)  # type: ignore[arg-type]  # reason: wrong on purpose
    assert "'odd_policy'" in str(wrong.value)


def test_a_wrong_word_in_the_settings_gets_a_suggestion() -> None:
    """A policy that is silently ignored would send what should not leave."""
    with pytest.raises(ConfigError, match=r"unknown setting 'features.x.privacy.phones' \(did you mean phone\?\)"):
        kit_settings(features={"x": {"privacy": {"PHONES": "drop"}}})


def test_the_words_of_the_marks_are_known_too() -> None:
    """``NAME`` and ``DOB`` are what placeholders call PERSON and DATE."""
    section = FeaturePrivacySettings.model_validate({"NAME": "drop", "dob": "refuse"})
    assert (section.person, section.date) == ("drop", "refuse")
    assert FeaturePrivacySettings.model_validate(section) is section


# Texts that are too long.


def cutting(limit: int) -> Session:
    """A call that cuts what is over the limit."""
    settings = PrivacySettings(recognizers=("email", "phone"), max_field_bytes=limit, oversize="cut")
    return from_settings(settings, ManualClock()).session()


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("twelve bytes", "twelve bytes"),
        ("twelve bytes and more", "twelve …"),
        ("onewordthatislongerthanallowed", ""),
        ("ama@example.com", ""),
        ("tel 0241234567 x", "tel …"),
        ("tel 024 123 4567 x", "tel …"),
        ("a 024 12 34567 x y", "a …"),
        ("éééé éééé", "éééé …"),
    ],
)
def test_a_text_over_the_limit_is_cut_at_a_blank_and_never_inside_a_value(text: str, sent: str) -> None:
    """No half of a phone number is left, with blanks in it or without."""
    assert cutting(12).mask([text], None)[0] == [sent]


def test_a_known_value_is_never_halved_by_a_cut() -> None:
    """A name across the limit goes as a whole, and the text before it is masked as ever."""
    call = cutting(60)
    text = f"Kofi Addo {'paid on time ' * 3}and then Ama Serwaa Mensah came with rice"
    (sent,), _ = call.mask([text], [Customer(name="Ama Serwaa Mensah"), Customer(name="Kofi Addo")])
    assert sent == "[PERSON_1] paid on time paid on time paid on time and then …"


def test_declared_values_are_never_cut() -> None:
    """Half of an address is no address: the call is refused."""
    with pytest.raises(PrivacyRefused, match="over the limit of 12 bytes"):
        cutting(12).mask([], Customer(name="Nana Konadu Agyeman"))


class Story(BaseModel):
    """A note that may be long."""

    note: Annotated[str, FreeText(cut=20)]
    more: list[Annotated[str, FreeText(cut=20)] | None] = []


def test_a_field_may_say_how_much_of_it_is_sent() -> None:
    """The cut of the field holds whatever the settings say, for texts over the limit for all too."""
    story = Story(note="paid 3 times late this year", more=["short", None, "word " * 30])
    assert session().mask([], story)[1] == {
        "note": "paid 3 times late …",
        "more": ["short", None, "word word word …"],
    }
    assert repr(FreeText(cut=20)) == "FreeText(cut=20)"
    assert repr(FreeText()) == "FreeText"
    with pytest.raises(ValueError, match="leaves nothing"):
        FreeText(cut=1)


def test_a_prompt_is_bounded_as_a_whole() -> None:
    """Many texts that are each allowed may still be too much; what is cut counts as it is sent."""
    masker = BuiltinMasker([], max_field_bytes=10, max_call_bytes=25, rules=Rules(oversize="cut"))
    assert masker.session().mask(["x" * 10, "y z " * 10], None)[0] == ["x" * 10, "y z y z …"]
    with pytest.raises(PrivacyRefused, match="A prompt of 30 bytes is over the limit of 25 bytes for one prompt"):
        masker.session().mask(["x" * 10] * 3, None)


def test_masking_that_takes_too_long_stops_the_call() -> None:
    """Fail closed: time that runs out never means "send it as it is"."""
    clock = ManualClock()

    class Slow:
        def find(self, text: str) -> list[object]:
            clock.advance(0.6 if text else 0)
            return []

    settings = PrivacySettings(recognizers=(), deadline=timedelta(seconds=1))
    masker = BuiltinMasker(
        [Slow()],  # type: ignore[list-item]  # reason: it finds nothing
        max_field_bytes=100,
        seconds=settings.deadline.total_seconds(),
        monotonic=clock.monotonic,
    )
    assert masker.session().mask(["one"], None)[0] == ["one"]
    with pytest.raises(PrivacyRefused, match="longer than 1 seconds"):
        masker.session().mask(["one", "two", "three"], None)


# The parts.


def test_stretches_are_cut_out_of_both_ends() -> None:
    """Blanks are not doubled, words do not meet."""
    assert without("ab12cd", [Hit(2, 4, Kind.ID, 0)]) == "ab cd"
    assert without("12 cd 34", [Hit(0, 2, Kind.ID, 0), Hit(6, 8, Kind.ID, 0)]) == "cd "


def test_a_cut_goes_back_over_all_values_that_touch() -> None:
    """Two values side by side: the cut through the second may end at the first."""
    hits = [Hit(2, 9, Kind.ID, 0), Hit(9, 16, Kind.ID, 0)]
    assert cut_before("a bb bb bb cc cc cc", 15, hits) == "a …"
    assert cut_before("bb bb bb", 7, [Hit(0, 8, Kind.ID, 0)]) == ""


def test_a_secret_is_hidden_wherever_it_stands() -> None:
    """A secret is sent as stars, never as itself, in a note neither; marked, it can be restored."""

    class Login(BaseModel):
        pin: SecretStr
        token: Annotated[SecretStr, Pii.ACCOUNT]
        note: str

    login = Login(pin=SecretStr("zebra-77-lima"), token=SecretStr("tok-5512-x"), note="pin zebra-77-lima, tok-5512-x")
    call = session()
    assert call.mask([], login)[1] == {"pin": "**********", "token": "[ACCOUNT_2]", "note": "pin [ID_1], [ACCOUNT_2]"}
    assert call.vault.restore("[ACCOUNT_2]") == "tok-5512-x"
