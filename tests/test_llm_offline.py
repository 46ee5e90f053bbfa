from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, WithJsonSchema

from ai_addons.errors import ProviderTimeout
from ai_addons.llm.base import Message, ModelFailure, ModelRequest, Usage
from ai_addons.llm.facts import facts_of
from ai_addons.llm.offline import OFFLINE_MODEL, OfflineLlm
from ai_addons.llm.patterns import match_simple
from ai_addons.llm.schema import AnswerType
from ai_addons.settings import OfflineSettings
from ai_addons.testing import ManualClock

EmailAddress = Annotated[str, WithJsonSchema({"type": "string", "format": "email"})]
DATA = '<data>\n{"customer":"[PERSON_1]","items":["Milo 400g","Rice 5kg"],"late":2,"note":""}\n</data>'


def request(type_: object, user: str = "Describe it.", sample: str | None = None) -> ModelRequest:
    """A request for an answer of a type."""
    return ModelRequest(
        model=OFFLINE_MODEL,
        messages=(Message("system", "Be brief."), Message("user", user)),
        max_tokens=300,
        schema=AnswerType(type_).schema,
        timeout=5,
        sample=sample,
    )


def answer(type_: Any, user: str = "Describe it.") -> Any:  # any answer type
    """The offline model's answer as a validated value."""
    text = OfflineLlm().complete(request(type_, user)).text
    assert text is not None
    kind = AnswerType(type_)
    return kind.validate(kind.parse(text))


class Colour(Enum):
    """Three choices."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Node(BaseModel):
    """Recursive through a list and through an optional."""

    label: str
    next: Node | None = None
    children: list[Node] = []


class Branch(BaseModel):
    """Recursive through a choice whose other side ends."""

    inner: Branch | Ending


class Ending(BaseModel):
    """Where it ends."""

    colours: Annotated[list[Colour], Field(min_length=3, max_length=3)]


class Report(BaseModel):
    """What features ask for: bounded texts, lists and numbers."""

    headline: Annotated[str, Field(max_length=160)]
    code: Annotated[str, Field(max_length=3)]
    body: Annotated[str, Field(min_length=400, max_length=420)]
    actions: Annotated[list[Annotated[str, Field(max_length=30)]], Field(min_length=2, max_length=5)]
    none: Annotated[list[int], Field(max_length=0)]
    when: Literal["today", "this_week"]
    sure: bool
    score: Annotated[int, Field(ge=0, le=100)]
    share: Annotated[float, Field(gt=0, lt=1)]
    due: date


NUMBERS = [
    Annotated[int, Field(ge=5)],
    Annotated[int, Field(gt=5, lt=7)],
    Annotated[int, Field(le=-5)],
    Annotated[int, Field(lt=-5)],
    Annotated[int, Field(ge=10, le=10)],
    Annotated[int, Field(ge=11, multiple_of=5)],
    Annotated[float, Field(ge=0.2, le=0.4)],
    Annotated[float, Field(gt=1, lt=1.5)],
    Annotated[float, Field(lt=0.5)],
    Annotated[list[Annotated[int, Field(ge=1, le=2)]], Field(min_length=4)],
]
SCALARS = [
    bool, int, float, Decimal, date, datetime, time, timedelta, UUID, IPv4Address, IPv6Address, Colour,
    Literal["only"], Literal[3, "x"], type(None), int | None,
]  # fmt: skip
SHAPES = [
    Report,
    Node,
    Branch,
    list[Report],
    set[int],
    Annotated[set[Colour], Field(min_length=2)],
    Annotated[set[str], Field(min_length=6)],
    tuple[int, int, int],
    list[list[list[list[list[list[int]]]]]],
    Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{2,4}$")],
    Annotated[str, Field(pattern=r"^x+$", min_length=2)] | None,
    Annotated[str, Field(pattern=r"^(\+233|0)\d{2,9}$", min_length=8)],
    Annotated[list[Annotated[Branch | Ending, Field()]], Field(min_length=3)],
]


@pytest.mark.parametrize("type_", [*NUMBERS, *SCALARS, *SHAPES], ids=str)
def test_a_made_up_answer_fits_its_type(type_: object) -> None:
    """The first run, with no key, works for every feature: the answer validates and is the same each time."""
    assert answer(type_) == answer(type_)
    assert answer(type_, DATA) == answer(type_, DATA)


@given(
    st.integers(-50, 50),
    st.integers(0, 50),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_made_up_answers_respect_random_bounds(
    low: int, span: int, shortest: int, more: int, fewest: int, further: int
) -> None:
    """Whatever bounds a feature sets, the sample answer keeps them."""
    number = Annotated[int, Field(ge=low, le=low + span)]
    real = Annotated[float, Field(gt=low, lt=low + span + 1)]
    text = Annotated[str, Field(min_length=shortest, max_length=shortest + more)]
    many = Annotated[list[number | None], Field(min_length=fewest, max_length=fewest + further)]

    answer(list[tuple[number, real, text, many]], DATA)


def test_the_features_own_sample_is_given_where_there_is_one() -> None:
    """A feature knows best what a typical answer looks like."""
    kind = AnswerType(Ending)
    sample = kind.dump(Ending(colours=[Colour.RED] * 3))

    reply = OfflineLlm().complete(request(Ending, sample=sample))

    assert (reply.text, reply.finish, reply.model) == (sample, "stop", OFFLINE_MODEL)


def test_it_costs_nothing_and_says_so() -> None:
    """No tokens are invented for the receipt."""
    assert OfflineLlm().complete(request(int)).usage == Usage()


@pytest.mark.anyio
async def test_the_async_answer_is_the_same() -> None:
    """Sync and async hosts see the same demo."""
    assert await OfflineLlm().acomplete(request(Report, DATA)) == OfflineLlm().complete(request(Report, DATA))


def test_plain_text_names_the_facts_and_says_what_it_is() -> None:
    """A shop owner sees that this is a sample, made from the shop's own facts."""
    text = answer(str, DATA)

    assert text.startswith(
        "Sample answer from the offline model: about [PERSON_1], Milo 400g and Rice 5kg, with late 2. "
    )
    assert answer(str).startswith("Sample answer from the offline model: with no facts to go by.")


def test_a_text_keeps_to_the_output_cap() -> None:
    """A feature that asks for little gets the first sentence only."""
    short = replace(request(str, DATA), max_tokens=20)

    assert OfflineLlm().complete(short).text == (
        "Sample answer from the offline model: about [PERSON_1], Milo 400g and Rice 5kg, with late 2."
    )


def test_texts_use_the_facts_where_they_fit_whole() -> None:
    """A placeholder is used whole or not at all: a cut one could not be restored."""
    report = answer(Report, DATA)

    assert report.headline == "Sample headline: [PERSON_1]"
    assert report.code == "cod"
    assert re.sub(r"\[PERSON_1\]", "", report.body).count("[") == 0
    assert report.actions[:2] == ["Sample actions: [PERSON_1]", "Sample actions 2: Milo 400g"]


def test_a_field_repeats_the_fact_of_its_own_name() -> None:
    """A name, a count, a choice, a day and a list's items come back as they were given, where they fit the type."""

    class Line(BaseModel):
        sku: str

    class Echo(BaseModel):
        name: str
        late: int
        paid: bool
        standing: Literal["new", "regular"]
        due: date
        lines: Annotated[list[Line], Field(min_length=2, max_length=2)]
        tags: Annotated[set[str], Field(min_length=2, max_length=2)]
        score: Annotated[int, Field(ge=0, le=10)]
        count: int
        phone: str
        email: EmailAddress

    facts = {
        "customer_name": "[PERSON_1]", "late": 2, "paid": False, "standing": "regular", "due": "2026-11-30",
        "lines": [{"sku": "M400"}, {"sku": "R5"}], "tags": ["one"], "score": 99, "count": True,
        "note": "at [PHONE_2], [EMAIL_3]",
    }  # fmt: skip
    echo = answer(Echo, f"<data>\n{json.dumps(facts)}\n</data>")

    assert (echo.name, echo.late, echo.paid, echo.standing) == ("[PERSON_1]", 2, False, "regular")
    assert (echo.due, [line.sku for line in echo.lines]) == (date(2026, 11, 30), ["M400", "R5"])
    assert len(echo.tags) == 2
    assert "one" in echo.tags
    assert 0 <= echo.score <= 10
    assert 1 <= echo.count <= 10
    assert (echo.phone, echo.email) == ("[PHONE_2]", "[EMAIL_3]")


def test_another_prompt_or_seed_gives_another_answer() -> None:
    """A page with ten customers does not show ten times the same sample; the same question gets the same one."""

    def drawn(user: str, seed: int) -> set[str]:
        made = OfflineLlm(OfflineSettings(seed=seed)).complete(request(Report, user)).text
        return {str(made)}

    assert drawn("one", 0) == drawn("one", 0)
    assert len(set().union(*(drawn(f"question {number}", 0) for number in range(10)))) == 10
    assert len(set().union(*(drawn("one", seed) for seed in range(10)))) == 10


def test_a_correction_gives_no_facts() -> None:
    """What a repair quotes, a placeholder that was never given, is not repeated."""
    messages = (Message("user", "Ask [PERSON_1]."), Message("assistant", "{}"), Message("user", "[PERSON_9] is wrong"))

    assert facts_of(messages).placeholders == ("[PERSON_1]",)


def test_a_slow_offline_model_passes_time() -> None:
    """Latency shows how a page waits; one beyond the deadline shows how it fails."""
    clock = ManualClock()
    slow = OfflineLlm(OfflineSettings(latency="2s"), clock)

    assert slow.complete(request(int)).finish == "stop"
    with pytest.raises(ModelFailure) as failed:
        slow.complete(replace(request(int), timeout=1.5))

    assert isinstance(failed.value.error, ProviderTimeout)
    assert clock.slept == [2, 1.5]


@pytest.mark.anyio
async def test_a_slow_offline_model_passes_time_for_async_callers() -> None:
    """The same without blocking the loop."""
    clock = ManualClock()

    await OfflineLlm(OfflineSettings(latency="2s"), clock).acomplete(request(int))

    assert clock.slept == [2]


def test_facts_come_from_the_users_data_blocks_only() -> None:
    """Instructions, long texts, broken blocks and blocks that never close give no facts."""
    messages = (
        Message("system", '<data>\n["system"]\n</data>'),
        Message(
            "user", f'<data>\n["a", "a", {{"b": " c "}}, 5, null, "{"x" * 61}", "two\\nlines"]\n</data> <data>\n["d"]'
        ),
        Message("user", "<data>\nnot json\n</data>"),
        Message("assistant", '<data>\n["assistant"]\n</data>'),
    )
    facts = facts_of(messages)

    assert facts.texts == ("a", "c")
    assert [(fact.name, fact.value) for fact in facts.values] == [("", "a"), ("", "a"), ("b", "c"), ("", 5)]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^[A-Z]{3}-\d{2}$", "AAA-11"),
        (r"^\w+@\w+\.com$", "a@a.com"),
        (r"[0-9]{4,6}", "0000"),
        (r"^a?b*c$", "c"),
        (r"^.\s\S$", "a a"),
        (r"^[\d]+$", "1"),
        (r"^(a|b)$", "a"),
        (r"^a|b$", "a"),
        (r"^(GH|NG)-[A-Z]{3}(-\d{2}){1,2}$", "GH-AAA-11"),
        (r"^((x))?y$", "y"),
        (r"^[\-a]{2,}$", "--"),
        (r"^(?:a)$", None),
        (r"^(a$", None),
        (r"^a)$", None),
        (r"^[^a]$", None),
        (r"^a$b", None),
        (r"^\ba$", None),
    ],
)
def test_a_simple_pattern_is_matched_and_a_hard_one_is_left(pattern: str, text: str | None) -> None:
    """What is given back truly matches; anything with groups or choices is not attempted."""
    assert match_simple(pattern) == text


def test_a_pattern_that_cannot_be_met_falls_back_to_a_phrase() -> None:
    """The offline model never fails; the answer's own check says what is wrong."""
    schema = AnswerType(Annotated[str, Field(pattern="^[^a]+$")]).schema
    asked = ModelRequest(model=OFFLINE_MODEL, messages=(), max_tokens=9, schema=schema, timeout=5)

    assert json.loads(OfflineLlm().complete(asked).text or "") == {"value": "Sample value"}


def test_a_number_that_cannot_exist_does_not_stop_it() -> None:
    """Bounds that exclude each other are the feature's fault and show in its check."""
    schema = AnswerType(Annotated[int, Field(gt=5, lt=6, multiple_of=1)]).schema
    asked = ModelRequest(model=OFFLINE_MODEL, messages=(), max_tokens=9, schema=schema, timeout=5)

    assert isinstance(json.loads(OfflineLlm().complete(asked).text or "")["value"], int)
