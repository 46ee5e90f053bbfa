"""The privacy benchmark counts what it says it counts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ai_addons.privacy.base import Kind
from benchmarks import _privacy_numbers as numbers
from benchmarks import _privacy_texts as texts
from benchmarks import _privacy_tools as tools
from benchmarks import _privacy_values as values
from benchmarks import privacy
from benchmarks._machine import machine
from benchmarks._privacy_accuracy import scores
from benchmarks._privacy_cache import PROMPTS, band, workload
from benchmarks._privacy_ghana import tin
from benchmarks._privacy_numbers import seeded
from benchmarks._privacy_restore import DISTORTIONS, Placeholder, counted, verdict
from benchmarks._privacy_scores import Found, Share, Tally, altered, is_masked, overlap, wilson
from benchmarks._privacy_sentences import GHANA
from benchmarks._privacy_speed import rates
from benchmarks._privacy_texts import KINDS, NOISES, Sample, Truth
from benchmarks._privacy_tools import Tool, ours
from benchmarks._privacy_variants import NAME_FORMS, PHONE_FORMS, measured, mobile
from benchmarks._report import Benchmark, Result, main, measure, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (300, 300, 0.98736, 1.0),
        (0, 300, 0.0, 0.01264),
        (50, 100, 0.40383, 0.59617),
        (1, 1, 0.20654, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """Values of Wilson's formula at 95 %; of nothing nothing is known."""
    assert wilson(hits, of) == pytest.approx((low, high), abs=1e-5)


def test_a_share_shows_its_interval_and_counts() -> None:
    """A reader sees how much a percentage is worth."""
    assert str(Share(300, 300)) == "100.0% (98.7% to 100.0%; 300 of 300)"
    assert Share(0, 0).value == 1.0


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(4, 14, 1.0), (4, 9, 0.5), (0, 14, 10 / 14), (9, 19, 5 / 15), (14, 20, 0.0), (0, 2, 0.0)],
)
def test_overlap_is_what_two_share_of_what_both_cover(start: int, end: int, expected: float) -> None:
    """Intersection over union of two stretches."""
    assert overlap(Found(start, end, Kind.PHONE), Truth(4, 14, "PHONE")) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("found", "masked"),
    [
        ([(5, 8), (9, 16)], True),  # the dash between is no letter and no digit
        ([(5, 10), (8, 16)], True),
        ([(5, 15)], False),
        ([], False),
        ([(0, 5)], False),
    ],
)
def test_a_value_is_masked_by_all_findings_together(found: list[tuple[int, int]], *, masked: bool) -> None:
    """Not one letter or digit may be left, whatever hides it."""
    text = "call 024-1234567 now"
    hiding = [Found(start, end, Kind.TEXT) for start, end in found]
    assert is_masked(text, Truth(5, 16, "PHONE"), hiding) is masked


SAMPLE = Sample(
    "Ama Mensah 0241234567 x 0201234567", (Truth(0, 10, "PERSON"), Truth(11, 21, "PHONE"), Truth(24, 34, "PHONE"))
)


def test_a_tally_tells_masked_typed_and_precision_apart() -> None:
    """One right, one hidden as something else, one false; names are in no score."""
    found = [Found(0, 3, Kind.ID), Found(11, 21, Kind.PHONE), Found(24, 34, Kind.ID), Found(22, 23, Kind.PHONE)]
    found.append(Found(0, 10, Kind.PERSON))
    tally = Tally(lambda _text: found, [SAMPLE])
    score = tally.score()
    assert (score.masked, score.typed) == (Share(2, 2), Share(1, 2))
    # `Ama` as an id covers less than half of the name, so it is a false finding.
    assert score.precision == Share(1, 4)
    assert tally.score("PHONE").precision == Share(1, 2)
    assert tally.labels() == ["PHONE"]
    assert ("PHONE '0201234567' mistyped", SAMPLE.text) in tally.odd


def test_what_is_not_found_is_missed() -> None:
    """A tool that finds nothing has no recall, and its precision says nothing."""
    tally = Tally(lambda _text: [], [SAMPLE])
    assert tally.score().masked == Share(0, 2)
    assert tally.score().precision == Share(0, 0)
    assert tally.odd[0] == ("PHONE '0241234567' missed", SAMPLE.text)


def test_a_clean_text_counts_as_altered_once() -> None:
    """Two findings in one text are one text altered."""

    def detect(text: str) -> Sequence[Found]:
        return [Found(0, 1, Kind.ID)] * 2 if text == "b" else []

    assert altered(detect, [Sample("a", ()), Sample("b", ())]) == Share(1, 2)


MAKERS = (texts.ghanaian, texts.ghanaian_noisy, texts.general, texts.business)


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_texts(make: texts.Maker) -> None:
    """Results of two days can be compared, and another seed is another sample."""
    assert make(200, 7) == make(200, 7)
    assert make(200, 7) != make(200, 8)


@pytest.mark.parametrize("make", MAKERS)
def test_places_are_where_the_values_stand(make: texts.Maker) -> None:
    """Every value is a stretch of its own without blanks around it, and every label has a placeholder type."""
    for sample in make(200, 7):
        assert sample == texts.joined(texts.pieces_of(sample))
        for truth in sample.truths:
            value = sample.text[truth.start : truth.end]
            assert value.strip() == value != ""
            assert truth.label in KINDS


def test_every_label_has_its_share() -> None:
    """No kind is measured on a handful of values."""
    samples = texts.ghanaian(170, 1)
    counted = [truth.label for sample in samples for truth in sample.truths]
    assert min(counted.count(label) for label in set(counted)) >= 10


def test_business_texts_hold_nothing_personal() -> None:
    """They are what must come through untouched."""
    assert not any(sample.truths for sample in texts.business(300, 1))


def plain(text: str) -> str:
    """Nothing but letters and digits."""
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("name", [name for name in NOISES if name not in {"full-width", "JSON", "HTML"}])
def test_noise_changes_the_typing_and_not_the_value(name: str) -> None:
    """Dashes, blanks and invisible characters are other, letters and digits the same, places follow."""
    for pieces in texts.personal(GHANA, 40, 3):
        noisy = NOISES[name](pieces, seeded(1))
        assert plain(texts.joined(noisy).text) == plain(texts.joined(pieces).text)
        assert [label for _, label in noisy] == [label for _, label in pieces]


def test_a_text_in_json_is_json() -> None:
    """The noisy text can be parsed, and says what the text said."""
    pieces = [('He said "', None), ("a@b.com", "EMAIL"), ('"\n', None)]
    sample = texts.joined(texts.in_json(pieces, seeded(1)))
    assert list(json.loads(sample.text).values()) == ['He said "a@b.com"\n', True]
    assert [sample.text[truth.start : truth.end] for truth in sample.truths] == ["a@b.com"]


def test_longer_texts_have_the_size_they_should_have() -> None:
    """Speed is measured on texts of one length."""
    assert {len(make(4_096, 1)) for make in (texts.prose, texts.dense, texts.numbers)} == {4_096}


def test_check_digits_are_right() -> None:
    """Published examples of Luhn, EAN and IBAN; a tax number's nine digits, weighted, give its check."""
    assert numbers.luhn("411111111111111") == "4111111111111111"
    assert numbers.ean("400638133393") == "4006381333931"
    assert values.with_check("GB", "WEST12345698765432") == "GB82WEST12345698765432"
    number = tin(seeded(3))
    check = sum(place * int(digit) for place, digit in enumerate(number[1:10], 1)) % 11
    assert number[10] == ("X" if check == 10 else str(check))


AMA = Placeholder("PERSON", 3, "Ama Mensah")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity", ("[PERSON_3]", "Ama Mensah")),
        ("Markdown escapes", (r"\[PERSON\_3\]", "Ama Mensah")),
        ("possessive inside", ("[PERSON_3's]", "Ama Mensah's")),
        ("number dropped", ("[PERSON]", "")),
    ],
)
def test_a_distortion_says_what_should_come_back(name: str, expected: tuple[str, str]) -> None:
    """A possessive stays, and of a placeholder without a number nobody knows whose it was."""
    assert DISTORTIONS[name](AMA, seeded(1)) == expected


@pytest.mark.parametrize(
    ("restored", "expected", "judged"),
    [
        ("Dear Ama", "Dear Ama", "correct"),
        ("Dear Kofi", "Dear Ama", "wrong"),
        ("Dear [person]", "Dear Ama", "left"),
        (None, "Dear Ama", "refused"),
        ("Dear Kofi", None, "wrong"),
        ("Dear [person]", None, "left"),
    ],
)
def test_a_wrong_value_is_worse_than_none(restored: str | None, expected: str | None, judged: str) -> None:
    """Somebody else's value, a placeholder left in, and an honest refusal are three things."""
    assert verdict(restored, expected, ["Kofi"]) == judged


def test_forms_of_a_name_and_a_phone_are_those_of_the_table() -> None:
    """Twenty and ten forms, the last of each not promised."""
    assert (len(NAME_FORMS), len(PHONE_FORMS), len(DISTORTIONS)) == (20, 10, 21)
    assert NAME_FORMS["last, first"]("Ama Osei Mensah") == "Mensah, Ama"
    assert PHONE_FORMS["+233 and blanks"]("0241234567") == "+233 24 123 4567"


def test_the_workload_calls_for_every_shop_alike() -> None:
    """Shops take turns, and the same seed gives the same debts."""
    cases = list(workload(3, seeded(1)))
    assert [case.shop for case in cases[:4]] == ["biz_0", "biz_1", "biz_2", "biz_0"]
    assert cases == list(workload(3, seeded(1)))
    assert (band(7, (7, 14)), band(8, (7, 14)), band(15, (7, 14))) == ("up to 7", "up to 14", "above 14")
    assert len(PROMPTS) == 4


# The table and the command line that all benchmarks share.


def test_a_table_says_what_is_met() -> None:
    """A goal that is missed stands out."""
    rows = [
        Result(what="a", ours="2 ms", yardstick="1 ms", figure=2, goal="<= 1 ms", met=False),
        Result(what="b", ours="1"),
    ]
    assert table(rows).splitlines()[2:] == ["| a | 2 ms | 1 ms | 2 | <= 1 ms | **not met** |", "| b | 1 |  |  |  |  |"]


def _part(folder: Path, /, *, full: bool) -> list[Result]:
    return [Result(what=f"{'full' if full else 'small'}, {len(list(folder.iterdir()))} files", ours="1")]


def test_a_part_gets_an_empty_folder_of_its_own() -> None:
    """Parts leave nothing for each other."""
    assert [one.what for one in measure([_part, _part], full=True)] == ["full, 0 files"] * 2


@pytest.mark.parametrize("arguments", [[], ["--only", "second"]])
def test_the_command_prints_json_for_machines(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The parts that are asked for, and what they ran on."""
    made = Benchmark(
        name="x", about="X.", full="more", parts={"first": _part, "second": _part}, versions=lambda: ["Y 1"]
    )
    main(made, [*arguments, "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["results"]) == (1 if arguments else 2)
    assert printed["machine"].endswith(", Y 1")


def test_the_command_prints_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The machine first, then the table."""
    main(Benchmark(name="x", about="X.", full="more", parts={"first": _part}), [])
    printed = capsys.readouterr().out
    assert printed.startswith(machine(()).split(",")[0])
    assert printed.rstrip().endswith("| small, 0 files | 1 |  |  |  |  |")


# The parts themselves, in the smallest size.


def test_variants_are_measured_beside_plain_replacing() -> None:
    """With its country code a number is found by us only; its last digits by nobody."""
    found = measured("phone", PHONE_FORMS, mobile, 3)
    assert found["as declared"] == (1, 1, 1)
    assert found["+233 and blanks"] == (1, 0, 0)
    assert found["ending 1234"] == (0, 0, 0)


def test_restoring_is_measured_beside_plain_replacing() -> None:
    """The exact form comes back either way; one without its number is refused by us and left by the other."""
    assert counted("identity", 3) == (Counter(correct=3), Counter(correct=3))
    assert counted("number dropped", 3) == (Counter(refused=3), Counter(left=3))


def test_scores_stand_beside_those_of_other_tools() -> None:
    """One line for all kinds with the goals, then one for each kind."""
    other = Tool("nothing 1.0", lambda _text: [])
    total, *kinds = scores("Ghanaian texts", texts.ghanaian(34, 1), [ours(), other])
    assert total.what == "Ghanaian texts, all kinds"
    assert total.yardstick == "nothing 1.0: 0.0% / 0.0% / none found"
    assert total.goal == "masked >= 99%, typed >= 97%, precision >= 97%"
    assert len(kinds) == 17


def test_tools_that_are_not_there_are_named() -> None:
    """Nobody takes a missing competitor for a beaten one."""
    assert sorted(tools.installed() + tools.missing()) == sorted(tools.NAMES)
    assert tools.installed()[0] == tools.OURS


def test_speed_is_in_megabytes_a_second() -> None:
    """Every tool that is asked has a rate above nothing."""
    found = rates([Tool("quick", lambda _text: [])], ["a" * 1_000])
    assert found["quick"] > 0


def test_every_part_is_offered() -> None:
    """What the page shows can be measured one by one."""
    assert list(privacy.PRIVACY.parts) == ["accuracy", "variants", "restore", "cache", "speed", "hostile", "loading"]
