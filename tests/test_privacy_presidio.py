"""Presidio as a recognizer: with a stand-in for its engine, and with Presidio itself."""

from __future__ import annotations

import logging
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import AddOns, ConfigError, PrivacyRefused, Settings
from ai_addons.privacy import presidio
from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.presidio import PresidioRecognizer, SlowPattern, build_engine
from ai_addons.settings import PresidioSettings
from ai_addons.testing import FakeLlm, kit_settings
from ai_addons.testing.guard import no_network

if TYPE_CHECKING:
    from collections.abc import Callable

real: Final = pytest.mark.skipif(
    find_spec("presidio_analyzer") is None, reason="presidio-analyzer is not installed; it is in the extra `dev`"
)
NOTE: Final = "Call me on 212-555-5555"


@dataclass
class Found:
    """One of Presidio's results."""

    entity_type: str
    start: int
    end: int
    score: float


class FakeEngine:
    """Answers what a test says, and keeps what it was asked."""

    def __init__(self, *results: Found, work: Callable[[], object] = lambda: None) -> None:
        self.results = results
        self.work = work
        self.asked: list[dict[str, Any]] = []
        self.threads: list[str] = []

    def get_supported_entities(self, language: str) -> list[str]:
        assert language == "en"
        return ["URL", "PERSON", "US_SSN", "DATE_TIME", "PHONE_NUMBER", "UK_NHS", "MEDICAL_LICENSE", "NRP"]

    def analyze(self, text: str, language: str, **options: Any) -> list[Found]:
        self.asked.append({"text": text, "language": language, **options})
        self.threads.append(threading.current_thread().name)
        self.work()
        return list(self.results)


def recognizer(engine: FakeEngine, **settings: Any) -> PresidioRecognizer:
    """With a stand-in for the engine."""
    return PresidioRecognizer(PresidioSettings(**settings), build=lambda _: engine)


def found(engine: FakeEngine, text: str = NOTE, **settings: Any) -> list[Span]:
    """What it finds in a text."""
    return list(recognizer(engine, **settings).find(text))


# What it is asked, and what becomes of the answer.


def test_entities_become_our_types_and_ours_win() -> None:
    """An entity that nobody mapped is hidden as it was typed; our own recognizers have a higher priority."""
    engine = FakeEngine(
        Found("PERSON", 0, 4, 0.85), Found("URL", 4, 6, 0.6), Found("NRP", 6, 8, 0.85), Found("PHONE_NUMBER", 8, 9, 0.4)
    )
    assert found(engine) == [
        Span(0, 4, Kind.PERSON, 10),
        Span(4, 6, Kind.ID, 10),
        Span(6, 8, Kind.TEXT, 10),
        Span(8, 9, Kind.PHONE, 10),
    ]


def test_only_wanted_entities_are_searched_for() -> None:
    """Licences, dates and what else takes invoices for personal data is off, unless the settings say otherwise."""
    engine = FakeEngine()
    assert found(engine) == []
    assert engine.asked == [
        {
            "text": NOTE,
            "language": "en",
            "entities": ["NRP", "PERSON", "PHONE_NUMBER", "URL"],
            "score_threshold": 0.35,
            "allow_list": [],
        }
    ]
    found(engine, drop=("*_*", "N?P"))
    assert engine.asked[1]["entities"] == ["PERSON", "URL"]
    assert found(FakeEngine(Found("PERSON", 0, 1, 1)), drop=("*",)) == []


def test_each_entity_has_its_threshold() -> None:
    """Phone numbers count from 0.35, for Presidio gives them 0.4; the rest from 0.5; settings change both."""
    engine = FakeEngine(
        Found("PERSON", 0, 1, 0.49), Found("PHONE_NUMBER", 1, 2, 0.34), Found("PHONE_NUMBER", 2, 3, 0.35)
    )
    assert found(engine) == [Span(2, 3, Kind.PHONE, 10)]
    assert found(engine, threshold=0.2, thresholds={"PHONE_NUMBER": 0.9}) == [Span(0, 1, Kind.PERSON, 10)]
    assert engine.asked[1]["score_threshold"] == 0.2


def test_placeholders_are_allowed_to_stand() -> None:
    """They are on Presidio's allow list, each as it stands in the text."""
    engine = FakeEngine()
    found(engine, "Ask [PERSON_1] or [PHONE_2], [x]")
    assert engine.asked[0]["allow_list"] == ["[PERSON_1]", "[PHONE_2]"]


def test_an_empty_text_loads_nothing() -> None:
    """Nor is anything else done with it."""

    def never(_: PresidioSettings) -> FakeEngine:
        raise AssertionError

    assert list(PresidioRecognizer(PresidioSettings(), build=never).find(" \n")) == []


# What goes wrong refuses the call.


def test_what_takes_too_long_is_refused() -> None:
    """The caller waits no longer than the deadline; the text may hold anything."""
    ended = threading.Event()
    engine = FakeEngine(work=lambda: ended.wait(20))
    began = time.monotonic()
    with pytest.raises(PrivacyRefused, match=r"Presidio did not finish within 0.05 s, .* nothing was charged"):
        found(engine, deadline=timedelta(milliseconds=50))
    assert time.monotonic() - began < 15
    ended.set()


def test_a_queue_of_stuck_texts_is_refused_too() -> None:
    """A text that waits for a free worker waits no longer than the deadline."""
    ended = threading.Event()
    stuck = recognizer(FakeEngine(work=lambda: ended.wait(20)), deadline=timedelta(milliseconds=20))
    for _ in range(6):
        with pytest.raises(PrivacyRefused, match="did not finish within"):
            list(stuck.find(NOTE))
    ended.set()


@pytest.mark.parametrize("error", [ValueError(NOTE), SlowPattern()])
def test_a_failure_is_refused_without_its_words(error: Exception) -> None:
    """Presidio's messages may quote the text, so only the kind of the error is told, with no chain."""

    def fail() -> None:
        raise error

    with pytest.raises(PrivacyRefused) as refused:
        found(FakeEngine(work=fail))
    assert str(refused.value).startswith(f"Presidio failed ({type(error).__name__}), so a text could not be searched")
    assert refused.value.__suppress_context__
    assert "212" not in str(refused.value)


def test_a_long_text_is_refused_by_bytes() -> None:
    """Whatever `privacy.max_field_bytes` allows; two bytes a letter count as two."""
    engine = FakeEngine()
    assert found(engine, "é" * 50, max_bytes=100) == []
    with pytest.raises(PrivacyRefused, match=r"102 bytes is over the limit of 100 bytes for Presidio"):
        found(engine, "é" * 51, max_bytes=100)
    with pytest.raises(PrivacyRefused, match="65537 bytes is over the limit of 65536 bytes"):
        found(engine, "a" * 65_537)


def test_a_broken_installation_says_what_to_do() -> None:
    """The error of the package itself is kept as the reason: it was raised before any text was seen."""

    def broken(_: PresidioSettings) -> FakeEngine:
        msg = "numpy is too old"
        raise ImportError(msg)

    with pytest.raises(ConfigError, match=r"could not be loaded \(ImportError\)\. .*pip install") as refused:
        list(PresidioRecognizer(PresidioSettings(), build=broken).find("x"))
    assert isinstance(refused.value.__cause__, ImportError)


def test_without_presidio_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is masked, naming the extra."""
    monkeypatch.setattr(presidio, "find_spec", lambda _: None)
    addons = AddOns(Settings(privacy={"recognizers": ["presidio"]}))
    with pytest.raises(ConfigError, match=r"pip install 'ai-addons\[presidio\]'"):
        addons.mask("x")


def test_the_engine_is_made_once_and_by_warm_up() -> None:
    """Loading takes seconds: it is no part of a text's time, and `warm_up` does it beforehand."""
    made: list[FakeEngine] = []

    def build(_: PresidioSettings) -> FakeEngine:
        made.append(FakeEngine())
        return made[-1]

    one = PresidioRecognizer(PresidioSettings(), build=build)
    one.warm_up()
    list(one.find("a"))
    list(one.find("b"))
    assert len(made) == 1
    assert all(name.startswith("ai_addons-presidio") for name in made[0].threads)


# Presidio itself.


@pytest.fixture(scope="module")
def addons() -> AddOns:
    """With Presidio among the recognizers, as the settings name it, and time enough on a busy machine."""
    names = ["presidio", "email", "phone"]
    patient = {"deadline": "60s", "pattern_timeout": "60s"}
    made = AddOns(kit_settings(privacy={"recognizers": names, "presidio": patient, "deadline": "60s"}), llm=FakeLlm())
    made.warm_up()
    return made


@real
def test_presidio_finds_what_our_own_recognizers_do_not(addons: AddOns) -> None:
    """Ours come first: their types stand, and Presidio adds the wallet and the network card."""
    text = "Call 024 412 3456, pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT, ask a@x.com, mac 00:1A:2B:3C:4D:5E [PERSON_7]"
    masked = addons.mask(text)
    assert masked.text == "Call [PHONE_1], pay [ACCOUNT_2], ask [EMAIL_3], mac [ID_4] [TEXT_5]"
    assert masked.restore(masked.text) == text


@real
@pytest.mark.parametrize(
    "text",
    [
        "Invoice INV-2025-12345 of 2026-05-12, barcode 6034000123457, GHS 1,234.50",
        "Driving licence A1234567, passport 912345678, account 12345678, NHS 9434765919",
        "Published in public on 12 May 2026",
        "txn id 12345678901; epoch 1764107000; lot GA 183 cloth",
    ],
)
def test_business_figures_survive_presidio(addons: AddOns, text: str) -> None:
    """The entities that take invoices, barcodes and dates for licences are off."""
    assert addons.mask(text).text == text


@real
def test_presidio_reaches_for_no_network() -> None:
    """Neither loading nor its check of an e-mail address looks anything up."""
    with no_network() as refused:
        engine = build_engine(PresidioSettings())
        results = engine.analyze("a@shop.com.gh", "en", entities=["EMAIL_ADDRESS"], score_threshold=0, allow_list=[])
    assert [(result.start, result.end, result.score) for result in results] == [(0, 13, 1.0)]
    assert refused == []


@real
def test_context_counts_as_whole_words_and_call_counts() -> None:
    """`call` raises a phone's score from 0.4, though it is a stop word; `recall` does not."""
    engine = build_engine(PresidioSettings(regions=("US",)))

    def score(text: str) -> float:
        (result,) = engine.analyze(text, "en", entities=["PHONE_NUMBER"], score_threshold=0, allow_list=[])
        return result.score

    assert score("Call 212-555-5555") == score("please  call\n212-555-5555") == pytest.approx(0.75)
    assert score("recall 212-555-5555") == pytest.approx(0.4)


@real
def test_a_slow_pattern_is_not_passed_over() -> None:
    """Presidio itself skips a pattern that ran into its time-out, and would call the text clean."""
    quick = PresidioSettings(pattern_timeout=timedelta(microseconds=1), deadline=timedelta(minutes=1))
    with pytest.raises(PrivacyRefused, match=r"Presidio failed \(SlowPattern\)"):
        list(PresidioRecognizer(quick).find("a." * 20_000))


@real
def test_the_hosts_own_presidio_is_left_alone(addons: AddOns) -> None:
    """Its patterns are shared by all engines of a process; ours get their time-outs on copies."""
    PresidioRecognizer(PresidioSettings(pattern_timeout=timedelta(microseconds=1))).warm_up()
    analyzer: Any = sys.modules["presidio_analyzer"]
    shared = analyzer.predefined_recognizers.UrlRecognizer().patterns
    assert {type(pattern.compiled_regex).__module__ for pattern in shared} <= {"builtins", "_regex"}
    assert addons.mask("a." * 2_000).counts == {}


@real
@pytest.mark.parametrize("unit", [":", "(", "'s", "a:", "\N{GRINNING FACE}"])
def test_punctuation_without_end_is_cut_into_words(addons: AddOns, unit: str) -> None:
    """SpaCy's own tokenizer needs minutes for this, and nothing can stop it."""
    text = (unit * 50_000)[: 60_000 // len(unit.encode())]
    assert addons.mask(text).text == text


@real
def test_what_presidio_logs_of_a_text_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Its words of context and its failures hold pieces of the text; what the host asks of it is logged as before."""
    logger = logging.getLogger("presidio-analyzer")
    with caplog.at_level(logging.DEBUG, logger="presidio-analyzer"):
        minute = timedelta(minutes=1)
        patient = PresidioSettings(deadline=minute, pattern_timeout=minute, regions=("US",))
        assert len(list(PresidioRecognizer(patient).find("Kwabena call 212-555-5555"))) == 1
        assert "kwabena" not in caplog.text.lower()
        build_engine(patient).analyze("x", "en", entities=["URL"], score_threshold=0, allow_list=[])
        logger.debug("the host's own")
    assert "the host's own" in caplog.text
    assert len([known for known in logger.filters if type(known).__name__ == "_Silent"]) == 1


@real
def test_a_missing_language_model_is_never_fetched() -> None:
    """Presidio would download it."""
    with no_network() as refused, pytest.raises(ConfigError, match=r"Run python -m spacy download en_core_web_trf"):
        PresidioRecognizer(PresidioSettings(model="en_core_web_trf")).warm_up()
    assert refused == []


@real
def test_an_installed_language_model_finds_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entities become placeholders; here a rule stands in for the trained model, which is no small download."""
    spacy: Any = sys.modules.get("spacy") or pytest.importorskip("spacy")

    def load(name: str) -> Any:
        assert name == "en_core_web_md"
        pipeline = spacy.blank("en")
        rules = [{"label": "PERSON", "pattern": "Kwabena Osei"}, {"label": "ORG", "pattern": "Osei Stores"}]
        pipeline.add_pipe("entity_ruler").add_patterns(rules)
        return pipeline

    monkeypatch.setattr(spacy.util, "is_package", lambda name: name == "en_core_web_md")
    monkeypatch.setattr(spacy, "load", load)
    patient = {"deadline": "60s", "pattern_timeout": "60s"}
    addons = AddOns(Settings(privacy={"recognizers": ["email", "presidio"], "presidio": patient}))
    assert addons.mask("Kwabena Osei of Osei Stores, k@x.com").text == "[PERSON_1] of [BUSINESS_2], [EMAIL_3]"
    assert addons.mask("Kwabena Osei " + "x" * 200).text == "[PERSON_1] " + "x" * 200
