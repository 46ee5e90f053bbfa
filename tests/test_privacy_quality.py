"""The goals of the recognizers on texts made from a seed: how much personal data they find, and how little else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from benchmarks import _privacy_texts as texts
from benchmarks._privacy_accuracy import ALTERED, EXACT, GENERAL_TYPED, MASKED, PRECISION, SEED, TYPED
from benchmarks._privacy_scores import Tally, altered
from benchmarks._privacy_tools import ours

if TYPE_CHECKING:
    from benchmarks._privacy_texts import Sample

COUNT = 1_700


@cache
def development() -> list[Sample]:
    """The development data; the test that needs it is skipped where it is absent."""
    samples = texts.development()
    if not samples:
        pytest.skip("development data is absent; the same goals are tested on generated texts")
    return samples


def tally(samples: list[Sample]) -> Tally:
    """What the recognizers of the default settings make of some texts."""
    return Tally(ours().detect, samples)


def why(found: Tally) -> str:
    """The first misses and false findings, for whoever reads a failure."""
    return "\n".join(f"{what}: {text!r}" for what, text in found.odd[:40])


def test_ghanaian_texts_lose_all_personal_data_and_nothing_else() -> None:
    """Of every kind together: hidden, as what it is, with hardly a false finding."""
    found = tally(texts.ghanaian(COUNT, SEED))
    score = found.score()
    assert score.masked.value >= MASKED, why(found)
    assert score.typed.value >= TYPED, why(found)
    assert score.precision.value >= PRECISION, why(found)


def test_no_kind_of_ghanaian_data_is_weak() -> None:
    """The mean hides no kind that is found by luck only."""
    found = tally(texts.ghanaian(COUNT, SEED + 1))
    weak = {label: str(found.score(label).masked) for label in found.labels() if found.score(label).masked.value < 0.95}
    assert not weak, why(found)


def test_noisy_typography_hides_nothing_from_us() -> None:
    """Typographic dashes, unbreakable blanks, invisible characters, full-width digits, JSON and HTML."""
    found = tally(texts.ghanaian_noisy(COUNT, SEED))
    assert found.score().typed.value >= TYPED, why(found)


def test_general_kinds_are_found_too() -> None:
    """E-mail, links, IP, IBAN, cards of all issuers, social security numbers, keys, phones abroad."""
    found = tally(texts.general(COUNT // 2, SEED))
    assert found.score().typed.value >= GENERAL_TYPED, why(found)
    short = {label: str(found.score(label).typed) for label in EXACT if found.score(label).typed.value < 1}
    assert not short, why(found)


def test_business_texts_come_through() -> None:
    """Barcodes, serials, invoices, sale dates and amounts are no personal data."""
    samples, detect = texts.business(2_000, SEED), ours().detect
    share = altered(detect, samples)
    assert share.value <= ALTERED, [sample.text for sample in samples if detect(sample.text)][:40]


def test_development_data_is_found() -> None:
    """The goals hold on texts that somebody else made."""
    found = tally(development())
    score = found.score()
    assert score.masked.value >= MASKED, why(found)
    assert score.typed.value >= TYPED, why(found)
    assert score.precision.value >= PRECISION, why(found)


def test_development_data_is_found_in_noisy_typography() -> None:
    """The same with every sort of noise."""
    noisy = texts.noisy([texts.pieces_of(sample) for sample in development()], SEED)
    found = tally([texts.joined(pieces) for pieces in noisy])
    assert found.score().typed.value >= TYPED, why(found)


def test_clean_notes_of_the_development_data_come_through() -> None:
    """Not one in two hundred is touched."""
    assert altered(ours().detect, [sample for sample in development() if not sample.truths]).value <= ALTERED
