"""Views of the Django host of the tests; imported only once Django is set up."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.response import Response
from rest_framework.views import APIView

from ai_addons.calling import _payer
from ai_addons.contrib.drf import MayBuyCredits, MayReadCredits
from tests.web_words import say_word


def word_view(request: Any) -> HttpResponse:
    """Make a call that whoever asks pays."""
    return HttpResponse(say_word(request.GET.get("word", "yes")))


@csrf_exempt  # type: ignore[untyped-decorator]  # Django has no types
def who_view(request: Any) -> HttpResponse:
    """Who is signed in, and who pays."""
    payer = _payer.get()
    return HttpResponse(f"{request.user} paid by {None if payer is None else payer.business}")


@transaction.non_atomic_requests  # type: ignore[untyped-decorator]  # Django has no types
async def aword_view(request: Any) -> HttpResponse:
    """The same on the event loop."""
    return HttpResponse(await say_word.aio(request.GET.get("word", "yes")))


class RestView(APIView):  # type: ignore[misc]  # the framework has no types
    """A view of Django REST framework."""

    permission_classes = (MayReadCredits,)

    def get(self, request: Any) -> Response:
        return Response({"word": say_word(request.query_params.get("word", "yes"))})


class BuyView(APIView):  # type: ignore[misc]  # the framework has no types
    """One for whoever may spend money."""

    permission_classes = (MayBuyCredits,)

    def get(self, _request: Any) -> Response:
        return Response({"may": True})
