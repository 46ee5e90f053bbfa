"""Cassettes: exchanges with a real model, recorded once and played back in tests.

A cassette holds what `ModelRequest` and `ModelReply` hold: masked texts, the schema,
the answer and its token counts. Keys, headers, addresses and the provider's ids of
requests never come near it.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from difflib import SequenceMatcher, unified_diff
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from ai_addons.llm.base import Finish, ModelReply, Role, Usage
from ai_addons.settings import Thinking

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ai_addons.llm.base import Llm, ModelRequest

RECORD_OPTION: Final = "--ai-record"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CassetteError(AssertionError):
    """A recording does not hold what the test asks for; nothing was sent."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Turn(_Part):
    role: Role
    content: str


class _Request(_Part):
    feature: str
    model: str
    max_tokens: int
    thinking: Thinking = "off"
    json_schema: dict[str, Any] | None
    messages: tuple[_Turn, ...]

    @property
    def key(self) -> str:
        """What makes two requests the same: all of it."""
        return json.dumps(self.model_dump(), sort_keys=True)


class _Reply(_Part):
    text: str | None
    finish: Finish
    model: str
    usage: Usage | None
    tier: str | None


class _Exchange(_Part):
    request: _Request
    reply: _Reply


class _Recording(_Part):
    version: Literal[1] = 1
    exchanges: tuple[_Exchange, ...]


def cassette_path(test_file: Path, name: str) -> Path:
    """Where a test's cassette lies: in the folder ``cassettes`` beside the test file.

    Raises:
        CassetteError: If the name would lead elsewhere.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for a cassette: use letters, digits, dots, dashes and underscores"
        raise CassetteError(msg)
    return test_file.parent / "cassettes" / f"{name}.json"


class ReplayLlm:
    """Answers from a cassette, and refuses any request that is not in it (the `Llm` port).

    Equal requests get their answers in the order recorded; the last one repeats.

    Args:
        path: The cassette.

    Raises:
        CassetteError: If there is none, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._exchanges = _read(path).exchanges
        self._replies: defaultdict[str, list[_Reply]] = defaultdict(list)
        for exchange in self._exchanges:
            self._replies[exchange.request.key].append(exchange.reply)

    def complete(self, request: ModelRequest) -> ModelReply:
        """The recorded answer to this very request.

        Raises:
            CassetteError: If there is none, with what changed since.
        """
        asked = _request(request)
        with self._lock:
            replies = self._replies.get(asked.key)
            if not replies:
                raise CassetteError(_mismatch(self._path, asked, [one.request for one in self._exchanges]))
            found = replies.pop(0) if len(replies) > 1 else replies[0]
        return ModelReply(text=found.text, finish=found.finish, model=found.model, usage=found.usage, tier=found.tier)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same; there is nothing to wait for."""
        return self.complete(request)


class RecordingLlm:
    """Asks another model and keeps what was said (the `Llm` port).

    Args:
        llm: Who is asked. Its failures are passed on and not kept.
    """

    def __init__(self, llm: Llm) -> None:
        self._llm = llm
        self._lock = threading.Lock()
        self._exchanges: list[_Exchange] = []

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask, and keep the exchange."""
        return self._kept(request, self._llm.complete(request))

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same for async callers."""
        return self._kept(request, await self._llm.acomplete(request))

    def save(self, path: Path, secrets: Iterable[str] = ()) -> None:
        """Write the cassette, in place of an older one.

        Args:
            path: Where.
            secrets: Keys that must not be in it.

        Raises:
            CassetteError: If one of them is, or nothing was recorded; nothing is written then.
        """
        if not self._exchanges:
            msg = f"No model was asked, so there is nothing to record in {path}. It was left as it is."
            raise CassetteError(msg)
        recording = _Recording(exchanges=tuple(self._exchanges))
        text = json.dumps(recording.model_dump(mode="json"), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        if any(secret in text for secret in secrets if secret):
            msg = f"A prompt or an answer holds a provider key, so {path} was not written. Take it out of the prompt."
            raise CassetteError(msg)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _kept(self, request: ModelRequest, reply: ModelReply) -> ModelReply:
        kept = _Reply(text=reply.text, finish=reply.finish, model=reply.model, usage=reply.usage, tier=reply.tier)
        with self._lock:
            self._exchanges.append(_Exchange(request=_request(request), reply=kept))
        return reply


def _request(request: ModelRequest) -> _Request:
    return _Request(
        feature=request.feature,
        model=request.model,
        max_tokens=request.max_tokens,
        thinking=request.thinking,
        json_schema=None if request.schema is None else dict(request.schema),
        messages=tuple(_Turn(role=message.role, content=message.content) for message in request.messages),
    )


def _read(path: Path) -> _Recording:
    try:
        return _Recording.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"There is no cassette {path}. Record it once with a real model: pytest {RECORD_OPTION}"
        raise CassetteError(msg) from None
    except (OSError, ValidationError) as error:
        msg = f"The cassette {path} cannot be read ({type(error).__name__}). Record it again: pytest {RECORD_OPTION}"
        raise CassetteError(msg) from error


def _mismatch(path: Path, asked: _Request, recorded: Sequence[_Request]) -> str:
    """What a request has that no recorded one has, against the one most like it."""
    head = f"{path} holds no answer to this request of {asked.feature}; nothing was sent."
    after = f"If the change is meant, record it again: pytest {RECORD_OPTION}"
    wanted = _lines(asked)
    same = [one for one in recorded if one.feature == asked.feature] or list(recorded)
    nearest = max(map(_lines, same), key=lambda lines: _in_common(lines, wanted), default=None)
    if nearest is None:
        return f"{head} It is empty. {after}"
    diff = unified_diff(nearest, wanted, "recorded", "asked now", lineterm="")
    return "\n".join([head, *diff, after])


def _in_common(lines: Sequence[str], wanted: Sequence[str]) -> int:
    """How many lines of two texts are the same, in order."""
    return sum(block.size for block in SequenceMatcher(None, lines, wanted).get_matching_blocks())


def _lines(request: _Request) -> list[str]:
    """A request for people, line by line; JSON is laid out so that a change shows as one line."""
    lines = [f"feature: {request.feature}", f"model: {request.model}", f"max_tokens: {request.max_tokens}"]
    for turn in request.messages:
        lines += [f"{turn.role}:", *(f"  {laid}" for line in turn.content.splitlines() for laid in _laid_out(line))]
    return [*lines, "schema:", *json.dumps(request.json_schema, indent=2, sort_keys=True).splitlines()]


def _laid_out(line: str) -> list[str]:
    if not line.startswith(("{", "[")):
        return [line]
    try:
        value = cast("object", json.loads(line))
    except ValueError:
        return [line]
    return json.dumps(value, ensure_ascii=False, indent=2).splitlines()
