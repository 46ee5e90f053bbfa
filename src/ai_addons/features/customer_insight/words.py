"""The facts of an answer, what is sent of them, and sentences made of them without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.features import _facts
from ai_addons.features._facts import by_key, compact, references
from ai_addons.features._result import Notice
from ai_addons.features.customer_insight.grids import amount, segment_grid, totals_table
from ai_addons.features.customer_insight.models import EvidenceAnswer, InsightAnswer, Table
from ai_addons.features.customer_insight.routing import MENU

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.features._result import DataQuality, Fact
    from ai_addons.features.customer_insight.groups import Shop
    from ai_addons.features.customer_insight.models import Confidence, InsightPolicy, MetricPack
    from ai_addons.features.customer_insight.packs import Pack

MOST_EVIDENCE: Final = 5
NOT_WRITTEN: Final = "A written answer is not available just now; these are the figures. "
REFUSED: Final = (
    "This question cannot be answered from the shop's purchases. You can ask about: " + "; ".join(MENU.values()) + "."
)
TOO_LITTLE: Final = "There is not enough data to answer this."


def insight_facts(shop: Shop, pack: Pack, policy: InsightPolicy) -> dict[str, Fact]:
    """All that the answer may cite: the shop, its segments, the pack."""
    segments = segment_grid(shop.groups, shop.spend, policy.smallest_group)
    return by_key(
        _facts.count("customers", "customers with purchases", shop.customers),
        amount("total_spend", "what they spent, refunds taken off", shop.spend),
        *pack.totals,
        *segments.facts(),
        *(pack.grid.facts() if pack.grid else ()),
    )


def sent_rows(shop: Shop, pack: Pack, facts: Mapping[str, Fact], policy: InsightPolicy) -> dict[str, str]:
    """What is sent beside the question: figures by ``key=value``, rows divided by pipes, no name."""
    single = [facts[key] for key in ("customers", "total_spend")] + list(pack.totals)
    rows = {"totals": "\n".join(f"{fact.key}={compact(fact)}" for fact in single)}
    if shop.groups:
        rows["segments"] = segment_grid(shop.groups, shop.spend, policy.smallest_group).sent()
    if pack.grid is not None and pack.grid.rows:
        rows["rows"] = pack.grid.sent()
    return rows


def pack_table(name: MetricPack, shop: Shop, pack: Pack, policy: InsightPolicy) -> Table:
    """The pack as a table: its rows, else the segments, else its single figures."""
    if pack.grid is not None and pack.grid.rows:
        return pack.grid.table()
    if name == "segment_mix":
        return segment_grid(shop.groups, shop.spend, policy.smallest_group).table()
    return totals_table(by_key(*pack.totals))


def confidence(group: int, age: int | None, policy: InsightPolicy) -> Confidence:
    """By the number of customers behind an answer, and the days since anybody bought."""
    if age is None:
        return "low"
    if group >= policy.high_group and age <= policy.high_age:
        return "high"
    return "medium" if group >= policy.medium_group and age <= policy.medium_age else "low"


def data_quality(shop: Shop, policy: InsightPolicy) -> DataQuality:
    """By the number of customers."""
    if not shop.customers:
        return "poor"
    return "thin" if shop.customers < policy.min_ranked else "ok"


def notices(shop: Shop, pack: Pack | None, policy: InsightPolicy) -> tuple[Notice, ...]:
    """What was set aside, and why an answer is missing or partial."""
    few = 0 < len(shop.people) < policy.min_ranked
    small = any(group.customers < policy.smallest_group for group in shop.groups)
    checks = (
        (not shop.customers, "no_customers", "There is no customer with purchases to speak of."),
        (few, "few_customers", "There are too few customers for scores and segments."),
        (
            bool(pack is None and shop.customers and not few),
            "not_recorded",
            "The figures given do not hold what this question needs.",
        ),
        (pack is not None and not pack.group, "nobody", "No customer belongs to this group."),
        (
            pack is not None and 0 < pack.group < policy.smallest_group,
            "small_group",
            "The group is too small for sums over it.",
        ),
        (small, "small_segments", "Segments with very few customers are left out."),
        (shop.unranked > 0, "unranked", "Customers whose refunds outweigh their purchases were counted, not ranked."),
        (shop.ignored > 0, "old_purchases_ignored", "Purchases older than 24 months were not counted."),
    )
    return tuple(Notice(code=code, text=text) for applies, code, text in checks if applies)


_SAYS: Final[Mapping[MetricPack, tuple[str, ...]]] = {
    "top_customers": (
        "{CA} spends most: {CA.spend} in all, last seen {CA.days_since} ago.",
        "The best {top_customers} hold {top_share} of all spend.",
    ),
    "at_risk": (
        "Customers at risk: {group_customers}. In the last year they spent {group_spend_year}.",
        "The first to look at is {CA}, with {CA.spend} in all, last seen {CA.days_since} ago.",
    ),
    "new_customers": (
        "New customers: {group_customers}, with {group_spend} so far.",
        "The likeliest to come back is {CA}, who spent {CA.spend}.",
    ),
    "lapsed": (
        "Customers who stayed away for longer than usual: {group_customers}. They spent {group_spend} in all.",
        "The largest of them is {CA}, with {CA.spend} in all, last seen {CA.days_since} ago.",
    ),
    "repeat_rate": (
        "{repeat_rate} of the customers came back and bought again.",
        "They hold {repeat_spend_share} of all spend, and their usual gap is {usual_gap}.",
    ),
    "basket_size": ("A visit comes to {basket_mean} on average; the median is {basket_median}.",),
    "segment_mix": (
        "There are {customers} customers with purchases.",
        "Champions: {champions.customers}, with {champions.spend_share} of all spend.",
        "At risk: {at_risk.customers}, with {at_risk.spend_share} of it.",
    ),
    "credit_buyers": (
        "Customers who bought on credit: {credit_customers}, which is {credit_customer_share} of all.",
        "On credit they bought {credit_spend}, which is {credit_spend_share} of spend.",
    ),
    "concentration": (
        "The largest customer holds {largest_share} of all spend.",
        "Those in the table hold {top_ten_share}.",
        "The best fifth of all customers holds {fifth_share}.",
    ),
    "categories_by_segment": ("{KA} sells most to a single group ({KA.segment}): {KA.spend}.",),
    "change": (
        "Over the last {span}, spend changed by {spend_change_pct} to {spend_now}.",
        "The number of customers changed by {customers_change_pct} to {customers_now}.",
    ),
    "busy_times": (),
}
_BUSIEST: Final = "{day} is the busiest day of the week: {{{key}.visits}} visits and {{{key}.spend}} of spend."
_PLAIN: Final = "There are {customers} customers with purchases, who spent {total_spend}. The table holds the figures."
_DO: Final[Mapping[MetricPack, str]] = {
    "top_customers": "Thank the best customers by name when they come in.",
    "at_risk": "Call the first customers in the table and ask how they are served.",
    "new_customers": "Greet the new customers when they come again, and ask what they look for.",
    "lapsed": "Write to the first customers in the table and ask whether anything was missing.",
    "repeat_rate": "Give buyers a reason to come again, such as a note of what arrives next week.",
    "basket_size": "Place goods that are bought together side by side.",
    "segment_mix": "Look after the champions first, then win back those at risk.",
    "credit_buyers": "Check that what was bought on credit is being paid.",
    "concentration": "Keep in touch with the largest customers, and look for more of the middle kind.",
    "busy_times": "Have enough hands and stock on the busiest day.",
    "categories_by_segment": "Keep what the best groups buy in stock.",
    "change": "Compare the figures in the table with what changed in the shop.",
}


def explanation(name: MetricPack, pack: Pack, facts: Mapping[str, Fact]) -> InsightAnswer:
    """The answer in sentences of ours: what is shown when no model had a part in it."""
    said = [_busiest(pack)] if name == "busy_times" else list(_SAYS[name])
    known = [text for text in said if text and all(key in facts for key in references(text))]
    answer = " ".join(known) or _PLAIN
    return InsightAnswer(
        answer=answer,
        evidence=tuple(
            EvidenceAnswer(fact_key=key, why=_sentence(facts[key].label)) for key in figures_cited(answer, facts)
        ),
        suggested_action=_DO[name],
    )


def _sentence(label: str) -> str:
    """What a figure is, as a line of its own."""
    return f"{label[:1].upper()}{label[1:]}."


def _busiest(pack: Pack) -> str:
    """A sentence on the weekday with the most visits; empty if all of them are too small to speak of."""
    shown = [row for row in pack.grid.rows if row.cells[0] is not None] if pack.grid else []
    if not shown:
        return ""
    best = max(shown, key=lambda row: row.cells[0].value if row.cells[0] else 0)
    return _BUSIEST.format(day=best.label, key=best.name)


def figures_cited(text: str, facts: Mapping[str, Fact]) -> list[str]:
    """The keys a text cites that are figures, not names."""
    return [key for key in references(text) if key in facts and facts[key].kind != "text"]
