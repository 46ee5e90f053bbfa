"""What every part of the settings is, and what their variables begin with."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

ENV_PREFIX: Final = "AI_ADDONS_"


class Section(BaseModel):
    """A part of the settings; unknown keys are refused and values never show in errors."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
