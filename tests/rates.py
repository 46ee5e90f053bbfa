"""Sources of exchange rates that tests steer: HTTP answers without a network, and one that says what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx

from ai_addons.billing.fx.base import FxRate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TODAY = date(2026, 9, 21)
"""The day on which `ManualClock` starts."""


def answering(body: object, status: int = 200, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """A server that always says the same; text as it is, anything else as JSON."""

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(body, Exception):
            raise body
        return httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)

    return httpx.MockTransport(answer)


def rate(number: str = "11.4", *, as_of: date = TODAY, source: str = "bog", **changes: Any) -> FxRate:
    """A rate as a source gives it."""
    known: dict[str, Any] = {"fetched_at": 0, "kind": "interbank"} | changes
    return FxRate(rate=Decimal(number), as_of=as_of, source=source, **known)


@dataclass
class Told:
    """A source that gives the next thing it was told: a rate, or an error."""

    says: list[FxRate | BaseException]
    asked: list[int] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def fetch(self, now: int) -> FxRate:
        """The next one; the last one for ever."""
        self.asked.append(now)
        self.meanwhile()
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, BaseException):
            raise said
        return FxRate(rate=said.rate, as_of=said.as_of, source=said.source, kind=said.kind, fetched_at=now)


class Bulletin:
    """What sources say, by name: a stand-in for the entry points."""

    def __init__(self, **says: FxRate | str | BaseException) -> None:
        self.sources: dict[str, Told] = {name: Told([_said(name, one)]) for name, one in says.items()}

    def load(self, group: str, name: str) -> Any:
        """What `plugins.load` does."""
        assert group == "rates"
        return lambda _: self.sources[name]

    def say(self, name: str, what: FxRate | str | BaseException) -> None:
        """Let a source say something else from now on."""
        self.sources[name].says = [_said(name, what)]

    @property
    def asked(self) -> Mapping[str, int]:
        """How many times each was asked."""
        return {name: len(source.asked) for name, source in self.sources.items()}


def _said(name: str, what: FxRate | str | BaseException) -> FxRate | BaseException:
    return rate(what, source=name) if isinstance(what, str) else what
