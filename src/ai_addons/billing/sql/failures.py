"""What a database's errors mean to us: who may try again, and what a person is told."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ai_addons.errors import AddOnsError, BillingError, StoreUnavailable

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy.engine.interfaces import DBAPIModule

# serialization_failure, deadlock_detected, lock_not_available: the transaction did nothing and may run again.
_AGAIN: Final = frozenset({"40001", "40P01", "55P03"})


def root(error: BaseException) -> BaseException:
    """The driver's own error, where SQLAlchemy wrapped it."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def is_of_database(error: BaseException, driver: DBAPIModule | ModuleType) -> bool:
    """Whether an error comes from the driver, the pool or the disk rather than from our own code."""
    return isinstance(root(error), (driver.Error, sqlite3.Error, PoolTimeout, OSError))


def may_run_again(error: BaseException) -> bool:
    """Whether a conflict with another transaction ended this one before anything was booked."""
    return getattr(error, "sqlstate", None) in _AGAIN


def as_ours(error: BaseException, driver: DBAPIModule | ModuleType, *, in_doubt: bool) -> AddOnsError:
    """The error as one of our tree, saying what the database says without statement or values.

    Args:
        error: As the driver raised it.
        driver: Its module.
        in_doubt: Whether the connection broke while a commit was on its way.
    """
    cause = root(error)
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause).split("\n", maxsplit=1)[0]
    if isinstance(cause, (driver.IntegrityError, sqlite3.IntegrityError)):
        return BillingError(
            f"The credit store refused this entry ({said}). Nothing was charged. Run `ai-addons doctor`."
        )
    if in_doubt:
        return StoreUnavailable(
            f"The credit store broke off while it booked ({said}). It is not known whether this was booked. "
            f"Repeat it with the same key: it is never booked twice.",
            in_doubt=True,
        )
    return StoreUnavailable(
        f"The credit store did not answer ({said}). Nothing was charged. Try again in a moment; "
        f"if it stays so, check store.url, the disk and the file's permissions."
    )
