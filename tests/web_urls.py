"""Addresses of the Django host of the tests."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from tests import web_views

urlpatterns = [
    path("shop/", include("ai_addons.contrib.django.urls")),
    path("admin/", admin.site.urls),
    path("who/", web_views.who_view),
    path("word/", web_views.word_view),
    path("aword/", web_views.aword_view),
    path("rest/", web_views.RestView.as_view()),
    path("rest/buy/", web_views.BuyView.as_view()),
]
