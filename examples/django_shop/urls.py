"""Addresses of the shop; those of the AI add-on are one line."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from django_shop import views

urlpatterns = [
    path("", include("ai_addons.contrib.django.urls")),
    path("", views.page),
    path("login/", LoginView.as_view(template_name="login.html", extra_context={"title": "Sign in"})),
    path("logout/", LogoutView.as_view()),
    path("admin/", admin.site.urls),
    path("sell/", views.sell),
    path("api/ask/<str:feature>/", views.Ask.as_view()),
    path("<str:name>/", views.page),
]
