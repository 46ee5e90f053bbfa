"""When jobs ran."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table

job_runs: Final = table(
    "ai_job_runs",
    string("job"),
    exact("ended_at"),
    exact("took_us"),
    PrimaryKeyConstraint("job"),
    CheckConstraint("took_us >= 0", name="ck_job_run_took"),
)
"""When each job last came to its end, on whichever host."""
