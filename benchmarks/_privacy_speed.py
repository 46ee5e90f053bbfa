"""How fast text is searched: CPU time, the best of three rounds, all tools in turn in one process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks import _privacy_texts as texts
from benchmarks import _privacy_tools as tools
from benchmarks._privacy_accuracy import SEED
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks._privacy_tools import Tool

ROUNDS: Final = 3
SIZE: Final = 4_096
P99_GOAL_MS: Final = 3.0

_NOTES: Final = "notes of 65 bytes"
_DENSE: Final = "4 KB of notes dense in digits"
_NUMBERS: Final = "4 KB of numbers and nothing else"
_PROSE: Final = "4 KB of prose"
_GOALS: Final[Mapping[str, float]] = {_NOTES: 1.4, _DENSE: 2.5, _PROSE: 5.0}
_NOTE: Final = range(50, 81)


def speed(_folder: Path, *, full: bool) -> list[Result]:
    """Megabytes a second of each tool on each sort of text, and how long the slowest texts take."""
    loaded = [tools.load(name) for name in tools.installed()]
    results = [_result(name, corpus, loaded) for name, corpus in _corpora(full=full).items()]
    return [*results, *(_slowest(name, corpus) for name, corpus in _corpora(full=True).items() if name != _NOTES)]


def _corpora(*, full: bool) -> dict[str, list[str]]:
    """The texts; notes are those of about 65 bytes, with personal data in two of three."""
    notes = [one.text for one in [*texts.ghanaian(1_700, SEED), *texts.business(850, SEED)]]
    fitting = [note for note in notes if len(note.encode()) in _NOTE]
    return {
        _NOTES: fitting if full else fitting[::4],
        _DENSE: [texts.dense(SIZE, SEED + number) for number in range(100 if full else 8)],
        _NUMBERS: [texts.numbers(SIZE, SEED + number) for number in range(100 if full else 8)],
        _PROSE: [texts.prose(SIZE, SEED + number) for number in range(100 if full else 8)],
    }


def _seconds(tool: Tool, corpus: Sequence[str]) -> float:
    """CPU seconds to search all texts once."""
    began = time.process_time()
    for text in corpus:
        tool.detect(text)
    return time.process_time() - began


def rates(loaded: Sequence[Tool], corpus: Sequence[str]) -> dict[str, float]:
    """Megabytes a second of each tool by its best round."""
    for tool in loaded:  # what is made at first use is made now
        tool.detect(corpus[0])
    rounds = [{tool.name: _seconds(tool, corpus) for tool in loaded} for _ in range(ROUNDS)]
    size = sum(len(text.encode()) for text in corpus) / 1_000_000
    return {tool.name: size / min(taken[tool.name] for taken in rounds) for tool in loaded}


def _result(name: str, corpus: Sequence[str], loaded: Sequence[Tool]) -> Result:
    found = rates(loaded, corpus)
    ours = found.pop(tools.OURS)
    datafog = next((rate for tool, rate in found.items() if tool.startswith("DataFog")), None)
    goal = _GOALS.get(name)
    ratio = "" if datafog is None else f", {ours / datafog:.2f} x DataFog"
    return Result(
        what=f"speed, {name}, {len(corpus)} texts",
        ours=f"{ours:.2f} MB/s{ratio}",
        yardstick="; ".join(f"{tool}: {rate:.3f} MB/s" for tool, rate in found.items()),
        figure=ours,
        unit="MB/s",
        goal=f">= {goal} MB/s" if goal else "",
        met=ours >= goal if goal else None,
    )


def _slowest(name: str, corpus: Sequence[str]) -> Result:
    """The 99th percentile over texts, of the best round of each."""
    tool = tools.ours()
    taken = sorted(min(_seconds(tool, [text]) for _ in range(ROUNDS)) for text in corpus)
    goal = name in _GOALS
    p99 = 1_000 * taken[len(taken) * 99 // 100]
    return Result(
        what=f"speed, {name}, 99th percentile of {len(corpus)} texts",
        ours=f"{p99:.2f} ms",
        figure=p99,
        unit="ms",
        goal=f"<= {P99_GOAL_MS:.0f} ms" if goal else "",
        met=p99 <= P99_GOAL_MS if goal else None,
    )
