from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from ai_addons.errors import ConfigError
from ai_addons.llm.dialect import for_wire
from ai_addons.llm.schema import AnswerType, BadAnswer, Json


class Mood(Enum):
    """An enum of texts."""

    GOOD = "good"
    BAD = "bad"


class Leaf(BaseModel):
    """A model whose fields have the names of schema keywords."""

    title: str = "untitled"
    default: int | None = None
    const: Literal["x"] = "x"


class Tree(BaseModel):
    """A recursive model."""

    name: Annotated[str, Field(min_length=1, max_length=40, description="What it is called.")]
    mood: Mood
    leaf: Leaf
    branches: list[Tree] = []
    pair: tuple[int, str, int]
    tags: set[str] = set()
    price: Decimal = Field(default=Decimal(0), ge=0, examples=[1])
    day: date | None = None


class Cat(BaseModel):
    """One of a tagged union."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


@dataclass
class Point:
    """A dataclass."""

    x: int
    y: int = 0


class Row(TypedDict):
    """A typed dict."""

    name: str


class Place(NamedTuple):
    """A named tuple."""

    row: int
    column: int


def _refuse(value: str) -> str:
    msg = f"{value} is not allowed"
    raise ValueError(msg)


def _refuse_custom(value: str) -> str:
    kind = "not_allowed"
    raise PydanticCustomError(kind, "{value} is not allowed", {"value": value})


class Strict(BaseModel):
    """A model that takes no strangers and whose validator quotes the value."""

    model_config = ConfigDict(extra="forbid", strict=True)

    day: date
    word: Annotated[str, AfterValidator(_refuse)]


TYPES = (Tree, Leaf, Cat, Pet, Point, Row, Place, Mood, int, bool, float, Decimal, date, Literal["a", 1])
WRAPPED = (list[Tree], int | None, Tree | None, list[list[int]], tuple[int, ...], set[int], type(None))
ALL = [*TYPES, *WRAPPED]


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    """Every schema node, going by position and not by key."""
    assert isinstance(schema, dict)
    yield schema
    for keyed in ("properties", "$defs"):
        for child in schema.get(keyed, {}).values():
            yield from nodes(child)
    for child in schema.get("anyOf", []):
        yield from nodes(child)
    if "items" in schema:
        yield from nodes(schema["items"])


@pytest.mark.parametrize("type_", ALL, ids=str)
def test_every_schema_is_in_the_strict_dialect(type_: object) -> None:
    """The root is an object, all is required, nothing may be added, and only known words are used."""
    schema = AnswerType(type_).schema
    assert schema is not None
    assert schema["type"] == "object"
    for node in nodes(schema):
        if node.get("type") == "object":
            assert node["required"] == list(node["properties"])
            assert node["additionalProperties"] is False
        assert not {"title", "default", "const", "oneOf", "allOf", "discriminator", "examples"} & set(node)
        assert "$ref" not in node or set(node) == {"$ref"}
        assert set(node) & {"type", "anyOf", "$ref", "enum"}


def test_fields_named_like_keywords_stay() -> None:
    """A field called title is a field, not a keyword to drop."""
    assert AnswerType(Leaf).schema == {
        "type": "object",
        "description": "A model whose fields have the names of schema keywords.",
        "properties": {
            "title": {"type": "string"},
            "default": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "const": {"type": "string", "enum": ["x"]},
        },
        "required": ["title", "default", "const"],
        "additionalProperties": False,
    }


def test_a_recursive_type_keeps_its_definition_and_drops_those_not_used() -> None:
    """The root is written out; what refers back to it still can."""
    schema = AnswerType(Tree).schema
    assert schema is not None
    assert schema["properties"]["branches"] == {"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    assert set(schema["$defs"]) == {"Tree", "Leaf", "Mood"}
    assert "$defs" not in (AnswerType(Cat).schema or {})


def test_a_tagged_union_becomes_a_plain_choice() -> None:
    """Strict mode knows no oneOf; the tag's own values keep the choices apart."""
    schema = AnswerType(Pet).schema
    assert schema is not None
    assert schema["properties"]["value"] == {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}


def test_patterns_go_along_only_where_strict_mode_can_read_them() -> None:
    """A pattern with look-around would make the provider refuse the whole request."""
    plain = AnswerType(Annotated[str, Field(pattern="^[a-z]+$")]).schema
    number = AnswerType(Decimal).schema

    assert plain is not None
    assert plain["properties"]["value"] == {"type": "string", "pattern": "^[a-z]+$"}
    assert "pattern" not in str(number)


def test_what_strict_mode_refuses_is_sent_as_words() -> None:
    """Lengths and uniqueness are said to the model in the description; bounds of numbers stay."""
    schema = AnswerType(Tree).schema
    assert schema is not None

    sent = for_wire(schema)

    assert sent["properties"]["name"] == {
        "type": "string",
        "description": "What it is called. At least 1 characters. At most 40 characters.",
    }
    assert sent["properties"]["tags"]["description"] == "No item twice."
    assert not [node for node in nodes(sent) if {"minLength", "maxLength", "uniqueItems"} & set(node)]
    assert schema["properties"]["name"]["maxLength"] == 40


def test_a_field_named_like_a_length_is_not_taken_for_one() -> None:
    """The notes are made from keywords, not from fields."""

    class Rule(BaseModel):
        maxLength: int  # noqa: N815  # a keyword's name
        items: str

    schema = AnswerType(Rule).schema
    assert schema is not None

    assert set(for_wire(schema)["properties"]) == {"maxLength", "items"}


@pytest.mark.parametrize(
    "type_", [dict[str, int], dict[str, Any], list[dict[str, int]], Any, object, list[Any]], ids=str
)
def test_a_type_that_no_model_can_be_held_to_is_refused(type_: object) -> None:
    """Free keys and values of any kind are a developer's error, told when the feature is declared."""
    with pytest.raises(ConfigError, match=r"allows (free keys|values of any kind).*Nothing was charged"):
        AnswerType(type_)


@pytest.mark.parametrize("type_", [Callable[[], int], type("Plain", (), {})], ids=str)
def test_a_type_without_a_json_form_is_refused(type_: object) -> None:
    """What pydantic cannot read or write is named."""
    with pytest.raises(ConfigError, match="A model cannot answer"):
        AnswerType(type_)


def test_the_place_of_the_fault_is_named() -> None:
    """In a large answer type the developer must find the field."""

    class Inner(BaseModel):
        scores: dict[str, int]

    with pytest.raises(ConfigError, match=r"scores allows free keys"):
        AnswerType(Inner)


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (int, 5, '{"value":5}'),
        (list[str], ["ɔ", "b"], '{"value":["ɔ","b"]}'),
        (Cat, Cat(kind="cat", lives=9), '{"kind":"cat","lives":9}'),
        (date | None, date(2026, 3, 1), '{"value":"2026-03-01"}'),
        (date | None, None, '{"value":null}'),
        (Decimal, Decimal("1.10"), '{"value":"1.10"}'),
        (Point, Point(1), '{"x":1,"y":0}'),
        (str, " plain\n", " plain\n"),
    ],
    ids=str,
)
def test_a_value_survives_the_way_to_text_and_back(type_: object, value: object, text: str) -> None:
    """What is dumped for the offline model reads back as the same value."""
    answer = AnswerType(type_)

    assert answer.dump(value) == text
    back = answer.validate(answer.parse(text))
    assert back == (value.strip() if isinstance(value, str) else value)


@given(st.lists(st.tuples(st.integers(), st.text(), st.booleans())))
def test_any_value_of_a_type_survives(value: list[tuple[int, str, bool]]) -> None:
    """Round trip over random values."""
    answer = AnswerType(list[tuple[int, str, bool]])

    assert answer.validate(answer.parse(answer.dump(value))) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Here you are: {}",
        '```json\n{"kind":"dog"}\n```',
        '{"kind":"dog"',
        '{"kind":"dog"} {}',
        '{"kind":NaN}',
        '{"kind":"\\ud800"}',
        '["dog"]',
        '"dog"',
        "null",
        "[" * 10_000,
    ],
)
def test_text_that_is_no_json_object_is_not_mended(text: str) -> None:
    """Fences, prose, cut-off and doubled JSON are faults, named without quoting the text."""
    with pytest.raises(BadAnswer) as caught:
        AnswerType(Dog).parse(text)

    (fault,) = caught.value.faults
    assert fault.startswith("answer: ")
    assert "dog" not in fault


@pytest.mark.parametrize("text", ["{}", '{"value":1,"more":2}', '{"answer":1}'])
def test_a_wrapped_answer_has_exactly_its_one_key(text: str) -> None:
    """The wrapper is ours, so anything else in it is a fault."""
    with pytest.raises(BadAnswer, match="one key 'value'"):
        AnswerType(int).parse(text)


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_text_is_no_answer(text: str) -> None:
    """A plain text answer must say something."""
    with pytest.raises(BadAnswer, match="empty"):
        AnswerType(str).parse(text)


def test_faults_name_place_and_message_but_no_value() -> None:
    """A fault goes into logs: no value of the answer, no invented key, nothing that a validator quotes."""
    answer: dict[str, Json] = {"day": "SECRET", "word": "SECRET", "SECRET": 1}

    with pytest.raises(BadAnswer) as caught:
        AnswerType(Strict).validate(answer)

    assert "SECRET" not in str(caught.value)
    assert set(caught.value.faults) == {
        "day: Input should be a valid date in the format YYYY-MM-DD, input is too short",
        "word: value_error",
        "*: Extra inputs are not permitted",
    }


@pytest.mark.parametrize(
    ("type_", "answer", "fault"),
    [
        (Pet, {"kind": "SECRET"}, "answer: union_tag_invalid"),
        (Annotated[str, AfterValidator(_refuse_custom)], "SECRET", "answer: not_allowed"),
        (list[int], ["SECRET"], "0: Input should be a valid integer, unable to parse string as an integer"),
        (Literal["a", "b"], "SECRET", "answer: Input should be 'a' or 'b'"),
    ],
    ids=lambda case: re.sub(r" at 0x[0-9a-f]+", "", str(case)),  # the same name in every process
)
def test_no_kind_of_fault_quotes_the_answer(type_: object, answer: Any, fault: str) -> None:  # JSON
    """Pydantic's own messages and a host's are treated alike: what may quote is cut to its type."""
    with pytest.raises(BadAnswer) as caught:
        AnswerType(type_).validate(answer)

    assert caught.value.faults == (fault,)


def test_json_rules_hold_for_strict_models_too() -> None:
    """A date comes as text in JSON, also where the model is strict about Python values."""

    class Day(BaseModel, strict=True):
        day: date

    assert AnswerType(Day).validate({"day": "2026-03-01"}) == Day(day=date(2026, 3, 1))


def test_a_type_whose_metadata_has_no_hash_works() -> None:
    """Not every annotation can be a cache key."""
    answer = AnswerType(Annotated[int, ["no", "hash"]])

    assert answer.validate(answer.parse('{"value":3}')) == 3
