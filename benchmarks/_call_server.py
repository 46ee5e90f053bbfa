"""A provider in a process of its own, so that its work is not counted as the caller's.

``python -m benchmarks._call_server DELAY`` serves OpenAI's format on 127.0.0.1, prints its address, and ends when its
standard input does.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, cast

from ai_addons.testing.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ai_addons.testing.script import Act

ANSWER: Final = {"text": "A tin of Milo for a cold morning.", "tags": ["milo", "breakfast"], "score": 4}


@contextmanager
def serving(delay: float = 0.0) -> Generator[str]:
    """The ``api_base`` of a server that answers well after so many seconds."""
    command = [sys.executable, "-m", "benchmarks._call_server", str(delay)]
    # Closing its standard input ends it.
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        cast("IO[str]", server.stdin),
    ):
        yield cast("IO[str]", server.stdout).readline().strip()


class _Forgetful(Loopback):
    """Keeps no record of its requests: it serves many thousands."""

    def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> Act:
        """Meet a request and forget it."""
        act = super().receive(path, headers, body)
        self.calls.clear()
        return act


if __name__ == "__main__":
    with _Forgetful() as loopback:
        loopback.answer("openai", ANSWER, usage=(400, 60), delay=float(sys.argv[1]))
        print(loopback.api_base("openai"), flush=True)
        sys.stdin.read()
