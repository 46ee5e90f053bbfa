"""Addresses of the Django host of the tests."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("shop/", include("ai_addons.contrib.django.urls")),
    path("admin/", admin.site.urls),
]
