"""What the AI add-on asks its host: who is there, and what is known of a business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.profile import BusinessProfile
from ai_addons.contrib.drf import drf_principal
from ai_addons.web import Principal
from django_shop.models import Business, Staff

if TYPE_CHECKING:
    from django.http import HttpRequest


def business_of(request: HttpRequest) -> Principal | None:
    """The business that the signed-in person works for; none for an operator."""
    staff = Staff.objects.filter(user=request.user).first()
    if staff is None:
        return None
    return Principal(business_id=staff.business_id or "", user_id=str(request.user.pk), roles=frozenset({staff.role}))


principal = drf_principal(business_of)


def profile(business_id: str) -> BusinessProfile:
    """Its name, and where receipts go."""
    found = Business.objects.get(id=business_id)
    return BusinessProfile(name=found.name, phone=found.phone, email=found.email)
