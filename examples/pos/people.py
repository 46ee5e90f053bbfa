"""Who there is: two shops, their people, and the one who runs the point-of-sale system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ai_addons.web import Action, Principal


@dataclass(frozen=True, slots=True)
class Business:
    id: str
    name: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str
    business: Business | None = None

    @property
    def password(self) -> str:
        """Shown on the login page: these people do not exist."""
        return f"{self.name}-demo"


NYONKOPA: Final = Business("biz_nyonkopa", "Nyonkopa Trading, Takoradi", "031 555 0100", "ama@nyonkopa.example")
SUNYANI: Final = Business(
    "biz_sunyani",
    "Good Shepherd Cold Store, Provisions and General Merchandise Enterprise (Sunyani Central Market, Lane 4)",
    "035 555 0199",
    "esi@goodshepherd.example",
)
BUSINESSES: Final = (NYONKOPA, SUNYANI)
PEOPLE: Final = (
    Person("ama", "owner", NYONKOPA),
    Person("kojo", "clerk", NYONKOPA),
    Person("esi", "owner", SUNYANI),
    Person("operator", "operator"),
)


def authorize(principal: Principal, action: Action) -> bool:
    """Owners do everything of their shop's, clerks look and use, operators see all shops."""
    if action.startswith("admin:"):
        return "operator" in principal.roles
    return "owner" in principal.roles or action in ("credits:read", "usage:read")
