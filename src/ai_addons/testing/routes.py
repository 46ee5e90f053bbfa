"""The providers' real addresses, answered by respx inside this process."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from ai_addons.testing.script import Script

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

_ADDRESSES: Final = re.compile(
    r"https://(api\.openai\.com/v1/chat/completions"
    r"|api\.anthropic\.com/v1/messages"
    r"|generativelanguage\.googleapis\.com/v1(alpha|beta)/models/[^:/]+:(?:generateContent|streamGenerateContent))(\?|$)"
)


class ModelRoutes(Script):
    """Answers what is sent to OpenAI, Anthropic and Gemini; any other address is refused.

    Use it as a context manager, or as the fixture ``ai_routes``::

        routes.answer("openai", {"title": "Milo 400 g"}, usage=(120, 30))
        routes.fail("anthropic", 429, retry_after=2)
        assert routes.calls[0].max_tokens == 300

    respx sees requests made through httpx in this process. A delay or a drip is
    not waited for, and a hang raises the client's read timeout at once; `Loopback`
    does all three for real.
    """

    def __init__(self) -> None:
        super().__init__()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Catch every httpx request of this process.

        Raises:
            ImportError: If respx is not installed.
        """
        try:
            import respx  # noqa: PLC0415  # only tests on the wire load it
        except ImportError as missing:
            msg = "answering on the wire needs respx: pip install 'ai-addons[testing]'"
            raise ImportError(msg) from missing

        router = respx.MockRouter(assert_all_called=False, assert_all_mocked=True)
        router.route(method="POST", url__regex=_ADDRESSES).mock(side_effect=self._respond)
        self._exit.enter_context(router)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let requests through again.

        Raises:
            AssertionError: If a provider was asked with nothing planned for it; the
                caller of the model saw only a rejected request.
        """
        self._exit.close()
        if kind is None and self.unplanned:
            asked = ", ".join(sorted({call.provider for call in self.unplanned}))
            msg = f"{len(self.unplanned)} requests went to {asked} with no answer planned; call answer(…) first"
            raise AssertionError(msg)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        import httpx  # noqa: PLC0415  # only tests on the wire load it

        act = self.receive(request.url.path, request.headers, request.content)
        if act.outcome == "drop":
            msg = "Server disconnected without sending a response."
            raise httpx.RemoteProtocolError(msg, request=request)
        if act.outcome == "hang":
            msg = "The read operation timed out"
            raise httpx.ReadTimeout(msg, request=request)
        if act.cut:
            msg = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(msg, request=request)
        return httpx.Response(act.outcome.status, content=act.outcome.body, headers=dict(act.outcome.headers))
