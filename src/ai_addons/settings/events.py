"""Who is told what happens, in this process and beyond."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import SecretStr, model_validator

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration, Names


class WebhookSettings(Section):
    """Where the outbox is delivered to, as signed webhooks (Standard Webhooks)."""

    url: str | None = None
    """Address that receives every event. None: events stay in this process."""
    secrets: tuple[SecretStr, ...] = ()
    """Signing secrets (``whsec_…``), the newest first; several while they are rotated."""
    timeout: Duration = timedelta(seconds=10)
    """How long a receiver may take."""

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.url is not None and not self.secrets:
            msg = "webhooks.url needs a secret to sign with; make one with `ai-addons webhook-secret`"
            raise ValueError(msg)
        return self


class EventSettings(Section):
    """Who is told what happens in this process, beside the hooks given to `AddOns`."""

    hooks: Names = ()
    """Hooks, in order: ``logging``, ``otel``, ``prometheus``, a plug-in (entry point group ``ai_addons.hooks``), or
    ``package.module:Hook``; each is made with no arguments."""
