"""Errors, chains, frames and reprs: whoever catches, logs or reports them learns nothing about anybody."""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
import sqlite3
import traceback
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import httpx
import pytest
from pydantic import BaseModel, Field

from ai_addons import AddOns, AddOnsError, ConfigError, Pii, Prompt, Settings, bill_to, billed_feature
from ai_addons._call import AskModel, Call, Do
from ai_addons._call.stored import Stored
from ai_addons._drive import _Result
from ai_addons._invocation import Invocation
from ai_addons.billing.records import CallRecord, Finished
from ai_addons.billing.store import Store
from ai_addons.catalog import FeatureSpec
from ai_addons.errors import BadOutput, PrivacyRefused, ProviderUnavailable, StoreUnavailable, bare
from ai_addons.llm.base import Message, ModelFailure, ModelReply, ModelRequest, Verdict
from ai_addons.money import Credits
from ai_addons.privacy.base import Declared, Kind, Rules
from ai_addons.privacy.fields import Leaf
from ai_addons.scope import Payer
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.leaks import OURS, told_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.testing.routes import ModelRoutes

NAME: Final = "Akosua Serwaa Boateng"
ASKED: Final = "the words of the prompt"
ANSWERED: Final = "the words of the answer"
KEY: Final = "sk-canary-of-a-key"
# What must not be told by anything that leaves the package.
SECRETS: Final = ("Serwaa", "serwaa", "words of the prompt", "words of the answer", KEY)


class Customer(BaseModel):
    """Somebody."""

    name: Annotated[str, Pii.NAME]


class Short(BaseModel):
    """An answer that the real name does not fit."""

    text: Annotated[str, Field(max_length=12)]


def short_text(customer: Customer) -> Prompt[Short]:
    """Write something short."""
    return Prompt(system=ASKED, user=f"{ASKED} {NAME}", data=customer)


def checked(customer: Customer) -> Prompt[str]:
    """Write something that no check likes."""
    return Prompt.composed(answer=str, user=ASKED, data=customer, check=lambda _: ["bad"], finish=lambda text: text)


def seen_in(text: str) -> list[str]:
    """The secrets that a text tells."""
    return [secret for secret in SECRETS if secret in text]


def feature(builder: Callable[..., Any], ai_addons: AddOns) -> Any:
    """A builder on sale for a credit."""
    return billed_feature("told", credits=1, cache=None)(builder).options(business="biz_7", addons=ai_addons)


@pytest.fixture
def customer() -> Customer:
    """Whose name must not be told."""
    return Customer(name=NAME)


FAILURES: Final[dict[str, Any]] = {
    "the name does not fit": lambda llm: llm.reply("told", {"text": "[PERSON_1]"}),
    "no such placeholder": lambda llm: llm.reply("told", {"text": "[PERSON_9]"}),
    "another shape": lambda llm: llm.reply("told", {"words": ANSWERED}),
    "no model": lambda llm: llm.fail("told", ProviderUnavailable()),
}


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("builder", [short_text, checked])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_call_tells_nothing(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, customer: Customer, failure: str, builder: Any, *, aio: bool
) -> None:
    """Message, repr, arguments, attributes, the whole chain, and the locals of our frames."""
    FAILURES[failure](ai_llm)
    told = feature(builder, ai_addons).options(business=ai_payer.business)
    with pytest.raises(AddOnsError) as caught:
        asyncio.run(told.aio(customer)) if aio else told(customer)
    assert seen_in(told_by(caught.value)) == []
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    printed = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in printed.stack if frame.filename.startswith(OURS)]
    assert ours
    assert [frame for frame in ours if seen_in(repr(frame.locals))] == []


def test_a_key_and_a_provider_s_words_stay_inside(customer: Customer, ai_routes: ModelRoutes) -> None:
    """What a provider answers may quote the prompt; neither that nor the key is told, at the loudest level."""
    providers = {"openai": {"api_key": KEY}}
    for status in (400, 401, 404, 429, 500):
        ai_routes.fail("openai", status, message=f"{ASKED} {ANSWERED}", times=3)
        with closing(AddOns(kit_settings(providers=providers), clock=ManualClock(), environ={})) as addons:
            addons.grant("biz_7", 5, source="adjustment", ref="start")
            with pytest.raises(AddOnsError) as caught:
                feature(short_text, addons)(customer)
        assert seen_in(told_by(caught.value)) == []


@pytest.mark.anyio
async def test_a_cancelled_call_tells_nothing(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cancellation passes our frames while the request is under way; the key is in none of them."""
    asked = asyncio.Event()

    async def hang(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        assert KEY in request.headers["authorization"]
        asked.set()
        await asyncio.sleep(3600)
        raise AssertionError

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", hang)
    settings = kit_settings(providers={"openai": {"api_key": KEY}})
    with closing(AddOns(settings, clock=ManualClock(), environ={})) as addons:
        addons.grant("biz_7", 5, source="adjustment", ref="start")
        task = asyncio.ensure_future(feature(short_text, addons).aio(customer))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert seen_in(told_by(caught.value)) == []


def test_ctrl_c_after_the_answer_tells_nothing(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It strikes when the result is there already, with the name restored in it."""
    capture = Store.capture

    def interrupted(store: Store, *args: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return capture(store, *args, **options)

    def text(customer: Customer) -> Prompt:
        """Write a text."""
        return Prompt(user=ASKED, data=customer)

    monkeypatch.setattr(Store, "capture", interrupted)
    told = feature(text, ai_addons).options(business=ai_payer.business)
    ai_llm.reply("told", f"{ANSWERED} [PERSON_1]")
    with pytest.raises(KeyboardInterrupt) as caught:
        told(customer)
    assert seen_in(told_by(caught.value)) == []


@pytest.mark.anyio
async def test_a_cancel_after_the_answer_tells_nothing(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on an event loop."""
    capture = Store.capture
    loop, tasks = asyncio.get_running_loop(), list[asyncio.Task[Any]]()

    def cancelling(store: Store, *args: Any, **options: Any) -> Any:
        loop.call_soon_threadsafe(tasks[0].cancel)
        return capture(store, *args, **options)

    def text(customer: Customer) -> Prompt:
        """Write a text."""
        return Prompt(user=ASKED, data=customer)

    monkeypatch.setattr(Store, "capture", cancelling)
    ai_llm.reply("told", f"{ANSWERED} [PERSON_1]")
    tasks.append(asyncio.ensure_future(feature(text, ai_addons).options(business=ai_payer.business).aio(customer)))
    with pytest.raises(asyncio.CancelledError) as caught:
        await tasks[0]
    assert seen_in(told_by(caught.value)) == []


def test_an_error_of_the_host_passes_frames_that_tell_nothing(
    ai_addons: AddOns, ai_payer: Payer, customer: Customer
) -> None:
    """A builder that fails keeps its traceback, which the developer needs; our frames in it hold no arguments."""

    def failing(customer: Customer) -> Prompt:
        """Fail."""
        raise LookupError

    async def failing_later(customer: Customer) -> Prompt:
        """Fail, too."""
        raise LookupError

    told = feature(failing, ai_addons).options(business=ai_payer.business)
    later: Any = billed_feature("told_later", credits=1)(failing_later)
    waiting: Any = later.options(business="biz_7", addons=ai_addons)
    calls: list[Callable[[], object]] = [
        lambda: told(customer),
        lambda: told.billed(customer),
        lambda: told.quote(customer),
        lambda: asyncio.run(told.aio(customer)),
        lambda: asyncio.run(waiting(customer)),
        lambda: asyncio.run(waiting.quote(customer)),
    ]
    for call in calls:
        with pytest.raises(LookupError) as caught:
            call()
        assert seen_in(told_by(caught.value)) == []
        assert caught.traceback[-1].name in ("failing", "failing_later")


@pytest.mark.parametrize("way", ["call", "billed", "quote"])
def test_nobody_to_bill_tells_nothing(ai_addons: AddOns, customer: Customer, way: str) -> None:
    """The arguments are out of our frames before the payer is looked for."""
    told = feature(short_text, ai_addons).options(business="")
    with pytest.raises(ConfigError) as caught:
        (told if way == "call" else getattr(told, way))(customer)
    assert seen_in(told_by(caught.value)) == []


def test_a_refused_text_is_not_told(ai_addons: AddOns, ai_payer: Payer) -> None:
    """Too long a text is measured, not quoted; alone or in a call."""
    with pytest.raises(PrivacyRefused) as caught:
        ai_addons.mask(f"{NAME} " * 9_000)
    assert seen_in(told_by(caught.value)) == []


def test_a_store_that_fails_tells_no_values(tmp_path: Path) -> None:
    """The driver's error with statement and parameters is not even in the chain."""
    addons = AddOns(kit_settings(store={"url": f"sqlite:///{tmp_path / 'shop.db'}"}), environ={})
    with closing(addons):
        addons.grant("biz_7", 5, source="adjustment", ref="start")
        with closing(sqlite3.connect(tmp_path / "shop.db")) as thief:
            thief.execute("DROP TABLE ai_audit")
        with pytest.raises(StoreUnavailable) as caught:
            addons.adjust("biz_7", 1, ref="r", actor=NAME, reason=NAME)
    assert caught.value.__context__ is None
    assert seen_in(str(caught.value) + repr(caught.value.args)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"providers": {"openai": {"api_key": KEY, "api_bas": "x"}}},
        {"providers": {"openai": {"api_key": [KEY]}}},
        {"secret": KEY},
        {"secrets": KEY * 3},
        {"former_secrets": [KEY]},
        {"webhooks": {"url": "https://pos.example", "secret": KEY}},
    ],
)
def test_settings_that_are_wrong_are_not_told(values: dict[str, Any]) -> None:
    """Neither in the message nor in the frame that read them, where a crash reporter looks."""
    with pytest.raises(ConfigError) as caught:
        Settings(**values)
    assert seen_in(told_by(caught.value)) == []
    assert caught.value.__context__ is None


def test_an_error_leaves_alone() -> None:
    """`bare` takes away frames, cause and context, and nothing else."""
    error = BadOutput("Nothing was charged.", charged=Credits(0))
    with pytest.raises(BadOutput):
        raise error from ValueError(NAME)
    assert bare(error) is error
    assert (error.__cause__, error.__context__, error.__traceback__) == (None, None, None)
    assert str(error) == "Nothing was charged."


SPEC: Final = FeatureSpec(
    key="told",
    name="Told",
    description="",
    category="basic",
    credits=Credits(1),
    tier="small",
    cache=None,
    version="1",
    max_tokens=10,
)


def _builder() -> Prompt:
    """A builder, by name."""
    return Prompt(user=ASKED)


def _call() -> Call[Any]:
    return Call(
        spec=SPEC,
        answer=str,
        arguments={"customer": NAME},
        build=lambda: Prompt(user=ASKED),
        builder=_builder,
        payer=Payer("biz_7"),
        key=None,
        price=Credits(1),
        price_version=None,
        route=("openai/gpt-6-luna",),
        chosen=None,
        cache_for=None,
        stale_for=0.0,
        max_tokens=10,
        thinking="off",
        attempts=1,
        rules=Rules(),
        seconds=1.0,
        replay_us=0,
        free_repeats=True,
    )


REQUEST: Final = ModelRequest(
    model="openai/gpt-6-luna",
    messages=(Message("system", ASKED), Message("user", NAME)),
    max_tokens=1,
    schema=None,
    timeout=1.0,
    sample=ANSWERED,
)
HOLDERS: Final[dict[str, object]] = {
    "prompt": Prompt(user=ASKED, system=NAME),
    "composed prompt": Prompt.composed(answer=str, user=ASKED, finish=lambda text: text),
    "message": Message("user", ASKED),
    "request": REQUEST,
    "step": AskModel(REQUEST, 1.0),
    "store step": Do(partial(str, ANSWERED)),
    "reply": ModelReply(text=ANSWERED, finish="stop", model="m", usage=None),
    "failure": ModelFailure(ProviderUnavailable(), Verdict.ANSWERED),
    "call": _call(),
    "invocation": Invocation(
        spec=SPEC, answer=str, arguments={"customer": NAME}, build=lambda: Prompt(user=ASKED), builder=_builder
    ),
    "stored answer": Stored(ANSWERED, "m", (), 0, None),
    "replay": Finished(charged=Credits(1), answers=ANSWERED, model="m"),
    "record": CallRecord(outcome="ok", source="ai", answers=ANSWERED),
    "result": _Result(ANSWERED),
    "declared value": Declared(Kind.PERSON, NAME),
    "leaf": Leaf(NAME, Pii.NAME),
    "settings": kit_settings(providers={"openai": {"api_key": KEY}}),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_holds_content_prints_without_it(holder: str) -> None:
    """A stray `print` or `%r` in somebody's log shows nothing."""
    assert seen_in(f"{HOLDERS[holder]!r} {HOLDERS[holder]}") == []


@pytest.mark.parametrize("make", [lambda addons: addons._wiring.desk().kit.masker.session(), lambda _: _Result(NAME)])
def test_what_holds_personal_data_is_never_pickled(ai_addons: AddOns, make: Callable[[AddOns], object]) -> None:
    """It cannot be put into a queue or a cache by mistake."""
    with pytest.raises(TypeError, match="holds personal data and must not be pickled or copied"):
        pickle.dumps(make(ai_addons))


def test_a_hook_that_fails_is_logged_without_the_call(
    ai_llm: FakeLlm, customer: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    """The one traceback that we write ourselves is the hook's."""
    caplog.set_level(logging.DEBUG)

    def broken(_: object) -> None:
        msg = "the host's metrics are down"
        raise OSError(msg)

    def text(customer: Customer) -> Prompt:
        """Write a text."""
        return Prompt(user=ASKED, data=customer)

    ai_llm.reply("told", f"{ANSWERED} [PERSON_1]")
    with closing(AddOns(kit_settings(), llm=ai_llm, hooks=[broken], environ={})) as addons, bill_to("biz_7"):
        addons.grant("biz_7", 5, source="adjustment", ref="start")
        assert NAME in feature(text, addons)(customer)
    assert "metrics are down" in caplog.text
    assert seen_in(caplog.text) == []
