"""What operators decide about a business: its policy, whether it may spend, whom to forget; and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from ai_addons.billing.charging import charge
from ai_addons.billing.doctor import DAILY_SUMS, examine, rebuild_usage
from ai_addons.billing.hybrid import HybridAddonPolicy
from ai_addons.billing.limiting import Limits
from ai_addons.billing.limits import Limit
from ai_addons.billing.policy import Carry, Due, Release
from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.records import Finished, WalletStatus
from ai_addons.errors import (
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    StoreUnavailable,
    UnknownPlugin,
    WalletSuspended,
)
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.addon_books import FEB, MAR, START, us
from tests.books import DAY, OK, Books, open_store
from tests.hands import at_once, examined

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.billing.policy import Account

pytestmark = pytest.mark.usefixtures("each_database")


def _at(now: int, since: int | None = None, **options: Any) -> dict[str, Any]:
    """Books at a time, of businesses that subscribed to the point of sale at another."""
    profile = BusinessProfile(subscribed_since=since)
    return {"clock": ManualClock(now), "profile": lambda _: profile} | options


def _free(books: Books) -> list[tuple[str, int, int]]:
    """Which free months were given, from when until when."""
    rows = books.sql(
        "SELECT source_ref, effective_at, expires_at FROM ai_credit_grants WHERE source = 'free_monthly' ORDER BY id"
    )
    return [tuple(row) for row in rows]


def _audit(books: Books) -> list[tuple[str, str, dict[str, object]]]:
    return [(entry.actor, entry.action, dict(entry.detail)) for entry in books.operations.audit("biz_7")]


# Policies.


def test_a_new_policy_gives_what_is_due_in_this_month(tmp_path: Path) -> None:
    """At once, for the rest of the running month; not for months gone by; the next month in its turn."""
    with examined(tmp_path, **_at(us("2027-05-15 12:00"), START)) as books:
        wallet = books.operations.set_policy("biz_7", "hybrid", actor="ama")
        assert (wallet.policy, wallet.posted) == ("hybrid", Credits(17))
        books.clock.set(us("2027-05-31 10:00"))
        assert books.balance() == ("17", "0")
        assert _free(books) == [
            ("free:3", us("2027-04-30 10:00"), us("2027-05-31 10:00")),
            ("free:4", us("2027-05-31 10:00"), us("2027-06-30 10:00")),
        ]
        assert _audit(books) == [("ama", "set_policy", {"from": None, "to": "hybrid"})]


def test_a_policy_set_again_changes_nothing(tmp_path: Path) -> None:
    """A button pressed by many at once sets it once, gives once, and is noted once."""
    with examined(tmp_path) as books:
        told = at_once(8, lambda _: books.operations.set_policy("biz_7", "hybrid", actor="ama").posted)
        assert told == [Credits(17)] * 8
        assert len(_audit(books)) == 1


def test_no_month_is_given_twice_by_going_back_and_forth(tmp_path: Path) -> None:
    """Away and back within a month: what was given stays, and nothing is added before the next month."""
    with examined(tmp_path, **_at(START)) as books:
        for policy in ("hybrid", "prepaid", "hybrid", None, "hybrid"):
            books.clock.advance(3_600)
            assert books.operations.set_policy("biz_7", policy, actor="ama").posted == Credits(17)
        assert len(_audit(books)) == 5
        books.clock.set(FEB)
        assert [ref for ref, *_ in _free(books)] == ["free:0"]
        assert books.balance() == ("17", "0")
        assert [ref for ref, *_ in _free(books)] == ["free:0", "free:1"]


def test_a_month_under_a_policy_without_free_credits_gives_none(tmp_path: Path) -> None:
    """Back on the old policy two months later, only the month it is in is given."""
    with examined(tmp_path, **_at(START, policy="hybrid")) as books:
        books.operations.set_policy("biz_7", "prepaid", actor="ama")
        books.clock.set(MAR + 1)
        assert books.balance() == ("12", "0")
        books.operations.set_policy("biz_7", None, actor="ama")
        assert [ref for ref, *_ in _free(books)] == ["free:0", "free:2"]
        assert books.balance() == ("17", "0")


def test_the_default_by_its_name_is_another_setting_and_the_same_policy(tmp_path: Path) -> None:
    """It is noted, for the default may change one day, and gives nothing new."""
    with examined(tmp_path, **_at(START, policy="hybrid")) as books:
        assert books.operations.set_policy("biz_7", "hybrid", actor="ama").posted == Credits(17)
        assert _audit(books) == [("ama", "set_policy", {"from": None, "to": "hybrid"})]
        assert books.sql("SELECT policy FROM business_ai_credits") == [("hybrid",)]


def test_a_policy_that_is_none_is_refused(tmp_path: Path) -> None:
    """Before anything is changed."""
    with examined(tmp_path) as books:
        with pytest.raises(UnknownPlugin):
            books.operations.set_policy("biz_7", "barter", actor="ama")
        assert (_audit(books), books.store.wallet("biz_7").policy) == ([], "prepaid")


def test_a_business_never_seen_can_be_put_under_a_policy(tmp_path: Path) -> None:
    """Its wallet is made for it."""
    with examined(tmp_path, "0") as books:
        assert books.operations.set_policy("biz_7", "hybrid", actor="ama").posted == Credits(5)
        assert books.store.wallet("biz_7").lifetime_in == Credits(5)


def test_a_refusal_offers_what_the_policy_of_the_business_sells(tmp_path: Path) -> None:
    """Two shops of one operator may be sold different packs."""
    with examined(tmp_path, "1") as books:
        books.operations.set_policy("biz_7", "hybrid", actor="ama")
        offers = list[list[str]]()
        for business in ("biz_7", "biz_8"):
            with pytest.raises(InsufficientCreditsError) as refused:
                books.store.hold(books.call(business=business), Credits(20))
            offers.append([offer.type for offer in refused.value.offers])
        assert offers == [["QUICK", "VALUE"], ["STARTER", "VALUE", "PRO"]]


class _NewestFirst(HybridAddonPolicy):
    """A policy whose bought credits pay before the free ones."""

    name = "newest_first"

    def burn_key(self, grant: Any) -> Any:
        """Bought before free."""
        return (grant.source != "purchase", 0, grant.priority, grant.id)


def test_a_policy_says_in_which_order_grants_pay(tmp_path: Path) -> None:
    """The store asks the wallet's own policy; holds, captures and what is shown agree."""
    with examined(tmp_path, "4", policy=_NewestFirst()) as books:
        assert [grant.source for grant in books.store.wallet("biz_7").grants] == ["purchase", "free_monthly"]
        books.store.capture(books.hold("6"), OK, used=Credits("4.5"))
        left = [(grant.source, grant.remaining) for grant in books.store.wallet("biz_7").grants]
        assert left == [("free_monthly", Credits("4.5"))]


class _Carrying(HybridAddonPolicy):
    """A policy of the host's own: three of two grants that end live on, once."""

    name = "carrying"

    def due(self, account: Account) -> Due | None:
        """Carry from what ends first."""
        ending = sorted((g.ref, g.id, g.expires_at) for g in account.grants if g.source == "promo")
        if not ending or account.period >= 0:
            return None
        at = ending[0][2]
        assert at is not None
        kept = Carry(grants=tuple(id_ for _, id_, _ in ending), amount=Credits(3))
        return Due(at=at, period=0, tasks=(kept, Release(ref="kept", amount=Credits(3), paid=0, expires_at=at + DAY)))


@pytest.mark.parametrize(
    ("amounts", "taken"), [(("3", "4"), [("p-0", "3")]), (("2", "4"), [("p-0", "2"), ("p-1", "1")])]
)
def test_a_policy_may_carry_from_several_grants(
    tmp_path: Path, amounts: tuple[str, str], taken: list[tuple[str, str]]
) -> None:
    """In the order it names them, until it has what it asked for; the rest expires with its grant."""
    profile = BusinessProfile(subscribed_since=START)
    options: dict[str, Any] = {"clock": ManualClock(START), "profile": lambda _: profile}
    with examined(tmp_path, "0", policy=_Carrying(), **options) as books:
        for number, amount in enumerate(amounts):
            ref, ends = f"p-{number}", START + DAY
            books.funding.grant("biz_7", Credits(amount), source="promo", ref=ref, expires_at=ends)
        books.clock.set(START + DAY)
        assert books.balance() == ("3", "0")
        refs = dict(books.sql("SELECT id, source_ref FROM ai_credit_grants"))
        carried = [
            (refs[entry.ref.partition(":")[0]], entry.amount.short)
            for entry in books.store.ledger("biz_7")
            if entry.kind == "void"
        ]
        assert carried == taken
        assert books.store.wallet("biz_7").grants[0].ref == "kept"


class _Broken(HybridAddonPolicy):
    """A policy that fails for one business."""

    name = "broken"

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def due(self, account: Account) -> Due | None:
        """The same work for ever, or an error."""
        if account.business != "biz_7":
            return super().due(account)
        if self._error is not None:
            raise self._error
        return Due(at=account.anchor_at)


def _wallets(books: Books) -> None:
    """Wallets that are due, made under another policy."""
    for business in ("biz_6", "biz_7", "biz_8"):
        books.operations.set_policy(business, "prepaid", actor="ama")
    books.sql("UPDATE business_ai_credits SET policy = NULL, next_due_at = 0")


def test_one_wallet_that_cannot_be_done_keeps_no_other_from_its_due(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A policy that never ends is stopped and logged, and books nothing; the job goes on to the next wallet."""
    with examined(tmp_path, "0", policy="prepaid") as books:
        _wallets(books)
        store = open_store(books.database, books.clock, policy=_Broken())
        assert store.sweep() == 2
        assert "what is due in a wallet could not be done" in caplog.text
        with pytest.raises(BillingError, match=r"'broken' does not move on.*Nothing was booked"):
            store.wallet("biz_7")
        given = books.sql("SELECT business_id FROM ai_credit_grants ORDER BY business_id")
        assert [business for (business,) in given] == ["biz_6", "biz_8"]
        books.sql("UPDATE business_ai_credits SET next_due_at = NULL WHERE business_id = 'biz_7'")


def test_a_job_without_its_database_says_so(tmp_path: Path) -> None:
    """It is no fault of one wallet, so it is not passed over."""
    with examined(tmp_path, "0", policy="prepaid") as books:
        _wallets(books)
        with pytest.raises(StoreUnavailable):
            open_store(books.database, books.clock, policy=_Broken(StoreUnavailable())).sweep()


# Suspension.


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_wallet_that_is_stopped_starts_nothing_new_and_ends_what_runs(tmp_path: Path, status: WalletStatus) -> None:
    """Calls in progress and free repeats go on; reopened, it spends again; each change is kept with its reason."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("1", "sale-80"), OK)
        hold = books.hold("5")
        stopped = books.operations.set_status("biz_7", status, actor="ama", reason="chargeback")
        assert (stopped.status, stopped.posted) == (status, Credits(11))
        with pytest.raises(WalletSuspended, match="Nothing was charged"):
            books.hold("1")
        assert isinstance(books.store.hold(books.call("sale-80"), Credits(1)), Finished)
        assert books.store.renew(hold).amount == Credits(5)
        assert books.store.capture(hold, OK).charged == Credits(5)
        books.buy("3", "order-2")
        books.clock.advance(1)
        books.operations.set_status("biz_7", "active", actor="kofi", reason="paid")
        assert books.hold("9").amount == Credits(9)
        assert _audit(books) == [
            ("ama", "set_status", {"from": "active", "to": status, "reason": "chargeback"}),
            ("kofi", "set_status", {"from": status, "to": "active", "reason": "paid"}),
        ]


def test_a_status_set_again_is_not_noted_again(tmp_path: Path) -> None:
    """Nothing changed."""
    with examined(tmp_path) as books:
        for _ in range(2):
            books.operations.set_status("biz_7", "suspended", actor="ama", reason="x")
        assert len(_audit(books)) == 1


def test_a_status_that_is_none_is_refused(tmp_path: Path) -> None:
    """The message lists those there are, and a business never seen is given no wallet for it."""
    with examined(tmp_path, "0") as books:
        assert get_args(WalletStatus) == ("active", "suspended", "closed")
        with pytest.raises(ValueError, match="active, suspended or closed, not 'gone'; nothing was changed"):
            books.operations.set_status("biz_7", "gone", actor="ama", reason="x")  # type: ignore[arg-type]  # no such
        assert books.report().wallets == 0


def test_nobody_decides_without_a_name(tmp_path: Path) -> None:
    """Every decision needs an actor, and nothing is changed without one."""
    with examined(tmp_path) as books:
        steps: list[Any] = [
            lambda: books.operations.set_status("biz_7", "suspended", actor="", reason="x"),
            lambda: books.operations.set_policy("biz_7", "hybrid", actor=""),
            lambda: books.operations.erase("biz_7", actor=""),
            lambda: Limits(books.opened).pause(actor=""),
        ]
        books.store.capture(books.hold("5"), OK)
        for step in steps:
            with pytest.raises(ValueError, match="the actor must be 1 to 255 characters"):
                step()
        wallet = books.store.wallet("biz_7")
        assert (wallet.status, wallet.policy, wallet.posted) == ("active", "prepaid", Credits(7))
        assert [row.user for row in books.store.transactions("biz_7")] == ["u_1"]
        assert books.hold("1").amount == Credits(1)


@pytest.mark.parametrize("method", ["set_policy", "set_status", "erase"])
def test_a_business_has_a_name(tmp_path: Path, method: str) -> None:
    """A decision about nobody in particular is a mistake of the host."""
    options: dict[str, dict[str, Any]] = {
        "set_policy": {"policy": "hybrid"},
        "set_status": {"status": "active", "reason": "x"},
        "erase": {},
    }
    with examined(tmp_path) as books, pytest.raises(ValueError, match="a business id must be"):
        getattr(books.operations, method)("", **options[method], actor="ama")


# Forgetting.


def _calls_of_two(books: Books) -> None:
    for user in ("kofi", "esi"):
        books.store.capture(books.hold("1", f"sale-of-{user}", user=user), OK)
    books.store.hold(books.call("running", user="kofi"), Credits(1))


def test_one_user_is_forgotten_and_the_others_are_not(tmp_path: Path) -> None:
    """Name, request hash and kept answer of his finished calls are gone; amounts, days and colleagues stay."""
    with examined(tmp_path) as books:
        _calls_of_two(books)
        ledger, usage = books.store.ledger("biz_7"), books.sql("SELECT * FROM ai_usage_daily")
        books.operations.erase("biz_7", user="kofi", actor="ama")
        assert {row.id: row.user for row in books.store.transactions("biz_7")} == {
            "sale-of-kofi": None,
            "sale-of-esi": "esi",
        }
        holds = books.sql("SELECT id, user_id, request_hash FROM ai_credit_holds ORDER BY id")
        assert [tuple(hold) for hold in holds] == [
            ("running", "kofi", "request"),
            ("sale-of-esi", "esi", "request"),
            ("sale-of-kofi", None, ""),
        ]
        assert books.sql("SELECT id FROM ai_call_results") == [("sale-of-esi",)]
        assert (books.store.ledger("biz_7"), books.sql("SELECT * FROM ai_usage_daily")) == (ledger, usage)
        assert _audit(books) == [("ama", "erase", {"scope": "user"})]


def test_all_users_of_one_business_are_forgotten(tmp_path: Path) -> None:
    """Another business of the same operator keeps its own."""
    with examined(tmp_path) as books:
        _calls_of_two(books)
        books.buy("5", "order-1", business="biz_8")
        other = books.store.hold(books.call("sale", business="biz_8", user="kofi"), Credits(1))
        books.store.capture(other, OK)  # type: ignore[arg-type]  # a fresh key gives a hold
        books.operations.erase("biz_7", actor="ama")
        assert {row.user for row in books.store.transactions("biz_7")} == {None}
        assert [row.user for row in books.store.transactions("biz_8")] == ["kofi"]
        assert books.sql("SELECT business_id FROM ai_call_results") == [("biz_8",)]
        assert _audit(books) == [("ama", "erase", {"scope": "all"})]


def test_a_key_from_before_the_erasure_cannot_be_replayed(tmp_path: Path) -> None:
    """Nobody can tell any more that it is the same request; it is never charged again by mistake."""
    with examined(tmp_path) as books:
        _calls_of_two(books)
        books.operations.erase("biz_7", user="kofi", actor="ama")
        with pytest.raises(IdempotencyConflict):
            books.store.hold(books.call("sale-of-kofi", user="kofi"), Credits(1))
        assert isinstance(books.store.find(books.call("sale-of-esi", user="esi")), Finished)


def test_a_call_in_progress_is_forgotten_by_a_second_erasure(tmp_path: Path) -> None:
    """It must still be charged and counted where it was taken; once it is over it can be forgotten as well."""
    with examined(tmp_path, limits=(Limit(scope="user", window="day", amount=Credits(9)),)) as books:
        hold = books.hold("2", user="kofi")
        books.operations.erase("biz_7", user="kofi", actor="ama")
        books.store.capture(hold, OK)
        assert books.sql("SELECT key, used, held FROM ai_limit_counters") == [("kofi", 2_000_000, 0)]
        books.operations.erase("biz_7", user="kofi", actor="ama")
        assert books.sql("SELECT key FROM ai_limit_counters") == []
        assert [row.user for row in books.store.transactions("biz_7")] == [None]


def test_limits_of_a_forgotten_user_are_forgotten(tmp_path: Path) -> None:
    """Those for each user, for others and for the business stay."""
    with examined(tmp_path) as books:
        limits = Limits(books.opened)
        for key in ("kofi", "esi", None):
            limits.set("user", "day", 9, business="biz_7", key=key, actor="ama")
        limits.set("business", "day", 20, business="biz_7", actor="ama")
        _calls_of_two(books)
        books.store.void(books.hold("1", user="kofi"), OK)
        books.operations.erase("biz_7", user="esi", actor="ama")
        assert {(limit.scope, limit.key) for limit in limits.of("biz_7")} == {
            ("user", "kofi"),
            ("user", None),
            ("business", None),
        }
        counted = books.sql("SELECT scope, key, used, held FROM ai_limit_counters ORDER BY scope")
        assert [tuple(row) for row in counted] == [
            ("business", "", 2_000_000, 1_000_000),
            ("user", "kofi", 1_000_000, 1_000_000),
        ]


# What can be mended.


def test_daily_sums_are_made_anew_from_the_log(tmp_path: Path) -> None:
    """As they were, to the last column; another business's are left alone."""
    with examined(tmp_path) as books:
        books.buy("5", "order-1", business="biz_8")
        for call in (books.call("a"), books.call("b", feature="menu_idea"), books.call("c", business="biz_8")):
            charge(books.opened, call, Credits(2), OK)
        ordered = "SELECT * FROM ai_usage_daily ORDER BY business_id, feature"
        before = books.sql(ordered)
        books.sql("UPDATE ai_usage_daily SET charged = charged + 1, calls = 0")
        assert {finding.rule for finding in examine(books.database, "biz_7").findings} == {DAILY_SUMS}
        rebuild_usage(books.database, "biz_7")
        assert examine(books.database, "biz_7").ok
        assert [finding.business for finding in books.report().findings] == ["biz_8"]
        rebuild_usage(books.database, "biz_8")
        assert books.sql(ordered) == before


# What is kept.


def test_decisions_are_kept_in_their_order(tmp_path: Path) -> None:
    """With the time, and apart for each business and for what concerns all."""
    with examined(tmp_path) as books:
        start = books.clock.now()
        books.operations.set_status("biz_7", "suspended", actor="ama", reason="x")
        books.clock.set(start + DAY)
        books.operations.set_policy("biz_8", "hybrid", actor="esi")
        Limits(books.opened).pause(actor="kofi")
        books.operations.set_status("biz_7", "active", actor="ama", reason="y")
        about = {
            name: [(entry.at - start, entry.actor, entry.action, entry.business) for entry in found]
            for name in ("biz_7", "biz_8", "", "biz_9")
            for found in [books.operations.audit(name)]
        }
        assert about == {
            "biz_7": [(0, "ama", "set_status", "biz_7"), (DAY, "ama", "set_status", "biz_7")],
            "biz_8": [(DAY, "esi", "set_policy", "biz_8")],
            "": [(DAY, "kofi", "pause", "")],
            "biz_9": [],
        }
