"""What it costs to look for many known values in a text: the customers of a shop in a question about one of them.

Run with ``python -m benchmarks.known_values``. CPU time, best of five; the yardstick is
one `re` alternation of the values as they are, compiled and run in the same process,
which finds no other spelling of any of them.
"""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Declared, Kind
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.matcher import Matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COUNTS: Final = (5, 50, 500, 5_000)
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


def main() -> None:
    """Print the table."""
    print("| values | build, ms | build and scan, ms | whole mask, ms | `re`: compile + scan, ms |")
    print("|---|---|---|---|---|")
    for count in COUNTS:
        build, scan, whole, compiled, found = measure(count)
        print(f"| {count:,} | {build:.2f} | {scan:.2f} | {whole:.2f} | {compiled:.2f} + {found:.2f} |")


if __name__ == "__main__":
    main()
