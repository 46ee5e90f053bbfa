from __future__ import annotations

import importlib
import json
from copy import copy
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.llm.base import Message, ModelFailure, ModelReply
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.straight import StraightClients
from tests.llm_wire import KEYS, ROUTES, SCHEMA, answer, ask, error_body, request, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import respx

    from ai_addons.llm.base import ModelRequest

OPENAI = ROUTES["openai"]
CHOICE: dict[str, Any] = answer("openai")["choices"][0]
TOO_FEW = "Could not finish the message because max_tokens or model output limit was reached. Please try again."


def said(**message: object) -> dict[str, Any]:
    """An answer with another message."""
    return answer("openai", choices=[CHOICE | {"message": {"role": "assistant", "content": "{}"} | message}])


def refused(
    status: int, *, code: str | None = None, text: str = "SECRET provider text", **headers: str
) -> httpx.Response:
    """An answer that is an error."""
    return httpx.Response(status, json=error_body("openai", code=code, message=text), headers=headers)


ANSWERS: dict[str, httpx.Response | type[Exception]] = {
    "good": httpx.Response(200, json=answer("openai")),
    "another type of content": httpx.Response(
        200, text=json.dumps(answer("openai")), headers={"content-type": "text/x"}
    ),
    "no type of content": httpx.Response(200, content=json.dumps(answer("openai")).encode()),
    "a refusal": httpx.Response(200, json=said(content=None, refusal="No.")),
    "cut short": httpx.Response(200, json=answer("openai", choices=[CHOICE | {"finish_reason": "length"}])),
    "filtered": httpx.Response(200, json=answer("openai", choices=[CHOICE | {"finish_reason": "content_filter"}])),
    "no text": httpx.Response(200, json=said(content=None)),
    "text of another kind": httpx.Response(200, json=said(content=7)),
    "no choice": httpx.Response(200, json=answer("openai", choices=[])),
    "choices gone": httpx.Response(200, json={"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}),
    "choices of another kind": httpx.Response(200, json=answer("openai", choices="none")),
    "no usage": httpx.Response(200, json=answer("openai", usage=None)),
    "empty usage": httpx.Response(200, json=answer("openai", usage={})),
    "usage of another kind": httpx.Response(200, json=answer("openai", usage={"prompt_tokens": "many"})),
    "more than we know": httpx.Response(200, json=answer("openai", service_tier="flex", novelty={"x": [1]})),
    "an error that says 200": httpx.Response(200, json=error_body("openai")),
    "a list": httpx.Response(200, json=[1]),
    "null": httpx.Response(200, json=None),
    "a string": httpx.Response(200, json="SECRET"),
    "no JSON": httpx.Response(200, text="<html>SECRET</html>", headers={"content-type": "application/json"}),
    "a page": httpx.Response(200, text="<html>SECRET</html>", headers={"content-type": "text/html"}),
    "no UTF-8": httpx.Response(200, content=b'{"\xff', headers={"content-type": "application/json"}),
    "nothing": httpx.Response(200, content=b""),
    "a bad request": refused(400),
    "no room for an answer": refused(400, text=TOO_FEW),
    "too long": refused(400, code="context_length_exceeded"),
    "a wrong key": refused(401, code="invalid_api_key"),
    "forbidden": refused(403),
    "an unknown model": refused(404, code="model_not_found"),
    "unprocessable": refused(422),
    "too many": refused(429, code="rate_limit_exceeded", **{"retry-after": "7"}),
    "nothing left": refused(429, code="insufficient_quota"),
    "broken": refused(500),
    "away": httpx.Response(503, text="SECRET", headers={"retry-after": "3"}),
    "no connection": httpx.ConnectError,
    "cut off": httpx.ReadError,
    "late": httpx.ReadTimeout,
    "late to connect": httpx.ConnectTimeout,
    "redirected in a ring": httpx.TooManyRedirects,
}


BY_RESPONSES: dict[str, Any] = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-5-codex",
    "output": [
        {
            "type": "message",
            "id": "m1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "{}", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
}


@pytest.fixture
def sdk() -> Any:
    """OpenAI's SDK, where its method is."""
    return importlib.import_module("openai.resources.chat.completions")


def told(asked: ModelRequest, *, aio: bool, llm: LiteLlm | None = None) -> object:
    """What came of a request, in whole."""
    try:
        reply = ask(asked, aio=aio, llm=llm)
        # LiteLLM makes an id of its own where an answer has none.
        return replace(reply, request_id=None) if str(reply.request_id).startswith("chatcmpl-") else reply
    except ModelFailure as failure:
        seen = {name: value for name, value in vars(failure).items() if name != "error"}
        return type(failure.error), str(failure.error), failure.error.code, seen


def ordinary() -> LiteLlm:
    """An adapter that asks OpenAI with all of the SDK."""
    llm = LiteLlm(KEYS, {})
    llm.warm_up()
    llm._straight = StraightClients(ModuleType("no LiteLLM"))
    return llm


@pytest.mark.parametrize("aio", [False, True])
@pytest.mark.parametrize("came", list(ANSWERS))
def test_whatever_comes_back_means_what_it_means_to_the_sdk(
    router: respx.MockRouter, library: Any, came: str, aio: bool
) -> None:
    """Reply, tokens, kind of failure, whether it was sent, and when to ask again: with and without the walk."""
    assert library
    serve(router, "openai", ANSWERS[came])
    asked = request(OPENAI, schema=SCHEMA)
    assert told(asked, aio=aio) == told(asked, aio=aio, llm=ordinary())
    assert len(router.calls) == 2


@pytest.mark.parametrize("aio", [False, True])
def test_what_is_sent_is_what_the_sdk_sends(router: respx.MockRouter, library: Any, aio: bool) -> None:
    """Address, body and headers, but for the header by which the SDK remembers that its answer is wanted raw."""
    assert library
    serve(router, "openai", ANSWERS["good"])
    messages = (Message("system", "Brief — très. \N{GRINNING FACE}"), Message("user", '{"a": "\\u0000"}'))
    asked = request(OPENAI, schema=SCHEMA)
    for llm in (None, ordinary()):
        ask(replace(asked, messages=messages), aio=aio, llm=llm)
    straight, whole = (call.request for call in router.calls)
    assert json.loads(straight.content) == json.loads(whole.content)
    assert straight.url == whole.url
    gone = {"x-stainless-raw-response", "content-length"}
    assert {**straight.headers} == {name: text for name, text in whole.headers.items() if name not in gone} | {
        "content-length": straight.headers["content-length"]
    }
    assert straight.headers["authorization"] == "Bearer key-of-openai"


@pytest.mark.parametrize("aio", [False, True])
def test_the_sdks_walk_is_left_out(
    router: respx.MockRouter, library: Any, sdk: Any, monkeypatch: pytest.MonkeyPatch, aio: bool
) -> None:
    """Or a version of the SDK or of LiteLLM has made the short way useless, and nobody would know."""
    assert library
    walk = "async_maybe_transform" if aio else "maybe_transform"
    monkeypatch.setattr(sdk.completions, walk, None)
    serve(router, "openai", ANSWERS["good"])
    assert isinstance(told(request(OPENAI), aio=aio), ModelReply)


@pytest.mark.parametrize("aio", [False, True])
def test_a_tool_that_traces_the_sdk_sees_our_calls(
    router: respx.MockRouter, library: Any, sdk: Any, monkeypatch: pytest.MonkeyPatch, aio: bool
) -> None:
    """It puts a function of its own before the SDK's, before or after we are loaded; then all goes the SDK's way."""
    assert library
    serve(router, "openai", ANSWERS["good"])
    kind = sdk.AsyncCompletions if aio else sdk.Completions
    own, seen = kind.create, list[str]()

    def traced(self: object, **given: Any) -> object:
        seen.append(given["model"])
        return own(self, **given)

    early, late = LiteLlm(KEYS, {}), LiteLlm(KEYS, {})
    early._straight = StraightClients(library)
    # The SDK takes its method once for each client.
    library.in_memory_llm_clients_cache.flush_cache()
    monkeypatch.setattr(kind, "create", traced)
    replies = [told(request(OPENAI), aio=aio, llm=llm) for llm in (early, late)]
    assert [type(reply) for reply in replies] == [ModelReply, ModelReply]
    assert seen == ["gpt-6-luna", "gpt-6-luna"]
    monkeypatch.delattr(kind, "create")
    assert [*StraightClients(library).arguments(OPENAI, dict, timeout=5.0, aio=aio)] == []


@pytest.mark.parametrize("aio", [False, True])
def test_a_call_goes_on_where_litellm_makes_its_clients_in_another_way(
    router: respx.MockRouter, library: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, aio: bool
) -> None:
    """The answer comes by all of the SDK, and one line says so without what was sent."""
    serve(router, "openai", ANSWERS["good"])
    llm = LiteLlm(KEYS, {})
    llm._straight = clients = StraightClients(library)
    monkeypatch.setattr(clients, "_find", lambda **_: 1 // 0)
    with caplog.at_level("INFO", "ai_addons"):
        assert isinstance(told(request(OPENAI), aio=aio, llm=llm), ModelReply)
        assert isinstance(told(request(OPENAI), aio=aio, llm=llm), ModelReply)
    assert caplog.messages == ["OpenAI is asked with all of its SDK, for it or LiteLLM is another: ZeroDivisionError"]


def test_options_beside_the_body_are_options(library: Any) -> None:
    """LiteLLM gives a host's own headers, query and further fields so; retries and organization go to the client."""
    posted: list[tuple[str, dict[str, Any]]] = []

    def post(path: str, **given: Any) -> httpx.Response:
        posted.append((path, given))
        return httpx.Response(200, json={}, headers={"x-request-id": "r1"})

    clients, theirs = StraightClients(library), SimpleNamespace(post=post, api_key="k", organization=None)
    clients._find = lambda **_: theirs
    client: Any = clients.arguments(OPENAI, dict, timeout=5.0, aio=False)["client"]
    client.organization = "org"
    create = client.chat.completions.with_raw_response.create
    answered = create(
        model="m", messages=[], timeout=5.0, extra_headers={"a": "b"}, extra_query={"q": 1}, extra_body={"c": 2}
    )
    options = {"timeout": 5.0, "headers": {"a": "b"}, "params": {"q": 1}, "extra_json": {"c": 2}}
    sent = {"body": {"model": "m", "messages": []}, "cast_to": httpx.Response}
    assert posted == [("/chat/completions", sent | {"options": options | {"security": {"bearer_auth": True}}})]
    assert (answered.headers["x-request-id"], answered.parse().model_dump()) == ("r1", {})
    assert (client.api_key, theirs.organization) == ("k", "org")
    # LiteLLM copies what it is given for some who listen.
    assert copy(client).api_key == "k"


@pytest.mark.parametrize("aio", [False, True])
def test_no_frame_of_ours_holds_prompt_or_key_when_a_call_fails(
    router: respx.MockRouter, library: Any, aio: bool
) -> None:
    """A crash reporter prints what frames hold."""
    assert library
    serve(router, "openai", ANSWERS["broken"])
    with pytest.raises(ModelFailure) as caught:
        ask(request(OPENAI), aio=aio)
    held = [
        repr(value)
        for error in (caught.value, caught.value.__cause__)
        for frame in frames(error.__traceback__ if error else None)
        if "straight" in frame.f_code.co_filename
        for value in frame.f_locals.values()
    ]
    assert held
    assert not [text for text in held if "rice" in text or "key-of" in text]


def frames(traceback: TracebackType | None) -> Iterator[Any]:
    """All frames of a traceback."""
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


@pytest.mark.parametrize("aio", [False, True])
def test_a_model_that_litellm_asks_in_another_way_is_asked_so(
    router: respx.MockRouter, library: Any, aio: bool
) -> None:
    """Some are reached by OpenAI's newer endpoint alone, without the SDK; our client changes nothing there."""
    model = "gpt-5-codex"
    assert library.model_cost[model]["mode"] == "responses"
    serve(router, "openai", httpx.Response(200, json=BY_RESPONSES))
    asked = request(f"openai/{model}")
    reply = told(asked, aio=aio)
    assert reply == told(asked, aio=aio, llm=ordinary())
    assert isinstance(reply, ModelReply)
    assert [call.request.url.path for call in router.calls] == ["/v1/responses", "/v1/responses"]


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
def test_other_providers_get_no_client_of_openais(library: Any, provider: str) -> None:
    """LiteLLM asks them without an SDK."""
    assert StraightClients(library).arguments(ROUTES[provider], dict, timeout=5.0, aio=False) == {}
