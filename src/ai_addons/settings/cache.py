"""Where repeated answers are kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration

Eviction = Literal["least-recently-stored", "least-recently-used", "least-frequently-used"]


class CacheSettings(Section):
    """Where repeated answers are kept."""

    backend: str = "disk"
    """``disk``, ``memory``, ``redis``, ``off``, or a plug-in (entry point group ``ai_addons.caches``)."""
    directory: Path = Path(".ai_addons/cache")
    """Directory of the disk cache; made with mode 0700."""
    size_limit_mb: int = Field(default=256, gt=0)
    """Upper size of the disk cache in megabytes."""
    shards: int = Field(default=8, ge=1, le=64)
    """Databases of the disk cache: with several, processes that write seldom wait for each other."""
    eviction: Eviction = "least-recently-stored"
    """Which answers a full disk cache drops first."""
    url: SecretStr | None = None
    """Address of the Redis or Valkey server: ``redis://…``, or ``rediss://…`` for TLS; shown nowhere."""
    prefix: str | None = Field(default=None, min_length=1, max_length=64)
    """What the keys on that server begin with. None: ``ai_addons:`` and a name made from the installation's secret."""
    lock_ttl: Duration = Field(default=timedelta(seconds=15), gt=timedelta(0))
    """How long one host asks a model for all hosts; if it has no answer by then, another one asks too."""
