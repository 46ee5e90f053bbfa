"""What the tests of the adapter share: httpx that reaches nobody, and LiteLLM itself."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
import respx

from ai_addons.llm.litellm import LiteLlm
from tests.llm_wire import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    """Every request of httpx ends here."""
    with respx.mock(assert_all_called=False) as mock:
        yield mock


@pytest.fixture
def library() -> Any:
    """LiteLLM, as the adapter loads it."""
    LiteLlm(KEYS, {}).warm_up()
    return importlib.import_module("litellm")
