"""Pages of the shop, and the one address that all eight buttons ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from pos.buttons import press
from pos.pages import HEADERS, PAGES, sale
from pos.people import PEOPLE
from pydantic import ValidationError
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from django_shop.models import Sale, Staff, Stock
from django_shop.records import records_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from rest_framework.request import Request


def known(request: HttpRequest) -> dict[str, Any]:
    """For every page: who is there, and where one can go."""
    staff = Staff.objects.filter(user_id=request.user.pk).select_related("business", "user").first()
    shop = None if staff is None else staff.business
    return {
        "person": None if staff is None else staff.user.username,
        "shop_name": None if shop is None else shop.name,
        "pages": PAGES,
        "people": PEOPLE,
        "gateway": f"http://127.0.0.1:{settings.GATEWAY_PORT}",
    }


@login_required
def page(request: HttpRequest, name: str = "till", problem: str | None = None) -> HttpResponse:
    """One of the shop's pages; an operator has none and goes to those of the add-on."""
    business = request.user.staff.business
    if business is None:
        return redirect("ai_addons:admin_page")
    if name not in PAGES:
        raise Http404
    title, content = PAGES[name]
    context = {"title": title, "problem": problem, **content(records_of(business))}
    response = render(request, f"{name}.html", context, status=422 if problem else 200)
    for header, value in HEADERS.items():
        response[header] = value
    return response


@require_POST
@login_required
def sell(request: HttpRequest) -> HttpResponse:
    """Sell something over the counter."""
    business = request.user.staff.business
    try:
        line = sale(records_of(business), request.POST)
    except (LookupError, ValueError) as error:
        return page(request, problem=str(error))
    Sale.objects.create(business=business, **line.model_dump())
    Stock.objects.filter(business=business, item=line.item).update(stock=F("stock") - line.units)
    return redirect("/till/")


class Question(serializers.Serializer):
    subject = serializers.CharField(allow_blank=True, default="", max_length=300)


class Ask(APIView):
    """Press a button. Whoever asks pays: the middleware has seen to it. Too few credits are a 402."""

    def post(self, request: Request, feature: str) -> Response:
        """Answer with what the page shows."""
        asked = Question(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            return Response(press(feature, records_of(request.user.staff.business), asked.validated_data["subject"]))
        except LookupError:
            raise NotFound from None
        except ValidationError as error:
            raise serializers.ValidationError({"subject": [issue["msg"] for issue in error.errors()]}) from None
