"""The operator's endpoints: figures of all businesses, and the changes that only operators make.

None of these answers may reach a shop: each needs ``admin:read`` or ``admin:write``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from ai_addons.billing.records import check_id
from ai_addons.errors import NotFound, PaymentError
from ai_addons.web.base import Answer, Body, Context, Endpoint, Query
from ai_addons.web.errors import Forbidden
from ai_addons.web.reports import reading, studies
from ai_addons.web.reports.answers import (
    CallsAnswer,
    ChangedAnswer,
    DoctorAnswer,
    LosersAnswer,
    OverviewAnswer,
    PaymentsAnswer,
    StatusAnswer,
)
from ai_addons.web.reports.studies import ForecastAnswer, KpisAnswer, MarginsAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.errors import AddOnsError


M = TypeVar("M", bound=BaseModel)


def _id(value: str) -> str:
    check_id(value, "an id")
    return value


def _text(value: str) -> str:
    check_id(value, "a reason")
    return value


Id = Annotated[str, AfterValidator(_id)]
"""The id of a business or feature, as the store can hold it."""

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_text)]
"""Why something is changed; kept in the audit log, so nothing personal belongs into it."""

RateText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,8})?$")]
"""GHS for one US dollar."""


class DaysQuery(Query):
    """How many days back, today included."""

    days: int = Field(default=30, ge=1, le=366)


class PauseBody(Body):
    """What to stop, or let go on; without a business or a feature it is all of them."""

    business: Id | None = None
    feature: Id | None = None
    reason: Reason


class ReasonBody(Body):
    """Why."""

    reason: Reason


class ConfirmBody(Body):
    """The rate that is right, and why."""

    rate: RateText
    reason: Reason


# Figures.


def _overview(context: Context) -> OverviewAnswer:
    return reading.overview(reading.trade(context.addons, days_of(context)))


def _losers(context: Context) -> LosersAnswer:
    return reading.losers(reading.trade(context.addons, days_of(context)))


def _calls(context: Context) -> CallsAnswer:
    return reading.calls(context.addons, days_of(context))


def _payments(context: Context) -> PaymentsAnswer:
    return reading.payments(context.addons, days_of(context))


def _status(context: Context) -> StatusAnswer:
    return reading.status(context.addons)


def _doctor(context: Context) -> DoctorAnswer:
    return reading.doctor(context.addons)


def _margins(context: Context) -> MarginsAnswer:
    return studies.margins(context.addons, days_of(context))


def _kpis(context: Context) -> KpisAnswer:
    return studies.kpis(context.addons, days_of(context))


def _forecast(context: Context) -> ForecastAnswer:
    return studies.forecast(context.addons)


# Changes. The page of the operator makes the same ones.


def actor_of(context: Context) -> str:
    """The person who changes something.

    Raises:
        Forbidden: If the host's login does not name one: every change is kept with a name.
    """
    user = None if context.principal is None else context.principal.user_id
    if not user:
        msg = (
            "A change is kept with the name of who made it, and this sign-in has none. Nothing was changed. "
            "Sign in by name."
        )
        raise Forbidden(msg)
    return user


def pause(context: Context, wanted: PauseBody) -> ChangedAnswer:
    """Pull a kill switch; what it says afterwards is who pulled it last."""
    pulled = reading.is_paused(context.addons, wanted.business, wanted.feature)
    context.addons.pause(
        business=wanted.business, feature=wanted.feature, actor=actor_of(context), reason=wanted.reason
    )
    return ChangedAnswer(changed=not pulled)


def resume(context: Context, wanted: PauseBody) -> ChangedAnswer:
    """Release a kill switch that was pulled with the same business and feature."""
    released = context.addons.resume(
        business=wanted.business, feature=wanted.feature, actor=actor_of(context), reason=wanted.reason
    )
    return ChangedAnswer(changed=released)


def confirm_rate(context: Context, wanted: ConfirmBody) -> ChangedAnswer:
    """Take a rate that was refused, from now on.

    Raises:
        NotFound: If no such rate waits.
    """
    rates, rate = context.addons.rates, Decimal(wanted.rate)
    actor = actor_of(context)
    if all(one.rate != rate for one, _ in rates.view().waiting):
        raise NotFound
    rates.confirm(rate, actor=actor, reason=wanted.reason)
    return ChangedAnswer(changed=True)


def release(context: Context, business: str, payment: str, reason: str) -> ChangedAnswer:
    """Accept a payment from quarantine, and grant its order.

    Raises:
        NotFound: If there is no such payment.
        PaymentError: If it was sent back, or its order is paid already.
    """
    _known(business, payment)
    context.addons.orders.release(business, payment, actor=actor_of(context), reason=reason)
    return ChangedAnswer(changed=True)


def mark_refunded(context: Context, business: str, payment: str, reason: str) -> ChangedAnswer:
    """Note that a payment in quarantine was sent back at the gateway.

    Raises:
        NotFound: If there is no such payment.
        PaymentError: If it was released.
    """
    _known(business, payment)
    context.addons.orders.mark_refunded(business, payment, actor=actor_of(context), reason=reason)
    return ChangedAnswer(changed=True)


def _pause(context: Context) -> ChangedAnswer:
    return pause(context, _sent(context, PauseBody))


def _resume(context: Context) -> ChangedAnswer:
    return resume(context, _sent(context, PauseBody))


def _confirm_rate(context: Context) -> ChangedAnswer:
    return confirm_rate(context, _sent(context, ConfirmBody))


def _release(context: Context) -> ChangedAnswer:
    return release(context, *_named(context), _sent(context, ReasonBody).reason)


def _mark_refunded(context: Context) -> ChangedAnswer:
    return mark_refunded(context, *_named(context), _sent(context, ReasonBody).reason)


# Inside.


def _known(*names: str) -> None:
    """Refuse a name that the store could not hold: nothing is there under it."""
    try:
        for name in names:
            check_id(name, "an id")
    except ValueError:
        raise NotFound from None


def _named(context: Context) -> tuple[str, str]:
    return context.params["business"], context.params["payment"]


def days_of(context: Context) -> int:
    """The number of days that were asked for."""
    if not isinstance(context.query, DaysQuery):
        msg = "this endpoint takes a number of days"
        raise TypeError(msg)
    return context.query.days


def _sent(context: Context, model: type[M]) -> M:
    if not isinstance(context.body, model):
        msg = f"this endpoint takes a {model.__name__}"
        raise TypeError(msg)
    return context.body


def _read(
    name: str,
    summary: str,
    handle: Callable[[Context], Answer],
    answer: type[Answer],
    query: type[Query] | None = DaysQuery,
    *,
    costly: bool = False,
) -> Endpoint:
    return Endpoint(
        method="GET",
        path=f"ai/admin/{name}/",
        name=f"admin_{name}",
        summary=summary,
        handle=handle,
        action="admin:read",
        query=query,
        answer=answer,
        costly=costly,
    )


def _write(
    path: str, summary: str, handle: Callable[[Context], Answer], body: type[Body], *errors: type[AddOnsError]
) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"ai/admin/{path}/",
        name=f"admin_{path.rpartition('/')[2]}",
        summary=summary,
        handle=handle,
        action="admin:write",
        body=body,
        answer=ChangedAnswer,
        errors=errors,
    )


_ASIDE: Final = "quarantine/{business}/{payment}"

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _read("overview", "What all businesses brought and cost, by feature and day.", _overview, OverviewAnswer),
    _read("losers", "Features and businesses that cost more than they brought.", _losers, LosersAnswer),
    _read("calls", "How long calls took, what went wrong, what the cache saved.", _calls, CallsAnswer),
    _read("payments", "What became of orders and attempts to pay.", _payments, PaymentsAnswer),
    _read("status", "What needs somebody now: budget, switches, backlog, rate.", _status, StatusAnswer, None),
    _read("doctor", "Check every invariant of the books; heavy.", _doctor, DoctorAnswer, None, costly=True),
    _read("margins", "Margins by feature, pack and business; heavy.", _margins, MarginsAnswer, costly=True),
    _read("kpis", "The KPIs with their intervals and verdicts; heavy.", _kpis, KpisAnswer, costly=True),
    _read("forecast", "What the models will cost this month.", _forecast, ForecastAnswer, None, costly=True),
    _write("pause", "Stop new paid calls.", _pause, PauseBody),
    _write("resume", "Let paid calls go on.", _resume, PauseBody),
    _write("rates/confirm", "Take an exchange rate that was refused.", _confirm_rate, ConfirmBody, NotFound),
    _write(
        f"{_ASIDE}/release",
        "Accept a payment that does not fit, and grant its order.",
        _release,
        ReasonBody,
        *(NotFound, PaymentError),
    ),
    _write(
        f"{_ASIDE}/refunded",
        "Note that a payment which does not fit was sent back.",
        _mark_refunded,
        ReasonBody,
        *(NotFound, PaymentError),
    ),
)
