"""A process that reads a stream and is killed in the middle of it: ``python -m tests.stream_child URL``.

It prints a line for every piece; after two of them the model says nothing more.
"""

from __future__ import annotations

import sys

from ai_addons.testing import FakeLlm, ManualClock
from tests.batch_child import BUSINESS, opened
from tests.features import slogan

KEY = "slogan-1"


def main(url: str) -> None:
    """Read it, until the kill."""
    llm = FakeLlm()
    llm.reply_pieces(slogan, ["Buy more rice ", "and beans ", "here"]).hang_after(2)
    paid = slogan.options(business=BUSINESS, addons=opened(url, llm, ManualClock()), idempotency_key=KEY)
    for _ in paid.stream(1):
        print("read", flush=True)  # noqa: T201  # tells the parent


if __name__ == "__main__":
    main(sys.argv[1])
