"""The parts behind `AddOns`, made from the settings: books, cache, models, privacy.

Making the parts opens nothing: the database connects at its first statement,
LiteLLM is imported at the first real call, threads start when they are needed.
"""

from __future__ import annotations

from ai_addons.wiring.reading import limits_of, micros
from ai_addons.wiring.whole import OFFLINE, Desk, Wiring

__all__ = ["OFFLINE", "Desk", "Wiring", "limits_of", "micros"]
