from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from ai_addons.errors import ConfigError
from ai_addons.llm.base import ModelFailure, Verdict
from ai_addons.llm.litellm import LiteLlm
from ai_addons.settings import ProviderSettings
from tests.llm_wire import HOSTS, ROUTES, answer, ask, request, serve

if TYPE_CHECKING:
    import respx


@pytest.mark.parametrize(
    ("provider", "header", "value"),
    [
        ("openai", "authorization", "Bearer key-of-openai"),
        ("anthropic", "x-api-key", "key-of-anthropic"),
        ("gemini", "x-goog-api-key", "key-of-gemini"),
    ],
)
def test_the_key_goes_in_the_providers_header(router: respx.MockRouter, provider: str, header: str, value: str) -> None:
    """The key travels in a header, never in the address, where logs would keep it."""
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(request(ROUTES[provider]), aio=False)

    assert router.calls.last.request.headers[header] == value
    assert "key-of" not in str(router.calls.last.request.url)


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("provider", HOSTS)
def test_hostile_variables_do_not_move_the_request(
    router: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    aio: bool,
) -> None:
    """No variable of the environment sends a shop's prompt to another address."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "GEMINI_API_BASE"):
        monkeypatch.setenv(name, "https://thief.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(request(ROUTES[provider]), aio=aio)

    assert router.calls.last.request.url.host == HOSTS[provider]
    assert "another" not in str(router.calls.last.request.headers)


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("openai", "http://gateway.test/v1/chat/completions"),
        ("anthropic", "http://gateway.test/v1/messages"),
        ("gemini", "http://gateway.test/models/gemini-2.5-flash-lite:generateContent"),
    ],
)
def test_an_own_address_is_used(router: respx.MockRouter, provider: str, url: str) -> None:
    """A gateway set in the configuration gets the request."""
    router.post(url).respond(json=answer(provider))
    base = "http://gateway.test/v1" if provider == "openai" else "http://gateway.test"
    settings = ProviderSettings.model_validate({"api_key": "k", "api_base": base})

    ask(request(ROUTES[provider]), aio=False, llm=LiteLlm({provider: settings}, {}))

    assert str(router.calls.last.request.url) == url


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
    ],
)
def test_the_usual_variable_gives_the_key(router: respx.MockRouter, provider: str, variable: str) -> None:
    """With nothing configured, the provider's own variable is enough."""
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(request(ROUTES[provider]), aio=False, llm=LiteLlm({provider: ProviderSettings()}, {variable: " k1 \n"}))

    assert "k1" in str(router.calls.last.request.headers.raw)


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("provider", "title", "variable"),
    [
        ("openai", "OpenAI", "OPENAI_API_KEY"),
        ("anthropic", "Anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "Gemini", "GEMINI_API_KEY"),
    ],
)
def test_a_missing_key_says_what_to_set(
    router: respx.MockRouter,
    provider: str,
    title: str,
    variable: str,
    aio: bool,
) -> None:
    """Without a key nothing is sent, and the message names the provider, the variable and that it was free."""
    with pytest.raises(ModelFailure) as caught:
        ask(request(ROUTES[provider]), aio=aio, llm=LiteLlm({}, {variable: "  "}))

    assert isinstance(caught.value.error, ConfigError)
    assert all(word in str(caught.value.error) for word in (title, variable, "nothing was charged"))
    assert (caught.value.verdict, caught.value.alert) == (Verdict.NEVER_SENT, "provider_key_missing")
    assert not router.calls


@pytest.mark.parametrize("key", ["sk one", "sk\none", "sk-ö"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    """A key copied with a line break is named as the fault before a request is made, and is not shown."""
    with pytest.raises(ModelFailure) as caught:
        ask(request(ROUTES["openai"]), aio=False, llm=LiteLlm({}, {"OPENAI_API_KEY": key}))

    assert "characters that no key has" in str(caught.value.error)
    assert key not in str(caught.value.error)


def test_an_unknown_provider_is_a_configuration_error(router: respx.MockRouter) -> None:
    """A typing error in the provider's name is said to be one."""
    with pytest.raises(ModelFailure) as caught:
        ask(request("opnai/gpt-6-luna"), aio=False)

    assert "No AI provider called 'opnai'" in str(caught.value.error)
    assert caught.value.alert == "model_unknown"
    assert not router.calls
