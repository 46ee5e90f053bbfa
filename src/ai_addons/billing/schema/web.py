"""What comes over HTTP: feedback, requests that are counted, answers kept for a repeat."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table

feedback: Final = table(
    "ai_feedback",
    string("business_id"),
    string("transaction_id"),
    string("user_id"),
    string("feature"),
    exact("rating", null=True),
    exact("recommend", null=True),
    string("comment", null=True),
    exact("at"),
    PrimaryKeyConstraint("business_id", "transaction_id", "user_id"),
    CheckConstraint("rating BETWEEN 1 AND 5", name="ck_feedback_rating"),
    CheckConstraint("recommend BETWEEN 0 AND 10", name="ck_feedback_recommend"),
    CheckConstraint("rating IS NOT NULL OR recommend IS NOT NULL", name="ck_feedback_says_something"),
    Index("ix_feedback_at", "at"),
)
"""What users say of results, the last word of each; comments are masked before they come here."""

web_rates: Final = table(
    "ai_web_rates",
    string("business_id"),
    string("user_id"),
    string("action"),
    exact("starts_at"),
    exact("used"),
    PrimaryKeyConstraint("business_id", "user_id", "action"),
    CheckConstraint("used >= 0", name="ck_web_rate_used"),
)
"""Requests to costly endpoints in the window of now, one row for each; an empty user for the whole business."""

web_replies: Final = table(
    "ai_web_replies",
    string("business_id"),
    string("key"),
    string("request_hash"),
    exact("begun_at"),
    exact("expires_at"),
    exact("status", null=True),
    string("body", null=True),
    PrimaryKeyConstraint("business_id", "key"),
    CheckConstraint("(status IS NULL) = (body IS NULL)", name="ck_web_reply_whole"),
    Index("ix_web_reply_expiry", "expires_at"),
)
"""Answers of web requests under a client's own key, kept for a repeat; without a status in progress, or failed."""
