"""A shop whose calls are listened to."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ai_addons import AddOns, bill_to, install
from ai_addons.testing import FakeLlm, ManualClock, kit_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.events import Event, EventHook

E = TypeVar("E")

BUSINESS = "biz_Kwabena_7"
USER = "user_Adwoa_1"
FALLBACK = "anthropic/claude-haiku-5-5"


@dataclass
class Heard:
    """The parts of a test, and every event in order."""

    addons: AddOns
    llm: FakeLlm
    clock: ManualClock
    events: list[Event] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """What was told, without when it began."""
        return [type(event).__name__ for event in self.events if type(event).__name__ != "CallStarted"]

    def all(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[E]) -> E:
        """The only event of a kind."""
        (event,) = self.all(kind)
        return event


@contextmanager
def hearing(*hooks: EventHook, credit: int = 1_000, **settings: Any) -> Iterator[Heard]:
    """Listen to the calls of one business with so many credits; the books must agree afterwards."""
    events: list[Event] = []
    llm, clock = FakeLlm(), ManualClock()
    addons = AddOns(kit_settings(**settings), clock=clock, llm=llm, environ={}, hooks=[events.append, *hooks])
    before = install(addons)
    try:
        if credit:
            addons.grant(BUSINESS, credit, source="adjustment", ref="test funds")
        with bill_to(BUSINESS, user=USER):
            yield Heard(addons, llm, clock, events)
        assert addons.doctor().ok
    finally:
        addons.close()
        install(before)
