"""The facts of a collection analysis, and sentences made of them without a model."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ai_addons.features import _facts
from ai_addons.features._facts import by_key, references
from ai_addons.features._names import named
from ai_addons.features._result import Notice
from ai_addons.features.collection_analysis.models import (
    BlockAnswer,
    CollectionComment,
    Effect,
    Headline,
    Line,
    Passage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.features._result import DataQuality, Fact
    from ai_addons.features.collection_analysis.models import (
        Action,
        AgeingBucket,
        Bucket,
        CollectionTotals,
        ReasonCode,
        RollRate,
    )
    from ai_addons.features.collection_analysis.plan import Plan
    from ai_addons.features.collection_analysis.ranking import Placed

SMALLEST_GROUP: Final = 5
"""A figure over fewer customers or bills than this is not told to a model."""
THIN: Final = 20
"""With fewer settled bills the shop's habits are thin (set by hand)."""
_MOST_REFS: Final = 10
_MOST_BLOCKS: Final = 4
_MOST_WATCH: Final = 3

GROUPS: Final[Mapping[Bucket, tuple[str, str]]] = {
    "current": ("not_due", "not yet due"),
    "days_1_30": ("month", "up to a month overdue"),
    "days_31_60": ("two_months", "in the second month overdue"),
    "days_61_90": ("three_months", "in the third month overdue"),
    "over_90": ("older", "overdue for longer than that"),
}
"""How facts name a bucket, and how people do."""

REASONS: Final[Mapping[ReasonCode, str]] = {
    "DISPUTE": "A bill is in dispute. Settle that first.",
    "LIVE_PROMISE": "A promised day has not passed yet.",
    "PAID_TODAY": "A bill was paid today.",
    "BROKEN_PROMISES": "Promises were not kept. Agree on instalments.",
    "UNANSWERED": "Much is owed, long overdue, and contacts stayed without an answer.",
    "WITHIN_CAPACITY": "Among the first by money that is likely still unpaid in two weeks.",
    "BEYOND_CAPACITY": "No call is left for this place in the list.",
}
"""The rule behind each action, for the owner."""


def collection_facts(plan: Plan) -> dict[str, Fact]:
    """All that the comment may cite; what cannot be computed, or speaks of too few, is left out."""
    rows = (fact for key, one in plan.told.items() for fact in row_facts(key, one))
    return by_key(*_total_facts(plan), *_age_facts(plan.ageing), *_roll_facts(plan.roll_rates), *rows)


def row_facts(key: str, one: Placed) -> tuple[Fact, ...]:
    """One customer: the name is filled in here and never sent."""
    owes = one.standing
    return (
        named(key, "customer", owes.ref),
        _facts.money(f"{key}.owed", "owed in all", owes.outstanding),
        _facts.money(f"{key}.overdue", "past due", owes.overdue),
        _facts.days(f"{key}.days", "days past due", Decimal(owes.days_overdue)),
        _facts.percent(f"{key}.chance", "chance of being past due and unpaid in two weeks", owes.chance),
        _facts.money(f"{key}.expected", "likely still unpaid in two weeks", owes.expected.quantize(Decimal("0.01"))),
    )


def _total_facts(plan: Plan) -> tuple[Fact | None, ...]:
    sums = plan.totals
    return (
        _facts.money("outstanding", "owed in all", sums.outstanding),
        _facts.money("expected_unpaid", "likely still unpaid in two weeks", sums.expected_unpaid),
        _facts.count("customers", "customers who owe", sums.customers),
        _facts.count("bills", "open bills", sums.invoices),
        _facts.count("calls_possible", "calls that are possible", plan.calls),
        _facts.count(
            "paused_customers", "customers to leave alone for now", sum(one.standing.paused for one in plan.placed)
        ),
        None if sums.dso is None else _facts.days("dso", "days of credit sales that are still owed", sums.dso),
        *_overdue_facts(plan, sums),
        *_concentration_facts(sums),
        *_call_facts(plan),
    )


def _overdue_facts(plan: Plan, sums: CollectionTotals) -> tuple[Fact | None, ...]:
    """Money past due, where enough customers stand behind it."""
    after_30, after_60 = (sum(one.standing.days_overdue > days for one in plan.placed) for days in (30, 60))
    return (
        _group(sums.customers_overdue, _facts.money("overdue", "past due", sums.overdue)),
        _group(sums.customers_overdue, _facts.count("overdue_customers", "customers past due", sums.customers_overdue)),
        _group(after_30, _facts.percent("at_risk", "owed on bills over a month overdue", sums.par30)),
        _group(after_60, _facts.percent("deep_at_risk", "owed on bills over two months overdue", sums.par60)),
    )


def _concentration_facts(sums: CollectionTotals) -> tuple[Fact | None, ...]:
    fifth = -(-sums.customers // 5)
    return (
        # With ten customers or fewer it would be all of them.
        _group(sums.customers - 10, _facts.percent("top_ten_share", "owed by the ten largest", sums.top_10_share), 1),
        _group(fifth, _facts.percent("top_fifth_share", "owed by the largest fifth", sums.top_fifth_share)),
    )


def _call_facts(plan: Plan) -> tuple[Fact | None, ...]:
    """What the calls reach of the money that is likely still unpaid."""
    called = [one.standing for one in plan.placed if one.action == "call"]
    reached = sum((one.expected for one in called), Decimal(0))
    everything = sum((one.standing.expected for one in plan.placed), Decimal(0))
    covered = reached / everything if everything else Decimal(0)
    return (
        _facts.count("call_customers", "customers to call", len(called)),
        _group(
            len(called), _facts.percent("call_share", "of the money likely unpaid, with customers to call", covered)
        ),
    )


def _group(size: int, fact: Fact, least: int = SMALLEST_GROUP) -> Fact | None:
    return fact if size >= least else None


def _age_facts(found: Sequence[AgeingBucket]) -> tuple[Fact | None, ...]:
    return tuple(
        _group(one.customers, fact)
        for one in found
        for name, label in [GROUPS[one.bucket]]
        for fact in (
            _facts.money(f"{name}.owed", f"owed, {label}", one.amount),
            _facts.percent(f"{name}.share", f"share of what is owed, {label}", one.share),
        )
    )


def _roll_facts(found: Sequence[RollRate]) -> tuple[Fact | None, ...]:
    return tuple(
        _group(
            one.invoices,
            _facts.percent(f"{name}.grew_older", f"{label}, moved to the next group", one.rate, n=one.invoices),
        )
        for one in found
        for name, label in [GROUPS[one.bucket]]
    )


def data_quality(settled: int) -> DataQuality:
    """No settled bill to learn from is poor, fewer than 20 is thin."""
    return "poor" if settled == 0 else "thin" if settled < THIN else "ok"


def notices(plan: Plan) -> tuple[Notice, ...]:
    """What could not be computed, and what was set aside."""
    found = (
        (plan.settled == 0, "no_history", "There is no settled bill, so lateness was assumed, not measured."),
        (plan.old_settled > 0, "old_bills_ignored", "Settled bills issued more than 730 days ago were not counted."),
        (plan.totals.dso is None, "no_credit_sales", "Without sales on credit there are no days sales outstanding."),
        (not plan.roll_rates, "no_month_end", "Without last month end's buckets there are no roll rates."),
        (
            len(plan.placed) > len(plan.listed),
            "list_cut",
            "The list is cut: more customers owe than it shows.",
        ),
    )
    return tuple(Notice(code=code, text=text) for applies, code, text in found if applies)


def comment(plan: Plan, facts: Mapping[str, Fact]) -> CollectionComment:
    """The comment in sentences of ours: what is shown when no model had a part in it."""
    return CollectionComment(
        headline=Headline(**_parts(_HEADLINE if "overdue" in facts else _HEADLINE_DUE)),
        blocks=tuple(_block(title, keys, action) for title, keys, action in _pieces(plan)),
        watch=tuple(Line(**_parts(text)) for text in _watch(plan, facts)),
        expected_effect=Effect(**_parts(_EFFECT if "call_share" in facts else _EFFECT_OTHER)),
        caveats=tuple(Line(**_parts(text)) for text in (_CAVEAT, *([_ASSUMED] if plan.settled == 0 else []))),
    )


_HEADLINE: Final = "{overdue} of {outstanding} is past due; {expected_unpaid} is likely still unpaid in two weeks."
_HEADLINE_DUE: Final = "{outstanding} is owed; {expected_unpaid} of it is likely still unpaid in two weeks."
_TITLES: Final[Mapping[Action, tuple[str, str]]] = {
    "call": ("Call first", "Call next"),
    "message": ("Send a reminder", "Remind next"),
    "visit": ("Visit", "Visit next"),
    "plan": ("Agree on instalments", "Agree on instalments next"),
    "pause": ("Leave alone for now", "Leave alone as well"),
}
_WHY: Final[Mapping[Action, str]] = {
    "call": "Most of the money at risk is here. First is {X}: {X.expected} is likely still unpaid in two weeks.",
    "message": "Less money is at risk here. First is {X}: {X.expected} is likely still unpaid in two weeks.",
    "visit": "Much is owed and messages stayed without an answer. First is {X}: {X.overdue}, {X.days} past due.",
    "plan": "Promises were not kept before. First is {X}: {X.overdue}, {X.days} past due.",
    "pause": "A dispute is open, a promised day has not passed, or a bill was paid today. First is {X}.",
}
_HOW: Final[Mapping[Action, str]] = {
    "call": "Name the bill, ask whether anything is wrong with it, and agree on a day to pay. Note what is said.",
    "message": "Send a short, friendly reminder that names the bill and offers help with questions.",
    "visit": "Go there in person at a quiet hour, ask what stands in the way, and agree on a day. Stay friendly.",
    "plan": "Offer to split what is owed into parts that can be kept, with a day for each, and write it down.",
    "pause": "Settle the dispute, or wait for the promised day, before anybody asks for money again.",
}
_EFFECT: Final = (
    "The calls on the list cover {call_share} of the money that is likely still unpaid in two weeks. What a call"
    " changes is not known yet."
)
_EFFECT_OTHER: Final = "The largest amounts at risk are dealt with first. What a contact changes is not known yet."
_CAVEAT: Final = "The order is by money at risk. It does not say with whom a contact helps the most."
_ASSUMED: Final = "No settled bill was given, so how customers pay was assumed."
_TOP_TEN: Final = "The ten largest customers owe {top_ten_share} of all that is owed."
_PAUSED: Final = "Customers to leave alone for now: {paused_customers}. Look at their disputes and promises."
_GREW: Final = "Of the money that was %s at the last month end, {%s.grew_older} has moved to the next older group."
_NOTE: Final = "Note each contact and what came of it. That shows which way works."


def _parts(text: str) -> dict[str, Any]:
    return {"text": text, "fact_keys": tuple(references(text))}


def _block(title: str, keys: Sequence[str], action: Action) -> BlockAnswer:
    why = _WHY[action].replace("{X", "{" + keys[0])
    return BlockAnswer(title=title, refs=tuple(keys), why=Passage(**_parts(why)), how=Passage(**_parts(_HOW[action])))


def _pieces(plan: Plan) -> list[tuple[str, list[str], Action]]:
    """The told customers by action, ten at a time, by their first place; at least two pieces."""
    grouped: dict[Action, list[str]] = {}
    for key, one in plan.told.items():
        grouped.setdefault(one.action, []).append(key)
    size = _MOST_REFS if len(grouped) > 1 else min(_MOST_REFS, -(-len(plan.told) // 2))
    pieces: list[tuple[str, list[str], Action]] = [
        (_TITLES[action][start > 0], keys[start : start + size], action)
        for action, keys in grouped.items()
        for start in range(0, len(keys), size)
    ]
    places = list(plan.told)
    pieces.sort(key=lambda piece: places.index(piece[1][0]))
    return pieces[:_MOST_BLOCKS]


def _watch(plan: Plan, facts: Mapping[str, Fact]) -> list[str]:
    """The worst roll rate, the paused, the largest; else what to note."""
    grew = [one for one in plan.roll_rates if f"{GROUPS[one.bucket][0]}.grew_older" in facts]
    worst = max(grew, key=lambda one: one.rate, default=None)
    paused = any(one.standing.paused for one in plan.placed)
    found = (
        (worst is not None, "" if worst is None else _GREW % (GROUPS[worst.bucket][1], GROUPS[worst.bucket][0])),
        (paused, _PAUSED),
        ("top_ten_share" in facts, _TOP_TEN),
        (True, _NOTE),
    )
    return [text for applies, text in found if applies][:_MOST_WATCH]
