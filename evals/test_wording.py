"""How well a real model words each built-in feature: ``pytest evals --ai-live``, with a provider's key set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from ai_addons.testing._prompts import examples
from evals.asking import ask, cases, model_with_key, report

if TYPE_CHECKING:
    from ai_addons.feature import Feature
    from ai_addons.features import FeatureResult
    from ai_addons.testing import FakeLlm
    from evals.asking import Row


@pytest.mark.ai_live
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("key", sorted(examples()))
def test_wording(key: str, ai_llm: FakeLlm, ai_payer: Any, rows: list[Row]) -> None:
    """Thirty calls are made, scored and reported; how good they are is for a person to judge."""
    model = model_with_key()
    if model is None:
        pytest.skip("no provider has a key")
    feature, example = examples()[key]
    inputs = cases(example)
    distinct = sum(one not in inputs[:number] for number, one in enumerate(inputs))

    answered = ask(cast("Feature[..., FeatureResult[Any]]", feature), inputs, ai_llm)

    rows.append(report(key, answered, model=model, day=datetime.now(UTC).date(), distinct=distinct))
    assert answered, "no call was answered: no provider, or no budget (--ai-budget)"
