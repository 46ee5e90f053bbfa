"""What time does in the reference model: expiries, months, add-ons, alerts."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ai_addons.errors import AddonConflict, AddonNotOffered
from tests.machine_shop import (
    ADDON,
    ADDON_PAID,
    CAP,
    DAY,
    FREE,
    GRACE,
    LOW,
    REMINDERS,
    Call,
    Grant,
    Place,
    Plan,
    Refused,
    Shop,
    Sub,
    month,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Clockwork:
    """All shops, what bounds them, a clock, and what it asks for: months, add-ons, expiries."""

    def __init__(self, now: int, policy: str) -> None:
        self.now, self.policy = now, policy
        self.shops: dict[str, Shop] = {}
        self.limits: dict[Place, int] = {}
        self.counters: dict[tuple[Any, ...], list[int]] = {}
        self.claims: set[str] = set()
        self.told: list[tuple[str, str]] = []
        self.known: dict[tuple[str, str], int] = {}
        self.count = 0

    def on(
        self, name: str, work: Callable[[Shop], Any], *, make: bool = True, due: bool = True, without: Any = None
    ) -> Any:
        """Do something in a shop as one transaction: refused, it never was."""
        before = deepcopy(self.__dict__)
        shop = self.shops.setdefault(name, Shop(name))
        try:
            if not shop.exists and not make and self.policy != "hybrid":
                return without(shop)
            if not shop.exists:
                shop.exists, shop.anchor = True, self.now
            posted, shop.bought = shop.posted, False
            if due:
                self.catch_up(shop)
            try:
                result = work(shop)
            except Refused as refused:
                if refused.keep:
                    self._watch(shop, posted)
                raise
            self._watch(shop, posted)
        except Refused as refused:
            if not refused.keep:
                self.__dict__.update(before)
            raise
        return result

    def _watch(self, shop: Shop, before: int) -> None:
        """Tell once when the level is crossed downwards."""
        posted = shop.posted
        if posted == before:
            return
        shop.armed = shop.armed or (shop.bought and posted > LOW) or 2 * posted >= 3 * LOW
        shop.fired = None if shop.bought else shop.fired
        if shop.armed and posted < LOW and (shop.fired is None or self.now - shop.fired >= DAY):
            shop.armed, shop.fired = False, self.now
            self.tell(shop, "wallet.low_balance", f"low:{len(shop.ledger)}")

    def tell(self, shop: Shop, topic: str, key: str) -> None:
        """Tell something once."""
        if (shop.name, key) not in self.known:
            self.known[shop.name, key] = self.now
            self.told.append((topic, shop.name))

    # Time.

    def catch_up(self, shop: Shop, but: Call | None = None) -> None:
        """Do everything whose time has come, one instant after the other; a call with an answer does not expire."""
        while True:
            plans = [plan for plan in (self._addon(shop), self._monthly(shop)) if plan]
            holds = [call for call in shop.open_holds() if call is not but]
            planned = sorted(shop.planned, key=lambda g: (g.begins, g.source, g.ref))
            instants = [p.at for p in plans] + [c.ends for c in holds[:1]] + [g.begins for g in planned[:1]]
            instants += [grant.ends for grant in shop.mortal() if grant.ends is not None]
            if not instants or min(instants) > self.now:
                return
            at = min(instants)
            if holds and holds[0].ends <= at:
                self.close(holds[0], "expired", 0)
                holds[0].outcome = "unknown"
                continue
            self._instant(shop, at, [plan for plan in plans if plan.at <= at], planned)

    def _instant(self, shop: Shop, at: int, plans: Sequence[Plan], planned: Sequence[Grant]) -> None:
        for plan in plans:
            for grant, part in plan.carry:
                grant.left -= part
                shop.enter("void", "wallet", "rollover", part, at)
        for grant in shop.mortal():
            if grant.ends is not None and grant.ends <= at:
                shop.enter("expire", "wallet", "breakage", grant.free, grant.ends)
                grant.left -= grant.free
        for plan in plans:
            plan.then()
        for grant in planned:
            if grant.begins <= at:
                shop.planned.remove(grant)
                self.receive(shop, grant, grant.begins)

    def instants(self, name: str) -> list[int]:
        """When something will happen to a shop."""
        shop = self.shops.get(name) or Shop(name)
        plans = [plan.at for plan in (self._addon(shop), self._monthly(shop)) if plan and shop.exists]
        ends = [grant.ends for grant in shop.mortal() if grant.ends is not None]
        return sorted({*plans, *ends, *(c.ends for c in shop.open_holds()), *(g.begins for g in shop.planned)})

    def _monthly(self, shop: Shop) -> Plan | None:
        """The next five free credits of the hybrid policy."""
        if (shop.policy or self.policy) != "hybrid":
            return None
        n = shop.period + 1
        at = month(shop.anchor, n)

        def then() -> None:
            shop.period = n
            self.give(shop, Grant("free_monthly", f"free:{n}", FREE, ends=month(shop.anchor, n + 1)), at)

        return Plan(at, then=then)

    def give(self, shop: Shop, grant: Grant, at: int) -> None:
        """Give something unless it was given before."""
        if not any((g.source, g.ref) == (grant.source, grant.ref) for g in shop.grants):
            self.receive(shop, grant, at)

    def receive(self, shop: Shop, grant: Grant, at: int, debit: str | None = None, born: int | None = None) -> None:
        """Take a grant in."""
        self.count += 1
        grant.left, grant.number = grant.amount, (at if born is None else born, self.count)
        shop.grants.append(grant)
        shop.bought = shop.bought or grant.paid > 0
        shop.lifetime_in += grant.amount if grant.source != "rollover" else 0
        shop.enter("grant", debit or f"issuance:{grant.source}", "wallet", grant.amount, at, grant)

    # The add-on.

    def _addon(self, shop: Shop) -> Plan | None:
        sub = shop.sub
        if sub is None or sub.state == "incomplete":
            return None
        late = self._late(shop, sub)
        if late or sub.state == "ended":
            return late
        work = self._lapse(shop, sub) if sub.state == "past_due" else self._boundary(shop, sub)
        if sub.state != "cancel_at_end" and sub.reminded < len(REMINDERS):
            at = sub.start(sub.paid_through + 1) + REMINDERS[sub.reminded]
            if at < work.at:
                return Plan(at, then=lambda: self._remind(shop, sub))
        return work

    def _remind(self, shop: Shop, sub: Sub) -> None:
        self.tell(shop, "addon.renewal_due", f"{sub.id}:{sub.paid_through + 1}:{sub.reminded}")
        sub.reminded += 1

    def _unused(self, shop: Shop, sub: Sub, at: int, room: int) -> list[tuple[Grant, int]]:
        """What the add-on's own grants have left at a period's end, add-on first, as far as there is room."""
        parts = []
        for grant in sorted(shop.grants, key=lambda g: (g.source, g.number)):
            own = grant.source in ("addon", "rollover") and grant.ref.startswith(f"{sub.id}:") and grant.ends == at
            part = min(grant.free, room) if own else 0
            room -= part
            parts += [(grant, part)] if part else []
        return parts

    def _release(self, shop: Shop, sub: Sub, ref: str, amount: int, paid: int, at: int) -> None:
        if amount:
            ends = sub.start(sub.period + 1)
            self.receive(shop, Grant("rollover", ref, amount, paid=paid, ends=ends), at, debit="rollover")

    def _give_period(self, shop: Shop, sub: Sub, at: int) -> None:
        ends = sub.start(sub.period + 1)
        self.give(shop, Grant("addon", f"{sub.id}:{sub.period}", ADDON, paid=ADDON_PAID, ends=ends), at)

    def _boundary(self, shop: Shop, sub: Sub) -> Plan:
        n = sub.period + 1
        at = sub.start(n)
        parts = self._unused(shop, sub, at, CAP)
        carried, paid = total(parts), sum(grant.worth(part) for grant, part in parts)

        def then() -> None:
            sub.period, sub.carried = n, carried
            if sub.paid_through < n and sub.state != "cancel_at_end":
                sub.state, sub.waiting, sub.waiting_paid = "past_due", carried, paid
                return
            self._release(shop, sub, f"{sub.id}:{n}", carried, paid, at)
            if sub.paid_through >= n:
                self._give_period(shop, sub, at)
            else:
                sub.state = "ended"

        return Plan(at, parts, then)

    def _late(self, shop: Shop, sub: Sub) -> Plan | None:
        """A share that a call pinned over the period's end came back."""
        if sub.period == sub.first or (sub.state == "ended" and sub.period <= sub.paid_through):
            return None
        at = sub.start(sub.period)
        parts = self._unused(shop, sub, at, CAP - sub.carried)
        amount, paid = total(parts), sum(grant.worth(part) for grant, part in parts)

        def then() -> None:
            before, sub.carried = sub.carried, sub.carried + amount
            if sub.state == "past_due":
                sub.waiting, sub.waiting_paid = sub.waiting + amount, sub.waiting_paid + paid
            else:
                self._release(shop, sub, f"{sub.id}:{sub.period}:{before}", amount, paid, at)

        return Plan(at, parts, then) if parts else None

    def _lapse(self, shop: Shop, sub: Sub, at: int | None = None) -> Plan:
        grace = min(sub.start(sub.period) + GRACE, sub.start(sub.period + 1)) if at is None else at

        def then() -> None:
            if sub.waiting:
                shop.enter("expire", "rollover", "breakage", sub.waiting, grace)
            sub.state, sub.period, sub.waiting, sub.waiting_paid = "ended", sub.period - 1, 0, 0

        return Plan(grace, then=then)

    def subscribe(self, shop: Shop, *, paid: bool) -> bool:
        """Take an add-on; whether it was there already."""
        if shop.sub and shop.sub.state == "incomplete" and paid:
            self.pay(shop, None)
            return False
        if shop.sub and shop.sub.state != "ended":
            return True
        if (shop.policy or self.policy) != "hybrid":
            raise Refused(AddonNotOffered)
        shop.subs.append(Sub(f"addon-{len(shop.subs)}", "incomplete", self.now))
        if paid:
            self.pay(shop, None)
        return False

    def pay(self, shop: Shop, period: int | None) -> bool:
        """Book a payment; whether it was booked before."""
        sub = shop.sub
        if sub is None:
            raise Refused(AddonNotOffered)
        n = sub.paid_through + 1
        if period is not None and period != n:
            if period > n:
                raise Refused(AddonConflict)
            return True
        sub.paid_through, sub.reminded = n, 0
        if sub.state == "past_due":
            self._release(shop, sub, f"{sub.id}:{n}", sub.waiting, sub.waiting_paid, self.now)
            self._give_period(shop, sub, self.now)
            sub.state, sub.waiting, sub.waiting_paid = "active", 0, 0
        elif sub.state in ("incomplete", "ended"):
            sub.state, sub.anchor, sub.first, sub.period, sub.carried = "active", self.now, n, n, 0
            self._give_period(shop, sub, self.now)
        self.catch_up(shop)
        return False

    def cancel(self, shop: Shop, *, immediate: bool) -> None:
        """Renew no more."""
        sub = shop.sub
        if sub is None:
            raise Refused(AddonNotOffered)
        if sub.state == "past_due":
            self._lapse(shop, sub, self.now).then()
        elif sub.state == "incomplete" or (immediate and sub.paid_through == sub.period):
            sub.state = "ended"
        elif sub.state == "active":
            sub.state = "cancel_at_end"
        self.catch_up(shop)

    def resume(self, shop: Shop) -> None:
        """Take a cancellation back."""
        if shop.sub is None:
            raise Refused(AddonNotOffered)
        if shop.sub.state != "cancel_at_end":
            raise Refused(AddonConflict)
        shop.sub.state = "active"
        self.catch_up(shop)

    # The end of a hold.

    def close(self, call: Call, state: str, used: int) -> None:
        """End an open hold: burn what was used of it, give the rest back."""
        call.state = state
        for counter in call.counted:
            self.counters[counter][0] -= call.amount
        for grant, share in sorted(call.shares, key=lambda pair: pair[0].burn):
            part = min(share, used)
            grant.held -= share
            used -= part
            self.burn(call, [(grant, part)])

    def burn(self, call: Call, shares: Sequence[tuple[Grant, int]]) -> None:
        for grant, part in shares:
            call.revenue += grant.worth(part)
            call.charged += part
            grant.left -= part
            call.used += [(grant, part)] if part else []
            for counter in call.counted:
                self.counters[counter][1] += part
