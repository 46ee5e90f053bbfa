"""LiteLLM's own log of a call, where nobody reads it.

Every call of LiteLLM keeps a log for its callbacks: after the answer it works out the cost twice, makes a record of the
call in a thread of its own, and gives it to whoever is registered. We price and book calls ourselves, and most hosts
register nobody; a fifth of what a bare call takes goes to it then (docs/benchmarks.md). A call that brings a log along
is not given another, so ours brings one that writes nothing.

A host that uses LiteLLM itself may have callbacks, rules or a budget of its own. Then calls are logged as ever, ours
included. So they are where this version of LiteLLM is not as we know it: a list we do not know counts as one in which
somebody may stand, one that is gone counts as one in which somebody does.

Streams keep LiteLLM's own log: it gathers their pieces, and how they end is read elsewhere (`streamed`).
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

logger: Final = logging.getLogger("ai_addons")

LISTENERS: Final = (
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "service_callback",
    "_async_input_callback",
    "_async_success_callback",
    "_async_failure_callback",
    "pre_call_rules",
    "post_call_rules",
    "custom_provider_map",
)
"""Lists of LiteLLM's: whoever stands in one wants to hear of calls, or to have a say in them."""

NO_LISTENERS: Final = frozenset({"_known_custom_logger_compatible_callbacks", "audit_log_callbacks"})
"""Lists that are called like those: names that LiteLLM knows, and who hears what operators of its proxy do."""

# What each call is counted or named for in that log.
_WISHES: Final = ("max_budget", "request_correlation_in_logs")
_WORDS: Final = ("callback", "hook", "listener", "logger", "rule")
# In place of a list that is not there.
_SOMEBODY: Final = ("somebody",)
# Gemini's adapter makes a cache of LiteLLM's for its tokens, and this is put into the lists with it.
_NOBODY: Final = "cache"
# It names a call in LiteLLM's log alone, which is not written.
_CALL: Final = "ai_addons"


class _Silent:
    """In front of LiteLLM's `Logging`: what follows an answer is left out."""

    def success_handler(self, *_: object, **__: object) -> None:
        """Log a sync call; in LiteLLM's own thread."""

    def claim_async_success_log(self) -> bool:
        """Whether an async call is to be logged."""
        return False

    def handle_sync_success_callbacks_for_async_calls(self, *_: object, **__: object) -> None:
        """Tell sync callbacks of an async call."""

    def _response_cost_calculator(self, *_: object, **__: object) -> None:
        """What a call cost: we know it from our own prices, exactly."""


def lists_of_listeners(names: Mapping[str, object]) -> tuple[str, ...]:
    """The names of all lists that somebody may stand in: those known, and those that are called like them.

    Args:
        names: What LiteLLM's module holds.
    """
    others = (
        name
        for name, value in names.items()
        if isinstance(value, (list, set, tuple)) and any(word in name.lower() for word in _WORDS)
    )
    return tuple(dict.fromkeys((*LISTENERS, *(name for name in others if name not in NO_LISTENERS))))


def _holds_somebody(found: object) -> bool:
    # What is no list, LiteLLM itself must judge.
    return not isinstance(found, (list, set, tuple)) or any(one != _NOBODY for one in cast("Iterable[object]", found))


class QuietLogs:
    """Makes logs that write nothing.

    Args:
        library: LiteLLM.
    """

    def __init__(self, library: Any) -> None:  # noqa: ANN401  # untyped: its adapter loads it by name
        self._library = library
        self._lists = lists_of_listeners(cast("Mapping[str, object]", vars(library)))
        self._make: Callable[..., object] | None = None
        try:
            ordinary = library.litellm_core_utils.litellm_logging.Logging
            self._make = type("SilentLogging", (_Silent, ordinary), {})
        except Exception as error:  # noqa: BLE001  # whatever another version of LiteLLM does, the call goes on
            self._give_up(error)

    def arguments(self, model: str, messages: Sequence[object], call_type: str) -> dict[str, Any]:
        """Arguments of one call that keep LiteLLM from logging it; none where somebody listens.

        Args:
            model: Its route.
            messages: What is sent.
            call_type: LiteLLM's name of the function: ``completion`` or ``acompletion``.
        """
        if self._make is None or self._is_heard():
            return {}
        try:
            log = self._make(
                model=model,
                messages=messages,
                stream=False,
                call_type=call_type,
                start_time=datetime.now(),  # noqa: DTZ005  # LiteLLM's own way; it is for the log that is not written
                litellm_call_id=_CALL,
                function_id="",
                kwargs={},
                supports_correlation_logging=False,
            )
        except Exception as error:  # noqa: BLE001  # as above
            self._give_up(error)
            return {}
        return {"litellm_logging_obj": log, "litellm_call_id": _CALL}

    def _is_heard(self) -> bool:
        """Whether somebody listens, or may."""
        return any(getattr(self._library, name, None) for name in _WISHES) or any(
            _holds_somebody(getattr(self._library, name, _SOMEBODY)) for name in self._lists
        )

    def _give_up(self, error: Exception) -> None:
        """Leave all further calls to LiteLLM's own log. Only the kind of the error: its text may quote a prompt."""
        self._make = None
        logger.info("LiteLLM keeps its log of each call, for ours could not be made: %s", type(error).__name__)
