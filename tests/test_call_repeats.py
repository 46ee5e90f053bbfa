"""What the answer cache gives again: fresh, stale or shared; to whom, at what price, and what it saves."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing, suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel

from ai_addons import AddOns, Prompt, StoreUnavailable, billed_feature
from ai_addons._call import stored
from ai_addons._call.sharing import is_shareable
from ai_addons.cache.base import CacheFault
from ai_addons.cache.flights import Flights
from ai_addons.cache.memory import MemoryAnswers
from ai_addons.cache.redis import RedisAnswers
from ai_addons.errors import AddOnsError, ProviderUnavailable
from ai_addons.llm.base import Usage
from ai_addons.money import Credits
from ai_addons.privacy.markers import FreeText, Public
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.features import AMA, INSTRUCTION, KOFI, OPINION, Debtor, Tone, composed, opinion, reminder, routed
from tests.redis_server import own_prefix, redis_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOURS = 3_600
COST = 35_000_000
"""Pico-USD for the hundred tokens in and fifty out of the fake model."""


@billed_feature("mixed", credits=1, cache_scope="shared")
def mixed(data: Any = None, words: str = "") -> Prompt:
    """Write a reminder, from whatever is given."""
    return Prompt(user=words or INSTRUCTION, data=data)


@pytest.fixture
def stale_addons(ai_llm: FakeLlm, ai_clock: ManualClock) -> Iterator[AddOns]:
    """Wiring where two features may fall back on answers up to a day too old."""
    features = {key: {"stale_for": "24h"} for key in ("opinion", "composed", "routed")}
    with closing(AddOns(kit_settings(features=features), clock=ai_clock, llm=ai_llm, environ={})) as made:
        made.grant("shop", 100, source="adjustment", ref="funds")
        yield made
        assert made.doctor().ok


def test_an_answer_too_old_does_where_there_is_no_other(
    stale_addons: AddOns, ai_llm: FakeLlm, ai_clock: ManualClock
) -> None:
    """With the provider down the business's own old answer is given, free and marked; it is no hit."""
    call = opinion.options(business="shop", addons=stale_addons)
    ai_llm.reply(opinion, OPINION)
    ai_llm.fail(opinion)
    call(AMA)
    ai_clock.advance(29 * HOURS)
    value, receipt = call.billed(AMA)
    assert value.verdict == "careful"
    assert (receipt.charged, receipt.source, receipt.cached, receipt.stale) == (Credits(0), "cache", True, True)
    assert (receipt.degraded_reason, receipt.model) == ("provider_down", "openai/gpt-6-luna")
    assert stale_addons.wallet("shop").held == Credits(0)
    row = stale_addons.transactions("shop")[-1]
    assert (row.outcome, row.source, row.error_code) == ("failed", "cache", "provider_unavailable")
    assert (row.cacheable, row.saved) == (False, 0)
    assert stale_addons.answers.stats("shop").hits == 0


def test_a_better_answer_takes_its_place(stale_addons: AddOns, ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """An old answer is no repeat: the model is asked first, and its answer is charged and kept."""
    call = opinion.options(business="shop", addons=stale_addons)
    call(AMA)
    ai_clock.advance(7 * HOURS)
    assert call.quote(AMA).cached is False
    assert call.billed(AMA).receipt.charged == Credits(3)
    assert call.billed(AMA).receipt.charged == Credits(0)
    assert len(ai_llm.calls) == 2


@pytest.mark.parametrize(
    ("customer", "hours", "why"),
    [(KOFI, 7, "another customer's"), (AMA, 31, "too old even for that")],
)
def test_an_old_answer_is_given_within_bounds(
    customer: Any, hours: int, why: str, stale_addons: AddOns, ai_llm: FakeLlm, ai_clock: ManualClock
) -> None:
    """Only the very question's own answer, and only so long."""
    call = opinion.options(business="shop", addons=stale_addons)
    ai_llm.reply(opinion, OPINION)
    ai_llm.fail(opinion)
    call(AMA)
    ai_clock.advance(hours * HOURS)
    with pytest.raises(ProviderUnavailable):
        call(customer)


def test_old_answers_are_off_unless_wanted(
    ai_addons: AddOns, ai_payer: object, ai_llm: FakeLlm, ai_clock: ManualClock
) -> None:
    """Without the setting an answer ends with its time."""
    ai_llm.reply(opinion, OPINION)
    ai_llm.fail(opinion)
    opinion(AMA)
    ai_clock.advance(6 * HOURS)
    with pytest.raises(ProviderUnavailable):
        opinion(AMA)


def test_an_old_answer_comes_before_the_rules(stale_addons: AddOns, ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """A feature with a fallback gives the old answer first; one that no longer passes the check is not given."""
    call = composed.options(business="shop", addons=stale_addons)
    ai_llm.reply(composed, OPINION)
    ai_llm.fail(composed)
    call(AMA)
    ai_clock.advance(7 * HOURS)
    assert call(AMA) == "Ama Serwaa: careful"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryAnswers, "get", _renamed(MemoryAnswers.get))
        value, receipt = call.billed(AMA)
    assert (value, receipt.source, receipt.stale) == ("Ama Serwaa: ask the owner", "rules", False)


def _renamed(original: Any) -> Any:
    def get(cache: MemoryAnswers, key: str) -> str | None:
        text: str | None = original(cache, key)
        return None if text is None else text.replace("verdict", "judgement")

    return get


def test_a_call_with_an_old_part_is_free(stale_addons: AddOns, ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """A feature with two questions, the first of them answered by an old answer: nothing is charged, nothing stored."""
    call = routed.options(business="shop", addons=stale_addons)
    ai_llm.reply(routed, {"pack": "top"})
    ai_llm.reply(routed, "Ama")
    call("Who?")
    ai_clock.advance(7 * HOURS)
    ai_llm._scripts.clear()
    ai_llm.fail(routed)
    ai_llm.reply(routed, "Esi")
    value, receipt = call.billed("Who?")
    assert (value, receipt.charged, receipt.stale) == ("Esi", Credits(0), True)
    assert stale_addons.wallet("shop").held == Credits(0)


def test_a_replay_gives_what_was_given(stale_addons: AddOns, ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """The same key answers by the fallback again, though an old answer lies about."""
    call = composed.options(business="shop", addons=stale_addons)
    ai_llm.reply(composed, OPINION)
    call(AMA)
    ai_llm._scripts.clear()
    ai_llm.fail(composed)
    keyed = call.options(idempotency_key="k")
    assert keyed.options(cache=False)(AMA) == "Ama Serwaa: ask the owner"
    ai_clock.advance(7 * HOURS)
    assert keyed.billed(AMA).receipt.charged == Credits(0)


def test_a_hit_tells_what_it_saved(ai_addons: AddOns, ai_payer: Any, ai_llm: FakeLlm) -> None:
    """The cost of the first time, all attempts of it, is what each repeat saves; on its row and in the day's sums."""
    ai_llm.reply_text(opinion, "no JSON")
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    opinion(AMA)
    opinion(KOFI)
    opinion.options(cache=False)(AMA)
    rows = ai_addons.transactions(ai_payer.business)
    assert Counter((row.source, row.cacheable, row.saved, row.cost) for row in rows) == {
        ("ai", True, 0, 2 * COST): 1,
        ("cache", True, 2 * COST, 0): 2,
        ("ai", False, 0, COST): 1,
    }
    stats = ai_addons.answers.stats(ai_payer.business)
    assert (stats.cacheable, stats.hits, stats.misses, stats.hit_rate) == (3, 2, 1, Decimal("0.667"))
    assert (stats.saved_usd, stats.entries) == (Decimal("0.00014"), 1)
    assert [(use.feature, use.hits) for use in stats.features] == [("opinion", 2)]
    assert ai_addons.answers.stats().hits == 2


def test_an_unknown_cost_saves_nothing_that_is_known(ai_addons: AddOns, ai_payer: Any, ai_llm: FakeLlm) -> None:
    """A provider that reports no usage leaves the saving unknown, so it is not counted."""
    ai_llm.reply(opinion, OPINION, usage=None)
    opinion(AMA)
    assert opinion.billed(AMA).receipt.cached
    assert ai_addons.answers.stats().saved_usd == 0


def test_each_question_of_a_call_saves_its_own(ai_addons: AddOns, ai_payer: Any, ai_llm: FakeLlm) -> None:
    """Two questions, two answers in the cache: the repeat saves the cost of both, once."""
    ai_llm.reply(routed, {"pack": "top"}, usage=Usage(input=10, output=10))
    ai_llm.reply(routed, "Ama")
    routed("Who?")
    routed("Who?")
    rows = ai_addons.transactions(ai_payer.business)
    assert sorted((row.cost, row.saved) for row in rows) == [(0, COST + 6_000_000), (COST + 6_000_000, 0)]


@pytest.fixture
def two_shops(ai_addons: AddOns) -> AddOns:
    """Two businesses with credits."""
    for business in ("a", "b"):
        ai_addons.grant(business, 10, source="adjustment", ref="funds")
    return ai_addons


# What names an answer, and what is never one.


def test_settings_that_are_sent_name_the_answer(two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """Another model, output cap or way to switch thinking off is another question."""
    ai_llm.reply(opinion, OPINION)
    call = opinion.options(business="a")

    def is_hit(**options: Any) -> bool:
        return call.options(**options).billed(AMA).receipt.cached

    assert [is_hit(), is_hit(), is_hit(model="large"), is_hit(model="large")] == [False, True, False, True]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ai_addons._call.repeats.thinking_arguments", lambda *_: {"reasoning_effort": "high"})
        two_shops.grant("a", 10, source="adjustment", ref="more")
        assert [is_hit(), is_hit()] == [False, True]
    capped = AddOns(kit_settings(features={"opinion": {"max_tokens": 50}}), llm=ai_llm, environ={})
    with closing(capped):
        capped._wiring.desk()
        capped.grant("a", 10, source="adjustment", ref="funds")
        kit = capped._wiring.desk().kit
        shared: Any = two_shops._wiring.desk().kit.cache
        vars(kit.cache)["_rows"].update(shared._rows)
        assert not call.options(addons=capped).billed(AMA).receipt.cached


@pytest.mark.parametrize("ending", ["truncated", "refused", "down", "unusable", "rules", "no credits", "hopeless"])
def test_only_good_answers_that_were_paid_for_are_kept(ending: str, two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """Nothing else ever comes out of the cache, for it never gets in."""
    call: Any = composed if ending in {"rules", "hopeless"} else opinion
    text = json.dumps(OPINION)
    if ending in {"truncated", "refused"}:
        ai_llm.reply_text(call, text, finish="length" if ending == "truncated" else "blocked")
    elif ending in {"down", "rules"}:
        ai_llm.fail(call)
    elif ending == "unusable":
        ai_llm.reply_text(call, "no JSON")
    arguments = {"hopeless": True} if ending == "hopeless" else {}
    with suppress(AddOnsError):
        call.options(business="poor" if ending == "no credits" else "a")(AMA, **arguments)
    assert two_shops.answers.stats().entries == 0


@pytest.mark.parametrize("backend", ["disk", "redis"])
def test_a_dump_of_the_cache_names_nobody(backend: str, tmp_path: Path, ai_llm: FakeLlm) -> None:
    """No customer, no business and no prompt stands in the files or on the server."""
    cache: dict[str, Any] = {"backend": backend, "directory": tmp_path}
    if backend == "redis":
        cache |= {"url": redis_url(), "prefix": own_prefix()}
    ai_llm.reply(opinion, {"reasons": ["[PERSON_1] pays late"], "verdict": "careful"})
    with closing(AddOns(kit_settings(cache=cache), llm=ai_llm, environ={})) as addons:
        addons.grant("kiosk-osu", 10, source="adjustment", ref="funds")
        answer = opinion.options(business="kiosk-osu", addons=addons)(AMA)
        assert answer.reasons == ["Ama Serwaa pays late"]
        dump = b"".join(_dump(addons, tmp_path))
    assert b"[PERSON_1] pays late" in dump
    assert not [word for word in (b"Ama", b"Serwaa", b"kiosk", b"osu", b"May they have") if word in dump]


def _dump(addons: AddOns, folder: Path) -> Iterator[bytes]:
    cache: Any = addons._wiring.desk().kit.cache
    if isinstance(cache, RedisAnswers):
        client: Any = cache._client
        for name in client.scan_iter(match=f"{cache._prefix}*"):
            yield name + client.get(name)
        cache.evict()
    else:
        cache.close()
        yield from (path.read_bytes() for path in folder.rglob("*") if path.is_file())


# Shared answers.


def test_a_shared_answer_serves_others_at_its_price(two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """What one business asked another gets without a request, charged in full; its own repeat is free."""
    ai_llm.reply(reminder, "Dear [PERSON_1], please pay [AMOUNT_2].")
    ama = Debtor(name="Ama", owed=Decimal(20), days=3)
    kofi = Debtor(name="Kofi", owed=Decimal(95), days=5)
    assert reminder.options(business="a")(ama) == "Dear Ama, please pay 20."
    for business, debtor, said, charged in (
        ("b", kofi, "Dear Kofi, please pay 95.", 1),
        ("b", kofi, "Dear Kofi, please pay 95.", 0),
        ("b", ama, "Dear Ama, please pay 20.", 1),
        ("a", ama, "Dear Ama, please pay 20.", 0),
    ):
        value, receipt = reminder.options(business=business).billed(debtor)
        assert (value, receipt.charged, receipt.cached, receipt.cost) == (said, Credits(charged), True, 0)
    assert len(ai_llm.calls) == 1
    # Erasing a business leaves what belongs to nobody.
    assert two_shops.answers.clear(business="a") == 0
    assert two_shops.answers.clear(feature="reminder") == 1


@pytest.mark.parametrize(
    "data",
    [
        "free text",
        {"note": "free text"},
        {"free key": None},
        3,
        2.5,
        Decimal("20.00"),
        date(2026, 11, 20),
        datetime(2026, 11, 20, 9),  # noqa: DTZ001  # as a host might give it
        time(9, 30),
        timedelta(days=3),
        [True, "free text"],
    ],
    ids=repr,
)
def test_what_speaks_of_a_business_stays_in_it(two_shops: AddOns, ai_llm: FakeLlm, data: Any) -> None:
    """Text, figures and dates of one business never reach another, whatever the feature asked for."""
    # Without any data the same prompt is shared: it is the data that keeps it in.
    assert [mixed.options(business=business).billed().receipt.cached for business in "ab"] == [False, True]
    ai_llm._scripts.clear()
    ai_llm.calls.clear()
    ai_llm.reply(mixed, "of a")
    ai_llm.reply(mixed, "of b")
    assert [mixed.options(business=business)(data) for business in "aba"] == ["of a", "of b", "of a"]
    assert len(ai_llm.calls) == 2


def test_words_made_at_run_time_stay_in_their_business(two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """An instruction that is no constant of the builder may hold anything."""
    ai_llm.reply(mixed, "of a")
    ai_llm.reply(mixed, "of b")
    words = ("Remind", "Ama")
    assert [mixed.options(business=business)(None, " ".join(words)) for business in "ab"] == ["of a", "of b"]


class Unnoted(BaseModel):
    """A shop's own public words."""

    product: Annotated[str, Public] = "Milo"
    pieces: list[Annotated[str, Public]] = []


class Marked(Unnoted):
    """The same with a note."""

    note: Annotated[str, FreeText] = ""


def builder(data: object) -> Prompt:
    """A builder whose words stand in a function inside it."""

    def words() -> str:
        return "inner"

    return Prompt(system=INSTRUCTION, user=words(), data=data)


@pytest.mark.parametrize(
    ("data", "shared"),
    [
        (None, True),
        ([Tone.FRIENDLY, None, True], True),
        ({Tone.FRIENDLY: True}, True),
        (Unnoted(product="Milo 400 g", pieces=["Gari"]), True),
        (Unnoted(product="2026"), False),
        (Marked(), False),
        (Debtor(name="Ama", owed=Decimal(20), days=40), True),
    ],
    ids=repr,
)
def test_marks_decide_what_is_shared(data: object, shared: bool) -> None:  # a row of the table
    """Slots, enums, bands and public words may be shared, wherever the constants stand; figures never."""
    assert is_shareable(builder(data), builder) is shared


def test_a_business_never_gets_another_ones_answer(two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """The same question of two businesses, with the usual scope: two requests, two answers."""
    ai_llm.reply(opinion, OPINION)
    ai_llm.reply(opinion, {"reasons": ["b"], "verdict": "of b"})
    verdicts = [opinion.options(business=business)(AMA).verdict for business in "abab"]
    assert verdicts == ["careful", "of b", "careful", "of b"]
    assert len(ai_llm.calls) == 2


def test_offline_answers_are_kept_apart(ai_clock: ManualClock) -> None:
    """What the offline model says is never kept where a real model's answers are, nor given in their place."""
    route = ("openai/gpt-6-luna", "offline/sample")
    models = {"small": route}
    with closing(AddOns(kit_settings(models=models), clock=ai_clock, llm=_Down(), environ={})) as addons:
        addons.grant("shop", 10, source="adjustment", ref="funds")
        call = opinion.options(business="shop", addons=addons)
        assert call.billed(AMA).receipt.model == "offline/sample"
        assert addons.answers.stats().entries == 0
        offline = call.options(model="offline/sample")
        assert [offline.billed(AMA).receipt.cached for _ in range(2)] == [False, True]


class _Down(FakeLlm):
    """The real models are down; the offline one is there."""

    def complete(self, request: Any) -> Any:
        if not request.model.startswith("offline/"):
            self.fail(request.feature)
            return super().complete(request)
        return FakeLlm().complete(request)


# Clearing.


def test_answers_are_cleared_by_feature_and_business(two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """One feature in one business, one business, one feature, all."""

    def fill() -> None:
        for business in "ab":
            for call in (opinion, composed):
                call.options(business=business)(AMA)

    answers = two_shops.answers
    for business in "ab":
        two_shops.grant(business, 1_000, source="adjustment", ref="more")
    ai_llm.reply(composed, OPINION)
    counts = []
    for chosen in (
        {"feature": "opinion", "business": "a"},
        {"business": "a"},
        {"feature": "opinion"},
        {"feature": "opini"},
        {"business": "c"},
        {},
    ):
        fill()
        counts.append(answers.clear(**chosen))
    assert counts == [1, 2, 2, 0, 0, 4]


def test_erasing_a_business_erases_its_answers(two_shops: AddOns, ai_llm: FakeLlm) -> None:
    """Who is erased leaves no stored answer behind; erasing one user leaves them."""
    for business in "ab":
        opinion.options(business=business)(AMA)
    two_shops.erase("a", user="u_1", actor="ama@pos.example")
    assert two_shops.answers.stats().entries == 2
    two_shops.erase("a", actor="ama@pos.example")
    assert two_shops.answers.stats().entries == 1


def test_a_cache_in_trouble_is_told_when_it_matters(two_shops: AddOns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clearing that could not be done is an error; a size that cannot be had is left out."""

    def fails(*_: object, **__: object) -> None:
        msg = "it is away"
        raise CacheFault(msg)

    monkeypatch.setattr(MemoryAnswers, "evict", fails)
    monkeypatch.setattr(MemoryAnswers, "size", fails)
    with pytest.raises(StoreUnavailable, match=r"could not be dropped: it is away\. Nothing was charged"):
        two_shops.answers.clear()
    assert two_shops.answers.stats().entries is None


def test_no_cache_has_nothing(ai_clock: ManualClock) -> None:
    """With the cache off there is nothing to count, to give or to drop."""
    with closing(AddOns(kit_settings(cache={"backend": "off"}), clock=ai_clock, llm=FakeLlm(), environ={})) as addons:
        addons.grant("shop", 10, source="adjustment", ref="funds")
        call = opinion.options(business="shop", addons=addons)
        assert [call.billed(AMA).receipt.charged for _ in range(2)] == [Credits(3)] * 2
        stats = addons.answers.stats()
        assert (stats.backend, stats.entries, stats.cacheable, stats.hit_rate) == ("off", None, 0, None)
        assert addons.answers.clear() == 0


def test_an_answer_that_was_replaced_meanwhile_keeps_its_own_payers() -> None:
    """Whoever paid for the same answer stays noted; who paid for another one has nothing to do with it."""
    cache, flights = MemoryAnswers(ManualClock()), Flights()
    one = stored.Stored("Buy more", "m", ("ama",), 1, None)
    stored.write(cache, "k", one, 60, "t")
    stored.write_again(cache, "k", one.paid_also_by("kofi"), 60, "t", alone=flights.alone)
    assert json.loads(cache.get("k") or "")["by"] == ["ama", "kofi"]
    other = stored.Stored("Buy less", "m", ("esi",), 2, None)
    stored.write_again(cache, "k", other, 60, "t", alone=flights.alone)
    assert json.loads(cache.get("k") or "")["by"] == ["esi"]
