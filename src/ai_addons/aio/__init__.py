"""The async twins: what takes money or time, for hosts with an event loop; `AsyncAddOns` leads to the others.

Each has the methods of its sync form, with the same arguments and results. They run in a worker thread.
"""

from __future__ import annotations

from ai_addons.aio.answers import AsyncAnswers
from ai_addons.aio.billing import AsyncBilling
from ai_addons.aio.figures import AsyncFigures
from ai_addons.aio.limits import AsyncLimits
from ai_addons.aio.operating import AsyncOperating
from ai_addons.aio.orders import AsyncOrders
from ai_addons.aio.prices import AsyncPrices
from ai_addons.aio.subscriptions import AsyncSubscriptions
from ai_addons.aio.whole import AsyncAddOns

__all__ = [
    "AsyncAddOns",
    "AsyncAnswers",
    "AsyncBilling",
    "AsyncFigures",
    "AsyncLimits",
    "AsyncOperating",
    "AsyncOrders",
    "AsyncPrices",
    "AsyncSubscriptions",
]
