"""Between the shop's tables and what the features read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.contrib.auth.models import User
from pos.people import BUSINESSES, PEOPLE
from pos.records import TODAY, Records, seed
from pydantic import BaseModel

from ai_addons.features.credit_assessment import CreditApplication
from ai_addons.features.product_description import Product as Described
from ai_addons.features.shop import ContactLine, CustomerRecord, InvoiceLine, SaleLine, Shop, StockLine, Trade
from django_shop.models import Bill, Business, Customer, Product, Sale, Staff, Stock

if TYPE_CHECKING:
    from collections.abc import Iterable

M = TypeVar("M", bound=BaseModel)

_PRODUCT: Final = ("name", "category", "brand", "attributes", "unit_size", "unit", "existing_description")


def records_of(business: Business) -> Records:
    """All rows of a shop."""
    return Records(
        shop=Shop(name=business.name, business_id=business.id, phone=business.phone, as_of=TODAY),
        products=tuple(Described(as_of=TODAY, **row) for row in _rows(Product, business, _PRODUCT)),
        customers=tuple(
            CustomerRecord(
                name=row["customer"],
                phone=row["phone"],
                assessment_input=CreditApplication.model_validate(row["application"]),
            )
            for row in _rows(Customer, business, ("customer", "phone", "application"))
        ),
        trade=Trade(
            as_of=TODAY,
            sales=_lines(SaleLine, Sale, business),
            stock=_lines(StockLine, Stock, business),
            invoices=_lines(InvoiceLine, Bill, business),
            contacts=_lines(ContactLine, Customer, business),
        ),
    )


def _lines(kind: type[M], model: Any, business: Business) -> tuple[M, ...]:
    """Rows of a table whose columns are called as the fields of a model."""
    return tuple(kind.model_validate(row) for row in _rows(model, business, kind.model_fields))


def _rows(model: Any, business: Business, columns: Iterable[str]) -> Iterable[dict[str, Any]]:
    found: Iterable[dict[str, Any]] = model.objects.filter(business=business).values(*columns)
    return found


def fill() -> None:
    """Fill an empty shop: two businesses, their rows and the people who sign in."""
    if Business.objects.exists():
        return
    for one in BUSINESSES:
        business = Business.objects.create(id=one.id, name=one.name, phone=one.phone, email=one.email)
        _fill(business, seed(one))
    for person in PEOPLE:
        is_operator = person.business is None
        user = User.objects.create_user(
            person.name, password=person.password, is_staff=is_operator, is_superuser=is_operator
        )
        works_for = None if person.business is None else person.business.id
        Staff.objects.create(user=user, business_id=works_for, role=person.role)


def _fill(business: Business, records: Records) -> None:
    trade = records.trade
    for model, found in ((Sale, trade.sales), (Stock, trade.stock), (Bill, trade.invoices)):
        model.objects.bulk_create(model(business=business, **line.model_dump()) for line in found)
    for product in records.products:
        Product.objects.create(business=business, **product.model_dump(include=set(_PRODUCT)))
    for customer, contact in zip(records.customers, trade.contacts, strict=True):
        application = customer.assessment_input.model_dump(mode="json")
        Customer.objects.create(
            business=business, phone=customer.phone, application=application, **contact.model_dump()
        )
