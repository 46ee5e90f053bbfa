"""The tables of the books, and the same rows as the reference model has them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.books import Books
    from tests.machine_shop import Shop

_WALLETS: Final = (
    "SELECT business_id, posted, held, lifetime_in, lifetime_used, status, policy, alert_armed, alert_fired_at, period"
    " FROM business_ai_credits"
)
_GRANTS: Final = (
    "SELECT business_id, source, source_ref, amount, remaining, held, expires_at, paid, voided_at IS NOT NULL"
    " FROM ai_credit_grants ORDER BY id"
)
_PLANNED: Final = (
    "SELECT business_id, source, source_ref, amount, effective_at FROM ai_planned_grants"
    " ORDER BY effective_at, source, source_ref"
)
_HOLDS: Final = "SELECT business_id, id, attempt, amount, state, expires_at, user_id FROM ai_credit_holds"
_ROWS: Final = "SELECT business_id, id, attempt, outcome, charged, revenue_micro_ghs, user_id FROM ai_transactions"
_LEDGER: Final = (
    "SELECT business_id, kind, debit, credit, amount, effective_at FROM ai_ledger ORDER BY business_id, seq"
)
_SUBS: Final = (
    "SELECT business_id, id, state, anchor_at, first, period, paid_through, carried, waiting, waiting_paid, reminded"
    " FROM ai_monthly_addons ORDER BY id"
)


def found(books: Books) -> dict[str, dict[str, Any]]:
    """What the tables hold, by business."""
    all_: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, statement in (
        ("wallet", _WALLETS),
        ("grants", _GRANTS),
        ("planned", _PLANNED),
        ("holds", _HOLDS),
        ("rows", _ROWS),
        ("ledger", _LEDGER),
        ("subs", _SUBS),
    ):
        for business, *rest in books.sql(statement):
            all_[business].setdefault(name, []).append(tuple(rest))
    return {business: _named(tables) for business, tables in all_.items()}


def _named(tables: dict[str, Any]) -> dict[str, Any]:
    """The tables of one business; its add-ons called as the model calls them, calls in the order of their keys."""
    names = {row[0]: f"addon-{number}" for number, row in enumerate(tables.get("subs", []))}
    tables["subs"] = [(names[row[0]], *row[1:]) for row in tables.get("subs", [])]
    tables["grants"] = [(row[0], _renamed(row[1], names), *row[2:]) for row in tables.get("grants", [])]
    tables |= {name: sorted(tables.get(name, []), key=lambda row: row[:2]) for name in ("holds", "rows")}
    return {"planned": [], "ledger": []} | tables


def _renamed(ref: str, names: dict[str, str]) -> str:
    first, colon, rest = ref.partition(":")
    return names.get(first, first) + colon + rest


def expected(shop: Shop) -> dict[str, Any]:
    """The same from the model."""
    shown = (shop.lifetime_in, shop.lifetime_used, shop.status, shop.policy, int(shop.armed), shop.fired, shop.period)
    held = [call for call in shop.calls if call.state != "free"]
    done = [call for call in shop.calls if call.outcome is not None]
    return {
        "wallet": [(shop.posted, shop.held, *shown)],
        "grants": [
            (g.source, g.ref, g.amount, g.left, g.held, g.ends, g.paid, int(g.void))
            for g in sorted(shop.grants, key=lambda g: g.number)
        ],
        "planned": [
            (g.source, g.ref, g.amount, g.begins)
            for g in sorted(shop.planned, key=lambda g: (g.begins, g.source, g.ref))
        ],
        "holds": sorted((c.key, c.attempt, c.amount, c.state, c.ends, c.user) for c in held),
        "rows": sorted((c.key, c.attempt, c.outcome, c.charged, c.revenue, c.user) for c in done),
        "ledger": shop.ledger,
        "subs": [
            (
                s.id,
                s.state,
                s.anchor,
                s.first,
                s.period,
                s.paid_through,
                s.carried,
                s.waiting,
                s.waiting_paid,
                s.reminded,
            )
            for s in shop.subs
        ],
    }
