"""What is done to personal data before a prompt leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal, TypeAlias, cast

from pydantic import Field, model_validator

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration

Handling: TypeAlias = Literal["mask", "drop", "refuse"]
"""What happens to personal data: a placeholder takes its place, it is cut out, or the call is refused."""

Oversize: TypeAlias = Literal["refuse", "cut"]
"""What happens to a text over the limit: the call is refused, or the text is cut."""

# The words of `Pii` for what placeholders call otherwise.
_SAME_SORT: Final = {"name": "person", "dob": "date"}


class FeaturePrivacySettings(Section):
    """What happens to each sort of personal data in one feature; none takes what ``[privacy]`` says.

    ``"mask"`` puts a placeholder in its place, ``"drop"`` cuts it out or leaves the
    field out, ``"refuse"`` refuses the call before anything is held or sent.
    """

    person: Handling | None = None
    """Names of people; ``name`` is the same."""
    phone: Handling | None = None
    """Phone numbers."""
    email: Handling | None = None
    """E-mail addresses."""
    address: Handling | None = None
    """Places where somebody can be found."""
    id: Handling | None = None
    """Numbers of documents, tax ids, links, keys."""
    account: Handling | None = None
    """Bank accounts, cards and wallets."""
    business: Handling | None = None
    """Names of businesses."""
    date: Handling | None = None
    """Dates of birth; ``dob`` is the same."""
    amount: Handling | None = None
    """Figures declared as `Pii.AMOUNT`."""
    oversize: Oversize | None = None
    """Whether a text over ``max_field_bytes`` is refused or cut at a blank."""

    @model_validator(mode="before")
    @classmethod
    def _as_placeholders_call_it(cls, given: object) -> object:
        """Take ``PHONE`` and ``phone``, ``NAME`` and ``PERSON`` for the same."""
        if not isinstance(given, dict):
            return given
        lower = {str(key).lower(): value for key, value in cast("dict[object, object]", given).items()}
        return {_SAME_SORT.get(key, key): value for key, value in lower.items()}


class PresidioSettings(Section):
    """Microsoft Presidio as one more recognizer: name ``presidio`` in ``privacy.recognizers`` and install the extra."""

    language: str = "en"
    """Language of the texts, as Presidio names it."""
    model: str | None = None
    """spaCy model. None: the best installed of `en_core_web_lg`, `_md`, `_sm`; with none of them no names are found."""
    threshold: float = Field(default=0.5, ge=0, le=1)
    """Score from which a finding counts."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """The same for single entities. `PHONE_NUMBER` has 0.35 unless named: Presidio gives every one of them 0.4."""
    drop: tuple[str, ...] = ("US_*", "UK_*", "MEDICAL_LICENSE", "DATE_TIME")
    """Entities not searched for; ``*`` stands for anything. These take invoices, barcodes and dates for licences."""
    regions: tuple[str, ...] = ("GH",)
    """Countries whose phone numbers it knows without a country code; with ``US`` order numbers are taken for phones."""
    deadline: Duration = timedelta(seconds=2)
    """Time for one text; a text that takes longer is refused."""
    pattern_timeout: Duration = timedelta(seconds=1)
    """Time for one pattern on one text; likewise."""
    max_bytes: int = Field(default=65_536, gt=0)
    """A longer text is refused, whatever ``privacy.max_field_bytes`` allows."""


class PrivacySettings(FeaturePrivacySettings):
    """What is searched for in free text, beside declared fields, and what happens to what is found."""

    masker: str = "builtin"
    """Name of the masker (entry point group ``ai_addons.maskers``)."""
    keep_months: int = Field(default=24, ge=1)
    """Months after which ``ai-addons retain`` takes users and details away from calls, and users from ratings, orders
    and the audit log; the books keep the amounts."""
    recognizers: tuple[str, ...] = (
        *("email", "phone", "url", "ipv4", "ipv6", "api_key", "jwt"),
        *("ghana_card", "ghana_gps", "ghana_tin", "ssnit", "nhis", "voter_id", "passport"),
        *("driving_licence", "vehicle_plate", "bank_account", "iban", "payment_card", "us_ssn", "birth_date"),
    )
    """Names of the recognizers (entry point group ``ai_addons.recognizers``), or ``package.module:attribute``."""
    max_field_bytes: int = Field(default=65_536, gt=0)
    """A longer text, in UTF-8, is refused before anything is sent, or cut: see ``oversize``."""
    max_call_bytes: int = Field(default=1_048_576, gt=0)
    """All texts of one prompt together; more is refused before anything is sent."""
    deadline: Duration = timedelta(seconds=10)
    """Time for masking one prompt; what takes longer is refused before anything is sent."""
    presidio: PresidioSettings = PresidioSettings()
    """How Presidio searches, where it is among the recognizers."""
