"""From an exception of LiteLLM to a `ModelFailure`.

LiteLLM's class names and status codes mislead (a refused connection is an
``InternalServerError`` 500), so the chain of causes is walked for the leaf that
httpx raised: it says whether the request was sent and what was answered. The
texts in that chain quote the provider and the prompt; they are searched for a
few known words and never repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.errors import (
    BadOutput,
    ConfigError,
    ContentBlocked,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from ai_addons.llm.base import ModelFailure, Verdict
from ai_addons.llm.providers import split_route, title_of, where_to_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ai_addons.errors import AddOnsError

_EMPTY_ACCOUNT: Final = ("insufficient_quota", "credit balance is too low", "billing_error")
_BAD_KEY: Final = ("api_key_invalid",)
_BLOCKED: Final = ("content_policy_violation", "content_filter", "contentpolicyviolationerror")
_TOO_LONG: Final = ("contextwindowexceedederror", "context_length_exceeded")
_SERVER_ERRORS: Final = 500


def chain(error: BaseException) -> tuple[BaseException, ...]:
    """An exception and all behind it, outermost first; chains may be cyclic."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if not any(current is known for known in found):
            found.append(current)
            waiting.extend(behind for behind in (current.__cause__, current.__context__) if behind is not None)
    return tuple(found)


def read_failure(route: str, error: BaseException, now: int) -> ModelFailure:
    """What a failed attempt means.

    Args:
        route: The route that was asked.
        error: What LiteLLM raised.
        now: UTC microseconds, to read a ``Retry-After`` given as a date.
    """
    import httpx  # noqa: PLC0415  # loaded with LiteLLM, not with the package

    causes = chain(error)
    for cause in causes:
        if isinstance(cause, httpx.HTTPStatusError):
            return _answered(_Answer.read(route, causes, cause.response), _retry_after(causes, now))
    kinds = {name for cause in causes for name in (kind.__name__ for kind in type(cause).__mro__)}
    return _local(route, kinds) or _on_the_way(kinds)


def timed_out() -> ModelFailure:
    """The attempt was cut off by its own time limit; the provider may go on and bill it."""
    return ModelFailure(ProviderTimeout(), Verdict.MAYBE_BILLED, retry=True)


def not_sent(error: ConfigError, alert: str) -> ModelFailure:
    """Our own check refused the attempt before anything was sent."""
    return ModelFailure(error, Verdict.NEVER_SENT, alert=alert)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An error answer: its true status and the known words it holds."""

    route: str
    status: int
    words: str

    @classmethod
    def read(cls, route: str, causes: tuple[BaseException, ...], response: Any) -> _Answer:  # noqa: ANN401  # httpx.Response, not loaded here
        codes = [str(getattr(cause, "code", "")) for cause in causes]
        kinds = [type(cause).__name__ for cause in causes]
        return cls(route, response.status_code, " ".join([*codes, *kinds, response.text]).lower())

    def says(self, words: tuple[str, ...]) -> bool:
        return any(word in self.words for word in words)

    @property
    def title(self) -> str:
        return title_of(split_route(self.route)[0])


def _answered(answer: _Answer, retry_after: float | None) -> ModelFailure:
    """The provider answered with an error status; such answers are not billed."""
    status = answer.status
    if status in (408, 504):
        return timed_out()
    if status in (402, 429) or status < _SERVER_ERRORS:
        for told, make in _TELLTALES:
            if told(answer):
                return make(answer)
    if status in (409, 429) or status >= _SERVER_ERRORS:
        return _failure(ProviderUnavailable(), retry=True, retry_after=retry_after)
    return _failure(ProviderRejected(), next_model=False, alert="request_rejected")


def _failure(
    error: AddOnsError,
    *,
    retry: bool = False,
    next_model: bool = True,
    retry_after: float | None = None,
    alert: str | None = None,
) -> ModelFailure:
    return ModelFailure(
        error, Verdict.ANSWERED, retry=retry, next_model=next_model, retry_after=retry_after, alert=alert
    )


def _account_empty(answer: _Answer) -> ModelFailure:
    msg = (
        f"AI is temporarily unavailable: the operator's account at {answer.title} has no money left. "
        f"Nothing was charged. The operator must top it up with {answer.title}."
    )
    return _failure(ProviderUnavailable(msg), alert="provider_account_empty")


def _key_rejected(answer: _Answer) -> ModelFailure:
    provider, model = split_route(answer.route)
    told = "does not let this API key use" if answer.status == 403 else "refused the API key for"  # noqa: PLR2004  # HTTP: forbidden
    msg = f"{answer.title} {told} {model}. Nothing was charged. {where_to_set(provider)} to a key that may use it."
    return _failure(ProviderRejected(msg), alert="provider_key_rejected")


def _model_unknown(answer: _Answer) -> ModelFailure:
    msg = (
        f"{answer.title} does not know the model {split_route(answer.route)[1]!r}. "
        "Nothing was charged. Correct its name under `models` in the settings."
    )
    return _failure(ProviderRejected(msg), alert="model_unknown")


def _blocked(answer: _Answer) -> ModelFailure:
    del answer
    return _failure(ContentBlocked(), next_model=False)


def _too_long(answer: _Answer) -> ModelFailure:
    msg = f"The request is too long for {split_route(answer.route)[1]}. Nothing was charged. Send less data."
    return _failure(ProviderRejected(msg), next_model=False)


# In this order: an empty account may come as 400, 402 or 429, a bad key as 400.
_TELLTALES: Final[tuple[tuple[Callable[[_Answer], bool], Callable[[_Answer], ModelFailure]], ...]] = (
    (lambda answer: answer.status == 402 or answer.says(_EMPTY_ACCOUNT), _account_empty),  # noqa: PLR2004  # HTTP: payment required
    (lambda answer: answer.status in (401, 403) or answer.says(_BAD_KEY), _key_rejected),
    (lambda answer: answer.status == 404, _model_unknown),  # noqa: PLR2004  # HTTP: not found
    (lambda answer: answer.status == 413 or answer.says(_TOO_LONG), _too_long),  # noqa: PLR2004  # HTTP: content too large
    (lambda answer: answer.says(_BLOCKED), _blocked),
)


def _local(route: str, kinds: set[str]) -> ModelFailure | None:
    """What LiteLLM refused by itself, without a request."""
    provider, model = split_route(route)
    if "UnsupportedParamsError" in kinds:
        msg = (
            f"The model {model} does not take the settings it would be sent. The model was not asked and nothing "
            "was charged. Choose another model, or update the package."
        )
        return ModelFailure(ConfigError(msg), Verdict.NEVER_SENT, next_model=False, alert="model_settings_refused")
    if "AuthenticationError" in kinds:
        msg = (
            f"There are no credentials for {title_of(provider)}. The model was not asked and nothing was charged. "
            f"{where_to_set(provider)}, or choose another model."
        )
        return not_sent(ConfigError(msg), "provider_key_missing")
    return None


def _on_the_way(kinds: set[str]) -> ModelFailure:
    """No answer that could be read: never sent, lost on the way, or unreadable."""
    if kinds & {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"}:
        return ModelFailure(ProviderUnavailable(), Verdict.NEVER_SENT, retry=True)
    if kinds & {"TimeoutException", "TimeoutError"}:
        return timed_out()
    if "TransportError" in kinds:
        return ModelFailure(ProviderUnavailable(), Verdict.MAYBE_BILLED, retry=True)
    # An error that the provider sent in the middle of a stream; what could not be read has a `ValueError` behind it.
    if "MidStreamFallbackError" in kinds and "ValueError" not in kinds:
        return ModelFailure(ProviderUnavailable(), Verdict.MAYBE_BILLED, retry=True)
    msg = "The AI provider's answer could not be read. Nothing was charged. Try again in a moment."
    return ModelFailure(BadOutput(msg), Verdict.MAYBE_BILLED)


def _retry_after(causes: tuple[BaseException, ...], now: int) -> float | None:
    return next((wait for header in _headers(causes) if (wait := read_retry_after(header, now)) is not None), None)


def _headers(causes: tuple[BaseException, ...]) -> Iterator[str]:
    for cause in causes:
        headers = cast("Mapping[str, Any] | None", getattr(cause, "litellm_response_headers", None))
        if headers is not None and "retry-after" in headers:
            yield str(headers["retry-after"])


def read_retry_after(header: str, now: int) -> float | None:
    """Seconds to wait by a ``Retry-After`` header (RFC 9110 section 10.2.3): a number or a date.

    Args:
        header: The header's value.
        now: UTC microseconds.

    Returns:
        Seconds, never negative; None if it is neither.
    """
    if header.strip().isdecimal():
        return float(header)
    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    zoned = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.fromtimestamp(now / 1_000_000, UTC)).total_seconds())
