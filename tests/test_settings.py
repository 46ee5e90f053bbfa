"""Settings: where they come from, and how a mistake in them is told."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.limits import SCOPES, WINDOWS, Limit
from ai_addons.billing.webhooks import new_secret
from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from ai_addons.settings import LimitSettings, Settings, read_duration, setting_paths
from ai_addons.wiring import limits_of

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


# What is sold, limited and told.


def test_nothing_is_limited_or_sent_unless_it_is_set() -> None:
    """Without settings there is no limit, no budget and no address; alerts rest a day, prices are seen in seconds."""
    settings = Settings()
    assert limits_of(settings.limits) == ()
    assert (settings.limits.warn_at, settings.limits.operator_tz) == (Decimal("0.8"), "Africa/Accra")
    assert (settings.billing.trial_budget, settings.billing.alert_cooldown) == (None, timedelta(days=1))
    assert (settings.webhooks.url, settings.webhooks.secrets, settings.former_secrets) == (None, (), ())
    assert (settings.webhooks.timeout, settings.prices.refresh) == (timedelta(seconds=10), timedelta(seconds=5))
    assert (settings.prices.floor_margin, settings.prices.target_margin) == (Decimal(0), Decimal("0.60"))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("window", WINDOWS)
def test_each_limit_of_the_settings_is_the_limit_it_names(
    monkeypatch: pytest.MonkeyPatch, scope: Any, window: Any
) -> None:
    """Scope and window are those of the setting's name; zero is a limit too."""
    monkeypatch.setenv(f"AI_ADDONS_LIMITS__{scope}_{window}".upper(), "2.5")
    assert limits_of(Settings().limits) == (Limit(scope=scope, window=window, amount=Credits("2.5")),)
    none_at_all = LimitSettings.model_validate({f"{scope}_{window}": "0"})
    assert limits_of(none_at_all) == (Limit(scope=scope, window=window, amount=Credits(0)),)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"limits": {"warn_at": "0"}}, "'limits.warn_at'"),
        ({"limits": {"warn_at": "1.01"}}, "'limits.warn_at'"),
        ({"limits": {"user_week": "5"}}, "unknown setting 'limits.user_week'"),
        ({"limits": {"business_day": "-0.000001"}}, "'limits.business_day': credits in the settings are never below"),
        ({"limits": {"business_day": 2.5}}, "'limits.business_day'"),
        ({"limits": {"operator_tz": "Mars/Base"}}, "'limits.operator_tz': 'Mars/Base' is no time zone"),
        ({"limits": {"operator_tz": "../../etc/passwd"}}, "is no time zone"),
        ({"billing": {"trial_budget": "-1"}}, "'billing.trial_budget'"),
        ({"billing": {"low_balance": "-1"}}, "'billing.low_balance'"),
        ({"billing": {"alert_cooldown": "1 day"}}, "'1 day' is no duration"),
        ({"prices": {"features": {"mine": "-1"}}}, "'prices.features.mine'"),
        ({"prices": {"floor_margin": "1"}}, "'prices.floor_margin'"),
        ({"prices": {"target_margin": "1"}}, "'prices.target_margin'"),
        ({"former_secrets": [SECRET, SECRET * 2]}, "'former_secrets"),
        ({"webhooks": {"url": "https://pos.example/hooks"}}, "make one with `ai-addons webhook-secret`"),
        ({"webhooks": {"url": "https://pos.example/hooks", "secret": SECRET}}, "did you mean secrets?"),
    ],
)
def test_a_mistake_is_found_when_the_settings_are_read(values: dict[str, Any], told: str) -> None:
    """Not by the first customer whose call needs it."""
    assert told in _refusal(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"limits": {"warn_at": "1", "operator_tz": "Asia/Tokyo"}},
        {"limits": {"warn_at": "0.000001"}},
        {"billing": {"trial_budget": "0", "low_balance": "0", "alert_cooldown": "0s"}},
        {"prices": {"features": {"mine": "0"}, "floor_margin": "0.999", "target_margin": "-1"}},
        {"former_secrets": ["x" * 32]},
    ],
)
def test_the_ends_of_a_range_are_allowed(values: dict[str, Any]) -> None:
    """A limit of zero, a free feature and a warning at the limit itself are all meant."""
    assert Settings(**values).model_dump(include=set(values)) != {}


def test_webhook_secrets_come_from_the_environment_and_show_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JSON list, newest first; no part of it in what is printed of the settings."""
    made = [new_secret(bytes([number]) * 32) for number in (1, 2)]
    monkeypatch.setenv("AI_ADDONS_WEBHOOKS__URL", "https://pos.example/hooks")
    monkeypatch.setenv("AI_ADDONS_WEBHOOKS__SECRETS", json.dumps(made))
    monkeypatch.setenv("AI_ADDONS_FORMER_SECRETS", json.dumps(["an old secret that nobody may ever see"]))
    settings = Settings()
    assert [secret.get_secret_value() for secret in settings.webhooks.secrets] == made
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    assert not any(secret in shown for secret in (*made, "an old secret"))


def test_hooks_are_one_name_or_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare name will do; the environment takes JSON too."""
    assert Settings().events.hooks == ()
    assert Settings(events={"hooks": "logging"}).events.hooks == ("logging",)
    monkeypatch.setenv("AI_ADDONS_EVENTS__HOOKS", "otel")
    assert Settings().events.hooks == ("otel",)
    monkeypatch.setenv("AI_ADDONS_EVENTS__HOOKS", '["logging", "shop.alerts:Pager"]')
    assert Settings().events.hooks == ("logging", "shop.alerts:Pager")
