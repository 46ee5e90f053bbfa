"""The tables of the books as Django models, to read and never to write.

They bear the names of the first plan. Amounts and times arrive as `Decimal` and as aware datetimes. A row's
``primary_key`` here is its id alone; the tables' own keys begin with the business, and a caller's own idempotency key
may be used by two of them, so look rows up by business and id.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.db.models import BigIntegerField, IntegerField, TextField

from ai_addons.billing.periods import from_micros, to_micros
from ai_addons.contrib.django.conf import host_settings
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from ai_addons.contrib.django._typed import Field, Manager, Model, QuerySet
else:
    from django.db.models import BigIntegerField as Field
    from django.db.models import Manager, Model, QuerySet


class ScaledField(Field):
    """A whole number of small units, read as a `Decimal` of the large one.

    Args:
        places: How many decimal places the large unit has: 6 for micro-credits.
    """

    def __init__(self, *args: Any, places: int = 6, **kwargs: Any) -> None:  # noqa: ANN401  # Django's
        self.places = places
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """For migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "places": self.places}

    def from_db_value(self, value: int | None, *_rest: object) -> Decimal | None:
        """The amount in the large unit."""
        return None if value is None else Decimal(value).scaleb(-self.places)

    def get_prep_value(self, value: Any) -> int | None:  # noqa: ANN401  # what a query compares with
        """An amount that a query compares with; a float is none."""
        if value is None:
            return None
        if isinstance(value, float):
            msg = "amounts are Decimals, whole numbers or text, never floats"
            raise TypeError(msg)
        return int(Decimal(value).scaleb(self.places))


class MomentField(Field):
    """UTC microseconds, read as an aware datetime."""

    def from_db_value(self, value: int | None, *_rest: object) -> datetime | None:
        """The moment."""
        return None if value is None else from_micros(value)

    def get_prep_value(self, value: Any) -> int | None:  # noqa: ANN401  # what a query compares with
        """A moment that a query compares with."""
        return to_micros(value) if isinstance(value, datetime) else super().get_prep_value(value)


class BooksQuerySet(QuerySet):
    """Reads; whatever writes is refused."""

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Writes go through `AddOns`, which keeps the books in balance.

        Raises:
            ConfigError: Always.
        """
        msg = "These tables are the books: read them here, and change them through AddOns. Nothing was charged."
        raise ConfigError(msg)

    create: Any = _refuse
    bulk_create: Any = _refuse
    bulk_update: Any = _refuse
    update: Any = _refuse
    delete: Any = _refuse
    get_or_create: Any = _refuse
    update_or_create: Any = _refuse


class BooksManager(Manager):
    """Reads from the database that ``AI_ADDONS`` names."""

    def get_queryset(self) -> Any:  # noqa: ANN401  # Django's
        """All rows."""
        return BooksQuerySet(self.model).using(host_settings().DATABASE or "default")


class Booked(Model):
    """What every row has."""

    objects: Any = BooksManager()

    class Meta:
        abstract = True

    def save(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refused, as `BooksQuerySet` refuses it."""
        BooksQuerySet(type(self))._refuse()  # noqa: SLF001  # of this module

    def delete(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Refused, as `BooksQuerySet` refuses it."""
        BooksQuerySet(type(self))._refuse()  # noqa: SLF001  # of this module


class BusinessAICredits(Booked):
    """The wallet of a business."""

    business_id: Any = TextField(primary_key=True)
    balance: Any = ScaledField(db_column="posted", help_text="Credits, those on hold among them.")
    held: Any = ScaledField(help_text="Credits of calls that are not over.")
    total_purchased: Any = ScaledField(db_column="lifetime_in", help_text="Credits that ever came in.")
    total_used: Any = ScaledField(db_column="lifetime_used", help_text="Credits that were ever used.")
    status: Any = TextField()
    policy: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    booked_at: Any = MomentField(help_text="When something was booked last.")

    class Meta:
        managed = False
        db_table = "business_ai_credits"
        verbose_name = verbose_name_plural = "wallets"

    def __str__(self) -> str:
        return str(self.business_id)

    @property
    def available(self) -> Decimal:
        """Credits that can be spent."""
        return Decimal(self.balance) - Decimal(self.held)


class AICreditGrant(Booked):
    """Credits that a business was given or bought."""

    business_id: Any = TextField()
    id: Any = TextField(primary_key=True)
    source: Any = TextField()
    source_ref: Any = TextField()
    amount: Any = ScaledField()
    remaining: Any = ScaledField()
    held: Any = ScaledField()
    effective_at: Any = MomentField()
    expires_at: Any = MomentField(null=True)

    class Meta:
        managed = False
        db_table = "ai_credit_grants"
        verbose_name = "grant"

    def __str__(self) -> str:
        return f"{self.source} {self.source_ref}"


class AITransaction(Booked):
    """One call: what it cost the business and the operator."""

    business_id: Any = TextField()
    id: Any = TextField(primary_key=True)
    attempt: Any = IntegerField()
    at: Any = MomentField()
    feature: Any = TextField()
    user_id: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    outcome: Any = TextField()
    error_code: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    credits_charged: Any = ScaledField(db_column="charged")
    source: Any = TextField()
    model: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    input_tokens: Any = BigIntegerField(null=True)
    output_tokens: Any = BigIntegerField(null=True)
    cost_usd: Any = ScaledField(db_column="cost_pico_usd", places=12, null=True)
    cost_ghs: Any = ScaledField(db_column="cost_micro_ghs", null=True)
    response_time_ms: Any = BigIntegerField(db_column="latency_ms", null=True)
    request_data: Any = TextField(db_column="request_meta", help_text="JSON without personal data.")
    response_summary: Any = TextField(db_column="response_meta", help_text="JSON without content.")

    class Meta:
        managed = False
        db_table = "ai_transactions"
        verbose_name = "call"

    def __str__(self) -> str:
        return str(self.id)


class AICreditPurchase(Booked):
    """An order of credits."""

    business_id: Any = TextField()
    id: Any = TextField(primary_key=True)
    user_id: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    kind: Any = TextField()
    pack: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    amount_paid: Any = ScaledField(db_column="price_minor", places=2, help_text="The price; paid once there is a time.")
    currency: Any = TextField()
    credits_purchased: Any = ScaledField(db_column="credits")
    bonus_credits: Any = ScaledField(db_column="bonus")
    payment_status: Any = TextField(db_column="state")
    gateway: Any = TextField(null=True)  # noqa: DJ001  # as the table is
    payment_method: Any = TextField(db_column="method", null=True)  # noqa: DJ001  # as the table is
    payment_reference: Any = TextField(db_column="paid_reference", null=True)  # noqa: DJ001  # as the table is
    created_at: Any = MomentField()
    paid_at: Any = MomentField(null=True)

    class Meta:
        managed = False
        db_table = "ai_credit_purchases"
        verbose_name = "order"

    def __str__(self) -> str:
        return str(self.id)


class AIMonthlyAddon(Booked):
    """A business's subscription of the monthly add-on."""

    business_id: Any = TextField()
    id: Any = TextField(primary_key=True)
    price: Any = ScaledField(db_column="price_minor", places=2)
    currency: Any = TextField()
    monthly_credits: Any = ScaledField(db_column="credits")
    state: Any = TextField()
    started_at: Any = MomentField(db_column="anchor_at")
    period: Any = IntegerField()
    created_at: Any = MomentField()
    ended_at: Any = MomentField(null=True)

    class Meta:
        managed = False
        db_table = "ai_monthly_addons"
        verbose_name = "monthly add-on"

    def __str__(self) -> str:
        return str(self.id)


class AILedgerEntry(Booked):
    """A line of the ledger; it is never changed."""

    business_id: Any = TextField()
    seq: Any = BigIntegerField()
    hash: Any = TextField(primary_key=True)
    kind: Any = TextField()
    debit: Any = TextField()
    credit: Any = TextField()
    amount: Any = ScaledField()
    ref: Any = TextField()
    balance_after: Any = ScaledField()
    booked_at: Any = MomentField()

    class Meta:
        managed = False
        db_table = "ai_ledger"
        verbose_name_plural = "ledger"

    def __str__(self) -> str:
        return f"{self.business_id} {self.seq}"


MODELS: Final[tuple[type[Booked], ...]] = (
    BusinessAICredits,
    AICreditGrant,
    AITransaction,
    AICreditPurchase,
    AIMonthlyAddon,
    AILedgerEntry,
)
"""All of them."""
