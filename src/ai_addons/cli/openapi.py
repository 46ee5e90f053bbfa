"""`ai-addons openapi`: the endpoints as a document for machines."""

from __future__ import annotations

import click

from ai_addons.cli import show


@click.command()
@click.option("--root", default="/", show_default=True, help="Path under which the endpoints are mounted.")
@show.as_json
def openapi(*, root: str, json_out: bool) -> None:
    """Print the HTTP endpoints as an OpenAPI 3.1 document."""
    del json_out  # a document for machines is what it always prints
    from ai_addons.web.endpoints import ENDPOINTS  # noqa: PLC0415  # the other commands need no endpoints
    from ai_addons.web.openapi import document  # noqa: PLC0415  # as above

    show.print_json(document(ENDPOINTS, root=f"/{root.strip('/')}/" if root.strip("/") else "/"))
