"""What users say of results."""

from __future__ import annotations

from typing import Final, cast

from pydantic import Field

from ai_addons.errors import NotFound, PrivacyRefused
from ai_addons.web.base import Answer, Body, Context, Endpoint


class FeedbackBody(Body):
    """What somebody says of one result."""

    transaction_id: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")
    rating: int = Field(ge=1, le=5, description="Stars.")
    recommend: int | None = Field(default=None, ge=0, le=10, description="How likely they would recommend it.")
    comment: str | None = Field(default=None, max_length=2_000, pattern=r"^[^\x00]*$")


class FeedbackAnswer(Answer):
    """It is kept; a later word of the same user on the same result replaces it."""

    success: bool


def _feedback(context: Context) -> FeedbackAnswer:
    said = cast("FeedbackBody", context.body)
    context.addons.feedback(
        context.business,
        said.transaction_id,
        user=context.user,
        rating=said.rating,
        recommend=said.recommend,
        comment=said.comment,
    )
    return FeedbackAnswer(success=True)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="POST",
        path="ai/feedback/",
        name="feedback",
        summary="Say what a result was worth.",
        handle=_feedback,
        action="usage:read",
        body=FeedbackBody,
        answer=FeedbackAnswer,
        errors=(NotFound, PrivacyRefused),
        costly=True,
    ),
)
