"""Our tables, made by our own migrations, and models that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import migrations, models

from ai_addons.contrib.django.models import MomentField, ScaledField
from ai_addons.contrib.django.tables import drop, make

if TYPE_CHECKING:
    from ai_addons.contrib.django._typed import Migration as Base
else:
    from django.db.migrations import Migration as Base


class Migration(Base):
    """The first."""

    initial: bool = True

    dependencies: list[tuple[str, str]] = []

    operations: list[Any] = [
        migrations.RunPython(make, drop),
        migrations.CreateModel(
            name="AICreditGrant",
            fields=[
                ("business_id", models.TextField()),
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("source", models.TextField()),
                ("source_ref", models.TextField()),
                ("amount", ScaledField(places=6)),
                ("remaining", ScaledField(places=6)),
                ("held", ScaledField(places=6)),
                ("effective_at", MomentField()),
                ("expires_at", MomentField(null=True)),
            ],
            options={
                "verbose_name": "grant",
                "db_table": "ai_credit_grants",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="AICreditPurchase",
            fields=[
                ("business_id", models.TextField()),
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("user_id", models.TextField(null=True)),
                ("kind", models.TextField()),
                ("pack", models.TextField(null=True)),
                (
                    "amount_paid",
                    ScaledField(db_column="price_minor", help_text="The price; paid once there is a time.", places=2),
                ),
                ("currency", models.TextField()),
                ("credits_purchased", ScaledField(db_column="credits", places=6)),
                ("bonus_credits", ScaledField(db_column="bonus", places=6)),
                ("payment_status", models.TextField(db_column="state")),
                ("gateway", models.TextField(null=True)),
                ("payment_method", models.TextField(db_column="method", null=True)),
                ("payment_reference", models.TextField(db_column="paid_reference", null=True)),
                ("created_at", MomentField()),
                ("paid_at", MomentField(null=True)),
            ],
            options={
                "verbose_name": "order",
                "db_table": "ai_credit_purchases",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="AILedgerEntry",
            fields=[
                ("business_id", models.TextField()),
                ("seq", models.BigIntegerField()),
                ("hash", models.TextField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("debit", models.TextField()),
                ("credit", models.TextField()),
                ("amount", ScaledField(places=6)),
                ("ref", models.TextField()),
                ("balance_after", ScaledField(places=6)),
                ("booked_at", MomentField()),
            ],
            options={
                "verbose_name_plural": "ledger",
                "db_table": "ai_ledger",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="AIMonthlyAddon",
            fields=[
                ("business_id", models.TextField()),
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("price", ScaledField(db_column="price_minor", places=2)),
                ("currency", models.TextField()),
                ("monthly_credits", ScaledField(db_column="credits", places=6)),
                ("state", models.TextField()),
                ("started_at", MomentField(db_column="anchor_at")),
                ("period", models.IntegerField()),
                ("created_at", MomentField()),
                ("ended_at", MomentField(null=True)),
            ],
            options={
                "verbose_name": "monthly add-on",
                "db_table": "ai_monthly_addons",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="AITransaction",
            fields=[
                ("business_id", models.TextField()),
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("attempt", models.IntegerField()),
                ("at", MomentField()),
                ("feature", models.TextField()),
                ("user_id", models.TextField(null=True)),
                ("outcome", models.TextField()),
                ("error_code", models.TextField(null=True)),
                ("credits_charged", ScaledField(db_column="charged", places=6)),
                ("source", models.TextField()),
                ("model", models.TextField(null=True)),
                ("input_tokens", models.BigIntegerField(null=True)),
                ("output_tokens", models.BigIntegerField(null=True)),
                ("cost_usd", ScaledField(db_column="cost_pico_usd", null=True, places=12)),
                ("cost_ghs", ScaledField(db_column="cost_micro_ghs", null=True, places=6)),
                ("response_time_ms", models.BigIntegerField(db_column="latency_ms", null=True)),
                ("request_data", models.TextField(db_column="request_meta", help_text="JSON without personal data.")),
                ("response_summary", models.TextField(db_column="response_meta", help_text="JSON without content.")),
            ],
            options={
                "verbose_name": "call",
                "db_table": "ai_transactions",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="BusinessAICredits",
            fields=[
                ("business_id", models.TextField(primary_key=True, serialize=False)),
                ("balance", ScaledField(db_column="posted", help_text="Credits, those on hold among them.", places=6)),
                ("held", ScaledField(help_text="Credits of calls that are not over.", places=6)),
                (
                    "total_purchased",
                    ScaledField(db_column="lifetime_in", help_text="Credits that ever came in.", places=6),
                ),
                (
                    "total_used",
                    ScaledField(db_column="lifetime_used", help_text="Credits that were ever used.", places=6),
                ),
                ("status", models.TextField()),
                ("policy", models.TextField(null=True)),
                ("booked_at", MomentField(help_text="When something was booked last.")),
            ],
            options={
                "verbose_name": "wallets",
                "verbose_name_plural": "wallets",
                "db_table": "business_ai_credits",
                "managed": False,
            },
        ),
    ]
