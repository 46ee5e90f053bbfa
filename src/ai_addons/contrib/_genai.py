"""Names from OpenTelemetry's semantic conventions for generative AI, and ours beside them, in one place.

Source: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md and
gen-ai-metrics.md, release 0.1.0; the conventions lived in semantic-conventions up to 1.41. All of them are
marked "Development", so a later release may rename them: change them here.

The conventions put the whole prompt and the answer under opt-in names. Those names are left out on purpose.
"""

from __future__ import annotations

from typing import Final

CONVENTIONS: Final = "0.1.0"
"""Release of the GenAI semantic conventions that the names are from."""

# Spans and their attributes.
OPERATION_NAME: Final = "gen_ai.operation.name"
CHAT: Final = "chat"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105  # kinds of tokens of a text, nothing secret
ERROR_TYPE: Final = "error.type"

# Metrics.
METRIC_TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105  # as above
METRIC_OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
DURATION_BUCKETS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKEN_BUCKETS: Final = tuple(float(4**power) for power in range(14))

# Ours.
CALL_ID: Final = "ai_addons.call.id"
FEATURE: Final = "ai_addons.feature"
MODEL: Final = "ai_addons.model"
OUTCOME: Final = "ai_addons.outcome"
CACHED: Final = "ai_addons.cached"
REPLAYED: Final = "ai_addons.replayed"
CREDITS: Final = "ai_addons.credits"
COST_USD: Final = "ai_addons.provider.cost_usd"
REASON: Final = "ai_addons.attempt.reason"

_PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}


def model_attributes(route: str) -> dict[str, str]:
    """Provider and model of a route, as the conventions name them; other providers keep their own name.

    >>> model_attributes("gemini/gemini-2.5-flash-lite")
    {'gen_ai.provider.name': 'gcp.gemini', 'gen_ai.request.model': 'gemini-2.5-flash-lite'}
    """
    provider, _, model = route.partition("/")
    return {PROVIDER_NAME: _PROVIDERS.get(provider, provider), REQUEST_MODEL: model}


def metric_attributes(metric: str, labels: dict[str, str]) -> dict[str, str]:
    """The attributes of a measurement from its labels; what does not apply is left out.

    Args:
        metric: OpenTelemetry's name of the metric.
        labels: By our names.
    """
    attributes = {OPERATION_NAME: CHAT} if metric.startswith("gen_ai.") else {}
    for label, value in labels.items():
        if label == "model":
            attributes |= model_attributes(value)
        elif value:
            attributes[_LABELS.get(label, f"ai_addons.{label}")] = value
    return attributes


_LABELS: Final = {"code": ERROR_TYPE, "reason": REASON, "type": TOKEN_TYPE}
