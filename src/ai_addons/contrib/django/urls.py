"""The endpoints' addresses, for ``path("shop/", include("ai_addons.contrib.django.urls"))``.

Every path below ``ai/`` is ours, and what is none of them is our 404. Each address has its endpoint's name too:
``{% url "ai_addons:credits" %}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path, re_path

from ai_addons.contrib.django.views import make_view
from ai_addons.web.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from django.urls import URLPattern

app_name = "ai_addons"

_view = make_view()

urlpatterns: list[URLPattern] = [
    re_path(r"^(?P<path>ai/[\s\S]*)\Z", _view),
    # Never reached, because the first one takes all; they give the addresses their names.
    *(path(one.path.replace("{", "<str:").replace("}", ">"), _view, name=one.name) for one in ENDPOINTS),
]
