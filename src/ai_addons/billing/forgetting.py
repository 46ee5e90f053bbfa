"""What the audit log forgets of a shop's own people; what operators did keeps their names, which is what it is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.sql import statements as sql

if TYPE_CHECKING:
    from ai_addons.billing.sql import Row, Tx

_AGREEMENTS: Final = frozenset({"set_top_up", "remove_top_up"})
_LAST_TIME: Final = 2**62


def forget_in_audit(tx: Tx, business: str, *, user: str | None, before: int = _LAST_TIME) -> int:
    """Take out who agreed to a top-up and whose limit was set; that it was done, when and by which operator stays.

    Args:
        tx: An open transaction.
        business: About whom the entries are.
        user: One user; None for all.
        before: Entries before this moment only, UTC microseconds.

    Returns:
        How many entries forgot somebody; none if it is done again.
    """
    found = tx.rows(sql.ABOUT_USERS, {"business": business, "before": before})
    changed = [(row, after) for row in found if (after := _forgotten(row, user)) != (row.actor, row.detail)]
    for row, (actor, detail) in changed:
        tx.write(sql.FORGET_IN_AUDIT, {"entry": row.id, "actor": actor, "detail": detail})
    return len(changed)


def _forgotten(row: Row, user: str | None) -> tuple[str, str]:
    """Actor and particulars of an entry without the user; as they are where it names somebody else or nobody."""
    if row.action in _AGREEMENTS:
        return sql.ERASED if user in {None, row.actor} else row.actor, row.detail
    detail: dict[str, Any] = json.loads(row.detail)
    if detail["scope"] == "user" and detail["key"] is not None and user in {None, detail["key"]}:
        return row.actor, json.dumps(detail | {"key": sql.ERASED}, sort_keys=True)
    return row.actor, row.detail
