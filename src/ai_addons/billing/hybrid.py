"""The hybrid policy: a few free credits a month, a monthly add-on, and packs when they run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing import grants, months
from ai_addons.billing.packs import ADDON, CUSTOM, HYBRID_PACKS
from ai_addons.billing.policy import Due, Give
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.grants import BurnKey, Grant
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import Account, AddonPlan
    from ai_addons.catalog import Pack

_FREE: Final = Credits(5)


class HybridAddonPolicy:
    """Five free credits a month with the base subscription, a monthly add-on, and packs."""

    name: str = "hybrid"
    trial: Credits = Credits(0)
    addon: AddonPlan | None = ADDON
    custom: CustomPack | None = CUSTOM

    def packs(self) -> tuple[Pack, ...]:
        """QUICK and VALUE."""
        return HYBRID_PACKS

    def due(self, account: Account) -> Due | None:
        """The next month's free credits; they live for that month alone.

        Args:
            account: The wallet; its months are counted from ``anchor_at``.

        Raises:
            ConfigError: If the account's zone is none.
        """
        n = account.period + 1
        opens, ends = (months.starts(account.anchor_at, account.tz, month) for month in (n, n + 1))
        free = Give(source="free_monthly", ref=f"free:{n}", amount=_FREE, expires_at=ends)
        return Due(at=opens, tasks=(free,), period=n)

    def burn_key(self, grant: Grant) -> BurnKey:
        """Soonest expiry first, then free before paid, then oldest."""
        return grants.burn_key(grant)
