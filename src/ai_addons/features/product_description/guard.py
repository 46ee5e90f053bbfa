"""What no product copy may say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.errors import BadOutput
from ai_addons.features._guard import (
    CANARY,
    english_faults,
    placeholder_types,
    refuse_unsafe,
    script_faults,
    unsafe,
    without_placeholders,
)
from ai_addons.features.product_description.claims import claim_faults, mentioned
from ai_addons.features.product_description.instructions import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.features.product_description.claims import Allowed
    from ai_addons.features.product_description.models import CopyDraft, Product

_WORD: Final = re.compile(r"[^\W_]+")


def faults(draft: CopyDraft, product: Product, may: Allowed) -> list[str]:
    """What is wrong with a copy; the messages quote nothing of it.

    Raises:
        BadOutput: If it must not even be corrected.
    """
    texts = list(_texts(draft))
    refuse_unsafe((text for _, text in texts), system=SYSTEM, canary=CANARY)
    found = [fault for where, text in texts for fault in _text_faults(where, text, may)]
    if len(draft.description.split()) > product.max_words:
        found.append(f"description: longer than {product.max_words} words")
    if not set(draft.claims_used) <= product.attributes.keys():
        found.append("claims_used: holds a key that is not an attribute")
    if not set(mentioned(product, (text for _, text in texts))) <= set(draft.claims_used):
        found.append("claims_used: lacks an attribute that the text mentions")
    neutral = may.words | {part for key in product.attributes for part in key.split("_")}
    for where, text in texts:
        found += english_faults(where, text, neutral=neutral)
        found += script_faults(where, " ".join(set(_WORD.findall(text.lower())) - neutral))
    return [*found, *english_faults("description", f"{draft.title}. {draft.description}", neutral=neutral)]


def _texts(draft: CopyDraft) -> Iterator[tuple[str, str]]:
    yield "title", draft.title
    yield "description", draft.description
    for number, bullet in enumerate(draft.bullets, 1):
        yield f"bullets.{number}", bullet
    for number, keyword in enumerate(draft.keywords, 1):
        yield f"keywords.{number}", keyword


def _text_faults(where: str, text: str, may: Allowed) -> list[str]:
    # A placeholder of the owner's own words comes back as these words; one of a person's data must not be published.
    private = placeholder_types(text) - {"TEXT"}
    masked = [f"{where}: leave out what stands in square brackets"] if private else []
    # Nothing is filled in here, so a reference of the model's invention would be printed as it stands.
    braces = [f"{where}: leave out braces"] if {"{", "}"} & set(text) else []
    return [*masked, *braces, *claim_faults(where, without_placeholders(text), may)]


def shows(text: str, may: Allowed) -> bool:
    """Whether a text of the tenant's own could stand in a copy."""
    harmless = unsafe(text, system=SYSTEM) is None and CANARY not in text.lower()
    return harmless and not _text_faults("", text, may)


def sound(draft: CopyDraft, product: Product, may: Allowed) -> bool:
    """Whether a copy could be shown as it is."""
    try:
        return not faults(draft, product, may)
    except BadOutput:
        return False
