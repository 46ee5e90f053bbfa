"""The operator's pages. They show what the JSON endpoints answer, and change things after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from ai_addons.billing.fx_used import SHOWN_AT
from ai_addons.errors import AddOnsError, NotFound
from ai_addons.web.base import Context, Endpoint, Query, WebResponse
from ai_addons.web.endpoints.admin import (
    ConfirmBody,
    DaysQuery,
    PauseBody,
    ReasonBody,
    confirm_rate,
    days_of,
    mark_refunded,
    pause,
    release,
    resume,
)
from ai_addons.web.errors import ValidationFailed
from ai_addons.web.pages import HEADERS, HTML, render
from ai_addons.web.pages.admin import changes, charts
from ai_addons.web.pages.admin.changes import QUESTIONS, What
from ai_addons.web.pages.admin.filters import money, words
from ai_addons.web.reports import reading, studies
from ai_addons.web.reports.figures import WAITS, aside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HOME: Final = "ai/admin/"
_UNPROCESSABLE: Final = 422
_MOST_FIELDS: Final = 20
_TOKEN: Final = "csrfmiddlewaretoken"  # noqa: S105  # the name of a field

NOT_SAID: Final = "Nothing was changed. Say why, in at most 255 characters; ids and rates must be as they are listed."


class HomeQuery(DaysQuery):
    """How many days back, and what was changed just now."""

    done: What | None = None


class CheckQuery(Query):
    """Whether to check all books now."""

    check: Literal["yes"] | None = None


class ChangeQuery(Query):
    """What is to change; empty names stand for all."""

    what: What
    business: str = Field(default="", max_length=255)
    feature: str = Field(default="", max_length=255)
    payment: str = Field(default="", max_length=255)
    rate: str = Field(default="", max_length=20)


class ChangeForm(ChangeQuery):
    """The same with the reason, as the page sends it."""

    reason: str = ""


# What is shown.


def _today(context: Context) -> WebResponse:
    addons, days = context.addons, days_of(context)
    trade = reading.trade(addons, days)
    overview = reading.overview(trade)
    done = context.query.done if isinstance(context.query, HomeQuery) else None
    return render(
        "admin/today.html",
        context.request,
        status=200,
        now=reading.status(addons),
        overview=overview,
        losers=reading.losers(trade),
        calls=reading.calls(addons, days),
        payments=reading.payments(addons, days),
        chart=charts.earned(overview.by_day),
        names=trade.names,
        features=sorted(trade.names),
        waits=WAITS,
        may_write=context.allows("admin:write"),
        done=None if done is None else QUESTIONS[done].done,
    )


def _figures(context: Context) -> WebResponse:
    addons, days = context.addons, days_of(context)
    return render(
        "admin/figures.html",
        context.request,
        kpis=studies.kpis(addons, days),
        margins=studies.margins(addons, days),
        forecast=studies.forecast(addons),
        names=reading.known_names(addons),
        rates=[f"{rate:f}" for rate in SHOWN_AT],
    )


def _books(context: Context) -> WebResponse:
    wanted = isinstance(context.query, CheckQuery) and context.query.check is not None
    return render("admin/books.html", context.request, found=reading.doctor(context.addons) if wanted else None)


# What is changed.


def _ask(context: Context) -> WebResponse:
    if not isinstance(context.query, ChangeQuery):
        msg = "this page asks about a change"
        raise TypeError(msg)
    return _question(context, context.query)


def _question(context: Context, asked: ChangeQuery, fault: str | None = None, status: int = 200) -> WebResponse:
    """The page that asks before a change.

    Raises:
        NotFound: If it is about a payment that does not wait.
    """
    question = QUESTIONS[asked.what]
    named = asked.model_dump(include={"what", "business", "feature", "payment", "rate"})
    return render(
        "admin/change.html",
        context.request,
        status=status,
        title=question.title,
        meaning=question.meaning,
        facts=_facts(context, asked, fault),
        hidden={name: value for name, value in named.items() if value},
        fault=fault,
    )


def _facts(context: Context, asked: ChangeQuery, fault: str | None) -> tuple[tuple[str, str], ...]:
    if asked.what in {"pause", "resume"}:
        return changes.facts(business=asked.business or changes.ALL, feature=asked.feature or changes.ALL)
    if asked.what == "rate":
        return changes.facts(GHS_for_one_US_dollar=asked.rate)
    for found in map(aside, context.addons.orders.quarantined()):
        if (found.business, found.id) == (asked.business, asked.payment):
            came = f"{found.paid_currency} {money(found.paid)}" if found.paid_currency else ""
            return changes.facts(
                business=found.business,
                order=found.order,
                reference=found.reference,
                does_not_fit=words(found.reason),
                asked_for=f"{found.currency} {money(found.expected)}",
                came=came,
            )
    if fault is None:
        raise NotFound
    # Somebody was quicker; what is the matter is said all the same.
    return changes.facts(business=asked.business, payment=asked.payment)


def _change(context: Context) -> WebResponse:
    form = _form(context.request.body)
    try:
        _CHANGES[form.what](context, form)
    except ValidationError:
        return _question(context, form, NOT_SAID, _UNPROCESSABLE)
    except NotFound:
        raise
    except AddOnsError as error:
        return _question(context, form, str(error), error.http_status)
    place = {**HEADERS, "location": f"{context.request.root}{_HOME}?done={form.what}"}
    return WebResponse(status=303, body=b"", content_type=HTML, headers=place)


def _form(body: bytes) -> ChangeForm:
    """What a form sent; the token is the host's to check.

    Raises:
        ValidationFailed: If it is not a form of ours.
    """
    try:
        pairs = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS))
        pairs.pop(_TOKEN, None)
        return ChangeForm.model_validate(pairs)
    except ValueError:
        fault = {"type": "form", "loc": ["body"], "msg": "This is not a form of ours."}
        raise ValidationFailed([fault]) from None


def _pausing(form: ChangeForm) -> PauseBody:
    return PauseBody(business=form.business or None, feature=form.feature or None, reason=form.reason)


_CHANGES: Final[Mapping[What, Callable[[Context, ChangeForm], object]]] = {
    "pause": lambda context, form: pause(context, _pausing(form)),
    "resume": lambda context, form: resume(context, _pausing(form)),
    "release": lambda context, form: release(
        context, form.business, form.payment, ReasonBody(reason=form.reason).reason
    ),
    "refunded": lambda context, form: mark_refunded(
        context, form.business, form.payment, ReasonBody(reason=form.reason).reason
    ),
    "rate": lambda context, form: confirm_rate(context, ConfirmBody(rate=form.rate, reason=form.reason)),
}

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path=_HOME,
        name="admin_page",
        summary="The operator's page: what needs somebody, and how things go.",
        handle=_today,
        action="admin:read",
        query=HomeQuery,
        page=True,
    ),
    Endpoint(
        method="GET",
        path="ai/admin/pages/figures/",
        name="admin_page_figures",
        summary="KPIs, margins by pack, and the forecast of the provider's bill; heavy.",
        handle=_figures,
        action="admin:read",
        query=DaysQuery,
        costly=True,
        page=True,
    ),
    Endpoint(
        method="GET",
        path="ai/admin/pages/books/",
        name="admin_page_books",
        summary="Whether the books agree; heavy where it is asked to check.",
        handle=_books,
        action="admin:read",
        query=CheckQuery,
        costly=True,
        page=True,
    ),
    Endpoint(
        method="GET",
        path="ai/admin/pages/change/",
        name="admin_page_ask",
        summary="Asks before a change.",
        handle=_ask,
        action="admin:write",
        query=ChangeQuery,
        errors=(NotFound,),
        page=True,
    ),
    Endpoint(
        method="POST",
        path="ai/admin/pages/change/",
        name="admin_page_change",
        summary="Makes a change that the page asked about.",
        handle=_change,
        action="admin:write",
        status=303,
        errors=(NotFound, ValidationFailed),
        page=True,
    ),
)
