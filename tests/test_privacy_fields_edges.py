"""Marks and values where one could slip through: extras, wrong shapes, generics, iterators, secrets, odd texts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import itertools
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, Secret, SecretBytes, computed_field
from pydantic_core import core_schema
from typing_extensions import TypedDict

from ai_addons import AMOUNT_BANDS, DAY_BANDS, Bucket, DateBucket, FreeText, Pii, PrivacyRefused, Public
from ai_addons.privacy.base import Json  # noqa: TC001  # a test's annotation that models here read too
from ai_addons.privacy.mask import BuiltinMasker

Name = Annotated[str, Pii.NAME]
Phone = Annotated[str, Pii.PHONE]
Bound = TypeVar("Bound", bound=Name)
Either = TypeVar("Either", Name, int)
Item = TypeVar("Item")


def send(data: object) -> Json:
    """What would be sent of some data."""
    return BuiltinMasker([], max_field_bytes=65_536).session().mask([], data)[1]


class Person(BaseModel):
    """A nested model."""

    name: Name


class Open(BaseModel):
    """Takes along what it does not declare."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Phone] = Field(init=False)


class OpenChild(Open):
    """Inherits how its extras are marked."""

    name: Name


class Generically(BaseModel, Generic[Item]):
    """A generic model."""

    item: Item


class BoundTo(BaseModel, Generic[Bound]):
    """A generic model whose parameter has a bound."""

    item: Bound


class OneOf(BaseModel, Generic[Either]):
    """A generic model whose parameter has constraints."""

    item: Either


class Cat(BaseModel):
    """One arm of a discriminated union."""

    kind: Literal["cat"] = "cat"
    owner: Name


class Dog(BaseModel):
    """The other arm."""

    kind: Literal["dog"] = "dog"
    chip: Annotated[str, Pii.ID]


class Pets(BaseModel):
    """A discriminated union in a list."""

    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


class Deep(BaseModel):
    """Annotated inside list inside Optional inside dict."""

    people: dict[str, list[Annotated[str, Pii.NAME]] | None] | None = None
    roots: RootModel[dict[str, Phone]] | None = None


class Renamed(BaseModel):
    """A field under other names."""

    name: Name = Field(alias="customerName", serialization_alias="n")
    phone: str = Field(json_schema_extra={"x": 1}, default="", validation_alias="tel")
    tagged: Annotated[str, Field(max_length=20), Pii.ID, "a note of the host"] = ""


class Hidden(BaseModel):
    """Private attributes are no fields."""

    shown: str
    _secret: str = PrivateAttr(default="Ama Mensah")


class Full(BaseModel):
    """A computed field."""

    first: Name
    last: Name

    @computed_field(return_type=Name)  # type: ignore[prop-decorator]  # reason: pydantic's own documented form
    @property
    def full(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  # the decorator gives the type
        return f"{self.first} {self.last}"


class Row(TypedDict, total=False):
    """A typed dict with a nested one."""

    who: Name
    more: Annotated[dict[str, str], Pii.NAME]


class Pair(NamedTuple):
    """A named tuple with a list."""

    names: list[Name]
    debts: dict[Name, Annotated[Decimal, Pii.AMOUNT]]


@dataclasses.dataclass(frozen=True, slots=True)
class Base:
    """A dataclass with slots."""

    name: Name


@dataclasses.dataclass(frozen=True, slots=True)
class Derived(Base, Generic[Item]):
    """One that inherits its mark."""

    item: Item


class Shade(enum.Enum):
    """Constants."""

    AMA = "Ama Mensah"


class Loud(str):
    """A text that answers with something else when it is printed or cut."""

    __slots__ = ()

    def __str__(self) -> str:
        return "nobody"

    def __getitem__(self, key: Any) -> str:
        return "nobody"


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (Open.model_validate({"tel": "0241234567"}), {"tel": "[PHONE_1]"}),
        (OpenChild.model_validate({"name": "Ama", "tel": "none"}), {"name": "[PERSON_1]", "tel": "[PHONE_2]"}),
        (Generically[Name](item="Ama"), {"item": "[PERSON_1]"}),
        (Generically[list[Name] | None](item=["Ama"]), {"item": ["[PERSON_1]"]}),
        (BoundTo(item="Ama"), {"item": "[PERSON_1]"}),
        (OneOf(item="Ama"), {"item": "[PERSON_1]"}),
        (OneOf(item=3), {"item": 3}),
        (
            Pets.model_validate({"pets": [{"kind": "cat", "owner": "Ama"}, {"kind": "dog", "chip": "C-77"}]}),
            {"pets": [{"kind": "cat", "owner": "[PERSON_1]"}, {"chip": "[ID_2]", "kind": "dog"}]},
        ),
        (Deep(people={"a": ["Ama"], "b": None}), {"people": {"a": ["[PERSON_1]"], "b": None}, "roots": None}),
        (Deep.model_validate({"roots": {"x": "none"}}), {"people": None, "roots": {"x": "[PHONE_1]"}}),
        (
            Renamed.model_validate({"customerName": "Ama", "tel": "1", "tagged": "x1"}),
            {"name": "[PERSON_1]", "phone": "1", "tagged": "[ID_2]"},
        ),
        (Hidden(shown="x"), {"shown": "x"}),
        (Full(first="Ama", last="Mensah"), {"first": "[PERSON_1]", "full": "[PERSON_2]", "last": "[PERSON_3]"}),
        (Pair(["Ama"], {"Kofi": Decimal("12.50")}), [["[PERSON_1]"], {"[PERSON_2]": "[AMOUNT_3]"}]),
        (Derived("Ama", 3), {"item": 3, "name": "[PERSON_1]"}),
        (
            [Person(name="Ama Mensah"), Shade.AMA, {Shade.AMA: 1}],
            [{"name": "[PERSON_1]"}, "[PERSON_1]", {"[PERSON_1]": 1}],
        ),
        ({"a": (Person(name=name) for name in ["Ama"])}, {"a": [{"name": "[PERSON_1]"}]}),
        ({"a": {"k": Person(name="Ama")}.values()}, {"a": [{"name": "[PERSON_1]"}]}),
        ({"a": map(str, [1, 2])}, {"a": ["1", "2"]}),
        (b"plain", "plain"),
        (bytearray(b"plain"), "plain"),
    ],
)
def test_marks_are_found_where_they_could_be_missed(data: object, sent: Json) -> None:
    """Each of these would send a name if its mark were not followed."""
    assert send(data) == sent


class Holder(BaseModel):
    """Fields of every sort, filled without validation below."""

    person: Person | None = None
    card: Base | None = None
    row: Row | None = None
    rows: Iterable[Person] | None = None
    text: str = ""
    name: Name = ""


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"person": {"name": "Ama", "age": 3}}, {"person": {"age": 3, "name": "[PERSON_1]"}}),
        ({"card": {"name": "Ama"}}, {"card": {"name": "[PERSON_1]"}}),
        (
            {"row": {"who": "Ama", "more": {"x": "Kofi"}}},
            {"row": {"more": {"[PERSON_1]": "[PERSON_2]"}, "who": "[PERSON_3]"}},
        ),
        ({"rows": [{"name": "Ama"}]}, {"rows": [{"name": "[PERSON_1]"}]}),
        ({"name": ["Ama", {"x": "Kofi"}]}, {"name": ["[PERSON_1]", {"[PERSON_2]": "[PERSON_3]"}]}),
        ({"name": 17}, {"name": "[PERSON_1]"}),
    ],
)
def test_marks_hold_for_values_of_another_shape(fields: dict[str, Any], sent: dict[str, Json]) -> None:
    """A model built without validation may hold a dict for a model; its fields keep their marks."""
    empty: dict[str, Json] = {"person": None, "card": None, "row": None, "rows": None, "text": "", "name": ""}
    assert send(Holder.model_construct(**fields)) == {**empty, **sent}


def test_a_text_of_a_class_of_its_own_is_taken_for_what_it_holds() -> None:
    """What is masked is the characters, not what the class shows of them."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    texts, data = session.mask(
        [Loud("hello Ama Mensah")], Holder.model_construct(name=Loud("Ama Mensah"), text=Loud("x"))
    )
    assert texts == ["hello [PERSON_1]"]
    assert isinstance(data, dict)
    assert (data["name"], data["text"]) == ("[PERSON_1]", "x")
    assert session.vault.restore("[PERSON_1]") == "Ama Mensah"


def test_secrets_never_leave_in_any_form() -> None:
    """Bytes and generic secrets too: stars where they stand, a placeholder where they are quoted."""

    class Keys(BaseModel):
        key: SecretBytes
        number: Secret[int]
        note: str

    sent = send(Keys(key=SecretBytes(b"lima-9"), number=Secret(77_123_456), note="lima-9 77123456"))
    assert sent == {"key": "b'**********'", "note": "[ID_1] [ID_2]", "number": "**********"}


def test_a_list_without_end_is_refused() -> None:
    """An iterator that never stops is not read for ever."""
    with pytest.raises(PrivacyRefused, match="more than 100000 items"):
        send({"numbers": itertools.count()})


class Point:
    """Knows itself how it is written: as an object."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(lambda _: {"name": "Ama", "at": [1, 2]})
        return core_schema.is_instance_schema(cls, serialization=write)


def test_what_writes_itself_as_an_object_is_read_as_one() -> None:
    """The mark around it holds for all its texts and figures."""

    class Place(BaseModel):
        point: Annotated[Point, Pii.ADDRESS]

    sent = send(Place(point=Point()))
    assert sent == {"point": {"[ADDRESS_1]": ["[ADDRESS_2]", "[ADDRESS_3]"], "[ADDRESS_4]": "[ADDRESS_5]"}}


# Bands.


@pytest.mark.parametrize(
    ("period", "value", "band"),
    [
        ("month", dt.date(2026, 11, 5), "2026-11"),
        ("quarter", dt.date(2026, 1, 1), "2026-Q1"),
        ("quarter", dt.date(2026, 9, 30), "2026-Q3"),
        ("quarter", dt.datetime(2026, 12, 31, 23, 59, tzinfo=dt.UTC), "2026-Q4"),
        ("year", dt.date(2026, 11, 5), "2026"),
        ("decade", dt.date(1983, 12, 5), "1980s"),
        ("decade", "1983-12-05", "1980s"),
        ("month", "1983-12-05T10:00:00", "1983-12"),
        ("month", "5 December", "unknown"),
        ("month", 1983, "unknown"),
        ("year", dt.date(987, 1, 1), "0987"),
    ],
)
def test_of_a_date_only_the_period_is_sent(
    period: Literal["month", "quarter", "year", "decade"], value: object, band: str
) -> None:
    """A date that singles somebody out becomes a month, a quarter, a year or a decade."""

    class Visit(BaseModel):
        on: Annotated[dt.date | None, DateBucket(period)] = None

    assert send(Visit.model_construct(on=value)) == {"on": band}  # type: ignore[arg-type]  # reason: values that break the annotation are the point
    assert send(Visit()) == {"on": None}


def test_date_buckets_are_values() -> None:
    """Equal periods, equal bucket; another word is refused."""
    assert DateBucket("month") == DateBucket("month") != DateBucket("year")
    assert hash(DateBucket("month")) == hash(DateBucket("month"))
    assert DateBucket("month") != "month"
    assert repr(DateBucket("month")) == "DateBucket('month')"
    with pytest.raises(ValueError, match="one of month, quarter, year, decade, not 'week'"):
        DateBucket("week")  # type: ignore[arg-type]  # reason: wrong on purpose


@pytest.mark.parametrize(
    ("bucket", "value", "band"),
    [
        (AMOUNT_BANDS, Decimal("49.99"), "under 50"),
        (AMOUNT_BANDS, 50, "50-100"),
        (AMOUNT_BANDS, "9999.99", "5000-10000"),
        (AMOUNT_BANDS, 10_000, "10000 or more"),
        (DAY_BANDS, 0, "up to 7"),
        (DAY_BANDS, 7, "up to 7"),
        (DAY_BANDS, Decimal("7.01"), "over 7 up to 14"),
        (DAY_BANDS, 14, "over 7 up to 14"),
        (DAY_BANDS, 180, "over 90 up to 180"),
        (DAY_BANDS, 181, "over 180"),
        (DAY_BANDS, "many", "unknown"),
    ],
)
def test_the_bands_that_come_with_the_package(bucket: Bucket, value: object, band: str) -> None:
    """Amounts and days as few shops' records stand alone in them; an edge of the days belongs below."""
    assert bucket.band(value) == band


def test_bands_that_end_differently_are_different() -> None:
    """Where an edge belongs is part of the bucket."""
    assert Bucket(7, up_to=True) != Bucket(7)
    assert hash(Bucket(7, up_to=True)) != hash(Bucket(7))
    assert repr(Bucket(7, up_to=True)) == "Bucket(7, up_to=True)"


def test_bands_hold_for_dict_keys_and_in_lists() -> None:
    """A date as a key is a period too."""

    class Sales(BaseModel):
        by_day: dict[Annotated[dt.date, DateBucket("month")], int]
        days: list[Annotated[dt.date, DateBucket("year")]]

    day = dt.date(2026, 11, 5)
    assert send(Sales(by_day={day: 3}, days=[day])) == {"by_day": {"2026-11": 3}, "days": ["2026"]}


def test_of_several_cuts_the_field_s_own_holds() -> None:
    """A cut inside an annotation goes before what stands around it; with nothing said the text is whole."""

    class Notes(BaseModel):
        notes: Annotated[list[Annotated[str, FreeText(cut=8)]], Public]
        whole: Annotated[str, FreeText()]

    assert send(Notes(notes=["one two three"], whole="one two three")) == {"notes": ["one …"], "whole": "one two three"}
