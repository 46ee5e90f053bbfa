"""The books in Django's admin, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin

from ai_addons.contrib.django.models import MODELS

if TYPE_CHECKING:
    from django.http import HttpRequest

    from ai_addons.contrib.django._typed import ModelAdmin
else:
    from django.contrib.admin import ModelAdmin

_FILTERS: Final = frozenset({"feature", "kind", "outcome", "payment_status", "source", "state", "status"})


class BooksAdmin(ModelAdmin):
    """A list of rows; there is no page for one, because an id alone does not name it."""

    list_display_links: Any = None
    search_fields: tuple[str, ...] = ("business_id",)
    show_full_result_count: bool = False

    def __init__(self, model: Any, admin_site: Any) -> None:  # noqa: ANN401  # Django's
        names = [field.name for field in model._meta.fields]  # noqa: SLF001  # documented by Django
        self.list_display: tuple[str, ...] = tuple(names)
        self.list_filter: tuple[str, ...] = tuple(name for name in names if name in _FILTERS)
        super().__init__(model, admin_site)

    def get_object(self, _request: HttpRequest, _object_id: str, _from_field: str | None = None) -> None:
        """None."""
        return

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        """Nobody."""
        return False


for _model in MODELS:
    admin.site.register(_model, BooksAdmin)
