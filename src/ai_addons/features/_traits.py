"""Personal traits, which play no part in a decision on a customer and in no text about one.

Source of the sorts: the Borrowers and Lenders Act, 2020 (Act 1052), which forbids a refusal for
gender, race, colour, ethnic origin, political opinion, creed, social or economic status. The
words are chosen by hand; age, family, health and home stand in for these in practice.
"""

from __future__ import annotations

import re
from typing import Final

from ai_addons.features._facts import without_references

_TRAITS: Final = re.compile(
    r"\b(?:gender|sex|males?|females?|m[ae]n|wom[ae]n|boys?|girls?|lad(?:y|ies)|gentlem[ae]n|young(?:er|sters?)?|elderly"
    r"|old(?:er)? (?:m[ae]n|wom[ae]n|people|folks?|age)|teenagers?|pensioners?|ages?|aged|he|she|him|her|hers|his"
    r"|himself|herself|husbands?|wi(?:fe|ves)|widow\w*|married|unmarried|divorced|pregnan\w+|mothers?|fathers?"
    r"|famil(?:y|ies)|children|trib(?:e|es|al)|ethnic\w*|race|racial|muslims?|christians?|islam\w*|church\w*|mosques?"
    r"|pastors?|imams?|religio\w+|creed|faith|asantes?|ashantis?|akans?|ewes?|fantes?|ga people|dagombas?|hausas?"
    r"|northerners?|southerners?|foreigners?|nationality|zongo|home ?town|village|region|surname|accent|skin|disab\w+"
    r"|ill(?:ness)?|sick\w*|health\w*|wealth\w*|rich(?:er|est)?|affluent|poor (?:people|families|customers?)|incomes?"
    r"|salar(?:y|ies)|afford\w*|illitera\w+|uneducated|politic\w+|ndc|npp)\b"
)


def names_trait(text: str) -> bool:
    """Whether a text speaks of age, sex, religion, ethnicity, family, health or wealth."""
    return _TRAITS.search(without_references(text).lower().replace("\u2019", "'")) is not None
