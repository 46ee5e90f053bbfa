"""What the host knows of a business; the SDK keeps none of it but the zone and the date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACCRA: Final = "Africa/Accra"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessProfile:
    """A business as its host knows it.

    Attributes:
        name: What it is called.
        tz: IANA name of its time zone.
        email: Where receipts go.
        phone: The owner's number.
        tax_id: Its tax number.
        storefronts: How many it runs.
        subscribed_since: Since when it pays for the point-of-sale system, UTC microseconds; its months are
            counted from there. None: from its first contact.
    """

    name: str | None = None
    tz: str = ACCRA
    email: str | None = None
    phone: str | None = None
    tax_id: str | None = None
    storefronts: int = 1
    subscribed_since: int | None = None


def unknown(business: str) -> BusinessProfile:
    """What is known of any business where the host says nothing: it is in Ghana."""
    del business
    return BusinessProfile()
