"""What is told of a wallet whose credits run low: how many are left, and what to buy."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ai_addons.billing.months import day_of
from ai_addons.billing.packs import offers
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.topups import low_balance_offer
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.books import Terms
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

LOW_BALANCE: Final = "wallet.low_balance"
"""Topic of the alert."""

_DAYS: Final = 56
"""Days back that tell what a business usually uses: four fortnights."""


def tell_low(wallet: LockedWallet, terms: Terms) -> None:
    """Tell that credits run low, with the packs that lift them above the threshold again.

    They are those of the price list, and those that a refused call offers: `packs.offers`
    chose them. ``suggested`` is the one that covers what the business usually uses in a
    fortnight; it is empty where what is left covers that. This asks for the use of some
    weeks, and so it stands here, where a wallet comes once a day at most.
    """
    packs = terms.packs(wallet.policy, wallet.now)
    suggested = low_balance_offer(packs, _daily(wallet), wallet.available)
    facts = {
        "posted": str(wallet.posted),
        "threshold": str(terms.low),
        "suggested": "" if suggested is None else suggested.type,
    }
    wallet.tell(LOW_BALANCE, f"low_balance:{wallet.seq}", facts, offers=offers(packs, terms.low - wallet.posted))


def _daily(wallet: LockedWallet) -> list[Credits]:
    """Credits used on each of the last days before today, since the first that saw any."""
    today = day_of(wallet.now, wallet.tz)
    span = [today - timedelta(days=back) for back in range(_DAYS, 0, -1)]
    asked = {"business": wallet.business, "first": span[0].isoformat(), "last": span[-1].isoformat()}
    used = _by_day(wallet.tx.rows(sql.USAGE, asked))
    days = [used.get(day.isoformat(), 0) for day in span]
    begun = next((place for place, amount in enumerate(days) if amount), len(days))
    return [Credits.from_micro(amount) for amount in days[begun:]]


def _by_day(rows: Sequence[Row]) -> dict[str, int]:
    used = dict[str, int]()
    for row in rows:
        used[row.day] = used.get(row.day, 0) + row.charged
    return used
