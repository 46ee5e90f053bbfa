"""Every statement of the books; each is written for the database at hand at its first use and kept.

``business`` names the wallet in all of them. In an UPDATE the other parameters
that are columns are what is set. A statement is always given the same
parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)

from ai_addons.billing.schema import (
    EXACT,
    TEXT,
    allocations,
    audit,
    feedback,
    grants,
    holds,
    ledger,
    limit_counters,
    limits,
    outbox,
    pack_versions,
    payment_attempts,
    planned_grants,
    price_versions,
    provider_spend,
    purchases,
    results,
    salts,
    saved_cards,
    subscriptions,
    top_ups,
    transactions,
    trial_claims,
    usage_daily,
    wallets,
    web_rates,
    web_replies,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table, TextClause


def _own(table: Table) -> ColumnElement[bool]:
    return table.c.business_id == bindparam("business", type_=TEXT)


def _this(table: Table) -> ColumnElement[bool]:
    """A hold or its line in the call log, named by key and attempt."""
    return and_(_under_key(table), table.c.attempt == bindparam("number", type_=EXACT))


def _under_key(table: Table) -> ColumnElement[bool]:
    return and_(_own(table), table.c.id == bindparam("key", type_=TEXT))


def _user_key(table: Table) -> ColumnElement[bool]:
    """Rows kept under a user, or under any user where none is named."""
    user = bindparam("user", type_=TEXT)
    return or_(user.is_(None), table.c.key == user)


def _user_of(table: Table) -> ColumnElement[bool]:
    user = bindparam("user", type_=TEXT)
    return or_(user.is_(None), table.c.user_id == user)


def _upsert(table: Table, then: str) -> TextClause:
    """An INSERT that says what happens where the row stands already; both databases read it alike."""
    names = [column.name for column in table.c]
    keys = ", ".join(column.name for column in table.primary_key)
    places = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places}) ON CONFLICT ({keys}) {then}"  # noqa: S608  # names of our own tables
    return text(statement).bindparams(*(bindparam(name, type_=table.c[name].type) for name in names))


def put_row(table: Table) -> TextClause:
    """An INSERT that replaces the row that stands there already."""
    rest = [column.name for column in table.c if not column.primary_key]
    return _upsert(table, "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in rest))


def _add_up(table: Table) -> TextClause:
    rest = [column.name for column in table.c if not column.primary_key]
    return _upsert(
        table, "DO UPDATE SET " + ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in rest)
    )


# Written out rather than bound: a partial index is only used for the very condition it was made with.
_OPEN: Final = holds.c.state == literal_column("'open'")
_LEFT: Final = grants.c.remaining > literal_column("0")
_UNSENT: Final = outbox.c.sent_at.is_(None)

_LOGGED: Final = and_(
    transactions.c.business_id == holds.c.business_id,
    transactions.c.id == holds.c.id,
    transactions.c.attempt == holds.c.attempt,
)

_PINNED: Final = and_(
    allocations.c.business_id == holds.c.business_id,
    allocations.c.hold_id == holds.c.id,
    allocations.c.attempt == holds.c.attempt,
)

# The database's own clock, for hosts whose clocks differ.
NOW: Final = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS now")

# Wallets. On PostgreSQL the row is locked as it is read; SQLite has locked all of them already.
WALLET: Final = select(wallets).where(_own(wallets)).with_for_update()
LOOK: Final = select(wallets).where(_own(wallets))
ADD_WALLET: Final = _upsert(wallets, "DO NOTHING")
SAVE_WALLET: Final = update(wallets).where(_own(wallets))
# An expression rather than the column: SQLite would walk all wallets in the order of their key instead of those due.
_DUE_ID: Final = wallets.c.business_id.concat(literal_column("''"))
WALLETS_DUE: Final = (
    select(wallets.c.business_id)
    .where(wallets.c.next_due_at <= bindparam("now", type_=EXACT), bindparam("after", type_=TEXT) < _DUE_ID)
    .order_by(_DUE_ID)
    .limit(100)
)
SEVERAL_DUE: Final = (
    select(func.count().label("wallets"))
    .select_from(wallets)
    .where(wallets.c.next_due_at <= bindparam("now", type_=EXACT))
)

# Grants and what holds take from them.
GRANT: Final = select(grants).where(
    _own(grants),
    grants.c.source == bindparam("source", type_=TEXT),
    grants.c.source_ref == bindparam("ref", type_=TEXT),
)
GRANT_BY_ID: Final = select(grants).where(_own(grants), grants.c.id == bindparam("grant", type_=TEXT))
GRANTS_LEFT: Final = select(grants).where(_own(grants), _LEFT)
# With the server's time, read after the wallet was locked.
GRANTS_LEFT_NOW: Final = select(
    grants, literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", EXACT).label("now")
).where(_own(grants), _LEFT)
ADD_GRANT: Final = insert(grants)
SAVE_GRANT: Final = update(grants).where(_own(grants), grants.c.id == bindparam("grant", type_=TEXT))
_PLANNED: Final = and_(
    _own(planned_grants),
    planned_grants.c.source == bindparam("source", type_=TEXT),
    planned_grants.c.source_ref == bindparam("ref", type_=TEXT),
)
PLANNED: Final = select(planned_grants).where(_PLANNED)
ALL_PLANNED: Final = (
    select(planned_grants)
    .where(_own(planned_grants))
    .order_by(planned_grants.c.effective_at, planned_grants.c.source, planned_grants.c.source_ref)
)
PLAN_GRANT: Final = insert(planned_grants)
DROP_PLANNED: Final = delete(planned_grants).where(_PLANNED)
ADD_SHARE: Final = insert(allocations)
# What a hold took from a grant; named so that it can stand in one row with its hold.
_SHARE: Final = (allocations.c.grant_id, allocations.c.amount.label("share"))
SHARES: Final = select(*_SHARE).where(
    _own(allocations),
    allocations.c.hold_id == bindparam("key", type_=TEXT),
    allocations.c.attempt == bindparam("number", type_=EXACT),
)
USED_UNDER_KEY: Final = select(allocations).where(
    _own(allocations), allocations.c.hold_id == bindparam("key", type_=TEXT), allocations.c.used > 0
)
SAVE_SHARE: Final = update(allocations).where(
    _own(allocations),
    allocations.c.hold_id == bindparam("key", type_=TEXT),
    allocations.c.attempt == bindparam("number", type_=EXACT),
    allocations.c.grant_id == bindparam("grant", type_=TEXT),
)
PUT_SHARE: Final = put_row(allocations)

# Ledger.
ADD_ENTRY: Final = insert(ledger)
LEDGER: Final = select(ledger).where(_own(ledger)).order_by(ledger.c.seq)
LEDGER_PAGE: Final = (
    select(ledger)
    .where(_own(ledger), ledger.c.seq < bindparam("before", type_=EXACT))
    .order_by(ledger.c.seq.desc())
    .limit(bindparam("most", type_=EXACT))
)
ENTRY: Final = select(ledger).where(_own(ledger), ledger.c.seq == bindparam("seq", type_=EXACT))
ENTRY_OF: Final = select(ledger).where(
    _own(ledger), ledger.c.kind == bindparam("kind", type_=TEXT), ledger.c.ref == bindparam("ref", type_=TEXT)
)

# Holds.
ADD_HOLD: Final = insert(holds)
CLOSE_HOLD: Final = update(holds).where(_this(holds), _OPEN)
RENEW_HOLD: Final = update(holds).where(_this(holds), _OPEN)
UNCHARGE_HOLDS: Final = update(holds).where(_under_key(holds)).values(captured=literal_column("0"))
# A row for each grant that gives to it: one question of a billed call less.
HOLD: Final = (
    select(
        holds,
        transactions.c.outcome,
        transactions.c.charged,
        transactions.c.cost_micro_ghs,
        transactions.c.day,
        transactions.c.at,
        *_SHARE,
    )
    .outerjoin(transactions, _LOGGED)
    .outerjoin(allocations, _PINNED)
    .where(_this(holds))
)
HOLDS_UNDER_KEY: Final = (
    select(holds.c.attempt, holds.c.state, holds.c.request_hash).where(_under_key(holds)).order_by(holds.c.attempt)
)
ALL_HOLDS_UNDER_KEY: Final = select(holds).where(_under_key(holds)).order_by(holds.c.attempt)
OPEN_HOLDS: Final = select(holds).where(_own(holds), _OPEN).order_by(holds.c.expires_at, holds.c.id, holds.c.attempt)

# The call log, its sums per day, and the answers kept for a replay.
ADD_ROW: Final = insert(transactions)
SAVE_ROW: Final = update(transactions).where(_this(transactions))
# As the one above, but only of the amounts: a statement is always given the same parameters.
UNCHARGE_ROW: Final = update(transactions).where(_this(transactions))
ROW: Final = select(transactions).where(_this(transactions))
ROWS_UNDER_KEY: Final = select(transactions).where(_under_key(transactions)).order_by(transactions.c.attempt)
TRANSACTIONS: Final = (
    select(transactions)
    .where(_own(transactions))
    .order_by(transactions.c.at, transactions.c.id, transactions.c.attempt)
)
ADD_USAGE: Final = _add_up(usage_daily)
USAGE: Final = (
    select(usage_daily)
    .where(
        _own(usage_daily),
        usage_daily.c.day >= bindparam("first", type_=TEXT),
        usage_daily.c.day <= bindparam("last", type_=TEXT),
    )
    .order_by(usage_daily.c.day, usage_daily.c.feature)
)
KEEP_ANSWERS: Final = put_row(results)
ANSWERS: Final = select(results.c.answers).where(
    _under_key(results), results.c.expires_at > bindparam("now", type_=EXACT)
)
DROP_ANSWERS: Final = delete(results).where(results.c.expires_at <= bindparam("now", type_=EXACT))

# Trials.
CLAIMED: Final = select(trial_claims.c.key_hmac).where(trial_claims.c.key_hmac == bindparam("claim", type_=TEXT))
ADD_CLAIM: Final = _upsert(trial_claims, "DO NOTHING")

# Add-ons.
SUBSCRIPTION: Final = (
    select(subscriptions)
    .where(_own(subscriptions))
    .order_by(subscriptions.c.ended_at.is_not(None), subscriptions.c.id.desc())
    .limit(1)
)
SUBSCRIPTIONS: Final = select(subscriptions).where(_own(subscriptions)).order_by(subscriptions.c.id)
PUT_SUBSCRIPTION: Final = put_row(subscriptions)

# Prices.
PRICE_VERSIONS: Final = select(price_versions).order_by(price_versions.c.feature, price_versions.c.effective_from)
ADD_PRICE_VERSION: Final = _upsert(price_versions, "DO NOTHING")
PACK_VERSIONS: Final = select(pack_versions).order_by(pack_versions.c.type, pack_versions.c.effective_from)
ADD_PACK_VERSION: Final = _upsert(pack_versions, "DO NOTHING")

# Limits.
LIMITS: Final = select(limits).where(or_(_own(limits), limits.c.business_id == literal_column("''")))
PUT_LIMIT: Final = put_row(limits)
DROP_LIMIT: Final = delete(limits).where(
    _own(limits),
    limits.c.scope == bindparam("scope", type_=TEXT),
    limits.c.key == bindparam("key", type_=TEXT),
    limits.c.per == bindparam("per", type_=TEXT),
)
_COUNTER: Final = and_(
    _own(limit_counters),
    limit_counters.c.scope == bindparam("of_scope", type_=TEXT),
    limit_counters.c.key == bindparam("of_key", type_=TEXT),
    limit_counters.c.per == bindparam("of_per", type_=TEXT),
    limit_counters.c.starts_at == bindparam("of_start", type_=EXACT),
)
MAKE_COUNTER: Final = _upsert(limit_counters, "DO NOTHING")
COUNTER: Final = select(limit_counters).where(_COUNTER).with_for_update()
MOVE_COUNTER: Final = (
    update(limit_counters)
    .where(_COUNTER)
    .values(
        held=limit_counters.c.held + bindparam("pinned", type_=EXACT),
        used=limit_counters.c.used + bindparam("spent", type_=EXACT),
    )
)

# What the models cost in each window, over the rows that share it out among businesses.
SPENT: Final = text(
    "SELECT per, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(used) AS BIGINT) AS used, MAX(warned) AS warned, "
    "MAX(stopped) AS stopped "
    "FROM ai_provider_spend WHERE per = 'day' AND starts_at = :day OR per = 'month' AND starts_at = :month GROUP BY per"
).bindparams(bindparam("day", type_=EXACT), bindparam("month", type_=EXACT))
ADD_SPENT: Final = text(
    "INSERT INTO ai_provider_spend (per, starts_at, stripe, held, used) "
    "VALUES ('day', :day, :stripe, :held, :used), ('month', :month, :stripe, :held, :used) "
    "ON CONFLICT (per, starts_at, stripe) DO UPDATE "
    "SET held = ai_provider_spend.held + excluded.held, used = ai_provider_spend.used + excluded.used"
).bindparams(*(bindparam(name, type_=EXACT) for name in ("day", "month", "stripe", "held", "used")))
_FIRST_OF: Final = and_(
    provider_spend.c.per == bindparam("of_per", type_=TEXT),
    provider_spend.c.starts_at == bindparam("of_start", type_=EXACT),
    provider_spend.c.stripe == literal_column("0"),
)
MARK_WARNED: Final = update(provider_spend).where(_FIRST_OF).values(warned=bindparam("amount", type_=EXACT))
MARK_STOPPED: Final = update(provider_spend).where(_FIRST_OF).values(stopped=bindparam("amount", type_=EXACT))

# What is told, and what operators did.
ADD_EVENT: Final = text(
    "INSERT INTO ai_outbox (id, business_id, topic, dedupe_key, facts, at, attempts, next_at, sent_at) "
    "VALUES (:id, :business_id, :topic, :dedupe_key, :facts, :at, 0, :at, :sent_at) "
    "ON CONFLICT (business_id, dedupe_key) DO NOTHING"
).bindparams(
    *(bindparam(name, type_=outbox.c[name].type) for name in ("id", "business_id", "topic", "dedupe_key", "facts")),
    *(bindparam(name, type_=outbox.c[name].type) for name in ("at", "sent_at")),
)
EVENTS: Final = select(outbox).where(_own(outbox)).order_by(outbox.c.at, outbox.c.id)
EVENTS_DUE: Final = (
    select(outbox)
    .where(_UNSENT, outbox.c.next_at <= bindparam("now", type_=EXACT))
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(bindparam("most", type_=EXACT))
    .with_for_update(skip_locked=True)
)
SAVE_EVENT: Final = update(outbox).where(outbox.c.id == bindparam("event", type_=TEXT))
DROP_EVENTS: Final = delete(outbox).where(outbox.c.sent_at <= bindparam("before", type_=EXACT))
ADD_AUDIT: Final = insert(audit)
AUDIT: Final = select(audit).where(_own(audit)).order_by(audit.c.at, audit.c.id)


ERASED: Final = "erased"
"""Stands where somebody is named who was forgotten."""
ABOUT_USERS: Final = (
    select(audit)
    .where(
        _own(audit),
        audit.c.at < bindparam("before", type_=EXACT),
        audit.c.action.in_(
            [literal_column(f"'{one}'") for one in ("set_limit", "remove_limit", "set_top_up", "remove_top_up")]
        ),
    )
    .order_by(audit.c.at, audit.c.id)
)
"""The only entries that may name a shop's own people: whose limit it was, who agreed to a top-up."""
FORGET_IN_AUDIT: Final = (
    update(audit)
    .where(audit.c.id == bindparam("entry", type_=TEXT))
    .values(actor=bindparam("actor", type_=TEXT), detail=bindparam("detail", type_=TEXT))
)

# What erasing a person's data takes away; the books keep the amounts. A hold that is open keeps its user until it ends.
_CLOSED: Final = holds.c.state != literal_column("'open'")
ERASE: Final = (
    update(holds)
    .where(_own(holds), _CLOSED, _user_of(holds))
    .values(user_id=null(), request_hash=literal_column("''"), counters=null()),
    update(transactions)
    .where(_own(transactions), _user_of(transactions))
    .values(user_id=null(), request_hash=literal_column("''")),
    delete(results).where(
        _own(results),
        ~exists().where(
            holds.c.business_id == results.c.business_id,
            holds.c.id == results.c.id,
            holds.c.user_id.is_not(None),
            holds.c.user_id != bindparam("user", type_=TEXT),
        ),
    ),
    delete(limits).where(
        _own(limits),
        limits.c.scope == literal_column("'user'"),
        limits.c.key != literal_column("''"),
        _user_key(limits),
    ),
    delete(limit_counters).where(
        _own(limit_counters),
        limit_counters.c.scope == literal_column("'user'"),
        limit_counters.c.held == literal_column("0"),
        _user_key(limit_counters),
    ),
    update(purchases).where(_own(purchases), _user_of(purchases)).values(user_id=null()),
    # A word said by nobody known could not be told from the other ones: it goes as a whole.
    delete(feedback).where(_own(feedback), _user_of(feedback)),
    # Whose address and card it is nobody knows: they go with the whole business.
    update(purchases)
    .where(_own(purchases), bindparam("user", type_=TEXT).is_(None))
    .values(email=literal_column("''")),
    # A gateway may name a phone or a person in what it says. Not null: that would read as an attempt just begun.
    update(payment_attempts)
    .where(_own(payment_attempts), payment_attempts.c.reason.is_not(None), bindparam("user", type_=TEXT).is_(None))
    .values(reason=literal_column("''")),
    delete(saved_cards).where(_own(saved_cards), bindparam("user", type_=TEXT).is_(None)),
    delete(top_ups).where(_own(top_ups), bindparam("user", type_=TEXT).is_(None)),
    # What one user agreed to goes on for the business; who agreed is forgotten.
    update(top_ups)
    .where(_own(top_ups), top_ups.c.actor == bindparam("user", type_=TEXT))
    .values(actor=literal_column(f"'{ERASED}'")),
    # With its salt goes the only way to its pseudonyms; those of one user cannot be told apart.
    delete(salts).where(_own(salts), bindparam("user", type_=TEXT).is_(None)),
    delete(web_rates).where(_own(web_rates), _user_of(web_rates)),
    delete(web_replies).where(_own(web_replies), bindparam("user", type_=TEXT).is_(None)),
)

# What pseudonyms are made with.
SALT: Final = select(salts.c.salt).where(_own(salts))
ADD_SALT: Final = _upsert(salts, "DO NOTHING")
