"""Keyed hashes: distinct where calls differ, stable where they do not."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, create_model

from ai_addons.cache.arguments import arguments_text
from ai_addons.cache.canonical import canonical
from ai_addons.cache.keys import Keys, Place
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = Keys(b"k" * 32)
PLACE: dict[str, Any] = {
    "scope": "biz_7",
    "feature": "credit_opinion",
    "version": "1",
    "route": ("openai/gpt-6-luna",),
    "settings": {"max_tokens": 300},
    "prompt": [["user", "[PERSON_1] asks"]],
    "schema": {"type": "object"},
    "variant": 0,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class Color(Enum):
    """A plain enum."""

    RED = "red"


class Word(StrEnum):
    """An enum that is a string as well."""

    RED = "red"


class Shop(BaseModel):
    """A model with a field that its own JSON leaves out."""

    name: str
    secret: str = Field(default="", exclude=True)


class BigShop(Shop):
    """A subclass with one field more."""

    branches: int = 2


class Open(BaseModel):
    """A model that takes anything."""

    model_config = ConfigDict(extra="allow")


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """A dataclass."""

    x: int
    y: int


def of(value: object) -> str:
    """The canonical JSON of one argument."""
    return arguments_text({"value": value}).removeprefix('{"value":').removesuffix("}")


@given(json_values)
def test_canonical_text_reads_back_as_the_same_value(value: object) -> None:
    """Nothing is lost between a value and the text that is hashed."""
    assert json.loads(canonical(value)) == value


@given(st.dictionaries(st.text(), st.integers()))
def test_canonical_text_does_not_depend_on_the_order_of_keys(value: dict[str, int]) -> None:
    """A dict built in another order is the same request."""
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_canonical_text_refuses_what_json_does_not_have(value: object) -> None:
    """NaN must not become a text that another parser refuses."""
    with pytest.raises(ValueError, match="Out of range"):
        canonical(value)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("scope", "biz_8"),
        ("feature", "credit"),
        ("version", "2"),
        ("route", ("openai/gpt-6-luna", "openai/gpt-6-sol")),
        ("settings", {"max_tokens": 301}),
        ("prompt", [["user", "[PERSON_1] asks "]]),
        ("schema", None),
        ("variant", 1),
    ],
)
def test_every_part_of_a_call_changes_the_cache_key(name: str, other: object) -> None:
    """No business, model, setting or prompt ever gets the answer to another."""
    assert KEYS.cache_key(**PLACE) != KEYS.cache_key(**{**PLACE, name: other})


def test_cache_key_does_not_depend_on_keyword_order_and_shows_nothing() -> None:
    """The same call has the same key, and neither business nor prompt can be read from it."""
    key = KEYS.cache_key(**PLACE)
    assert key == KEYS.cache_key(**dict(reversed(PLACE.items())))
    assert len(bytes.fromhex(key)) == 32


def test_several_cache_keys_of_one_prompt_are_those_of_each() -> None:
    """Writing the prompt once gives what writing it for each would."""
    rest = {name: PLACE[name] for name in ("feature", "version", "prompt", "schema")}
    places = [
        Place(scope="biz_7", route=("openai/gpt-6-luna",), settings={"max_tokens": 300}),
        Place(scope="biz_8", route=(), settings={}, variant=2),
    ]
    assert KEYS.cache_keys(places, **(rest | {"schema": canonical(rest["schema"])})) == [
        KEYS.cache_key(**PLACE),
        KEYS.cache_key(**(PLACE | {"scope": "biz_8", "route": (), "settings": {}, "variant": 2})),
    ]


def test_purposes_and_secrets_do_not_share_hashes() -> None:
    """A tag cannot be used to look up a trial claim, nor one installation's hashes in another."""
    same_value = KEYS._hash("cache", "x"), KEYS._hash("request", "x"), Keys(b"q" * 32)._hash("cache", "x")
    assert len(set(same_value)) == 3


def test_hashes_are_stable_between_releases() -> None:
    """Stored request hashes, claims and tags stay valid: changing these values breaks every installation."""
    assert KEYS.tag("biz_7") == "72f5cb56ad43b11818991db24508ac68"
    assert KEYS.trial_claim("phone", "0244123456")[:16] == "07109b0776658c62"
    assert KEYS.request_hash("f", "1", {"a": 1}, {})[:16] == "b862ffb03c029e89"
    assert KEYS.cache_key(**PLACE)[:16] == "2f06b68380e378d3"


def test_short_secret_is_refused_without_showing_it() -> None:
    """A secret that could be guessed protects nothing, and an error must not print it."""
    with pytest.raises(ConfigError, match="32 or more") as caught:
        Keys(b"hunter2")
    assert "hunter2" not in str(caught.value)
    assert "kkk" not in repr(KEYS)


@given(st.text(), st.text())
def test_different_requests_have_different_hashes(one: str, two: str) -> None:
    """Moving a character from one argument to the next is another request, also with odd characters."""
    hashes = {KEYS.request_hash("f", "1", {"a": a, "b": b}, {}) for a, b in ((one, two), (two, one), (one + two, ""))}
    assert len(hashes) == len({(one, two), (two, one), (one + two, "")})


def test_lone_surrogates_can_be_hashed() -> None:
    """A broken character from a spreadsheet does not stop a call."""
    assert KEYS.tag("\ud800") != KEYS.tag("\ud801")


def test_tag_names_a_business_by_no_part_of_its_id() -> None:
    """The tag in the cache tells no one whose answers they are."""
    assert KEYS.tag("biz_7") != KEYS.tag("biz_8")
    assert len(KEYS.tag("biz_7")) == 32


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", "024 412 3456", "+233244123456"),
        ("phone", "0244-123-456", "00233 244 123456"),
        ("phone", "0244123456", "\uff10\uff12\uff14\uff14\uff11\uff12\uff13\uff14\uff15\uff16"),
        ("tax_id", " c000-123 456x", "C000123456X"),
        ("email", " Ama@Shop.GH ", "ama@shop.gh"),
        ("business", "STRASSE", "stra\u00dfe"),
    ],
)
def test_one_trial_claim_whatever_way_it_is_written(kind: str, one: str, other: str) -> None:
    """A second trial is not had by writing the same phone number differently."""
    assert KEYS.trial_claim(kind, one) == KEYS.trial_claim(kind, other)


def test_trial_claims_differ_by_kind_and_value() -> None:
    """One shop's phone is not another's, and a phone is no tax id."""
    claims = [("phone", "0244123456"), ("phone", "0244123457"), ("tax_id", "0244123456"), ("email", "244123456")]
    assert len({KEYS.trial_claim(kind, value) for kind, value in claims}) == 4


@pytest.mark.parametrize(("kind", "value"), [("phone", "none"), ("tax_id", "--"), ("email", "  ")])
def test_empty_trial_claim_is_refused(kind: str, value: str) -> None:
    """Shops without a phone must not all share one claim."""
    with pytest.raises(ConfigError, match=f"The {kind} given for the trial is empty"):
        KEYS.trial_claim(kind, value)


@given(st.integers(), st.integers(min_value=1, max_value=9))
def test_variant_is_stable_and_in_range(argument: int, n: int) -> None:
    """The same customer always gets the same wording."""
    hashed = KEYS.request_hash("f", "1", {"a": argument}, {})
    assert 0 <= KEYS.variant(hashed, n) < n
    assert KEYS.variant(hashed, n) == KEYS.variant(hashed, n)


def test_variants_are_all_used() -> None:
    """Four wordings for a collection message means four, evenly."""
    picked = [KEYS.variant(KEYS.tag(str(number)), 4) for number in range(400)]
    assert {picked.count(variant) > 60 for variant in range(4)} == {True}


@pytest.mark.parametrize(
    "values",
    [
        (1, "1", Decimal(1), True, 1.0, b"1", 1 << 70, [1], {"1": 1}, {1: 1}),
        (None, "None", "null", "", [], {}, [None]),
        (Color.RED, Word.RED, "red", "Color.RED"),
        (Decimal("1.0"), Decimal("1.00"), "1.0"),
        (Decimal("0.1"), 0.1, "0.1"),
        (float("nan"), float("inf"), float("-inf"), "nan"),
        (date(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01"),  # noqa: DTZ001  # reason: naive on purpose
        (time(1, 2), timedelta(hours=1, minutes=2), "01:02:00"),
        (UUID(int=1), str(UUID(int=1)), UUID(int=2)),
        (b"ab", bytearray(b"ab"), "YWI=", "ab"),
        (PurePosixPath("a/b"), "a/b", IPv4Address("10.0.0.1"), AnyUrl("https://a.gh/")),
        ({1, 2}, [1, 2], {1: 2}, {1, 3}),
        ({"!": ["Decimal", "1"]}, Decimal(1)),
        (Shop(name="a"), {"name": "a", "secret": ""}, BigShop(name="a"), BigShop(name="a", branches=3)),
        (Shop(name="a"), Shop(name="a", secret="b")),
        (Open.model_validate({"a": 1}), Open.model_validate({"a": 2}), Open()),
        (Point(1, 2), Point(2, 1), {"x": 1, "y": 2}),
        (["ab", "c"], ["a", "bc"], [["ab"], "c"]),
    ],
)
def test_different_arguments_never_look_alike(values: tuple[object, ...]) -> None:
    """A repeat is free only if it really is one."""
    assert len({of(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2), [1, 2]),
        ({"a": 1, "b": 2}, MappingProxyType({"b": 2, "a": 1})),
        ({1: "a", 2: "b"}, {2: "b", 1: "a"}),
        ({"x", "y", "z"}, frozenset({"z", "y", "x"})),
        ({Point(1, 2), Point(3, 4)}, {Point(3, 4), Point(1, 2)}),
        (Shop(name="a"), Shop.model_validate({"secret": "", "name": "a"})),
    ],
)
def test_equal_arguments_look_alike(one: object, other: object) -> None:
    """A repeat is recognised however its arguments were put together."""
    assert of(one) == of(other)


class Row(BaseModel):
    """A row as the built-in features take it."""

    ref: str
    day: date
    amount: Decimal
    note: str | int | float | bool | Decimal | None = None


class Rows(BaseModel):
    """Many of them."""

    rows: tuple[Row, ...]


class Hidden(BaseModel):
    """A model with a value that is no field."""

    name: str
    _seen: int = PrivateAttr(default=0)


class Proxy:
    """Passes for what it holds."""

    def __init__(self, held: object) -> None:
        self._held = held

    @property  # type: ignore[misc]  # reason: this is how proxies do it
    def __class__(self) -> type:
        return type(self._held)

    def __getattr__(self, name: str) -> Any:  # reason: whatever it holds
        return getattr(self._held, name)

    def __iter__(self) -> Iterator[object]:
        return iter(self._held)  # type: ignore[call-overload, no-any-return]  # reason: whatever it holds

    def __contains__(self, key: object) -> bool:
        return key in self._held  # type: ignore[operator]  # reason: whatever it holds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([True, False, 1, -2, 1.5, 1e300, '\u00e9\n"'], '[true,false,1,-2,1.5,1e+300,"\u00e9\\n\\""]'),
        (2**63, '{"!":["int","0x8000000000000000"]}'),
        (1 - 2**63, "-9223372036854775807"),
        (2**64, '{"!":["int","0x10000000000000000"]}'),
        (float("-inf"), '{"!":["float","-inf"]}'),
        (Color.RED, '{"!":["enum","tests.test_cache_keys.Color","RED"]}'),
        (Decimal("1.50"), '{"!":["Decimal","1.50"]}'),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), '{"!":["datetime","2026-01-02T03:00:00+00:00"]}'),
        (timedelta(days=1, seconds=2), '{"!":["timedelta","1d 2s 0us"]}'),
        (PurePosixPath('a"b'), '{"!":["PurePath","a\\"b"]}'),
        (b"ab", '{"!":["bytes","YWI="]}'),
        ({2, 10}, '{"!":["set",[10,2]]}'),
        ({"b": 1, "a": ()}, '{"a":[],"b":1}'),
        ({2: "b", 1: "a"}, '{"!":["mapping",[[1,"a"],[2,"b"]]]}'),
        ({"!": 1}, '{"!":["mapping",[["!",1]]]}'),
        (Shop(name="a%s"), '{"!":["model","tests.test_cache_keys.Shop",{"name":"a%s","secret":""}]}'),
        (Open.model_validate({"b": 1, "a": 2}), '{"!":["model","tests.test_cache_keys.Open",{"a":2,"b":1}]}'),
        (
            Open.model_validate({"!": 1}),
            '{"!":["model","tests.test_cache_keys.Open",{"!":["mapping",[["!",1]]]}]}',
        ),
        (Point(1, 2), '{"!":["dataclass","tests.test_cache_keys.Point",{"x":1,"y":2}]}'),
        (Proxy({"a": 1}), '{"a":1}'),
    ],
)
def test_the_text_of_arguments_is_the_same_in_every_release(value: object, text: str) -> None:
    """Stored hashes are taken over it, so no other way of writing may come to be."""
    assert of(value) == text


class Nothing(BaseModel):
    """A model without a field."""


class Node(BaseModel):
    """A model that holds its own kind."""

    name: str
    inner: Node | None = None


class Loud(Decimal):
    """An amount that writes itself in its own way."""

    def __str__(self) -> str:
        return f'"{super().__str__()}"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Nothing(), '{"!":["model","tests.test_cache_keys.Nothing",{}]}'),
        (
            Node(name="a", inner=Node(name="b")),
            (
                '{"!":["model","tests.test_cache_keys.Node",{"inner":{"!":["model","tests.test_cache_keys.Node",'
                '{"inner":null,"name":"b"}]},"name":"a"}]}'
            ),
        ),
        ([Loud(1), Decimal(1)], '[{"!":["Decimal","\\"1\\""]},{"!":["Decimal","1"]}]'),
        ([date(2026, 1, 2), date(2026, 1, 2)], '[{"!":["date","2026-01-02"]},{"!":["date","2026-01-02"]}]'),
    ],
)
def test_every_shape_of_a_value_is_written_whole(value: object, text: str) -> None:
    """No field, its own kind inside, a subclass that writes itself otherwise, a day met before."""
    assert of(value) == text


@pytest.mark.parametrize(("kind", "missing"), [(Row, "amount"), (Open, "only")])
def test_a_model_without_a_value_is_refused(kind: type[BaseModel], missing: str) -> None:
    """A model made past its validation may lack a field; nobody can say which request it is."""
    model = create_model("Half", __base__=kind, only=(int, ...))
    hollow = model.model_construct()
    with pytest.raises(ConfigError, match=f"Half without a value for '{missing}'"):
        arguments_text({"stock": hollow})


def test_a_proxy_counts_as_what_it_holds_now() -> None:
    """Two proxies of one class may hold different things."""
    assert of([Proxy({"a": 1}), Proxy([1, 2]), Proxy({"a": 1})]) == '[{"a":1},[1,2],{"a":1}]'


def test_private_attributes_do_not_count() -> None:
    """What a model keeps for itself changes no request."""
    one, other = Hidden(name="a"), Hidden(name="a")
    other._seen = 2
    assert of(one) == of(other)


def test_an_odd_field_name_is_only_a_name() -> None:
    """A percent sign or a dot in a name is no instruction to anybody."""
    kind = create_model("Odd", **{"a.b": (int, 1), "c%s": (int, 2)})  # type: ignore[call-overload]  # reason: odd names
    assert json.loads(of(kind()))["!"][2] == {"a.b": 1, "c%s": 2}
    tagged = create_model("Tagged", **{"!": (int, 1)})  # type: ignore[call-overload]  # reason: an odd name
    assert json.loads(of(tagged()))["!"][2] == {"!": ["mapping", [["!", 1]]]}


rows = st.builds(
    Row,
    ref=st.text(max_size=3),
    day=st.dates(),
    amount=st.decimals(allow_nan=False, allow_infinity=False, places=2),
    note=st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "1", "true", "null"]),
)


@given(st.lists(rows, max_size=4), st.lists(rows, max_size=4))
def test_rows_of_models_are_told_apart_exactly(one: list[Row], two: list[Row]) -> None:
    """Large inputs hash alike exactly if each field of each row is the same, its type included."""
    same = [repr(row) for row in one] == [repr(row) for row in two]
    assert (of(Rows(rows=tuple(one))) == of(Rows(rows=tuple(two)))) == same
    assert of(Rows(rows=tuple(one))) == of(Rows(rows=tuple(row.model_copy() for row in one)))


@given(json_values)
def test_arguments_that_are_json_are_written_as_they_are(value: object) -> None:
    """What JSON has a form for is canonical JSON, but for its own mark and huge integers."""
    plain = canonical(value)
    if '"!"' not in plain and not _huge(value):
        assert of(value) == plain


def _huge(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_huge, value.values()))
    return any(map(_huge, value)) if isinstance(value, list) else isinstance(value, int) and abs(value) >= 2**63


def test_several_hashes_of_one_request_are_those_of_each() -> None:
    """Reading the arguments once gives what reading them for each would."""
    options: list[dict[str, object]] = [{}, {"model": "large"}]
    once = KEYS.request_hashes("f", "1", {"a": [1, "\ud800"]}, options)
    assert once == [KEYS.request_hash("f", "1", {"a": [1, "\ud800"]}, each) for each in options]
    assert len(set(once)) == 2


@given(json_values, json_values)
def test_arguments_are_told_apart_exactly(one: object, two: object) -> None:
    """Two arguments hash alike only if their JSON is the same."""
    assert (of(one) == of(two)) == (canonical(one) == canonical(two))


def _generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    "value",
    [object(), _generator(), Shop, len, [1, {"deep": object()}], Open.model_validate({"x": object()}), SecretStr("a")],
)
def test_arguments_without_content_are_refused_by_name(value: object) -> None:
    """An object whose content cannot be told must not be mistaken for a repeat; the error says which and why."""
    with pytest.raises(ConfigError, match=r"The argument 'stock' is or holds a value of type .*Nothing was charged"):
        arguments_text({"stock": value})


def test_argument_that_contains_itself_is_refused() -> None:
    """A cyclic list ends in a clear error rather than in a crash."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ConfigError, match="contains itself"):
        arguments_text({"stock": loop})
