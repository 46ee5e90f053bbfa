"""Recorded exchanges: written once from a real model, played back ever after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.errors import ProviderUnavailable
from ai_addons.llm.base import Message, ModelFailure, ModelReply, ModelRequest, Usage, Verdict
from ai_addons.testing import CassetteError, FakeLlm
from ai_addons.testing.cassette import RecordingLlm, ReplayLlm, cassette_path
from tests.inner import run_here

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("libraries_stay")

SHOP = '''
from typing import Annotated
from pydantic import BaseModel
from ai_addons import Pii, Prompt, billed_feature

class Customer(BaseModel):
    name: Annotated[str, Pii.NAME]

@billed_feature("greet", credits=2)
def greet(customer: Customer, words: str = "Greet this customer.") -> Prompt[list[str]]:
    """Greet somebody."""
    return Prompt(user=words, data=customer)
'''
RECORDED = """
import pytest
from shop_ai import Customer, greet

@pytest.fixture(autouse=True)
def provider(request):
    if request.config.getoption("--ai-record"):
        server = request.getfixturevalue("ai_loopback")
        server.answer("openai", {"value": ["Akwaaba [PERSON_1]"]}, usage=(40, 8))

@pytest.mark.ai_cassette("greeting")
def test_greeting(ai_loopback, ai_payer, ai_llm):
    value, receipt = greet.billed(Customer(name="Ama Serwaa"), "Greet this customer.")
    assert value == ["Akwaaba Ama Serwaa"]
    assert (receipt.usage.input, receipt.usage.output) == (40, 8)
    ai_payer.assert_charged(2)
    ai_llm.assert_masked("Ama Serwaa")

@pytest.mark.ai_cassette("greeting")
@pytest.mark.anyio
async def test_greeting_async(ai_loopback, ai_payer):
    assert await greet.aio(Customer(name="Kofi Boateng")) == ["Akwaaba Kofi Boateng"]
"""


def request(user: str = "Greet Ama.\n<data>\n", **changes: Any) -> ModelRequest:
    """A request as an adapter gets it."""
    fields: dict[str, Any] = {
        "model": "openai/gpt-6-luna",
        "messages": (Message("system", "Be brief."), Message("user", user)),
        "max_tokens": 300,
        "schema": {"type": "object", "properties": {}},
        "timeout": 5.0,
        "feature": "greet",
    }
    return ModelRequest(**(fields | changes))


def recorded(path: Path, *requests: ModelRequest) -> ReplayLlm:
    """A cassette with these requests, answered by their numbers."""
    fake = FakeLlm()
    for number, _ in enumerate(requests, 1):
        fake.reply_text("", str(number))
    recording = RecordingLlm(fake)
    for one in requests:
        recording.complete(one)
    recording.save(path)
    return ReplayLlm(path)


@pytest.fixture
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record as on a developer's own machine."""
    monkeypatch.delenv("CI", raising=False)


@pytest.mark.usefixtures("_at_home")
def test_what_was_recorded_is_played_back_without_a_model(pytester: pytest.Pytester) -> None:
    """One run asks the model and writes; the next asks nobody, sync and async, and gives answer and tokens again."""
    pytester.makepyfile(shop_ai=SHOP, test_shop=RECORDED)
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n")
    run_here(pytester, "-q", "--ai-record").assert_outcomes(passed=2)
    text = (pytester.path / "cassettes" / "greeting.json").read_text(encoding="utf-8")

    for never in ("Serwaa", "Boateng", "test-key-of", "127.0.0.1", "uthorization"):
        assert never not in text
    (exchange,) = json.loads(text)["exchanges"]
    assert exchange["reply"]["text"] == '{"value": ["Akwaaba [PERSON_1]"]}'
    run_here(pytester, "-q").assert_outcomes(passed=2)


@pytest.mark.usefixtures("_at_home")
def test_a_changed_prompt_is_refused_with_what_changed(pytester: pytest.Pytester) -> None:
    """Nothing is sent, nothing is charged, and the diff shows the one line."""
    pytester.makepyfile(shop_ai=SHOP, test_shop=RECORDED)
    run_here(pytester, "-q", "--ai-record", "-k", "test_greeting and not async").assert_outcomes(passed=1)
    pytester.makepyfile(test_shop=RECORDED.replace('"Greet this customer.")', '"Greet them warmly.")'))

    result = run_here(pytester, "-q", "-k", "test_greeting and not async")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*greeting.json holds no answer to this request of greet; nothing was sent.", "*-  Greet this customer.",
         "*+  Greet them warmly.", "*record it again: pytest --ai-record*"]
    )  # fmt: skip


def test_recording_is_refused_in_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads there what is recorded, and the key is everybody's."""
    monkeypatch.setenv("CI", "true")
    result = run_here(pytester, "--ai-record")
    result.stderr.fnmatch_lines(["*--ai-record is refused in CI*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_missing_cassette_says_how_to_record_it(pytester: pytest.Pytester) -> None:
    """So does a marker without a name."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ai_cassette("none")
        def test_missing(ai_llm):
            pass

        @pytest.mark.ai_cassette
        def test_nameless(ai_llm):
            pass

        @pytest.mark.ai_cassette("../elsewhere")
        def test_outside(ai_llm):
            pass
        """
    )
    result = run_here(pytester, "-q")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines_random(
        ["*There is no cassette*none.json*pytest --ai-record", "*give the cassette a name*",
         "*'../elsewhere' is no name for a cassette*"]
    )  # fmt: skip


@pytest.mark.usefixtures("_at_home")
def test_a_run_that_asks_nothing_leaves_the_cassette_as_it_is(pytester: pytest.Pytester) -> None:
    """Recording a test whose answer was scripted would empty it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ai_cassette("kept")
        def test_nothing(ai_llm):
            pass
        """
    )
    result = run_here(pytester, "-q", "--ai-record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*No model was asked, so there is nothing to record*"])
    assert not (pytester.path / "cassettes").exists()


def test_equal_requests_are_answered_in_order(tmp_path: Path) -> None:
    """A feature that asks twice gets both answers, and the last one from then on."""
    replay = recorded(tmp_path / "c.json", request(), request("another"), request())
    assert [replay.complete(request()).text for _ in range(3)] == ["1", "3", "3"]
    assert replay.complete(request("another")).text == "2"


@pytest.mark.anyio
async def test_async_requests_are_recorded_and_played_too(tmp_path: Path) -> None:
    """Everything a reply says comes back, but for the provider's id of the request."""
    usage = Usage(input=1, cached=2, cache_write=3, output=4, reasoning=5)
    said = ModelReply(text=None, finish="length", model="m", usage=usage, request_id="req_1", tier="default")

    class Said(FakeLlm):
        async def acomplete(self, request: ModelRequest) -> ModelReply:
            assert request.schema is None
            return said

    recording = RecordingLlm(Said())
    await recording.acomplete(request(schema=None))
    recording.save(tmp_path / "c.json")
    replayed = await ReplayLlm(tmp_path / "c.json").acomplete(request(schema=None, timeout=1.0))

    assert replayed == ModelReply(text=None, finish="length", model="m", usage=usage, tier="default")
    assert "req_1" not in (tmp_path / "c.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"model": "openai/gpt-6-sol"}, "+model: openai/gpt-6-sol"),
        ({"max_tokens": 301}, "+max_tokens: 301"),
        ({"schema": {"type": "string"}}, '+  "type": "string"'),
        ({"user": 'Greet Ama.\n<data>\n{"late":3,"name":"[PERSON_1]"}'}, '+    "late": 3,'),
        ({"user": "Greet Ama.\n<data>\n[broken"}, "+  [broken"),
        ({"feature": "other"}, "+feature: other"),
    ],
)
def test_every_part_of_a_request_counts(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    """Another model, cap, schema, fact or feature is another request, and the diff shows it on a line of its own."""
    asked = 'Greet Ama.\n<data>\n{"late":2,"name":"[PERSON_1]"}'
    replay = recorded(tmp_path / "c.json", request("far away"), request(asked))
    with pytest.raises(CassetteError) as refused:
        replay.complete(request(**({"user": asked} | changes)))
    assert line in str(refused.value).splitlines()
    assert "far away" not in str(refused.value)


def test_a_key_in_a_prompt_is_never_written(tmp_path: Path) -> None:
    """A developer who pastes a key into a prompt is stopped at the file."""
    recording = RecordingLlm(FakeLlm())
    recording.complete(request("my key is sk-123"))
    with pytest.raises(CassetteError, match="holds a provider key"):
        recording.save(tmp_path / "c.json", ["", "sk-123"])
    assert not (tmp_path / "c.json").exists()


def test_failures_are_passed_on_and_not_recorded(tmp_path: Path) -> None:
    """A bad day of the provider does not become every test's day."""
    fake = FakeLlm()
    fake.fail("")
    recording = RecordingLlm(fake)
    with pytest.raises(ModelFailure) as failed:
        recording.complete(request())
    assert (failed.value.verdict, type(failed.value.error)) == (Verdict.ANSWERED, ProviderUnavailable)
    with pytest.raises(CassetteError, match="nothing to record"):
        recording.save(tmp_path / "c.json")


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2, "exchanges": []}', '{"version":1,"exchanges":[{}]}'])
def test_a_damaged_cassette_is_named(tmp_path: Path, text: str) -> None:
    """A merge conflict in the file is no puzzle."""
    (tmp_path / "c.json").write_text(text, encoding="utf-8")
    with pytest.raises(CassetteError, match=r"c\.json cannot be read"):
        ReplayLlm(tmp_path / "c.json")


def test_an_empty_cassette_says_so(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    (tmp_path / "c.json").write_text('{"version": 1, "exchanges": []}', encoding="utf-8")
    with pytest.raises(CassetteError, match="It is empty"):
        ReplayLlm(tmp_path / "c.json").complete(request())


def test_a_cassette_lies_beside_its_test(tmp_path: Path) -> None:
    """In the folder ``cassettes``, and nowhere else."""
    assert cassette_path(tmp_path / "test_a.py", "a-1") == tmp_path / "cassettes" / "a-1.json"
