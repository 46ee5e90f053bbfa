"""Where a question belongs: found by keywords, else by a first small question to the model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.features.customer_insight.models import MetricPack

_WHO: Final = r"(?:\w+ ){0,2}(?:customers?|buyers?|clients?|shoppers?|spenders?|people)"
_WORDS: Final[Mapping[MetricPack, str]] = {
    "top_customers": rf"(?:top|best|biggest|largest|most valuable|vip) {_WHO}|who (?:spends?|buys?) (?:the )?most",
    "at_risk": r"at[ -]risk|(?:may|might|could|about to|going to) (?:leave|stop)|slipping away|churn\w*|losing",
    "new_customers": rf"new {_WHO}|first[- ]time {_WHO}|newcomers?",
    "lapsed": (
        r"lapsed|inactive|disappeared|win back|stopped (?:buying|coming)|stayed away|(?:not|n't) (?:\w+ )?(?:been"
        r"|come|came|bought|returned|visited)|no longer (?:buy|come)|overdue customers?"
    ),
    "repeat_rate": r"repeat|come back|buy again|return(?:ing)? (?:customers?|rate)|loyal(?:ty)? rate",
    "basket_size": r"baskets?|average (?:spend\w*|sale|purchase|order)|spend (?:each|per|a|on each) (?:visit|time|day)",
    "segment_mix": r"segments?|(?:groups?|types?|kinds?) of (?:customers?|buyers?)|customer (?:mix|groups?)",
    "credit_buyers": r"(?:on|with) credit|credit (?:buyers?|customers?|sales)|pay(?:s|ing)? later",
    "concentration": r"concentrat\w+|depend\w* (?:too much )?on|share of (?:the )?(?:top|biggest|largest)|one basket",
    "busy_times": r"bus(?:y|iest)|quiet(?:est)?|(?:which|what|best) (?:week)?days?|when do",
    "categories_by_segment": r"categor(?:y|ies)|(?:kinds?|types?) of (?:goods|products|things)",
    "change": r"chang(?:e|ed|es|ing)|compared? (?:to|with)|than (?:before|last)|grow(?:n|ing|th)?|declin\w+|trends?",
}
_PATTERNS: Final[Mapping[MetricPack, re.Pattern[str]]] = {
    pack: re.compile(rf"\b(?:{words})\b") for pack, words in _WORDS.items()
}

MENU: Final[Mapping[MetricPack, str]] = {
    "top_customers": "who spends most",
    "at_risk": "good customers who may be leaving",
    "new_customers": "who came first lately",
    "lapsed": "who stayed away for longer than usual",
    "repeat_rate": "how many buy again",
    "basket_size": "what a visit comes to",
    "segment_mix": "groups of customers and their share",
    "credit_buyers": "who buys on credit",
    "concentration": "how much depends on a few",
    "busy_times": "weekdays by visits",
    "categories_by_segment": "what each group buys",
    "change": "the last months against those before",
}
"""What each pack answers, for the first question to the model and for the refusal."""


def pack_by_keyword(question: str) -> MetricPack | None:
    """The one pack whose keywords a question holds; None if none or several have some."""
    folded = clean(question).lower().replace("\u2019", "'")
    found: list[MetricPack] = [pack for pack, pattern in _PATTERNS.items() if pattern.search(folded)]
    return found[0] if len(found) == 1 else None
