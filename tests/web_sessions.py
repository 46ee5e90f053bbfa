"""Principal hooks of the Django host of the tests; imported only once Django is set up."""

from __future__ import annotations

from typing import Final

from ai_addons.contrib.django import session_principal
from ai_addons.contrib.drf import drf_principal
from tests.test_web_principals import business_of, principal_of

SESSION: Final = session_principal(business_of)
BOSS: Final = session_principal(principal_of)
REST: Final = drf_principal(business_of)
