"""Settings of the shop; the AI add-on is the app, the middleware and ``AI_ADDONS``."""

import os
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = HERE.parent

SECRET_KEY = "this shop is an example and has no secret"  # noqa: S105  # as it says
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "django_shop.urls"
USE_TZ = True
TIME_ZONE = "Africa/Accra"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/till/"
LOGOUT_REDIRECT_URL = "/login/"
STATIC_URL = "/static/"
STATICFILES_DIRS = [EXAMPLES / "pos" / "static"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("SHOP_DATABASE", HERE / "shop.db")}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "ai_addons.contrib.django",
    "django_shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "ai_addons.contrib.django.middleware.CreditsMiddleware",
]
_USUAL = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [EXAMPLES / "pos" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "ai_addons.contrib.django.context.assets",
                "django_shop.views.known",
            ]
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _USUAL},
    },
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.BasicAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["ai_addons.contrib.drf.MayReadCredits"],
    "EXCEPTION_HANDLER": "ai_addons.contrib.drf.exception_handler",
}

GATEWAY_PORT = int(os.environ.get("SHOP_GATEWAY_PORT", "8765"))
AI_ADDONS = {
    "PRINCIPAL": "django_shop.host.principal",
    "AUTHORIZE": "pos.people.authorize",
    "PROFILE": "django_shop.host.profile",
    "SETTINGS": {
        "gateways": {"fake": {"base_url": f"http://127.0.0.1:{GATEWAY_PORT}"}},
        "web": {"home_url": "/till/"},
        "receipts": {"seller": "Sika POS Ltd"},
        "cache": {"backend": "memory"},
    },
}
