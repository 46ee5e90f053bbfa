"""A billing policy of a host's own: pay per use, with a monthly cap.

The host gives each business an allowance a month and bills afterwards what was
used of it. Nothing is bought in advance; what is not used expires with its month.
Run ``python examples/pay_per_use.py`` to see a year of it.
"""

from dataclasses import replace

from ai_addons import Credits
from ai_addons.billing import grants, months
from ai_addons.billing.grants import BurnKey, Grant
from ai_addons.billing.packs import CustomPack
from ai_addons.billing.policy import Account, AddonPlan, Due, Give
from ai_addons.catalog import Pack

CAP = Credits(200)
PRICE = 800_000  # micro-cedis a credit: GHS 0.80


class PayPerUse:
    """A monthly allowance that is billed by use."""

    name: str = "pay_per_use"
    trial: Credits = Credits(0)
    addon: AddonPlan | None = None
    custom: CustomPack | None = None

    def packs(self) -> tuple[Pack, ...]:
        """Nothing to buy."""
        return ()

    def due(self, account: Account) -> Due:
        """The next month's allowance."""
        month = account.period + 1
        starts, ends = (months.starts(account.anchor_at, account.tz, n) for n in (month, month + 1))
        worth = CAP.micro * PRICE // Credits(1).micro
        allowance = Give(source="adjustment", ref=f"use:{month}", amount=CAP, expires_at=ends, paid=worth)
        return Due(at=starts, tasks=(allowance,), period=month)

    def burn_key(self, grant: Grant) -> BurnKey:
        """As ever: what expires soonest goes first."""
        return grants.burn_key(grant)


if __name__ == "__main__":
    policy = PayPerUse()
    account = Account(
        business="biz_7",
        posted=Credits(0),
        held=Credits(0),
        grants=(),
        tz="Africa/Accra",
        anchor_at=1_801_386_000_000_000,  # 31 January 2027, 09:00
        period=-1,
    )
    for month in range(12):
        work = policy.due(replace(account, period=month - 1))
        print(months.day_of(work.at, account.tz), "up to", CAP.short, "credits")
