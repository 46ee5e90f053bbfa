"""The fixed menu: each metric pack is a function from a shop to figures, or to None where its data is not there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Final, TypeAlias

from ai_addons.features import _facts
from ai_addons.features._facts import letters, with_sign
from ai_addons.features._names import named
from ai_addons.features.customer_insight.grids import Grid, Row, amount, people_grid, share
from ai_addons.features.customer_insight.groups import person
from ai_addons.features.customer_insight.models import MOST_ROWS
from ai_addons.features.customer_insight.segments import overdue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ai_addons.features._result import Fact
    from ai_addons.features.customer_insight.groups import Shop
    from ai_addons.features.customer_insight.models import InsightPolicy, MetricPack, Purchase, Segment

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIFTH: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The figures of a pack.

    Attributes:
        totals: Single figures; what could not be computed, or is of too few customers, is left out.
        grid: Its rows, if it has any.
        group: Customers behind it.
    """

    totals: tuple[Fact, ...]
    grid: Grid | None
    group: int


Maker: TypeAlias = "Callable[[Shop, InsightPolicy], Pack | None]"


def _pack(totals: Iterable[Fact | None], grid: Grid | None, group: int, policy: InsightPolicy) -> Pack:
    """A pack; its totals are left out where the group is too small."""
    shown = group >= policy.smallest_group
    return Pack(totals=tuple(fact for fact in totals if fact is not None and shown), grid=grid, group=group)


def _by_spend(shop: Shop) -> list[int]:
    """Places of the customers, the largest spend first, then the likelier to return, then by reference."""
    people = shop.people
    return sorted(range(len(people)), key=lambda at: (-people[at].spend, -people[at].return_score, at))


def _top(shop: Shop, policy: InsightPolicy) -> Pack | None:
    if not shop.people:
        ready = [one for _, one in shop.ready]
        return _pack((), people_grid(ready), shop.customers, policy) if ready else None
    best = [shop.people[at] for at in _by_spend(shop)[:MOST_ROWS]]
    spend = sum((one.spend for one in best), Decimal())
    totals = (
        _facts.count("top_customers", "customers in the list", len(best)),
        amount("top_spend", "their spend", spend),
        share("top_share", "their share of all spend", spend, shop.spend),
    )
    return _pack(totals, people_grid([person(one) for one in best]), len(shop.people), policy)


def _segment(shop: Shop, name: Segment, policy: InsightPolicy, *, by_return: bool = False) -> Pack | None:
    """One segment with its customers: by spend of twelve months, or the likeliest to return first."""
    group = shop.group(name)
    if group is None:
        return None
    members = shop.members(name)
    members.sort(key=lambda one: (-one.return_score if by_return else -one.spend_12m, one.ref))
    ready = [one for segment, one in shop.ready if segment == name]
    totals = (
        _facts.count("group_customers", "customers in the group", group.customers),
        amount("group_spend", "their spend", group.spend),
        amount("group_spend_year", "their spend of the last year", group.spend_12m),
        share("group_spend_share", "their share of all spend", group.spend, shop.spend),
    )
    return _pack(totals, people_grid([person(one) for one in members] or ready), group.customers, policy)


def _lapsed(shop: Shop, policy: InsightPolicy) -> Pack | None:
    """Customers who stayed away for longer than usual, the largest spend first."""
    if not shop.people:
        return None
    late = [one for one in shop.people if overdue(one, gaps=policy.overdue_gaps, purchases=policy.overdue_purchases)]
    late.sort(key=lambda one: (-one.spend, one.ref))
    spend = sum((one.spend for one in late), Decimal())
    totals = (
        _facts.count("group_customers", "customers who stayed away for longer than usual", len(late)),
        amount("group_spend", "their spend", spend),
        share("group_spend_share", "their share of all spend", spend, shop.spend),
    )
    return _pack(totals, people_grid([person(one) for one in late]), len(late), policy)


def _repeat(shop: Shop, policy: InsightPolicy) -> Pack | None:
    if not shop.people:
        return None
    again = [one for one in shop.people if one.frequency]
    gaps = [one.gap for one in again if one.gap is not None]
    enough = len(again) >= policy.smallest_group
    spend = sum((one.spend for one in again), Decimal())
    totals = (
        share("repeat_rate", "customers who bought again on another day", len(again), len(shop.people)),
        _facts.count("repeat_customers", "customers who bought again", len(again)) if enough else None,
        share("repeat_spend_share", "their share of all spend", spend, shop.spend) if enough else None,
        _facts.days("usual_gap", "median of their usual gaps", median(gaps), n=len(gaps)) if enough else None,
    )
    return _pack(totals, None, len(shop.people), policy)


def _baskets(shop: Shop, policy: InsightPolicy) -> Pack | None:
    """Spend by purchase day; refunds are not counted in the median."""
    if not shop.people:
        return None
    visits = sum(one.purchases for one in shop.people)
    days: dict[tuple[str, object], Decimal] = defaultdict(Decimal)
    known = {one.ref for one in shop.people}
    for row in shop.purchases:
        if row.amount > 0 and row.customer_ref in known:
            days[row.customer_ref, row.day] += row.amount
    totals = (
        _facts.count("visits", "days on which a customer bought", visits),
        amount("basket_mean", "net spend by visit", shop.spend / visits),
        amount("basket_median", "median spend of a visit", median(days.values())),
    )
    return _pack(totals, None, len(shop.people), policy)


def _mix(shop: Shop, policy: InsightPolicy) -> Pack | None:
    return _pack((), None, shop.customers, policy) if shop.groups else None


def _credit(shop: Shop, policy: InsightPolicy) -> Pack | None:
    """Customers who bought on credit; None where no purchase says how it was paid."""
    told = [row for row in shop.purchases if row.on_credit is not None and row.amount > 0]
    if not told or not shop.people:
        return None
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for row in told:
        if row.on_credit:
            owed[row.customer_ref] += row.amount
    buyers = [one for one in shop.people if one.ref in owed]
    buyers.sort(key=lambda one: (-owed[one.ref], one.ref))
    spend = sum((owed[one.ref] for one in buyers), Decimal())
    totals = (
        _facts.count("credit_customers", "customers who bought on credit", len(buyers)),
        share("credit_customer_share", "their share of the customers", len(buyers), len(shop.people)),
        amount("credit_spend", "bought on credit", spend),
        share("credit_spend_share", "share bought on credit", spend, sum((row.amount for row in told), Decimal())),
    )
    rows = [person(one, spend=owed[one.ref]) for one in buyers]
    return _pack(totals, people_grid(rows), len(buyers), policy)


def _concentration(shop: Shop, policy: InsightPolicy) -> Pack | None:
    if not shop.people:
        return None
    order = [shop.people[at].spend for at in _by_spend(shop)]
    fifth = len(order) // _FIFTH
    enough = fifth >= policy.smallest_group
    totals = (
        _facts.count("fifth_customers", "customers in the fifth that spends most", fifth) if enough else None,
        share("fifth_share", "share of spend of that fifth", sum(order[:fifth], Decimal()), shop.spend)
        if enough
        else None,
        share(
            "top_ten_share",
            "share of spend of the customers in the table",
            sum(order[:MOST_ROWS], Decimal()),
            shop.spend,
        )
        if len(order) > MOST_ROWS
        else None,
        share("largest_share", "share of spend of the customer that spends most", order[0], shop.spend),
    )
    people = [person(shop.people[at]) for at in _by_spend(shop)[:MOST_ROWS]]
    return _pack(totals, people_grid(people), len(shop.people), policy)


def _busy(shop: Shop, policy: InsightPolicy) -> Pack | None:
    """Weekdays by visits; purchases carry a day, not an hour."""
    if not shop.people:
        return None
    bought = [row for row in shop.purchases if row.amount > 0]
    days = [[row for row in bought if row.day.weekday() == day] for day in range(len(_WEEKDAYS))]
    rows = tuple(_weekday(name, own, policy) for name, own in zip(_WEEKDAYS, days, strict=True) if own)
    grid = Grid(title="weekday", columns=("visits", "spend", "customers"), rows=rows)
    return _pack((), grid, len(shop.people), policy)


def _weekday(name: str, rows: Sequence[Purchase], policy: InsightPolicy) -> Row:
    key = name.lower()
    who = len({row.customer_ref for row in rows})
    cells = (
        _facts.count(f"{key}.visits", f"visits on a {name}", len({(row.customer_ref, row.day) for row in rows})),
        amount(f"{key}.spend", "spent on it", sum((row.amount for row in rows), Decimal())),
        _facts.count(f"{key}.customers", "customers who bought on it", who),
    )
    return Row(name=key, label=name, cells=cells if who >= policy.smallest_group else (None, None, None))


def _categories(shop: Shop, policy: InsightPolicy) -> Pack | None:
    """What each segment buys: the ten largest pairs; None without categories or segments."""
    segments: dict[str, Segment] = {row.customer.ref: row.segment for row in shop.scored}
    spent: dict[tuple[str, Segment], Decimal] = defaultdict(Decimal)
    who: dict[tuple[str, Segment], set[str]] = defaultdict(set)
    for row in shop.purchases:
        if row.category is not None and row.customer_ref in segments:
            pair: tuple[str, Segment] = (row.category, segments[row.customer_ref])
            spent[pair] += row.amount
            who[pair].add(row.customer_ref)
    pairs = [pair for pair, people in who.items() if len(people) >= policy.smallest_group]
    pairs.sort(key=lambda pair: (-spent[pair], pair))
    if not pairs:
        return None
    grid = _category_grid([(pair, spent[pair], len(who[pair])) for pair in pairs[:MOST_ROWS]])
    return _pack((), grid, len({ref for people in who.values() for ref in people}), policy)


def _category_grid(pairs: Sequence[tuple[tuple[str, Segment], Decimal, int]]) -> Grid:
    rows: list[Row] = []
    for place, ((category, segment), spend, customers) in enumerate(pairs):
        name = f"K{letters(place)}"
        cells = (
            _facts.words(f"{name}.segment", "who", segment, segment.replace("_", " ")),
            amount(f"{name}.spend", "spent on it by them", spend),
            _facts.count(f"{name}.customers", "of them who bought it", customers),
        )
        rows.append(Row(name=name, label=named(name, "category", category), cells=cells))
    return Grid(title="category", columns=("segment", "spend", "customers"), rows=tuple(rows))


def _change(shop: Shop, policy: InsightPolicy) -> Pack | None:
    """The last so many days against as many before them."""
    span = timedelta(days=policy.change_days)
    now = [row for row in shop.purchases if row.day > shop.as_of - span]
    before = [row for row in shop.purchases if shop.as_of - 2 * span < row.day <= shop.as_of - span]
    who = len({row.customer_ref for row in now if row.amount > 0})
    earlier = len({row.customer_ref for row in before if row.amount > 0})
    if not who or not earlier:
        return None
    spend, spent = (sum((row.amount for row in rows), Decimal()) for rows in (now, before))
    totals = (
        _facts.days("span", "length of each period", Decimal(policy.change_days)),
        amount("spend_now", "spend of the period", spend),
        amount("spend_before", "spend of the period before", spent),
        _changed("spend_change_pct", "change in spend", spend - spent, spent),
        _facts.count("customers_now", "customers of the period", who),
        _facts.count("customers_before", "customers of the period before", earlier),
        _changed("customers_change_pct", "change in customers", Decimal(who - earlier), Decimal(earlier)),
    )
    return _pack(totals, None, min(who, earlier), policy)


def _changed(key: str, label: str, change: Decimal, base: Decimal) -> Fact | None:
    """A change in percent; None without something to compare with; below one percent it is flat."""
    if base <= 0:
        return None
    flat = abs(change) * 100 < base
    return with_sign(_facts.percent(key, label, change / base), 0 if flat else 1 if change > 0 else -1)


MAKERS: Final[Mapping[MetricPack, Maker]] = {
    "top_customers": _top,
    "at_risk": lambda shop, policy: _segment(shop, "at_risk", policy),
    "new_customers": lambda shop, policy: _segment(shop, "new", policy, by_return=True),
    "lapsed": _lapsed,
    "repeat_rate": _repeat,
    "basket_size": _baskets,
    "segment_mix": _mix,
    "credit_buyers": _credit,
    "concentration": _concentration,
    "busy_times": _busy,
    "categories_by_segment": _categories,
    "change": _change,
}
"""How each pack is worked out."""
