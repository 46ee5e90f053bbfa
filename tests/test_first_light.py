"""The whole way: settings from a file, a real socket, the books on disk, and what a person is told when it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ai_addons import (
    AddOns,
    AddOnsError,
    BadOutput,
    ConfigError,
    ProviderRejected,
    ProviderTimeout,
    Settings,
    UnknownPlugin,
)
from ai_addons.money import Credits
from ai_addons.testing.loopback import Loopback
from tests.features import AMA, OPINION, Opinion, opinion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ai_addons.testing.wire import Provider

SHOP = "biz_1"
MODELS: list[tuple[Provider, str]] = [
    ("openai", "openai/gpt-6-luna"),
    ("anthropic", "anthropic/claude-haiku-5-5"),
    ("gemini", "gemini/gemini-2.5-flash-lite"),
]


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A provider on this machine that speaks all three formats."""
    with Loopback() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, as a developer's would be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_settings(home: Path, server: Loopback, small: str, *, key: str = "sk-test", extra: str = "") -> None:
    """Write an `ai_addons.toml` that reaches the providers on this machine."""
    providers = "\n".join(
        f'[providers.{name}]\napi_key = "{key}"\napi_base = "{server.api_base(name)}"\n' for name, _ in MODELS
    )
    (home / "ai_addons.toml").write_text(f'{extra}\n[models]\nsmall = "{small}"\n{providers}')


def open_shop() -> AddOns:
    """Wire up from the file alone, with some credits."""
    addons = AddOns.from_env()
    addons.grant(SHOP, 100, source="adjustment", ref="funds")
    # Loading the adapter takes seconds of its own; a deadline under test is about the provider.
    addons.warm_up()
    return addons


def ask(addons: AddOns, *, how: str = "sync") -> Opinion:
    """Call the feature the sync or the async way."""
    feature = opinion.options(addons=addons, business=SHOP, cache=False)
    if how == "sync":
        return feature(AMA)

    async def main() -> Opinion:
        return await feature.aio(AMA)

    return anyio.run(main)


@pytest.mark.parametrize("how", ["sync", "async"])
def test_one_line_of_the_settings_switches_the_provider(how: str, home: Path, server: Loopback) -> None:
    """The same feature speaks OpenAI's, Anthropic's and Gemini's format, its answer and its books are the same."""
    for provider, model in MODELS:
        server.answer(provider, {"reasons": ["[PERSON_1] pays late"], "verdict": "careful"}, usage=(200, 80))
        write_settings(home, server, model)
        with open_shop() as addons:
            assert ask(addons, how=how) == Opinion(reasons=["Ama Serwaa pays late"], verdict="careful")
            row = addons.transactions(SHOP)[-1]
            assert (row.model, row.charged, row.outcome) == (model, Credits(3), "ok")
            assert row.cost is not None
            assert row.cost > 0
            addons.close()
    assert [call.provider for call in server.calls] == ["openai", "anthropic", "gemini"]
    assert [call.model for call in server.calls] == [model.split("/")[1] for _, model in MODELS]
    for call in server.calls:
        assert b"Ama" not in call.body
        assert b"Serwaa" not in call.body
        assert "[PERSON_1]" in call.text


def test_a_list_of_models_is_a_fallback_on_the_wire(home: Path, server: Loopback) -> None:
    """When the first provider is down the second answers, and the books hold both requests."""
    server.fail("openai", 503, times=5)
    server.answer("gemini", OPINION)
    write_settings(home, server, '["openai/gpt-6-luna", "gemini/gemini-2.5-flash-lite"]')
    text = (home / "ai_addons.toml").read_text()
    (home / "ai_addons.toml").write_text(text.replace('"[', "[").replace(']"', "]") + "[call]\nattempts = 1\n")
    with open_shop() as addons:
        assert ask(addons).verdict == "careful"
        row = addons.transactions(SHOP)[-1]
        assert row.model == "gemini/gemini-2.5-flash-lite"
        attempts: Any = row.response_meta["attempts"]
        assert [attempt["error"] for attempt in attempts] == ["provider_unavailable", None]
        addons.close()


def refuse_key(server: Loopback, provider: Provider) -> None:
    """Every request is answered as a wrong key."""
    server.fail(provider, 401, message="Incorrect API key provided: sk-test-secret")


def talk_nonsense(server: Loopback, provider: Provider) -> None:
    """Every answer is prose where JSON was asked for."""
    server.answer(provider, "I think, on the whole, perhaps.")


def never_answer(server: Loopback, provider: Provider) -> None:
    """The connection stays open and nothing comes."""
    server.hang(provider)


@pytest.mark.parametrize(("provider", "model"), MODELS)
@pytest.mark.parametrize(
    ("trouble", "deadline", "error", "says"),
    [
        (refuse_key, "10s", ProviderRejected, "key"),
        (talk_nonsense, "10s", BadOutput, "not usable"),
        (never_answer, "1s", ProviderTimeout, "too long"),
    ],
)
def test_trouble_at_the_provider_ends_in_one_clear_message(
    trouble: Callable[[Loopback, Provider], None],
    deadline: str,
    error: type[AddOnsError],
    says: str,
    provider: Provider,
    model: str,
    home: Path,
    server: Loopback,
) -> None:
    """A wrong key, nonsense, a hang: one message that says that nothing was charged, and nothing was."""
    trouble(server, provider)
    write_settings(home, server, model, extra=f"[call]\ndeadline = '{deadline}'")
    with open_shop() as addons:
        with pytest.raises(error) as caught:
            ask(addons)
        wallet = addons.wallet(SHOP)
        assert (wallet.available, wallet.held) == (Credits(100), Credits(0))
        assert addons.transactions(SHOP)[-1].error_code == caught.value.code
        addons.close()
    message = str(caught.value)
    assert says in message
    assert "othing was charged" in message
    assert "sk-test" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ('[models]\nsmal = "openai/gpt-6-luna"', ConfigError, "did you mean small?"),
        ('[models]\nsmall = "gpt-6-luna"', ConfigError, "openai/gpt-6-luna"),
        ("[call]\ndeadline = 'soon'", ConfigError, "call.deadline"),
        ('[store]\nurl = "shop.db"', ConfigError, "sqlite:///shop.db"),
        ('[billing]\npolicy = "prepayed"', UnknownPlugin, "prepaid"),
        ('secret = "short"', ConfigError, "32"),
        ('[models]\nsmall = "anthropic/claude-haiku-5-5"', ConfigError, "ANTHROPIC_API_KEY"),
        ('[features.opinion]\nmodels = "openai/gpt-77"', ConfigError, "prices.models"),
        ('[models]\nsmall = "openai/gpt-6-luna"\n[providers.openai]\napi_key = "a\\nb"', ConfigError, "line break"),
    ],
)
def test_a_mistake_in_the_settings_is_told_before_anything_is_held(
    settings: str, error: type[AddOnsError], says: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typo, a missing key, an unknown model or policy: what is wrong, that nothing was charged, what to write."""
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    (home / "ai_addons.toml").write_text(settings)
    with pytest.raises(error) as caught:
        open_shop_and_ask()
    message = str(caught.value)
    assert says in message
    assert "othing was charged" in message


def open_shop_and_ask() -> None:
    """Do what a host does at its first call."""
    addons = open_shop()
    try:
        ask(addons)
    finally:
        assert addons.wallet(SHOP).held == Credits(0)
        addons.close()


def test_nothing_personal_is_left_on_disk(home: Path, server: Loopback) -> None:
    """Store, cache and key file hold neither the customer's name nor the prompt."""
    server.answer("openai", {"reasons": ["[PERSON_1] pays late"], "verdict": "careful"})
    write_settings(home, server, "openai/gpt-6-luna")
    with open_shop() as addons:
        opinion.options(addons=addons, business=SHOP, idempotency_key="sale-1")(AMA)
        addons.close()
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "ai_addons.toml"]
    assert {"ai_addons.db", "ai_addons.db.key", "cache.db"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes().lower()
        assert b"serwaa" not in content, path
        assert b"may they have" not in content, path


def test_an_answer_outlives_the_process_that_paid_for_it(home: Path, server: Loopback) -> None:
    """A second process repeats it free from the disk cache, and replays it by its key."""
    server.answer("openai", OPINION)
    write_settings(home, server, "openai/gpt-6-luna")
    charged = []
    for _ in range(2):
        with open_shop() as addons:
            feature = opinion.options(addons=addons, business=SHOP)
            charged.append(feature.billed(AMA).receipt.charged)
            charged.append(feature.options(idempotency_key="k").billed(AMA).receipt.charged)
            assert addons.doctor().ok
            addons.close()
    assert charged == [Credits(3), Credits(0), Credits(0), Credits(0)]
    assert len(server.calls) == 1


def test_settings_by_keyword_win(home: Path, server: Loopback) -> None:
    """What the host says in code wins over the file."""
    write_settings(home, server, "openai/gpt-6-luna")
    settings = Settings(models={"small": "gemini/gemini-2.5-flash-lite"}, store={"url": "sqlite://"})
    assert AddOns(settings).tier("small") == ("gemini/gemini-2.5-flash-lite",)
    assert json.loads(settings.model_dump_json())["providers"]["openai"]["api_key"] == "**********"
