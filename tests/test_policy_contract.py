"""The policies pass their contract, and the contract finds out those that must not pass."""

from __future__ import annotations

import runpy
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import plugins
from ai_addons.billing import addon
from ai_addons.billing.hybrid import HybridAddonPolicy
from ai_addons.billing.packs import ADDON
from ai_addons.billing.policy import Account, Carry, Due, Forfeit, Give, Release, Task, Tell
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.catalog import Pack
from ai_addons.errors import UnknownPlugin
from ai_addons.money import Credits, Money
from ai_addons.testing import contracts
from ai_addons.testing.contracts import PolicyContract
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.grants import BurnKey, Grant
    from ai_addons.billing.policy import AddonPlan, Policy

ROOT: Final = Path(__file__).parent.parent
EXAMPLE: Final = ROOT / "examples" / "pay_per_use.py"
PAGE: Final = ROOT / "docs" / "how-to" / "write-a-policy.md"
DAY: Final = 86_400_000_000
START: Final = 1_801_386_000_000_000
"""31 January 2027, 09:00 UTC."""
ONE: Final = Credits(1)
SOLD: Final = addon.begin(ADDON, id="s", business="biz", tz="Africa/Accra", now=START)
ACCOUNT: Final = Account(
    business="biz",
    posted=Credits(0),
    held=Credits(0),
    grants=(),
    tz="Africa/Accra",
    anchor_at=START,
    period=-1,
)


class TestPrepaid(PolicyContract):
    """The default policy."""

    def make(self) -> Policy:
        return PrepaidPolicy()


class TestHybrid(PolicyContract):
    """Free credits a month and an add-on."""

    def make(self) -> Policy:
        return HybridAddonPolicy()


class TestPayPerUse(PolicyContract):
    """The example, loaded as a host's settings would."""

    @pytest.fixture(autouse=True)
    def _beside_the_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(EXAMPLE.parent))

    def make(self) -> Policy:
        policy: Policy = plugins.load("policies", "pay_per_use:PayPerUse")()
        return policy


class Sound(HybridAddonPolicy):
    """A sound policy; each bad one below spoils one thing of it."""

    addon: AddonPlan | None = None

    def tasks(self, month: int, account: Account) -> tuple[Task, ...]:  # noqa: ARG002  # others below look at it
        """What a month gives."""
        return (Give(source="promo", ref=f"m:{month}", amount=ONE, expires_at=None),)

    def due(self, account: Account) -> Due | None:
        month = account.period + 1
        work = super().due(account)
        return work and replace(work, tasks=self.tasks(month, account))


class TopUp(Sound):
    """A policy that looks at the balance, and tells the owner."""

    def tasks(self, month: int, account: Account) -> tuple[Task, ...]:
        tell = Tell(topic="allowance", key=str(month))
        short = Credits(50) - account.posted
        return (tell, Give(source="promo", ref=str(month), amount=short, expires_at=None)) if short > ONE else (tell,)


class Roller(Sound):
    """A policy with a rollover of its own: half of a grant lives on, the rest is lost at once."""

    def tasks(self, month: int, account: Account) -> tuple[Task, ...]:
        old = [grant for grant in account.grants if grant.source == "promo" and grant.free > ONE]
        if not old:
            return super().tasks(month, account)
        return (
            Carry(grants=(old[0].id,), amount=old[0].free),
            Release(ref=str(month), amount=ONE, paid=0, expires_at=account.anchor_at + 9_000 * DAY),
            Forfeit(ref=str(month), amount=old[0].free - ONE),
        )


class Short(Sound):
    """A policy whose year has an end."""

    def due(self, account: Account) -> Due | None:
        return super().due(account) if account.period < 12 else None


def listing(length: int) -> type[Policy]:
    """A policy that gives a list of things at one instant, one after the other."""

    def due(_: Sound, account: Account) -> Due | None:
        month = account.period + 1
        ends = account.anchor_at + 1
        give = Give(source="promo", ref=str(month), amount=ONE, expires_at=ends)
        return Due(at=account.anchor_at, tasks=(give,), period=month) if month < length else None

    return spoilt(due=due)


def of(make: Callable[[], Policy]) -> PolicyContract:
    """The contract of a policy, as pytest would collect it."""
    contract = PolicyContract()
    contract.make = make  # type: ignore[method-assign]  # shorter than a class for each
    return contract


def spoilt(**members: Any) -> type[Policy]:
    """A policy that is sound but for these members."""
    return type("Spoilt", (Sound,), members)


@pytest.mark.parametrize("sound", [Sound, TopUp, Roller, Short, listing(100)])
def test_a_sound_policy_passes(sound: Callable[[], Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the contract does not forbid, it allows."""
    # Of the wallets that the policies above are shown, a share with each anchor, zone, stock and period in it.
    wallets = contracts._accounts()
    monkeypatch.setattr(contracts, "_accounts", lambda: wallets if FULL else wallets[::3])
    contract = of(sound)
    for name in dir(PolicyContract):
        if name.startswith("test_"):
            getattr(contract, name)()


def giving(*tasks: Task) -> Callable[[], Policy]:
    """A policy that asks for these tasks each month."""
    return spoilt(tasks=lambda *_: tasks)


def selling(*packs: Pack) -> Callable[[], Policy]:
    """A policy with these packs."""
    return spoilt(packs=lambda _: packs)


def moving(change: Callable[[Account, Due], Due]) -> Callable[[], Policy]:
    """A policy whose work is changed."""

    def due(self: Sound, account: Account) -> Due | None:
        work = Sound.due(self, account)
        return work and change(account, work)

    return spoilt(due=due)


def burning(key: Callable[[Grant], Any]) -> Callable[[], Policy]:
    """A policy with this burn order."""
    return spoilt(burn_key=lambda _, grant: key(grant))


def pack(kind: str = "P", price: int = 30, **facts: Any) -> Pack:
    """A pack for the price page."""
    return Pack(**{"type": kind, "price": Money(price), "credits": Credits(30), **facts})


def remembering() -> Policy:
    """A policy that counts how often it was asked."""
    asked = count()

    def tasks(_: Sound, month: int, __: Account) -> tuple[Task, ...]:
        return (Give(source="promo", ref=f"{month}", amount=Credits(next(asked) + 1), expires_at=None),)

    return spoilt(tasks=tasks)()


MADE = count()


def drifting() -> Policy:
    """A policy whose every instance is another."""
    bonus = Credits(next(MADE) + 1)
    tasks = (Give(source="promo", ref="1", amount=bonus, expires_at=None),)
    return spoilt(tasks=lambda *_: tasks, packs=lambda _: (pack(credits=bonus),))()


def wavering_packs() -> Policy:
    """A policy whose instances sell at another price each."""
    price = next(MADE) + 1
    return spoilt(packs=lambda _: (pack(price=price),))()


def wavering_order() -> Policy:
    """A policy whose instances burn in another order each."""
    sign = -1 if next(MADE) % 2 else 1

    def key(_: Sound, grant: Grant) -> BurnKey:
        return (False, sign * ord(grant.id), 0, grant.id)

    return spoilt(burn_key=key)()


def carry(amount: int, *, back: int, grant: str = "a", lost: int = 0) -> Callable[[], Policy]:
    """A policy that carries from a pack once."""

    def tasks(_: Sound, month: int, account: Account) -> tuple[Task, ...]:
        if not account.grants or any(grant.ref.startswith("carried") for grant in account.grants):
            return ()
        taken = Carry(grants=(grant,), amount=Credits(amount))
        released = Release(
            ref=f"carried:{month}", amount=Credits(back), paid=0, expires_at=account.anchor_at + 9_000 * DAY
        )
        return (taken, released, *([Forfeit(ref=f"{month}", amount=Credits(lost))] if lost else []))

    return spoilt(tasks=tasks)


def give(**facts: Any) -> Give:
    """A gift with one thing wrong."""
    return Give(**{"source": "promo", "ref": "r", "amount": ONE, "expires_at": None, **facts})


def by_month(make: Callable[[int], Task]) -> Callable[[], Policy]:
    """A policy with one task a month."""
    return spoilt(tasks=lambda _, month, __: (make(month),))


SELLS, PACKS = "test_it_says_what_it_sells", "test_its_packs_are_cheapest_first"
PURE, MOVES = "test_it_is_pure", "test_its_work_moves_on"
BOOKED, UNIQUE = "test_what_it_gives_can_be_booked", "test_its_references_are_unique"
BOUNDARY, CRON, BURNS = (
    "test_a_boundary_belongs_to_one_period",
    "test_no_cron_is_needed",
    "test_its_burn_order_is_total",
)
CHEAP, DEAR = pack("CHEAP", 10), pack("DEAR", 20)


@pytest.mark.parametrize(
    ("make", "test", "said"),
    [
        (spoilt(name=""), SELLS, "The policy has no name."),
        (spoilt(trial=Credits("-0.000001")), SELLS, "The trial is -0.000001 credits: it must not be below zero."),
        (
            spoilt(addon=replace(ADDON, price=Money(0))),
            SELLS,
            "The add-on gives 100.00 credits for GHS 0.00: both must be above zero.",
        ),
        (
            spoilt(addon=replace(ADDON, credits=Credits(0))),
            SELLS,
            "The add-on gives 0.00 credits for GHS 50.00: both must be above zero.",
        ),
        (
            spoilt(addon=replace(ADDON, rollover_cap=Credits("-0.000001"))),
            SELLS,
            "The add-on's rollover cap and grace must not be below zero.",
        ),
        (
            spoilt(addon=replace(ADDON, grace_us=-1)),
            SELLS,
            "The add-on's rollover cap and grace must not be below zero.",
        ),
        (selling(pack(price=0)), PACKS, "Pack P gives 30.00 credits for GHS 0.00: both must be above zero."),
        (selling(pack(credits=Credits(0))), PACKS, "Pack P gives 0.00 credits for GHS 30.00: both must be above zero."),
        (selling(pack(bonus=Credits(30))), PACKS, "Pack P has a bonus of 30.00 in 30.00 credits."),
        (selling(pack(bonus=Credits("-0.1"))), PACKS, "Pack P has a bonus of -0.10 in 30.00 credits."),
        (selling(DEAR, CHEAP), PACKS, "Packs must stand cheapest first, but DEAR comes before CHEAP."),
        (selling(CHEAP, DEAR, replace(DEAR)), PACKS, "Two packs are called DEAR."),
        (
            selling(replace(CHEAP, recommended=True), replace(DEAR, recommended=True)),
            PACKS,
            "At most one pack may be recommended, not CHEAP, DEAR.",
        ),
        (remembering, PURE, "`due` gave different answers for one wallet: [...]. It must depend on nothing else."),
        (drifting, PURE, "`due` gave different answers for one wallet: [...]. It must depend on nothing else."),
        (wavering_packs, PURE, "`packs` gave different answers."),
        (
            listing(101),
            MOVES,
            "`due` never comes to an end at 1801386000000000: does it look at `account.period`?",
        ),
        (
            moving(lambda _, work: replace(work, period=None)),
            MOVES,
            "`due` never comes to an end at 1801386000000000: does it look at `account.period`?",
        ),
        (
            moving(lambda account, work: replace(work, at=account.anchor_at + (work.period or 0), tasks=())),
            MOVES,
            "`due` never comes to an end at 1801386000010000: does it look at `account.period`?",
        ),
        (
            moving(lambda account, work: replace(work, at=account.anchor_at - (work.period or 0))),
            MOVES,
            "Work at 1801386000000000 was followed by earlier work, at 1801385999999999.",
        ),
        (moving(lambda _, work: replace(work, period=-2)), MOVES, "`period` went back from -1 to -2."),
        (
            moving(lambda _, work: replace(work, subscription=SOLD)),
            BOOKED,
            "`due` changed a subscription, which is not a policy's business.",
        ),
        (giving(give(amount=Credits(0))), BOOKED, "Give(...) moves nothing: amounts must be above zero."),
        (giving(give(amount=Credits("-0.1"))), BOOKED, "Give(...) moves nothing: amounts must be above zero."),
        (giving(give(paid=-1)), BOOKED, "Give(...) was paid with less than nothing."),
        (
            moving(lambda _, work: replace(work, tasks=(give(expires_at=work.at),))),
            BOOKED,
            "Give(...) expires before it begins, at 1801386000000000.",
        ),
        (carry(3, back=2), BOOKED, "Work at 1801386000000000 carries 3.00 credits and gives back 2.00."),
        (carry(3, back=2, lost=2), BOOKED, "Work at 1801386000000000 carries 3.00 credits and gives back 4.00."),
        (carry(41, back=41), BOOKED, "Carry(...) takes 1.00 credits more than are free in these grants."),
        (carry(26, back=26, grant="g"), BOOKED, "Carry(...) takes 1.00 credits more than are free in these grants."),
        (carry(1, back=1, grant="z"), BOOKED, "Carry(...) names 'z', which is none of the wallet's grants."),
        (
            giving(give(ref="mine")),
            UNIQUE,
            "Two tasks have one reference, promo 'mine': the second would never be booked.",
        ),
        (
            giving(Tell(topic="t", key="k")),
            UNIQUE,
            "Two tasks have one reference, t 'k': the second would never be booked.",
        ),
        (
            by_month(lambda _: Release(ref="r", amount=ONE, paid=0, expires_at=9**18)),
            UNIQUE,
            "Two tasks have one reference, rollover 'r': the second would never be booked.",
        ),
        (
            by_month(lambda _: Forfeit(ref="r", amount=ONE)),
            UNIQUE,
            "Two tasks have one reference, lost 'r': the second would never be booked.",
        ),
        (
            remembering,
            BOUNDARY,
            "A wallet visited just around its boundaries got other work than one visited once, after three years.",
        ),
        (
            remembering,
            CRON,
            "A wallet visited each day got other work than one visited once, after three years.",
        ),
        (wavering_order, BURNS, "`burn_key` gave different keys for one grant."),
        (
            burning(lambda grant: (grant.expires_at is None, 0, grant.priority, grant.source)),
            BURNS,
            "Grants d and e have one burn key: add the grant's id to it.",
        ),
        (
            burning(lambda grant: (grant.expires_at, grant.id)),
            BURNS,
            "`burn_key` gave keys that cannot be compared: '<' not supported between ...",
        ),
    ],
)
def test_a_bad_policy_is_told_in_words_what_it_does_wrong(make: Callable[[], Policy], test: str, said: str) -> None:
    """One fault each, found by the test that looks for it."""
    with pytest.raises(AssertionError) as failure:
        getattr(of(make), test)()
    got, (start, _, end) = str(failure.value), said.partition("...")
    assert got == said if "..." not in said else got.startswith(start) and got.endswith(end)


def test_carried_credits_up_to_the_last_free_one_may_be_moved() -> None:
    """The limit itself is allowed: 40 of 40 free, 25 of 40 with 15 held."""
    of(carry(40, back=40)).test_what_it_gives_can_be_booked()
    of(carry(25, back=20, lost=5, grant="g")).test_what_it_gives_can_be_booked()


def test_a_contract_without_a_policy_says_so() -> None:
    """Who forgets `make` is not told that all is well."""
    with pytest.raises(NotImplementedError):
        PolicyContract().test_it_is_pure()


# The example and its page


def test_the_example_runs_and_shows_a_year() -> None:
    """As a reader would try it."""
    done = subprocess.run([sys.executable, EXAMPLE], check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 12
    assert lines[:3] == [
        "2027-01-31 up to 200 credits",
        "2027-02-28 up to 200 credits",
        "2027-03-31 up to 200 credits",
    ]


def test_the_example_counts_the_price_of_what_is_used() -> None:
    """200 credits at GHS 0.80 are GHS 160: what is used of them is what the host bills."""
    policy = runpy.run_path(str(EXAMPLE))["PayPerUse"]()
    work = policy.due(replace(ACCOUNT, period=2))
    assert work == Due(
        at=START + 89 * DAY,
        tasks=(
            Give(
                source="adjustment",
                ref="use:3",
                amount=Credits(200),
                expires_at=START + 120 * DAY,
                paid=160_000_000,
            ),
        ),
        period=3,
    )


def test_the_page_shows_the_example_as_it_is() -> None:
    """The class on the page is the script's, word for word."""
    shown = PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    assert shown
    assert shown in EXAMPLE.read_text(encoding="utf-8")


# Plug-ins at a path


def test_a_hosts_own_policy_needs_no_entry_point() -> None:
    """`package.module:attribute` in the settings is loaded as it stands, dots in the attribute too."""
    assert plugins.load("policies", "ai_addons.billing.hybrid:HybridAddonPolicy") is HybridAddonPolicy
    packs = plugins.load("policies", "ai_addons.billing.hybrid:HybridAddonPolicy.packs")
    assert packs is HybridAddonPolicy.packs


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module:Policy", "No module named 'no_such_module'"),
        ("ai_addons.billing.hybrid:Nope", "module 'ai_addons.billing.hybrid' has no attribute 'Nope'"),
        ("ai_addons.billing.hybrid:", "module 'ai_addons.billing.hybrid' has no attribute ''"),
        (":Policy", "Empty module name"),
        (".hybrid:Policy", "the 'package' argument is required to perform a relative import for '.hybrid'"),
    ],
)
def test_a_path_with_nothing_there_says_why(path: str, reason: str) -> None:
    """A typing mistake in the settings is found with Python's own reason, and what to write instead."""
    with pytest.raises(UnknownPlugin) as unknown:
        plugins.load("policies", path)
    assert str(unknown.value) == (
        f"No plug-in for ai_addons.policies at {path!r}; nothing was charged. Python says: {reason}. "
        "Write it as package.module:attribute, importable where the host runs."
    )
    assert unknown.value.__cause__ is not None


@pytest.mark.parametrize(
    ("name", "hint"),
    [("prepayed", "Did you mean 'prepaid'?"), ("xyz", "Installed are: ")],
)
def test_a_name_without_a_colon_is_looked_up_among_the_installed(name: str, hint: str) -> None:
    """The known names are listed, or the nearest is suggested."""
    with pytest.raises(
        UnknownPlugin, match=rf"^No plug-in '{name}' in ai_addons.policies; nothing was charged. {hint}"
    ):
        plugins.load("policies", name)


def test_a_port_that_nobody_implements_says_none() -> None:
    """No plug-ins is an answer too."""
    with pytest.raises(UnknownPlugin, match=r"Installed are: none\.$"):
        plugins.load("nothing", "xyz")
    assert plugins.load_all("nothing") == ()


def test_the_installed_plug_ins_are_found_by_name() -> None:
    """The built-ins come in by the same door."""
    assert plugins.load("policies", "prepaid") is PrepaidPolicy
    assert len(plugins.load_all("llms")) >= 2
