"""What an answer about stock may say, beyond the guard that all features share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import references, without_references
from ai_addons.features._guard import Cited, cited_faults, english_faults, refuse_unsafe, script_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_addons.features._result import Fact
    from ai_addons.features.inventory_forecast.models import ForecastAnswer, ItemNoteAnswer
    from ai_addons.features.inventory_forecast.words import Row

MOST_HEADLINE: Final = 140
MOST_NOTE: Final = 160
MOST_REMARK: Final = 220

_HOLDING: Final = re.compile(
    r"\b(?:do not|don't|no need to|need not|stop|avoid|never|hold off|without) (?:re)?(?:order|buy|stock)\w*"
    r"|\b(?:skip|cancel|delay|postpone)\b|\bover ?stock\w*|\btoo much stock\b|\bmark(?:ed)? down\b"
)
_BUYING: Final = re.compile(
    r"\b(?:re-?order|re-?stock|restocking|stock up|top up|buy more|buy again|order (?:more|now|again|soon|another)"
    r"|runs? out|running out|run low)\b"
)
_NEGATED: Final = re.compile(
    r"\b(?:do not|don't|no need to|need not|never|will not|won't|stop|avoid)\b(?:\W+\w+){0,2}\W+$"
)
_PROMISE: Final = re.compile(
    r"\bguarantee\w*|\bcertain(?:ly)?\b|\bdefinitely\b|\bfor sure\b|\bwithout (?:any )?(?:doubt|risk)\b"
    r"|\brisk[- ]free\b|\b(?:will|shall) (?:surely |always |not |never )?(?:sell|run out|earn|profit|be sold)\b"
    r"|\bnever runs? out\b"
)
_BLAME: Final = re.compile(
    r"\b(?:police|court|arrest\w*|lawyers?|steal\w*|stolen|theft|thie(?:f|ves)|fraud\w*|fire (?:the|your) (?:staff"
    r"|clerk|cashier)|punish\w*|threat\w*|or else)\b"
)
_PLACE: Final = re.compile(r"P[A-Z]{1,2}(?:\.|$)")


def faults(
    answer: ForecastAnswer, shown: Sequence[Row], facts: Mapping[str, Fact], *, system: str, canary: str
) -> list[str]:
    """What is wrong with an answer; the messages quote nothing of it.

    Raises:
        BadOutput: If it must not even be corrected.
    """
    parts = list(texts_of(answer))
    refuse_unsafe((cited.text for _, cited, _ in parts), system=system, canary=canary)
    prose = " ".join(without_references(cited.text) for _, cited, _ in parts).lower()
    return [
        *(fault for where, cited, most in parts for fault in cited_faults(where, cited, facts, most=most)),
        *_note_faults("urgent", answer.urgent, [row.code for row in shown if row.is_urgent]),
        *_note_faults("slow_stock", answer.slow_stock, [row.code for row in shown if row.is_slow]),
        *_way_faults(answer, shown),
        *_trust_faults(answer, facts),
        *_wording_faults(prose),
        *script_faults("the answer", prose),
        *english_faults("the answer", prose),
    ]


def texts_of(answer: ForecastAnswer) -> Iterator[tuple[str, Cited, int]]:
    """Every text of an answer: where it stands, the text, its length once filled."""
    yield "headline", answer.headline, MOST_HEADLINE
    for where, notes in (("urgent", answer.urgent), ("slow_stock", answer.slow_stock)):
        for number, note in enumerate(notes, 1):
            yield f"{where}.{number}", note, MOST_NOTE
    yield "budget_note", answer.budget_note, MOST_REMARK
    for number, remark in enumerate(answer.uncertainty, 1):
        yield f"uncertainty.{number}", remark, MOST_REMARK


def _note_faults(where: str, notes: Sequence[ItemNoteAnswer], given: Sequence[str]) -> list[str]:
    """Rows of that kind only, each once, in their order; each note on its own row."""
    named = [note.ref for note in notes]
    found: list[str] = []
    if named != [code for code in given if code in named]:
        found.append(f"{where}: only rows of this kind, each once, in the given order")
    if given and not named:
        found.append(f"{where}: name at least the first row of this kind")
    for number, note in enumerate(notes, 1):
        cited = references(note.text)
        if note.ref not in cited:
            found.append(f"{where}.{number}: name the item by citing its row")
        if any(_of_another_row(key, note.ref) for key in cited):
            found.append(f"{where}.{number}: cites a fact of another row")
    return found


def _of_another_row(key: str, code: str) -> bool:
    return _PLACE.match(key) is not None and key.split(".", 1)[0] != code


def _way_faults(answer: ForecastAnswer, shown: Sequence[Row]) -> list[str]:
    """The words must not point the other way than the figures: hold back an order, or buy what stands."""
    bought = {row.code for row in shown if row.quantity > 0}
    found = [
        f"urgent.{number}: code orders this item; do not say otherwise"
        for number, note in enumerate(answer.urgent, 1)
        if note.ref in bought and _HOLDING.search(_prose(note))
    ]
    return found + [
        f"slow_stock.{number}: code orders nothing of this item; do not say otherwise"
        for number, note in enumerate(answer.slow_stock, 1)
        if _says(_BUYING, _prose(note))
    ]


def _prose(cited: Cited) -> str:
    return without_references(cited.text).replace("\u2019", "'").lower()


def _says(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a text says something without a "not" before it."""
    return any(_NEGATED.search(text[: match.start()]) is None for match in pattern.finditer(text))


def _trust_faults(answer: ForecastAnswer, facts: Mapping[str, Fact]) -> list[str]:
    """The service level reached, never only the one aimed at."""
    if "achieved_service" not in facts:
        return _aim_faults(answer)
    cited = {key for remark in answer.uncertainty for key in references(remark.text)}
    found = [] if "achieved_service" in cited else ["uncertainty: cite {achieved_service}"]
    return found + [
        f"{where}: cite {{achieved_service}} beside {{target_service}}"
        for where, part, _ in texts_of(answer)
        if "target_service" in (keys := references(part.text)) and "achieved_service" not in keys
    ]


def _aim_faults(answer: ForecastAnswer) -> list[str]:
    return [
        f"{where}: leave {{target_service}} out, nothing shows that it is reached"
        for where, part, _ in texts_of(answer)
        if "target_service" in references(part.text)
    ]


def _wording_faults(prose: str) -> list[str]:
    rules: Iterable[tuple[re.Pattern[str], str]] = (
        (_PROMISE, "the answer: promise nothing about sales, stock or profit"),
        (_BLAME, "the answer: accuse and threaten nobody"),
    )
    return [fault for pattern, fault in rules if pattern.search(prose)]
