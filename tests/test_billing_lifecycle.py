"""One call in the books, from grant to receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.billing.ledger import LedgerEntry, broken_links, effect, genesis, seal
from ai_addons.billing.records import Hold
from ai_addons.errors import (
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    WalletSuspended,
)
from ai_addons.money import Credits
from tests.books import FAILED, OK, Books

if TYPE_CHECKING:
    from ai_addons.billing.grants import GrantSource

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_captured_call_is_charged_once_and_logged() -> None:
    """A call that succeeds takes its price from the wallet and leaves one row that says what it was."""
    books = Books()
    booked = books.store.capture(books.hold("5"), OK)
    (row,) = books.store.transactions("biz_7")
    assert (booked.charged, booked.balance, booked.cost_ghs) == (Credits(5), Credits(7), 873)
    assert books.balance() == ("7", "0")
    assert (row.charged, row.outcome, row.model, row.tokens, row.cost) == (
        Credits(5),
        "ok",
        OK.model,
        OK.tokens,
        OK.cost,
    )
    assert (row.request_meta, row.response_meta, row.latency_ms) == ({"temperature": 0}, {"attempts": 1}, 412)
    assert books.report().ok


def test_held_credits_cannot_be_spent_twice() -> None:
    """While a call runs its credits are still posted but no longer available."""
    books = Books()
    books.hold("5")
    wallet = books.store.wallet("biz_7")
    assert (wallet.posted, wallet.held, wallet.available) == (Credits(12), Credits(5), Credits(7))
    assert [(grant.remaining, grant.held, grant.free) for grant in wallet.grants] == [
        (Credits(12), Credits(5), Credits(7))
    ]


def test_a_failed_call_costs_the_shop_nothing_and_us_what_it_cost() -> None:
    """A void gives everything back, writes no ledger row, and books the provider's price."""
    books = Books()
    booked = books.store.void(books.hold("5"), FAILED)
    (row,) = books.store.transactions("biz_7")
    assert (booked.charged, booked.balance) == (Credits(0), Credits(12))
    assert (row.outcome, row.charged, row.cost, row.error_code) == (
        "failed",
        Credits(0),
        FAILED.cost,
        FAILED.error_code,
    )
    assert [entry.kind for entry in books.store.ledger("biz_7")] == ["grant"]
    assert books.report().ok


def test_repeating_a_capture_or_void_changes_nothing() -> None:
    """A step that is sent twice is booked once, and both answers are the same."""
    books = Books()
    captured, void = books.hold("5"), books.hold("3")
    first = books.store.capture(captured, OK)
    assert books.store.capture(captured, OK).charged == first.charged
    books.store.void(void, FAILED)
    assert books.store.void(void, FAILED).charged == Credits(0)
    assert books.store.void(captured, FAILED).charged == Credits(5)
    assert books.balance() == ("7", "0")
    assert len(books.store.transactions("biz_7")) == 2


def test_a_void_hold_cannot_be_captured() -> None:
    """Charging for a call that was given back is refused, and says so."""
    books = Books()
    hold = books.hold()
    books.store.void(hold, FAILED)
    with pytest.raises(LedgerConflict, match="Nothing was charged"):
        books.store.capture(hold, OK)
    assert books.balance() == ("12", "0")


@pytest.mark.parametrize("change", ["attempt", "amount", "business"])
@pytest.mark.parametrize("step", ["capture", "void"])
def test_a_hold_of_another_store_is_refused(change: str, step: str) -> None:
    """A hold this store never gave out moves no credits."""
    books = Books()
    hold = books.hold()
    forged = {
        "attempt": replace(hold, attempt=2),
        "amount": replace(hold, amount=Credits(1)),
        "business": replace(hold, call=replace(hold.call, business="biz_8")),
    }[change]
    with pytest.raises(BillingError, match="Nothing was charged"):
        getattr(books.store, step)(forged, OK)
    assert books.balance() == ("12", "5")


def test_too_few_credits_is_refused_with_what_to_buy() -> None:
    """The refusal names price, balance and shortfall, offers packs, and books nothing."""
    books = Books("2")
    with pytest.raises(InsufficientCreditsError) as refused:
        books.store.hold(books.call(), Credits(5))
    error = refused.value
    assert (error.required, error.available, error.shortfall) == (Credits(5), Credits(2), Credits(3))
    assert [offer.type for offer in error.offers] == ["STARTER", "VALUE", "PRO"]
    assert books.balance() == ("2", "0")
    assert books.store.transactions("biz_7") == []


def test_a_business_never_seen_has_zeros_and_cannot_spend() -> None:
    """An unknown business reads as empty and is told what to buy; no wallet is made for it."""
    books = Books("0")
    assert books.balance() == ("0", "0")
    assert books.store.wallet("biz_7").low
    with pytest.raises(InsufficientCreditsError):
        books.store.hold(books.call(), Credits("0.1"))
    assert books.report().wallets == 0


def test_a_suspended_wallet_takes_no_new_hold_but_finishes_open_ones() -> None:
    """Suspension stops the next call, is not mistaken for poverty, and lets a running call be booked."""
    books = Books("5")
    hold = books.hold("5")
    books.sql("UPDATE business_ai_credits SET status = 'suspended'")
    with pytest.raises(WalletSuspended):
        books.store.hold(books.call(), Credits(5))
    assert books.store.capture(hold, OK).charged == Credits(5)
    assert books.store.wallet("biz_7").status == "suspended"


def test_the_last_credit_can_be_spent() -> None:
    """A price equal to the balance is covered, down to the last micro-credit."""
    books = Books("0.000001")
    books.store.capture(books.hold("0.000001"), OK)
    assert books.balance() == ("0", "0")
    assert books.store.wallet("biz_7").grants == ()


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_amounts_must_be_positive(amount: str) -> None:
    """Neither a grant, a trial nor a hold of nothing or less is booked."""
    books = Books()
    with pytest.raises(ValueError, match="more than zero"):
        books.funding.grant("biz_7", Credits(amount), source="promo", ref="x")
    with pytest.raises(ValueError, match="more than zero"):
        books.funding.claim_trial("biz_7", Credits(amount), {"h": "phone"})
    with pytest.raises(ValueError, match="more than zero"):
        books.store.hold(books.call(), Credits(amount))


def test_a_grant_is_booked_once_per_source_and_reference() -> None:
    """The same grant again says it is a replay; other credits under its reference are refused."""
    books = Books("0")
    first = books.funding.grant("biz_7", Credits(25), source="adjustment", ref="welcome-1")
    again = books.funding.grant("biz_7", Credits(25), source="adjustment", ref="welcome-1")
    assert (first.replayed, again.replayed, again.balance) == (False, True, Credits(25))
    assert again.grant == first.grant
    with pytest.raises(IdempotencyConflict, match="gave 25 credits before, not 26"):
        books.funding.grant("biz_7", Credits(26), source="adjustment", ref="welcome-1")
    books.funding.grant("biz_7", Credits(1), source="promo", ref="welcome-1")
    books.funding.grant("biz_8", Credits(1), source="adjustment", ref="welcome-1")
    assert books.balance() == ("26", "0")


def test_an_unknown_source_of_credits_is_refused() -> None:
    """A misspelt source never becomes a grant that burns in no defined order."""
    books = Books()
    with pytest.raises(ValueError, match="one of trial"):
        books.funding.grant("biz_7", Credits(1), source=cast("GrantSource", "gift"), ref="x")


@pytest.mark.parametrize("bad", ["", "x" * 256, "a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["business", "id", "user"])
def test_ids_no_database_can_hold_are_refused_before_anything_is_spent(field: str, bad: str) -> None:
    """Empty, endless or unencodable ids are refused in plain words that do not repeat them."""
    books = Books()
    call = books.call("key", **{field: bad})
    for step in (
        lambda: books.store.hold(call, Credits(5)),
        lambda: books.store.find(call),
        lambda: books.store.record(call, OK),
    ):
        with pytest.raises(ValueError, match="1 to 255 characters of text") as refused:
            step()
        assert not bad or bad not in str(refused.value)
    with pytest.raises(ValueError, match="1 to 255"):
        books.funding.grant("biz_7", Credits(1), source="promo", ref=bad)
    with pytest.raises(ValueError, match="1 to 255"):
        books.store.wallet(bad)
    assert books.balance() == ("12", "0")


def test_a_number_is_no_business_id() -> None:
    """An id of another type is refused: SQLite would turn it into text and break its hash chain."""
    books = Books()
    with pytest.raises(ValueError, match="a business id"):
        books.funding.grant(cast("str", 7), Credits(1), source="promo", ref="x")


@pytest.mark.parametrize(
    "name", ["ɛfie nkran 🏪", "a|b", "x'; DROP TABLE ai_ledger; --", '"', "é", "e\u0301", " ", "wallet", "%", "\n"]
)
def test_strange_ids_are_only_names(name: str) -> None:
    """Whatever a host calls its businesses, users and keys, the books stay whole and apart."""
    books = Books("12", business=name)
    call = replace(books.call(name), user=name)
    held = books.store.hold(call, Credits(5))
    assert isinstance(held, Hold)
    books.store.capture(held, OK)
    assert books.balance() == ("7", "0")
    assert [row.id for row in books.store.transactions(name)] == [name]
    assert books.report().ok


def test_a_call_without_a_user_is_booked() -> None:
    """A job that runs for the business itself needs no user."""
    books = Books()
    books.store.record(books.call(user=None), OK)
    assert [row.user for row in books.store.transactions("biz_7")] == [None]


def test_unknown_cost_and_tokens_stay_unknown() -> None:
    """What the provider did not say is shown as unknown, never as zero."""
    books = Books()
    booked = books.store.capture(books.hold(), replace(OK, cost=None, tokens=None, latency_ms=None))
    (row,) = books.store.transactions("biz_7")
    assert (booked.cost_ghs, row.cost, row.cost_ghs, row.tokens, row.latency_ms) == (None, None, None, None, None)


def test_credits_burn_free_ones_first() -> None:
    """Trial and promo credits pay before bought ones, and each call knows which grants paid."""
    books = Books("10")
    books.funding.grant("biz_7", Credits(2), source="trial", ref="trial")
    hold = books.hold("3")
    books.store.capture(hold, OK)
    assert [(grant.source, grant.remaining) for grant in books.store.wallet("biz_7").grants] == [
        ("purchase", Credits(9))
    ]
    used = books.sql("SELECT g.source, a.used FROM ai_hold_allocations a JOIN ai_credit_grants g ON g.id = a.grant_id")
    assert sorted(used) == [("purchase", 1_000_000), ("trial", 2_000_000)]


def test_the_wallet_is_low_below_the_threshold() -> None:
    """The flag looks at what can be spent now."""
    books = Books("15")
    assert not books.store.wallet("biz_7").low
    books.hold("5.000001")
    assert books.store.wallet("biz_7").low


def test_more_credits_than_the_database_can_count_are_refused() -> None:
    """An absurd grant is refused whole instead of wrapping round."""
    books = Books()
    with pytest.raises(OverflowError, match="nothing was booked"):
        books.funding.grant("biz_7", Credits(10**13), source="promo", ref="x")
    books.funding.grant("biz_7", Credits(9 * 10**12), source="promo", ref="y")
    with pytest.raises(OverflowError, match="nothing was booked"):
        books.funding.grant("biz_7", Credits(9 * 10**12), source="promo", ref="z")
    assert books.balance() == ("9000000000012", "0")
    assert books.report().ok


def _row(seq: int, previous: str, /, **changes: Any) -> LedgerEntry:
    """The next row of a ledger of which each row gives two credits, sealed after it was changed."""
    plain = LedgerEntry(
        business="biz_7",
        seq=seq,
        kind="grant",
        debit="issuance:promo",
        credit="wallet",
        amount=Credits(2),
        ref=f"gift-{seq}",
        balance_after=Credits(2 * seq),
        effective_at=1_000,
        booked_at=2_000,
    )
    row = replace(plain, **changes)
    return replace(row, hash=seal(previous, row))


def test_books_sealed_by_an_earlier_release_stay_whole() -> None:
    """The bytes that are hashed are a format: if it changed, every ledger in use would look forged."""
    start = genesis("biz_7")
    assert start == "e9f307737b58694ddb09711bc4c3c210fff2925d229d514cc47db8bfc3bb9ac6"
    assert _row(1, start).hash == "4d4112f33612fcfa3a2741ed6fb199cd6d26703b2497be2e3884dbdbaf9aa2b8"


@pytest.mark.parametrize(
    ("changes", "broken"),
    [({}, []), ({"seq": 3}, [3]), ({"balance_after": Credits(5)}, [2]), ({"amount": Credits(3)}, [2, 3])],
)
def test_a_row_that_does_not_follow_is_found_even_if_its_seal_fits(changes: dict[str, Any], broken: list[int]) -> None:
    """Who can compute a seal still cannot skip a position or change a balance unseen; the rows are named."""
    first = _row(1, genesis("biz_7"))
    second = _row(2, first.hash, **changes)
    third = _row(3, second.hash)
    assert broken_links("biz_7", [first, second, third]) == broken


def test_a_row_with_a_seal_that_does_not_fit_is_found() -> None:
    """A changed reference alone is enough; the rows sealed on top of it still follow."""
    first = _row(1, genesis("biz_7"))
    second = _row(2, first.hash)
    assert broken_links("biz_7", [replace(first, ref="other"), second]) == [1]
    assert broken_links("biz_8", [first, second]) == [1]


@pytest.mark.parametrize(
    ("debit", "credit", "change"),
    [("issuance:trial", "wallet", 5), ("wallet", "revenue:menu_idea", -5), ("bad_debt", "revenue:menu_idea", 0)],
)
def test_only_rows_that_name_the_wallet_move_its_balance(debit: str, credit: str, change: int) -> None:
    """Credits come in, go out, or, for an answer that nobody could pay, pass the wallet by."""
    assert effect(debit, credit, Credits(5)) == Credits(change)


@settings(max_examples=50, deadline=None)  # a server takes its time
@given(
    grants=st.lists(st.integers(1, 10**7), min_size=1, max_size=4),
    prices=st.lists(st.integers(1, 10**7), max_size=8),
)
def test_every_micro_credit_is_accounted_for(grants: list[int], prices: list[int]) -> None:
    """Whatever is granted and charged, balance and ledger agree to the last micro-credit."""
    books = Books("0")
    for number, micro in enumerate(grants):
        books.funding.grant("biz_7", Credits.from_micro(micro), source="purchase", ref=str(number))
    left = sum(grants)
    for price in map(Credits.from_micro, prices):
        if price.micro > left:
            with pytest.raises(InsufficientCreditsError):
                books.store.hold(books.call(), price)
        else:
            books.store.capture(books.hold(str(price)), OK)
            left -= price.micro
    assert books.store.wallet("biz_7").posted.micro == left
    assert books.report().ok
    books.database.close()
