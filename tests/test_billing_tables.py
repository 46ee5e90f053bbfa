"""The tables and the way into them: what no caller can store, and what every question costs, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.schema import metadata
from ai_addons.billing.sql import statements
from ai_addons.errors import BillingError
from tests.books import OK, Books, on_postgres
from tests.hands import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ClauseElement

    from ai_addons.billing.sql import Tx

pytestmark = pytest.mark.usefixtures("each_database")
sqlite_only = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
OWN = {"business": "biz_7"}
CLAIM = {"key_hmac": "secret", "kind": "phone", "claimed_at": 1, "key_version": 1}
TWICE = "INSERT INTO ai_trial_claims (key_hmac, kind, claimed_at) VALUES (?, ?, ?), (?, ?, ?)"


@pytest.fixture
def books() -> Iterator[Books]:
    """A business with twelve credits."""
    opened = Books()
    yield opened
    opened.close()


def test_errors_carry_no_statement_and_no_values(books: Books) -> None:
    """What a rule of the tables refuses is told without SQL, ids or amounts, also in the traceback."""
    refusal = "duplicate key value violates unique" if on_postgres() else "UNIQUE constraint failed"
    with pytest.raises(BillingError, match=rf"{refusal}.*Nothing was charged\. Run `ai-addons doctor`") as refused:
        books.sql(TWICE, ("secret", "phone", 1) * 2)
    assert not refused.value.retryable
    assert refused.value.__suppress_context__
    assert refused.value.__cause__ is None
    assert "INSERT" not in str(refused.value)
    assert "secret" not in str(refused.value)
    assert books.sql("SELECT * FROM ai_trial_claims") == []


def test_a_failed_transaction_leaves_no_trace(books: Books) -> None:
    """Whatever goes wrong half-way, the books are as before and the next call works."""

    def fail_half_way(tx: Tx) -> None:
        tx.connection.execute("UPDATE business_ai_credits SET held = 1")
        tx.write(statements.ADD_CLAIM, CLAIM)
        assert tx.one(statements.CLAIMED, {"claim": "secret"}) is not None
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        books.database.write(fail_half_way)
    assert books.balance() == ("12", "0")
    assert books.sql("SELECT * FROM ai_trial_claims") == []
    books.store.capture(books.hold(), OK)
    assert books.report().ok


def test_a_transaction_sees_what_it_wrote(books: Books) -> None:
    """Writes reach the database before the next question, in their order; the answer of the work is handed on."""

    def work(tx: Tx) -> tuple[object, ...]:
        assert tx.rows(statements.CLAIMED, {"claim": "secret"}) == []
        tx.write(statements.ADD_CLAIM, CLAIM)
        tx.write(statements.ADD_CLAIM, CLAIM | {"key_hmac": "other"})
        found = tx.value(statements.CLAIMED, {"claim": "secret"})
        again = tx.changed(statements.ADD_CLAIM, CLAIM)
        pair = tx.gather((statements.CLAIMED, {"claim": "other"}), (statements.LOOK, OWN))
        return found, again, pair[0][0].key_hmac, pair[1][0].posted, tx.one(statements.CLAIMED, {"claim": "none"})

    assert books.database.write(work) == ("secret", 0, "other", 12_000_000, None)
    assert books.sql("SELECT key_hmac FROM ai_trial_claims ORDER BY key_hmac") == [("other",), ("secret",)]


def test_a_write_that_fails_takes_those_before_it_along(books: Books) -> None:
    """Queued or sent at once, a refused write undoes the whole transaction."""
    entry = books.sql("SELECT * FROM ai_ledger")[0]
    values = dict(zip((column.name for column in metadata.tables["ai_ledger"].c), entry, strict=True))

    def work(tx: Tx) -> None:
        tx.write(statements.ADD_CLAIM, CLAIM)
        tx.write(statements.ADD_ENTRY, values)
        tx.write(statements.ADD_CLAIM, CLAIM | {"key_hmac": "other"})

    with pytest.raises(BillingError, match="Nothing was charged"):
        books.database.write(work)
    assert books.sql("SELECT * FROM ai_trial_claims") == []
    assert books.sql("SELECT count(*) FROM ai_ledger") == [(1,)]
    assert books.balance() == ("12", "0")


@pytest.mark.parametrize("verb", ["UPDATE ai_ledger SET amount = amount", "DELETE FROM ai_ledger"])
def test_the_ledger_is_never_changed(books: Books, verb: str) -> None:
    """The database itself refuses to change or remove what was booked."""
    before = books.sql("SELECT * FROM ai_ledger")
    with pytest.raises(BillingError, match="the ledger is never changed; book a reversal"):
        books.sql(verb)
    assert books.sql("SELECT * FROM ai_ledger") == before


@pytest.mark.parametrize("amount", [1.0, True, "5", Decimal(5), 1e300, datetime.now(UTC), b"5"])
def test_amounts_that_are_no_whole_numbers_never_reach_the_database(books: Books, amount: object) -> None:
    """A float, bool, text or Decimal is refused before the driver could round it."""
    values = CLAIM | {"claimed_at": amount}
    with pytest.raises(TypeError, match="stored as whole numbers"):
        books.database.write(lambda tx: tx.write(statements.ADD_CLAIM, values))
    assert books.sql("SELECT * FROM ai_trial_claims") == []


@pytest.mark.parametrize("name", [5, 1.0, b"phone", True])
def test_names_that_are_no_text_never_reach_the_database(books: Books, name: object) -> None:
    """A number where a name belongs is refused; SQLite would have stored it as its digits."""
    with pytest.raises(TypeError, match="names as text; not"):
        books.database.write(lambda tx: tx.write(statements.ADD_CLAIM, CLAIM | {"kind": name}))


class Kind(str, Enum):  # noqa: UP042  # a StrEnum says what it is; hosts have this kind too
    """A host's own kind of text."""

    PHONE = "phone"


def test_text_of_a_host_s_own_kind_is_stored_as_what_it_says(books: Books) -> None:
    """An enum that is text is kept as its value, not as its name."""
    books.database.write(lambda tx: tx.write(statements.ADD_CLAIM, CLAIM | {"kind": Kind.PHONE}))
    assert books.sql("SELECT kind FROM ai_trial_claims") == [("phone",)]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_numbers_of_64_bits_are_kept_exactly(books: Books, number: int) -> None:
    """The largest and the smallest number come back as they were."""
    books.database.write(lambda tx: tx.write(statements.ADD_CLAIM, CLAIM | {"claimed_at": number}))
    assert books.sql("SELECT claimed_at FROM ai_trial_claims") == [(number,)]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_numbers_beyond_64_bits_never_reach_the_database(books: Books, number: int) -> None:
    """A number that does not fit is refused instead of failing in the driver."""
    with pytest.raises(OverflowError, match="64 bits"):
        books.database.write(lambda tx: tx.write(statements.ADD_CLAIM, CLAIM | {"claimed_at": number}))


def test_a_statement_is_always_given_the_same_parameters(books: Books) -> None:
    """One parameter more or less is a mistake in the code, not another statement."""
    books.database.write(lambda tx: tx.rows(statements.LOOK, OWN))
    with pytest.raises(TypeError, match="always given 1 parameters, not 2"):
        books.database.read(lambda tx: tx.rows(statements.LOOK, OWN | {"more": 1}))


@sqlite_only
@pytest.mark.parametrize("value", ["0.1", "'five'", "x'00'"])
def test_the_tables_refuse_what_is_no_integer(books: Books, value: str) -> None:
    """Raw SQL cannot put a fraction, a word or a blob where an amount belongs."""
    with pytest.raises(BillingError, match="cannot store"):
        books.sql(f"UPDATE business_ai_credits SET posted = {value}")  # noqa: S608  # the values stand above


@sqlite_only
def test_every_table_is_strict(books: Books) -> None:
    """No table was forgotten: all of them are STRICT."""
    tables = dict(books.sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"))
    assert {table: tables[table] for table in metadata.tables} == dict.fromkeys(metadata.tables, 1)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("held = posted + 1", "ck_wallet_never_overdrawn"),
        ("held = -1", "ck_wallet_never_overdrawn"),
        ("posted = -1, held = -2", "ck_wallet_never_overdrawn"),
        ("status = 'rich'", "ck_wallet_status"),
    ],
)
def test_no_wallet_can_be_overdrawn(books: Books, values: str, rule: str) -> None:
    """The database itself keeps 0 <= held <= posted, whatever the code does."""
    with pytest.raises(BillingError, match=rule):
        books.sql(f"UPDATE business_ai_credits SET {values}")  # noqa: S608  # the values stand above
    assert books.balance() == ("12", "0")


@pytest.mark.parametrize(
    ("statement", "values", "index"),
    [
        (statements.WALLET, OWN, "business_ai_credits"),
        (statements.GRANTS_LEFT, OWN, "ix_grant_burn"),
        (statements.OPEN_HOLDS, OWN, "ix_hold_open"),
        (statements.WALLETS_DUE, {"now": 1, "after": ""}, "ix_wallet_due"),
        (statements.TRANSACTIONS, OWN, "ix_transaction_time"),
        (statements.DROP_ANSWERS, {"now": 1}, "ix_result_expiry"),
        (statements.USAGE, OWN | {"first": "2026-01-01", "last": "2026-01-31"}, "ai_usage_daily"),
        (statements.EVENTS_DUE, {"now": 1, "most": 10}, "ix_outbox_unsent"),
    ],
)
def test_hot_questions_are_answered_from_an_index(
    books: Books, statement: ClauseElement, values: dict[str, object], index: str
) -> None:
    """No call slows down as the books grow: the plan names the index made for it, or the table's key."""
    key = f"{index}_pkey" if on_postgres() else f"sqlite_autoindex_{index}_1"
    wanted = index if index.startswith("ix_") else key
    found = plan(books, statement, **values)
    assert wanted in found
    assert "seq scan" not in found
    assert "scan ai_" not in found.replace(f"scan ai_outbox using index {index}", "")
