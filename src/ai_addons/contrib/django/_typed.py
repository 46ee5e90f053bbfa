"""Django's classes that ours are made from, as type checkers see them.

Django ships no types. Its stubs on the package index want a plug-in that starts the host's settings, so what we touch
is written down here by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:

    class Model:
        """A row."""

        pk: Any
        _meta: ClassVar[Any]

        def __init__(self, **values: Any) -> None: ...

    class Field:
        """A column."""

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

        def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]: ...

        def get_prep_value(self, value: Any) -> Any: ...

    class QuerySet:
        """Rows."""

        def __init__(self, model: Any = None) -> None: ...

        def using(self, alias: str) -> Any: ...

    class Manager:
        """What finds rows."""

        model: Any

    class AppConfig:
        """An app."""

        def __init__(self, app_name: str, app_module: Any) -> None: ...

        def ready(self) -> None: ...

    class BaseCommand:
        """A command."""

        stdout: Any

    class FlushCommand(BaseCommand):
        """``manage.py flush``."""

        def handle(self, **options: Any) -> None: ...

    class ModelAdmin:
        """A model in the admin."""

        def __init__(self, model: Any, admin_site: Any) -> None: ...

    class Migration:
        """A migration."""

    class CsrfViewMiddleware:
        """The check against forged requests."""

        def __init__(self, get_response: Any) -> None: ...

        def process_request(self, request: Any) -> None: ...

        def process_view(self, request: Any, callback: Any, args: Any, kwargs: Any) -> Any: ...
