"""What every built-in feature returns: the result, and how it came about."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Generic, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_serializer
from typing_extensions import TypeVar

from ai_addons.prompt import DegradedReason, Source

D = TypeVar("D")

Kind: TypeAlias = Literal["money", "percent", "points", "count", "days", "date", "ratio", "text"]
"""What a fact measures."""

DataQuality: TypeAlias = Literal["ok", "thin", "poor"]
"""Whether there was enough data: enough, little, or none to speak of."""

FactKey: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)?$", max_length=64)]
"""Letter first, then letters, digits and underscores, with at most one dot."""


class Fact(BaseModel):
    """One computed value that prose may cite as ``{key}``.

    The text is written once, by code; the model only ever writes the key.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    key: FactKey
    """What prose cites."""
    label: str
    """What it is, for people."""
    kind: Kind
    """What it measures."""
    value: Decimal | date | str
    """The exact value: GHS for money, a share for percent (0.25 is 25 %)."""
    text: str
    """The value as it stands in a sentence, unit included."""
    sign: Literal[-1, 0, 1] | None = None
    """Down, flat or up, for a fact that has a direction."""
    n: int | None = None
    """How many observations stand behind it."""

    @field_serializer("value", when_used="json")
    def _as_people_write_it(self, value: Decimal | date | str) -> date | str:
        """A figure in digits alone: not everyone who reads JSON knows exponents."""
        return f"{value:f}" if isinstance(value, Decimal) else value


class Notice(BaseModel):
    """Something the reader should know about a result."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    code: str
    """Stable name for machines."""
    text: str
    """The same for people; holds no personal data."""


class FeatureResult(BaseModel, Generic[D]):
    """The output of a built-in feature, with its provenance.

    Every number in it comes from code. Without a usable answer of the model the
    same result carries sentences made by code, with ``source="rules"``.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    data: D
    """The feature's own output."""
    source: Source
    """Whose words these are: ``ai``, ``cache`` or ``rules``."""
    degraded_reason: DegradedReason | None = None
    """Why the model had no part in it; None if it had."""
    as_of: date
    """The day the input describes."""
    data_quality: DataQuality = "ok"
    """Whether there was enough data to go on."""
    warnings: tuple[Notice, ...] = ()
    """What was left out, or needs a second look."""
    facts: tuple[Fact, ...] = ()
    """All that the text could cite."""
    evidence: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Sentence id (``summary``, ``reasons.LATE_SHARE``) to the keys it cites, checked."""

    def with_outcome(self, source: Source, degraded_reason: DegradedReason | None) -> Self:
        """A copy that names its source."""
        return self.model_copy(update={"source": source, "degraded_reason": degraded_reason})
