"""The jobs of an installation, and when each was last done; by whichever host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from ai_addons.billing.sql import jobs as sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Tx

T = TypeVar("T")

Job: TypeAlias = Literal["sweep", "renew", "reconcile", "deliver"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """The last time that a job came to its end.

    Attributes:
        job: ``sweep``, ``renew``, ``reconcile`` or ``deliver``.
        ended_at: When, UTC microseconds.
        took: For how long it had worked, microseconds.
    """

    job: str
    ended_at: int
    took: int


def recorded(books: Books, job: Job, work: Callable[[], T]) -> T:
    """Do a job, and keep when it ended; one that raises is not kept, so that its last end grows old.

    Args:
        books: The open books.
        job: Which one.
        work: Does it.

    Raises:
        StoreUnavailable: If the database cannot be used; what the job had done by then is done.
    """
    began = books.about_now()
    done = work()
    # A clock that was set back meanwhile makes no time negative.
    took = max(0, books.about_now() - began)

    def keep(tx: Tx) -> None:
        tx.write(sql.KEEP_RUN, {"job": job, "ended_at": books.now(tx), "took_us": took})

    books.database.write(keep)
    return done


def last_runs(books: Books) -> tuple[JobRun, ...]:
    """The last end of each job that ever came to one, by name.

    Raises:
        StoreUnavailable: If the database cannot be read.
    """
    rows = books.database.read(lambda tx: tx.rows(sql.RUNS, {}))
    return tuple(JobRun(job=row.job, ended_at=row.ended_at, took=row.took_us) for row in rows)
