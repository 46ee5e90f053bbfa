"""The sentence bank: complete, sound, and every combination fits its channel."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files
from itertools import product
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from ai_addons.features._facts import fill, references
from ai_addons.features.collection_message import CollectionPolicy, CollectionRequest, SentenceBank, english, read_bank
from ai_addons.features.collection_message.assembly import LINE, OFFER, Place, assembled, size_of
from ai_addons.features.collection_message.bank import PARTS, places
from ai_addons.features.collection_message.guard import tone_faults
from ai_addons.features.collection_message.models import LIMITS, LONGEST, Channel, Stage
from ai_addons.features.collection_message.results import case_of
from ai_addons.features.collection_message.timing import TONES
from tests.sizes import FULL

Part = Literal["opening", "ask", "help", "close"]

LONGEST_REQUEST = CollectionRequest.model_validate(
    {
        "as_of": "2026-11-20",
        "outstanding": "9999999.99",
        "due_date": "2026-09-30",
        "promise_date": "2026-10-30",
        "partial_paid": True,
        "relationship_months": 100,
        "contacts_last_7d": 0,
        "consent": True,
        "opted_out": False,
        "customer_name": "N" * 40,
        "shop_name": "S" * 40,
        "contact": "C" * 24,
        "staff_first_name": "F" * 20,
        "pay_link": "https://" + "p" * 52,
        "authorised_offer": "O" * 200,
    }
)
ALL_NOTES = frozenset({"promise", "thanks", "link"})
PLACES = list(places())


def written_bank() -> dict[str, Any]:
    """The English bank as its file says it."""
    text = files("ai_addons.features.collection_message").joinpath("bank_en.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@pytest.mark.parametrize(("stage", "channel"), PLACES)
def test_every_combination_with_the_longest_values_fits_and_passes_the_guard(stage: Stage, channel: Channel) -> None:
    """81 choices a place, with each value at its limit, bare and with all that a case can add.

    Outside the full size a third of them, in which any three parts meet in every way.
    """
    case = case_of(LONGEST_REQUEST, CollectionPolicy(), english(), "Africa/Accra")
    assert {key: len(case.facts[key].text) for key in LONGEST if key != "offer"} == {
        key: longest for key, longest in LONGEST.items() if key != "offer"
    }
    menus = {part: english().menu(part, stage, channel) for part in PARTS}
    for chosen_at in product(*(enumerate(menu) for menu in menus.values())):
        if not FULL and sum(at for at, _ in chosen_at) % 3:
            continue
        ids = [id_ for _, id_ in chosen_at]
        for notes, own in ((frozenset[str](), {}), (ALL_NOTES, {LINE: "L" * 119 + ".", OFFER: "O" * 200})):
            place = Place(stage=stage, channel=channel, notes=notes)
            done = assembled(english(), place, dict(zip(PARTS, ids, strict=True)), own, case.facts)
            assert size_of(done.text, channel) <= LIMITS[channel]
            assert {"shop", "amount", "due_date", "contact"} <= set(done.cited)
            assert not {"{", "}"} & set(done.text)
        chosen = [menus[part][id_] for part, id_ in zip(PARTS, ids, strict=True)]
        assert tone_faults("message", " ".join(chosen).replace("{", "").replace("}", "")) == []


@pytest.mark.parametrize(("stage", "channel"), PLACES)
def test_usual_values_fit_in_the_words_that_were_chosen(stage: Stage, channel: Channel) -> None:
    """With everyday names every combination fits one SMS as it is, so that the choice is not in vain."""
    changes: dict[str, object] = {
        "customer_name": "Abena Mensah",
        "shop_name": "Adom Stores",
        "contact": "024 412 3456",
    }
    changes |= {"staff_first_name": "Esi", "outstanding": "1250", "promise_date": None, "partial_paid": False}
    request = CollectionRequest.model_validate(LONGEST_REQUEST.model_dump() | changes)
    facts = case_of(request, CollectionPolicy(), english(), "Africa/Accra").facts
    menus = [english().menu(part, stage, channel).values() for part in PARTS]
    texts = (" ".join(fill(text, facts) for text in chosen) for chosen in product(*menus))
    assert all(size_of(text, channel) <= LIMITS[channel] for text in texts)


@pytest.mark.parametrize(("stage", "channel"), PLACES)
def test_each_place_has_three_of_each_part(stage: Stage, channel: Channel) -> None:
    """Three openings, asks, helps and closes to choose from, in the tone of the stage."""
    for part in PARTS:
        assert len(english().menu(part, stage, channel)) >= 3
        assert len(english().menu(part, stage, channel, short=True)) == 1
    tones = {group.tone for group in english().groups if group.suits("ask", stage, channel) and not group.short}
    assert tones == {TONES[stage]}


def test_no_sentence_stands_twice() -> None:
    """Different ids are different sentences, wherever a model may choose between them."""
    for stage, channel in places():
        for part in PARTS:
            texts = list(english().menu(part, stage, channel).values())
            assert len(texts) == len(set(texts))


def changed(bank: dict[str, Any], number: int, **changes: object) -> dict[str, Any]:
    """A bank with another group in one place."""
    groups = [dict(group) for group in bank["groups"]]
    groups[number] |= changes
    return bank | {"groups": groups}


GOOD_OPENING = "{customer}, {shop}: {amount}, {due_date}."


@pytest.mark.parametrize(
    ("number", "changes", "complaint"),
    [
        (0, {"sentences": {"a": GOOD_OPENING, "b": GOOD_OPENING}}, "stage 0, sms: needs 3 sentences for opening"),
        (0, {"sentences": {"a": "Pay up, {customer}.", "b": GOOD_OPENING, "c": GOOD_OPENING}}, "a: must cite {amount}"),
        (0, {"sentences": {"a": GOOD_OPENING + " {nobody}"}}, "a: cites the unknown {nobody}"),
        (0, {"sentences": {"a": GOOD_OPENING + " {pay_link}"}}, "a: may not cite {pay_link}"),
        (0, {"sentences": {"a": GOOD_OPENING + " Our boys will visit you."}}, "a: holds a threat"),
        (0, {"sentences": {"a": GOOD_OPENING + " Pay 5."}}, "a: holds a brace or a digit"),
        (0, {"sentences": {"a": GOOD_OPENING + " {amount"}}, "a: holds a brace or a digit"),
        (0, {"sentences": {"sms_ask_soon": GOOD_OPENING}}, "sms_ask_soon: an id that stands twice"),
        (0, {"sentences": {"A1": GOOD_OPENING}}, "String should match pattern"),
        (0, {"tone": "firm"}, "a group of opening is firm, but one of its stages is not"),
        (0, {"colour": "red"}, "Extra inputs are not permitted"),
        (-1, {"sentences": {"note_link": "You can pay on our page."}}, "note_link: must cite {pay_link}"),
    ],
)
def test_a_bank_that_lacks_a_sentence_or_holds_a_wrong_one_is_refused(
    number: int, changes: dict[str, object], complaint: str
) -> None:
    """A bank of one's own is checked as ours is, before the first message."""
    with pytest.raises(ValidationError) as caught:
        SentenceBank.model_validate(changed(written_bank(), number, **changes))
    assert complaint in str(caught.value)


def test_a_bank_whose_short_sentences_are_too_long_is_refused() -> None:
    """Better no bank than a message that breaks the limit."""
    bank = written_bank()
    place = next(n for n, group in enumerate(bank["groups"]) if "short_close" in group["sentences"])
    with pytest.raises(ValidationError, match="stage 1, sms: the short sentences are 161 long, 160 is the most"):
        SentenceBank.model_validate(changed(bank, place, sentences={"short_close": "From us all: {staff}."}))


def test_a_bank_is_read_from_toml() -> None:
    """What is no TOML is an error too."""
    with pytest.raises(ValueError, match="Invalid value"):
        read_bank("language = ")
    assert english().version == "en-2026-11"
    assert english() is english()


def test_what_a_sentence_cites_is_among_the_values() -> None:
    """No sentence of ours needs a value that there is none of."""
    cited = {key for group in english().groups for text in group.sentences.values() for key in references(text)}
    assert cited == {"customer", "shop", "contact", "staff", "amount", "due_date", "promise_date", "pay_link"}


def test_a_bank_of_another_language_speaks_and_no_model_does() -> None:
    """Its sentences are used; the model's line and free drafts are not."""
    twi = SentenceBank.model_validate(written_bank() | {"language": "tw", "version": "tw-1"})
    request = LONGEST_REQUEST.model_copy(update={"language": "tw"})
    assert case_of(request, CollectionPolicy(), twi, "Africa/Accra").bank.version == "tw-1"
    with pytest.raises(ValueError, match="No sentence bank for 'tw'"):
        case_of(request, CollectionPolicy(), english(), "Africa/Accra")
    with pytest.raises(ValueError, match="in English only"):
        case_of(request, CollectionPolicy(free_drafting=True), twi, "Africa/Accra")


def test_dates_are_written_in_the_short_form() -> None:
    """30 Sep 2026 is the longest a date can be."""
    case = case_of(LONGEST_REQUEST, CollectionPolicy(), english(), "Africa/Accra")
    assert case.facts["due_date"].text == "30 Sep 2026"
    assert case.facts["due_date"].value == date(2026, 9, 30)
