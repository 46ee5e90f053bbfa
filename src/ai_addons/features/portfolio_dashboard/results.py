"""What the dashboard returns, and what the model is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ai_addons.features._guard import Answer, Cited, FactKey, Prose
from ai_addons.features._inputs import Strict
from ai_addons.features.portfolio_dashboard.kpis import Unit
from ai_addons.features.portfolio_dashboard.models import Area
from ai_addons.features.portfolio_dashboard.scores import Severity, Status

Owner: TypeAlias = Literal["owner", "cashier", "store_manager"]
"""Who does it."""

When: TypeAlias = Literal["today", "this_week", "this_month"]
"""By when; an enum, so that no number comes from the model."""

Trend: TypeAlias = Literal["up", "down", "flat"]
"""Which way a figure moves."""

MOST_HEADLINE, MOST_SECTION, MOST_RISK, MOST_ACTION, MOST_CHANGED, MOST_CAVEAT = 160, 420, 240, 200, 280, 200
"""Characters of each text, once the facts are put in."""


class Headline(Cited):
    """The whole business in a sentence."""

    text: Annotated[Prose, Field(min_length=1, max_length=MOST_HEADLINE)]


class SectionText(Cited):
    """What an area's figures say."""

    area: Area
    text: Annotated[Prose, Field(min_length=1, max_length=MOST_SECTION)]
    fact_keys: Annotated[tuple[FactKey, ...], Field(min_length=1, max_length=6)]


class RiskText(Cited):
    """One thing that could go wrong."""

    text: Annotated[Prose, Field(min_length=1, max_length=MOST_RISK)]


class ActionText(Cited):
    """One thing to do."""

    text: Annotated[Prose, Field(min_length=1, max_length=MOST_ACTION)]
    owner: Owner
    when: When


class ChangeText(Cited):
    """What moved."""

    text: Annotated[Prose, Field(min_length=1, max_length=MOST_CHANGED)]


class Caveat(Cited):
    """One reason to be careful with these figures."""

    text: Annotated[Prose, Field(min_length=1, max_length=MOST_CAVEAT)]


class DashboardText(Answer):
    """What the model is asked for: words around figures, scores and an order that code has fixed."""

    headline: Headline
    sections: Annotated[tuple[SectionText, ...], Field(max_length=5)]
    risks: Annotated[tuple[RiskText, ...], Field(min_length=1, max_length=3)]
    actions: Annotated[tuple[ActionText, ...], Field(min_length=2, max_length=5)]
    what_changed: ChangeText
    caveats: Annotated[tuple[Caveat, ...], Field(min_length=1, max_length=3)]


class Kpi(Strict):
    """One figure."""

    key: str
    """Stable name."""
    area: Area
    """Where it belongs."""
    label: str
    """What it is."""
    unit: Unit
    """GHS, a share, a change of an amount, points (as a share), days, a change in days, or a count."""
    value: Decimal
    """The figure, to six places."""
    prior: Decimal | None
    """The same a period earlier; None if not known, or if the figure is itself a change."""
    trend: Trend | None
    """Flat below 1 %, 0.5 points or half a day; None where there is nothing to compare with."""
    score: Decimal | None
    """0 to 100; None for a figure that is only shown."""
    status: Status | None
    """Good from 70, watch from 40, else bad, unless the policy says otherwise."""
    line: str
    """The figure in a line for people."""


class AreaScore(Strict):
    """The score of an area."""

    area: Area
    """Which."""
    score: Decimal
    """0 to 100: the mean of its scored figures."""
    status: Status
    """What it says."""


class Alert(Strict):
    """A figure that needs somebody."""

    kpi: str
    """Key of the figure."""
    area: Area
    """Where it belongs."""
    severity: Severity
    """``act`` at or past the bad end, ``warn`` for bad, ``watch`` for not bad yet but getting worse."""
    text: str
    """The figure in a line."""


class Section(Strict):
    """An area in words."""

    area: Area
    """Which."""
    text: str
    """The words."""


class Action(Strict):
    """One thing to do."""

    text: str
    """What."""
    owner: Owner
    """Who."""
    when: When
    """By when."""


class PortfolioDashboard(Strict):
    """One page on the whole business; every number in it comes from code."""

    health_score: Decimal | None
    """0 to 100, higher is better; None with too few areas."""
    health_status: Status | None
    """What it says."""
    sub_scores: tuple[AreaScore, ...]
    """Areas that could be scored, worst first."""
    kpis: tuple[Kpi, ...]
    """All figures that could be computed, worst first, those without a score last."""
    alerts: tuple[Alert, ...]
    """Worst first."""
    policy_version: str
    """Which thresholds applied."""
    headline: str
    """The whole business in a sentence."""
    sections: tuple[Section, ...]
    """One for each sub-score, in the same order."""
    risks: tuple[str, ...]
    """What could go wrong."""
    actions: tuple[Action, ...]
    """What to do, by whom and when."""
    what_changed: str
    """What moved since the period before."""
    caveats: tuple[str, ...]
    """Why to be careful with these figures."""
