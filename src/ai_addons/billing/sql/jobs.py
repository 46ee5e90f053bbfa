"""What is kept of jobs. A statement is always given the same parameters."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, text

from ai_addons.billing.schema import EXACT, TEXT, job_runs

KEEP_RUN: Final = text(
    "INSERT INTO ai_job_runs (job, ended_at, took_us) VALUES (:job, :ended_at, :took_us) "
    "ON CONFLICT (job) DO UPDATE SET ended_at = excluded.ended_at, took_us = excluded.took_us"
).bindparams(bindparam("job", type_=TEXT), bindparam("ended_at", type_=EXACT), bindparam("took_us", type_=EXACT))
RUNS: Final = select(job_runs).order_by(job_runs.c.job)
