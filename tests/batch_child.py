"""A process that makes a batch and is killed in the middle of it: ``python -m tests.batch_child URL``.

It prints a line for every request to the model; the third one is never answered.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ai_addons import AddOns
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.features import slogan

if TYPE_CHECKING:
    from ai_addons import BatchResult

BUSINESS: Final = "biz_7"
CALLS: Final = 6


def opened(url: str, llm: FakeLlm, clock: ManualClock) -> AddOns:
    """The same books, in whichever process."""
    return AddOns(kit_settings(store={"url": url}), llm=llm, clock=clock, environ={})


def make(addons: AddOns) -> BatchResult[str]:
    """The batch, under the same keys each time."""
    paid = slogan.options(business=BUSINESS, addons=addons)
    calls = [paid.options(idempotency_key=f"label-{number}").bind(number) for number in range(CALLS)]
    return addons.batch(calls, concurrency=1)


def main(url: str) -> None:
    """Make it, until the kill."""
    llm = FakeLlm()
    llm.reply(slogan, "Buy more")
    llm.reply(slogan, "Buy less")
    llm.hang(slogan)
    llm.before_answer(lambda: print("asked", flush=True))  # noqa: T201  # tells the parent
    make(opened(url, llm, ManualClock()))


if __name__ == "__main__":
    main(sys.argv[1])
