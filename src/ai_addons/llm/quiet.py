"""LiteLLM's own log of a call, where nobody reads it.

Every call of LiteLLM keeps a log for its callbacks: after the answer it works out the cost twice, makes a record of the
call in a thread of its own, and gives it to whoever is registered. We price and book calls ourselves, and most hosts
register nobody; a fifth of what a bare call takes goes to it then (docs/benchmarks.md). A call that brings a log along
is not given another, so ours brings one that writes nothing.

A host that uses LiteLLM itself may have callbacks or rules of its own. Then calls are logged as ever, ours included.
"""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Whoever stands in one of these lists of LiteLLM's wants to hear of calls, or to have a say in them.
_LISTENERS: Final = (
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


class QuietLogs:
    """Makes logs that write nothing.

    Args:
        library: LiteLLM.
    """

    def __init__(self, library: object) -> None:
        self._library = library
        logging = importlib.import_module("litellm.litellm_core_utils.litellm_logging").Logging
        self._make: Callable[..., object] = type("SilentLogging", (_Silent, logging), {})

    def arguments(self, model: str, messages: Sequence[object], call_type: str) -> dict[str, Any]:
        """Arguments of one call that keep LiteLLM from logging it; none where somebody listens.

        Args:
            model: Its route.
            messages: What is sent.
            call_type: LiteLLM's name of the function: ``completion`` or ``acompletion``.
        """
        if any(one != _NOBODY for name in _LISTENERS for one in getattr(self._library, name)):
            return {}
        log = self._make(
            model=model,
            messages=messages,
            stream=False,
            call_type=call_type,
            start_time=datetime.now(),  # noqa: DTZ005  # LiteLLM's own way; it goes into the log that is not written
            litellm_call_id=_CALL,
            function_id="",
            kwargs={},
            supports_correlation_logging=False,
        )
        return {"litellm_logging_obj": log, "litellm_call_id": _CALL}
