"""The command line, `ai-addons`: try it, check it, read the books."""

from ai_addons.cli.main import main

__all__ = ["main"]
