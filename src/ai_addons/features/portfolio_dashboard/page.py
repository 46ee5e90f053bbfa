"""The dashboard as it is returned: figures by code, words by the model or by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.features.portfolio_dashboard.facts import kpi_fact, trend_word
from ai_addons.features.portfolio_dashboard.results import (
    Action,
    Alert,
    AreaScore,
    DashboardText,
    Kpi,
    PortfolioDashboard,
    Section,
)
from ai_addons.features.portfolio_dashboard.scores import rounded, rounded_down

if TYPE_CHECKING:
    from ai_addons.features.portfolio_dashboard.policy import DashboardPolicy
    from ai_addons.features.portfolio_dashboard.scores import Alarm, Board, Scored


def dashboard(board: Board, policy: DashboardPolicy, answer: DashboardText) -> PortfolioDashboard:
    """Put words and figures together."""
    return PortfolioDashboard(
        health_score=None if board.health is None else rounded_down(board.health),
        health_status=board.status,
        sub_scores=tuple(
            AreaScore(area=part.area, score=rounded_down(part.score), status=part.status) for part in board.areas
        ),
        kpis=tuple(_kpi(kpi) for kpi in _worst_first(board)),
        alerts=tuple(_alert(alarm) for alarm in board.alarms),
        policy_version=policy.version,
        headline=answer.headline.text,
        sections=tuple(Section(area=section.area, text=section.text) for section in answer.sections),
        risks=tuple(risk.text for risk in answer.risks),
        actions=tuple(Action(text=step.text, owner=step.owner, when=step.when) for step in answer.actions),
        what_changed=answer.what_changed.text,
        caveats=tuple(caveat.text for caveat in answer.caveats),
    )


def _worst_first(board: Board) -> list[Scored]:
    known = [kpi for kpi in board.kpis if kpi.measure.value is not None]
    return sorted(known, key=lambda kpi: (kpi.score is None, kpi.score or 0))


def _kpi(kpi: Scored) -> Kpi:
    measure = kpi.measure
    fact = kpi_fact(measure)
    trend = trend_word(measure)
    return Kpi(
        key=measure.key,
        area=measure.area,
        label=measure.label,
        unit=measure.unit,
        value=rounded(measure.known),
        prior=None if measure.prior is None else rounded(measure.prior),
        trend=trend,
        score=None if kpi.score is None else rounded_down(kpi.score),
        status=kpi.status,
        line=", ".join(filter(None, (f"{measure.label}: {fact.text}", trend, kpi.status))),
    )


def _alert(alarm: Alarm) -> Alert:
    measure = alarm.scored.measure
    text = f"{measure.label}: {kpi_fact(measure).text}"
    return Alert(kpi=measure.key, area=measure.area, severity=alarm.severity, text=text)
