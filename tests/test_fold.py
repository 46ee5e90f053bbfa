"""Several calls of a batch in one request: each is still masked, checked, charged, kept and counted by itself."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Annotated, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ai_addons import (
    AddOns,
    BatchResult,
    ConfigError,
    Pii,
    Prompt,
    ProviderUnavailable,
    bill_to,
    billed_feature,
)
from ai_addons._fold import FoldingAsker, folded, unfolded, units
from ai_addons.billing.store import Store
from ai_addons.llm.base import Attempt, Exchange, Message, ModelReply, ModelRequest, Usage
from ai_addons.money import Credits, PicoUsd
from ai_addons.testing import FakeLlm, kit_settings

if TYPE_CHECKING:
    from ai_addons.scope import Payer

pytestmark = pytest.mark.usefixtures("ai_payer")


class Guest(BaseModel):
    """Somebody to greet."""

    name: Annotated[str, Pii.NAME]
    visits: int


class Greeting(BaseModel):
    """What the model answers."""

    text: str


@billed_feature("folded_greeting", credits=2, fold=3)
def greeting(guest: Guest) -> Prompt[Greeting]:
    """Greet a guest."""
    return Prompt.composed(
        answer=Greeting,
        user="Greet them.",
        data=guest,
        check=lambda answer: [] if answer.text else ["text: empty"],
        finish=lambda answer: answer,
    )


@billed_feature("motto", credits=1, fold=10, cache=None)
def motto(number: int) -> Prompt:
    """Write a motto."""
    return Prompt(user=f"Motto number {number}")


AMA: Final = Guest(name="Ama Serwaa", visits=1)
KOFI: Final = Guest(name="Kofi Boateng", visits=2)
ESI: Final = Guest(name="Esi Badu", visits=3)


def answers(**by_id: Any) -> str:
    """What a model gives for a request that carries several: ``_1="…"``."""
    return json.dumps({"answers": [{"id": int(name[1:]), "answer": answer} for name, answer in by_id.items()]})


def make(addons: AddOns, *guests: Guest) -> BatchResult[Greeting]:
    """A batch of greetings."""
    return addons.batch([greeting.bind(guest) for guest in guests])


def texts(result: BatchResult[Greeting]) -> list[str | None]:
    """What the greetings say."""
    return [None if item.value is None else item.value.text for item in result]


def check_books(addons: AddOns, payer: Payer, charged: str) -> None:
    """Exactly this was charged, nothing is held, and the books agree."""
    wallet = addons.wallet(payer.business)
    assert (wallet.held, Credits(1_000) - wallet.posted) == (Credits(0), Credits(charged))
    assert addons.doctor().ok


def three(first: str = "Hi [PERSON_1001]", second: str = "Hi [PERSON_2001]", third: str = "Hi") -> str:
    """Answers to three greetings."""
    return answers(_1={"text": first}, _2={"text": second}, _3={"text": third})


def test_one_request_carries_several_calls(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Each has its own value, price, share of the cost and place in the cache."""
    ai_llm.reply_text(greeting, three())
    result = make(ai_addons, AMA, KOFI, ESI)
    assert texts(result) == ["Hi Ama Serwaa", "Hi Kofi Boateng", "Hi"]
    assert [(receipt.charged.short, receipt.folded) for receipt in result.receipts] == [("2", 3)] * 3
    usages = [receipt.usage for receipt in result.receipts]
    assert usages == [Usage(input=34, output=18), Usage(input=33, output=16), Usage(input=33, output=16)]
    assert result.cost == PicoUsd(100 * 100_000 + 50 * 500_000)
    rows = ai_addons.transactions(ai_payer.business)
    assert [row.response_meta["attempts"][0]["folded"] for row in rows] == [3] * 3  # type: ignore[index]
    again = make(ai_addons, ESI, KOFI, AMA)
    assert texts(again) == ["Hi", "Hi Kofi Boateng", "Hi Ama Serwaa"]
    assert [receipt.folded for receipt in again.receipts] == [1] * 3
    assert len(ai_llm.calls) == 1
    check_books(ai_addons, ai_payer, "6")


def test_the_request_names_nobody(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Placeholders of the calls are told apart; no name and no bare bracket of a tenant's goes out."""
    ai_llm.reply_text(greeting, three())
    make(ai_addons, AMA, KOFI, ESI)
    (call,) = ai_llm.calls
    assert all(f"[PERSON_{place}001]" in call.user for place in (1, 2, 3))
    assert not any(guest.name in call.user for guest in (AMA, KOFI, ESI))
    assert "<" not in call.user
    assert call.request.max_tokens == 3 * 800


def test_another_calls_value_never_gets_into_an_answer(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A model that mixes two guests up is told so, each by itself; the names are not shown to it or swapped."""
    ai_llm.reply_text(greeting, three("Hi [PERSON_2001]", "Hi [PERSON_1001]"))
    ai_llm.reply(greeting, {"text": "Hi [PERSON_1]"})
    result = make(ai_addons, AMA, KOFI, ESI)
    assert texts(result) == ["Hi Ama Serwaa", "Hi Kofi Boateng", "Hi"]
    assert len(ai_llm.calls) == 3
    check_books(ai_addons, ai_payer, "6")


@pytest.mark.parametrize(
    ("told", "alone"),
    [
        (answers(_1={"text": "Hi"}, _3={"text": "Ho"}), 1),
        (answers(_1={"text": "Hi"}, _2={"text": ""}, _3={"text": "Ho"}), 1),
        (answers(_1={"text": "Hi"}, _2="Hi", _3={"text": "Ho"}), 1),
        ('{"answers": [{"id": 1, "answer": {"text": "Hi"}}, {"id": 1, "answer": {"text": "Ho"}}]}', 3),
        ('{"answers": [7]}', 3),
        ("no JSON", 3),
    ],
    ids=["missing", "invalid", "no object", "twice", "no answers", "no JSON"],
)
def test_what_is_missing_or_wrong_is_asked_alone(
    told: str, alone: int, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """The others keep their answer; what both requests cost is on the receipt of who was asked twice."""
    ai_llm.reply_text(greeting, told)
    ai_llm.reply(greeting, {"text": "Welcome"})
    result = make(ai_addons, AMA, KOFI, ESI)
    assert texts(result)[1] == "Welcome"
    assert [len(receipt.attempts) for receipt in result.receipts].count(2) == alone
    assert len(ai_llm.calls) == 1 + alone
    assert [receipt.folded for receipt in result.receipts] == [3] * 3
    check_books(ai_addons, ai_payer, "6")


@pytest.mark.parametrize("finish", ["length", "blocked"])
def test_an_answer_that_is_no_whole_one_is_asked_for_again(
    finish: Any, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """One call that a provider will not answer does not take the others with it."""
    ai_llm.reply_text(greeting, three(), finish=finish)
    ai_llm.reply(greeting, {"text": "Welcome"})
    assert texts(make(ai_addons, AMA, KOFI, ESI)) == ["Welcome"] * 3
    check_books(ai_addons, ai_payer, "6")


def test_a_request_that_fails_fails_all_it_carried(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Every call is given back, and the next batch may make them again."""
    ai_llm.fail(greeting)
    result = make(ai_addons, AMA, KOFI, ESI)
    assert [type(item.error) for item in result] == [ProviderUnavailable] * 3
    assert len(ai_llm.calls) == 1
    check_books(ai_addons, ai_payer, "0")


def test_texts_are_folded_too(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Eleven mottos: ten in one request, the last alone; what is no text is asked again."""
    ai_llm.reply_text(motto, answers(**{f"_{number}": f"Motto {number}" for number in range(1, 11)}))
    ai_llm.reply(motto, "The last")
    result = ai_addons.batch([motto.bind(number) for number in range(11)], concurrency=1)
    assert [item.value for item in result] == [*(f"Motto {number}" for number in range(1, 11)), "The last"]
    assert len(ai_llm.calls) == 2
    check_books(ai_addons, ai_payer, "11")


def test_settings_switch_it_off(ai_llm: FakeLlm) -> None:
    """``fold = 1``: every call alone."""
    ai_llm.reply(motto, "Work")
    addons = AddOns(kit_settings(features={"motto": {"fold": 1}}), llm=ai_llm, environ={})
    addons.grant("biz", 5, source="adjustment", ref="start")
    with addons, bill_to("biz"):
        assert [receipt.folded for receipt in addons.batch([motto.bind(1), motto.bind(2)]).receipts] == [1, 1]
    assert len(ai_llm.calls) == 2
    addons.close()


@pytest.mark.parametrize("fold", [0, 21])
def test_too_many_or_none_are_refused(fold: int) -> None:
    """A mistake in the decorator is told at once."""
    with pytest.raises(ConfigError, match="fold is 1 to 20"):
        billed_feature("never", credits=1, fold=fold)


def test_who_needs_no_request_is_not_waited_for(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call was paid for meanwhile; the other is asked alone."""
    ai_llm.reply(greeting, {"text": "Welcome"})
    hold_many = Store.hold_many

    def overtaken(store: Store, *args: Any, **options: Any) -> Any:
        held = hold_many(store, *args, **options)
        with bill_to(ai_payer.business):
            greeting.options(addons=ai_addons)(AMA)
        return held

    monkeypatch.setattr(Store, "hold_many", overtaken)
    result = make(ai_addons, AMA, KOFI)
    assert [receipt.charged.short for receipt in result.receipts] == ["0", "2"]
    assert [receipt.folded for receipt in result.receipts] == [1, 1]
    check_books(ai_addons, ai_payer, "4")


def test_a_call_that_waits_for_another_does_not_keep_it(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two guests alike but for their names: one asks after a moment, the other pays for the same answer."""
    monkeypatch.setattr("ai_addons._fold._LINGER", 0.01)
    ai_llm.reply(greeting, {"text": "Hi [PERSON_1]"})
    result = make(ai_addons, AMA, Guest(name="Yaw Mensah", visits=1))
    assert texts(result) == ["Hi Ama Serwaa", "Hi Yaw Mensah"]
    assert len(ai_llm.calls) == 1
    check_books(ai_addons, ai_payer, "4")


@pytest.mark.anyio
async def test_a_cancel_ends_all_that_travel_together(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Every call is given back; what may be billed is booked as unknown."""
    asked = threading.Event()
    ai_llm.hang(greeting)
    ai_llm.before_answer(asked.set)
    task = asyncio.ensure_future(ai_addons.aio.batch([greeting.bind(guest) for guest in (AMA, KOFI)]))
    while not asked.is_set() and not task.done():  # noqa: ASYNC110  # the fake is not of this loop
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    rows = ai_addons.transactions(ai_payer.business)
    assert [(row.error_code, row.cost) for row in rows] == [("cancelled", None)] * 2
    check_books(ai_addons, ai_payer, "0")


# The parts.


def request(user: str, **changes: Any) -> ModelRequest:
    """A request of one call."""
    messages = (Message("system", "Be kind."), Message("user", user))
    fixed: dict[str, Any] = {"model": "openai/gpt-6-luna", "max_tokens": 10, "schema": None, "timeout": 30.0}
    return ModelRequest(messages=messages, **fixed | changes)


def test_definitions_of_an_answer_stay_reachable() -> None:
    """References in the schema of each answer point into the root of the whole."""
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}}
    whole = folded([request("a", schema=schema), request("b", schema=schema)]).schema
    assert whole is not None
    assert whole["$defs"] == schema["$defs"]
    assert "$defs" not in whole["properties"]["answers"]["items"]["properties"]["answer"]


class Counting:
    """An asker that counts requests."""

    def __init__(self) -> None:
        self.asked: list[ModelRequest] = []

    def ask(self, request: ModelRequest, deadline: float) -> Exchange:
        del deadline
        self.asked.append(request)
        reply = ModelReply(text="alone", finish="stop", model="m", usage=None)
        attempt = Attempt(model="m", answered_by="m", usage=None, cost=None, latency_ms=1, started_at=0)
        return Exchange(attempts=(attempt,), reply=reply)

    async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
        return self.ask(request, deadline)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "other",
    [request("b", model="openai/gpt-6-sol"), request("b [PERSON_1000]"), request("b", schema={"type": "object"})],
    ids=["another model", "too many placeholders", "another answer"],
)
async def test_what_does_not_fit_together_is_asked_alone(other: ModelRequest) -> None:
    """Each goes out as it came."""
    asker = Counting()
    folding = FoldingAsker(asker, 2)
    first, second = folding.member(), folding.member()
    await asyncio.gather(first.aask(request("a"), 1.0), second.aask(other, 1.0))
    assert asker.asked == [request("a"), other]
    first.ask(request("c"), 1.0)
    first.leave()
    assert asker.asked[2:] == [request("c")]


@pytest.mark.anyio
async def test_the_same_batch_is_the_same_request_whoever_is_ready_first() -> None:
    """Requests stand in the order of the batch; calls get ready in any."""
    asker = Counting()
    folding = FoldingAsker(asker, 3)
    first, second, third = folding.member(), folding.member(), folding.member()
    await asyncio.gather(
        *(member.aask(request(user), 1.0) for member, user in ((third, "c"), (first, "a"), (second, "b")))
    )
    assert asker.asked[0] == folded([request("a"), request("b"), request("c")])


@pytest.mark.anyio
async def test_an_adapter_that_breaks_is_each_calls_own_error() -> None:
    """Nobody waits for an answer that will not come."""

    class Broken(Counting):
        """An asker that raises what it should not."""

        async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
            del request, deadline
            raise ZeroDivisionError

    folding = FoldingAsker(Broken(), 2)
    asked = [folding.member().aask(request(user), 1.0) for user in "ab"]
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in errors] == [ZeroDivisionError] * 2


COUNTS = st.integers(0, 10**12)


@given(st.integers(1, 20), st.none() | COUNTS, st.none() | st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS))
def test_shares_add_up(count: int, cost: int | None, pools: tuple[int, ...] | None) -> None:
    """No token and no pico-dollar is lost or made; what is unknown stays unknown for all."""
    names = ("input", "cached", "cache_write", "output", "reasoning")
    usage = None if pools is None else Usage(**dict(zip(names, pools, strict=True)))
    paid = None if cost is None else PicoUsd(cost)
    attempt = Attempt(model="m", answered_by="m", usage=usage, cost=paid, latency_ms=1, started_at=0)
    parts = [one.attempts[0] for one in unfolded(Exchange(attempts=(attempt,)), count)]
    assert len(parts) == count
    if cost is None:
        assert {part.cost for part in parts} == {None}
    else:
        assert sum(part.cost or 0 for part in parts) == cost
        assert parts[0].cost == max(part.cost or 0 for part in parts)
    used = [part.usage for part in parts if part.usage is not None]
    assert sum(used, Usage()) == (usage or Usage())
    assert len(used) == (0 if usage is None else count)


def test_units_are_filled_in_order() -> None:
    """Calls of one kind travel together wherever they stand; one that is asked alone stands alone."""
    kinds = {0: ("a", 2), 1: None, 2: ("b", 2), 3: ("a", 2), 4: ("a", 2)}
    assert units([[0, 5], [1], [2], [3], [4]], kinds.get) == [[[0, 5], [3]], [[1]], [[2]], [[4]]]
