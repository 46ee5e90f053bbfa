"""Spending limits set at run time, and the kill switch: what operators turn, and every process obeys at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.limits import Limit
from ai_addons.billing.operations import note
from ai_addons.billing.quota import PAUSED, limits_of
from ai_addons.billing.records import check_id
from ai_addons.billing.sql import statements as sql
from ai_addons.money import Credits

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.billing.books import Books
    from ai_addons.billing.limits import Scope, Window
    from ai_addons.billing.sql import Row, Tx

_ALL: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A kill switch that is pulled.

    Attributes:
        business: Whom it stops, None for everybody.
        feature: What it stops, None for everything.
        actor: Who pulled it.
        at: When, UTC microseconds.
    """

    business: str | None
    feature: str | None
    actor: str
    at: int


class Limits:
    """Limits and switches; every change is kept with its actor.

    Args:
        books: The open books.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def set(
        self,
        scope: Scope,
        window: Window,
        amount: str | int | Decimal | Credits,
        *,
        business: str | None = None,
        key: str | None = None,
        actor: str,
    ) -> None:
        """Set a spending limit; it holds from the next call on, in every process.

        It takes the place of one of the same scope, window, business and key, also of
        one in the settings.

        Args:
            scope: Whose spending: ``operator`` (all together), ``business``, ``user`` or ``feature``.
            window: ``day`` or ``month`` of the business's zone.
            amount: Credits that may be held and used in it.
            business: One business; None for each.
            key: One user or feature; None for each.
            actor: Who decided.

        Raises:
            ValueError: For a scope, window, amount or name that makes no limit.
        """
        _check_names(business, key)
        limit = Limit(scope=scope, window=window, amount=Credits(amount), business=business, key=key)
        self._put(limit.scope, limit.window, business, key, limit.amount, actor=actor)

    def remove(
        self, scope: Scope, window: Window, *, business: str | None = None, key: str | None = None, actor: str
    ) -> bool:
        """Remove a limit set at run time; one in the settings holds again.

        Returns:
            Whether there was one.
        """
        _check_names(business, key)
        return self._drop(scope, window, business, key, actor=actor)

    def of(self, business: str) -> list[Limit]:
        """The limits in force for a business, those for all businesses among them."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.LIMITS, {"business": business}))
        return limits_of(self._books.terms, rows)

    def paused(self, business: str | None = None) -> list[Switch]:
        """The kill switches that are pulled.

        Args:
            business: Those that stop this business, the ones for all among them; None for those for all.
        """
        _check_names(business, None)
        rows = self._books.database.read(lambda tx: tx.rows(sql.LIMITS, {"business": business or _ALL}))
        return [read_switch(row) for row in rows if row.per == PAUSED]

    def pause(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> None:
        """Pull the kill switch: no new holds; free repeats and calls in progress go on.

        Args:
            business: For one business; None for all.
            feature: For one feature; None for all.
            actor: Who decided.
            reason: Why; kept in the audit log.
        """
        _check_names(business, feature)
        scope = _switch(business, feature)
        self._put(scope, PAUSED, business, feature, Credits(0), actor=actor, reason=reason)

    def resume(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> bool:
        """Release the kill switch that was pulled with the same arguments.

        Args:
            business: For one business; None for all.
            feature: For one feature; None for all.
            actor: Who decided.
            reason: Why; kept in the audit log.

        Returns:
            Whether it was pulled.
        """
        _check_names(business, feature)
        return self._drop(_switch(business, feature), PAUSED, business, feature, actor=actor, reason=reason)

    def _put(
        self,
        scope: str,
        per: str,
        business: str | None,
        key: str | None,
        amount: Credits,
        *,
        actor: str,
        reason: str | None = None,
    ) -> None:
        def work(tx: Tx) -> None:
            now = self._books.now(tx)
            row = {"business_id": business or _ALL, "scope": scope, "key": key or _ALL, "per": per}
            tx.write(sql.PUT_LIMIT, row | {"amount": amount.micro, "actor": actor, "set_at": now})
            detail = {"scope": scope, "per": per, "key": key, "amount": str(amount), **_why(reason)}
            note(self._books, tx, now, actor, "pause" if per == PAUSED else "set_limit", business or _ALL, detail)

        self._books.database.write(work)

    def _drop(
        self,
        scope: str,
        per: str,
        business: str | None,
        key: str | None,
        *,
        actor: str,
        reason: str | None = None,
    ) -> bool:
        def work(tx: Tx) -> bool:
            place = {"business": business or _ALL, "scope": scope, "key": key or _ALL, "per": per}
            gone = bool(tx.changed(sql.DROP_LIMIT, place))
            if gone:
                action = "resume" if per == PAUSED else "remove_limit"
                detail = {"scope": scope, "per": per, "key": key, **_why(reason)}
                note(self._books, tx, self._books.now(tx), actor, action, business or _ALL, detail)
            return gone

        return self._books.database.write(work)


def read_switch(row: Row) -> Switch:
    """A kill switch from its row."""
    return Switch(business=row.business_id or None, feature=row.key or None, actor=row.actor, at=row.set_at)


def _why(reason: str | None) -> dict[str, str]:
    """The reason, where one is given."""
    return {} if reason is None else {"reason": reason}


def _check_names(business: str | None, key: str | None) -> None:
    """Refuse an empty name: in the books it stands for all."""
    if business is not None:
        check_id(business, "a business id")
    if key is not None:
        check_id(key, "a user id or a feature key")


def _switch(business: str | None, feature: str | None) -> Scope:
    """The scope that a kill switch stands under."""
    if feature is not None:
        return "feature"
    return "operator" if business is None else "business"
