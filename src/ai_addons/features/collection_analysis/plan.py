"""All that code has worked out about a shop's receivables, before anybody writes a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import letters
from ai_addons.features.collection_analysis.ageing import ageing, roll_rates, totals
from ai_addons.features.collection_analysis.chance import recent
from ai_addons.features.collection_analysis.ranking import ranked, standings

if TYPE_CHECKING:
    from ai_addons.features.collection_analysis.models import (
        AgeingBucket,
        CollectionPolicy,
        CollectionTotals,
        Receivables,
        RollRate,
    )
    from ai_addons.features.collection_analysis.ranking import Placed

LISTED: Final = 50
"""So many customers are on the list."""
TOLD: Final = 20
"""So many of them are told to a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The worklist with its figures.

    Attributes:
        placed: Everybody who owes, in order.
        totals: The receivables in a few figures.
        ageing: The five buckets.
        roll_rates: What grew older since the last month end.
        calls: How many calls are possible.
        settled: Settled bills that were learnt from.
        old_settled: Settled bills too old to count.
    """

    placed: tuple[Placed, ...]
    totals: CollectionTotals
    ageing: tuple[AgeingBucket, ...]
    roll_rates: tuple[RollRate, ...]
    calls: int
    settled: int
    old_settled: int

    @property
    def listed(self) -> tuple[Placed, ...]:
        """Those on the list."""
        return self.placed[:LISTED]

    @property
    def told(self) -> dict[str, Placed]:
        """Those a model is told of, by pseudonym: ``CA`` is the first."""
        return {f"C{letters(place)}": one for place, one in enumerate(self.placed[:TOLD])}


def plan_collection(receivables: Receivables, policy: CollectionPolicy) -> Plan:
    """Rank, choose actions and sum up."""
    found = standings(receivables, policy)
    bills = [bill for bill in receivables.open_invoices if bill.outstanding > 0]
    settled = len(recent(receivables.settled_invoices, receivables.as_of))
    calls = receivables.capacity.calls
    return Plan(
        placed=ranked(found, policy, calls),
        totals=totals(receivables, bills, found),
        ageing=ageing(bills, receivables.as_of),
        roll_rates=roll_rates(receivables.month_end_buckets, bills, receivables.as_of),
        calls=calls,
        settled=settled,
        old_settled=len(receivables.settled_invoices) - settled,
    )
