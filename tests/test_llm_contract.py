"""Every built-in way to ask models passes the contract, and the contract finds out those that must not pass."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.errors import ProviderUnavailable
from ai_addons.llm.base import ModelFailure, ModelReply, ModelRequest, Usage, Verdict
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.offline import OFFLINE_MODEL, OfflineLlm
from ai_addons.money import PicoUsd
from ai_addons.settings import OfflineSettings, ProviderSettings
from ai_addons.testing import FakeLlm, ManualClock
from ai_addons.testing.cassette import RecordingLlm, ReplayLlm
from ai_addons.testing.contracts import LlmContract
from ai_addons.testing.live import CappedLlm, LivePurse
from tests.llm_wire import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.llm.base import Llm
    from ai_addons.testing.loopback import Loopback
    from ai_addons.testing.wire import Provider, WireCall


def failing() -> FakeLlm:
    """A fake whose model is down."""
    fake = FakeLlm()
    fake.fail("")
    return fake


def hanging() -> FakeLlm:
    """A fake whose model never answers."""
    fake = FakeLlm()
    fake.hang("")
    return fake


class TestOffline(LlmContract):
    """The model of the first run."""

    model = OFFLINE_MODEL

    def make(self) -> Llm:
        return OfflineLlm()

    def make_failing(self) -> Llm:
        return OfflineLlm(OfflineSettings(latency="60s"), ManualClock())

    def make_hanging(self) -> Llm:
        return OfflineLlm(OfflineSettings(latency="60s"))


class TestFake(LlmContract):
    """The model of the tests."""

    def make(self) -> Llm:
        return FakeLlm()

    def make_failing(self) -> Llm:
        return failing()

    def make_hanging(self) -> Llm:
        return hanging()


class TestFakeWithAnotherBehind(TestFake):
    """What is not scripted is answered by another."""

    def make(self) -> Llm:
        return FakeLlm(behind=FakeLlm())

    def make_failing(self) -> Llm:
        return FakeLlm(behind=failing())

    def make_hanging(self) -> Llm:
        return FakeLlm(behind=hanging())


class TestRecording(LlmContract):
    """A model whose answers are kept."""

    def make(self) -> Llm:
        return RecordingLlm(FakeLlm())

    def make_failing(self) -> Llm:
        return RecordingLlm(failing())

    def make_hanging(self) -> Llm:
        return RecordingLlm(hanging())


class TestReplay(LlmContract):
    """A recording; what it does not hold is a fault of the test, and no failure of a model."""

    @pytest.fixture(autouse=True)
    def _cassette(self, tmp_path: Path) -> None:
        recording = RecordingLlm(FakeLlm())
        for schema in (None, {"type": "object", "properties": SCHEMA["properties"]} | SCHEMA):
            recording.complete(self._request(schema=schema))
        recording.save(tmp_path / "c.json")
        self.path = tmp_path / "c.json"

    def make(self) -> Llm:
        return ReplayLlm(self.path)

    def make_failing(self) -> None:
        return None


class TestCapped(LlmContract):
    """A model within a budget."""

    def make(self) -> Llm:
        return self._capped(FakeLlm())

    def make_failing(self) -> Llm:
        return self._capped(failing())

    def make_hanging(self) -> Llm:
        return self._capped(hanging())

    def _capped(self, fake: FakeLlm) -> Llm:
        return CappedLlm(fake, PriceBook(), LivePurse(PicoUsd(10**12)))


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"word": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["word", "count"],
    "additionalProperties": False,
}


class TestOpenAi(LlmContract):
    """LiteLLM, speaking to a server that answers as OpenAI does."""

    provider: Provider = "openai"
    model = ROUTES["openai"]

    @pytest.fixture(autouse=True)
    def _server(self, ai_loopback: Loopback) -> None:
        self.server = ai_loopback

    def make(self) -> Llm:
        self.server.answer(self.provider, _by_schema)
        return self._llm()

    def make_failing(self) -> Llm:
        self.server.fail(self.provider, 500)
        return self._llm()

    def make_hanging(self) -> Llm:
        self.server.hang(self.provider)
        return self._llm()

    def _llm(self) -> Llm:
        settings = {"api_key": "a-key", "api_base": self.server.api_base(self.provider)}
        return LiteLlm({self.provider: ProviderSettings.model_validate(settings)}, {})


class TestAnthropic(TestOpenAi):
    """As Anthropic does."""

    provider: Provider = "anthropic"
    model = ROUTES["anthropic"]


class TestGemini(TestOpenAi):
    """As Gemini does."""

    provider: Provider = "gemini"
    model = ROUTES["gemini"]


def _by_schema(call: WireCall) -> Any:
    return {"word": "rice", "count": 1} if call.schema else "rice"


class Sound:
    """A sound way to ask; each bad one below spoils one thing of it."""

    def complete(self, request: ModelRequest) -> ModelReply:
        text = "rice" if request.schema is None else '{"word": "rice", "count": 1}'
        return ModelReply(text=text, finish="stop", model="m", usage=Usage(input=1, output=1))

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        return self.complete(request)


def replying(**changes: Any) -> Llm:
    """One that gives replies with something wrong."""

    class Wrong(Sound):
        def complete(self, request: ModelRequest) -> ModelReply:
            return replace(super().complete(request), **changes)

    return Wrong()


def raising(error: Callable[[ModelRequest], Exception]) -> Llm:
    """One that fails in a way of its own."""

    class Failing(Sound):
        def complete(self, request: ModelRequest) -> ModelReply:
            raise error(request)

    return Failing()


class Meddling(Sound):
    """One that adds to the schema it was given."""

    def complete(self, request: ModelRequest) -> ModelReply:
        if request.schema is not None:
            request.schema["title"] = "mine"  # type: ignore[index]  # what it must not do
        return super().complete(request)


class OneAtATime(Sound):
    """One that cannot be asked twice at once."""

    def __init__(self) -> None:
        self.busy = 0

    def complete(self, request: ModelRequest) -> ModelReply:
        self.busy += 1
        wrong, _ = self.busy > 2, self.busy
        return replace(super().complete(request), text="" if wrong else "rice")


class OneLoop(Sound):
    """One that belongs to the first loop that asks it."""

    def __init__(self) -> None:
        self.loop: object = None

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        self.loop = self.loop or asyncio.get_running_loop()
        reply = self.complete(request)
        return reply if self.loop is asyncio.get_running_loop() else replace(reply, model="")


class Endless(Sound):
    """One that waits as long as it likes."""

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        await asyncio.sleep(60)
        return self.complete(request)


class Stubborn(Sound):
    """One that answers instead of being cancelled."""

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return self.complete(request)


def down(request: ModelRequest) -> Exception:
    """A proper failure."""
    return ModelFailure(ProviderUnavailable(), Verdict.ANSWERED)


BAD: dict[str, tuple[str, dict[str, Callable[[], Llm | None]], str]] = {
    "no text": ("test_it_answers_with_text", {"make": lambda: replying(text=None)}, "no text"),
    "an odd end": ("test_it_answers_with_text", {"make": lambda: replying(finish="odd")}, "`finish` is 'odd'"),
    "no model": ("test_it_answers_with_text", {"make": lambda: replying(model="")}, "which model answered"),
    "negative counts": (
        "test_it_answers_with_text", {"make": lambda: replying(usage=Usage(input=-1))}, "whole numbers",
    ),
    "float counts": ("test_it_answers_with_text", {"make": lambda: replying(usage=Usage(input=1.5))}, "whole numbers"),  # type: ignore[arg-type]
    "counts as a dict": ("test_it_answers_with_text", {"make": lambda: replying(usage={"input": 1})}, "give a Usage"),
    "prose": ("test_it_answers_by_the_schema", {"make": lambda: replying(text="Sure!")}, "is the schema sent"),
    "another object": ("test_it_answers_by_the_schema", {"make": lambda: replying(text='{"a": 1}')}, "schema sent"),
    "a changed request": ("test_it_leaves_the_request_alone", {"make": Meddling}, "request was changed"),
    "no threads": ("test_threads_share_it", {"make": OneAtATime}, "no text"),
    "one loop": ("test_loops_share_it", {"make": OneLoop}, "which model answered"),
    "an error of its own": (
        "test_it_fails_as_model_failure", {"make_failing": lambda: raising(lambda _: OSError())}, "raised OSError",
    ),
    "an answer all the same": ("test_it_fails_as_model_failure", {"make_failing": Sound}, "answered where no answer"),
    "a stranger's error": (
        "test_it_fails_as_model_failure",
        {"make_failing": lambda: raising(lambda _: ModelFailure(_Odd(), Verdict.ANSWERED))},  # type: ignore[arg-type]
        "not an AddOnsError",
    ),
    "no verdict": (
        "test_it_fails_as_model_failure",
        {"make_failing": lambda: raising(lambda _: ModelFailure(ProviderUnavailable(), "billed"))},  # type: ignore[arg-type]
        "`verdict`",
    ),
    "a quoted prompt": (
        "test_a_failure_quotes_nothing",
        {"make_failing": lambda: raising(lambda asked: ValueError(asked.messages[1].content))},
        "quotes the prompt",
    ),
    "an endless wait": ("test_a_wait_ends_in_time", {"make_hanging": Endless}, "was still waiting"),
    "an early answer": ("test_a_wait_ends_in_time", {"make_hanging": Sound}, "though no model did"),
    "a swallowed cancellation": ("test_it_can_be_cancelled", {"make_hanging": Stubborn}, "did not end as cancelled"),
}  # fmt: skip


class _Odd(Exception):
    code = "odd"


@pytest.fixture
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let attempts be short."""
    monkeypatch.setattr("ai_addons.testing.llms._SHORT", 0.1)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch, _brief: None) -> None:
    """Wait for a bad one less long than for a good one, which a busy machine may keep waiting."""
    monkeypatch.setattr("ai_addons.testing.llms._PATIENCE", 1.0)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_found_out(name: str) -> None:
    """Each rule fails for one that breaks it, in words that say what is wrong."""
    rule, makers, words = BAD[name]
    with pytest.raises(AssertionError, match=words):
        getattr(contract(**makers), rule)()


@pytest.mark.usefixtures("_brief")
@pytest.mark.parametrize("rule", [name for name in vars(LlmContract) if name.startswith("test_")])
def test_a_sound_one_passes_each_rule(rule: str) -> None:
    """The rules ask for nothing that a plain one would not do; every rule has a bad one above."""
    getattr(contract(make=Sound, make_failing=lambda: raising(down), make_hanging=hanging), rule)()
    assert rule in {broken for broken, _, _ in BAD.values()}


def test_one_that_never_fails_or_waits_says_so() -> None:
    """`make_failing` has to be answered, if only with None; nobody forgets it."""
    bare = LlmContract()
    for ask in (bare.make, bare.make_failing):
        with pytest.raises(NotImplementedError):
            ask()
    assert bare.make_hanging() is None
    calm = contract(make=Sound, make_failing=lambda: None, make_hanging=lambda: None)
    for rule in ("test_it_fails_as_model_failure", "test_a_wait_ends_in_time", "test_it_can_be_cancelled"):
        getattr(calm, rule)()


def contract(**makers: Callable[[], Llm | None]) -> LlmContract:
    """The contract of one, as pytest would collect it."""
    made = LlmContract()
    for name, make in makers.items():
        setattr(made, name, make)
    return made
