"""What a call charges, when, and how often."""

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import anyio
import pytest
from pydantic import BaseModel, Field

from ai_addons import (
    AddOns,
    BadOutput,
    CallError,
    ContentBlocked,
    IdempotencyConflict,
    InsufficientCreditsError,
    NoPayer,
    NotEnabled,
    Pii,
    Prompt,
    ProviderUnavailable,
    Steps,
    UnpricedModel,
    ask,
    bill_to,
    billed_feature,
    receipts,
)
from ai_addons.billing.records import Transaction
from ai_addons.billing.store import Store
from ai_addons.llm.base import Usage, Verdict
from ai_addons.money import Credits
from ai_addons.receipt import Billed
from ai_addons.scope import Payer
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.features import (
    AMA,
    KOFI,
    OPINION,
    Customer,
    Opinion,
    Route,
    composed,
    gift,
    opinion,
    opinion_async,
    routed,
    settled,
    slogan,
)

pytestmark = pytest.mark.usefixtures("ai_payer")

START = Credits(1_000)


@pytest.fixture(params=["sync", "async"])
def ring(request: pytest.FixtureRequest) -> Callable[..., Billed[Any]]:
    """Make a call the sync or the async way; the books must not differ."""

    def ring(feature: Any, *args: object, **kwargs: object) -> Billed[Any]:
        if request.param == "sync":
            return cast("Billed[Any]", feature.billed(*args, **kwargs))

        async def main() -> Billed[Any]:
            return cast("Billed[Any]", await feature.aio.billed(*args, **kwargs))

        return anyio.run(main)

    return ring


def spent(addons: AddOns, payer: Payer) -> Credits:
    """Credits gone since the start; nothing may be left held."""
    wallet = addons.wallet(payer.business)
    assert wallet.held == Credits(0)
    return START - wallet.available


def last(addons: AddOns, payer: Payer) -> Transaction:
    """The newest line of the call log."""
    return addons.transactions(payer.business)[-1]


def test_an_answered_call_is_charged_once_and_says_so(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """The value is the declared type, the receipt names price, model, tokens and cost, the ledger agrees."""
    ai_llm.reply(opinion, OPINION, usage=Usage(input=200, cached=800, output=500))
    value, receipt = ring(opinion, AMA)
    assert value == Opinion(**OPINION)
    assert (receipt.charged, receipt.source, receipt.model) == (Credits(3), "ai", "openai/gpt-6-luna")
    assert receipt.cost == 200 * 100_000 + 800 * 10_000 + 500 * 500_000
    assert receipt.balance == START - Credits(3)
    assert receipt.user == "test-user"
    assert spent(ai_addons, ai_payer) == Credits(3)
    assert [entry.kind for entry in ai_addons.ledger(ai_payer.business)] == ["grant", "usage"]
    row = last(ai_addons, ai_payer)
    assert (row.outcome, row.charged, row.cost) == ("ok", Credits(3), receipt.cost)
    assert row.cost_ghs is not None
    assert receipt.cost_ghs is not None


def test_a_shop_never_sees_the_operators_cost(ai_llm: FakeLlm) -> None:
    """The shop's form of a receipt has no cost, and no attempts."""
    ai_llm.reply(opinion, OPINION)
    shown = opinion.billed(AMA).receipt.for_shop()
    assert shown["charged"] == Credits(3)
    assert not {"cost", "cost_ghs_micro", "attempts"} & set(shown)


def test_an_own_repeat_is_free(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """The same arguments again within the cache time cost nothing and ask nobody."""
    ai_llm.reply(opinion, OPINION)
    ring(opinion, AMA)
    value, receipt = ring(opinion, AMA)
    assert value == Opinion(**OPINION)
    assert (receipt.charged, receipt.source, receipt.cached, receipt.cost) == (Credits(0), "cache", True, 0)
    assert len(ai_llm.calls) == 1
    assert spent(ai_addons, ai_payer) == Credits(3)


def test_another_customers_hit_is_charged_in_full(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A stored answer to the same masked prompt costs the price, and the provider nothing."""
    ai_llm.reply(opinion, {"reasons": ["[PERSON_1] pays late"], "verdict": "careful"})
    opinion(AMA)
    value, receipt = opinion.billed(KOFI)
    assert value.reasons == ["Kofi Boateng pays late"]
    assert (receipt.charged, receipt.cached, receipt.cost) == (Credits(3), True, 0)
    assert len(ai_llm.calls) == 1
    assert spent(ai_addons, ai_payer) == Credits(6)


def test_two_businesses_never_share_an_answer(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Business B asks the model again for what business A has stored."""
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    ai_addons.grant("other", 10, source="adjustment", ref="funds")
    with bill_to("other"):
        assert opinion.billed(AMA).receipt.charged == Credits(3)
    assert len(ai_llm.calls) == 2


def test_a_stored_answer_ends_with_its_time(ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """After the cache time a repeat is a call again."""
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    ai_clock.advance(6 * 3_600 + 1)
    assert opinion.billed(AMA).receipt.charged == Credits(3)


def test_without_cache_every_call_is_a_call(ai_llm: FakeLlm) -> None:
    """`cache=False` neither reads nor writes stored answers."""
    ai_llm.reply(opinion, OPINION)
    opinion.options(cache=False)(AMA)
    assert opinion.options(cache=False).billed(AMA).receipt.charged == Credits(3)
    assert opinion.billed(AMA).receipt.cached is False


def test_a_key_makes_a_repeat_free_for_ever(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock
) -> None:
    """The same key and request replays the stored answer, uncached too; once it is gone the call is made uncharged."""
    ai_llm.reply(slogan, "First!")
    ai_llm.reply(slogan, "Second!")
    keyed = slogan.options(idempotency_key="sale-81")
    assert ring(keyed, 1).value == "First!"
    value, receipt = ring(keyed, 1)
    assert (value, receipt.charged, receipt.replayed, receipt.cached) == ("First!", Credits(0), True, False)
    ai_clock.advance(7 * 86_400 + 1)
    value, receipt = ring(keyed, 1)
    assert (value, receipt.charged, receipt.replayed) == ("Second!", Credits(0), True)
    assert spent(ai_addons, ai_payer) == Credits(5)
    assert len(ai_addons.transactions(ai_payer.business)) == 2


def test_a_key_of_another_request_is_a_conflict(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Other arguments under a used key are refused, and nothing is charged."""
    ai_llm.reply(slogan, "First!")
    keyed = slogan.options(idempotency_key="sale-81")
    keyed(1)
    with pytest.raises(IdempotencyConflict, match="Nothing was charged"):
        keyed(2)
    assert spent(ai_addons, ai_payer) == Credits(5)


def test_a_failed_call_may_be_retried_under_its_key(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A retry button works: nothing was charged for the failure, the retry is charged once."""
    ai_llm.fail(slogan)
    ai_llm.reply(slogan, "Hooray")
    keyed = slogan.options(idempotency_key="sale-82")
    with pytest.raises(ProviderUnavailable):
        keyed(1)
    assert keyed.billed(1).receipt.charged == Credits(5)
    assert spent(ai_addons, ai_payer) == Credits(5)


def test_a_replay_restores_with_this_calls_values(ai_llm: FakeLlm) -> None:
    """Only the masked answer is kept; the name comes from the arguments of the replay."""
    ai_llm.reply(opinion, {"reasons": ["[PERSON_1] pays late"], "verdict": "no"})
    keyed = opinion.options(idempotency_key="k", cache=False)
    assert keyed(AMA).reasons == ["Ama Serwaa pays late"]
    assert keyed(AMA).reasons == ["Ama Serwaa pays late"]
    assert len(ai_llm.calls) == 1


def test_a_free_feature_holds_and_charges_nothing(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A price of zero is a price: the call is made and logged, the ledger stays as it is."""
    ai_llm.reply(gift, "For you")
    assert gift.billed().receipt.charged == Credits(0)
    assert len(ai_addons.ledger(ai_payer.business)) == 1
    assert last(ai_addons, ai_payer).cost == 35_000_000


def test_too_few_credits_refuse_before_the_model(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_llm: FakeLlm
) -> None:
    """The error names price, balance, shortfall and packs; the model was not asked and no row is written."""
    ai_addons.grant("poor", 2, source="adjustment", ref="funds")
    with bill_to("poor"), pytest.raises(InsufficientCreditsError) as caught:
        ring(opinion, AMA)
    error = caught.value
    assert (error.required, error.available, error.shortfall) == (Credits(3), Credits(2), Credits(1))
    assert [offer.type for offer in error.offers] == ["STARTER", "VALUE", "PRO"]
    assert "Nothing was charged" in str(error)
    assert ai_llm.calls == []
    assert ai_addons.transactions("poor") == []


def test_nobody_to_bill_is_refused_first(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Outside `bill_to` nothing is built, masked, held or asked."""
    with bill_to(""), pytest.raises(NoPayer, match="nothing was charged"):
        opinion(AMA)
    assert ai_llm.calls == []


def test_options_name_another_payer(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """`.options(business=…)` wins over the block, and does not take over its user."""
    ai_addons.grant("other", 10, source="adjustment", ref="funds")
    ai_llm.reply(opinion, OPINION)
    receipt = opinion.options(business="other").billed(AMA).receipt
    assert (receipt.business, receipt.user) == ("other", None)


def test_nonsense_twice_is_not_charged(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """A model that answers nonsense is asked once more, then the call fails free of charge; our cost is booked."""
    ai_llm.reply_text(opinion, "I would rather not say")
    with pytest.raises(BadOutput, match="Nothing was charged"):
        ring(opinion, AMA)
    assert len(ai_llm.calls) == 2
    assert spent(ai_addons, ai_payer) == Credits(0)
    row = last(ai_addons, ai_payer)
    assert (row.outcome, row.error_code, row.charged, row.cost) == ("failed", "bad_output", Credits(0), 70_000_000)


def test_one_repair_names_the_faults_without_values(ai_llm: FakeLlm) -> None:
    """The second request holds the model's own answer and what was wrong, and its tokens are on the receipt."""
    ai_llm.reply(opinion, {"reasons": "none", "verdict": "careful"})
    ai_llm.reply(opinion, OPINION)
    value, receipt = opinion.billed(AMA)
    assert value == Opinion(**OPINION)
    repair = ai_llm.calls[1].request.messages
    assert [message.role for message in repair] == ["system", "user", "assistant", "user"]
    assert "reasons" in repair[-1].content
    assert receipt.usage == Usage(input=200, output=100)
    assert len(receipt.attempts) == 2


def test_no_repair_without_time(ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """A bad answer at the end of the time is not repaired."""
    ai_llm.reply_text(opinion, "nonsense")
    ai_llm.before_answer(lambda: ai_clock.advance(29))
    with pytest.raises(BadOutput):
        opinion(AMA)
    assert len(ai_llm.calls) == 1


def test_a_repair_that_fails_ends_the_call(ai_llm: FakeLlm) -> None:
    """If the provider goes down between answer and repair, its error is the one raised."""
    ai_llm.reply_text(opinion, "nonsense")
    ai_llm.fail(opinion)
    with pytest.raises(ProviderUnavailable):
        opinion(AMA)


@pytest.mark.parametrize(("finish", "error"), [("length", BadOutput), ("blocked", ContentBlocked)])
def test_a_cut_or_refused_answer_is_not_repaired(
    finish: Any, error: type[Exception], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Both end the call at once, free of charge."""
    ai_llm.reply_text(opinion, "{}", finish=finish)
    with pytest.raises(error, match="Nothing was charged"):
        opinion(AMA)
    assert len(ai_llm.calls) == 1
    assert spent(ai_addons, ai_payer) == Credits(0)


def test_an_invented_placeholder_is_never_shipped(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """An answer about a person who was never named is repaired or refused."""
    ai_llm.reply(opinion, {"reasons": ["[PERSON_9] owes more"], "verdict": "no"})
    with pytest.raises(BadOutput):
        opinion(AMA)
    assert "[PERSON_9]" in ai_llm.calls[1].request.messages[-1].content
    assert spent(ai_addons, ai_payer) == Credits(0)


def test_the_next_model_answers_when_the_first_is_down(ai_llm: FakeLlm, ai_addons: AddOns) -> None:
    """The receipt names the model that answered and both attempts."""
    ai_llm.fail(opinion)
    ai_llm.reply(opinion, OPINION)
    wired = ai_addons.settings.models.small
    assert wired == ("openai/gpt-6-luna",)
    route = ("openai/gpt-6-luna", "anthropic/claude-haiku-5-5")
    changed = ai_addons.settings.model_copy(
        update={"models": ai_addons.settings.models.model_copy(update={"small": route})}
    )
    other = AddOns(changed, llm=ai_llm, environ={})
    other.grant("b", 10, source="adjustment", ref="funds")
    receipt = opinion.options(addons=other, business="b").billed(AMA).receipt
    assert receipt.model == "anthropic/claude-haiku-5-5"
    assert [attempt.error for attempt in receipt.attempts] == ["provider_unavailable", None]
    other.close()


def test_an_error_no_model_can_mend_stops_the_route(ai_llm: FakeLlm) -> None:
    """A rejected request is not sent to the next model."""
    ai_llm.fail(opinion, ContentBlocked(), next_model=False)
    with pytest.raises(ContentBlocked):
        opinion(AMA)


def test_a_cost_that_may_have_been_billed_is_unknown_not_zero(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """A request lost on the way may be on the provider's bill: the row says unknown."""
    ai_llm.fail(opinion, verdict=Verdict.MAYBE_BILLED)
    with pytest.raises(ProviderUnavailable):
        opinion(AMA)
    row = last(ai_addons, ai_payer)
    assert (row.cost, row.cost_ghs, row.tokens) == (None, None, None)


def test_missing_usage_is_charged_and_visibly_unpriced(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """The shop pays for its answer; our cost is unknown on receipt and row."""
    ai_llm.reply(opinion, OPINION, usage=None)
    receipt = opinion.billed(AMA).receipt
    assert (receipt.charged, receipt.cost, receipt.cost_usd, receipt.cost_ghs) == (Credits(3), None, None, None)
    assert last(ai_addons, ai_payer).cost is None


def test_an_unpriced_model_is_refused_before_the_hold(ai_llm: FakeLlm) -> None:
    """A model whose cost cannot be bounded is never asked."""
    with pytest.raises(UnpricedModel, match="nothing was charged"):
        opinion.options(model="openai/gpt-99")(AMA)
    assert ai_llm.calls == []


def test_a_switched_off_feature_is_refused(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """A feature that is on for other businesses only answers `NotEnabled`."""
    for enabled in (False, ["biz_1"]):
        wired = AddOns(kit_settings(features={"opinion": {"enabled": enabled}}), llm=ai_llm, environ={})
        with pytest.raises(NotEnabled, match="Nothing was charged"):
            opinion.options(addons=wired)(AMA)
        wired.close()


def test_a_composed_result_is_finished_by_code(ring: Callable[..., Billed[Any]], ai_llm: FakeLlm) -> None:
    """The model answers the inner type, code makes the result with the real name, from the store as well."""
    ai_llm.reply(composed, OPINION)
    assert ring(composed, AMA).value == "Ama Serwaa: careful"
    assert ring(composed, AMA).receipt.source == "cache"


def test_a_check_is_repaired_once(ai_llm: FakeLlm) -> None:
    """What the feature's own check names goes back to the model once."""
    ai_llm.reply(composed, {"reasons": [], "verdict": "careful"})
    ai_llm.reply(composed, OPINION)
    assert composed(AMA) == "Ama Serwaa: careful"
    assert "at least one" in ai_llm.calls[1].request.messages[-1].content


def test_without_a_usable_answer_the_fallback_is_free(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Provider down, guard rejecting: the deterministic result comes back uncharged and says so."""
    ai_llm.fail(composed)
    value, receipt = ring(composed, AMA)
    assert value == "Ama Serwaa: ask the owner"
    assert (receipt.charged, receipt.source, receipt.degraded_reason) == (Credits(0), "rules", "provider_down")
    assert spent(ai_addons, ai_payer) == Credits(0)
    assert last(ai_addons, ai_payer).error_code == "provider_unavailable"


def test_a_hopeless_answer_is_not_repaired(ai_llm: FakeLlm) -> None:
    """A check that raises `BadOutput` goes straight to the fallback."""
    ai_llm.reply(composed, OPINION)
    receipt = composed.billed(AMA, hopeless=True).receipt
    assert (receipt.source, receipt.degraded_reason, len(ai_llm.calls)) == ("rules", "guard_rejected", 1)


def test_a_fallback_of_a_free_call_holds_nothing(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """With a price of zero the failure is still logged with what it cost us."""
    wired = AddOns(kit_settings(prices={"features": {"composed": "0"}}), llm=ai_llm, environ={})
    ai_llm.fail(composed)
    receipt = composed.options(addons=wired, business="b").billed(AMA).receipt
    assert receipt.source == "rules"
    assert wired.transactions("b")[0].outcome == "failed"
    ai_llm.fail(gift)
    with pytest.raises(ProviderUnavailable):
        gift.options(addons=wired, business="b")()
    assert wired.transactions("b")[1].outcome == "failed"
    wired.close()


def test_a_settled_result_costs_nothing(ring: Callable[..., Billed[Any]], ai_llm: FakeLlm) -> None:
    """What code knows already needs no hold, no model and no credits."""
    value, receipt = ring(settled, 3)
    assert (value, receipt.charged, receipt.degraded_reason) == ("too little data", Credits(0), "insufficient_data")
    assert settled.quote(3).charge == Credits(0)
    assert ai_llm.calls == []


def test_questions_on_the_way_share_one_hold_and_receipt(
    ring: Callable[..., Billed[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """A routed feature asks twice and is charged once, and its own repeat is free."""
    ai_llm.reply(routed, {"pack": "top"})
    ai_llm.reply(routed, "Your top customer is new")
    value, receipt = ring(routed, "Who is best?")
    assert (value, receipt.charged, len(receipt.attempts)) == ("Your top customer is new", Credits(4), 2)
    assert ring(routed, "Who is best?").receipt.charged == Credits(0)
    assert spent(ai_addons, ai_payer) == Credits(4)


def test_a_routed_replay_answers_every_question_from_its_key(ai_llm: FakeLlm) -> None:
    """All answers of a keyed call are kept, in order."""
    ai_llm.reply(routed, {"pack": "top"})
    ai_llm.reply(routed, "Fine")
    keyed = routed.options(idempotency_key="q", cache=False)
    assert keyed("Who?") == keyed("Who?") == "Fine"
    assert len(ai_llm.calls) == 2


def test_a_builder_may_settle_after_its_first_question(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A question that belongs nowhere is not charged, though the routing cost us something."""
    ai_llm.reply(routed, {"pack": "none"})
    assert routed("Will it rain?") == "not a question for a shop"
    assert spent(ai_addons, ai_payer) == Credits(0)
    assert last(ai_addons, ai_payer).cost == 35_000_000


@pytest.mark.parametrize("catch", [True, False])
def test_a_builder_sees_the_failure_of_its_first_question(
    catch: bool, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """It may settle without the model; otherwise the error is the caller's, free of charge."""
    ai_llm.fail(routed)
    if catch:
        assert routed("Who?", catch=True) == "no idea"
    else:
        with pytest.raises(ProviderUnavailable):
            routed("Who?")
    assert spent(ai_addons, ai_payer) == Credits(0)


def test_a_quote_charges_nothing_and_foresees_the_free_repeat(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Price before, zero for an own repeat, offers when credits are short."""
    ai_llm.reply(opinion, OPINION)
    before = opinion.quote(AMA)
    assert (before.charge, before.cached, before.affordable, before.offers) == (Credits(3), False, True, ())
    opinion(AMA)
    after = opinion.quote(AMA)
    assert (after.charge, after.cached) == (Credits(0), True)
    foreign = opinion.quote(KOFI)
    assert (foreign.charge, foreign.cached) == (Credits(3), True)
    with bill_to("poor"):
        poor = opinion.quote(AMA)
    assert not poor.affordable
    assert poor.offers
    assert routed.quote("Who?").charge == Credits(4)
    assert spent(ai_addons, ai_payer) == Credits(3)


def test_a_builder_that_need_not_ask_on_the_way_is_quoted_like_any_other(ai_llm: FakeLlm, ai_payer: Payer) -> None:
    """What it knows already is quoted free, and so is an own repeat; what it asks first has its price."""

    @billed_feature("asks_if_it_must", credits=4, cache="6h")
    def asks_if_it_must(word: str) -> Steps[str]:
        """Ask on the way only for a hard word."""
        if word == "known":
            return Prompt.settled("as known")
        if word == "hard":
            word = yield from ask(Prompt[str](user="What is hard?"))
        return Prompt(user=word)

    ai_llm.reply(asks_if_it_must, "an answer")
    quoted = [asks_if_it_must.quote(word).charge for word in ("known", "easy", "hard")]
    assert quoted == [Credits(0), Credits(4), Credits(4)]
    assert ai_llm.calls == []
    asks_if_it_must("easy")
    again = asks_if_it_must.quote("easy")
    assert (again.charge, again.cached) == (Credits(0), True)


def test_receipts_are_collected_in_nested_blocks(ai_llm: FakeLlm) -> None:
    """Each block collects the calls made inside it, in order."""
    ai_llm.reply("", "text")
    with receipts() as outer:
        slogan(1)
        with receipts() as inner:
            slogan(2)
    assert [len(outer), len(inner)] == [2, 1]


@pytest.mark.anyio
async def test_an_async_builder_is_awaited(ai_llm: FakeLlm) -> None:
    """`async def` features are called, billed and quoted with await."""
    ai_llm.reply(opinion_async, OPINION)
    assert (await opinion_async.quote(AMA)).charge == Credits(3)
    assert (await opinion_async(AMA)).verdict == "careful"
    assert (await opinion_async.options(idempotency_key="k").billed(AMA)).receipt.charged == Credits(0)
    assert (await opinion.aio.quote(AMA)).price == Credits(3)


def test_twenty_threads_on_twelve_credits_get_two_answers(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Price 5, balance 12: exactly two requests leave, two credits stay, nothing is held."""
    ai_addons.grant("busy", 12, source="adjustment", ref="funds")
    refused: list[InsufficientCreditsError] = []
    start = threading.Barrier(20)

    def work(number: int) -> None:
        start.wait()
        try:
            slogan.options(business="busy")(number)
        except InsufficientCreditsError as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wallet = ai_addons.wallet("busy")
    assert (len(ai_llm.calls), len(refused)) == (2, 18)
    assert (wallet.available, wallet.held) == (Credits(2), Credits(0))


@pytest.mark.anyio
async def test_twenty_tasks_on_twelve_credits_get_two_answers(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """The same with async tasks on one loop."""
    ai_addons.grant("busy", 12, source="adjustment", ref="funds")
    refused: list[InsufficientCreditsError] = []

    async def work(number: int) -> None:
        try:
            await slogan.aio.options(business="busy")(number)
        except InsufficientCreditsError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(work, number)
    wallet = ai_addons.wallet("busy")
    assert (len(ai_llm.calls), len(refused)) == (2, 18)
    assert (wallet.available, wallet.held) == (Credits(2), Credits(0))


@billed_feature("two_steps", credits=4)
def two_steps(kind: str) -> Steps[str]:
    """Ask a first question that code can settle or mend itself."""
    if kind == "settled":
        first = yield from ask(Prompt.settled("known already"))
    else:
        first = yield from ask(
            Prompt.composed(
                answer=Route,
                user="Where?",
                finish=lambda route: f"asked, {route.pack}",
                fallback=lambda: "fell back",
            )
        )
    return Prompt(user=f"Go on with: {first}")


@pytest.mark.parametrize(
    ("kind", "down", "goes_on_with"),
    [("settled", False, "known already"), ("asked", False, "asked, top"), ("asked", True, "fell back")],
)
def test_a_first_question_has_the_same_doors(kind: str, *, down: bool, goes_on_with: str, ai_llm: FakeLlm) -> None:
    """It may be composed, settled or fall back like any other, and the call is charged for the last answer."""
    if down:
        ai_llm.fail(two_steps)
    elif kind == "asked":
        ai_llm.reply(two_steps, {"pack": "top"})
    ai_llm.reply(two_steps, "Done")
    value, receipt = two_steps.billed(kind)
    assert (value, receipt.charged) == ("Done", Credits(4))
    assert goes_on_with in ai_llm.calls[-1].user


def test_a_call_that_was_paid_for_meanwhile_is_replayed(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the same key is captured elsewhere between look-up and hold, its answer comes back and nothing is charged."""
    ai_llm.reply(slogan, "First!")
    keyed = slogan.options(idempotency_key="sale-81")
    keyed(1)
    monkeypatch.setattr(Store, "find", lambda *_: None)
    value, receipt = keyed.billed(1)
    assert (value, receipt.charged, receipt.replayed, len(ai_llm.calls)) == ("First!", Credits(0), True, 1)
    assert spent(ai_addons, ai_payer) == Credits(5)


def test_unmasked_arguments_make_the_request(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Two customers with the same masked prompt are two requests: one key cannot serve both."""
    ai_llm.reply(opinion, OPINION)
    keyed = opinion.options(idempotency_key="k", cache=False)
    keyed(AMA)
    with pytest.raises(IdempotencyConflict):
        keyed(KOFI)


def test_the_offline_model_gives_the_features_sample_masked_and_restored(ai_addons: AddOns) -> None:
    """Without a key the sample is played through the whole call; names are masked on the way."""
    wired = AddOns(kit_settings(models={"small": "offline/sample"}), environ={})
    wired.grant("b", 10, source="adjustment", ref="funds")
    value, receipt = composed.options(addons=wired, business="b").billed(AMA)
    assert value == "Ama Serwaa: fine for Ama Serwaa"
    assert (receipt.model, receipt.cost, receipt.charged) == ("offline/sample", 0, Credits(2))
    wired.close()


class Pair(BaseModel):
    """Two customers in one prompt."""

    best: Annotated[str, Pii.NAME]
    worst: Annotated[str, Pii.NAME]


@billed_feature("who_is_late", credits=1, cache=None)
def who_is_late(pair: Pair, note: str) -> Prompt:
    """Say who is late."""
    return Prompt(user=f"{note} Who is late?", data=pair)


def test_a_replay_never_gives_another_persons_name(tmp_path: Path) -> None:
    """When placeholders are numbered differently than the first time, the question is asked again, uncharged."""
    names = []
    for recognizers in (["email"], ["email", "phone"]):
        ai_llm = FakeLlm()
        privacy, store = {"recognizers": recognizers}, {"url": f"sqlite:///{tmp_path}/books.db"}
        with closing(AddOns(kit_settings(privacy=privacy, store=store), llm=ai_llm, environ={})) as wired:
            wired.grant("b", 10, source="adjustment", ref="funds")
            keyed = who_is_late.options(addons=wired, business="b", idempotency_key="k")
            worst = {"email": "[PERSON_2]", "phone": "[PERSON_3]"}[recognizers[-1]]
            ai_llm.reply(who_is_late, f"{worst} is late")
            names.append(keyed(Pair(best="Ama Mensah", worst="Kofi Asante"), "Call 024 412 3456."))
            assert wired.wallet("b").available == Credits(9)
    assert names == ["Kofi Asante is late", "Kofi Asante is late"]


def test_a_replay_survives_a_change_of_models(tmp_path: Path, ai_llm: FakeLlm) -> None:
    """Editing the configured model between a call and its repeat neither conflicts nor asks again."""
    ai_llm.reply(slogan, "First!")
    for small in ("openai/gpt-6-luna", "gemini/gemini-2.5-flash-lite"):
        settings = kit_settings(models={"small": small}, store={"url": f"sqlite:///{tmp_path}/books.db"})
        with closing(AddOns(settings, llm=ai_llm, environ={})) as wired:
            wired.grant("b", 10, source="adjustment", ref="funds")
            assert slogan.options(addons=wired, business="b", idempotency_key="k")(1) == "First!"
    assert len(ai_llm.calls) == 1


@billed_feature("forgiving", credits=3)
def forgiving(number: int, *, settle: bool = False) -> Steps[str]:
    """Go on without the first answer."""
    try:
        first = yield from ask(Prompt[str](user=f"first {number}"))
    except CallError:
        first = "default"
    return Prompt.settled(first) if settle else Prompt(user=f"second {first}")


def test_a_replay_repeats_failures_on_the_way_too(ai_llm: FakeLlm) -> None:
    """A first question that failed fails again, so the second is the same and has the same answer."""
    ai_llm.fail(forgiving)
    ai_llm.reply(forgiving, "the answer")
    ai_llm.reply(forgiving, "another answer")
    keyed = forgiving.options(idempotency_key="k", cache=False)
    assert [keyed(1), keyed(1)] == ["the answer", "the answer"]
    assert len(ai_llm.calls) == 2


def test_what_was_not_paid_for_is_not_repeated_free(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """An answer on the way to a settled result is uncharged, and so it is not kept for free repeats."""
    ai_llm.reply(forgiving, "routing")
    assert forgiving.billed(1, settle=True).receipt.charged == Credits(0)
    assert forgiving.billed(1, settle=True).receipt.charged == Credits(0)
    assert len(ai_llm.calls) == 2


def test_a_settled_call_stays_settled_under_its_key(ai_llm: FakeLlm) -> None:
    """A key whose call was settled after a failure is not an open door to the model."""
    ai_llm.fail(forgiving)
    ai_llm.reply(forgiving, "later")
    keyed = forgiving.options(idempotency_key="k")
    assert [keyed(1, settle=True), keyed(1, settle=True)] == ["default", "default"]
    assert len(ai_llm.calls) == 1


def test_each_customers_repeat_is_free_once_paid(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Who paid for a stored answer repeats it free, also when another customer's call filled the entry."""
    ai_llm.reply(opinion, OPINION)
    charged = [opinion.billed(customer).receipt.charged for customer in (AMA, KOFI, KOFI, AMA, KOFI)]
    assert charged == [Credits(3), Credits(3), Credits(0), Credits(0), Credits(0)]


def test_a_paid_hit_does_not_prolong_an_answer(ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """The cache time counts from the model's answer, however often it is given again."""
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    ai_clock.advance(5 * 3_600)
    opinion(KOFI)
    ai_clock.advance(3_601)
    assert opinion.billed(KOFI).receipt.source == "ai"


def test_an_answer_older_than_its_time_is_not_written_again(ai_llm: FakeLlm, ai_clock: ManualClock) -> None:
    """If its time runs out between the hit and the capture, the entry simply ends."""
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    ai_clock.advance(6 * 3_600 - 1)
    hold = Store.hold

    def slow(store: Store, *args: Any, **options: Any) -> Any:
        ai_clock.advance(2)
        return hold(store, *args, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Store, "hold", slow)
        assert opinion.billed(KOFI).receipt.cached
    assert opinion.billed(KOFI).receipt.source == "ai"


def test_an_empty_business_never_bills_the_one_around_it(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """An empty id upstream is refused, not charged to somebody else."""
    for feature in (opinion.options(business=""), ai_addons.till("").bind(opinion)):
        with pytest.raises(NoPayer):
            feature(AMA)
    assert spent(ai_addons, ai_payer) == Credits(0)


def test_a_hanging_model_leaves_time_for_the_next(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Each model of a route gets its share of the deadline."""
    route = ["openai/gpt-6-luna", "anthropic/claude-haiku-5-5"]
    with closing(AddOns(kit_settings(models={"small": route}), llm=ai_llm, environ={})) as wired:
        wired.grant("b", 10, source="adjustment", ref="funds")
        ai_llm.hang(opinion)
        ai_llm.reply(opinion, OPINION)
        receipt = opinion.options(addons=wired, business="b", deadline=timedelta(seconds=4)).billed(AMA).receipt
    assert [attempt.error for attempt in receipt.attempts] == ["provider_timeout", None]
    assert receipt.model == "anthropic/claude-haiku-5-5"


def test_a_paid_key_is_quoted_free(ai_llm: FakeLlm) -> None:
    """What a repeat under its key would cost is nothing."""
    ai_llm.reply(slogan, "text")
    keyed = slogan.options(idempotency_key="k")
    assert keyed.quote(1).charge == Credits(5)
    keyed(1)
    assert keyed.quote(1).charge == Credits(0)


def test_absurd_token_counts_are_no_counts(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A provider that reports what cannot be leaves the cost unknown; the call and its books are fine."""
    ai_llm.reply(slogan, "text", usage=Usage(input=10**20, output=1))
    receipt = slogan.billed(1).receipt
    assert (receipt.charged, receipt.cost) == (Credits(5), None)
    assert spent(ai_addons, ai_payer) == Credits(5)


def test_no_error_carries_a_name_in_its_chain(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Whoever walks the chain of an error finds no personal data, also not in what was suppressed."""

    class Short(BaseModel):
        """An answer that the real name does not fit."""

        text: Annotated[str, Field(max_length=12)]

    @billed_feature("short_text", credits=1)
    def short_text(customer: Customer) -> Prompt[Short]:
        """Write something short."""
        return Prompt(user="?", data=customer)

    ai_llm.reply(short_text, {"text": "[PERSON_1]"})
    with pytest.raises(BadOutput) as caught:
        short_text(Customer(name="Akosua Serwaa Boateng", late=1))
    chain: list[BaseException | None] = [caught.value]
    for error in chain:
        if error is not None:
            assert "Serwaa" not in repr(error) + str(error)
            chain += [nxt for nxt in (error.__cause__, error.__context__) if nxt not in chain]


def test_a_kept_answer_that_no_longer_passes_is_asked_again_uncharged(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """A replay is held to today's check; if it fails the question is put once more, at our cost."""
    refused = ["nothing yet"]

    @billed_feature("picky", credits=2, cache=None)
    def picky() -> Prompt[str]:
        """Give a word that is not refused."""
        return Prompt.composed(
            answer=str,
            user="A word?",
            check=lambda word: ["refused"] if word in refused else [],
            finish=lambda word: word,
        )

    ai_llm.reply(picky, "first")
    ai_llm.reply(picky, "second")
    keyed = picky.options(idempotency_key="k")
    assert keyed() == "first"
    refused.append("first")
    value, receipt = keyed.billed()
    assert (value, receipt.charged, receipt.replayed) == ("second", Credits(0), True)
    assert spent(ai_addons, ai_payer) == Credits(2)
