"""What a host's log says of calls that ended while the database was away."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from ai_addons import AddOns, Prompt, StoreUnavailable, billed_feature
from ai_addons._call import Leftovers
from ai_addons.billing.records import CallIdentity, Hold
from ai_addons.billing.store import Store
from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, ManualClock

if TYPE_CHECKING:
    from ai_addons.scope import Payer

TOLD = (
    "the database was away when {calls} ended. What is not in the call log is not charged, and what a model cost for "
    "it is not counted. Credits that are still held are free again by themselves, in at most {seconds} s. Bring the "
    "database back; nothing else is to be done."
)


@billed_feature("left_open", credits="1", cache=None)
def left_open(number: int) -> Prompt[str]:
    """A text whose call cannot be closed."""
    return Prompt[str](user=f"Text {number}")


def hold(clock: ManualClock, seconds: float) -> Hold:
    """A hold with so much time left."""
    call = CallIdentity(business="b", user=None, id="k", feature="f", request_hash="", keyed=False)
    return Hold(call=call, attempt=0, amount=Credits(1), expires_at=clock.now() + round(seconds * 1_000_000))


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    """What was logged at a level."""
    return [one.getMessage() for one in caplog.records if one.levelno == level]


def test_an_outage_is_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The first at once; the next tells of all since, with the longest time that a hold has left."""
    clock = ManualClock()
    leftovers = Leftovers(clock)
    caplog.set_level(logging.DEBUG, "ai_addons")
    leftovers.add(["a"], [hold(clock, 120)])
    leftovers.add(["b", "c"], [hold(clock, 90), hold(clock, 30)])
    clock.advance(59.9)
    leftovers.add(["d"], [hold(clock, 30)])
    assert lines(caplog) == [TOLD.format(calls="1 call", seconds=120)]
    clock.advance(0.1)
    leftovers.add(["e"], [hold(clock, 80)])
    assert lines(caplog)[1:] == [TOLD.format(calls="4 calls", seconds=80)]
    assert [line.rpartition(": ")[2] for line in lines(caplog, logging.DEBUG)] == ["a", "b, c", "d", "e"]


@pytest.mark.parametrize("seconds", [None, -5])
def test_credits_that_are_not_held_are_free_now(caplog: pytest.LogCaptureFixture, seconds: float | None) -> None:
    """A call that held nothing, or whose hold has expired meanwhile."""
    clock = ManualClock()
    Leftovers(clock).add(["a"], [] if seconds is None else [hold(clock, seconds)])
    assert lines(caplog) == [TOLD.format(calls="1 call", seconds=0)]


def test_calls_that_cannot_be_closed_are_told_once(
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    ai_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two calls that the books cannot end are one line; their credits come back as it says."""

    def gone(*_: object) -> None:
        raise StoreUnavailable

    for _ in range(2):
        ai_llm.reply(left_open, "Text")
    before = ai_addons.wallet(ai_payer.business).available
    with monkeypatch.context() as patch:
        patch.setattr(Store, "capture", gone)
        patch.setattr(Store, "void", gone)
        for number in range(2):
            with pytest.raises(StoreUnavailable):
                left_open(number)
    assert lines(caplog) == [TOLD.format(calls="1 call", seconds=120)]
    assert ai_addons.wallet(ai_payer.business).held == Credits(2)
    ai_clock.advance(121)
    ai_addons.sweep()
    assert ai_addons.wallet(ai_payer.business).available == before
