"""The contract of recognizers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Kind, Span
from ai_addons.testing.guard import NetworkRefused, no_network
from ai_addons.testing.require import require as _require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.privacy.base import Recognizer

_WORKERS: Final = 8
_SHORT: Final = 2_000
_GROWTH: Final = 8
_ALLOWED: Final = 3
_LEAST_SECONDS: Final = 0.002
"""Below this the clock says little."""
_UNITS: Final = (
    "a",
    "1",
    "1-",
    "1 ",
    "1.",
    "a@",
    "a.",
    ":",
    "a:",
    "(",
    "A1 ",
    "AB12 ",
    "a-1_",
    "\\",
    "é",
    "\n",
    "[",
    "=",
)
_ODD: Final = ("", " ", "\n", "\u00e9", "0", "-", "\U0001f6d2", "(((", "a@b", "1" * 400, "x" * 400, "-." * 200)


class RecognizerContract:
    """What every recognizer must keep; an `AssertionError` says in words what yours did wrong.

    Attributes:
        finds: Texts in each of which it finds something; give yours.
        leaves: Texts in which it finds nothing; give those it could mistake.
    """

    finds: ClassVar[Sequence[str]] = ()
    leaves: ClassVar[Sequence[str]] = ()

    def make(self) -> Recognizer:
        """Your recognizer, made anew each time."""
        raise NotImplementedError

    def test_it_finds_what_it_is_for(self) -> None:
        """It finds something in each text of `finds`, and nothing in any of `leaves`."""
        _require(bool(self.finds), "`finds` is empty: give texts in which it must find something.")
        recognizer = self.make()
        for text in self.finds:
            _require(bool(_found(recognizer, text)), f"Nothing was found in {text!r}.")
        for text in self.leaves:
            spans = [text[span.start : span.end] for span in _found(recognizer, text)]
            _require(not spans, f"In {text!r} it found {spans}, which `leaves` says is not personal.")

    def test_what_it_reports_lies_inside_the_text(self) -> None:
        """Each span begins before it ends, within the text, and has a kind; in odd texts too."""
        recognizer = self.make()
        for text in self._texts():
            for span in _found(recognizer, text):
                inside = 0 <= span.start < span.end <= len(text)
                _require(inside, f"{span} lies outside a text of {len(text)} characters: {text[:80]!r}.")
                _require(type(span.kind) is Kind, f"{span} has no `Kind`.")

    def test_it_is_deterministic(self) -> None:
        """One text gives the same spans twice, from another instance, and after other texts."""
        recognizer, other = self.make(), self.make()
        texts = self._texts()
        first = [_found(recognizer, text) for text in texts]
        again = [_found(recognizer, text) for text in reversed(texts)][::-1]
        _require(first == again, "The same text gave different spans: it must remember nothing.")
        _require(first == [_found(other, text) for text in texts], "Two instances gave different spans.")

    def test_threads_may_share_it(self) -> None:
        """Many threads that ask one instance at once get what one thread gets."""
        recognizer = self.make()
        texts = self._texts() * 4
        alone = [_found(recognizer, text) for text in texts]
        with ThreadPoolExecutor(_WORKERS) as pool:
            together = list(pool.map(partial(_found, recognizer), texts))
        _require(alone == together, "Threads that shared it got other spans than one thread alone.")

    def test_it_stays_off_the_network(self) -> None:
        """Neither making it nor asking it looks up a name or opens a connection."""
        # One that hides the refusal is found out as well.
        with no_network() as refused, suppress(NetworkRefused):
            recognizer = self.make()
            for text in self._texts():
                _found(recognizer, text)
        _require(not refused, f"It went to the network: {refused}.")

    def test_a_hostile_text_costs_no_more_than_it_is_long(self) -> None:
        """Eight times a text of one repeated pattern takes about eight times as long; quadratic would be 64 times."""
        recognizer = self.make()
        for unit in (*_UNITS, *(f"{text} " for text in self.finds)):
            short = unit * (_SHORT // len(unit) + 1)
            long = short * _GROWTH
            allowed = max(_seconds(recognizer, short), _LEAST_SECONDS) * _GROWTH * _ALLOWED
            spent = _seconds(recognizer, long)
            slow = f"{len(long)} characters of {unit[:40]!r} took {spent:.3f} s, above {allowed:.3f} s"
            _require(spent <= allowed, f"{slow}: bound its repeats, so that time grows with the text alone.")

    def _texts(self) -> list[str]:
        return [
            *self.finds,
            *self.leaves,
            *_ODD,
            " ".join([*self.finds, *self.leaves]),
            *(unit * 50 for unit in _UNITS),
        ]


def _found(recognizer: Recognizer, text: str) -> list[Span]:
    return list(recognizer.find(text))


def _seconds(recognizer: Recognizer, text: str) -> float:
    """Processor time, the better of two, so that other programs count little."""
    return min(_once(recognizer, text) for _ in range(2))


def _once(recognizer: Recognizer, text: str) -> float:
    begun = time.process_time()
    _found(recognizer, text)
    return time.process_time() - begun
