"""KPIs of people: who uses AI features, who buys, what they say of them, who stays. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.kpis.intervals import ratio_interval, share_of
from ai_addons.billing.kpis.shape import Kpi, judge, mean_kpi, share_kpi, unsupplied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from ai_addons.billing.kpis.facts import Facts

ADOPTION: Final = Decimal("0.15")
PURCHASES: Final = Decimal("0.10")
REVENUE_PER_USER: Final = Decimal(60)
RATING: Final = Decimal("4.5")
PROMOTERS: Final = Decimal(50)
RETENTION: Final = Decimal("0.20")

_MONTH: Final = range(28, 32)
_PROMOTERS: Final = range(9, 11)
_DETRACTORS: Final = range(7)
_HUNDRED: Final = 100
_MICRO: Final = 1_000_000

_ASK_HOST: Final = "The host's `active_businesses` says how many subscribers there are."


def subscribers(facts: Facts) -> Iterator[Kpi]:
    """Subscribers that used an AI feature, and those that bought credits."""
    monthly = facts.days in _MONTH
    rows = (
        ("adoption", "Subscribers that used an AI feature", facts.users.keys(), ADOPTION, ""),
        (
            "purchase_rate",
            "Subscribers that bought credits",
            facts.buyers,
            PURCHASES if monthly else None,
            "" if monthly else "The target is a month's, and this window is not one.",
        ),
    )
    for key, name, found, target, note in rows:
        if facts.active is None:
            yield unsupplied(facts, key, name, target or PURCHASES, _ASK_HOST, numerator=len(found))
        else:
            counts = len(facts.active & found), len(facts.active)
            yield share_kpi(facts, key, name, counts, target, note=note)


def revenue_per_user(facts: Facts, rng: Random) -> Kpi:
    """What an AI user brought."""
    monthly = facts.days in _MONTH
    note = "What was paid for the credits they used, tax included; unspent credits are not in it."
    return mean_kpi(
        facts,
        "revenue_per_user",
        "Revenue per AI user",
        list(facts.users.values()),
        rng,
        unit="GHS",
        scale=_MICRO,
        target=REVENUE_PER_USER if monthly else None,
        note=note if monthly else f"{note} The target is a month's, and this window is not one.",
    )


def rating(facts: Facts, rng: Random) -> Kpi:
    """Stars given to results."""
    values = [stars for stars, count in sorted(facts.ratings.items()) for _ in range(count)]
    note = "Of those who rated a result, who are not all."
    return mean_kpi(facts, "rating", "Rating", values, rng, unit="stars", scale=1, target=RATING, note=note)


def promoters(facts: Facts, rng: Random) -> Kpi:
    """The net promoter score."""
    values = [_leaning(said) for said, count in sorted(facts.recommends.items()) for _ in range(count)]
    note = "Share of 9 and 10 less the share of 0 to 6, in points; of those who answered, who are not all."
    name = "Net promoter score"
    # A hundredth of an answer is a point.
    scaled = [value * _HUNDRED for value in values]
    return mean_kpi(facts, "nps", name, scaled, rng, unit="points", scale=1, target=PROMOTERS, note=note)


def _leaning(said: int) -> int:
    return int(said in _PROMOTERS) - int(said in _DETRACTORS)


_BIASED: Final = (
    "Selection-biased: businesses that choose AI features differ from the others before they do, so this is no effect "
    "of the features. AI users are those of the window before."
)


def retention(facts: Facts) -> Kpi:
    """How much more often AI users stay subscribers than the others."""
    key, name = "retention", "Subscribers kept, AI users against others"
    if facts.active is None or facts.active_before is None:
        note = f"Needs the subscribers of now and of the window's begin. {_BIASED}"
        return unsupplied(facts, key, name, RETENTION, note)
    with_ai, others = facts.active_before & facts.former_users, facts.active_before - facts.former_users
    kept, kept_others = len(with_ai & facts.active), len(others & facts.active)
    found = ratio_interval((kept, len(with_ai)), (kept_others, len(others)))
    interval = None if found is None else (found[1][0] - 1, found[1][1] - 1)
    return Kpi(
        key=key,
        name=name,
        since=facts.since,
        until=facts.until,
        numerator=share_of(kept, len(with_ai)),
        denominator=share_of(kept_others, len(others)),
        value=None if found is None else found[0] - 1,
        interval=interval,
        target=RETENTION,
        verdict=judge(interval, RETENTION),
        note=f"{kept} of {len(with_ai)} AI users, {kept_others} of {len(others)} others. {_BIASED}",
    )
