"""The contract of a source of exchange rates; `ai_addons.testing.contracts` offers it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.fx.base import RateUnavailable
from ai_addons.money import scaled_rate
from ai_addons.testing.require import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_addons.billing.fx.base import RateSource

_NOW: Final = 1_795_000_000_000_000
_KINDS: Final = ("interbank", "market", "static")


class RateContract:
    """What every source of exchange rates must keep; an `AssertionError` says in words what yours did wrong.

    Subclass it in a test module and say how to make yours, and how it fails::

        class TestMyRates(RateContract):
            def make(self):
                return MyRates(transport=httpx.MockTransport(good_answer))

            def broken(self):
                yield MyRates(transport=httpx.MockTransport(no_json))
    """

    def make(self) -> RateSource:
        """A source that gets a good answer, without a network."""
        raise NotImplementedError

    def broken(self) -> Iterable[RateSource]:
        """Sources that get none: unreachable, an error, garbage, another currency; none where it asks nobody."""
        return ()

    def test_it_gives_cedis_for_a_dollar(self) -> None:
        """The rate is an exact number of GHS for one USD that the books can hold."""
        rate = self.make().fetch(_NOW)
        pair = (rate.base, rate.quote)
        require(pair == ("USD", "GHS"), f"It must give GHS for one USD, not {rate.quote} for one {rate.base}.")
        # A plug-in need not be type-checked.
        exact = isinstance(rate.rate, Decimal)  # pyright: ignore[reportUnnecessaryIsInstance]  # as above
        require(exact, f"The rate is a {type(rate.rate).__name__}: it must be a Decimal.")
        scaled_rate(rate.rate)

    def test_it_says_where_it_comes_from(self) -> None:
        """It has a name, a day and a kind."""
        rate = self.make().fetch(_NOW)
        require(bool(rate.source), "The rate does not name its source.")
        require(type(rate.as_of) is date, f"The rate's day is a {type(rate.as_of).__name__}: it must be a date.")
        require(rate.kind in _KINDS, f"The rate's kind is {rate.kind!r}: it must be one of {', '.join(_KINDS)}.")

    def test_it_goes_by_the_time_it_is_given(self) -> None:
        """It looks at no clock of its own."""
        source = self.make()
        for now in (_NOW, _NOW + 1):
            found = source.fetch(now).fetched_at
            require(found == now, f"It says that it was asked at {found}: it was told that it is {now}.")

    def test_what_it_cannot_say_it_does_not_guess(self) -> None:
        """Without a good answer there is no rate, and one kind of error."""
        for source in self.broken():
            try:
                rate = source.fetch(_NOW)
            except RateUnavailable:
                continue
            require(False, f"Without a good answer it gave {rate.rate}: it must raise RateUnavailable.")  # noqa: FBT003  # the verdict
