"""What ``manage.py check`` says of the host's set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from ai_addons.contrib.django.conf import SETTING, host_settings, loaded
from ai_addons.contrib.django.wiring import make_addons, make_web
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.contrib.django.conf import HostSettings

_ANSWERS_NOBODY: Final = "Without it every endpoint that needs somebody answers 401 or 403."


def check_host(app_configs: Any = None, **_rest: object) -> list[CheckMessage]:  # noqa: ANN401, ARG001  # Django's signature
    """Whether ``AI_ADDONS`` can be read, names what is there, and lets anybody in; nothing is opened."""
    try:
        host = host_settings()
        make_web(host, make_addons(host))
        loaded("PRINCIPAL", host.PRINCIPAL)
    except ConfigError as error:
        return [Error(str(error), id="ai_addons.E001")]
    return list(_cautions(host))


def _cautions(host: HostSettings) -> Iterator[CheckMessage]:
    if host.PRINCIPAL is None:
        yield Caution(f"{SETTING}['PRINCIPAL'] is not set.", hint=_ANSWERS_NOBODY, id="ai_addons.W001")
    if host.AUTHORIZE is None:
        yield Caution(f"{SETTING}['AUTHORIZE'] is not set.", hint=_ANSWERS_NOBODY, id="ai_addons.W002")
