"""All eight features with people's data typed everywhere: none of it is sent, kept, logged or told by an error.

A name typed into a product's own text is the one thing that cannot be known: nothing declares it. Telephone numbers,
addresses and documents are found there too.
"""

from __future__ import annotations

import json
import random
from contextlib import closing
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel

from ai_addons import AddOns, InsufficientCreditsError
from ai_addons.testing import ManualClock, kit_settings
from tests.canaries import canary
from tests.eight import EIGHT, KEYS, asked, inputs
from tests.fuzz_shop import ROUTES, Diary, listening
from tests.hostile import places, taken
from tests.leaks import ALONE, Net, files_under, rows_of_sqlite, told_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_addons.testing.routes import ModelRoutes
    from tests.canaries import Canary

pytestmark: Final = pytest.mark.timeout(300)

SOMEBODY: Final = canary(random.Random(57))  # noqa: S311  # an invented person, not a secret
KINDS: Final = ("name", "phone", "email", "card")
SAYS: Final = {"question": "Who are my best customers? Ask {}.", "existing_description": "Ask {} about this cloth."}
"""Texts of several words: the value stands in a sentence there."""
NOT_NAMES: Final = frozenset({"category", "language", "channel"})
BUSINESS, POOR = "biz", "poor"


def net() -> Net:
    """What must not be seen."""
    found = Net()
    found.add(SOMEBODY)
    return found


def typed(key: str, given: BaseModel, first: int) -> BaseModel:
    """The input with a value of somebody's wherever a text is taken, the kinds in turn."""
    turn = cycle(KINDS[1:] if key == "product_description" else KINDS[first:] + KINDS[:first])
    changed = given
    at: dict[Any, object] = {}
    for place in places(given):
        if place.number or place.name in NOT_NAMES:
            continue
        text = SAYS.get(place.name, "{}").format(getattr(SOMEBODY, next(turn)).text)
        found = taken(given, {**at, place.path: text})
        if isinstance(found, BaseModel):
            changed, at = found, {**at, place.path: text}
    assert at or key in {"product_description", "credit_assessment"}
    return changed


@cache
def everything() -> tuple[tuple[str, BaseModel, tuple[str, ...]], ...]:
    """Every feature with every input, a person's values in it, each field with two kinds of them, and its answers."""
    given = [(key, typed(key, one, first)) for key in KEYS for one in inputs(key) for first in (0, 1)]
    return tuple((key, one, tuple(answer.answer for answer in asked(EIGHT[key], one))) for key, one in given)


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AddOns]:
    """A shop that keeps its books and its answers on disk."""
    settings = kit_settings(
        store={"url": f"sqlite:///{tmp_path / 'shop.db'}"},
        cache={"backend": "disk", "directory": tmp_path / "cache"},
        models={"small": request.param},
    )
    with closing(AddOns(settings, clock=ManualClock(), environ={})) as addons:
        addons.grant(BUSINESS, 10_000, source="adjustment", ref="funds")
        yield addons
        assert addons.doctor().ok


@pytest.mark.parametrize("opened", ROUTES, indirect=True)
def test_nothing_of_a_person_leaves_or_stays(
    opened: AddOns, ai_routes: ModelRoutes, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Not in a byte on the wire, in the cache, in a row of the books, in a log, or in what an error tells."""
    provider = request.node.callspec.params["opened"].partition("/")[0]
    looked_for, diary, told = net(), Diary(), list[str]()
    with listening(diary, loud=False):
        for key, given, answers in everything():
            feature = EIGHT[key].feature.options(addons=opened)
            for answer in answers:
                ai_routes.answer(provider, json.loads(answer))
            before = len(ai_routes.calls)
            result = feature.options(business=BUSINESS)(given)
            assert len(ai_routes.calls) > before or result.source == "cache", key
            with pytest.raises(InsufficientCreditsError) as short:
                feature.options(business=POOR)(given)
            told.append(told_by(short.value))
    for call in ai_routes.calls:
        assert not looked_for.catch(f"{call.path} {dict(call.headers)} {call.body.decode()}")
    assert not looked_for.catch("\n".join(told))
    assert not looked_for.catch("\n".join(diary.lines))
    assert not looked_for.catch(rows_of_sqlite(tmp_path / "shop.db"))
    assert not looked_for.catch(files_under(tmp_path), shortest=ALONE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_finds_what_it_looks_for(kind: str) -> None:
    """The net is not blind: each value is seen in a text that holds it."""
    value: str = getattr(SOMEBODY, kind).text
    assert value in net().catch(f'{{"question": "Ask {value} today"}}')


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", KEYS)
def test_an_error_of_the_input_quotes_nothing(key: str, kind: str) -> None:
    """A value in a field that does not take it: the error names the field alone."""
    value: str = getattr(SOMEBODY, kind).text
    looked_for = net()
    for given in inputs(key):
        for place in places(given):
            found = taken(given, {place.path: value})
            assert isinstance(found, BaseModel) or not looked_for.catch(f"{found} {found!r}"), str(place)


def test_somebody_is_invented() -> None:
    """The same invention every time."""
    again: Canary = canary(random.Random(57))  # noqa: S311  # as above
    assert again == SOMEBODY
