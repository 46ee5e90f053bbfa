"""Contracts of the ports: tests that any implementation passes, the built-in ones too.

Subclass the contract in a test module and say how to make yours; pytest finds its tests::

    class TestMyPolicy(PolicyContract):
        def make(self):
            return MyPolicy()
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final

from ai_addons.billing import months
from ai_addons.billing.grants import PRIORITY, Grant
from ai_addons.billing.policy import Account, Carry, Due, Forfeit, Give, Release, Tell
from ai_addons.money import Credits
from ai_addons.testing._recognizers import RecognizerContract
from ai_addons.testing.caches import CacheContract
from ai_addons.testing.gateways import GatewayContract
from ai_addons.testing.llms import LlmContract
from ai_addons.testing.maskers import MaskerContract
from ai_addons.testing.rates import RateContract
from ai_addons.testing.require import require as _require

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_addons.billing.policy import Policy

__all__ = [
    "CacheContract",
    "GatewayContract",
    "LlmContract",
    "MaskerContract",
    "PolicyContract",
    "RateContract",
    "RecognizerContract",
]

_DAY: Final = 86_400_000_000
_ANCHORS: Final = (1_801_386_000_000_000, 1_835_429_400_000_001)
"""31 January 2027, 09:00 and 29 February 2028, 09:30 and a microsecond, UTC."""
_ZONES: Final = ("Africa/Accra", "Europe/London")
_MONTHS: Final = 36
_MOST_AT_ONCE: Final = 100
_MOST_WORK: Final = 10_000
_NOTHING: Final = Credits(0)


class PolicyContract:
    """What every billing policy must keep; an `AssertionError` says in words what yours did wrong."""

    def make(self) -> Policy:
        """Your policy, made anew each time."""
        raise NotImplementedError

    def test_it_says_what_it_sells(self) -> None:
        """It has a name, a trial that takes nothing away, and an add-on on terms that can be kept."""
        policy = self.make()
        _require(bool(policy.name), "The policy has no name.")
        _require(policy.trial >= _NOTHING, f"The trial is {policy.trial} credits: it must not be below zero.")
        plan = policy.addon
        if plan is not None:
            sold = plan.price.minor > 0 and plan.credits > _NOTHING
            _require(sold, f"The add-on gives {plan.credits} credits for {plan.price}: both must be above zero.")
            kept = plan.rollover_cap >= _NOTHING and plan.grace_us >= 0
            _require(kept, "The add-on's rollover cap and grace must not be below zero.")

    def test_its_packs_are_cheapest_first(self) -> None:
        """Each pack has a type of its own, a price and credits; at most one is recommended."""
        packs = self.make().packs()
        for pack in packs:
            sold = pack.price.minor > 0 and pack.credits > _NOTHING
            _require(sold, f"Pack {pack.type} gives {pack.credits} credits for {pack.price}: both must be above zero.")
            fits = _NOTHING <= pack.bonus < pack.credits
            _require(fits, f"Pack {pack.type} has a bonus of {pack.bonus} in {pack.credits} credits.")
        for one, other in pairwise(packs):
            ordered = one.price.minor <= other.price.minor
            _require(ordered, f"Packs must stand cheapest first, but {one.type} comes before {other.type}.")
        twice = _twice(pack.type for pack in packs)
        _require(not twice, f"Two packs are called {twice}.")
        liked = [pack.type for pack in packs if pack.recommended]
        _require(len(liked) <= 1, f"At most one pack may be recommended, not {', '.join(liked)}.")

    def test_it_is_pure(self) -> None:
        """The same wallet gets the same answer, twice and from another instance."""
        policy, other = self.make(), self.make()
        for account in _accounts():
            answers = [asked.due(account) for asked in (policy, policy, other)]
            same = answers[0] == answers[1] == answers[2]
            _require(same, f"`due` gave different answers for one wallet: {answers}. It must depend on nothing else.")
        _require(policy.packs() == policy.packs() == other.packs(), "`packs` gave different answers.")

    def test_its_work_moves_on(self) -> None:
        """With the work done, what is due next lies later, or is the next of a list that ends."""
        for account in _accounts():
            _Walk(self.make(), account).visit(_end(account))

    def test_what_it_gives_can_be_booked(self) -> None:
        """Amounts are above zero, grants expire after they begin, and what is carried is given back."""
        for account in _accounts():
            for work in _work(self.make(), account):
                _require(work.subscription is None, "`due` changed a subscription, which is not a policy's business.")
                for task in work.tasks:
                    _check_task(task, work.at)
                taken = _sum(task.amount for task in work.tasks if isinstance(task, Carry))
                back = _sum(task.amount for task in work.tasks if isinstance(task, Release | Forfeit))
                _require(taken == back, f"Work at {work.at} carries {taken} credits and gives back {back}.")

    def test_its_references_are_unique(self) -> None:
        """Over 36 months no grant and no event repeats what makes it unique, so none gets lost."""
        for account in _accounts():
            tasks = [task for work in _work(self.make(), account) for task in work.tasks]
            refs = [f"{task.source} {task.ref!r}" for task in tasks if isinstance(task, Give)]
            refs += [f"rollover {task.ref!r}" for task in tasks if isinstance(task, Release)]
            refs += [f"lost {task.ref!r}" for task in tasks if isinstance(task, Forfeit)]
            refs += [f"{task.topic} {task.key!r}" for task in tasks if isinstance(task, Tell)]
            twice = _twice(refs)
            _require(not twice, f"Two tasks have one reference, {twice}: the second would never be booked.")

    def test_a_boundary_belongs_to_one_period(self) -> None:
        """Visited a microsecond before, at, again at and after each instant of work, it gives the same once."""
        for account in _accounts():
            instants = {work.at for work in _work(self.make(), account)}
            visits = sorted(at + shift for at in instants for shift in (-1, 0, 1))
            self._same(account, [visit for visit in visits for _ in range(2)], "just around its boundaries")

    def test_no_cron_is_needed(self) -> None:
        """A wallet left alone for three years gets what one gets that is visited each day."""
        for account in _accounts():
            self._same(account, range(account.anchor_at, _end(account), _DAY), "each day")

    def test_its_burn_order_is_total(self) -> None:
        """Any two grants have an order, always the same, so that no database decides which one pays."""
        policy, other = self.make(), self.make()
        keys = {grant.id: policy.burn_key(grant) for grant in _GRANTS}
        again = {grant.id: other.burn_key(grant) for grant in _GRANTS}
        _require(keys == again, "`burn_key` gave different keys for one grant.")
        try:
            order = sorted(keys, key=keys.__getitem__)
        except TypeError as error:
            msg = f"`burn_key` gave keys that cannot be compared: {error}."
            raise AssertionError(msg) from None
        for one, after in pairwise(order):
            _require(keys[one] < keys[after], f"Grants {one} and {after} have one burn key: add the grant's id to it.")

    def _same(self, account: Account, visits: Iterable[int], when: str) -> None:
        once, often = _work(self.make(), account), _Walk(self.make(), account)
        for visit in visits:
            often.visit(visit)
        often.visit(_end(account))
        _require(often.log == once, f"A wallet visited {when} got other work than one visited once, after three years.")


class _Walk:
    """A wallet that does what the policy asks for, each instant in turn, as the store would."""

    def __init__(self, policy: Policy, account: Account) -> None:
        self.account = account
        self.log = list[Due]()
        self._policy = policy
        self._at_once = 0

    def visit(self, until: int) -> None:
        """Do all that is due up to an instant."""
        while True:
            work = self._policy.due(self.account)
            ends = [grant.expires_at for grant in self.account.grants if grant.expires_at is not None]
            first = min(ends, default=until + 1)
            if work is not None and work.at <= min(first, until):
                self._do(work)
            elif first <= until:
                self._keep([grant for grant in self.account.grants if grant.expires_at != first])
            else:
                return

    def _do(self, work: Due) -> None:
        self._moved_on(work)
        grants = self.account.grants
        for task in work.tasks:
            if isinstance(task, Carry):
                grants = _without(grants, task)
        kept = [grant for grant in grants if grant.expires_at is None or work.at < grant.expires_at]
        given = [_grant(task, work.at) for task in work.tasks if isinstance(task, Give | Release)]
        self._keep([*kept, *given])
        if work.period is not None:
            self.account = replace(self.account, period=work.period)
        self.log.append(work)

    def _keep(self, grants: Sequence[Grant]) -> None:
        self.account = _holding(self.account, grants)

    def _moved_on(self, work: Due) -> None:
        before = self.log[-1].at if self.log else work.at
        _require(before <= work.at, f"Work at {before} was followed by earlier work, at {work.at}.")
        self._at_once = self._at_once + 1 if before == work.at else 0
        endless = self._at_once > _MOST_AT_ONCE or len(self.log) >= _MOST_WORK
        _require(not endless, f"`due` never comes to an end at {work.at}: does it look at `account.period`?")
        back = work.period is not None and work.period < self.account.period
        _require(not back, f"`period` went back from {self.account.period} to {work.period}.")


def _work(policy: Policy, account: Account) -> list[Due]:
    walk = _Walk(policy, account)
    walk.visit(_end(account))
    return walk.log


def _end(account: Account) -> int:
    return months.starts(account.anchor_at, account.tz, max(account.period, 0) + _MONTHS)


def _check_task(task: Give | Carry | Release | Forfeit | Tell, at: int) -> None:
    if isinstance(task, Tell):
        return
    _require(task.amount > _NOTHING, f"{task} moves nothing: amounts must be above zero.")
    if isinstance(task, Give | Release):
        alive = task.expires_at is None or at < task.expires_at
        _require(alive, f"{task} expires before it begins, at {at}.")
        _require(task.paid >= 0, f"{task} was paid with less than nothing.")


def _without(grants: Sequence[Grant], task: Carry) -> tuple[Grant, ...]:
    """The grants without what is carried away, in the order the task names them."""
    by_id, left = {grant.id: grant for grant in grants}, task.amount
    for grant_id in task.grants:
        _require(grant_id in by_id, f"{task} names {grant_id!r}, which is none of the wallet's grants.")
        part = min(by_id[grant_id].free, left)
        by_id[grant_id] = replace(by_id[grant_id], remaining=by_id[grant_id].remaining - part)
        left -= part
    _require(not left, f"{task} takes {left} credits more than are free in these grants.")
    return tuple(by_id.values())


def _grant(task: Give | Release, at: int) -> Grant:
    source = task.source if isinstance(task, Give) else "rollover"
    return replace(
        _GRANTS[0],
        id=f"{source}:{task.ref}",
        source=source,
        ref=task.ref,
        amount=task.amount,
        remaining=task.amount,
        priority=PRIORITY[source],
        paid=task.paid,
        effective_at=at,
        expires_at=task.expires_at,
    )


_PACK: Final = Grant(
    id="a",
    source="purchase",
    ref="order:1",
    amount=Credits(100),
    remaining=Credits(40),
    held=_NOTHING,
    priority=PRIORITY["purchase"],
    paid=80_000_000,
    effective_at=_ANCHORS[0],
    expires_at=None,
)
_GRANTS: Final = (
    _PACK,
    replace(_PACK, id="b", ref="order:2"),
    replace(_PACK, id="c", source="trial", ref="trial", priority=PRIORITY["trial"], paid=0),
    replace(_PACK, id="d", source="promo", ref="p:1", priority=PRIORITY["promo"], expires_at=_ANCHORS[1] + _DAY),
    replace(_PACK, id="e", source="promo", ref="p:2", priority=PRIORITY["promo"], expires_at=_ANCHORS[1] + _DAY),
    replace(_PACK, id="f", source="rollover", ref="s:1", priority=PRIORITY["rollover"], expires_at=_ANCHORS[1]),
    replace(_PACK, id="g", ref="order:3", held=Credits(15)),
)


def _accounts() -> list[Account]:
    """New and old wallets, empty and full, in zones with and without summer time."""
    empty = Account(
        business="contract",
        posted=_NOTHING,
        held=_NOTHING,
        grants=(),
        tz=_ZONES[0],
        anchor_at=_ANCHORS[0],
        period=-1,
    )
    return [
        replace(_holding(empty, grants), tz=tz, anchor_at=anchor, period=period)
        for anchor, tz, grants, period in product(_ANCHORS, _ZONES, ((), _GRANTS), (-1, 12))
    ]


def _holding(account: Account, grants: Sequence[Grant]) -> Account:
    """The account with these grants, those left out that hold nothing."""
    full = tuple(grant for grant in grants if grant.remaining)
    posted, held = _sum(grant.remaining for grant in full), _sum(grant.held for grant in full)
    return replace(account, grants=full, posted=posted, held=held)


def _sum(amounts: Iterable[Credits]) -> Credits:
    return sum(amounts, start=_NOTHING)


def _twice(names: Iterable[str]) -> str:
    """The first name that comes twice, empty for none."""
    return next((name for name, count in Counter(names).items() if count > 1), "")
