"""`Settings`: all parts together, and where their values are read from."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ai_addons.errors import ConfigError
from ai_addons.settings.base import ENV_PREFIX
from ai_addons.settings.billing import BillingSettings, BudgetSettings, LimitSettings, StoreSettings
from ai_addons.settings.cache import CacheSettings
from ai_addons.settings.calls import BatchSettings, CallSettings
from ai_addons.settings.events import EventSettings, WebhookSettings
from ai_addons.settings.features import BusinessSettings, FeatureSettings
from ai_addons.settings.mistakes import explain, unknown_variables
from ai_addons.settings.models import ModelSettings, OfflineSettings, ProviderSettings
from ai_addons.settings.payments import GatewaySettings, PaymentSettings, ReceiptSettings
from ai_addons.settings.prices import FxSettings, PriceSettings
from ai_addons.settings.privacy import PrivacySettings
from ai_addons.settings.values import Secret
from ai_addons.settings.web import WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

TOML_FILE: Final = "ai_addons.toml"


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
        known = list(setting_paths())
        variables = list(unknown_variables(os.environ, known))
        wrong = [message for _, message in variables]
        try:
            super().__init__(**values)
        except ValidationError as error:
            wrong += explain(error, known, told={path for path, _ in variables})
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
