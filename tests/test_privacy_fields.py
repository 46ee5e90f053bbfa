"""Marks on fields hold however the data is nested, and everything else arrives as pydantic would send it."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import types
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Generic, NamedTuple, NewType, NotRequired, Optional, Protocol, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel, computed_field, field_serializer
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict

from ai_addons.errors import PrivacyRefused
from ai_addons.money import Credits
from ai_addons.privacy.base import Declared, Json, Kind
from ai_addons.privacy.fields import Bucket, FreeText, Pii, Public, read
from ai_addons.privacy.markers import mark_in, strictest
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.shapes import fields_of, fitting, mark_of, shape_of

Name = Annotated[str, Pii.NAME]
Item = TypeVar("Item")


def send(data: object) -> Json:
    """What would be sent of some data."""
    _, masked = BuiltinMasker([], max_field_bytes=65_536).session().mask([], data)
    return masked


class Person(BaseModel):
    """A nested model."""

    name: Name
    visits: int = 0


class Row(TypedDict):
    """A typed dict."""

    name: Name
    plain: NotRequired[str]


class Pair(NamedTuple):
    """A named tuple."""

    name: Name
    visits: int


@dataclasses.dataclass
class Card:
    """A plain dataclass."""

    holder: Name
    number: int


@pydantic_dataclass
class Slip:
    """A dataclass of pydantic's."""

    holder: Name
    hidden: str = Field(default="x", exclude=True)


@dataclasses.dataclass
class Box(Generic[Item]):
    """A generic that is not pydantic's."""

    item: Item


class Roster(RootModel[list[Name]]):
    """A model that is but a list."""


Alias = TypeAliasType("Alias", Annotated[str, Pii.NAME])
Family = TypeAliasType("Family", "dict[str, Family] | list['Family'] | Annotated[str, Pii.NAME]")
Tree = TypeAliasType("Tree", dict[str, "Tree"] | Annotated[str, Pii.NAME])  # type: ignore[misc]  # reason: as above
Many = TypeAliasType("Many", list[Item], type_params=(Item,))
Login = NewType("Login", str)


@pytest.mark.parametrize(
    ("annotation", "value", "sent"),
    [
        (Name, "Ama", "[PERSON_1]"),
        (Name | None, "Ama", "[PERSON_1]"),
        (Optional[Name], None, None),  # noqa: UP045  # the old spelling must work too
        (Annotated[str | None, Pii.NAME], "Ama", "[PERSON_1]"),
        (list[Name], ["Ama", "Kofi"], ["[PERSON_1]", "[PERSON_2]"]),
        (Annotated[list[str], Pii.NAME], ["Ama"], ["[PERSON_1]"]),
        (Annotated[list[list[str]] | None, Pii.NAME], [["Ama"]], [["[PERSON_1]"]]),
        (Annotated[list[Annotated[str, Public]], Pii.NAME], ["rice"], ["rice"]),
        (tuple[Name, int], ("Ama", 3), ["[PERSON_1]", 3]),
        (tuple[Name, ...], ("Ama", "Kofi"), ["[PERSON_1]", "[PERSON_2]"]),
        (set[Name], {"Kofi", "Ama"}, ["[PERSON_1]", "[PERSON_2]"]),
        (frozenset[Name], frozenset({"Ama"}), ["[PERSON_1]"]),
        (collections.deque[Name], collections.deque(["Ama"]), ["[PERSON_1]"]),
        (Sequence[Name], ["Ama"], ["[PERSON_1]"]),
        (dict[str, Name], {"who": "Ama"}, {"who": "[PERSON_1]"}),
        (dict[Name, int], {"Ama": 3}, {"[PERSON_1]": 3}),
        (Annotated[dict[str, int], Pii.NAME], {"Ama": 3}, {"[PERSON_1]": "[PERSON_2]"}),
        (dict[Annotated[str, Pii.DROP], int], {"Ama": 3}, {}),
        (dict[Annotated[int, Bucket(5)], int], {7: 3}, {"5 or more": 3}),
        (dict[str, list[Name] | None], {"a": ["Ama"], "b": None}, {"a": ["[PERSON_1]"], "b": None}),
        (int | Name, 7, 7),
        (int | Name, "Ama", "[PERSON_1]"),
        (Name | Annotated[str, Pii.DROP], "Ama", None),
        (Person | Name, "Ama", "[PERSON_1]"),
        (Person | Name, Person(name="Ama"), {"name": "[PERSON_1]", "visits": 0}),
        (list[Person], [Person(name="Ama", visits=2)], [{"name": "[PERSON_1]", "visits": 2}]),
        (Annotated[Person, Public], Person(name="Ama"), {"name": "[PERSON_1]", "visits": 0}),
        (Row, {"name": "Ama", "plain": "x"}, {"name": "[PERSON_1]", "plain": "x"}),
        (Row, {"name": "Ama"}, {"name": "[PERSON_1]"}),
        (Pair, Pair("Ama", 2), ["[PERSON_1]", 2]),
        (Card, Card("Ama", 7), {"holder": "[PERSON_1]", "number": 7}),
        (Slip, Slip("Ama"), {"holder": "[PERSON_1]"}),
        (Box[Name], Box("Ama"), {"item": "[PERSON_1]"}),
        (Roster, Roster(["Ama"]), ["[PERSON_1]"]),
        (Alias, "Ama", "[PERSON_1]"),
        (list[Alias], ["Ama"], ["[PERSON_1]"]),
        (Tree, {"a": {"b": "Ama"}}, {"a": {"[PERSON_1]": "[PERSON_2]"}}),
        (Many[Name], ["Ama"], ["[PERSON_1]"]),
        (Annotated[Login, Pii.ID], "ama7", "[ID_1]"),
        (JsonValue, {"a": ["x", 1, None, True]}, {"a": ["x", 1, None, True]}),
        (Annotated[int | Person, Pii.EMAIL], "ama@x.com", "[EMAIL_1]"),
        (Annotated[int, Pii.ACCOUNT], 1234567890, "[ACCOUNT_1]"),
        (Annotated[Decimal, Pii.AMOUNT], Decimal("12.50"), "[AMOUNT_1]"),
        (Annotated[float, Pii.AMOUNT], 12.5, "[AMOUNT_1]"),
        (Annotated[bool, Pii.ID], True, "[ID_1]"),
        (Annotated[dt.date, Pii.DOB], dt.date(1980, 1, 20), "[DATE_1]"),
        (Annotated[str, Pii.BUSINESS], "Melcom", "[BUSINESS_1]"),
        (Annotated[str, Pii.ADDRESS], "12 Oxford St", "[ADDRESS_1]"),
        (Annotated[str, Pii.PHONE], "none", "[PHONE_1]"),
        (Annotated[str, Pii.NAME], "", ""),
        (Annotated[str, Pii.NAME], "  ", "  "),
        (list[Annotated[str, Pii.DROP]], ["x"], []),
        (Annotated[str, FreeText], "fine", "fine"),
        (Annotated[str, FreeText()], "fine", "fine"),
        (Annotated[str, Public()], "fine", "fine"),
        (str, "[PERSON_1]", "[TEXT_1]"),
    ],
)
def test_marks_work_wherever_annotations_can_hold_them(annotation: Any, value: object, sent: Json) -> None:
    """Optionals, unions, collections, records and aliases all keep the mark on their parts."""

    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        field: annotation

    assert send(Holder.model_construct(field=value)) == ({} if sent is None and value else {"field": sent})


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("1E+3"), "1E+3"),
        (Decimal("12.50"), "12.50"),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (float("nan"), None),
        (dt.date(2026, 9, 29), "2026-09-29"),
        (dt.datetime(2026, 9, 29, 8, 30, tzinfo=dt.UTC), "2026-09-29T08:30:00Z"),
        (dt.timedelta(days=2), "P2D"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"plain", "plain"),
        (Credits("5"), "5.00"),
        ({2: "x", None: "y"}, {"2": "x", "None": "y"}),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        (None, None),
        ([], []),
    ],
)
def test_business_data_is_sent_as_pydantic_writes_it(value: object, sent: Json) -> None:
    """Numbers, dates, amounts and other scalars without a mark pass unchanged."""
    masked = send(value)
    assert masked == sent
    assert list(masked) == list(sent) if isinstance(sent, dict) and isinstance(masked, dict) else True


class Method(enum.Enum):
    """A constant of the program."""

    CASH = "CASH"
    CODE = 7


def test_enums_are_business_data_unless_they_give_a_customer_away() -> None:
    """A constant passes; one that spells a customer's name is hidden like any other text."""
    assert send({"how": Method.CASH, "code": Method.CODE, Method.CASH: 1}) == {"CASH": 1, "how": "CASH", "code": 7}
    assert send([Person(name="Ama Cash"), Method.CASH]) == [{"name": "[PERSON_1]", "visits": 0}, "[TEXT_2]"]


def test_field_names_pass_and_keys_of_free_dicts_are_searched() -> None:
    """A customer used as a dict key is hidden; the developer's own names are not."""

    class Ledger(BaseModel):
        mensah: Name
        debts: dict[str, int]

    sent = send(Ledger(mensah="Ama Mensah", debts={"Ama Mensah": 5, "Mensah": 1, "rice": 2}))
    assert sent == {"mensah": "[PERSON_1]", "debts": {"[PERSON_1]": 5, "[TEXT_2]": 1, "rice": 2}}


def test_spellings_of_one_key_stay_different_keys() -> None:
    """No entry of a dict is lost because keys mean the same person, and all come back as they were."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    debts = {"Ama Mensah": 1, "AMA MENSAH": 2, "ama mensah": 3, "Mensah": 4}
    _, sent = session.mask([], {"who": Person(name="Ama Mensah"), "debts": debts})
    assert isinstance(sent, dict)
    assert session.vault.restore(sent["debts"]) == debts


def test_extra_fields_of_a_model_are_searched_text() -> None:
    """What a model took along without declaring it is free text under free keys."""

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        name: Name

    assert send(Open(name="Ama Mensah", note="from Ama Mensah")) == {"name": "[PERSON_1]", "note": "from [PERSON_1]"}


def test_excluded_fields_are_not_sent_and_computed_ones_are() -> None:
    """What pydantic dumps is what is sent, marks on computed fields included."""

    class Sale(BaseModel):
        first: Name
        secret: str = Field(default="pin", exclude=True)

        @computed_field  # type: ignore[prop-decorator]  # reason: pydantic's own documented form
        @property
        def full(self) -> Name:
            return f"{self.first} Mensah"

        @field_serializer("first")
        def shout(self, value: str) -> str:
            return value.upper()

    assert send(Sale(first="Ama")) == {"first": "[PERSON_1]", "full": "[PERSON_2]"}


def test_subclasses_bring_their_own_marks() -> None:
    """A subclass in a field of the base class is read by its own annotations."""

    class Debtor(Person):
        phone: Annotated[str, Pii.PHONE]

    class Holder(BaseModel):
        person: Person

    sent = send(Holder(person=Debtor(name="Ama", phone="0241234567")))
    assert sent == {"person": {"name": "[PERSON_1]", "phone": "[PHONE_2]", "visits": 0}}


def test_declared_values_are_listed_as_they_stand() -> None:
    """The walk reports each marked value with its type word."""
    _, declared = read([Person(name="Ama"), Card("Kofi", 1)])
    assert [(item.kind, item.value) for item in declared] == [(Kind.PERSON, "Ama"), (Kind.PERSON, "Kofi")]
    assert isinstance(declared[0], Declared)


def test_a_dropped_whole_is_nothing() -> None:
    """Data that is dropped altogether leaves nothing to send."""

    class Gone(RootModel[Annotated[str, Pii.DROP]]):
        """Only a dropped value."""

    class Kept(NamedTuple):
        gone: Annotated[str, Pii.DROP]
        kept: int

    assert send(Gone("secret")) is None
    assert send(Kept("secret", 1)) == [1]
    old_style = collections.namedtuple("old_style", "a b")  # noqa: PYI024  # the untyped form must work too
    assert send(old_style("x", 1)) == ["x", 1]


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (Decimal("49.99"), "under 50"),
        (50, "50-100"),
        (Decimal("99.99"), "50-100"),
        (100, "100-200"),
        (199.99, "100-200"),
        (200, "200 or more"),
        ("120", "100-200"),
        ("a lot", "unknown"),
        (float("inf"), "unknown"),
    ],
)
def test_a_bucket_sends_a_band_instead_of_the_figure(value: object, band: str) -> None:
    """The model learns the size, not the figure; an edge belongs to the band above."""

    class Debt(BaseModel):
        owed: Annotated[Decimal | None, Bucket(50, "100", Decimal(200))] = None

    assert send(Debt.model_construct(owed=value)) == {"owed": band}  # type: ignore[arg-type]  # reason: values that break the annotation are the point
    assert send(Debt()) == {"owed": None}


@pytest.mark.parametrize("edges", [(0.5,), (1, 2.0), (True,), (None,)])
def test_inexact_edges_are_refused(edges: tuple[Any, ...]) -> None:
    """A float edge would put equal amounts in different bands."""
    with pytest.raises(TypeError, match="Bucket edges are int, str or Decimal"):
        Bucket(*edges)


@pytest.mark.parametrize("edges", [(), (2, 1), (1, 1), ("x",), ("inf",)])
def test_edges_that_make_no_bands_are_refused(edges: tuple[Any, ...]) -> None:
    """Bands need rising, finite edges."""
    with pytest.raises(ValueError, match=r"edge"):
        Bucket(*edges)


def test_buckets_compare_by_their_edges() -> None:
    """A bucket is a value: equal edges, equal bucket, readable repr."""
    assert Bucket(1, 2) == Bucket("1", Decimal(2))
    assert hash(Bucket(1)) == hash(Bucket("1"))
    assert Bucket(1) != Bucket(2)
    assert Bucket(1) != 1
    assert repr(Bucket(1, 2)) == "Bucket(1, 2)"


def test_the_stricter_mark_wins_where_either_could_hold() -> None:
    """Not knowing which arm of a union a value is never means that it leaves."""
    assert strictest([Public, FreeText, Bucket(1), Pii.NAME, None]) is Pii.NAME
    assert strictest([Public, FreeText, Bucket(1)]) == Bucket(1)
    assert strictest([]) is None
    assert mark_in([Pii.NAME, "doc", Public]) is Public
    assert mark_of(shape_of(Annotated[str, Public] | Any)) is FreeText


class Speaks(Protocol):
    """A protocol that cannot be checked at run time."""


def test_types_that_cannot_be_checked_fit_everything() -> None:
    """A protocol in a union neither breaks the walk nor loses a mark."""
    shape = shape_of(Annotated[Speaks, Pii.NAME] | int)
    assert mark_of(fitting(shape, "Ama")) is Pii.NAME


class Odd(Generic[Item]):
    """Nothing that JSON knows."""


@dataclasses.dataclass
class Unreadable:
    """Annotated with a name that is not there at run time."""

    name: Missing  # type: ignore[name-defined]  # noqa: F821  # that it is missing is the point


@pytest.mark.parametrize(
    "value", [object(), {"x": Odd()}, {(1, object()): 1}, b"\xff", [Unreadable("Ama")], {"k": iter([object()])}]
)
def test_what_cannot_be_written_or_read_is_refused(value: object) -> None:
    """Fail closed: what we cannot read we do not send, and the message quotes no value."""
    with pytest.raises(PrivacyRefused, match="nothing was charged") as refusal:
        send(value)
    assert "Ama" not in str(refusal.value)


def test_aliases_nobody_can_read_are_refused() -> None:
    """A quoted name inside an alias may hide a mark."""
    with pytest.raises(PrivacyRefused, match="cannot be read at run time"):
        shape_of(Family)


def test_data_that_contains_itself_is_refused() -> None:
    """Endless nesting ends in a refusal, not in a crash."""
    data: list[object] = []
    data.append(data)
    with pytest.raises(PrivacyRefused, match="nested more than"):
        send(data)


def test_marks_hold_for_items_that_come_one_by_one() -> None:
    """An iterator is read once, and its items keep their mark."""

    class Stream(BaseModel):
        names: Iterable[Name]

    assert send(Stream(names=iter(["Ama", "Kofi"]))) == {"names": ["[PERSON_1]", "[PERSON_2]"]}


def test_an_alias_that_names_itself_hides_all_it_could_hold() -> None:
    """Below the first round everything is hidden as the strictest mark in it says."""
    alias = types.SimpleNamespace(__name__="Chain")
    alias.__value__ = tuple[Name, alias]  # type: ignore[valid-type]  # reason: stands in for `type Chain = …` of newer Pythons
    (chain,) = shape_of(alias)
    assert [mark_of(part) for part in chain.parts] == [Pii.NAME, Pii.NAME]


def test_plans_follow_generic_arguments() -> None:
    """Callables and bare generics have no parts; iterables have one."""
    assert shape_of(Iterable[Name])[0].parts[0][0].mark is Pii.NAME
    assert mark_of(shape_of(type[int])) is None
    assert [plan.name for plan in fields_of(Row)] == ["name", "plain"]
