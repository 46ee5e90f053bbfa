from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from ai_addons.errors import (
    BadOutput,
    ConfigError,
    ContentBlocked,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from ai_addons.llm.base import ModelFailure, Verdict
from ai_addons.llm.failures import chain, read_failure, read_retry_after
from ai_addons.llm.litellm import LiteLlm
from ai_addons.settings import ProviderSettings
from tests.llm_wire import HOSTS, KEYS, ROUTES, answer, error_body, request, serve

if TYPE_CHECKING:
    from ai_addons.errors import AddOnsError

SENT, UNSENT, MAYBE = Verdict.ANSWERED, Verdict.NEVER_SENT, Verdict.MAYBE_BILLED
SECRET = "SECRET provider text"  # what must not be shown
MARCH_1 = 1_772_323_200_000_000
"""1 March 2026, 00:00 UTC, in microseconds."""


def failure_of(
    provider: str, response: httpx.Response | type[Exception], *, aio: bool = False, llm: LiteLlm | None = None
) -> ModelFailure:
    """The failure when the provider answers so, after exactly one request."""
    adapter, asked = llm or LiteLlm(KEYS, {}), request(ROUTES[provider])
    with respx.mock() as router:
        serve(router, provider, response)
        with pytest.raises(ModelFailure) as caught:
            asyncio.run(adapter.acomplete(asked)) if aio else adapter.complete(asked)
        assert len(router.calls) == 1
    return caught.value


Row = tuple["type[AddOnsError]", Verdict, bool, bool, "str | None"]

REJECTED: Row = (ProviderRejected, SENT, False, False, "request_rejected")
TOO_LONG: Row = (ProviderRejected, SENT, False, False, None)
BAD_KEY: Row = (ProviderRejected, SENT, False, True, "provider_key_rejected")
NO_MODEL: Row = (ProviderRejected, SENT, False, True, "model_unknown")
NO_MONEY: Row = (ProviderUnavailable, SENT, False, True, "provider_account_empty")
BUSY: Row = (ProviderUnavailable, SENT, True, True, None)
LATE: Row = (ProviderTimeout, MAYBE, True, True, None)
UNSENT_ROW: Row = (ProviderUnavailable, UNSENT, True, True, None)
LOST: Row = (ProviderUnavailable, MAYBE, True, True, None)
BLOCKED: Row = (ContentBlocked, SENT, False, False, None)
UNREADABLE: Row = (BadOutput, MAYBE, False, True, None)

STATUSES: dict[int, Row] = {
    302: REJECTED,
    400: REJECTED,
    401: BAD_KEY,
    402: NO_MONEY,
    403: BAD_KEY,
    404: NO_MODEL,
    408: LATE,
    409: BUSY,
    413: TOO_LONG,
    422: REJECTED,
    429: BUSY,
    500: BUSY,
    502: BUSY,
    503: BUSY,
    504: LATE,
    529: BUSY,
}
ON_THE_WAY: dict[type[Exception], Row] = {
    httpx.ConnectError: UNSENT_ROW,
    httpx.ConnectTimeout: UNSENT_ROW,
    httpx.PoolTimeout: UNSENT_ROW,
    httpx.ProxyError: UNSENT_ROW,
    httpx.ReadTimeout: LATE,
    httpx.WriteTimeout: LATE,
    httpx.RemoteProtocolError: LOST,
    httpx.ReadError: LOST,
    httpx.WriteError: LOST,
}


def row(failure: ModelFailure) -> Row:
    """The decisions a failure carries."""
    return (type(failure.error), failure.verdict, failure.retry, failure.next_model, failure.alert)


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("provider", HOSTS)
def test_a_status_means_the_same_from_every_provider(provider: str, status: int, *, aio: bool) -> None:
    """One request, no hidden retries, and the true status decides, whatever class LiteLLM makes of it."""
    response = httpx.Response(status, json=error_body(provider))

    assert row(failure_of(provider, response, aio=aio)) == STATUSES[status]


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("error", ON_THE_WAY)
@pytest.mark.parametrize("provider", HOSTS)
def test_a_broken_connection_says_whether_it_was_sent(provider: str, error: type[Exception], *, aio: bool) -> None:
    """Refused is free; lost on the way may have been billed."""
    assert row(failure_of(provider, error, aio=aio)) == ON_THE_WAY[error]


@pytest.mark.parametrize(
    ("provider", "status", "code", "message", "expected"),
    [
        ("openai", 429, "insufficient_quota", "You exceeded your current quota", NO_MONEY),
        ("anthropic", 400, None, "Your credit balance is too low to access the API", NO_MONEY),
        ("anthropic", 402, "billing_error", "There is an issue with billing", NO_MONEY),
        ("gemini", 400, "API_KEY_INVALID", "API key not valid. Please pass a valid API key.", BAD_KEY),
        ("openai", 400, "context_length_exceeded", "This model's maximum context length is 5 tokens", TOO_LONG),
        ("anthropic", 400, None, "prompt is too long: 300000 tokens > 200000 maximum", TOO_LONG),
        ("gemini", 400, None, "The input token count exceeds the maximum number of tokens allowed (5)", TOO_LONG),
        ("openai", 400, "content_policy_violation", "Rejected by our safety system", BLOCKED),
    ],
)
def test_what_hides_behind_a_common_status_is_told_apart(
    provider: str, status: int, code: str | None, message: str, expected: Row
) -> None:
    """An empty account, a bad key, a long prompt and a safety refusal each get their own answer."""
    response = httpx.Response(status, json=error_body(provider, code=code, message=message))

    assert row(failure_of(provider, response)) == expected


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("provider", HOSTS)
@pytest.mark.parametrize(
    "response", [httpx.Response(200, html="<html>SECRET provider text</html>"), httpx.Response(200, json={})]
)
def test_a_page_in_place_of_an_answer_is_unreadable(provider: str, response: httpx.Response, *, aio: bool) -> None:
    """It may have been billed, is not asked for again there, and another model may do better."""
    assert row(failure_of(provider, response, aio=aio)) == UNREADABLE


@pytest.mark.parametrize(("provider", "missing"), [("anthropic", "usage"), ("gemini", "usageMetadata")])
def test_an_answer_that_litellm_drops_for_its_missing_usage_is_unreadable(provider: str, missing: str) -> None:
    """The answer is lost inside LiteLLM, so it counts as maybe billed."""
    body = {name: value for name, value in answer(provider).items() if name != missing}

    assert row(failure_of(provider, httpx.Response(200, json=body))) == UNREADABLE


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, ("OpenAI refused the API key", "OPENAI_API_KEY", "Nothing was charged")),
        (403, ("OpenAI does not let this API key use gpt-6-luna", "Nothing was charged")),
        (404, ("OpenAI does not know the model 'gpt-6-luna'", "settings", "Nothing was charged")),
        (402, ("account at OpenAI has no money left", "Nothing was charged", "top it up")),
        (413, ("too long for gpt-6-luna", "Nothing was charged", "Send less data")),
    ],
)
def test_what_an_operator_must_mend_is_said_in_plain_words(status: int, words: tuple[str, ...]) -> None:
    """The message names the provider, what to do, and that nothing was charged."""
    message = str(failure_of("openai", httpx.Response(status, json=error_body("openai"))).error)

    assert all(word in message for word in words)


@pytest.mark.parametrize("provider", HOSTS)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_nothing_of_the_provider_the_prompt_or_the_key_is_shown_or_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], provider: str, status: int
) -> None:
    """What the provider wrote stays in the chained exception; our message, repr and the log are clean."""
    caplog.set_level(logging.DEBUG)
    LiteLlm().warm_up()
    failure = failure_of(provider, httpx.Response(status, json=error_body(provider)))

    told = " ".join(
        [str(failure.error), repr(failure.error), str(failure), repr(failure), caplog.text, *capfd.readouterr()]
    )
    assert not [word for word in (SECRET, "Describe rice", "key-of", "Traceback") if word in told]
    assert failure.__cause__ is not None


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("provider", HOSTS)
def test_retry_after_is_read_from_every_provider(provider: str, *, aio: bool) -> None:
    """The wait that the provider asks for reaches the retry policy."""
    response = httpx.Response(429, json=error_body(provider), headers={"retry-after": "7"})

    assert failure_of(provider, response, aio=aio).retry_after == 7


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("Sun, 01 Mar 2026 00:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 00:00:30 -0000", 30.0),
        ("Sat, 28 Feb 2026 23:59:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_may_be_seconds_or_a_date(header: str, seconds: float | None) -> None:
    """RFC 9110 allows both; a date in the past means now, anything else means nothing."""
    assert read_retry_after(header, MARCH_1) == seconds


@pytest.mark.parametrize(
    "base", ["api.openai.com/v1", "ftp://api.openai.com", "http://[::1", "https://", "https://a b"]
)
def test_an_address_that_is_none_is_a_configuration_error(base: str) -> None:
    """A setting with a slip in it is named; nothing is sent and nothing retried."""
    settings = ProviderSettings.model_validate({"api_key": "k", "api_base": base})

    with pytest.raises(ModelFailure) as caught:
        LiteLlm({"openai": settings}, {}).complete(request(ROUTES["openai"]))

    assert row(caught.value) == (ConfigError, UNSENT, False, True, "provider_address_invalid")
    assert "providers.openai.api_base" in str(caught.value.error)


def test_an_argument_that_the_model_does_not_take_is_a_configuration_error() -> None:
    """LiteLLM refuses before sending, because arguments are never dropped; nothing was spent."""
    failure = refusal("UnsupportedParamsError")

    assert row(failure) == (ConfigError, UNSENT, False, False, "model_settings_refused")


def test_missing_credentials_of_another_provider_are_a_configuration_error() -> None:
    """For a provider outside our table LiteLLM notices that the credentials are missing."""
    failure = refusal("AuthenticationError")

    assert row(failure) == (ConfigError, UNSENT, False, True, "provider_key_missing")
    assert "MISTRAL_API_KEY" in str(failure.error)


def refusal(name: str) -> ModelFailure:
    """How an exception class of this name is read when no request was made."""
    return read_failure("mistral/m", type(name, (Exception,), {})(SECRET), MARCH_1)


def test_an_own_time_limit_counts_as_a_timeout() -> None:
    """A bare TimeoutError from below means the same as httpx's."""
    assert row(read_failure("openai/gpt-6-luna", TimeoutError(), MARCH_1)) == LATE


def test_a_cyclic_chain_of_exceptions_comes_to_an_end() -> None:
    """Test doubles make such chains; reading them must not hang."""
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__context__ = second, first

    assert chain(first) == (first, second)
    assert row(read_failure("openai/gpt-6-luna", first, MARCH_1)) == UNREADABLE


def test_a_function_that_raises_inside_respx_is_read() -> None:
    """The chain is truly cyclic there, and the leaf is found all the same."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(SECRET)

    with respx.mock() as router:
        router.route(host=HOSTS["openai"]).mock(side_effect=refuse)
        with pytest.raises(ModelFailure) as caught:
            LiteLlm(KEYS, {}).complete(request(ROUTES["openai"]))

    assert row(caught.value) == UNSENT_ROW
