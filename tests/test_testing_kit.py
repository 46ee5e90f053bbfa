"""The pytest plugin as a POS developer meets it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from ai_addons import AddOns, Credits, Prompt, ProviderTimeout, ProviderUnavailable, billed_feature
from ai_addons.llm.base import Message, ModelRequest, Usage
from ai_addons.testing import FakeLlm, kit_settings
from tests.features import AMA, OPINION, Opinion, opinion, opinion_async, slogan
from tests.inner import run_here

if TYPE_CHECKING:
    from ai_addons.testing import FundedPayer, ManualClock
    from ai_addons.testing.loopback import Loopback
    from ai_addons.testing.routes import ModelRoutes

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("libraries_stay")

FEATURE = '''
from ai_addons import Prompt, billed_feature

@billed_feature("tagline", credits=2)
def tagline(shop: str) -> Prompt:
    """Write a tagline."""
    return Prompt(user=f"A tagline for {shop}")
'''


def test_a_first_test_takes_five_lines(pytester: pytest.Pytester) -> None:
    """In an empty project, with no configuration at all, the fixtures are there and the books are checked."""
    pytester.makepyfile(shop_ai=FEATURE)
    pytester.makepyfile(
        """
        from shop_ai import tagline

        def test_tagline(ai_llm, ai_payer):
            ai_llm.reply(tagline, "Fresh every day")
            assert tagline("Nyonkopa") == "Fresh every day"
        """
    )
    run_here(pytester, "-q").assert_outcomes(passed=1)


def test_a_test_without_a_fake_model_cannot_reach_a_real_one(pytester: pytest.Pytester) -> None:
    """A host's own wiring with a real key is stopped and told of; a marked test is let through."""
    pytester.makepyfile(shop_ai=FEATURE)
    pytester.makepyfile(
        """
        import socket
        import pytest
        from ai_addons import AddOns, Settings, AddOnsError
        from shop_ai import tagline

        def ask():
            addons = AddOns(Settings(
                store={"url": "sqlite://"}, models={"small": "openai/gpt-6-luna"}, cache={"backend": "off"},
                providers={"openai": {"api_key": "sk-real"}}, call={"attempts": 1},
            ))
            addons.grant("b", 10, source="adjustment", ref="r")
            return tagline.options(addons=addons, business="b")("Nyonkopa")

        def test_refused():
            with pytest.raises(AddOnsError):
                ask()

        @pytest.mark.ai_live
        def test_let_through(monkeypatch):
            reached = []

            def lookup(*args, **options):
                reached.append(args)
                raise OSError

            monkeypatch.setattr(socket, "getaddrinfo", lookup)
            with pytest.raises(AddOnsError):
                ask()
            assert reached
        """
    )
    result = run_here(pytester, "-q", "--ai-live")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*tried to ask a real model at api.openai.com*"])


def test_books_that_do_not_agree_fail_the_test(pytester: pytest.Pytester) -> None:
    """A test that breaks an invariant is told, whatever else it asserts."""
    pytester.makepyfile(
        """
        def test_tampering(ai_addons):
            ai_addons.grant("b", 10, source="adjustment", ref="r")
            steal = "UPDATE business_ai_credits SET posted = posted + 1"
            ai_addons._wiring.database.write(lambda tx: tx.connection.execute(steal))
        """
    )
    result = run_here(pytester, "-q")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the books do not agree*"])


def test_a_payer_is_funded(ai_addons: AddOns, ai_payer: FundedPayer) -> None:
    """Enough credits for any test, and the payer is known to every call."""
    assert ai_addons.wallet(ai_payer.business).available == Credits(1_000)


@pytest.mark.anyio
async def test_a_payer_is_known_to_async_tests(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """The fixtures work the same around a coroutine."""
    ai_llm.reply(opinion_async, OPINION)
    assert (await opinion_async.billed(AMA)).receipt.business == ai_payer.business


def test_an_unscripted_answer_fits_the_type(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """With nothing queued the model invents something valid, for JSON and for text."""
    assert isinstance(opinion(AMA), Opinion)
    assert slogan(1)
    assert [call.feature for call in ai_llm.calls] == ["opinion", "slogan"]
    assert "Ama" not in ai_llm.calls[0].user
    assert ai_llm.calls[0].system.startswith("You are careful.")


def test_answers_come_in_order_and_the_last_one_stays(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """Scripts are per feature, by function or key; the empty key is for any feature."""
    ai_llm.reply("slogan", "one")
    ai_llm.reply(slogan, "two", usage=Usage(input=1, output=1))
    ai_llm.reply("", OPINION)
    assert [slogan(number) for number in range(3)] == ["one", "two", "two"]
    assert opinion(AMA).verdict == "careful"


def test_a_list_answer_is_wrapped_like_a_models(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """A type whose JSON is no object is scripted as the plain value."""

    @billed_feature("words", credits=1)
    def words() -> Prompt[list[str]]:
        """Give some words."""
        return Prompt(user="?")

    ai_llm.reply(words, ["kenkey", "waakye"])
    assert words() == ["kenkey", "waakye"]


def test_failures_can_be_played(ai_addons: AddOns, ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """A retryable failure is retried; one that is not is raised, and nothing is charged."""
    ai_llm.fail(slogan, retry=True)
    ai_llm.reply(slogan, "at last")
    assert slogan(1) == "at last"
    ai_llm.fail("opinion")
    with pytest.raises(ProviderUnavailable):
        opinion(AMA)
    assert ai_addons.wallet(ai_payer.business).available == Credits(995)


def test_a_hanging_model_ends_at_the_deadline(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """In a thread it can be released at once; on a loop it waits for the deadline."""
    ai_llm.hang(slogan)
    ai_llm.release()
    with pytest.raises(ProviderTimeout):
        slogan(1)


@pytest.mark.anyio
async def test_a_model_that_hangs_on_the_loop_can_be_cancelled(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """A cancel scope of the host ends the wait."""
    ai_llm.hang(slogan)
    with anyio.move_on_after(0.2) as scope:
        await slogan.aio(1)
    assert scope.cancelled_caught


def test_time_passes_when_told(ai_clock: ManualClock, ai_addons: AddOns) -> None:
    """The clock of the wiring is the fixture's."""
    before = ai_clock.now()
    ai_clock.advance(90)
    ai_clock.sleep(10)
    assert ai_clock.now() - before == 100_000_000
    assert ai_clock.slept == [10]
    ai_clock.set(before)
    ai_addons.grant("b", 1, source="adjustment", ref="r")
    assert ai_addons.ledger("b")[0].booked_at == before


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "openai/gpt-6-luna"),
        ("anthropic", "anthropic/claude-haiku-5-5"),
        ("gemini", "gemini/gemini-2.5-flash-lite"),
    ],
)
def test_wire_level_routes_answer_in_each_format(
    provider: str, model: str, ai_addons: AddOns, ai_payer: FundedPayer, ai_routes: ModelRoutes
) -> None:
    """With `ai_routes` the whole adapter runs, and the request can be looked at."""
    routes: ModelRoutes = ai_routes
    routes.answer(provider, {"reasons": ["[PERSON_1] is late"], "verdict": "no"})  # type: ignore[arg-type]  # parametrized
    value, receipt = opinion.options(model=model).billed(AMA)
    assert value.reasons == ["Ama Serwaa is late"]
    assert receipt.cost is not None
    assert [call.provider for call in routes.calls] == [provider]
    assert b"Serwaa" not in routes.calls[0].body


def test_settings_of_the_kit_may_be_changed() -> None:
    """A test that needs other settings starts from the kit's."""
    assert kit_settings(call={"attempts": 1}).call.attempts == 1


def test_a_slow_model_takes_time_on_the_clock_only(
    ai_clock: ManualClock, ai_payer: FundedPayer, ai_llm: FakeLlm
) -> None:
    """Ten seconds pass for the receipt, and none for the developer; beyond the deadline it times out."""
    ai_llm.slow(slogan, 10, "late")
    assert slogan.billed(1).receipt.latency_ms == 10_000
    ai_llm.slow(slogan, 31, "too late")
    slogan(2)
    with pytest.raises(ProviderTimeout):
        slogan(3)
    ai_payer.assert_charged(10)


def test_a_model_that_times_out_ends_at_the_deadline_without_waiting(
    ai_clock: ManualClock, ai_payer: FundedPayer, ai_llm: FakeLlm
) -> None:
    """The clock jumps to the end of the call, and nothing is charged."""
    before = ai_clock.monotonic()
    ai_llm.time_out(slogan)
    with pytest.raises(ProviderTimeout):
        slogan(1)
    assert ai_clock.monotonic() - before == 30
    ai_payer.assert_charged(0)


def test_time_needs_a_clock() -> None:
    """A fake made by hand says what it lacks, instead of really waiting."""
    with pytest.raises(ValueError, match="make FakeLlm"):
        FakeLlm().time_out("slogan")


def test_what_was_sent_is_checked_for_names(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """One line shows that a customer's name stayed here."""
    opinion(AMA)
    ai_llm.assert_masked("Ama Serwaa", "024 412 3456")
    assert "[PERSON_1]" in ai_llm.calls[-1].text


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Nyonkopa Stores", "for nyonkopa  STORES!"),
        ("024 412 3456", "call +233 24-412-3456 now"),
        ("\uff21ma", "Ama"),
    ],
)
def test_a_value_that_was_sent_is_found_in_other_spellings(
    ai_payer: FundedPayer, ai_llm: FakeLlm, value: str, sent: str
) -> None:
    """Case, spacing and country codes do not hide a leak; the message quotes the place."""

    @billed_feature("leak", credits=1)
    def leak() -> Prompt:
        """Send what should not be sent."""
        return Prompt(user="Hello", data={"note": ""})

    leak()
    ai_llm.calls[0] = replace(ai_llm.calls[0], request=_saying(ai_llm.calls[0].request, sent))
    with pytest.raises(AssertionError, match=r"(?s)was sent to the model, in call 1 of 1 \(leak\): ….*Mark its field"):
        ai_llm.assert_masked(value)


def test_a_check_of_nothing_does_not_pass(ai_llm: FakeLlm) -> None:
    """With no request, or no value, an assertion would hold whatever happens."""
    with pytest.raises(AssertionError, match="shows nothing"):
        ai_llm.assert_masked("Ama")
    with pytest.raises(ValueError, match="none of them empty"):
        ai_llm.assert_masked(" ")
    with pytest.raises(ValueError, match="needs the values"):
        ai_llm.assert_masked()


def test_requests_are_counted_by_feature(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """A repair is a request of its own, and the failure message names what was wrong."""
    ai_llm.reply(opinion, {"reasons": "none"})
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    ai_llm.assert_asked(opinion, times=2)
    ai_llm.assert_asked(slogan, times=0)
    assert [call.faults for call in ai_llm.calls] == [
        (),
        ("reasons: Input should be a valid array", "verdict: Field required"),
    ]
    with pytest.raises(AssertionError, match=r"opinion asked a model 2 times, not 1.*opinion, opinion.*verdict: Field"):
        ai_llm.assert_asked(opinion)
    with pytest.raises(AssertionError, match="slogan asked a model 0 times, not 1"):
        ai_llm.assert_asked("slogan")


def test_a_scripted_answer_that_nobody_asks_for_is_found(ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """A misspelt key would otherwise test an invention."""
    ai_llm.reply(slogan, "one")
    slogan(1)
    ai_llm.assert_all_used()
    ai_llm.reply("slogn", "two")
    with pytest.raises(AssertionError, match="1 scripted answers were never asked for: slogn"):
        ai_llm.assert_all_used()


def test_a_plain_function_is_no_feature(ai_llm: FakeLlm) -> None:
    """A forgotten decorator is named."""
    with pytest.raises(TypeError, match="@billed_feature"):
        ai_llm.reply(len, "three")


def test_charges_are_checked_against_the_books(ai_clock: ManualClock, ai_payer: FundedPayer, ai_llm: FakeLlm) -> None:
    """In all and by feature; a failure shows each call, paid or not."""
    opinion(AMA)
    ai_clock.advance(1)
    opinion(AMA)
    ai_llm.fail(slogan)
    with pytest.raises(ProviderUnavailable):
        slogan(1)
    ai_payer.assert_charged(3)
    ai_payer.assert_charged("3", opinion)
    ai_payer.assert_charged(Credits(0), "slogan")
    assert (ai_payer.spent, ai_payer.available) == (Credits(3), Credits(997))
    assert [receipt.charged for receipt in ai_payer.receipts] == [Credits(3), Credits(0)]
    with pytest.raises(AssertionError) as wrong:
        ai_payer.assert_charged(6, opinion)
    assert str(wrong.value) == (
        "3 credits were charged for opinion, not 6. The books say:\n"
        "  opinion: ok, words by ai, charged 3\n  opinion: ok, words by cache, charged 0"
    )
    with pytest.raises(AssertionError, match=r"slogan: failed \(provider_unavailable\), charged 0"):
        ai_payer.assert_charged(1)


def test_a_payer_who_never_called_is_told_so(ai_payer: FundedPayer) -> None:
    """An empty list of calls would say nothing."""
    with pytest.raises(AssertionError, match="no call at all"):
        ai_payer.assert_charged(1)


@pytest.mark.anyio
async def test_a_server_on_this_machine_answers_async_and_sync(ai_loopback: Loopback, ai_payer: FundedPayer) -> None:
    """With `ai_loopback` the real adapter speaks through a real socket."""
    ai_loopback.answer("openai", "Fresh")
    assert (await slogan.aio(1), slogan(2)) == ("Fresh", "Fresh")
    assert [call.provider for call in ai_loopback.calls] == ["openai", "openai"]


def test_the_settings_of_a_test_can_be_overridden(pytester: pytest.Pytester) -> None:
    """A host changes models or prices for all its tests in one fixture."""
    pytester.makepyfile(shop_ai=FEATURE)
    pytester.makeconftest(
        """
        import pytest
        from ai_addons.testing import kit_settings

        @pytest.fixture
        def ai_settings():
            return kit_settings(models={"small": "anthropic/claude-haiku-5-5"}, prices={"features": {"tagline": "4"}})
        """
    )
    pytester.makepyfile(
        """
        from shop_ai import tagline

        def test_tagline(ai_llm, ai_payer):
            tagline("Nyonkopa")
            assert ai_llm.calls[0].model == "anthropic/claude-haiku-5-5"
            ai_payer.assert_charged(4)
        """
    )
    run_here(pytester, "-q").assert_outcomes(passed=1)


def _saying(request: ModelRequest, text: str) -> ModelRequest:
    return replace(request, messages=(*request.messages, Message("user", text)))
