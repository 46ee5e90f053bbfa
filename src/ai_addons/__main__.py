"""``python -m ai_addons`` is ``ai-addons``."""

from ai_addons.cli import main

main(prog_name="ai-addons")
