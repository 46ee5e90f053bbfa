"""For templates of the host: the tags that the web components need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.middleware.csrf import get_token
from django.utils.functional import lazy
from django.utils.safestring import SafeString, mark_safe

from ai_addons.contrib.django.views import root_of
from ai_addons.web.static import asset_tags

if TYPE_CHECKING:
    from django.http import HttpRequest


def assets(request: HttpRequest) -> dict[str, Any]:
    """A context processor: ``{{ ai_addons_assets }}`` stands for what a page's head needs, with the host's token.

    Put it into ``OPTIONS["context_processors"]`` of a template engine. A page that does not use it costs nothing.
    """

    def tags() -> SafeString:
        return mark_safe(asset_tags(root_of(), csrf_token=get_token(request)))  # noqa: S308  # escaped there

    return {"ai_addons_assets": lazy(tags, SafeString)()}
