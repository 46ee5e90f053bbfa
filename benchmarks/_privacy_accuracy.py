"""How much personal data is found, how much of it as what it is, and how much business data is hidden by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import _privacy_texts as texts
from benchmarks import _privacy_tools as tools
from benchmarks._privacy_scores import Tally, altered
from benchmarks._report import Result, not_measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks._privacy_scores import Score
    from benchmarks._privacy_texts import Sample
    from benchmarks._privacy_tools import Tool

SEED: Final = 20_261_125
"""Of all texts of the benchmark and of the gates in the tests."""

MASKED: Final = 0.99
TYPED: Final = 0.97
PRECISION: Final = 0.97
GENERAL_TYPED: Final = 0.95
ALTERED: Final = 0.005

EXACT: Final = ("EMAIL", "URL", "IP", "US_SSN", "IBAN")
"""General kinds of which every one is to be typed right."""

_GOALS: Final[Mapping[str, Mapping[str, float]]] = {
    "development data": {"masked": MASKED, "typed": TYPED, "precision": PRECISION},
    "Ghanaian texts": {"masked": MASKED, "typed": TYPED, "precision": PRECISION},
    "the same, noisy": {"typed": TYPED},
    "development data, noisy": {"typed": TYPED},
    "general texts": {"typed": GENERAL_TYPED},
}
_GENERAL_GOALS: Final[Mapping[str, Mapping[str, float]]] = {
    **{label: {"typed": 1.0} for label in EXACT},
    "CREDIT_CARD": {"typed": 0.97},
}


def accuracy(_folder: Path, *, full: bool) -> list[Result]:
    """All scores of all tools on all texts."""
    loaded = [tools.load(name) for name in tools.installed()]
    results = [_missing(name) for name in tools.missing()]
    for name, samples in _suites(full=full).items():
        results += scores(name, samples, loaded) if samples else [not_measured(name, "it is absent")]
    for name, samples in _clean(full=full).items():
        results += [_altered(name, samples, loaded)] if samples else []
    return results


def _missing(name: str) -> Result:
    return not_measured(name, "it is not installed")


def _suites(*, full: bool) -> dict[str, list[Sample]]:
    count, development = 17_000 if full else 1_700, texts.development()
    pieces = [texts.pieces_of(sample) for sample in development]
    return {
        "development data": development,
        "development data, noisy": [texts.joined(noisy) for noisy in texts.noisy(pieces, SEED)],
        "Ghanaian texts": texts.ghanaian(count, SEED),
        "the same, noisy": texts.ghanaian_noisy(count, SEED),
        "general texts": texts.general(count // 2, SEED),
    }


def _clean(*, full: bool) -> dict[str, list[Sample]]:
    return {
        "development data without personal data": [one for one in texts.development() if not one.truths],
        "business texts": texts.business(10_000 if full else 2_000, SEED),
    }


def scores(name: str, samples: Sequence[Sample], loaded: Sequence[Tool]) -> list[Result]:
    tallies = {tool.name: Tally(tool.detect, samples) for tool in loaded}
    rows = [_row(f"{name}, all kinds", tallies, None, _GOALS[name])]
    for label in tallies[tools.OURS].labels():
        goals = _GENERAL_GOALS.get(label, {}) if name == "general texts" else {}
        rows.append(_row(f"{name}, {label}", tallies, label, goals))
    return rows


def _row(what: str, tallies: Mapping[str, Tally], label: str | None, goals: Mapping[str, float]) -> Result:
    scores = {name: tally.score(label) for name, tally in tallies.items()}
    score = scores[tools.OURS]
    values = {"masked": score.masked.value, "typed": score.typed.value, "precision": score.precision.value}
    return Result(
        what=what,
        ours=f"masked {score.masked}, typed {score.typed}, precision {score.precision}",
        yardstick="; ".join(f"{name}: {_brief(other)}" for name, other in scores.items() if name != tools.OURS),
        figure=score.typed.value,
        goal=", ".join(f"{measure} >= {goal:.0%}" for measure, goal in goals.items()),
        met=all(values[measure] >= goal for measure, goal in goals.items()) if goals else None,
    )


def _brief(score: Score) -> str:
    precision = f"{score.precision.value:.1%}" if score.precision.of else "none found"
    return f"{score.masked.value:.1%} / {score.typed.value:.1%} / {precision}"


def _altered(name: str, samples: Sequence[Sample], loaded: Sequence[Tool]) -> Result:
    shares = {tool.name: altered(tool.detect, samples) for tool in loaded}
    share = shares[tools.OURS]
    return Result(
        what=f"{name}, altered",
        ours=str(share),
        yardstick="; ".join(f"{tool}: {other.value:.1%}" for tool, other in shares.items() if tool != tools.OURS),
        figure=share.value,
        goal=f"<= {ALTERED:.1%}",
        met=share.value <= ALTERED,
    )
