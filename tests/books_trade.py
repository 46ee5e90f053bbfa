"""A shop's whole trade, step by step: what the processes do that are killed, and what they say about it.

A step is plain data with all its references, so it can be told before it is done,
and done again by another process if nobody knows whether it was.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ai_addons.billing.charging import charge
from ai_addons.billing.limiting import Limits
from ai_addons.billing.records import CallIdentity, Finished, Hold
from ai_addons.errors import AddOnsError
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.books import DAY, FAILED, OK, SECOND, open_books

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from ai_addons.billing.sql import Database
    from tests.books import Opened

Step: TypeAlias = dict[str, Any]

_WAITS: Final = (0,) * 20 + (SECOND,) * 4 + (130 * SECOND, DAY, 9 * DAY)
"""Between two steps: mostly nothing, or a moment, longer than a hold lives, longer than a grace period."""


def identity(step: Step) -> CallIdentity:
    """The call of a step."""
    return CallIdentity(
        business=step["shop"],
        user=step.get("user"),
        id=step["key"],
        feature="menu_idea",
        request_hash="request",
        keyed=True,
    )


def hold_of(step: Step) -> Hold:
    """The hold that a step resolves."""
    return Hold(
        call=identity(step),
        attempt=step["attempt"],
        amount=Credits.from_micro(step["amount"]),
        expires_at=step["until"],
    )


class Trade:
    """Does steps on one database, by a clock that the steps carry along."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self.opened: Opened = open_books(database, self.clock, policy="hybrid")
        self._limits = Limits(self.opened.books)
        self._doing: dict[str, Callable[[Step], dict[str, Any]]] = {
            "grant": self._grant,
            "adjust": self._adjust,
            "hold": self._hold,
            "capture": self._capture,
            "void": self._void,
            "renew": self._renew,
            "charge": self._charge,
            "subscribe": self._subscribe,
            "pay": self._pay,
            "cancel": self._cancel,
            "reverse": self._reverse,
            "limit": self._limit,
            "policy": self._policy,
            "sweep": self._sweep,
        }

    def do(self, step: Step) -> dict[str, Any]:
        """What came of a step; a refusal is an answer too."""
        try:
            return self._doing[step["do"]](step)
        except AddOnsError as refused:
            return {"refused": refused.code}

    def _grant(self, step: Step) -> dict[str, Any]:
        amount = Credits.from_micro(step["amount"])
        booked = self.opened.funding.grant(
            step["shop"],
            amount,
            source=step["source"],
            ref=step["ref"],
            paid=amount.micro,
            effective_at=step["from"],
            expires_at=step["to"],
        )
        return {"replayed": booked.replayed}

    def _adjust(self, step: Step) -> dict[str, Any]:
        amount = Credits.from_micro(step["amount"])
        booked = self.opened.funding.adjust(step["shop"], amount, ref=step["ref"], actor="ama", reason=step["ref"])
        return {"replayed": booked.replayed}

    def _hold(self, step: Step) -> dict[str, Any]:
        held = self.opened.store.hold(identity(step), Credits.from_micro(step["amount"]))
        if isinstance(held, Finished):
            return {"charged": held.charged.micro}
        return {"attempt": held.attempt, "until": held.expires_at}

    def _capture(self, step: Step) -> dict[str, Any]:
        used = Credits.from_micro(step["used"])
        booked = self.opened.store.capture(hold_of(step), OK, used=used, overrun=step["overrun"])
        return {"charged": booked.charged.micro}

    def _void(self, step: Step) -> dict[str, Any]:
        return {"charged": self.opened.store.void(hold_of(step), FAILED).charged.micro}

    def _renew(self, step: Step) -> dict[str, Any]:
        return {"until": self.opened.store.renew(hold_of(step)).expires_at}

    def _charge(self, step: Step) -> dict[str, Any]:
        booked = charge(self.opened.books, identity(step), Credits.from_micro(step["amount"]), OK)
        return {"charged": booked.charged.micro}

    def _subscribe(self, step: Step) -> dict[str, Any]:
        return {"id": self.opened.subscriptions.subscribe(step["shop"], paid=True).subscription.id}

    def _pay(self, step: Step) -> dict[str, Any]:
        paid = self.opened.subscriptions.pay(step["shop"], period=step["period"])
        return {"id": paid.subscription.id, "paid_through": paid.subscription.paid_through}

    def _cancel(self, step: Step) -> dict[str, Any]:
        return {"state": self.opened.subscriptions.cancel(step["shop"], immediate=step["immediate"]).subscription.state}

    def _reverse(self, step: Step) -> dict[str, Any]:
        booked = self.opened.funding.reverse(step["shop"], step["seq"], actor="ama", reason="test")
        return {"replayed": booked.replayed}

    def _limit(self, step: Step) -> dict[str, Any]:
        self._limits.set("user", "day", step["amount"], business=step["shop"], key=step["ref"], actor="ama")
        return {}

    def _policy(self, step: Step) -> dict[str, Any]:
        return {"policy": self.opened.operations.set_policy(step["shop"], step["policy"], actor="ama").policy}

    def _sweep(self, step: Step) -> dict[str, Any]:
        del step
        return {"swept": self.opened.store.sweep()}


class Dice:
    """Makes up one step after the other."""

    def __init__(self, shop: str, name: str, dice: random.Random) -> None:
        self._shop, self._name, self._dice = shop, name, dice
        self._count = 0
        self._held: list[Step] = []
        self._month = 0

    def next(self, now: int) -> Step:
        """The next step; every reference in it is new."""
        self._count += 1
        kinds = [
            "grant",
            "adjust",
            "charge",
            "hold",
            "hold",
            "hold",
            "hold",
            "subscribe",
            "pay",
            "reverse",
            "limit",
            "sweep",
        ]
        kinds += ["capture"] * 3 + ["void", "renew", "cancel", "policy"] if self._held else []
        kind = self._dice.choice(kinds)
        step = {"do": kind, "shop": self._shop, "at": now, "ref": f"{self._name}-{self._count}"}
        return step | self._facts(kind, now)

    def learn(self, step: Step, result: dict[str, Any]) -> None:
        """Remember what can be gone on with."""
        if step["do"] == "hold" and "attempt" in result:
            self._held.append(step | result)
        self._month = result.get("paid_through", self._month)

    def _facts(self, kind: str, now: int) -> Step:
        dice, key = self._dice, f"{self._name}-{self._count}"
        if kind == "grant":
            begins, lives = dice.choice([None, None, now + DAY]), dice.choice([None, 3 * DAY, 20 * DAY])
            source = dice.choice(["purchase", "promo", "bonus"])
            ends = None if lives is None else now + lives
            return {"amount": dice.randint(1, 9 * SECOND), "source": source, "from": begins, "to": ends}
        if kind in ("adjust", "charge", "hold"):
            sign = dice.choice([1, -1]) if kind == "adjust" else 1
            return {"amount": sign * dice.randint(1, 2 * SECOND), "key": key, "user": dice.choice(["u_1", "u_2", None])}
        if kind in ("capture", "void", "renew"):
            # Any of the last: open, resolved or expired.
            held = dice.choice(self._held[-4:])
            used = dice.choice([held["amount"], held["amount"] // 2, 0, held["amount"] * 2])
            overrun = dice.choice(["cap", "reject", "overflow"])
            return {name: held[name] for name in ("amount", "key", "user", "attempt", "until")} | {
                "used": used,
                "overrun": overrun,
            }
        return {
            "period": self._month + 1,
            "seq": dice.randint(1, self._count + 5),
            "immediate": dice.random() < 0.5,  # either way
            "amount": dice.randint(1, 50),
            "policy": dice.choice(["hybrid", "hybrid", "prepaid"]),
        }


def trade(database: Database, dice: random.Random) -> None:
    """Trade until killed; each step is told before it is begun and after it is done.

    The first line read names the shop and the process, sets the clock, and may hold a
    step that another process began.
    """
    told = json.loads(sys.stdin.readline())
    work, steps = Trade(database), Dice(told["shop"], told["name"], dice)
    work.clock.set(told["now"])
    step = told["again"] or steps.next(told["now"])
    while True:
        _say({"begun": step})
        result = work.do(step)
        _say({"done": step, "result": result})
        steps.learn(step, result)
        work.clock.set(work.clock.now() + dice.choice(_WAITS))
        step = steps.next(work.clock.now())


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201  # tells the parent
