"""Words that no reminder may hold, by what they say; written by hand.

Source of the sorts: the Bank of Ghana's Directive on digital credit services (no
threats, violence or obscene language, no contact with a customer's contacts) and
the feature's own rule that only the owner offers anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# Expressions between commas; a line break counts as a blank.
_THREAT: Final = r"""
    police, courts?, lawyers?, solicitors?, legal\w*, lawsuits?, sue[ds]?, suing, prosecut\w*, jail\w*, prisons?,
    arrest\w*, seiz\w*, confiscat\w*, repossess\w*, bailiffs?, enforc\w*, consequences?, action, regret\w*, warn\w*,
    threat\w*, punish\w*, visit\w*, boys, thugs?, soldiers?, come (?:to|for|after|and), coming (?:to|for|after),
    deal with you, deal with it, find you, know where, where you (?:live|work|stay|sleep), last chance, final,
    ultimatum, suffer\w*, hurt\w*, harm\w*, beat\w*, blood, curse[ds]?, juju, shrine, spirits?, gods?, sleep\w*,
    safe\w*, careful, watch(?:ing)? you, sorry for you, remember this, not be responsible, hard way, unpleasant,
    happen\w*, nobody, no one, ugly, serious\w*, trouble\w*, problems? for you, lose your, take your,
    collect your (?:goods|property|things|phone|tv)
"""
_SHAME: Final = r"""
    sham(?:e|ed|ing|eful|eless), asham\w*, disgrac\w*, embarrass\w*, humiliat\w*, expos\w*, publish\w*, publicly,
    in public, gossip\w*, rumou?rs?, everyone, everybody, the whole, reputation, good name, your name, your photo,
    your picture, hear about, find out, will know, tell (?:your|them|people|others), list of, notice board, wall of,
    announce\w*, broadcast\w*
"""
_OTHERS: Final = r"""
    famil(?:y|ies), wife, wives, husbands?, spouse, mothers?, fathers?, mum, dad, parents?, brothers?, sisters?,
    uncles?, aunt\w*, child(?:ren)?, sons?, daughters?, relatives?, friends?, neighbou?rs?, employers?, boss,
    office, work ?place, workmates?, colleagues?, church\w*, pastors?, imams?, mosques?, congregation, chiefs?,
    community, village, town, other customers?, guarantors?, landlords?, landlady, creditors?, agents?, collectors?,
    credit bureaus?, bureaus?, blacklist\w*, black list, credit (?:score|record|history|rating), facebook,
    instagram, tik ?tok, twitter, social media, status, online, radio, association, union, market queen, school
"""
_INSULT: Final = r"""
    liars?, lying, lies, thie(?:f|ves), steal\w*, stole\w*, cheat\w*, fraud\w*, crooks?, criminals?, useless,
    fool\w*, stupid\w*, idiot\w*, laz(?:y|iness), irresponsib\w*, dishonest\w*, wicked, greedy, selfish,
    poor person, bad (?:customer|person|debtor), defaulters?, debtors?, deadbeat, excuses?, broke, goat, dog,
    nonsense, hide, hiding, hid, run(?:ning)? away, avoid\w*, ignor\w*
"""
_PRESSURE: Final = r"""
    immediate(?:ly)?, at once, urgent\w*, must, have to, has to, or else, otherwise, fail(?:ure|s|ed|ing)?,
    demand\w*, insist\w*, tired of, fed up, patien(?:t|ce), enough is, no more, unless, no choice, forced, force,
    obliged, compel\w*, advised?
"""
_OFFER: Final = r"""
    discounts?, waiv\w*, forgiv\w*, instal?ments?, exten(?:d|ds|ded|sion), more time, extra time, pay half,
    half now, gifts?, bonus, offers?, deals?, promo\w*, promis\w*, new credit, more credit, further credit,
    on credit, credit limit, loans?, interest, penalt\w*, fines?, fees?, charges?, reduc\w*, rebate\w*, rewards?,
    cash ?back, free of, for free, next order
"""
_DEADLINE: Final = r"""
    today, tonight, tomorrow, deadlines?, within, by (?:then|noon|evening|morning|night|the|next|this|end),
    before (?:the|noon|next|this), this (?:week|month|evening|afternoon|morning), next (?:week|month), weekend,
    month end, hours?, days?, latest, no later, soonest, (?:mon|tues|wednes|thurs|fri|satur|sun)day,
    (?:january|february|march|april|june|july|august|september|october|november|december)
"""


def _any_of(expressions: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(' '.join(part.split()) for part in expressions.split(','))})\b")


RULES: Final[Mapping[str, re.Pattern[str]]] = {
    name: _any_of(expressions)
    for name, expressions in (
        ("a threat", _THREAT),
        ("shame", _SHAME),
        ("other people", _OTHERS),
        ("an insult", _INSULT),
        ("pressure", _PRESSURE),
        ("an offer", _OFFER),
        ("a deadline", _DEADLINE),
    )
}
"""What a text in lower case may not hold, by its name in a message."""
