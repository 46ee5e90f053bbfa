"""The worklist as the owner gets it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis.chance import VERSION
from ai_addons.features.collection_analysis.models import CollectionAnalysis, RankedCustomer, WorkBlock
from ai_addons.features.collection_analysis.words import REASONS

if TYPE_CHECKING:
    from ai_addons.features.collection_analysis.models import CollectionComment, CollectionPolicy
    from ai_addons.features.collection_analysis.plan import Plan
    from ai_addons.features.collection_analysis.ranking import Placed

_CENT: Final = Decimal("0.01")
_NOTHING: Final = "No customer owes anything."
_FEW: Final = "Few customers owe something, so the list stands without a comment."


def analysis(plan: Plan, policy: CollectionPolicy, answer: CollectionComment) -> CollectionAnalysis:
    """The list with a comment whose facts are filled in."""
    told = plan.told
    return uncommented(plan, policy).model_copy(
        update={
            "headline": answer.headline.text,
            "blocks": tuple(
                WorkBlock(
                    title=block.title,
                    refs=tuple(told[key].standing.ref for key in block.refs),
                    action=told[block.refs[0]].action,
                    why=block.why.text,
                    how=block.how.text,
                )
                for block in answer.blocks
            ),
            "watch": tuple(line.text for line in answer.watch),
            "expected_effect": answer.expected_effect.text,
            "caveats": tuple(line.text for line in answer.caveats),
        }
    )


def uncommented(plan: Plan, policy: CollectionPolicy) -> CollectionAnalysis:
    """The list alone."""
    return CollectionAnalysis(
        ranked=tuple(_line(one) for one in plan.listed),
        totals=plan.totals,
        ageing=plan.ageing,
        roll_rates=plan.roll_rates,
        headline=_FEW if plan.placed else _NOTHING,
        blocks=(),
        watch=(),
        expected_effect="",
        caveats=(),
        policy_version=policy.version,
        method_version=VERSION,
    )


def _line(one: Placed) -> RankedCustomer:
    owes = one.standing
    return RankedCustomer(
        ref=owes.ref,
        rank=one.rank,
        overdue=owes.overdue,
        days_overdue=owes.days_overdue,
        p_unpaid=owes.chance,
        expected_unpaid=owes.expected.quantize(_CENT, ROUND_HALF_UP),
        action=one.action,
        reason_code=one.reason,
        reason=REASONS[one.reason],
    )
