"""All eight features against what may be typed into a shop's records: refused by name, or without effect."""

from __future__ import annotations

import json
import math
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel, ValidationError

from ai_addons.features._facts import clean
from ai_addons.features._guard import unsafe
from tests.eight import BUSINESS, EIGHT, KEYS, decided, inputs, prose, shop, strings
from tests.hostile import NUMBERS, TEXTS, Place, places, planted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.eight import Shop
    from tests.hostile import Path

PLAIN: Final = "Nsoroma Stores"
"""What stands where a payload is planted in the call that is compared with."""

OWN_WORDS: Final = frozenset({"product_description", "collection_message"})
"""Features whose text is about what was typed: it may be left out of it, so the words may differ."""

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


def texts_of(key: str, given: BaseModel) -> list[Place]:
    """Where a text may be planted and nothing else should come of it."""
    return [place for place in places(given) if not place.number and place.name not in CHOOSES.get(key, frozenset())]


def taken(given: BaseModel, at: Mapping[Path, object]) -> BaseModel | ValidationError:
    """The input with other values, or why it cannot be."""
    try:
        return type(given).model_validate(planted(given.model_dump(), at))
    except ValidationError as error:
        return error


def names(error: ValidationError, place: Place) -> bool:
    """Whether an error says where it came up: at the place, or at the model around it."""
    return all(
        str(place).startswith(".".join(map(str, wrong["loc"]))) or place.name in wrong["loc"]
        for wrong in error.errors(include_input=False, include_url=False)
    )


def unnamed(value: object, typed: Sequence[str]) -> object:
    """A JSON value without what was typed, whatever is left of it once it is tidied."""
    text = json.dumps(value, ensure_ascii=False)
    for one in sorted(typed, key=len, reverse=True):
        text = text.replace(json.dumps(one, ensure_ascii=False)[1:-1], "\u00a4")
    return text


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
    """Every text in every place: the error names the field and quotes nothing of it."""
    given = inputs(key)[at]
    for place in places(given):
        for text in TEXTS.values():
            found = taken(given, {place.path: text})
            if isinstance(found, ValidationError):
                assert names(found, place), (str(place), text, found.errors(include_input=False))
                assert len(text.strip()) < 3 or text not in str(found), str(place)


@pytest.mark.parametrize("payload", TEXTS, ids=str)
@pytest.mark.parametrize(("key", "at"), cases())
def test_a_text_moves_no_decision(key: str, at: int, payload: str, open_shop: Shop, alone: Shop) -> None:
    """Planted wherever it is taken, beside a plain name in the same places: same figures, same words, same request."""
    given = inputs(key)[at]
    spots = [
        place.path
        for place in texts_of(key, given)
        if isinstance(taken(given, {place.path: TEXTS[payload]}), BaseModel)
        and isinstance(taken(given, {place.path: PLAIN}), BaseModel)
    ]
    hostile, plain = (taken(given, dict.fromkeys(spots, text)) for text in (TEXTS[payload], PLAIN))
    assert isinstance(hostile, BaseModel)
    assert isinstance(plain, BaseModel)
    typed = spellings(TEXTS[payload]) if spots else []
    for one in (open_shop, alone):
        requests(one)
        found, beside = one.call(EIGHT[key], hostile), one.call(EIGHT[key], plain)
        assert found.source == beside.source
        assert unnamed(decided(key, found), typed) == unnamed(decided(key, beside), [PLAIN])
        if key not in OWN_WORDS:
            assert unnamed(prose(key, found), typed) == unnamed(prose(key, beside), [PLAIN])
        sent = requests(one)
        assert len({system for system, _ in sent}) <= 1
        if key != "product_description":
            assert len({text for _, text in sent}) <= 1, "names do not leave"
