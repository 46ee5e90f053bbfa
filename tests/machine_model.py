"""What is done to the books, done to a small reference model: credits in and out, calls, operators' decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_addons.errors import (
    BillingError,
    HoldExpired,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    LimitReached,
    Paused,
    TrialClaimed,
    WalletSuspended,
)
from tests.machine_shop import DAY, PAUSE, TRIAL, TTL, Call, Grant, Refused, Shop, month, total, window_start
from tests.machine_time import Clockwork

if TYPE_CHECKING:
    from collections.abc import Sequence


class Model(Clockwork):
    """All there is to do in the shops."""

    # Credits in and out by hand.

    def grant(self, shop: Shop, asked: Grant, begins: int | None) -> bool:
        """Give credits; whether they were given before."""
        for known in (*shop.grants, *shop.planned):
            if (known.source, known.ref) == (asked.source, asked.ref):
                terms = [(g.amount, g.paid, g.ends, g.features) for g in (known, asked)]
                if terms[0] != terms[1]:
                    raise Refused(IdempotencyConflict)
                return True
        asked.begins = self.now if begins is None else begins
        if asked.ends is not None and asked.ends <= max(asked.begins, self.now):
            raise Refused(ValueError)
        if asked.begins > self.now:
            shop.planned.append(asked)
        else:
            self.receive(shop, asked, self.now)
        return False

    def trial(self, shop: Shop, claims: Sequence[str]) -> bool:
        """Give the trial credits; whether they were given before."""
        if any(grant.source == "trial" for grant in shop.grants):
            return True
        if self.claims & set(claims):
            raise Refused(TrialClaimed)
        self.claims |= set(claims)
        self.receive(shop, Grant("trial", "trial", TRIAL), self.now)
        return False

    def adjust(self, shop: Shop, amount: int, ref: str, at: int | None) -> bool:
        """Give or take by hand; whether that was done before."""
        if ref in shop.adjusted:
            if shop.adjusted[ref] != amount:
                raise Refused(IdempotencyConflict)
            return True
        if shop.available < -amount:
            raise Refused(InsufficientCreditsError, available=shop.available)
        shop.adjusted[ref] = amount
        when = self.now if at is None else at
        if amount > 0:
            self.receive(shop, Grant("adjustment", ref, amount), when, born=self.now)
            return False
        left = -amount
        for grant in sorted(shop.grants, key=lambda g: g.burn):
            part = min(grant.free, left)
            grant.left, left = grant.left - part, left - part
        shop.enter("adjust", "wallet", "operator", -amount, when)
        return False

    def reverse(self, shop: Shop, seq: int) -> bool:
        """Undo a ledger row; whether it was undone before."""
        if not 0 < seq <= len(shop.ledger):
            raise Refused(BillingError)
        if seq in shop.undone:
            return True
        kind, debit, credit, amount, _ = shop.ledger[seq - 1]
        cause = shop.causes[seq - 1]
        if kind == "usage":
            self._uncharge(shop, cause)
            shop.lifetime_used -= amount
        elif kind == "grant" and debit != "rollover" and cause.free == cause.amount:
            cause.left, cause.void = 0, True
            shop.lifetime_in -= amount
        else:
            raise Refused(BillingError)
        shop.undone.add(seq)
        shop.enter("reverse", credit, debit, amount, self.now)
        self.catch_up(shop)
        return False

    def _uncharge(self, shop: Shop, key: str) -> None:
        for call in shop.calls:
            if call.key == key:
                for counter in call.counted if call.used else ():
                    self.counters[counter][1] -= total(call.used)
                for grant, part in call.used:
                    grant.left += part
                call.used, call.charged, call.revenue = [], 0, 0

    # Calls.

    def past(self, shop: Shop, key: str, *, keep: bool) -> tuple[int | None, int]:
        """What a finished call was charged, None if it never was; and how many attempts there were."""
        calls = [call for call in shop.calls if call.key == key]
        if any(call.forgotten for call in calls):
            raise Refused(IdempotencyConflict, keep=keep)
        done = [call.charged for call in calls if call.outcome == "ok"]
        return (max(done) if done else None), max((call.attempt for call in calls), default=-1)

    def hold(self, shop: Shop, call: Call) -> int | None:
        """Hold credits; what the call was charged if it finished before."""
        finished, attempts = self.past(shop, call.key, keep=True)
        if finished is not None:
            return finished
        if any(c.key == call.key and c.state == "open" for c in shop.calls):
            raise Refused(LedgerConflict, keep=True)
        if shop.exists and shop.status != "active":
            raise Refused(WalletSuspended, keep=True)
        if any(p[0] in ("", shop.name) and p[2] in ("", call.feature) and p[3] == PAUSE for p in self.limits):
            raise Refused(Paused, keep=True)
        shares = shop.spread(call.feature, call.amount, self.now)
        if total(shares) < call.amount:
            raise Refused(InsufficientCreditsError, keep=True, available=total(shares))
        call.counted = self._count(shop, call)
        call.attempt, call.state, call.ends, call.shares = max(attempts, 0) + 1, "open", self.now + TTL, shares
        for grant, part in shares:
            grant.held += part
        shop.calls.append(call)
        return None

    def _count(self, shop: Shop, call: Call) -> list[tuple[Any, ...]]:
        """Count a hold in every window that a limit bounds."""
        found: list[tuple[tuple[Any, ...], int]] = []
        for scope, key in (("operator", ""), ("business", ""), ("user", call.user), ("feature", call.feature)):
            business = "" if scope == "operator" else shop.name
            for window in ("day", "month"):
                places = [(b, scope, k, window) for b in (business, "") for k in (key, "") if key is not None]
                bounds = [self.limits[place] for place in places if place in self.limits]
                if bounds:
                    found.append(((business, scope, key, window, window_start(window, self.now)), bounds[0]))
        found.sort(key=lambda pair: (pair[0][1] == "operator", pair[0]))
        warned: list[tuple[Any, ...]] = []
        for counter, bound in found:
            before = sum(self.counters.get(counter, [0, 0]))
            if before + call.amount > bound:
                self.tell(shop, "limit.reached", f"reached:{counter}")
                raise Refused(LimitReached, keep=True)
            if before * 5 < bound * 4 <= (before + call.amount) * 5:
                warned.append(counter)
        for counter in warned:
            self.tell(shop, "limit.warning", f"warning:{counter}")
        for counter, _ in found:
            self.counters.setdefault(counter, [0, 0])[0] += call.amount
        return [counter for counter, _ in found]

    def _book(self, shop: Shop, call: Call, wanted: int) -> None:
        """Book what was paid, and what was not."""
        call.outcome = "ok"
        if call.charged:
            shop.lifetime_used += call.charged
            shop.enter("usage", "wallet", f"revenue:{call.feature}", call.charged, self.now, call.key)
        if wanted > call.charged:
            shop.enter("bad_debt", "bad_debt", f"revenue:{call.feature}", wanted - call.charged, self.now, call.key)

    def capture(self, shop: Shop, call: Call, wanted: int, overrun: str) -> int:
        """Charge a call; what it was charged, now or before."""
        if wanted > call.amount and overrun == "reject":
            return self.void(shop, call)
        # The rest is paid as a whole or owed, and only where that was agreed.
        held, more = min(wanted, call.amount), max(0, wanted - call.amount) if overrun == "overflow" else 0
        if call.state == "open":
            self.catch_up(shop, call)
            rest = shop.spread(call.feature, more, self.now)
            self.close(call, "captured", held)
            if total(rest) == more:
                self.burn(call, rest)
            self._book(shop, call, wanted)
        elif call.outcome == "failed":
            raise Refused(LedgerConflict)
        elif call.outcome == "unknown":
            self._capture_late(shop, call, wanted, [held + more, held])
        self.catch_up(shop)
        return call.charged

    def _capture_late(self, shop: Shop, call: Call, wanted: int, parts: Sequence[int]) -> None:
        """Charge a call whose hold had expired: the first of some amounts that is there as a whole."""
        newer = any(c.key == call.key and c.attempt > call.attempt and c.state != "free" for c in shop.calls)
        owed = any(row[0] == "bad_debt" and why == call.key for row, why in zip(shop.ledger, shop.causes, strict=True))
        call.outcome = "ok"
        if newer or owed:
            return
        self.catch_up(shop)
        found = [shop.spread(call.feature, part, self.now) for part in parts]
        paid = [shares for shares, part in zip(found, parts, strict=True) if total(shares) == part]
        self.burn(call, paid[0] if paid else [])
        self._book(shop, call, wanted)

    def void(self, shop: Shop, call: Call) -> int:
        """Give a hold back; what the call was charged if it was."""
        if call.state == "open":
            self.catch_up(shop, call)
            self.close(call, "void", 0)
            call.outcome = "failed"
        elif call.outcome == "unknown":
            call.outcome = "failed"
        self.catch_up(shop)
        return call.charged

    def renew(self, shop: Shop, call: Call) -> int:
        """Keep a hold alive; until when."""
        del shop
        if call.state != "open":
            raise Refused(HoldExpired, keep=True)
        call.ends = max(call.ends, self.now + TTL)
        return call.ends

    def record(self, shop: Shop, call: Call) -> None:
        """Log a call that held nothing."""
        _, attempts = self.past(shop, call.key, keep=False)
        call.attempt = attempts + 1
        shop.calls.append(call)

    def charge(self, shop: Shop, call: Call) -> int:
        """Hold and capture at once; what the call was charged, now or before."""
        finished = self.hold(shop, call)
        if finished is not None:
            return finished
        call.ends = self.now
        return self.capture(shop, call, call.amount, "cap")

    # Operators.

    def set_policy(self, shop: Shop, policy: str | None) -> None:
        """Sell by another policy."""
        if policy == shop.policy:
            return
        if (policy or self.policy) != (shop.policy or self.policy):
            shop.period = max(n for n in range(-1, 600) if month(shop.anchor, n) <= self.now) - 1
        shop.policy = policy
        self.catch_up(shop)

    def erase(self, name: str, user: str | None) -> None:
        """Forget who made the calls of a shop."""
        shop = self.shops.setdefault(name, Shop(name))
        for call in shop.calls:
            if call.state != "open" and (user is None or call.user == user):
                call.user, call.counted, call.forgotten = None, [], True
        self.limits = {
            place: amount
            for place, amount in self.limits.items()
            if not (place[0] == name and place[1] == "user" and place[2] and user in (None, place[2]))
        }
        self.counters = {
            counter: sums
            for counter, sums in self.counters.items()
            if not (counter[:2] == (name, "user") and not sums[0] and user in (None, counter[2]))
        }

    def sweep(self) -> None:
        """Do what is due everywhere, and forget what was told a month ago."""
        for name in sorted(self.shops):
            if self.shops[name].exists:
                self.on(name, lambda _: None)
        self.known = {key: at for key, at in self.known.items() if at >= self.now - 30 * DAY}
