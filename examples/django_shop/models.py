"""Tables of the shop. Their columns are called as the features call what they read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

MONEY: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}
UNITS: dict[str, Any] = {"max_digits": 12, "decimal_places": 3}


class Business(models.Model):
    id = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=20)
    email = models.EmailField()


class Staff(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    business = models.ForeignKey(Business, null=True, on_delete=models.CASCADE)
    role = models.CharField(max_length=20)


class Owned(models.Model):
    business = models.ForeignKey(Business, on_delete=models.CASCADE)

    class Meta:
        abstract = True
        ordering = ("id",)


class Product(Owned):
    name = models.CharField(max_length=120)
    category = models.CharField(max_length=40)
    brand = models.CharField(max_length=60, null=True)
    attributes = models.JSONField(default=dict)
    unit_size = models.DecimalField(null=True, **UNITS)
    unit = models.CharField(max_length=10, null=True)
    existing_description = models.TextField(null=True)


class Customer(Owned):
    customer = models.CharField(max_length=120)
    phone = models.CharField(max_length=20)
    current_limit = models.DecimalField(**MONEY)
    tenure_months = models.IntegerField()
    consent = models.BooleanField(default=False)
    opted_out = models.BooleanField(default=False)
    application = models.JSONField()


class Sale(Owned):
    day = models.DateField()
    sale = models.CharField(max_length=20)
    customer = models.CharField(max_length=120, null=True)
    item = models.CharField(max_length=120)
    units = models.DecimalField(**UNITS)
    amount = models.DecimalField(**MONEY)
    discount = models.DecimalField(default=0, **MONEY)
    paid_by = models.CharField(max_length=10)


class Stock(Owned):
    item = models.CharField(max_length=120)
    category = models.CharField(max_length=40)
    stock = models.DecimalField(**UNITS)
    on_order = models.DecimalField(default=0, **UNITS)
    pack_size = models.IntegerField(default=1)
    moq = models.IntegerField(default=1)
    lead_days = models.IntegerField()
    review_days = models.IntegerField(default=7)
    shelf_life_days = models.IntegerField(null=True)
    unit_cost = models.DecimalField(**MONEY)
    unit_price = models.DecimalField(null=True, **MONEY)


class Bill(Owned):
    ref = models.CharField(max_length=40)
    customer_ref = models.CharField(max_length=120)
    issued = models.DateField()
    due = models.DateField()
    amount = models.DecimalField(**MONEY)
    paid = models.DateField(null=True)
    paid_so_far = models.DecimalField(default=0, **MONEY)
    dispute = models.BooleanField(default=False)
    promise_date = models.DateField(null=True)
    broken_promises = models.IntegerField(default=0)
    last_contact = models.DateField(null=True)
    unanswered_contacts = models.IntegerField(default=0)
