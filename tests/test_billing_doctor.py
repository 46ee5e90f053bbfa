"""The doctor finds every edit that did not come through the books, and the database refuses most of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.doctor import Finding
from ai_addons.errors import BillingError
from ai_addons.money import Credits
from tests.books import FAILED, OK, Books

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("each_database")

SPARE = Credits(4)


@pytest.fixture
def books() -> Iterator[Books]:
    """Books with a used grant, an unused one, and a hold in each state."""
    books = Books("12")
    books.funding.grant("biz_7", SPARE, source="promo", ref="spare")
    books.store.capture(books.hold("5", "paid"), OK)
    books.store.void(books.hold("1", "failed"), FAILED)
    books.hold("2", "orphan")
    books.clock.advance(120)
    books.hold("3", "open")
    assert books.report().ok
    yield books
    books.database.close()


def _found(books: Books) -> str:
    report = books.report()
    assert not report.ok
    assert {finding.business for finding in report.findings} <= {"biz_7", "biz_8"}
    return "; ".join(f"{finding.rule}: {finding.detail}" for finding in report.findings)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "'bad_debt'"),
        ("debit", "'elsewhere'"),
        ("credit", "'revenue:other'"),
        ("amount", "amount + 1"),
        ("ref", "'other'"),
        ("balance_after", "balance_after + 1"),
        ("effective_at", "effective_at + 1"),
        ("booked_at", "booked_at - 1"),
        ("hash", "'0'"),
    ],
)
@pytest.mark.parametrize("seq", [1, 2, 3])
def test_any_edit_of_a_ledger_row_is_found_and_named(books: Books, column: str, value: str, seq: int) -> None:
    """Whichever field of whichever row is changed, the report says which row."""
    books.without_guards()
    books.sql(f"UPDATE ai_ledger SET {column} = {value} WHERE seq = {seq}")  # noqa: S608  # the values stand above
    assert f"row {seq} was changed" in _found(books)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("DELETE FROM ai_ledger WHERE seq = 2", "hash chain"),
        ("DELETE FROM ai_ledger WHERE seq = 3", "head of its ledger"),
        ("DELETE FROM ai_ledger", "head of its ledger"),
        ("UPDATE ai_ledger SET seq = 9 WHERE seq = 3", "row 9"),
        ("UPDATE ai_ledger SET business_id = 'biz_8' WHERE seq = 3", "all books belong to a wallet"),
        ("UPDATE business_ai_credits SET posted = posted + 1", "posted is the sum of the ledger"),
        ("UPDATE business_ai_credits SET held = held - 1", "held is the sum of open holds and frozen credits"),
        ("UPDATE business_ai_credits SET lifetime_in = 0", "lifetime_in is the sum of new grants"),
        ("UPDATE business_ai_credits SET lifetime_used = 0", "lifetime_used is the sum of usage"),
        ("UPDATE business_ai_credits SET next_due_at = NULL", "what is due is found in time"),
        ("UPDATE business_ai_credits SET next_due_at = next_due_at + 1", "what is due is found in time"),
        ("UPDATE business_ai_credits SET seq = seq + 1", "head of its ledger"),
        ("UPDATE business_ai_credits SET chain_head = 'x'", "head of its ledger"),
        ("UPDATE business_ai_credits SET booked_at = 0", "head of its ledger"),
        ("UPDATE business_ai_credits SET business_id = 'biz_8'", "all books belong to a wallet"),
        ("DELETE FROM business_ai_credits", "all books belong to a wallet"),
        ("UPDATE ai_credit_grants SET remaining = remaining - 1 WHERE held > 0", "posted is what grants have left"),
        ("UPDATE ai_credit_grants SET held = held - 1 WHERE held > 0", "held is what grants have pinned"),
        (
            "UPDATE ai_credit_grants SET amount = amount + 1 WHERE source = 'promo'",
            "lifetime_in is the sum of new grants",
        ),
        ("UPDATE ai_credit_grants SET source = 'trial' WHERE source = 'promo'", "each grant is booked"),
        ("UPDATE ai_credit_grants SET source_ref = 'x' WHERE source = 'promo'", "each grant is booked"),
        ("UPDATE ai_credit_grants SET id = 'x' WHERE held > 0", "a grant lost only what calls used"),
        ("UPDATE ai_credit_holds SET amount = 1 WHERE id = 'open'", "an open hold is spread over grants"),
        (
            "UPDATE ai_credit_holds SET state = 'void' WHERE id = 'open'",
            "held is the sum of open holds and frozen credits",
        ),
        ("UPDATE ai_credit_holds SET state = 'open' WHERE id = 'paid'", "an open hold is spread over grants"),
        ("UPDATE ai_credit_holds SET captured = 1 WHERE id = 'paid'", "a closed hold used what was charged"),
        ("UPDATE ai_hold_allocations SET used = 1 WHERE hold_id = 'failed'", "a closed hold used what was charged"),
        ("UPDATE ai_hold_allocations SET amount = 9 WHERE hold_id = 'open'", "an open hold is spread over grants"),
        ("DELETE FROM ai_hold_allocations WHERE hold_id = 'paid'", "a grant lost only what calls used"),
        ("UPDATE ai_transactions SET charged = 1 WHERE id = 'paid'", "the call log charges what the ledger booked"),
        ("UPDATE ai_transactions SET id = 'x' WHERE id = 'paid'", "each charge is of a call"),
        ("DELETE FROM ai_transactions WHERE id = 'failed'", "a closed hold used what was charged"),
    ],
)
def test_any_other_edit_is_found_by_the_rule_it_breaks(books: Books, statement: str, rule: str) -> None:
    """An edit of wallet, grants, holds or call log contradicts the rest, and the report says where."""
    books.without_guards()
    books.sql(statement)
    assert rule in _found(books)


def test_an_empty_wallet_with_a_forged_head_is_found() -> None:
    """A wallet without rows must hold the beginning of its own chain."""
    books = Books()
    books.without_guards()
    for table in ("ai_ledger", "ai_credit_grants"):
        books.sql(f"DELETE FROM {table}")  # noqa: S608  # the names stand above
    books.sql("UPDATE business_ai_credits SET posted = 0, lifetime_in = 0, seq = 0, booked_at = 0")
    assert [finding.rule for finding in books.report().findings] == ["the wallet holds the head of its ledger"]


def test_a_finding_names_the_business_and_others_stay_well(books: Books) -> None:
    """Damage in one wallet does not hide or blame another."""
    books.funding.grant("biz_8", SPARE, source="promo", ref="x")
    books.sql("UPDATE business_ai_credits SET lifetime_in = 0 WHERE business_id = 'biz_8'")
    report = books.report()
    assert report.wallets == 2
    assert report.findings == (
        Finding("biz_8", "lifetime_in is the sum of new grants", "0 is not 4000000 (micro-credits)"),
    )


@pytest.mark.parametrize("statement", ["UPDATE ai_ledger SET amount = amount + 1", "DELETE FROM ai_ledger"])
def test_the_ledger_cannot_be_changed_by_mistake(books: Books, statement: str) -> None:
    """The database itself refuses to update or delete a ledger row."""
    with pytest.raises(BillingError, match="never changed; book a reversal"):
        books.sql(statement)
    assert books.report().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE business_ai_credits SET posted = held - 1",
        "UPDATE business_ai_credits SET held = -1",
        "UPDATE business_ai_credits SET held = posted + 1",
        "UPDATE business_ai_credits SET status = 'rich'",
        "UPDATE ai_credit_grants SET held = remaining + 1",
        "UPDATE ai_credit_grants SET remaining = amount + 1",
        "UPDATE ai_credit_grants SET remaining = held - 1 WHERE held > 0",
        "UPDATE ai_credit_holds SET captured = amount + 1",
        "UPDATE ai_credit_holds SET state = 'lost'",
        "UPDATE ai_credit_holds SET amount = 0",
        "UPDATE ai_hold_allocations SET used = amount + 1",
        "UPDATE ai_transactions SET charged = -1",
        "UPDATE ai_transactions SET cost_pico_usd = -1",
        "UPDATE ai_transactions SET cost_micro_ghs = NULL WHERE cost_micro_ghs IS NOT NULL",
        "UPDATE ai_transactions SET outcome = 'fine'",
    ],
)
def test_the_database_refuses_an_overdraft(books: Books, statement: str) -> None:
    """Even raw SQL cannot overdraw a wallet, a grant or a hold."""
    with pytest.raises(BillingError, match=r"refused this entry .*Nothing was charged"):
        books.sql(statement)
    assert books.report().ok
