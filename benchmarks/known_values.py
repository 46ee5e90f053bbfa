"""What it costs to look for many known values in a text: the customers of a shop in a question about one of them.

Run with ``python -m benchmarks.known_values [--full] [--only PART …] [--json]``. CPU time, best of five. The yardstick
is one `re` alternation of the values as they are, compiled and run in the same process: the quickest way that comes
with Python, though it finds no other spelling of any of them.
"""

from __future__ import annotations

import random
import re
import sys
import time
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Declared, Kind
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.matcher import Matcher
from benchmarks._report import Benchmark, Result, main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COUNTS: Final = (5, 50, 500, 5_000)
MANY: Final = 50_000
LENGTH: Final = 4_096
_FIRST: Final = ["Ama", "Kofi", "Kwame", "Akosua", "Yaw", "Adwoa", "Abena", "Esi", "Fatima", "Grace", "Edem", "Samuel"]
_LAST: Final = ["Mensah", "Owusu", "Boateng", "Addo", "Amoah", "Agyeman", "Darko", "Tetteh", "Dogbe", "Mahama", "Issah"]
_ENDS: Final = ["", "", "", "son", "ba", "wa", "ko"]
_WORDS: Final = (
    "the shop sold rice oil milk and sugar to many people on market day paid late cash balance due please remind "
    "deliver before noon again stock price bag tin carton asked about credit for next week because school fees are due"
)


def customers(count: int) -> list[tuple[str, str]]:
    """Names and phone numbers, the same for everybody who runs this."""
    rng = random.Random(7)  # noqa: S311  # draws that everybody can repeat
    return [
        (
            f"{rng.choice(_FIRST)} {rng.choice(_LAST)}{rng.choice(_ENDS)}",
            f"0{rng.choice(['24', '20', '55'])}{rng.randrange(10**7):07d}",
        )
        for _ in range(count)
    ]


def note(among: Sequence[tuple[str, str]]) -> str:
    """A text of 4 KB that names ten of them, if there are so many."""
    rng = random.Random(11)  # noqa: S311  # as above
    some = _WORDS.split()
    words = [rng.choice(some) for _ in range(LENGTH // 5)]
    for name, phone in rng.sample(among, min(10, len(among))):
        words[rng.randrange(len(words))] = name
        words[rng.randrange(len(words))] = phone
    return " ".join(words)[:LENGTH]


def best_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds, the best of five."""
    spent: list[float] = []
    for _ in range(5):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent) * 1_000


def alternation(values: Sequence[str]) -> re.Pattern[str]:
    """The yardstick, compiled afresh."""
    re.purge()
    return re.compile("|".join(map(re.escape, values)))


def measure(count: int) -> tuple[float, ...]:
    """Build, first scan with building, whole mask, and the yardstick's compiling and scanning."""
    people = customers(max(1, count // 2))
    text = note(people)
    names, phones = zip(*people, strict=True)
    declared = [
        *(Declared(Kind.PERSON, name) for name in names),
        *(Declared(Kind.PHONE, phone) for phone in phones),
    ]
    masker = BuiltinMasker([], max_field_bytes=65_536)
    known = {Pii.NAME: names, Pii.PHONE: phones}
    plain = alternation([*names, *phones])
    return (
        best_ms(lambda: Matcher(declared)),
        best_ms(lambda: list(Matcher(declared).find(text))),
        best_ms(lambda: masker.session().mask([text], None, known=known)),
        best_ms(lambda: alternation([*names, *phones])),
        best_ms(lambda: list(plain.finditer(text))),
    )


def values(_folder: Path, *, full: bool) -> list[Result]:
    """Lists of some lengths; the longest in the full size only."""
    return [_result(count) for count in (*COUNTS, *([MANY] if full else []))]


def _result(count: int) -> Result:
    build, scan, whole, compiled, found = measure(count)
    return Result(
        what=f"{count:,} values",
        ours=f"build {build:.2f} ms, build and scan {scan:.2f} ms, whole mask {whole:.2f} ms",
        yardstick=f"`re`: compile {compiled:.2f} ms, scan {found:.2f} ms",
        figure=scan / (compiled + found),
    )


KNOWN_VALUES: Final = Benchmark(
    name="known_values",
    about="What it costs to look for many known values in a text.",
    full=f"{MANY:,} values too",
    parts={"values": values},
)

if __name__ == "__main__":
    sys.exit(main(KNOWN_VALUES, sys.argv[1:]))
