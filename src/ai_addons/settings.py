"""Every setting, read from keywords, the environment, TOML and defaults, in that order.

======================== ======================================================
keyword                  ``Settings(models={"small": "openai/gpt-6-luna"})``
environment              ``AI_ADDONS_MODELS__SMALL=openai/gpt-6-luna``
``ai_addons.toml``       ``[models]`` / ``small = "openai/gpt-6-luna"``
``pyproject.toml``       the same under ``[tool.ai_addons]``
======================== ======================================================

A key nobody knows is an error with a suggestion: a setting that is silently
ignored is how a shop ends up paying for the wrong model.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, cast, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from ai_addons.rollout import read_percentage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo

ENV_PREFIX: Final = "AI_ADDONS_"
TOML_FILE: Final = "ai_addons.toml"
# Read by the project's own tests, not settings of the SDK.
_TEST_PREFIX: Final = "AI_ADDONS_TEST_"
HOLD_MARGIN: Final = timedelta(minutes=1)
"""How much longer than a call its hold must live."""

_DURATION: Final = re.compile(r"(\d+)\s*(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def read_duration(value: object) -> object:
    """Read ``"90s"``, ``"15m"``, ``"6h"`` or ``"7d"`` as a `timedelta`; leave what is no text to pydantic.

    Raises:
        ValueError: For any other text.

    >>> read_duration("6h")
    datetime.timedelta(seconds=21600)
    """
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        msg = f"{value!r} is no duration; write e.g. '30s', '15m', '6h' or '7d'"
        raise ValueError(msg)
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _as_list(value: object) -> object:
    """A single name is a list of one."""
    return (value,) if isinstance(value, str) else value


def _with_provider(route: tuple[str, ...]) -> tuple[str, ...]:
    for model in route:
        if model.startswith(("[", "{")):
            msg = 'a list of models is not valid JSON; write e.g. ["openai/gpt-6-luna", "anthropic/claude-haiku"]'
            raise ValueError(msg)
        if "/" not in model.strip("/"):
            msg = f"{model!r} lacks its provider; write e.g. 'openai/{model}', 'anthropic/{model}' or 'gemini/{model}'"
            raise ValueError(msg)
    return route


def _not_below_zero(amount: Credits) -> Credits:
    if amount < Credits(0):
        msg = "credits in the settings are never below zero"
        raise ValueError(msg)
    return amount


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        msg = f"{name!r} is no time zone; write an IANA name, e.g. 'Africa/Accra'"
        raise ValueError(msg) from None
    return name


Eviction = Literal["least-recently-stored", "least-recently-used", "least-frequently-used"]
Amount = Annotated[Credits, AfterValidator(_not_below_zero)]
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=12)]
Secret = Annotated[SecretStr, Field(min_length=32)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Duration = Annotated[timedelta, BeforeValidator(read_duration)]
# Strict: numbers in files and variables are read as what people write, with the sign.
Percentage = Annotated[Decimal, Field(strict=True, ge=0, le=100, decimal_places=6)]
Rollout = Annotated[bool | tuple[str, ...] | Percentage, BeforeValidator(read_percentage)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Route = Annotated[tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_with_provider), Field(min_length=1)]


class _Section(BaseModel):
    """A part of the settings; unknown keys are refused and values never show in errors."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StoreSettings(_Section):
    """Where credits and calls are booked."""

    url: str = "sqlite:///ai_addons.db"
    """SQLAlchemy URL of the store."""


class ModelSettings(_Section):
    """Which model answers, per tier; each a model or a list of fallbacks, tried in order."""

    small: Route | None = None
    """Small tier. None: the first provider with a key (OpenAI, Anthropic, Gemini), else the offline model."""
    large: Route | None = None
    """Large tier; without it a feature that asks for it is a `ConfigError`."""


class ProviderSettings(_Section):
    """How to reach one provider."""

    api_key: SecretStr | None = None
    """API key. None: the provider's usual variable, e.g. ``OPENAI_API_KEY``."""
    api_base: str | None = None
    """Base URL. None: the provider's own."""


class OfflineSettings(_Section):
    """The offline model: it answers with samples, without a key, and costs nothing."""

    seed: int = 0
    """Another number gives other samples; the same number the same ones, on every machine."""
    latency: Duration = timedelta(0)
    """How long it takes to answer; to see how your pages wait. Longer than the deadline, and it times out."""


class BillingSettings(_Section):
    """How credits are sold."""

    policy: str = "prepaid"
    """Name of the billing policy (entry point group ``ai_addons.policies``)."""
    low_balance: Amount = Field(default="10", validate_default=True)
    """Below this a wallet counts as low, and falling below it is told once."""
    alert_cooldown: Duration = timedelta(hours=24)
    """Least time between two low-balance alerts of a wallet, unless credits were bought in between."""
    trial_budget: Amount | None = None
    """Credits that all trials of a day may give together; None for no bound."""


class LimitSettings(_Section):
    """How many credits may be spent, in each day or month of the business's zone; None for no limit.

    Limits for one business, user or feature are set at run time.
    """

    operator_day: Amount | None = None
    """All businesses together, a day."""
    operator_month: Amount | None = None
    """All businesses together, a month."""
    business_day: Amount | None = None
    """Each business, a day."""
    business_month: Amount | None = None
    """Each business, a month."""
    user_day: Amount | None = None
    """Each user of a business, a day."""
    user_month: Amount | None = None
    """Each user of a business, a month."""
    feature_day: Amount | None = None
    """Each feature in a business, a day."""
    feature_month: Amount | None = None
    """Each feature in a business, a month."""
    warn_at: Decimal = Field(default=Decimal("0.8"), gt=0, le=1)
    """Share of a limit that is told once when it is reached."""
    operator_tz: Zone = "Africa/Accra"
    """Zone of the operator's own days and months."""


class BudgetSettings(_Section):
    """What all models together may cost in the operator's own days and months (zone ``limits.operator_tz``).

    A call counts with the most it can cost until it ends. One that might go over a
    budget is not made: it falls back to rules where it can, else it is refused.
    """

    usd_day: Usd | None = None
    """US dollars a day; None for no bound."""
    usd_month: Usd | None = Decimal(50)
    """US dollars a month; None for no bound."""
    warn_at: Decimal = Field(default=Decimal("0.8"), gt=0, le=1)
    """Share of a budget that is told once when it is reached."""


class WebhookSettings(_Section):
    """Where the outbox is delivered to, as signed webhooks (Standard Webhooks)."""

    url: str | None = None
    """Address that receives every event. None: events stay in this process."""
    secrets: tuple[SecretStr, ...] = ()
    """Signing secrets (``whsec_…``), the newest first; several while they are rotated."""
    timeout: Duration = timedelta(seconds=10)
    """How long a receiver may take."""

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.url is not None and not self.secrets:
            msg = "webhooks.url needs a secret to sign with; make one with `ai-addons webhook-secret`"
            raise ValueError(msg)
        return self


class GatewaySettings(_Section):
    """How to reach one payment gateway."""

    keys: tuple[SecretStr, ...] = ()
    """Secret keys, the newest first: it signs requests, and Paystack's webhooks may be signed with any. Empty: the
    usual variable, ``PAYSTACK_SECRET_KEY`` or ``STRIPE_SECRET_KEY``."""
    webhook_secrets: tuple[SecretStr, ...] = ()
    """Stripe's webhook secrets (``whsec_…``); several while they are rotated. Empty: ``STRIPE_WEBHOOK_SECRET``."""
    base_url: str | None = None
    """Where its API is. None: the gateway's own."""
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    """What payers are charged in. None: GHS at Paystack, USD at Stripe."""
    timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0))
    """How long each step of a request may take."""


class PaymentSettings(_Section):
    """How orders of credits are paid."""

    gateways: Names = ()
    """Gateways that may be used, the usual one first. None: all that ``gateways`` names, in that order."""
    return_url: str | None = None
    """Where a payer's browser comes back to. None: nowhere of its own; the gateway's own setting counts."""
    abandon_after: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))
    """After this an order that nobody paid is given up; a payment that comes later is honoured all the same."""
    refund_shortfall: Literal["clamp", "debt", "suspend"] = "clamp"
    """What becomes of spent credits that a refund or dispute should take back: you bear them (``clamp``), credits
    bought later pay them (``debt``), or the same and the business makes no calls until then (``suspend``)."""


class EventSettings(_Section):
    """Who is told what happens in this process, beside the hooks given to `AddOns`."""

    hooks: Names = ()
    """Hooks, in order: ``logging``, ``otel``, ``prometheus``, a plug-in (entry point group ``ai_addons.hooks``), or
    ``package.module:Hook``; each is made with no arguments."""


class CacheSettings(_Section):
    """Where repeated answers are kept."""

    backend: str = "disk"
    """``disk``, ``memory``, ``redis``, ``off``, or a plug-in (entry point group ``ai_addons.caches``)."""
    directory: Path = Path(".ai_addons/cache")
    """Directory of the disk cache; made with mode 0700."""
    size_limit_mb: int = Field(default=256, gt=0)
    """Upper size of the disk cache in megabytes."""
    shards: int = Field(default=8, ge=1, le=64)
    """Databases of the disk cache: with several, processes that write seldom wait for each other."""
    eviction: Eviction = "least-recently-stored"
    """Which answers a full disk cache drops first."""
    url: SecretStr | None = None
    """Address of the Redis or Valkey server: ``redis://…``, or ``rediss://…`` for TLS; shown nowhere."""
    prefix: str | None = Field(default=None, min_length=1, max_length=64)
    """What the keys on that server begin with. None: ``ai_addons:`` and a name made from the installation's secret."""
    lock_ttl: Duration = Field(default=timedelta(seconds=15), gt=timedelta(0))
    """How long one host asks a model for all hosts; if it has no answer by then, another one asks too."""


class PresidioSettings(_Section):
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


Thinking: TypeAlias = Literal["off", "low", "medium", "high"]
"""How much a model thinks before it answers; thinking is billed as output."""

Handling: TypeAlias = Literal["mask", "drop", "refuse"]
"""What happens to personal data: a placeholder takes its place, it is cut out, or the call is refused."""

Oversize: TypeAlias = Literal["refuse", "cut"]
"""What happens to a text over the limit: the call is refused, or the text is cut."""

# The words of `Pii` for what placeholders call otherwise.
_SAME_SORT: Final = {"name": "person", "dob": "date"}


class FeaturePrivacySettings(_Section):
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


class BreakerSettings(_Section):
    """When a model that keeps failing is left alone; each process counts for itself.

    The next model of the route is asked meanwhile. Where every model is left alone a
    call fails at once, uncharged, or gives its fallback.
    """

    failures: int = Field(default=5, ge=0, le=1_000)
    """Failures of the provider in a row that open the circuit; 0 for no circuit breaker."""
    window: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0))
    """Within which they must fall."""
    pause: Duration = Field(default=timedelta(seconds=30), gt=timedelta(0))
    """How long the model is left alone before one call tries it; twice as long after each failure of that call."""
    longest: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    """Most time it is left alone, also where the provider asks for more (``Retry-After``)."""


class CallSettings(_Section):
    """Limits of one call."""

    deadline: Duration = timedelta(seconds=30)
    """Time for the whole call: all attempts, waits, the repair and the fallbacks."""
    hold_ttl: Duration = timedelta(seconds=120)
    """After this an orphan hold is released; must exceed the deadline by a minute."""
    attempts: int = Field(default=3, ge=1, le=10)
    """Attempts at one model before the next is tried."""
    replay_days: int = Field(default=7, ge=0)
    """How long the answer of a call with an idempotency key is kept for a replay."""
    free_repeats: bool = True
    """Whether a business's own repeat within the cache time is free."""
    breaker: BreakerSettings = BreakerSettings()
    """When a model that keeps failing is left alone."""

    @model_validator(mode="after")
    def _hold_outlives_the_call(self) -> Self:
        if self.hold_ttl < self.deadline + HOLD_MARGIN:
            seconds = round((self.deadline + HOLD_MARGIN).total_seconds())
            msg = (
                f"hold_ttl must exceed the deadline by a minute, or an answer may come after its hold; use '{seconds}s'"
            )
            raise ValueError(msg)
        return self


class BatchSettings(_Section):
    """Limits of one batch of calls."""

    concurrency: int = Field(default=4, ge=1, le=64)
    """Calls made at a time."""
    deadline: Duration = Field(default=timedelta(minutes=10), ge=timedelta(seconds=5))
    """Time for all calls together; those not begun by then are given back. Their credits are held a minute longer."""
    most: int = Field(default=500, ge=1, le=10_000)
    """Calls in one batch; their credits are held in one transaction."""


class ModelPriceSettings(_Section):
    """Price of one model in USD per million tokens, as its provider lists it."""

    input: Decimal = Field(ge=0)
    """Uncached input."""
    output: Decimal = Field(ge=0)
    """Output, thinking included."""
    cached: Decimal | None = Field(default=None, ge=0)
    """Input read from the provider's cache."""
    cache_write: Decimal | None = Field(default=None, ge=0)
    """Input written to the provider's cache."""
    max_input: int | None = Field(default=None, gt=0)
    """Prompt tokens above which this price no longer holds."""


class PriceSettings(_Section):
    """What calls cost: credits per feature for the shop, US dollars per model for us."""

    features: dict[str, Amount] = Field(default_factory=dict)
    """Credits per call, by feature key; wins over the decorator and the catalogue."""
    models: dict[str, ModelPriceSettings] = Field(default_factory=dict)
    """Own or corrected model prices, by model name."""
    floor_margin: Decimal = Field(default=Decimal(0), lt=1)
    """A price whose margin would be below this share is not published, unless as a loss leader."""
    target_margin: Decimal = Field(default=Decimal("0.60"), lt=1)
    """A price whose margin would be below this share is published with a warning; 0.90 for built-in features."""
    refresh: Duration = timedelta(seconds=5)
    """How soon every process sees a price or a pack that was published."""
    allow_unpriced: bool = False
    """Let models without a known price be called; their cost is then shown as unknown."""


class FeatureSettings(_Section):
    """Changes to one feature, without touching its code."""

    models: Route | None = None
    """Route for this feature instead of its tier's."""
    cache: Duration | Literal["off"] | None = None
    """How long its answers are kept, or ``"off"``."""
    stale_for: Duration = Field(default=timedelta(0), ge=timedelta(0))
    """How much longer an answer may do where no model has one; then it is free, and its receipt says stale."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Output cap in tokens."""
    thinking: Thinking | None = None
    """How much the model thinks before it answers; room for it is added to the cap. None: as the feature says."""
    fold: int | None = Field(default=None, ge=1, le=20)
    """How many calls of it one request may carry in a batch; 1 for each alone. None: as the feature says."""
    enabled: Rollout = True
    """True, False, the list of businesses it is on for, or a percentage of them, e.g. ``"10%"``."""
    privacy: FeaturePrivacySettings = FeaturePrivacySettings()
    """What happens to personal data in it."""


class BusinessSettings(_Section):
    """Which models answer one business; what it does not name is as for all others."""

    models: ModelSettings = ModelSettings()
    """Models per tier, for features that have no route of their own."""
    features: dict[str, Route] = Field(default_factory=dict)
    """Route by feature key; wins over ``features.NAME.models``."""


class FxSettings(_Section):
    """The exchange rate that turns provider cost into cedis. No source is asked unless you name one."""

    ghs_per_usd: Decimal = Field(default=Decimal("11.646"), gt=0, decimal_places=8)
    """Cedis for one US dollar, while no source gave a rate; always counted as stale."""
    as_of: date = date(2026, 9, 29)
    """Day of that rate."""
    sources: Annotated[Names, Field(min_length=1)] = ("static",)
    """Who is asked, in order: ``bog`` (Bank of Ghana through Frankfurter), ``er-api``, ``openexchangerates``, a plug-in
    (entry point group ``ai_addons.rates``) or ``package.module:attribute``; ``static`` asks nobody."""
    urls: dict[str, str] = Field(default_factory=dict)
    """Other addresses, by source: one that you host yourself."""
    app_id: SecretStr | None = None
    """Key of openexchangerates.org."""
    refresh: Duration = Field(default=timedelta(hours=6), ge=timedelta(minutes=10))
    """How often one host of all asks."""
    timeout: Duration = Field(default=timedelta(seconds=3), gt=timedelta(0))
    """How long each step of a request to a source may take; no call waits for it."""
    low: Decimal = Field(default=Decimal(5), gt=0)
    """A rate below it is not taken until an operator confirms it."""
    high: Decimal = Field(default=Decimal(50), gt=0)
    """A rate above it likewise."""
    most_move: Decimal = Field(default=Decimal("0.15"), gt=0, lt=1)
    """A rate that differs from the last good one by a larger share likewise."""
    warn_after: Duration = timedelta(days=4)
    """A rate whose own day is longer ago is worth a warning, in whole days."""
    stale_after: Duration = timedelta(days=7)
    """A rate whose own day is longer ago is stale, in whole days; nobody is charged in another currency by it."""


class TaxRuleSettings(_Section):
    """One tax or levy."""

    code: Annotated[str, Field(min_length=1)]
    """Stable name."""
    name: Annotated[str, Field(min_length=1)]
    """What the receipt calls it."""
    rate: Decimal = Field(ge=0, lt=1)
    """Share of what it is charged on."""
    on: Names = ()
    """Codes of taxes before it that it is charged on too."""


class TaxPeriodSettings(_Section):
    """The taxes from a day on."""

    starts: date
    """The first day."""
    rules: tuple[TaxRuleSettings, ...]
    """In the order of the receipt."""


class ReceiptSettings(_Section):
    """Receipts for payments: who sells, and which taxes are in the price."""

    seller: str | None = None
    """Legal name of who sells; without it there are no receipts."""
    address: Names = ()
    """Lines of its address."""
    tax_id: str | None = None
    """Its tax number."""
    phone: str | None = None
    """Its telephone, for questions."""
    email: str | None = None
    """Its e-mail address, for questions."""
    prefix: str = "R-"
    """What stands before the number of a receipt."""
    note_prefix: str = "CN-"
    """What stands before the number of a credit note."""
    tax: Literal["none", "ghana", "own"] = "none"
    """Which taxes: none, the example table for Ghana (let an accountant confirm it), or those of ``taxes``."""
    taxes: tuple[TaxPeriodSettings, ...] = ()
    """Periods, the earliest first, each with ``starts`` and ``rules`` (``code``, ``name``, ``rate``, ``on``)."""
    prices_include_tax: bool = True
    """Whether the prices of packs include the taxes."""


class WebSettings(_Section):
    """The endpoints over HTTP."""

    compat: bool = False
    """Answer as the first plan had it: amounts as JSON numbers, errors as ``{"error": …}``, 400 for a bad pack, and 200
    where something was made."""
    return_url: str | None = None
    """Where a payer's browser comes back to. None: ``payments.return_url``, else our own page, which verifies."""
    home_url: str | None = Field(default=None, pattern=r"^(/|https?://)")
    """The host's own pages, e.g. ``/till/``: our pages link back to them. None: they do not."""
    addon_billing: Literal["gateway", "external"] = "gateway"
    """Who collects the money of the monthly add-on: a gateway, or the host (``external``), which then books it with
    ``addons.subscriptions.pay``."""
    max_body: int = Field(default=65_536, gt=0)
    """Bytes of a request's body; more is refused."""
    max_webhook_body: int = Field(default=1_048_576, gt=0)
    """The same for webhooks of gateways."""
    window: Duration = Field(default=timedelta(minutes=1), gt=timedelta(0))
    """In which requests to costly endpoints (purchases, codes, trials, feedback) are counted, on all hosts together."""
    user_requests: int = Field(default=20, ge=0)
    """Requests of one user to one costly endpoint in a window; 0 for no limit."""
    business_requests: int = Field(default=60, ge=0)
    """Requests of one business to one costly endpoint in a window; 0 for no limit."""
    verify_every: Duration = timedelta(seconds=4)
    """Least time between two questions to a gateway about one payment that is polled."""
    page_size: int = Field(default=50, ge=1, le=200)
    """Rows of a page where the client does not say."""
    csv_rows: int = Field(default=10_000, ge=1, le=100_000)
    """Most rows of one CSV answer; a link in its header leads to the rest."""
    keep_replies: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))
    """How long an answer under an ``Idempotency-Key`` is kept for a repeat."""
    expiring_soon: Duration = timedelta(days=7)
    """Credits that expire within this time are told apart."""


class Settings(BaseSettings):
    """All settings of the SDK.

    Args:
        **values: Settings by keyword; they win over environment and files.

    Raises:
        ConfigError: For an unknown key (with a suggestion) or an invalid value.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        toml_file=TOML_FILE,
        pyproject_toml_table_header=("tool", "ai_addons"),
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    store: StoreSettings = StoreSettings()
    models: ModelSettings = ModelSettings()
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    """By provider: ``openai``, ``anthropic``, ``gemini``, or any other LiteLLM prefix."""
    offline: OfflineSettings = OfflineSettings()
    billing: BillingSettings = BillingSettings()
    limits: LimitSettings = LimitSettings()
    budget: BudgetSettings = BudgetSettings()
    webhooks: WebhookSettings = WebhookSettings()
    gateways: dict[str, GatewaySettings] = Field(default_factory=dict)
    """By payment gateway: ``paystack``, ``stripe``, or another plug-in (entry point group ``ai_addons.gateways``)."""
    payments: PaymentSettings = PaymentSettings()
    events: EventSettings = EventSettings()
    cache: CacheSettings = CacheSettings()
    privacy: PrivacySettings = PrivacySettings()
    call: CallSettings = CallSettings()
    batch: BatchSettings = BatchSettings()
    prices: PriceSettings = PriceSettings()
    features: dict[str, FeatureSettings] = Field(default_factory=dict)
    """By feature key."""
    businesses: dict[str, BusinessSettings] = Field(default_factory=dict)
    """By business id."""
    fx: FxSettings = FxSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    web: WebSettings = WebSettings()
    secret: Secret | None = None
    """Keys request hashes, cache keys, trial claims and pseudonyms: 32 characters or more, or ``hex:`` and the content
    of a key file. None: a key file beside SQLite's."""
    secret_version: int | None = Field(default=None, ge=1)
    """Number of the secret, raised by one with each new one. None: one more than there are former secrets."""
    former_secrets: tuple[Secret, ...] = ()
    """Secrets used before, the newest first; they recognise trials claimed under them and find old pseudonyms."""

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if self.secret_version is not None and self.secret_version <= len(self.former_secrets):
            least = len(self.former_secrets) + 1
            msg = (
                f"secret_version must be {least} or more with {least - 1} former_secrets: they are counted down from it"
            )
            raise ValueError(msg)
        return self

    def __init__(self, **values: Any) -> None:  # noqa: ANN401  # pydantic checks every value
        variables = list(_unknown_variables(os.environ))
        wrong = [message for _, message in variables]
        try:
            super().__init__(**values)
        except ValidationError as error:
            wrong += _explain(error, known={path for path, _ in variables})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            wrong += [f"{TOML_FILE} or pyproject.toml is not valid TOML: {error}"]
        # A crash reporter prints the locals of every frame, and these hold keys.
        del values
        if wrong:
            raise ConfigError("The settings are not valid, nothing was charged: " + "; ".join(wrong) + ".") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keyword, environment, TOML; no ``.env`` file: a stray one must not supply keys."""
        del env_settings, dotenv_settings, file_secret_settings
        return (
            init_settings,
            _Environment(settings_cls),
            TomlConfigSettingsSource(settings_cls),
            PyprojectTomlConfigSettingsSource(settings_cls),
        )


class _Environment(EnvSettingsSource):
    """The environment, where a list of models may be one bare name or a JSON list."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401  # as inherited
        """Leave text that is no JSON as it is; validation says what is wrong with it."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def setting_paths(model: type[BaseModel] = Settings, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path to a setting; ``*`` stands for a key of the user's own."""
    for name, field in model.model_fields.items():
        yield (*prefix, name)
        inner, keyed = _section(field.annotation)
        if inner is not None:
            yield from setting_paths(inner, (*prefix, name, "*") if keyed else (*prefix, name))
        elif keyed:
            yield (*prefix, name, "*")


def _section(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """The settings class behind a field, and whether it is held by key."""
    keyed = get_origin(annotation) is dict
    inner = get_args(annotation)[1] if keyed else annotation
    return (inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None), keyed


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Variables of ours that name no setting, as path and message."""
    known = list(setting_paths())
    for name in sorted(environ):
        upper = name.upper()
        if upper.startswith(ENV_PREFIX) and not upper.startswith(_TEST_PREFIX):
            path = tuple(upper.removeprefix(ENV_PREFIX).lower().split("__"))
            if not any(_fits(path, shape) for shape in known):
                names = [ENV_PREFIX + "__".join(_like(shape, path)).upper() for shape in known]
                yield path, f"unknown environment variable {name}{did_you_mean(upper, names)}"


def _fits(path: tuple[str, ...], shape: tuple[str, ...]) -> bool:
    return len(path) == len(shape) and all(want in ("*", got) for got, want in zip(path, shape, strict=True))


def _like(shape: tuple[str, ...], path: tuple[str, ...]) -> Iterator[str]:
    """A known path, with the user's own keys where it leaves them open."""
    for want, got in zip_longest(shape, path[: len(shape)]):
        yield got if want == "*" and got else want


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion for a name nobody knows, in brackets; nothing if none is like it."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def _explain(error: ValidationError, known: set[tuple[str, ...]]) -> list[str]:
    """What is wrong, a sentence for each setting; without those named in ``known`` already."""
    found: dict[tuple[str, ...], str] = {}
    for issue in error.errors(include_input=False, include_url=False, include_context=False):
        path = tuple(str(part) for part in issue["loc"])
        if issue["type"] == "extra_forbidden":
            found[path] = f"unknown setting '{'.'.join(path)}'{did_you_mean(path[-1], _siblings(path))}"
        else:
            setting, message = _setting(path), issue["msg"].removeprefix("Value error, ")
            before = found.get(setting)
            found[setting] = f"{before}, or {message}" if before else f"setting '{'.'.join(setting)}': {message}"
    return [message for path, message in found.items() if path not in known]


def _siblings(path: tuple[str, ...]) -> list[str]:
    return [shape[-1] for shape in setting_paths() if _fits((*path[:-1], shape[-1]), shape)]


def _setting(path: tuple[str, ...]) -> tuple[str, ...]:
    """The setting an issue is about; pydantic adds which alternative of its type was tried."""
    shapes = list(setting_paths())
    return next((path[:end] for end in range(len(path), 0, -1) if any(_fits(path[:end], s) for s in shapes)), path)
