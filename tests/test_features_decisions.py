"""What a model is never asked for, what no input holds, and what no result can leave out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
from pydantic import BaseModel, ValidationError

from ai_addons.features.collection_message import CollectionMessage
from ai_addons.features.credit_assessment import CreditAssessment
from ai_addons.llm.dialect import for_wire
from tests.eight import DECIDED, EIGHT, KEYS, PROSE, WAYS, inputs, shop
from tests.hostile import planted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.eight import Way

ECHOED: Final[Mapping[str, frozenset[str]]] = {
    "product_description": frozenset(),
    "report_summary": frozenset({"direction"}),
    "customer_insight": frozenset(),
    "collection_message": frozenset(),
    "credit_assessment": frozenset({"code", "direction"}),
    "collection_analysis": frozenset(),
    "inventory_forecast": frozenset({"ref"}),
    "portfolio_dashboard": frozenset({"area"}),
}
"""Names of decisions that an answer has to repeat, so that its sentences can be put where they belong; compared with
what code decided, and never taken over."""

_TRAITS: Final = (
    "age aged birth birthday birthdate born dob gender sex religion religious creed faith tribe tribal ethnic ethnicity"
    " race racial skin nationality citizenship origin hometown region district village marital married spouse children"
    " family political politics party disability disabled health income wealth education occupation"
)
TRAITS: Final = frozenset(_TRAITS.split())
"""Words of a field's name that would let a protected trait, or a stand-in for one, into a decision."""


def models(kind: Any) -> Iterator[type[BaseModel]]:
    """Every pydantic model that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(kind):
        yield from models(part)


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from nodes(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from nodes(part)


def answers(way: Way) -> list[dict[str, Any]]:
    """The schemas that a provider is sent."""
    with shop() as one:
        one.call(way.built, way.given, **way.options)
        return [for_wire(call.request.schema) for call in one.llm.calls if call.request.schema is not None]


def asked_for(way: Way) -> set[str]:
    """The names of all that a provider is asked for."""
    return {name for schema in answers(way) for node in nodes(schema) for name in node.get("properties", {})}


def test_there_are_eight() -> None:
    """Found by their entry points."""
    assert len(KEYS) == 8
    assert set(KEYS) == set(DECIDED) == set(PROSE) == set(ECHOED)


@pytest.mark.parametrize("key", KEYS)
def test_every_part_of_a_result_is_decided_by_code_or_a_text(key: str) -> None:
    """A new field has to be put on one of the two lists."""
    with shop() as one:
        data = one.call(EIGHT[key], EIGHT[key].given).data
    named = set(type(data).model_fields)
    tops = {name.partition(".")[0] for name in DECIDED[key] | PROSE[key]}
    assert tops == named
    assert not DECIDED[key] & PROSE[key]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_no_decision_is_in_the_schema_of_an_answer(way: Way) -> None:
    """An obeyed order has no field to land in, on any level."""
    with shop() as one:
        dumped = one.call(way.built, way.given, **way.options).data.model_dump(mode="json")
    key = way.built.key
    tops = {name.partition(".")[0] for name in DECIDED[key]}
    inner = {name.rpartition(".")[2] for name in DECIDED[key] if "." in name}
    whole = tops - {name.partition(".")[0] for name in PROSE[key]}
    deep = {name for top in whole for node in nodes(dumped[top]) for name in node}
    # Every row of either side may have a text.
    assert asked_for(way) & ((whole | inner | deep) - {"text"}) == ECHOED[key]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_answer_is_texts_and_choices_only(way: Way) -> None:
    """No number and no truth value is asked for, and nothing may be added."""
    schemas = answers(way)
    assert schemas
    for node in (node for schema in schemas for node in nodes(schema)):
        assert node.get("type") not in {"number", "integer", "boolean"}
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) == set(node["properties"])


@pytest.mark.parametrize("key", KEYS)
def test_no_input_has_a_field_for_a_protected_trait(key: str) -> None:
    """Act 1052 of 2020: none of them may play a part, so there is nowhere to put one."""
    for model in models(type(EIGHT[key].given)):
        for name in model.model_fields:
            assert not TRAITS & set(re.split("_", name)), f"{model.__name__}.{name}"


@pytest.mark.parametrize("trait", ["gender", "age", "religion", "ethnicity", "marital_status", "region", "phone"])
@pytest.mark.parametrize("key", KEYS)
def test_a_trait_that_is_added_is_refused_by_name(key: str, trait: str) -> None:
    """On every level of the input, whatever the host sends along."""
    for given in inputs(key):
        for path in (path for path, value in parts(given) if isinstance(value, BaseModel)):
            with pytest.raises(ValidationError, match=trait) as caught:
                type(given).model_validate(planted(given.model_dump(), {(*path, trait): "any"}))
            assert [wrong["type"] for wrong in caught.value.errors(include_input=False)] == ["extra_forbidden"]


def parts(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """A value and all models in it, of rows the first one."""
    yield path, value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from parts(getattr(value, name), (*path, name))
    elif isinstance(value, tuple) and value:
        yield from parts(value[0], (*path, 0))


@pytest.mark.parametrize(
    ("model", "flag"), [(CreditAssessment, "requires_human"), (CollectionMessage, "requires_approval")]
)
def test_a_person_has_the_last_word(model: type[BaseModel], flag: str) -> None:
    """The flag is constant: no code path and no answer can make it anything else."""
    assert model.model_fields[flag].default is True
    assert model.model_json_schema()["properties"][flag]["const"] is True
    with pytest.raises(ValidationError, match=flag):
        model.model_validate({flag: False})


@pytest.mark.parametrize(
    ("key", "flag"), [("credit_assessment", "requires_human"), ("collection_message", "requires_approval")]
)
def test_every_result_says_that_a_person_decides(key: str, flag: str) -> None:
    """With a model and without."""
    with shop() as one, shop(down=True) as alone:
        told = [json.loads(each.call(EIGHT[key], EIGHT[key].given).model_dump_json()) for each in (one, alone)]
    assert [result["data"][flag] for result in told] == [True, True]
