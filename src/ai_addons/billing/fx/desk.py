"""The desk that always knows a rate: the last good one, asked for off the path of any call.

A call takes what is known at once. Where it is time, that starts a thread, which looks
into the books and, as one host of all, asks the sources. Nothing waits for it but
`fresh_rate`, which a gateway asks before it charges in another currency.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons import plugins
from ai_addons.billing.fx import kept
from ai_addons.billing.fx.asking import Asked, ask, best
from ai_addons.billing.fx.base import day_at
from ai_addons.billing.fx.rules import age, rules_of
from ai_addons.billing.fx.sources import STATIC, static
from ai_addons.billing.operations import note
from ai_addons.errors import AddOnsError, BillingError, StaleRate
from ai_addons.events import OperatorAlert, RateChecked, emit, logger
from ai_addons.money import MICRO

if TYPE_CHECKING:
    from ai_addons.billing.books import Books
    from ai_addons.billing.fx.base import FxRate, RateSource
    from ai_addons.billing.records import Rate
    from ai_addons.billing.sql import Tx
    from ai_addons.clock import Clock
    from ai_addons.settings import FxSettings

LOOK: Final = 300.0
"""Seconds between two looks into the books, where another host may have kept a newer rate."""

_DAY: Final = 86_400 * MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class RateView:
    """What is known of the exchange rate, for an operator.

    Attributes:
        rate: The rate that costs are booked with.
        age_days: Days since its own day.
        stale: Whether it is too old to go by; one from the settings always is.
        old: Whether its age is worth a warning.
        sources: The sources of the settings, in order.
        waiting: Rates that were refused and wait for a word, each with the reason, the newest first.
    """

    rate: FxRate
    age_days: int
    stale: bool
    old: bool
    sources: tuple[str, ...]
    waiting: tuple[tuple[FxRate, str], ...] = ()


class RateDesk:
    """Knows the exchange rate of now.

    Args:
        books: The open books.
        clock: Measures how long ago it looked.
        fx: The settings.
    """

    def __init__(self, books: Books, *, clock: Clock, fx: FxSettings) -> None:
        self._books = books
        self._clock = clock
        self._fx = fx
        self._rules = rules_of(fx)
        self._static = static(fx)
        self._asks = any(name != STATIC for name in fx.sources)
        self._known: FxRate | None = None
        self._booked: tuple[FxRate | None, int, Rate] | None = None
        self._look_at = float("-inf")
        self._starting = (os.getpid(), threading.Lock())
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    # What a call needs.

    def booked(self, now: int) -> Rate:
        """The best known rate as it is written beside a cost; it waits for nothing.

        Args:
            now: UTC microseconds.
        """
        self.wake()
        # Asked for by every call; it only changes with the rate and with the day, by which a rate grows stale.
        known, day, noted = self._known, now // _DAY, self._booked
        if noted is None or noted[0] is not known or noted[1] != day:
            best = known if known is not None else self._static.fetch(now)
            noted = self._booked = known, day, self._rules.booked(best, now)
        return noted[2]

    def wake(self) -> None:
        """Let a thread look for a newer rate, if it is time and none does; with a static rate nothing happens."""
        if not self._asks or self._clock.monotonic() < self._look_at:
            return
        if self._starting[0] != os.getpid():
            # A child that was forked has none of its parent's threads, and its locks may never open.
            self._starting = (os.getpid(), threading.Lock())
        lock = self._starting[1]
        if lock.acquire(blocking=False):
            try:
                if self._thread is None or not self._thread.is_alive():
                    self._look_at = self._clock.monotonic() + LOOK
                    self._stop.clear()
                    self._thread = threading.Thread(target=self._look, name="ai_addons_rates", daemon=True)
                    self._thread.start()
            finally:
                lock.release()

    def close(self) -> None:
        """Let a thread that is asking end; it asks no further source."""
        self._stop.set()
        if self._thread is not None and self._starting[0] == os.getpid():
            self._thread.join()
        self._thread, self._look_at = None, float("-inf")

    # What gateways and operators need.

    def fresh_rate(self) -> FxRate:
        """A rate that may be charged by: from a source, and not stale. It asks the sources if it must.

        Raises:
            StaleRate: If there is none; nothing may be charged in another currency then.
            StoreUnavailable: If the books cannot be read.
        """
        rate = self._read()
        if self._asks and (rate is None or self._is_stale(rate)):
            self.refresh(force=True)
            rate = self._known
        if rate is None or self._is_stale(rate):
            raise StaleRate
        return rate

    def rate_to_charge(self) -> Rate:
        """`fresh_rate` as gateways take it, and as it is kept beside an attempt to pay.

        Raises:
            StaleRate: If there is none.
            StoreUnavailable: If the books cannot be read.
        """
        return self._rules.booked(self.fresh_rate(), self._clock.now())

    def refresh(self, *, force: bool = False) -> tuple[Asked, ...]:
        """Ask the sources, if it is time and no other host does; in the caller's own thread.

        Args:
            force: Whether to ask although it is not time yet.

        Returns:
            What came of each; nothing where nobody was asked.

        Raises:
            StoreUnavailable: If the books cannot be used.
            UnknownPlugin: If the settings name a source that is not installed.
        """
        if not self._asks:
            return ()
        sources = self._sources()

        def begin(tx: Tx) -> tuple[FxRate | None, int | None]:
            now = self._books.now(tx)
            return kept.last_good(tx), now if kept.claim(tx, now, force=force) else None

        self._known, now = self._books.database.write(begin)
        if now is None:
            return ()
        asked = ask(sources, self._rules, self._known, now, self._stop.is_set)
        self._books.database.write(lambda tx: self._keep(tx, asked))
        self._tell(asked, now)
        return asked

    def view(self) -> RateView:
        """What is known now, from the books.

        Raises:
            StoreUnavailable: If they cannot be read.
        """
        known, now = self._read(), self._books.about_now()
        # What waited longer than a rate may be old would be stale if it were confirmed.
        since = now - self._rules.stale_days * _DAY
        waits = self._books.database.read(lambda tx: kept.waiting(tx, since)) if self._asks else []
        rate = known if known is not None else self._static.fetch(now)
        today = day_at(now)
        return RateView(
            rate=rate,
            age_days=age(rate, today),
            stale=self._rules.is_stale(rate, today),
            old=self._rules.is_old(rate, today),
            sources=self._fx.sources,
            waiting=tuple(waits),
        )

    def check(self) -> None:
        """Make sure that every source of the settings is there; none is asked.

        Raises:
            UnknownPlugin: If one is not installed.
            ConfigError: If one lacks its key.
        """
        self._sources()

    def confirm(self, rate: str | Decimal, *, actor: str, reason: str) -> FxRate:
        """Take a rate that was refused, from now on; who and why is kept.

        Args:
            rate: The number itself, so that nobody confirms another one than was seen.
            actor: Who decided.
            reason: Why it is right.

        Raises:
            BillingError: If no such rate waits.
            ValueError: If it is no number, or without a name of who decided.
        """
        number, since = _number(rate), self._books.about_now() - self._rules.stale_days * _DAY

        def work(tx: Tx) -> FxRate:
            now = self._books.now(tx)
            found = next((one for one, _ in kept.waiting(tx, since) if one.rate == number), None)
            if found is None:
                msg = (
                    f"No rate of {number:f} waits to be confirmed, so nothing was changed or charged. "
                    "`ai-addons rates` shows those that do."
                )
                raise BillingError(msg)
            before = kept.last_good(tx)
            kept.confirm(tx, found, actor, now)
            detail = {
                "rate": f"{found.rate:f}",
                "source": found.source,
                "as_of": found.as_of.isoformat(),
                "before": None if before is None else f"{before.rate:f}",
                "reason": reason,
            }
            note(self._books, tx, now, actor, "confirm_rate", "", detail)
            return found

        self._known = self._books.database.write(work)
        return self._known

    # Inside.

    def _best(self, now: int) -> FxRate:
        return self._known if self._known is not None else self._static.fetch(now)

    def _read(self) -> FxRate | None:
        """The last good rate of the books; none with a static rate, whatever was kept before."""
        if self._asks:
            self._known = self._books.database.read(kept.last_good)
        return self._known

    def _is_stale(self, rate: FxRate) -> bool:
        return self._rules.is_stale(rate, day_at(self._books.about_now()))

    def _look(self) -> None:
        """One look, in a thread of its own; the next one mends what went wrong."""
        try:
            self._read()
            if not self._stop.is_set():
                self.refresh()
        except AddOnsError as error:
            logger.warning("exchange rates could not be looked up: %s", error)

    def _sources(self) -> list[tuple[str, RateSource]]:
        return [(name, plugins.load("rates", name)(self._fx)) for name in self._fx.sources if name != STATIC]

    def _keep(self, tx: Tx, asked: tuple[Asked, ...]) -> None:
        now, found = self._books.now(tx), best(asked)
        for one in asked:
            if one.rate is not None and one.rate.kind != STATIC and one.rate is not found:
                # Another one is better, so it is older news.
                kept.keep(tx, one.rate, one.fault, now - 1)
        if found is not None:
            kept.keep(tx, found, None, kept.next_place(tx, now))
        wait = kept.RETRY if found is None else round(self._fx.refresh.total_seconds() * MICRO)
        kept.end(tx, now + wait)
        self._known = kept.last_good(tx)

    def _tell(self, asked: tuple[Asked, ...], now: int) -> None:
        """Tell the hooks what came of it, and the operator what only he can mend."""
        hooks, today = self._books.terms.hooks, day_at(now)
        for one in asked:
            days = None if one.rate is None else age(one.rate, today)
            emit(hooks, RateChecked(source=one.source, outcome=one.outcome, age_days=days))
            if one.outcome == "refused":
                emit(hooks, OperatorAlert(code="rate_refused", detail=f"{one.source}: {one.fault}"))
        used = self._best(now)
        if self._rules.is_old(used, today):
            detail = f"{used.source}, {age(used, today)} days"
            emit(hooks, OperatorAlert(code="rate_old", detail=detail))


def _number(rate: str | Decimal) -> Decimal:
    """A rate as an operator typed it.

    Raises:
        ValueError: If it is no number.
    """
    try:
        return Decimal(rate)
    except ArithmeticError:
        msg = f"{rate!r} is no number; nothing was changed"
        raise ValueError(msg) from None
