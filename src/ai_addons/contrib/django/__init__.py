"""AI add-ons in a Django host (extra ``django``): put ``ai_addons.contrib.django`` into ``INSTALLED_APPS``."""

from __future__ import annotations

from ai_addons.contrib.django.borrowing import borrowed
from ai_addons.contrib.django.hooks import session_principal

__all__ = ["borrowed", "session_principal"]
