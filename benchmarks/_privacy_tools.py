"""Detectors behind one door: ours, and others where they are installed.

None of the others is a dependency of the project. To have them, in an environment of its own:

    python -m pip install presidio-analyzer==2.2.366 datafog==4.9.0 scrubadub==2.0.1

They run without language models, as only their patterns are compared: Presidio with a blank tokeniser and without its
own name recogniser, DataFog with its regex annotator, scrubadub with its default detectors for ``en_US``. Nothing here
goes to the network: Presidio's e-mail check is given the list of public suffixes that comes with its package.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.mask import from_settings
from ai_addons.privacy.spans import Hit, settle
from ai_addons.settings import PrivacySettings
from benchmarks._privacy_scores import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ai_addons.privacy.mask import BuiltinMasker

OURS: Final = "ai_addons"
THRESHOLDS: Final = (0.0, 0.35)
"""Scores from which Presidio's findings count; its phone numbers have 0.4, so its usual 0.5 would drop them all."""

_KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(["PHONE_NUMBER", "PHONE"], Kind.PHONE),
    **dict.fromkeys(["EMAIL_ADDRESS", "EMAIL"], Kind.EMAIL),
    **dict.fromkeys(["CREDIT_CARD", "IBAN_CODE", "DE_IBAN", "US_BANK_NUMBER", "CRYPTO"], Kind.ACCOUNT),
    **dict.fromkeys(["DATE_TIME", "DOB"], Kind.DATE),
    **dict.fromkeys(["ZIP", "DE_POSTAL_CODE"], Kind.ADDRESS),
    **dict.fromkeys(["URL", "IP_ADDRESS", "SSN", "SOCIAL_SECURITY_NUMBER", "TWITTER", "CREDENTIAL"], Kind.ID),
    **dict.fromkeys(["US_SSN", "US_DRIVER_LICENSE", "US_PASSPORT", "US_ITIN", "UK_NHS", "MEDICAL_LICENSE"], Kind.ID),
    **dict.fromkeys(["UUID", "MAC_ADDRESS"], Kind.ID),
    **dict.fromkeys(["DE_VAT_ID", "DE_TAX_ID", "DE_SOCIAL_SECURITY_NUMBER", "DE_PASSPORT_NUMBER"], Kind.ID),
    **dict.fromkeys(["DE_RESIDENCE_PERMIT_NUMBER"], Kind.ID),
    "PERSON": Kind.PERSON,
}
"""What other tools' types are here."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A detector.

    Attributes:
        name: Its name with version and threshold.
        detect: What it finds in a text.
    """

    name: str
    detect: Callable[[str], Sequence[Found]]


def _hit(start: int, end: int, label: str, score: float = 0) -> Hit:
    """A finding; types without a placeholder here count as TEXT."""
    return Hit(start, end, _KINDS.get(label.upper(), Kind.TEXT), round(100 * score))


def _settled(hits: Iterable[Hit], text: str) -> list[Found]:
    """Overlapping findings made one, as ours are: the highest score gives the type, then the longest."""
    return [Found(hit.start, hit.end, hit.kind) for hit in settle(hits, text)]


# Ours.


def masker() -> BuiltinMasker:
    """The built-in masker with the default settings."""
    return from_settings(PrivacySettings())


def ours() -> Tool:
    """The recognizers of the default settings, without declared values."""
    return Tool(OURS, partial(_ours, masker()))


def _ours(made: BuiltinMasker, text: str) -> list[Found]:
    return [Found(span.start, span.end, span.kind) for span in made.detect(text)]


# Others.


def presidio(threshold: float) -> Tool:
    """Presidio's pattern recognizers."""
    analyzer = _presidio_engine()
    return Tool(f"Presidio {version('presidio-analyzer')} from {threshold:g}", partial(_presidio, analyzer, threshold))


def _presidio_engine() -> Any:  # noqa: ANN401  # the package need not be there
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract: Any = import_module("tldextract")
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    package = import_module("presidio_analyzer")
    registry = package.RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    engine = import_module("presidio_analyzer.nlp_engine").SpacyNlpEngine()
    engine.nlp = {"en": import_module("spacy").blank("en")}
    return package.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def _presidio(analyzer: Any, threshold: float, text: str) -> list[Found]:  # noqa: ANN401  # see above
    rows = analyzer.analyze(text, language="en", score_threshold=threshold)
    return _settled((_hit(row.start, row.end, row.entity_type, row.score) for row in rows), text)


def datafog() -> Tool:
    """DataFog's regex annotator."""
    module = import_module("datafog.processing.text_processing.regex_annotator")
    return Tool(f"DataFog {version('datafog')}", partial(_datafog, module.RegexAnnotator()))


def _datafog(annotator: Any, text: str) -> list[Found]:  # noqa: ANN401  # see above
    rows = annotator.annotate_with_spans(text)[1].spans
    return _settled((_hit(row.start, row.end, row.label) for row in rows), text)


def scrubadub() -> Tool:
    """Scrubadub's default detectors."""
    scrubber = import_module("scrubadub").Scrubber(locale="en_US")
    return Tool(f"scrubadub {version('scrubadub')}", partial(_scrubadub, scrubber))


def _scrubadub(scrubber: Any, text: str) -> list[Found]:  # noqa: ANN401  # see above
    return _settled((_hit(filth.beg, filth.end, filth.type) for filth in scrubber.iter_filth(text)), text)


_OTHERS: Final[Mapping[str, tuple[str, Callable[[], Tool]]]] = {
    "Presidio, all": ("presidio_analyzer", partial(presidio, THRESHOLDS[0])),
    "Presidio": ("presidio_analyzer", partial(presidio, THRESHOLDS[1])),
    "DataFog": ("datafog", datafog),
    "scrubadub": ("scrubadub", scrubadub),
}

NAMES: Final = (OURS, *_OTHERS)
"""Short names of all tools that are known here."""


def installed() -> list[str]:
    """Short names of the tools that are there, ours first."""
    return [OURS, *(name for name, (package, _) in _OTHERS.items() if find_spec(package) is not None)]


def missing() -> list[str]:
    """Short names of the tools that are not."""
    return [name for name in NAMES if name not in installed()]


def versions() -> list[str]:
    """The packages of the tools that are there, with versions."""
    packages = {"presidio_analyzer": "presidio-analyzer", "datafog": "datafog", "scrubadub": "scrubadub"}
    return [f"{name} {version(name)}" for package, name in packages.items() if find_spec(package) is not None]


def load(name: str) -> Tool:
    """A tool by its short name."""
    return ours() if name == OURS else _OTHERS[name][1]()
