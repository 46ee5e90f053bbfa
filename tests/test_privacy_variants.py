"""Declared values are found in the spellings people use, and nobody is mistaken for somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.privacy.fields import Pii, Public
from ai_addons.privacy.mask import BuiltinMasker

if TYPE_CHECKING:
    from ai_addons.privacy.base import Session


class Known(BaseModel):
    """Everything a call declares; texts come separately."""

    names: list[Annotated[str, Pii.NAME]] = []
    phones: list[Annotated[str, Pii.PHONE]] = []
    emails: list[Annotated[str, Pii.EMAIL]] = []
    ids: list[Annotated[str, Pii.ID]] = []
    accounts: list[Annotated[str, Pii.ACCOUNT]] = []
    businesses: list[Annotated[str, Pii.BUSINESS]] = []
    amounts: list[Annotated[str, Pii.AMOUNT]] = []
    product: Annotated[str, Public] = ""


def mask(text: str, known: Known) -> tuple[str, Session]:
    """Mask with declared values alone: no recognizer helps."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    (masked,), _ = session.mask([text], known)
    return masked, session


NAME = "Ama Serwaa Mensah-Boateng"
MEANS_HER = [
    "Ama Serwaa Mensah-Boateng",
    "AMA SERWAA MENSAH-BOATENG",
    "ama serwaa mensah-boateng",
    "Ama  Serwaa Mensah-Boateng",
    "Ama\u00a0Serwaa Mensah\u2011Boateng",
    "Ama\nSerwaa Mensah-Boateng",
    "Am\u200ba Serwaa Mensah-Boateng",
    "Ama Serwaa Mensah Boateng",
    "Ama Boateng",
    "Ama S. Boateng",
    "Ama S. M. Boateng",
    "A. S. M. Boateng",
    "A. Boateng",
    "A Boateng",
    "ABoateng",
    "Boateng, Ama",
    "BOATENG Ama Serwaa",
    "Ámá Sɛrwaa Mɛnsah-Bɔateng",
    "Ama Serwaa Mensa\u0301h-Boateng",
    "ａｍａ ｓｅｒｗａａ ｍｅｎｓａｈ ｂｏａｔｅｎｇ",  # noqa: RUF001  # full-width letters are meant
    "ama.boateng",
    "ama_serwaa_mensah_boateng",
    "amaserwaamensahboateng",
]


@pytest.mark.parametrize("form", MEANS_HER)
@pytest.mark.parametrize("frame", ["{}", "for {}.", "({})", "{}'s debt", "Mrs. {} owes", "@{}!"])
def test_forms_that_mean_one_person_get_her_placeholder(form: str, frame: str) -> None:
    """However a full name is typed, the model learns that it is the same person, and the reader gets her name."""
    masked, session = mask(frame.format(form), Known(names=[NAME]))
    assert masked == frame.format("[PERSON_1]")
    assert session.vault.restore(masked) == frame.format(NAME)


@pytest.mark.parametrize("part", ["Ama", "SERWAA", "mensah", "Bɔateng"])
def test_a_part_of_a_name_is_hidden_as_it_was_typed(part: str) -> None:
    """A first name alone could be anybody's: it does not leave, and it comes back unchanged."""
    text = f"Ask {part} about it"
    masked, session = mask(text, Known(names=[NAME]))
    assert masked == "Ask [TEXT_1] about it"
    assert session.vault.restore(masked) == text


@pytest.mark.parametrize("text", ["Amazing", "Kamara", "mensahs", "Boa", "a serwaax", "amaa"])
def test_longer_words_that_hold_a_part_are_left_alone(text: str) -> None:
    """Ama in "Amazing" is no person."""
    assert mask(text, Known(names=[NAME]))[0] == text


def test_an_article_is_not_taken_for_an_initial() -> None:
    """Written "a Mensah" it may be any Mensah, so it is hidden as typed; "A. Mensah" is hers."""
    masked, session = mask("a Mensah met A. Mensah", Known(names=["Ama Mensah"]))
    assert masked == "[TEXT_1] met [PERSON_2]"
    assert session.vault.restore(masked) == "a Mensah met Ama Mensah"


def test_two_people_with_one_surname_are_never_exchanged() -> None:
    """What could mean either of them is hidden as typed; what means one is that one."""
    masked, session = mask("Ama Mensah, Abena Mensah, A. Mensah, Mensah", Known(names=["Ama Mensah", "Abena Mensah"]))
    assert masked == "[PERSON_1], [PERSON_2], [TEXT_3], [TEXT_4]"
    assert session.vault.restore("[PERSON_2] [TEXT_3] [TEXT_4]") == "Abena Mensah A. Mensah Mensah"


def test_a_name_inside_another_one_is_settled_by_the_longer() -> None:
    """Of overlapping names the longer gives the label and nothing of either is left over."""
    known = Known(names=["Ama Mensah", "Ama Mensah Owusu", "Mensah Addo"])
    masked, session = mask("Ama Mensah Owusu; Ama Mensah Addo", known)
    assert masked == "[PERSON_1]; [PERSON_2]"
    assert session.vault.restore(masked) == "Ama Mensah Owusu; Ama Mensah Addo"


def test_a_name_of_one_word_keeps_its_link_only_when_typed_the_same() -> None:
    """With "Grace" declared, Grace is hers, "grace period" survives as it was."""
    masked, session = mask("Grace has a grace period", Known(names=["Grace"]))
    assert masked == "[PERSON_1] has a [TEXT_2] period"
    assert session.vault.restore(masked) == "Grace has a grace period"


@pytest.mark.parametrize(
    ("declared", "text", "sent", "back"),
    [
        ("Dr. Kofi Addo", "Kofi Addo called", "[PERSON_1] called", "Dr. Kofi Addo called"),
        ("Dr. Kofi Addo", "dr Kofi Addo called", "[PERSON_1] called", "Dr. Kofi Addo called"),
        ("Dr. Kofi Addo", "Dr. K. Addo called", "[PERSON_1] called", "Dr. Kofi Addo called"),
        ("Dr. Kofi Addo", "the dr called", "the dr called", "the dr called"),
        ("Madam Ama", "ask madam ama or Ama", "ask [PERSON_1] or [TEXT_2]", "ask Madam Ama or Ama"),
        ("Madam", "the madam called", "the [TEXT_1] called", "the madam called"),
        ("Ama Prof", "ask Ama Prof", "ask [PERSON_1]", "ask Ama Prof"),
        ("A. Mensah", "met A. Mensah, a Mensah", "met [PERSON_1], [TEXT_2]", "met A. Mensah, a Mensah"),
        ("Ama Bo", "Ama Bo, A. Bo", "[PERSON_1], A. Bo", "Ama Bo, A. Bo"),
        ("J. K.", "J. K. came", "J. K. came", "J. K. came"),
        ("Xi J. Li", "Xi Li came", "[PERSON_1] came", "Xi J. Li came"),
    ],
)
def test_titles_and_initials_come_back_as_declared(declared: str, text: str, sent: str, back: str) -> None:
    """A title is neither doubled nor needed, and no one is named by a title or two letters."""
    masked, session = mask(text, Known(names=[declared]))
    assert masked == sent
    assert session.vault.restore(masked) == back


def test_everyday_words_stay_in_public_texts() -> None:
    """A product named "Grace mackerel" is no customer Grace Mensah; her full name is hidden there too."""
    known = Known(names=["Grace Mensah"], product="Grace mackerel by Grace Mensah, Mensah brand")
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    _, data = session.mask([], known)
    assert isinstance(data, dict)
    assert data["product"] == "Grace mackerel by [PERSON_1], [TEXT_2] brand"


PHONE_FORMS = [
    "0241234567",
    "024 123 4567",
    "024-123-4567",
    "024.123.4567",
    "0241 23 45 67",
    "(024) 123-4567",
    "+233241234567",
    "+233 24 123 4567",
    "233241234567",
    "00233 24 123 4567",
    "+233(0)24 123 4567",
    "(+233) 24 123 4567",
    "(0)24 1234567",
    "241234567",
    "24 123 4567",
    "024\u2011123\u20114567",
    "024\u00a0123\u00a04567",
    "024\u200b1234567",
    "０２４１２３４５６７",  # noqa: RUF001  # full-width digits are meant
    "٠٢٤١٢٣٤٥٦٧",
]


@pytest.mark.parametrize("form", PHONE_FORMS)
@pytest.mark.parametrize("declared", ["0241234567", "+233 24 123 4567", "241234567"])
def test_a_phone_number_is_found_with_any_prefix_and_spacing(form: str, declared: str) -> None:
    """All spellings of a number are one placeholder, and it comes back as declared."""
    masked, session = mask(f"call {form}, then wait", Known(phones=[declared]))
    assert masked == "call [PHONE_1], then wait"
    assert session.vault.restore(masked) == f"call {declared}, then wait"


@pytest.mark.parametrize("text", ["(0241234567)", "id 550241234567", "0241234567x", "+44 241234567"])
def test_a_number_around_a_phone_number_comes_back_as_typed(text: str) -> None:
    """Inside a longer number its digits are hidden too, but it is not taken for that phone."""
    masked, session = mask(text, Known(phones=["024 123 4567"]))
    assert "1234567" not in masked
    assert session.vault.restore(masked).replace("024 123 4567", "0241234567") == text  # type: ignore[union-attr]  # reason: restoring text gives text


@pytest.mark.parametrize("form", ["+1 415 555 0123", "(415) 555-0123", "4155550123", "001 415-555-0123"])
def test_a_foreign_number_is_hidden_with_its_own_prefix(form: str) -> None:
    """No digit of a foreign number is left over."""
    masked, _ = mask(f"call {form} now", Known(phones=["+1 415 555 0123"]))
    assert not any(char.isdigit() for char in masked.replace("_1]", ""))


def test_two_numbers_with_the_same_ending_are_not_exchanged() -> None:
    """The last nine digits alone do not make it the same number."""
    known = Known(phones=["0241234567", "+44 241234567"])
    masked, session = mask("0241234567 or +44 241234567 or 241234567", known)
    assert session.vault.restore(masked) == "0241234567 or +44 241234567 or 241234567"
    assert "1234567" not in masked


def test_a_phone_field_that_holds_no_number_is_still_hidden() -> None:
    """Declared beats validated: short codes and words in a phone field do not leave either."""
    known = Known(phones=["030 12", "Ask sister", "none"])
    masked, session = mask("030 12, Ask sister, none or None", known)
    assert masked == "[PHONE_1], [PHONE_2], [PHONE_3] or [TEXT_4]"
    assert session.vault.restore(masked) == "030 12, Ask sister, none or None"


@pytest.mark.parametrize("form", ["ama.o@x.com", "AMA.O@X.COM", "ama.o @ x.com", "ama.o@x .com"])
def test_an_e_mail_address_is_found_in_any_case_and_spacing(form: str) -> None:
    """Another typing of the same address is the same placeholder."""
    assert mask(f"write {form} now", Known(emails=["Ama.O@x.com"]))[0] == "write [EMAIL_1] now"


def test_a_similar_address_is_hidden_but_comes_back_as_typed() -> None:
    """Without its dot it may be another mailbox."""
    masked, session = mask("write amao@x.com", Known(emails=["ama.o@x.com"]))
    assert masked == "write [TEXT_1]"
    assert session.vault.restore(masked) == "write amao@x.com"


@pytest.mark.parametrize("form", ["GHA-123456789-0", "gha1234567890", "GHA 123456789 0", "GHA\u2013123456789\u20130"])
def test_an_identifier_is_found_with_or_without_separators(form: str) -> None:
    """Case, dashes and blanks make no other document."""
    assert mask(f"card {form}.", Known(ids=["GHA-123456789-0"]))[0] == "card [ID_1]."


def test_short_identifiers_are_found_as_declared_only() -> None:
    """A three-digit code is found where it stands alone, not in longer numbers or across words."""
    masked, _ = mask("no 417, not 4170, 4 17 or 41-7", Known(ids=["417"]))
    assert masked == "no [ID_1], not 4170, 4 17 or 41-7"


def test_long_identifiers_are_found_inside_longer_words() -> None:
    """A long account number does not leave because a letter touches it."""
    masked, session = mask("acct1234567890123x", Known(accounts=["1234567890123"]))
    assert masked == "acct[TEXT_1]x"
    assert session.vault.restore(masked) == "acct1234567890123x"


def test_values_of_one_or_two_characters_are_hidden_in_their_own_field_only() -> None:
    """Searching for "Bo" or "7" would blot out the prompt."""
    masked, session = mask("Bo has 7 bags", Known(names=["Bo"], ids=["7"], amounts=["7"]))
    assert masked == "Bo has 7 bags"
    assert session.vault.counts == {"PERSON": 1, "ID": 1, "AMOUNT": 1}


def test_a_business_is_found_in_other_spacing_and_case() -> None:
    """Its words in their order are that business; a single word may be an ordinary word."""
    known = Known(businesses=["Kofi's Cold Store", "Melcom"])
    masked, session = mask("kofi's  cold store near Melcom, MELCOM, KofisColdStores", known)
    assert masked == "[BUSINESS_1] near [BUSINESS_2], [TEXT_3], [TEXT_4]s"
    assert session.vault.restore("[BUSINESS_1] [TEXT_3] [TEXT_4]") == "Kofi's Cold Store MELCOM KofisColdStore"


@pytest.mark.parametrize("form", ["1,250.50", "1250.5", "1250.50", "GHS1250.50", "₵1,250.500"])
def test_a_declared_amount_is_a_slot_wherever_it_is_printed(form: str) -> None:
    """The model never sees the figure, however it is written."""
    masked, _ = mask(f"owes {form} today", Known(amounts=["1250.50"]))
    assert "250" not in masked
    assert "[AMOUNT_1]" in masked


@pytest.mark.parametrize("text", ["3000.50", "13000", "30000", "2026-3000", "3000%", "3000:1", "1,3000"])
def test_other_figures_are_left_alone(text: str) -> None:
    """Part of another figure is not the amount."""
    assert mask(text, Known(amounts=["3000"]))[0] == text


def test_an_amount_field_without_a_figure_is_hidden() -> None:
    """Declared beats validated, for amounts too."""
    _, session = mask("", Known(amounts=["about three thousand"]))
    assert session.vault.restore("[AMOUNT_1]") == "about three thousand"


def test_a_name_of_many_parts_is_found_whole_short_and_by_initials() -> None:
    """More middle names than people write in mixtures: all, none, or all as initials; others are hidden in parts."""
    name = "Ama Efua Esi Yaa Afia Akua Abena Mensah"
    forms = [name, "Ama Mensah", "A. E. E. Y. A. A. A. Mensah", "Mensah, Ama"]
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    masked, _ = session.mask([*forms, "Ama Efua Mensah"], Known(names=[name]))
    assert masked == [*["[PERSON_1]"] * 4, "[TEXT_2] [TEXT_3] [TEXT_4]"]
    long = " ".join(f"part{at}x" for at in range(40))
    assert mask(f"to {long}.", Known(names=[long]))[0] == "to [TEXT_1]."


def test_a_name_spread_over_a_text_is_no_name() -> None:
    """Its letters in order, far apart, are ordinary words."""
    text = "panama ----- mensahs"
    assert mask(text, Known(names=["Ama Mensah"]))[0] == text


@pytest.mark.parametrize(
    ("text", "sent", "back"),
    [
        ("met Mensah, Ama today", "met [PERSON_1] today", "met Ama Mensah today"),
        ("met Mensah A. today", "met [PERSON_1]. today", "met Ama Mensah. today"),
        ("Mensah, a customer", "[TEXT_1], a customer", None),
        ("Kofi Mensah, Ama Addo", "Kofi [TEXT_1] Addo", None),
        ("for Mensah, Ama Addo", "for [TEXT_1] Addo", None),
    ],
)
def test_a_last_name_first_is_read_with_care(text: str, sent: str, back: str | None) -> None:
    """Neighbours in a list and an article behind a surname are not taken for her; they come back as typed."""
    masked, session = mask(text, Known(names=["Ama Mensah"]))
    assert masked == sent
    assert session.vault.restore(masked) == (text if back is None else back)


def test_two_people_whose_names_are_each_other_s_turned_round() -> None:
    """Either could be meant by either form."""
    masked, session = mask("Mensah Ama, Ama Mensah", Known(names=["Mensah Ama", "Ama Mensah"]))
    assert masked == "[TEXT_1], [TEXT_2]"
    assert session.vault.restore(masked) == "Mensah Ama, Ama Mensah"


@pytest.mark.parametrize(
    ("known", "text", "sent"),
    [
        (Known(ids=["AB=12"]), "about AB=12, and", "about [ID_1], and"),
        (Known(ids=["Kwame 77=x"]), "about kwame 77=X, and", "about [ID_1], and"),
        (Known(accounts=["GCB*4411/77#"]), "from GCB*4411/77#", "from [ACCOUNT_1]#"),
        (Known(emails=["ama=x@y.com"]), "to ama=x@y.com now", "to [EMAIL_1] now"),
        (Known(phones=["ext:12=4"]), "dial ext:12=4", "dial [PHONE_1]"),
        (Known(phones=["Kofi's line 0241234567"]), "Kofi's line 0241234567 rang", "[PHONE_1] rang"),
        (Known(phones=["Kofi's line 0241234567"]), "ring 024 123 4567", "ring [PHONE_1]"),
        (Known(amounts=["about three thousand"]), "owes About Three Thousand", "owes [AMOUNT_1]"),
        (Known(amounts=["GHS 1,250.50"]), "owes GHS 1250.50 or 1,250.5", "owes [AMOUNT_1] or [AMOUNT_1]"),
        (Known(amounts=["1250 cedis"]), "owes 1,250 cedis.", "owes [AMOUNT_1]."),
        (Known(amounts=["12"]), "owes 12", "owes 12"),
    ],
)
def test_a_value_with_odd_characters_is_found_as_it_is(known: Known, text: str, sent: str) -> None:
    """Whatever stands between its letters, a declared value does not leave verbatim."""
    assert mask(text, known)[0] == sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (r"x\nAma owes", r"x\n[TEXT_1] owes"),
        (r"\tAma Mensah\r\nowes", r"\t[PERSON_1]\r\nowes"),
        ("to=Ama%20Mensah&x", "to=[PERSON_1]&x"),
        (r"C:\names", r"C:\names"),
        ("50% Ama", "50% [TEXT_1]"),
    ],
)
def test_an_escaped_blank_ends_a_word(text: str, sent: str) -> None:
    """In text that is itself JSON or part of an address, escapes are no letters of a name."""
    masked, session = mask(text, Known(names=["Ama Mensah"]))
    assert masked == sent
    assert session.vault.restore(masked) == text.replace("%20", " ")


@pytest.mark.parametrize(
    "form", ["024/123/4567", "024_123_4567", "024,123,4567", "024 - 123 - 4567", "+233/24/123/4567"]
)
def test_other_separators_of_a_phone_number(form: str) -> None:
    """People put anything between the groups."""
    assert mask(f"call {form} now", Known(phones=["0241234567"]))[0] == "call [PHONE_1] now"


def test_an_identifier_with_blanks_around_its_dashes() -> None:
    """As a form prints it."""
    assert mask("card GHA - 123456789 - 0.", Known(ids=["GHA-123456789-0"]))[0] == "card [ID_1]."


@pytest.mark.parametrize("written", ["AgyemangDear", "xAgyemang", "Agyemangs", "ask_AGYEMANG2"])
def test_a_distinctive_part_is_hidden_inside_a_longer_word(written: str) -> None:
    """Eight letters of a name in a row are no chance; what is left of the word stays."""

    class Customer(BaseModel):
        name: Annotated[str, Pii.NAME] = "Kofi Agyemang"

    session = BuiltinMasker([], max_field_bytes=65_536).session()
    (masked,), _ = session.mask([f"write {written} today"], Customer())
    assert "agyemang" not in masked.lower()
    assert session.vault.restore(masked) == f"write {written} today"
