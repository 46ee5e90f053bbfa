"""The Django app: holds the host's `AddOns` and lets the features find it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.core import checks
from django.core.signals import setting_changed
from django.db.models.signals import post_migrate

from ai_addons import install

if TYPE_CHECKING:
    from ai_addons import AddOns
    from ai_addons.contrib.django._typed import AppConfig
    from ai_addons.web import Web
else:
    from django.apps import AppConfig

LABEL: Final = "ai_addons"


class AiAddOnsConfig(AppConfig):
    """AI add-ons."""

    name: str = "ai_addons.contrib.django"
    label: str = LABEL
    verbose_name: str = "AI add-ons"
    default_auto_field: str = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: Any) -> None:  # noqa: ANN401  # Django's
        super().__init__(app_name, app_module)
        self._lock = threading.RLock()
        self._made: tuple[AddOns, Web] | None = None

    def ready(self) -> None:
        """Let the features find the host's settings; nothing is opened or made before the first use."""
        from ai_addons.contrib.django.checks import check_host  # noqa: PLC0415  # apps are loaded only now
        from ai_addons.contrib.django.tables import keep_of_today  # noqa: PLC0415  # as above

        checks.register(check_host, LABEL)
        post_migrate.connect(keep_of_today, sender=self)
        # Made at the first use: a test runner renames the databases after this.
        install(lambda: self.addons)
        setting_changed.connect(self._forget)

    @property
    def addons(self) -> AddOns:
        """The host's, made once."""
        return self._parts()[0]

    @property
    def web(self) -> Web:
        """Its endpoints."""
        return self._parts()[1]

    def _parts(self) -> tuple[AddOns, Web]:
        from ai_addons.contrib.django.conf import host_settings  # noqa: PLC0415  # loads the SDK at the first use
        from ai_addons.contrib.django.wiring import make_addons, make_web  # noqa: PLC0415  # as above

        with self._lock:
            if self._made is None:
                host = host_settings()
                addons = make_addons(host)
                self._made = (addons, make_web(host, addons))
            return self._made

    def _forget(self, *, setting: str, **_rest: object) -> None:
        """Read the settings anew after a test has changed them."""
        if setting in ("AI_ADDONS", "DATABASES"):
            with self._lock:
                made, self._made = self._made, None
            if made is not None:
                made[0].close()
            install(lambda: self.addons)


def app() -> AiAddOnsConfig:
    """The app as this host has it."""
    registry: Any = apps
    found: AiAddOnsConfig = registry.get_app_config(LABEL)
    return found
