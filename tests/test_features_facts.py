"""References, plain text and numbers in words: what all features share."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.features import _facts
from ai_addons.features._facts import clean, escape, fill, plain_references, references
from ai_addons.features._guard import (
    Cited,
    cited_faults,
    direction_faults,
    english_faults,
    number_faults,
    number_word_notices,
    script_faults,
    threat_faults,
    unsafe,
)
from ai_addons.features._numerals import amounts, number_before_measure, number_word
from ai_addons.features._result import Fact

SALES = _facts.money("sales", "sales", Decimal("1234.5"))
FACTS = _facts.by_key(SALES, _facts.count("CA.overdue", "overdue", 7), None)


@given(st.text(max_size=200))
def test_plain_text_stays_plain(text: str) -> None:
    """Cleaning twice changes nothing more, and leaves nothing invisible or doubled."""
    once = clean(text)
    assert clean(once) == once
    assert "  " not in once
    assert not any(_facts._invisible(char) for char in once)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("  a \n\t b ", "a b"),
        ("pay\u200bment", "payment"),
        ("\u202eevil\u202c", "evil"),
        ("a\u00a0b", "a b"),
        ("\uff21\uff42", "Ab"),
        ("\ufb01ne", "fine"),
        ("x\U000e0041\U000e0042y", "xy"),
        ("\u3164hidden\ufe0f", "hidden"),
        ("nul\x00l", "null"),
        ("\uff16\uff18 \u00bd \u2167", "\uff16\uff18 \u00bd \u2167"),
    ],
)
def test_invisible_characters_go_and_odd_numbers_stay_visible(raw: str, plain: str) -> None:
    """Bidi, zero-width and tag characters vanish; a Roman numeral does not turn into letters unseen."""
    assert clean(raw) == plain


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_plain_text_takes_a_shorter_way_to_the_same(text: str) -> None:
    """Something invisible at the end sends a text the long way, and leaves no trace."""
    assert clean(text) == clean(f"{text}\u200b")


@given(st.text(max_size=100))
def test_a_tenants_text_can_never_form_a_reference(text: str) -> None:
    """Whatever a shop types, no brace or angle bracket of it is left, full-width ones included."""
    safe = escape(clean(text))
    assert not {"{", "}", "<", ">"} & set(safe)
    assert references(safe) == []


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("{sales}", "{sales}"),
        ("{{sales}}", "{sales}"),
        ("{ sales }", "{sales}"),
        ("{{{ sales}}}", "{sales}"),
        ("{CA.overdue}", "{CA.overdue}"),
        ("{Sales}", "{Sales}"),
        ("{sales total}", "{sales total}"),
        ("{1}", "{1}"),
        ("{a.b.c}", "{a.b.c}"),
    ],
)
def test_decoration_is_tolerated_and_identity_is_not(text: str, plain: str) -> None:
    """Doubled or padded braces are undone; the key itself is never touched."""
    assert plain_references(text) == plain


def test_filling_is_one_pass() -> None:
    """A filled value that looks like a reference stays as it is."""
    nested = _facts.words("nested", "nested", "{sales}")
    assert fill("{nested} and {sales}", _facts.by_key(nested, SALES)) == "{sales} and GHS 1,234.50"
    with pytest.raises(KeyError):
        fill("{unknown}", FACTS)


def test_a_key_that_looks_like_a_placeholder_is_no_key() -> None:
    """`{date_1}` would be read as a damaged `[DATE_1]`."""
    assert _facts.texts(_facts.by_key(SALES)) == {"sales": "GHS 1,234.50"}
    with pytest.raises(ValueError, match="date_1"):
        _facts.texts(_facts.by_key(_facts.count("date_1", "a date", 1)))


@given(st.lists(st.sampled_from(["{sales}", "{{ sales }}", "{CA.overdue}", "word", "["]), max_size=8))
def test_filling_leaves_no_reference(parts: list[str]) -> None:
    """All references of a checked text are replaced."""
    text = " ".join(parts)
    assert references(fill(text, FACTS)) == []
    assert list(dict.fromkeys(references(text))) == references(text)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (_facts.money("k", "l", Decimal(1200)), "GHS 1,200"),
        (_facts.money("k", "l", Decimal("1200.005")), "GHS 1,200.01"),
        (_facts.money("k", "l", Decimal("0.5")), "GHS 0.50"),
        (_facts.percent("k", "l", Decimal("0.125")), "13%"),
        (_facts.percent("k", "l", Decimal("-0.004")), "0%"),
        (_facts.percent("k", "l", Decimal("-0.29")), "-29%"),
        (_facts.days("k", "l", Decimal(1)), "1 day"),
        (_facts.days("k", "l", Decimal("2.25")), "2.3 days"),
        (_facts.days("k", "l", Decimal("1000.04")), "1,000 days"),
        (_facts.months("k", "l", 1), "1 month"),
        (_facts.months("k", "l", 14), "14 months"),
        (_facts.points("k", "l", Decimal("79.96"), 100), "79 of 100"),
        (_facts.ratio("k", "l", Decimal("1.25"), "that"), "1.3 times that"),
        (_facts.count("k", "l", 12000), "12,000"),
        (_facts.words("k", "l", "raw", "shown"), "shown"),
    ],
)
def test_a_value_is_written_once(fact: Fact, text: str) -> None:
    """Rounding and units are decided here, half up, and never again."""
    assert fact.text == text


@pytest.mark.parametrize(("value", "sign"), [("-0.1", -1), ("0", 0), ("0.1", 1)])
def test_a_change_has_a_direction(value: str, sign: int) -> None:
    """A signed fact knows whether it went up, down or stayed; an unsigned one has no direction."""
    assert _facts.percent("k", "l", Decimal(value), signed=True).sign == sign
    assert _facts.percent("k", "l", Decimal(value)).sign is None


@pytest.mark.parametrize("key", ["", "1a", "a b", "a.b.c", "a-b", "[PERSON_1]", "\u0251"])
def test_a_fact_key_is_letters_first(key: str) -> None:
    """A key can always stand in braces."""
    with pytest.raises(ValueError, match="key"):
        Fact(key=key, label="l", kind="text", value="v", text="t")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6 yards", {(6, "yd")}),
        ("6yd", {(6, "yd")}),
        ("six yards", {(6, "yd")}),
        ("six-yard", {(6, "yd")}),
        ("1,200.50 g and 5 kilos", {(Decimal("1200.5"), "g"), (5, "kg")}),
        ("100% cotton", {(100, "%")}),
        ("two dozen pieces", {(24, "pcs")}),
        ("twenty-four packs", {(24, "pack")}),
        ("three hundred", {(300, None)}),
        ("this one", set()),
        ("one litre", {(1, "l")}),
        ("half a kilo", {(Decimal("0.5"), "kg")}),
        ("half done", set()),
        ("someone weighty often", set()),
        ("12-pack", {(12, "pack")}),
        ("2-in-1", {(2, None), (1, None)}),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(text: str, found: set[object]) -> None:
    """Six yards, 6 yd and 6yd are one amount; "this one" is none."""
    assert set(amounts(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "five thousand cedis",
        "Twenty percent",
        "ten times",
        "half of it",
        "sales doubled",
        "fivefold",
        "two hundred and ten cedis",
    ],
)
def test_amounts_in_words_are_seen(text: str) -> None:
    """A model cannot smuggle a sum past the digit rule by spelling it."""
    assert number_before_measure(text)


@pytest.mark.parametrize("text", ["one month is little to go on", "both of them", "many times", "often", "a half-year"])
def test_harmless_words_are_no_amounts(text: str) -> None:
    """Plain English keeps its small words."""
    assert not number_before_measure(text)


def test_any_number_word_can_be_noticed() -> None:
    """Number words are found as whole words only."""
    assert number_word("One month")
    assert not number_word("Someone often")


def test_placeholders_of_masked_values_are_no_digits() -> None:
    """A sentence may mention a masked value; its number is not prose."""
    assert number_faults("text", "Ask [PERSON_1] about [PHONE_12].") == []
    assert number_faults("text", "Ask [person_1].") != []


def test_directions_follow_the_sign() -> None:
    """Up is up."""
    assert direction_faults("x", "up", 1) == direction_faults("x", "flat", 0) == direction_faults("x", "down", -1) == []
    assert direction_faults("x", "up", -1) == ["x: direction must be down"]


def test_a_cited_text_names_each_fault_once_and_quotes_nothing() -> None:
    """Faults say where and what, never the words themselves."""
    bad = Cited(text="Secret 12 {nope} and {sales", fact_keys=("sales",))
    found = cited_faults("here", bad, FACTS, most=300)
    assert len(found) == 4
    assert not any("Secret" in fault or "nope" in fault for fault in found)
    assert cited_faults("here", Cited(text="Sales were {sales}.", fact_keys=("{{sales}}",)), FACTS, most=300) == []


@pytest.mark.parametrize(
    "text",
    [
        "Sells 4 kg bags for 25 days.",
        "EAN 6034000123456 is fine.",
        "Order 20261120 came today.",
        "Prices from 1,000,000,000 to 2,000,000,000.",
        "Good (very good) cloth - 100% cotton.",
        "e.g. shirts, i.e. clothes.",
        "Temperature < 5 degrees",
    ],
)
def test_ordinary_text_is_not_taken_for_contact_details(text: str) -> None:
    """Barcodes, quantities and abbreviations pass."""
    assert unsafe(text, system="") is None


def test_short_or_english_text_is_not_judged_foreign() -> None:
    """Too few words say nothing; a tenant's own words are left out of the judgement."""
    twi = "Yebehwe wo akontaa no yiye na yeaka biribi akyere wo da biara da bio nso ara pa"
    assert english_faults("x", "Sika Wo Ntaban") == []
    assert english_faults("x", twi) == ["x: must be in plain English"]
    assert english_faults("x", twi, neutral=twi.split()) == []
    assert english_faults("x", "We look at the account with care and tell you what is needed from you.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Pay or we go to the police.",
        "We will take you to court.",
        "There will be consequences.",
        "Everyone will know the shame.",
        "We will tell your employer.",
        "Our boys will visit you tonight.",
        "This is your last chance.",
        "A penalty will be added.",
    ],
)
def test_threats_are_named_without_quoting_them(text: str) -> None:
    """Legal steps, shame and third parties have no place beside a debt."""
    assert threat_faults("how", text) == [
        "how: say nothing about interest, penalties, legal steps, threats, shame or other people"
    ]


@pytest.mark.parametrize("text", ["Ask kindly when the bill will be paid.", "Agree on a day that suits them.", ""])
def test_a_kind_word_is_no_threat(text: str) -> None:
    """Ordinary advice passes."""
    assert threat_faults("how", text) == []


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("Plain na\u00efve words, 12 of them.", []),
        ("Twi \u025b and \u0254 are Latin.", []),
        ("the p\u043elice", ["how: use Latin letters only"]),
        ("\u0395xpose", ["how: use Latin letters only"]),
    ],
)
def test_look_alikes_of_other_scripts_are_seen(text: str, faults: list[str]) -> None:
    """A Cyrillic o or a Greek E would hide a word from the word lists."""
    assert script_faults("how", text) == faults


def test_number_words_are_mentioned_once() -> None:
    """However many there are, the reader gets one notice."""
    assert [notice.code for notice in number_word_notices(["one by one", "two", "none"])] == ["number_words"]
    assert number_word_notices(["no figure at all"]) == ()


@pytest.mark.parametrize(
    ("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_rows_are_named_by_letters_alone(place: int, name: str) -> None:
    """A pseudonym never puts a digit into prose."""
    assert _facts.letters(place) == name


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (_facts.money("a", "a", Decimal("1234.50")), "1235"),
        (_facts.money("a", "a", Decimal("-0.4")), "0"),
        (_facts.percent("a", "a", Decimal("0.256")), "26"),
        (_facts.count("a", "a", 1_200), "1,200"),
        (_facts.words("a", "a", "x", "a word"), "a word"),
    ],
)
def test_a_model_is_told_facts_in_few_tokens(fact: Fact, told: str) -> None:
    """Whole cedis and percent without a unit; the reader still sees the full text."""
    assert _facts.compact(fact) == told
