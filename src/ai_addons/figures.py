"""`Figures`: what `AddOns` tells operators in numbers, and what users say of results."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.billing.feedback import FeedbackBox
from ai_addons.billing.kpis.reading import KpiDesk
from ai_addons.billing.margin_reading import MarginDesk
from ai_addons.billing.usage import Reports
from ai_addons.privacy.masked import mask_once

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ai_addons.billing.feedback import Feedback
    from ai_addons.billing.forecast import SpendForecast
    from ai_addons.billing.kpis import Kpis
    from ai_addons.billing.margin_report import MarginReport
    from ai_addons.wiring import Wiring

SEED: Final = 20_261_126
"""Of the resamples where the caller gives no source of randomness: the same books give the same figures."""


class Figures:
    """KPIs, margins, forecasts and feedback.

    Args:
        wiring: The parts.
        names: Finds what a feature is called, by its key.
    """

    def __init__(self, wiring: Wiring, *, names: Callable[[str], str]) -> None:
        self._wiring = wiring
        self._reports = Reports(wiring.books, names)
        self._kpis = KpiDesk(wiring.books, self._reports)
        self._margins = MarginDesk(wiring.books)
        self._feedback = FeedbackBox(wiring.books, self._masked)

    def kpis(
        self,
        days: int = 30,
        *,
        ask_gateways: bool = False,
        active_before: Collection[str] | None = None,
        rng: Random | None = None,
    ) -> Kpis:
        """The KPIs of the last days, each with what it counts and how sure it is; for operators only.

        Adoption and purchase rate need the host's ``active_businesses``, and only the
        gateways know all payments: without them a figure says what is missing.

        Args:
            days: 1 to 366, today included; targets of a month hold for 28 to 31.
            ask_gateways: Whether to ask every gateway for its list of payments; it takes as long as they take.
            active_before: The subscribers at the begin of the window, for retention; None leaves it out.
            rng: Draws the resamples of means; None for a fixed seed.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        wiring = self._wiring
        active = None if wiring.active_businesses is None else wiring.active_businesses()
        gateways = [wiring.gateway(name) for name in wiring.gateway_names()] if ask_gateways else None
        return self._kpis.kpis(days, rng or _seeded(), active=active, active_before=active_before, gateways=gateways)

    def margin_report(self, days: int = 30, *, business: str | None = None) -> MarginReport:
        """Margins by feature, pack and business, by the grants that really paid; for operators only.

        Args:
            days: 1 to 366, today included.
            business: Whose calls; None for those of all businesses.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        return self._margins.report(days, business)

    def spend_forecast(self, *, rng: Random | None = None) -> SpendForecast:
        """What the models will have cost by the end of this month, by a method it states; for operators only.

        Args:
            rng: Draws the interval; None for a fixed seed.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        return self._margins.forecast(rng or _seeded())

    def feedback(
        self,
        business: str,
        transaction_id: str,
        *,
        user: str | None = None,
        rating: int | None = None,
        recommend: int | None = None,
        comment: str | None = None,
    ) -> Feedback:
        """Keep what a user says of a call; a later word of the same user replaces it.

        Args:
            business: Whose call.
            transaction_id: Which call: ``receipt.transaction_id``.
            user: Who says it; None if unknown.
            rating: 1 to 5.
            recommend: 0 to 10, how likely they would recommend it.
            comment: In their words, at most 2,000 characters; it is masked before it is kept.

        Raises:
            ValueError: If neither number is given, or one or the comment is out of bounds.
            NotFound: If the business made no such call, whoever else did.
            PrivacyRefused: If the comment cannot be masked safely; nothing was kept.
        """
        return self._feedback.put(
            business, transaction_id, user=user, rating=rating, recommend=recommend, comment=comment
        )

    def _masked(self, text: str) -> str:
        with mask_once(self._wiring.masker(), text, data=None, known=None) as masked:
            return masked.text


def _seeded() -> Random:
    return Random(SEED)  # noqa: S311  # resamples, no secret
