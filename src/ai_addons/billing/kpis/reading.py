"""Counts in the books what the KPIs are worked out from."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from ai_addons.billing.fx_used import read_fx
from ai_addons.billing.gateways.base import AuditableGateway, Outcome
from ai_addons.billing.kpis import make_kpis
from ai_addons.billing.kpis.facts import (
    Confirmed,
    Conversion,
    Endings,
    Facts,
    Refusals,
    Responses,
    score_payments,
)
from ai_addons.billing.orders import REFERENCE
from ai_addons.billing.periods import DAY_US, period_of
from ai_addons.billing.sql import figures as sql
from ai_addons.billing.usage import check_period
from ai_addons.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from random import Random

    from ai_addons.billing.books import Books
    from ai_addons.billing.fx_used import FxUsed
    from ai_addons.billing.gateways.base import Charge, Gateway
    from ai_addons.billing.kpis import Kpis
    from ai_addons.billing.kpis.facts import PaymentScore
    from ai_addons.billing.periods import Period
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.usage import Reports


class KpiDesk:
    """Makes the operator's KPIs from the books.

    Args:
        books: The open books.
        reports: Makes the margins.
    """

    def __init__(self, books: Books, reports: Reports) -> None:
        self._books = books
        self._reports = reports

    def kpis(
        self,
        days: int,
        rng: Random,
        *,
        active: Collection[str] | None,
        active_before: Collection[str] | None,
        gateways: Iterable[Gateway] | None,
    ) -> Kpis:
        """The KPIs of the last days.

        Args:
            days: 1 to 366, today included, in the operator's zone.
            rng: Draws the resamples of means.
            active: The host's subscribers now; None if it does not say.
            active_before: Those at the begin of the window; None if it does not say.
            gateways: Asked for all payments they know; None asks nobody.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        check_period(days)
        now = self._books.database.read(self._books.now)
        period = period_of(now, days, self._books.terms.operator_tz)
        scored = None if gateways is None else self._payments(gateways, period)
        facts, fx = self._books.database.read(
            partial(self._count, period, active, active_before, scored), snapshot=True
        )
        return make_kpis(facts, rng, fx)

    def _count(
        self,
        period: Period,
        active: Collection[str] | None,
        active_before: Collection[str] | None,
        payments: PaymentScore | None,
        tx: Tx,
    ) -> tuple[Facts, tuple[FxUsed, ...]]:
        window = {"since": period.since, "until": period.until}
        scored_until = max(period.until - DAY_US, period.since)
        settled = {"since": period.since, "until": scored_until}
        ratings, recommends = _said(tx, window)
        facts = Facts(
            since=period.since,
            until=period.until,
            days=period.days,
            scored_until=scored_until,
            responses=_responses(tx, window),
            endings=_endings(tx, window),
            cache=self._reports.cache_use_in(tx, period.days),
            margins=self._reports.margins_in(tx, period.days),
            users={row.business_id: row.revenue for row in _users(tx, period.first, period.last)},
            former_users=frozenset(row.business_id for row in _users(tx, period.first_before, period.last_before)),
            buyers=frozenset(row.business_id for row in tx.rows(sql.BUYERS, window)),
            active=None if active is None else frozenset(active),
            active_before=None if active_before is None else frozenset(active_before),
            payments=payments,
            granted=tx.value(sql.GRANTED, settled),
            conversion=tuple(
                Conversion(method=row.method, initiated=row.initiated, paid=row.paid)
                for row in tx.rows(sql.CONVERSION, settled)
            ),
            refusals=_refusals(tx, settled),
            ratings=ratings,
            recommends=recommends,
        )
        return facts, read_fx(tx.rows(sql.FX_USED, window | {"business": ""}))

    def _payments(self, gateways: Iterable[Gateway], period: Period) -> PaymentScore | None:
        """What the gateways' own lists say; None if one cannot list or cannot be asked."""
        listing = list(gateways)
        auditable = [gateway for gateway in listing if isinstance(gateway, AuditableGateway)]
        if not listing or len(auditable) < len(listing):
            return None
        until = period.until - DAY_US
        try:
            confirmed = [one for gateway in auditable for one in self._confirmed(gateway, period.since, until)]
        except GatewayError:
            return None
        return score_payments(confirmed)

    def _confirmed(self, gateway: AuditableGateway, since: int, until: int) -> Iterator[Confirmed]:
        if since >= until:
            return
        for charge in gateway.charges(since, until):
            # A gateway's account may collect for more than this package.
            ours = charge.reference.startswith(REFERENCE)
            if ours and charge.outcome in {Outcome.PAID, Outcome.REVERSED}:
                yield self._books.database.read(partial(_look_up, charge))


def _look_up(charge: Charge, tx: Tx) -> Confirmed:
    """A payment beside its order."""
    attempt = tx.one(sql.ATTEMPT, {"reference": charge.reference})
    order = None if attempt is None else tx.one(sql.ORDER, {"business": attempt.business_id, "order": attempt.order_id})
    return Confirmed(
        reference=charge.reference,
        order=None if order is None else order.id,
        confirmed_at=charge.paid_at,
        granted_at=None if order is None else order.paid_at,
    )


def _responses(tx: Tx, window: dict[str, int]) -> tuple[Responses, ...]:
    return tuple(
        Responses(
            feature=row.feature,
            served=row.served,
            latency_ms=row.latency_ms,
            given_up=bool(row.given_up),
            calls=row.calls,
        )
        for row in tx.rows(sql.RESPONSES, window)
    )


def _endings(tx: Tx, window: dict[str, int]) -> Endings:
    ended = {row.outcome: row.calls for row in tx.rows(sql.OUTCOMES, window)}
    return Endings(
        ok=ended.get("ok", 0),
        failed=ended.get("failed", 0),
        unknown=ended.get("unknown", 0),
        stuck=tx.value(sql.STUCK, window | {"now": window["until"]}),
        twice=tx.value(sql.TWICE, window),
        unlogged=tx.value(sql.UNLOGGED, window),
    )


def _users(tx: Tx, first: str, last: str) -> list[Row]:
    return tx.rows(sql.USERS, {"first": first, "last": last})


def _refusals(tx: Tx, window: dict[str, int]) -> tuple[Refusals, ...]:
    """Attempts by method and reason; what differs only in what else the gateway said is one."""
    counts = Counter[tuple[str, str]]()
    for row in tx.rows(sql.REFUSALS, window):
        counts[row.method, row.reason or row.raw_status or row.outcome] += row.attempts
    return tuple(
        Refusals(method=method, reason=reason, attempts=attempts)
        for (method, reason), attempts in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    )


def _said(tx: Tx, window: dict[str, int]) -> tuple[dict[int, int], dict[int, int]]:
    ratings, recommends = Counter[int](), Counter[int]()
    for row in tx.rows(sql.RATINGS, window):
        for counts, value in ((ratings, row.rating), (recommends, row.recommend)):
            if value is not None:
                counts[value] += row.answers
    return dict(ratings), dict(recommends)
