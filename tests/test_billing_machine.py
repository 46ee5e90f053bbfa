"""Any sequence of operations against a small model of what the books should say.

A run is small and always the same; the full size, or ``AI_ADDONS_TEST_EXAMPLES``, asks
for many fresh ones, which are made as small as possible where they fail.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from ai_addons.billing.charging import charge
from ai_addons.billing.limiting import Limits
from ai_addons.billing.records import Booked, CallIdentity, Finished, Hold
from ai_addons.errors import InsufficientCreditsError
from ai_addons.events import WalletEvent
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.books import FAILED, OK, Books, kept_in
from tests.machine_model import Model
from tests.machine_shop import CREDIT, DAY, PAUSE, SECOND, TRIAL, Call, Grant, Refused, Shop
from tests.machine_tables import expected, found
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.stateful import MultipleResults

    from ai_addons.events import Event

EXAMPLES: Final = int(os.environ.get("AI_ADDONS_TEST_EXAMPLES", "2000" if FULL else "0"))
SHOPS: Final = st.sampled_from(["biz_7", "biz_7", "biz_7", "biz_8"])
AMOUNTS: Final = st.sampled_from([1, 333_333, 3 * CREDIT, 8 * CREDIT, 9 * CREDIT, 30 * CREDIT])
KEYS: Final = st.sampled_from([None, None, None, "sale-1", "sale-2"])
REFS: Final = st.sampled_from(["a", "b", "c", "d", "e", "f"])
FEATURES: Final = st.sampled_from(["menu_idea", "product_description"])
USERS: Final = st.sampled_from([None, "u_1", "u_2"])
SOURCES: Final = st.sampled_from(["purchase", "bonus", "promo"])
AWAY: Final = st.sampled_from([None, -DAY, SECOND, 100 * SECOND, DAY, 20 * DAY])
STEPS: Final = st.sampled_from([1, SECOND, 60 * SECOND, 120 * SECOND, DAY, 8 * DAY, 31 * DAY, 31 * DAY, 100 * DAY])
# The last days of a month, one of them in a leap year, and an ordinary evening.
STARTS: Final = st.sampled_from([1_790_000_000_000_001, 1_832_975_999_999_999, 1_801_180_800_000_000])


@dataclass(frozen=True)
class Held:
    """A hold as the books gave it out, and the model's own."""

    shop: str
    real: Hold
    place: int


def _credits(micro: int) -> Credits:
    return Credits.from_micro(micro)


class Numbered:
    """Ids that sort by time, and at one instant by who came first."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, now: int) -> str:
        """The next id."""
        self._count += 1
        return f"{now:020d}-{self._count:06d}"


class BooksMachine(RuleBasedStateMachine):
    """Two businesses, two keys, a clock that only the machine moves."""

    holds: Bundle[Held] = Bundle("holds")

    @initialize(target=holds, now=STARTS, policy=st.sampled_from(["hybrid", "hybrid", "prepaid"]), rich=st.booleans())
    def open(self, now: int, policy: str, rich: bool) -> MultipleResults[Held]:
        """Start with empty books, or with all there is to buy and two calls in progress."""
        self.told: list[tuple[str, str]] = []
        self.clock = ManualClock(now)
        self.books = Books("0", policy=policy, clock=self.clock, hooks=(self._hear,))
        self.books.opened._ids = Numbered()
        self.limits = Limits(self.books.opened)
        self.model = Model(now, policy)
        if not rich:
            return multiple()
        self.buy("biz_7", "a")
        self.subscribe("biz_7", paid=True)
        held = [self.hold("biz_7", key, 8 * CREDIT, "menu_idea", "u_1") for key in ("sale-1", None)]
        return multiple(*[one for one in held if isinstance(one, Held)])

    def _hear(self, event: Event, /) -> None:
        if isinstance(event, WalletEvent):
            self.told.append((event.topic, event.business))

    def both(self, shop: str, expect: Callable[[Shop], Any], real: Callable[[], Any], **options: Any) -> Any:
        """Do it in the model and in the books; None where both refuse, else what either says."""
        try:
            said = self.model.on(shop, expect, **options)
        except Refused as refused:
            self._refused(refused, real)
            return None
        return said, real()

    @staticmethod
    def _refused(refused: Refused, real: Callable[[], Any]) -> None:
        with pytest.raises(refused.error) as caught:
            real()
        assert type(caught.value) is refused.error
        if refused.available is not None:
            assert isinstance(caught.value, InsufficientCreditsError)
            assert caught.value.available == _credits(refused.available)

    def in_both(self, shop: str, expect: Callable[[Shop], bool], real: Callable[[], Any], **options: Any) -> None:
        """The same for what can be repeated: the books say so, and what is available afterwards."""
        result = self.both(shop, expect, real, **options)
        if result is not None:
            replayed, booking = result
            assert booking.replayed == replayed
            assert booking.balance == _credits(self.model.shops[shop].available)

    # Credits in and out.

    @rule(
        shop=SHOPS,
        ref=REFS,
        amount=AMOUNTS,
        source=SOURCES,
        begins=AWAY,
        ends=AWAY,
        only=st.booleans(),
        first=st.booleans(),
    )
    def grant(
        self,
        shop: str,
        ref: str,
        amount: int,
        source: Any,
        begins: int | None,
        ends: int | None,
        only: bool,
        first: bool,
    ) -> None:
        """Give credits: at once or later, for ever or not, for all features or one; perhaps again."""
        terms: dict[str, Any] = {
            "paid": amount * 4 // 5 if source == "purchase" else 0,
            "features": ("menu_idea",) if only else None,
            "priority": 5 if first else None,
        }
        start = None if begins is None else self.clock.now() + begins
        end = None if ends is None else self.clock.now() + ends
        self.in_both(
            shop,
            lambda s: self.model.grant(s, Grant(source, ref, amount, ends=end, **terms), start),
            lambda: self.books.funding.grant(
                shop, _credits(amount), source=source, ref=ref, effective_at=start, expires_at=end, **terms
            ),
        )

    @rule(shop=SHOPS, ref=REFS)
    def buy(self, shop: str, ref: str) -> None:
        """Buy a pack, perhaps twice."""
        self.in_both(
            shop,
            lambda s: self.model.grant(s, Grant("purchase", f"order-{ref}", 30 * CREDIT, paid=30_000_000), None),
            lambda: self.books.funding.grant(shop, Credits(30), source="purchase", ref=f"order-{ref}", paid=30_000_000),
        )

    @rule(shop=SHOPS, claims=st.sets(st.sampled_from(["phone", "tax", "card"]), min_size=1))
    def trial(self, shop: str, claims: set[str]) -> None:
        """Claim the trial."""
        self.in_both(
            shop,
            lambda s: self.model.trial(s, sorted(claims)),
            lambda: self.books.funding.claim_trial(shop, _credits(TRIAL), dict.fromkeys(claims, "phone")),
        )

    @rule(shop=SHOPS, ref=REFS, amount=AMOUNTS, sign=st.sampled_from([1, -1]), at=AWAY)
    def adjust(self, shop: str, ref: str, amount: int, sign: int, at: int | None) -> None:
        """Give or take by hand."""
        when = None if at is None else self.clock.now() - abs(at)
        self.in_both(
            shop,
            lambda s: self.model.adjust(s, sign * amount, ref, when),
            lambda: self.books.funding.adjust(
                shop, _credits(sign * amount), ref=ref, actor="ama", reason="test", effective_at=when
            ),
        )

    @rule(shop=SHOPS, back=st.integers(0, 5))
    def reverse(self, shop: str, back: int) -> None:
        """Undo one of the last rows of the ledger, or one that is not there yet."""
        known = self.model.shops.get(shop)
        seq = max(1, (len(known.ledger) if known else 0) + 1 - back)
        self.in_both(
            shop,
            lambda s: self.model.reverse(s, seq),
            lambda: self.books.funding.reverse(shop, seq, actor="ama", reason="test"),
        )

    # Calls.

    def _call(self, shop: str, key: str | None, feature: str, user: str | None) -> CallIdentity:
        return self.books.call(key, business=shop, feature=feature, user=user)

    @rule(target=holds, shop=SHOPS, key=KEYS, amount=AMOUNTS, feature=FEATURES, user=USERS)
    def hold(
        self, shop: str, key: str | None, amount: int, feature: str, user: str | None
    ) -> Held | MultipleResults[Held]:
        """Ask for credits, under a key or not."""
        call = self._call(shop, key, feature, user)
        mine = Call(call.id, 0, amount, feature, user, "new")
        result = self.both(
            shop,
            lambda s: self.model.hold(s, mine),
            lambda: self.books.store.hold(call, _credits(amount)),
            make=False,
            without=lambda s: self.model.hold(s, mine),
        )
        if result is None:
            return multiple()
        finished, real = result
        if finished is not None:
            assert isinstance(real, Finished)
            assert real.charged == _credits(finished)
            return multiple()
        assert isinstance(real, Hold)
        assert (real.attempt, real.expires_at) == (mine.attempt, mine.ends)
        return Held(shop, real, len(self.model.shops[shop].calls) - 1)

    @rule(
        held=holds,
        used=st.sampled_from([None, None, 0, 1, CREDIT, 9 * CREDIT]),
        overrun=st.sampled_from(["cap", "reject", "overflow"]),
    )
    def capture(self, held: Held, used: int | None, overrun: Any) -> None:
        """Charge a call: in full, in part, more than held; in time, late, or again."""
        wanted = held.real.amount if used is None else _credits(used)
        self._end(
            held,
            lambda s: self.model.capture(s, s.calls[held.place], wanted.micro, overrun),
            lambda: self.books.store.capture(held.real, OK, used=wanted, overrun=overrun),
        )

    @rule(held=holds)
    def void(self, held: Held) -> None:
        """Give credits back: in time, late, or in vain."""
        self._end(
            held,
            lambda s: self.model.void(s, s.calls[held.place]),
            lambda: self.books.store.void(held.real, FAILED),
        )

    def _end(self, held: Held, expect: Callable[[Shop], int], real: Callable[[], Booked]) -> None:
        result = self.both(held.shop, expect, real, due=False)
        if result is not None:
            charged, booked = result
            assert booked.charged == _credits(charged)
            assert booked.balance == _credits(self.model.shops[held.shop].available)

    @rule(held=holds, off=st.sampled_from([-1, 0, 0, 1]), swept=st.booleans())
    def wait_for_its_end(self, held: Held, off: int, swept: bool) -> None:
        """Let a hold come to its expiry, or to a microsecond beside it; somebody looks at it then, or not."""
        self._wait(self.model.shops[held.shop].calls[held.place].ends + off)
        if swept:
            self.sweep()

    @rule(held=holds)
    def renew(self, held: Held) -> None:
        """Keep a hold alive, if it still is."""
        result = self.both(
            held.shop,
            lambda s: self.model.renew(s, s.calls[held.place]),
            lambda: self.books.store.renew(held.real),
        )
        assert result is None or result[1].expires_at == result[0]

    @rule(shop=SHOPS, key=KEYS, feature=FEATURES, user=USERS, well=st.booleans())
    def record(self, shop: str, key: str | None, feature: str, user: str | None, well: bool) -> None:
        """Log a free answer or a free failure."""
        call = self._call(shop, key, feature, user)
        mine = Call(call.id, 0, 0, feature, user, "free", outcome="ok" if well else "failed")
        self.both(
            shop,
            lambda s: self.model.record(s, mine),
            lambda: self.books.store.record(call, OK if well else FAILED),
        )

    @rule(shop=SHOPS, key=KEYS, amount=AMOUNTS, feature=FEATURES, user=USERS)
    def charge(self, shop: str, key: str | None, amount: int, feature: str, user: str | None) -> None:
        """Charge for work that is done already."""
        call = self._call(shop, key, feature, user)
        mine = Call(call.id, 0, amount, feature, user, "new")
        result = self.both(
            shop,
            lambda s: self.model.charge(s, mine),
            lambda: charge(self.books.opened, call, _credits(amount), OK),
            make=False,
            without=lambda s: self.model.charge(s, mine),
        )
        assert result is None or result[1].charged == _credits(result[0])

    # The add-on.

    @rule(shop=SHOPS, paid=st.sampled_from([True, True, False]))
    def subscribe(self, shop: str, paid: bool) -> None:
        """Take the add-on."""
        self.in_both(
            shop,
            lambda s: self.model.subscribe(s, paid=paid),
            lambda: self.books.subscriptions.subscribe(shop, paid=paid),
        )

    def _has_addon(self) -> bool:
        return any(shop.subs for shop in self.model.shops.values())

    @precondition(_has_addon)
    @rule(shop=SHOPS, period=st.sampled_from([None, None, None, None, 0, 1, 2]))
    def pay(self, shop: str, period: int | None) -> None:
        """Pay a month."""
        self.in_both(
            shop,
            lambda s: self.model.pay(s, period),
            lambda: self.books.subscriptions.pay(shop, period=period),
        )

    @precondition(_has_addon)
    @rule(shop=SHOPS, way=st.sampled_from(["cancel", "cancel", "end", "resume", "resume"]))
    def stop(self, shop: str, way: str) -> None:
        """Cancel, at once or at the end, or go on after all."""
        subscriptions = self.books.subscriptions
        if way == "resume":
            self.both(shop, self.model.resume, lambda: subscriptions.resume(shop))
            return
        self.both(
            shop,
            lambda s: self.model.cancel(s, immediate=way == "end"),
            lambda: subscriptions.cancel(shop, immediate=way == "end"),
        )

    # Operators.

    @rule(
        shop=SHOPS,
        to=st.sampled_from([None, "prepaid", "hybrid", "hybrid", "active", "active", "active", "suspended", "closed"]),
    )
    def decide(self, shop: str, to: Any) -> None:
        """Sell by another policy, suspend a shop, or let it go on."""
        if to in (None, "prepaid", "hybrid"):
            self.both(
                shop,
                lambda s: self.model.set_policy(s, to),
                lambda: self.books.operations.set_policy(shop, to, actor="ama"),
            )
            return
        self.both(
            shop,
            lambda s: setattr(s, "status", to),
            lambda: self.books.operations.set_status(shop, to, actor="ama", reason="test"),
        )

    @rule(
        scope=st.sampled_from(["operator", "business", "user", "feature"]),
        window=st.sampled_from(["day", "month"]),
        amount=st.sampled_from([None, 5 * CREDIT, 20 * CREDIT, 100 * CREDIT]),
        shop=st.sampled_from([None, "biz_7"]),
        user=st.sampled_from([None, "u_1"]),
        feature=st.sampled_from([None, "menu_idea"]),
    )
    def limit(
        self, scope: Any, window: Any, amount: int | None, shop: str | None, user: str | None, feature: str | None
    ) -> None:
        """Set a limit, or remove it."""
        business = None if scope == "operator" else shop
        key = {"user": user, "feature": feature}.get(scope)
        place = (business or "", scope, key or "", window)
        if amount is not None:
            self.limits.set(scope, window, _credits(amount), business=business, key=key, actor="ama")
            self.model.limits[place] = amount
        else:
            gone = self.limits.remove(scope, window, business=business, key=key, actor="ama")
            assert gone == (self.model.limits.pop(place, None) is not None)

    @rule(
        shop=st.sampled_from([None, "biz_7"]),
        feature=st.sampled_from([None, "menu_idea"]),
        on=st.sampled_from([True, False, False, False]),
    )
    def switch(self, shop: str | None, feature: str | None, on: bool) -> None:
        """Pull the kill switch, or release it."""
        scope = "feature" if feature else "business" if shop else "operator"
        place = (shop or "", scope, feature or "", PAUSE)
        if on:
            self.limits.pause(business=shop, feature=feature, actor="ama")
            self.model.limits[place] = 0
        else:
            pulled = self.limits.resume(business=shop, feature=feature, actor="ama")
            assert pulled == (self.model.limits.pop(place, None) is not None)

    @rule(shop=SHOPS, user=USERS)
    def erase(self, shop: str, user: str | None) -> None:
        """Forget a user, or all of them."""
        self.books.operations.erase(shop, user=user, actor="ama")
        self.model.erase(shop, user)

    # Time.

    def _wait(self, until: int) -> None:
        self.model.now = max(until, self.model.now)
        self.clock.set(self.model.now)

    @rule(step=STEPS)
    def wait(self, step: int) -> None:
        """Let time pass."""
        self._wait(self.model.now + step)

    @rule(shop=SHOPS, off=st.sampled_from([-1, 0, 0, 1]))
    def wait_for_the_next(self, shop: str, off: int) -> None:
        """Go to the very moment at which something will happen, or a microsecond beside it."""
        coming = [at for at in self.model.instants(shop) if at > self.model.now]
        self._wait(coming[0] + off if coming else self.model.now)

    @rule()
    def sweep(self) -> None:
        """Do what is due in all shops."""
        self.books.store.sweep()
        self.model.sweep()

    @rule(shop=SHOPS)
    def look(self, shop: str) -> None:
        """Read the wallet, which does what is due."""
        said = self.model.on(shop, lambda s: s, make=False, without=lambda s: s)
        wallet = self.books.store.wallet(shop)
        assert (wallet.posted.micro, wallet.held.micro) == (said.posted, said.held)
        assert wallet.low == (said.available < 10 * CREDIT)
        assert self.books.store.available(shop).micro == said.available
        for feature in ("menu_idea", "product_description"):
            pays = sum(g.free.micro for g in wallet.grants if g.may_pay(feature, self.clock.now()))
            assert pays == sum(part for _, part in said.spread(feature, 10**15, self.clock.now()))

    # What must hold after every step.

    @invariant()
    def the_books_are_sound(self) -> None:
        """The doctor finds nothing."""
        if hasattr(self, "books"):
            report = self.books.report()
            assert report.ok, report.findings

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        """Every row, to the last micro-credit."""
        if hasattr(self, "books"):
            shops = [shop for shop in self.model.shops.values() if shop.exists]
            real, wanted = found(self.books), {shop.name: expected(shop) for shop in shops}
            assert real.keys() == wanted.keys()
            for name, tables in wanted.items():
                for table, rows in tables.items():
                    assert real[name][table] == rows, f"{name}, {table}: {real[name][table]} is not {rows}"
            assert self.told == self.model.told
            counted = self.books.sql(
                "SELECT business_id, scope, key, per, starts_at, held, used FROM ai_limit_counters"
            )
            counters = {tuple(row[:5]): list(row[5:]) for row in counted}
            assert {key: sums for key, sums in counters.items() if any(sums)} == {
                key: sums for key, sums in self.model.counters.items() if any(sums)
            }

    def teardown(self) -> None:
        """Close the database."""
        if hasattr(self, "books"):
            self.books.close()


def _run(examples: int, steps: int) -> None:
    """Small and always the same, or as large as the knob says."""
    run(
        BooksMachine,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=steps,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            # To make a failure small takes minutes; the knob has them.
            phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(120 + 2 * EXAMPLES)
def test_books_follow_the_model() -> None:
    """Whatever is done to two wallets in whatever order, they hold what the model says, to the last row."""
    _run(40, 50)


@pytest.mark.timeout(120 + 5 * EXAMPLES)
def test_books_on_a_server_follow_the_model() -> None:
    """PostgreSQL keeps the same books."""
    with kept_in("postgresql"):
        _run(8, 40)
