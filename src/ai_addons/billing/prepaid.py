"""The prepaid policy: buy packs, spend them, nothing recurs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing.packs import PREPAID_PACKS
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.catalog import Pack

_TRIAL: Final = Credits(5)


class PrepaidPolicy:
    """Packs of credits that never expire, and five trial credits once per business."""

    name: str = "prepaid"
    trial: Credits = _TRIAL

    def packs(self) -> tuple[Pack, ...]:
        """STARTER, VALUE and PRO."""
        return PREPAID_PACKS
