"""Microsoft Presidio as one more recognizer, for names and whatever else our own patterns do not know.

It is an extra (``pip install 'ai-addons[presidio]'``), loaded at its first use, and runs
after everything of ours, on text in which placeholders stand already. Six of Presidio's
habits are not kept:

=================================== =====================================================
what Presidio does                  what is done here
=================================== =====================================================
skips a pattern that takes too long the text is refused
looks public suffixes up online     its bundled list is used
downloads a missing language model  names an installed one, or works without
finds context words inside others   whole words only, and ``call`` counts
takes minutes to cut ``::::…``      a tokenizer of our own, linear in the length
logs pieces of the text             nothing it logs while it works for us is kept
=================================== =====================================================

Anything that goes wrong in it refuses the call.
"""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from ai_addons.errors import ConfigError, PrivacyRefused
from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.grammar import EXACT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ai_addons.settings import PresidioSettings, PrivacySettings

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "PERSON": Kind.PERSON,
        "PHONE_NUMBER": Kind.PHONE,
        "EMAIL_ADDRESS": Kind.EMAIL,
        "EMAIL": Kind.EMAIL,
        "LOCATION": Kind.ADDRESS,
        "ORGANIZATION": Kind.BUSINESS,
        "DATE_TIME": Kind.DATE,
        "CREDIT_CARD": Kind.ACCOUNT,
        "CRYPTO": Kind.ACCOUNT,
        "IBAN_CODE": Kind.ACCOUNT,
        "US_BANK_NUMBER": Kind.ACCOUNT,
        "ID": Kind.ID,
        "IP_ADDRESS": Kind.ID,
        "MAC_ADDRESS": Kind.ID,
        "MEDICAL_LICENSE": Kind.ID,
        "URL": Kind.ID,
        "US_DRIVER_LICENSE": Kind.ID,
        "US_ITIN": Kind.ID,
        "US_PASSPORT": Kind.ID,
        "US_SSN": Kind.ID,
        "UK_NHS": Kind.ID,
        "UUID": Kind.ID,
    }
)
"""Our type of each entity of Presidio's; any other becomes a ``TEXT``, hidden as it was typed."""

# Our own recognizers name the type where both find something.
_PRIORITY: Final = 10
_PHONES_COUNT_FROM: Final = 0.35
_WORKERS: Final = 4
_THREAD: Final = "ai_addons-presidio"
_PACKAGE: Final = "presidio_analyzer"
# A blank counts with the word before it; more of them are a word of their own, as in spaCy.
_WORD: Final = re.compile(r" (?! )|\w+|[^\w\s]|\s+")
_UNBROKEN: Final = re.compile(r"\S{100}")
_MODELS: Final = "{language}_core_web_lg", "{language}_core_web_md", "{language}_core_web_sm"


class Result(Protocol):
    """What we read of one of Presidio's results."""

    entity_type: str
    start: int
    end: int
    score: float


class Engine(Protocol):
    """What we use of Presidio's ``AnalyzerEngine``."""

    def get_supported_entities(self, language: str) -> list[str]:
        """The names of what it can find."""
        ...

    def analyze(
        self,
        text: str,
        language: str,
        *,
        entities: Sequence[str],
        score_threshold: float,
        allow_list: Sequence[str],
    ) -> Sequence[Result]:
        """What it finds in a text."""
        ...


class PresidioRecognizer:
    """Finds what Presidio finds (the `Recognizer` port).

    Args:
        settings: The section ``privacy.presidio``.
        build: Makes the engine; tests give another.

    Raises:
        ConfigError: If Presidio is not installed.
    """

    late: Final = True
    """It sees text in which what we found ourselves is replaced by placeholders already."""

    def __init__(
        self, settings: PresidioSettings, *, build: Callable[[PresidioSettings], Engine] | None = None
    ) -> None:
        if build is None and find_spec(_PACKAGE) is None:
            msg = (
                "The recognizer 'presidio' needs Microsoft Presidio, which is not installed. Nothing was sent and "
                "nothing was charged. Run pip install 'ai-addons[presidio]', or take it out of privacy.recognizers."
            )
            raise ConfigError(msg)
        self._settings = settings
        self._build = build or build_engine
        self._lock = threading.Lock()
        self._engine: tuple[Engine, tuple[str, ...]] | None = None
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix=_THREAD)

    @classmethod
    def from_settings(cls, settings: PrivacySettings) -> Self:
        """The recognizer as the settings want it."""
        return cls(settings.presidio)

    def warm_up(self) -> None:
        """Load Presidio now, which takes seconds and more than a hundred megabytes.

        Raises:
            ConfigError: If the language model that the settings name is not installed.
        """
        self._loaded()

    def find(self, text: str) -> Iterator[Span]:
        """What Presidio takes for personal data.

        Raises:
            PrivacyRefused: If the text is too long for it, it takes too long, or it fails.
        """
        if not text.strip():
            return
        self._measure(text)
        engine, entities = self._loaded()
        for result in self._in_time(engine, entities, text):
            if result.score >= self._thresholds.get(result.entity_type, self._settings.threshold):
                kind = KINDS.get(result.entity_type, Kind.TEXT)
                yield Span(result.start, result.end, kind, _PRIORITY)

    def _measure(self, text: str) -> None:
        size, most = len(text.encode()), self._settings.max_bytes
        if size > most:
            msg = (
                f"A text of {size} bytes is over the limit of {most} bytes for Presidio. Nothing was sent and nothing "
                "was charged. Shorten it, or raise privacy.presidio.max_bytes in the settings."
            )
            raise PrivacyRefused(msg)

    @property
    def _thresholds(self) -> Mapping[str, float]:
        return {"PHONE_NUMBER": _PHONES_COUNT_FROM, **self._settings.thresholds}

    def _loaded(self) -> tuple[Engine, tuple[str, ...]]:
        with self._lock:
            if self._engine is None:
                engine = self._load()
                supported = engine.get_supported_entities(self._settings.language)
                self._engine = (engine, tuple(sorted(filter(self._wanted, supported))))
            return self._engine

    def _wanted(self, entity: str) -> bool:
        return not any(fnmatchcase(entity, pattern) for pattern in self._settings.drop)

    def _load(self) -> Engine:
        try:
            return self._build(self._settings)
        except ConfigError:
            raise
        except Exception as error:  # whatever a heavy package does while it loads, no text may pass it unseen
            msg = (
                f"Presidio could not be loaded ({type(error).__name__}). Nothing was sent and nothing was charged. "
                "Install a release that fits (pip install 'ai-addons[presidio]'), or take 'presidio' out of "
                "privacy.recognizers."
            )
            raise ConfigError(msg) from error

    def _in_time(self, engine: Engine, entities: tuple[str, ...], text: str) -> Sequence[Result]:
        """The results, if they come before the deadline."""
        if not entities:
            return ()
        seconds = self._settings.deadline.total_seconds()
        lowest = min([self._settings.threshold, *self._thresholds.values()])
        job = self._workers.submit(
            engine.analyze,
            text,
            self._settings.language,
            entities=list(entities),
            score_threshold=lowest,
            allow_list=[match[0] for match in EXACT.finditer(text)],
        )
        try:
            return job.result(seconds)
        except TimeoutError:
            # Its patterns have time-outs of their own, so the thread ends by itself.
            job.cancel()
            raise PrivacyRefused(_failed(f"did not finish within {seconds:g} s")) from None
        except Exception as error:  # noqa: BLE001  # whatever it raises, silence must not pass for a clean text
            # Presidio's own message may quote the text.
            raise PrivacyRefused(_failed(f"failed ({type(error).__name__})")) from None


def _failed(what: str) -> str:
    return (
        f"Presidio {what}, so a text could not be searched for personal data. Nothing was sent and nothing was "
        "charged. Try again; if it stays so, shorten the text or take 'presidio' out of privacy.recognizers."
    )


# Presidio's engine, made as the settings want it. Everything from its packages is untyped here.


class SlowPattern(Exception):
    """A pattern of Presidio's ran into its time-out. Not a TimeoutError, because Presidio skips after one."""


class _Timed:
    """A compiled pattern with a time-out that is not passed over."""

    def __init__(self, pattern: Any, seconds: float) -> None:  # noqa: ANN401  # of the package `regex`, which has no types
        self._pattern = pattern
        self._seconds = seconds

    def finditer(self, text: str, **_its_own: object) -> list[Any]:
        """All matches, or no answer at all."""
        try:
            return list(self._pattern.finditer(text, timeout=self._seconds))
        except TimeoutError:
            raise SlowPattern from None


class _Silent(logging.Filter):
    """Drops what Presidio logs while it works for us: pieces of the text stand in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep it: it is logged by the thread that this runs in."""
        del record
        return not threading.current_thread().name.startswith(_THREAD)


def build_engine(settings: PresidioSettings) -> Engine:
    """Presidio's analyzer with its bad habits switched off.

    Raises:
        ConfigError: If the language model that the settings name is not installed.
    """
    presidio: Any = import_module(_PACKAGE)
    nlp_engine: Any = import_module(f"{_PACKAGE}.nlp_engine")
    enhancers: Any = import_module(f"{_PACKAGE}.context_aware_enhancers")
    language = settings.language
    logger = logging.getLogger("presidio-analyzer")
    if not any(isinstance(known, _Silent) for known in logger.filters):
        logger.addFilter(_Silent())
    name, pipeline = _pipeline(settings)
    nlp: Any = nlp_engine.SpacyNlpEngine(models=[{"lang_code": language, "model_name": name}])
    # Set, not loaded: its own loading would fetch a missing model.
    nlp.nlp = {language: pipeline}
    engine: Any = presidio.AnalyzerEngine(
        nlp_engine=nlp,
        supported_languages=[language],
        context_aware_enhancer=enhancers.LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )
    registry = engine.registry
    registry.recognizers = [known for known in registry.recognizers if _tamed(known, presidio, settings)]
    checked: Engine = engine
    return checked


def _pipeline(settings: PresidioSettings) -> tuple[str, Any]:
    """The language model of the settings, else the best one installed, else a bare tokenizer."""
    spacy: Any = import_module("spacy")
    wanted = settings.model
    names = [wanted] if wanted else [name.format(language=settings.language) for name in _MODELS]
    installed = next((name for name in names if spacy.util.is_package(name)), None)
    if installed is None and wanted:
        msg = (
            f"The language model {wanted!r} (privacy.presidio.model) is not installed, and it is not fetched by "
            f"itself. Nothing was sent and nothing was charged. Run python -m spacy download {wanted}."
        )
        raise ConfigError(msg)
    pipeline: Any = spacy.blank(settings.language) if installed is None else spacy.load(installed)
    pipeline.tokenizer = _Tokenizer(spacy, pipeline.vocab, pipeline.tokenizer if installed else None)
    # Presidio looks for context among words that are no stop words, and `call` is one.
    for word in pipeline.Defaults.stop_words:
        for spelling in (word, word.capitalize()):
            pipeline.vocab[spelling].is_stop = False
    return installed or "blank", pipeline


class _Tokenizer:
    """Cuts a text into words in time linear in its length.

    spaCy's own takes minutes for 50,000 colons, and no deadline can stop it. A language
    model knows words as spaCy cuts them, so its tokenizer is kept for ordinary texts.

    Args:
        spacy: The package.
        vocab: Of the pipeline.
        ordinary: spaCy's tokenizer; None if there is no language model.
    """

    def __init__(self, spacy: Any, vocab: Any, ordinary: Callable[[str], Any] | None) -> None:  # noqa: ANN401  # spaCy is not typed here
        self._doc = spacy.tokens.Doc
        self._vocab = vocab
        self._ordinary = ordinary

    def __call__(self, text: str) -> Any:  # noqa: ANN401  # as above
        if self._ordinary is not None and not _UNBROKEN.search(text):
            return self._ordinary(text)
        words: list[str] = []
        spaces: list[bool] = []
        for word in _WORD.findall(text):
            if word == " " and words:
                spaces[-1] = True
            else:
                words.append(word)
                spaces.append(False)
        # Without lemmas Presidio sees no context.
        return self._doc(self._vocab, words=words, spaces=spaces, lemmas=[word.lower() for word in words])


def _tamed(recognizer: Any, presidio: Any, settings: PresidioSettings) -> bool:  # noqa: ANN401  # Presidio is not typed here
    """Give one of Presidio's recognizers its limits; False if it cannot be given them."""
    search: Any = recognizer.analyze.__func__
    if not isinstance(recognizer, presidio.PatternRecognizer):
        if hasattr(recognizer, "supported_regions"):
            recognizer.supported_regions = settings.regions
        return True
    if search is not presidio.PatternRecognizer.analyze:
        # IbanRecognizer: it passes over its time-outs. We find IBANs ourselves.
        return False
    regex: Any = import_module("regex")
    flags = recognizer.global_regex_flags
    # Copies: Presidio's own are shared by all engines of the process, the host's included.
    recognizer.patterns = [copy(pattern) for pattern in recognizer.patterns]
    for pattern in recognizer.patterns:
        pattern.compiled_with_flags = flags
        pattern.compiled_regex = _Timed(regex.compile(pattern.regex, flags), settings.pattern_timeout.total_seconds())
    if "EMAIL_ADDRESS" in recognizer.supported_entities:
        tldextract: Any = import_module("tldextract")
        offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

        def has_host(address: str) -> bool:
            return bool(offline(address).fqdn)

        recognizer.validate_result = has_host
    return True
