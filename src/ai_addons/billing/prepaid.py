"""The prepaid policy: buy packs, spend them, nothing recurs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing import grants
from ai_addons.billing.packs import CUSTOM, PREPAID_PACKS
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.grants import BurnKey, Grant
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import Account, AddonPlan, Due
    from ai_addons.catalog import Pack

_TRIAL: Final = Credits(5)


class PrepaidPolicy:
    """Packs of credits that never expire, and five trial credits once per business."""

    name: str = "prepaid"
    trial: Credits = _TRIAL
    addon: AddonPlan | None = None
    custom: CustomPack | None = CUSTOM

    def packs(self) -> tuple[Pack, ...]:
        """STARTER, VALUE and PRO."""
        return PREPAID_PACKS

    def due(self, account: Account) -> Due | None:  # noqa: ARG002  # the port's signature
        """Nothing recurs."""
        return None

    def burn_key(self, grant: Grant) -> BurnKey:
        """Soonest expiry first, then free before paid, then oldest."""
        return grants.burn_key(grant)
