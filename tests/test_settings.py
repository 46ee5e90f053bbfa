"""Settings: where they come from, and how a mistake in them is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from ai_addons.settings import Settings, read_duration, setting_paths

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "sk-do-not-show-me"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that no file of the developer's is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refusal(**values: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        Settings(**values)
    message = str(refused.value)
    assert message.startswith("The settings are not valid, nothing was charged: ")
    assert SECRET not in message
    return message


def test_the_defaults_work_without_any_configuration() -> None:
    """The first run needs no file, no variable and no key."""
    settings = Settings()
    assert (settings.store.url, settings.billing.policy) == ("sqlite:///ai_addons.db", "prepaid")
    assert (settings.models.small, settings.models.large, settings.secret) == (None, None, None)
    assert settings.billing.low_balance == Credits(10)
    assert (settings.call.deadline, settings.call.hold_ttl) == (timedelta(seconds=30), timedelta(seconds=120))


def test_each_source_beats_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyword, then environment, then ai_addons.toml, then pyproject.toml, then the default."""

    def url() -> str:
        return Settings().store.url

    assert url() == "sqlite:///ai_addons.db"
    (folder / "pyproject.toml").write_text('[tool.ai_addons.store]\nurl = "sqlite:///pyproject.db"')
    assert url() == "sqlite:///pyproject.db"
    (folder / "ai_addons.toml").write_text('[store]\nurl = "sqlite:///toml.db"')
    assert url() == "sqlite:///toml.db"
    monkeypatch.setenv("AI_ADDONS_STORE__URL", "sqlite:///env.db")
    assert url() == "sqlite:///env.db"
    assert Settings(store={"url": "sqlite:///keyword.db"}).store.url == "sqlite:///keyword.db"


def test_sources_are_merged_setting_by_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may name the models and the environment the key."""
    (folder / "ai_addons.toml").write_text('[models]\nsmall = "openai/a"\nlarge = ["openai/b", "gemini/c"]')
    monkeypatch.setenv("AI_ADDONS_MODELS__SMALL", "anthropic/d")
    monkeypatch.setenv("AI_ADDONS_PROVIDERS__OPENAI__API_KEY", SECRET)
    settings = Settings(features={"mine": {"cache": "6h"}})
    assert settings.models.small == ("anthropic/d",)
    assert settings.models.large == ("openai/b", "gemini/c")
    key = settings.providers["openai"].api_key
    assert key is not None
    assert key.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


def test_a_stray_dotenv_file_is_not_read(folder: Path) -> None:
    """A key or store that somebody left in .env is not used by accident."""
    (folder / ".env").write_text('AI_ADDONS_STORE__URL="sqlite:///stray.db"')
    assert Settings().store.url == "sqlite:///ai_addons.db"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"stor": {}}, "unknown setting 'stor' (did you mean store?)"),
        ({"store": {"urll": SECRET}}, "unknown setting 'store.urll' (did you mean url?)"),
        (
            {"providers": {"openai": {"api_kee": SECRET}}},
            "unknown setting 'providers.openai.api_kee' (did you mean api_key?)",
        ),
        ({"prices": {"models": {"m": {"inptu": 1}}}}, "'prices.models.m.inptu' (did you mean input?)"),
        ({"xyzzy": 1}, "unknown setting 'xyzzy'."),
    ],
)
def test_a_misspelt_keyword_is_named_with_a_suggestion(values: dict[str, Any], told: str) -> None:
    """A setting nobody knows is an error that says what was probably meant."""
    assert told in _refusal(**values)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AI_ADDONS_STORE__URLL", "AI_ADDONS_STORE__URL"),
        ("AI_ADDONS_PROVIDERS__OPENAI__API_KEE", "AI_ADDONS_PROVIDERS__OPENAI__API_KEY"),
        ("AI_ADDONS_SECRT", "AI_ADDONS_SECRET"),
        ("ai_addons_store__urll", "AI_ADDONS_STORE__URL"),
    ],
)
def test_a_misspelt_variable_is_named_once_with_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    """A variable of ours that names no setting is told, with its likely spelling, and only once."""
    monkeypatch.setenv(name, SECRET)
    message = _refusal()
    assert f"unknown environment variable {name} (did you mean {meant}?)" in message
    assert message.count("unknown") == 1


def test_variables_of_others_and_of_our_tests_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what starts with our prefix is looked at, and our own test knobs are no settings."""
    monkeypatch.setenv("AI_ADDONS_TEST_KILLS", "20")
    monkeypatch.setenv("SHOP_AI_ADDONS_STOER", "x")
    assert Settings().store.url == "sqlite:///ai_addons.db"


@pytest.mark.parametrize("file", ["ai_addons.toml", "pyproject.toml"])
def test_a_misspelt_key_in_a_file_is_named_with_a_suggestion(folder: Path, file: str) -> None:
    """Both files are checked like keywords."""
    head = "[store]" if file == "ai_addons.toml" else "[tool.ai_addons.store]"
    (folder / file).write_text(f'{head}\nurll = "{SECRET}"')
    assert "unknown setting 'store.urll' (did you mean url?)" in _refusal()


@pytest.mark.parametrize("file", ["ai_addons.toml", "pyproject.toml"])
@pytest.mark.parametrize("content", [f'[store\nurl = "{SECRET}"'.encode(), b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_a_clear_error(folder: Path, file: str, content: bytes) -> None:
    """A broken file ends in our error, without quoting what is in it."""
    (folder / file).write_bytes(content)
    assert "ai_addons.toml or pyproject.toml is not valid TOML" in _refusal()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("6h", 21_600), ("7d", 604_800), (" 2 h ", 7_200), (30, 30)],
)
def test_durations_are_written_as_people_write_them(text: object, seconds: int) -> None:
    """Seconds, minutes, hours and days; a bare number is seconds."""
    call = Settings(call={"deadline": text, "hold_ttl": "30d"}).call
    assert call.deadline == timedelta(seconds=seconds)


def test_a_hold_must_outlive_its_call() -> None:
    """A hold that could expire while the model answers is refused, with what to write instead."""
    with pytest.raises(ConfigError, match=r"hold_ttl must exceed the deadline by a minute.*'360s'"):
        Settings(call={"deadline": "5m"})


def test_a_duration_leaves_other_values_to_pydantic() -> None:
    """Text must be of that form; what is no text is passed on."""
    assert read_duration("6h") == timedelta(hours=6)
    with pytest.raises(ValueError, match="'6 hours' is no duration"):
        read_duration("6 hours")
    assert read_duration(6) == 6


def test_a_wrong_duration_names_the_setting_once() -> None:
    """Alternatives of one setting are told together, without the library's inner names."""
    message = _refusal(features={"x": {"cache": "soon"}})
    assert message.count("setting 'features.x.cache': ") == 1
    assert "function-before" not in message
    assert "Input should be 'off'" in message


def test_a_wrong_section_is_named() -> None:
    """A value where a table belongs is told without showing the value."""
    assert "setting 'store'" in _refusal(store=SECRET)
    assert "setting 'secret'" in _refusal(secret=[SECRET])


@pytest.mark.parametrize(
    ("given", "route"),
    [("openai/a", ("openai/a",)), (["openai/a", "gemini/b"], ("openai/a", "gemini/b")), (None, None)],
)
def test_a_route_is_one_model_or_several(given: object, route: tuple[str, ...] | None) -> None:
    """A single model is a route of one; a list is tried in order."""
    assert Settings(models={"small": given}).models.small == route


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("gpt-6", "'gpt-6' lacks its provider; write e.g. 'openai/gpt-6'"),
        ("openai/", "lacks its provider"),
        ([], "at least 1 item"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(given: object, told: str) -> None:
    """A model without its provider is answered with how to write it."""
    assert told in _refusal(models={"small": given})


def test_a_list_of_models_in_the_environment_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A good list is read; a broken one is not taken for a model's name."""
    monkeypatch.setenv("AI_ADDONS_MODELS__SMALL", '["openai/a", "gemini/b"]')
    assert Settings().models.small == ("openai/a", "gemini/b")
    monkeypatch.setenv("AI_ADDONS_MODELS__SMALL", '["openai/a",')
    assert "a list of models is not valid JSON" in _refusal()


def test_a_section_in_the_environment_that_is_no_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole section given as plain text is an error that does not show it."""
    monkeypatch.setenv("AI_ADDONS_STORE", SECRET)
    assert "setting 'store'" in _refusal()


@pytest.mark.parametrize("price", [0.1, True, "cheap"])
def test_prices_in_settings_are_exact(price: object) -> None:
    """A float from a TOML file is refused by name: write it as text."""
    assert "setting 'prices.features.mine': " in _refusal(prices={"features": {"mine": price}})
    assert Settings(prices={"features": {"mine": "0.1"}}).prices.features["mine"] == Credits("0.1")


def test_several_mistakes_are_told_at_once() -> None:
    """Nobody has to fix their settings one error at a time."""
    message = _refusal(stor={}, cach={}, call={"attempts": 99})
    assert all(part in message for part in ("'stor'", "'cach'", "'call.attempts'"))


def test_settings_cannot_be_changed_afterwards() -> None:
    """A running shop's settings do not move under it."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().secret = None  # type: ignore[misc]  # the point of the test


def test_every_setting_has_a_path() -> None:
    """The reference of settings can be generated: nested ones and the user's own keys included."""
    paths = {".".join(path) for path in setting_paths()}
    assert {"store.url", "providers.*.api_key", "prices.features.*", "prices.models.*.input", "secret"} <= paths
