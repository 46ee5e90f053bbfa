"""All eight features against what may be typed into a shop's records: refused by name, or without effect."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel, ValidationError

from ai_addons.features._facts import clean
from ai_addons.features._guard import unsafe
from ai_addons.features._names import shown_name
from tests.eight import EIGHT, KEYS, decided, inputs, prose, shop, strings
from tests.hostile import NUMBERS, TEXTS, Path, Place, places, taken
from tests.sizes import FULL, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.eight import Shop

# Some hundred calls of each feature, on machines that do other work beside them.
pytestmark: Final = pytest.mark.timeout(300)

SOME: Final = tuple(TEXTS) if FULL else tuple(TEXTS)[::3]
"""The texts that stand alone: a third outside the full size; all of them are planted in the features' inputs."""

PLAIN: Final = "Nsoroma Stores"
"""What stands where a payload is planted in the call that is compared with."""

OWN_WORDS: Final = frozenset({"product_description", "collection_message"})
"""Features whose text is about what was typed: it may be left out of it, so the words may differ."""

LISTED: Final = r"the [a-z]+ listed as [A-Z]{2,3}"
"""What stands in a text for a name that may not."""

LATER: Final = {"needs_review": True}
"""A product whose words are left out or make a claim is reviewed: the one decision that its text may bring about."""

OF_THE_INSTRUCTIONS: Final = frozenset(
    {"placeholder", "full-width placeholder", "word of the instructions", "nothing", "blanks", "nothing visible"}
)
"""Texts that stand in the instructions by themselves."""

ASKS: Final = {"top_customers": "Who are my best customers?", "repeat_rate": "How many come back?"}
"""A plain question for each pack that one of the texts leads to, by its words or through the model's sample."""

CHOOSES: Final[Mapping[str, frozenset[str]]] = {
    "customer_insight": frozenset({"question"}),
    "product_description": frozenset({"category"}),
    "collection_message": frozenset({"pay_link"}),
}
"""Texts that choose what is computed, or of which an ordinary text is none; tested by themselves."""


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    """A shop whose model gives the samples."""
    with shop() as one:
        yield one


@pytest.fixture(scope="module")
def alone() -> Iterator[Shop]:
    """A shop whose provider is down."""
    with shop(down=True) as one:
        yield one


def cases() -> list[Any]:
    """Every feature with every input it is looked at with."""
    return [pytest.param(key, at, id=f"{key}-{at}") for key in KEYS for at in range(len(inputs(key)))]


def crossed(payloads: Sequence[Any]) -> list[Any]:
    """Every case with every payload in the full size; else each payload with one case, and each case with some."""
    every = [(key, at) for key in KEYS for at in range(len(inputs(key)))]
    return [
        pytest.param(key, at, payload, id=f"{key}-{at}-{payload}")
        for row, (key, at) in enumerate(every)
        for column, payload in enumerate(payloads)
        if FULL or (row + column) % len(every) == 0
    ]


def texts_of(key: str, given: BaseModel) -> list[Place]:
    """Where a text may be planted and nothing else should come of it."""
    return [place for place in places(given) if not place.number and place.name not in CHOOSES.get(key, frozenset())]


@cache
def plain_spots(key: str, at: int) -> tuple[Path, ...]:
    """Where a plain name is taken."""
    given = inputs(key)[at]
    found = (place.path for place in texts_of(key, given))
    return tuple(path for path in found if isinstance(taken(given, {path: PLAIN}), BaseModel))


def names(error: ValidationError, place: Place) -> bool:
    """Whether an error says where it came up: at the place, or at the model around it."""
    return all(
        str(place).startswith(".".join(map(str, wrong["loc"]))) or place.name in wrong["loc"]
        for wrong in error.errors(include_input=False, include_url=False)
    )


def quoted(text: str) -> str:
    """A text as it stands in JSON, without the quotes around it."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def unnamed(value: object, typed: Sequence[str]) -> str:
    """A JSON value without what was typed."""
    text = json.dumps(value, ensure_ascii=False)
    for one in sorted(typed, key=len, reverse=True):
        text = text.replace(quoted(one), "\u00a4")
    return text


def agrees(words: object, beside: object, typed: Sequence[str]) -> bool:
    """Whether words are those beside a plain name, with what was typed or its letters in the name's place."""
    names = "|".join(re.escape(quoted(form)) for one in typed for form in (one, shown_name(one, one)))
    pattern = re.escape(json.dumps(beside, ensure_ascii=False)).replace(re.escape(PLAIN), f"(?:{names}|{LISTED})")
    return re.fullmatch(pattern, json.dumps(words, ensure_ascii=False)) is not None


def harmless(words: object, typed: Sequence[str]) -> bool:
    """Whether no text shows a link, markup, an instruction or a brace; a reference of the owner's own is no text."""
    return all(
        unsafe(text, system="") is None and not {"{", "}", "<"} & set(text)
        for text in strings(words)
        if text not in typed
    )


def spellings(text: str) -> list[str]:
    """A text as it was typed and as it may be shown."""
    return list(
        dict.fromkeys(
            form
            for form in (text, clean(text), clean(unicodedata.normalize("NFKC", text)), text.strip())
            if form.strip()
        )
    )


def requests(one: Shop) -> list[tuple[str, str]]:
    """Instructions and question of everything asked since this was last called."""
    told = [(call.system, call.text) for call in one.llm.calls]
    one.llm.calls.clear()
    return told


def test_there_are_enough_of_them() -> None:
    """Forty texts at least, each another one."""
    assert len(set(TEXTS.values())) == len(TEXTS) >= 40


@pytest.mark.parametrize(("key", "at"), cases())
def test_a_text_is_refused_by_name_or_taken(key: str, at: int) -> None:
    """Every text in every place, an eighth in the small size: the error names the field and quotes nothing."""
    given = inputs(key)[at]
    for number, place in enumerate(places(given)):
        for text in share(tuple(TEXTS.values()), number, 8):
            found = taken(given, {place.path: text})
            if isinstance(found, ValidationError):
                assert names(found, place), (str(place), text, found.errors(include_input=False))
                assert len(text.strip()) < 3 or text not in str(found), str(place)


@pytest.mark.parametrize(("key", "at", "payload"), crossed(tuple(TEXTS)))
def test_a_text_moves_no_decision(key: str, at: int, payload: str, open_shop: Shop, alone: Shop) -> None:
    """Planted wherever it is taken, beside a plain name in the same places: same figures, same words, same request."""
    given = inputs(key)[at]
    spots = [path for path in plain_spots(key, at) if isinstance(taken(given, {path: TEXTS[payload]}), BaseModel)]
    hostile, plain = (taken(given, dict.fromkeys(spots, text)) for text in (TEXTS[payload], PLAIN))
    assert isinstance(hostile, BaseModel)
    assert isinstance(plain, BaseModel)
    typed = spellings(TEXTS[payload]) if spots else []
    for one in (open_shop, alone) if {"[", "{", "<"} & set(TEXTS[payload]) else (open_shop,):
        requests(one)
        found, beside = one.call(EIGHT[key], hostile), one.call(EIGHT[key], plain)
        # What is typed may cost an answer its words: then they are code's own, and free.
        assert found.source in {beside.source, "rules"}
        assert unnamed(decided(key, found) | LATER, typed) == unnamed(decided(key, beside) | LATER, [PLAIN])
        if key not in OWN_WORDS and found.source == beside.source:
            assert agrees(prose(key, found), prose(key, beside), typed)
        if key != "collection_message":
            assert harmless(prose(key, found), typed)
        sent = requests(one)
        told = [] if payload in OF_THE_INSTRUCTIONS else typed
        # A name with a word in common with the instructions or the question: that word is masked there, no more.
        assert not [system for system, _ in sent for spelt in told if spelt in system]
        if key == "customer_insight":
            assert not [text for _, text in sent for spelt in told if spelt in text]
        elif key != "product_description":
            assert len({text for _, text in sent}) <= 1, "names do not leave"


@pytest.mark.parametrize("question", ["{text}", "Who are my best customers? {text}"])
@pytest.mark.parametrize("payload", SOME, ids=str)
def test_a_question_chooses_a_pack_and_nothing_else(payload: str, question: str, open_shop: Shop) -> None:
    """Whatever is asked, the figures are those that a plain question brings, or the question is refused."""
    asked = taken(EIGHT["customer_insight"].given, {("question",): question.format(text=TEXTS[payload])})
    if isinstance(asked, ValidationError):
        assert names(asked, Place(("question",), number=False))
        return
    requests(open_shop)
    result = open_shop.call(EIGHT["customer_insight"], asked)
    if result.data.metric_pack is None:
        assert result.degraded_reason == "blocked"
    else:
        plain = taken(EIGHT["customer_insight"].given, {("question",): ASKS[result.data.metric_pack]})
        assert isinstance(plain, BaseModel)
        beside = open_shop.call(EIGHT["customer_insight"], plain)
        assert decided("customer_insight", result) == decided("customer_insight", beside)
        assert prose("customer_insight", result) == prose("customer_insight", beside)
    for system, text in requests(open_shop):
        assert TEXTS[payload].strip() not in system or payload in OF_THE_INSTRUCTIONS
        assert (text.count("<data>"), text.count("</data>")) == (system.count("<data>") + 1, 1)


@pytest.mark.parametrize("payload", SOME, ids=str)
def test_a_product_stays_in_its_fence(payload: str, open_shop: Shop) -> None:
    """What is typed about a product is sent, and only inside the data: no angle bracket, no brace, one fence."""
    given = EIGHT["product_description"].given
    fields = ("name", "brand", "existing_description")
    spots = [(name,) for name in fields if isinstance(taken(given, {(name,): TEXTS[payload]}), BaseModel)]
    product = taken(given, dict.fromkeys(spots, TEXTS[payload]))
    assert isinstance(product, BaseModel)
    requests(open_shop)
    open_shop.call(EIGHT["product_description"], product)
    open_shop.call(EIGHT["product_description"], given)
    told = requests(open_shop)
    (system, text), (same, plain) = told[0], told[-1]
    # Where something is masked the instructions end with a word on placeholders.
    assert system.startswith(same)
    assert "{" not in system.removeprefix(same)
    found = re.fullmatch(r"(.*<data>\n)(.*)(\n</data>)", text.removeprefix(system), re.DOTALL)
    assert found is not None
    head, fenced, tail = found.groups()
    assert plain.removeprefix(same).startswith(head)
    assert plain.endswith(tail)
    assert "<" not in fenced
    assert not {"{", "}"} & set("".join(strings(json.loads(fenced))))


@pytest.mark.parametrize("payload", SOME, ids=str)
@pytest.mark.parametrize(("key", "field"), [("product_description", "category"), ("collection_message", "language")])
def test_what_is_no_choice_is_refused(key: str, field: str, payload: str, open_shop: Shop) -> None:
    """A category or language that the shop does not have costs nothing and is not quoted."""
    text = TEXTS[payload]
    found = taken(EIGHT[key].given, {(field,): text})
    if isinstance(found, BaseModel):
        requests(open_shop)
        with pytest.raises(ValueError, match=f"{field}.*[Nn]othing was charged|nothing was charged.*{field}") as caught:
            open_shop.call(EIGHT[key], found)
        assert requests(open_shop) == []
        assert text not in str(caught.value)


NUMBER: Final = re.compile(
    r"(?<![\w.,-])-0+(?:\.0+)?(?![\d.,])|\bnan\b|\binf(?:inity)?\b|[0-9]e[+-]?[0-9]", re.IGNORECASE
)
"""A minus nothing, what is no number, or one in powers of ten."""


def numbered(given: BaseModel, value: object) -> BaseModel:
    """The input with a number wherever it is taken, all of these places at once."""
    found, at = given, dict[Path, object]()
    for place in places(given):
        if place.number:
            changed = taken(given, at | {place.path: value})
            if isinstance(changed, BaseModel):
                found, at = changed, at | {place.path: value}
    return found


@pytest.mark.parametrize(("key", "at"), cases())
def test_a_number_is_refused_by_name_or_taken(key: str, at: int) -> None:
    """Not a number, endless, far too large, a float: the error names the field; in the small size an eighth."""
    given = inputs(key)[at]
    for row, place in enumerate(places(given)):
        for number in share(tuple(NUMBERS.values()), row, 8):
            found = taken(given, {place.path: number})
            if isinstance(found, ValidationError):
                assert names(found, place), (str(place), number, found.errors(include_input=False))


@pytest.mark.parametrize(("key", "at", "name"), crossed(tuple(NUMBERS)))
def test_a_number_that_is_taken_gives_a_finite_result(key: str, at: int, name: str, open_shop: Shop) -> None:
    """Whatever is left of it after validation: the same twice, and every figure is one that people write."""
    given = numbered(inputs(key)[at], NUMBERS[name])
    first, second = (open_shop.call(EIGHT[key], given) for _ in range(2))
    assert first.model_dump(exclude={"source"}) == second.model_dump(exclude={"source"})
    assert not [text for text in strings(first.model_dump(mode="json")) if NUMBER.search(text)]


@pytest.mark.parametrize("nothing", ["-0", "-0.00"])
@pytest.mark.parametrize(("key", "at"), cases())
def test_minus_nothing_is_nothing(key: str, at: int, nothing: str, open_shop: Shop) -> None:
    """The same result as with a plain zero."""
    given, beside = (numbered(inputs(key)[at], number) for number in (nothing, "0"))
    assert open_shop.call(EIGHT[key], given).data == open_shop.call(EIGHT[key], beside).data


def tables(given: BaseModel) -> list[str]:
    """Fields that hold rows."""
    return [name for name in type(given).model_fields if isinstance(getattr(given, name), tuple)]


def most_rows(given: BaseModel, name: str) -> int:
    """How many rows a table may have."""
    told = type(given).model_json_schema()["properties"][name]
    return next(int(one["maxItems"]) for one in (told, *told.get("anyOf", ())) if "maxItems" in one)


@pytest.mark.parametrize(("key", "at"), cases())
def test_a_table_without_rows_is_refused_by_name_or_enough(key: str, at: int, open_shop: Shop) -> None:
    """Each table empty by itself, then all that may be empty at once."""
    given = inputs(key)[at]
    empty: dict[Path, object] = {}
    for name in tables(given):
        found = taken(given, {(name,): ()})
        if isinstance(found, ValidationError):
            assert names(found, Place((name,), number=False)), name
            continue
        empty[name,] = ()
        assert open_shop.call(EIGHT[key], found).data is not None
    nothing = taken(given, empty)
    assert isinstance(nothing, BaseModel)
    result = open_shop.call(EIGHT[key], nothing)
    assert result.model_dump(exclude={"source"}) == open_shop.call(EIGHT[key], nothing).model_dump(exclude={"source"})


@pytest.mark.parametrize(("key", "at"), cases())
def test_a_table_with_a_row_too_many_is_refused_by_name(key: str, at: int) -> None:
    """One more than the limit: an error, no cut and no crash."""
    given = inputs(key)[at]
    for name in tables(given):
        rows = given.model_dump(include={name})[name]
        found = taken(given, {(name,): rows[:1] * (most_rows(given, name) + 1)})
        assert isinstance(found, ValidationError), name
        assert [(wrong["type"], wrong["loc"][0]) for wrong in found.errors(include_input=False)] == [("too_long", name)]
