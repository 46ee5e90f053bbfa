"""What the fake gateway remembers, and where: rows of JSON in SQLite, in memory or in a file."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TABLE: Final = "CREATE TABLE IF NOT EXISTS records (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id)) STRICT"
_PUT: Final = "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"
_GET: Final = "SELECT body FROM records WHERE kind = ? AND id = ?"
_COUNT: Final = "SELECT count(*) FROM records WHERE kind = ?"
_ALL: Final = "SELECT body FROM records WHERE kind = ? ORDER BY rowid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One transaction; amounts are in minor units, times in UTC microseconds."""

    id: int
    reference: str
    access_code: str
    status: str
    amount: int
    requested: int
    currency: str
    domain: str
    email: str = field(repr=False)
    created_at: int
    channels: list[str] = field(default_factory=list[str])
    metadata: Any = ""
    label: str = ""
    callback_url: str | None = None
    channel: str | None = None
    reason: str = ""
    paid_at: int | None = None
    fees: int | None = None
    phone: str = field(default="", repr=False)
    network: str = ""
    prompt_until: int | None = None
    card: str | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An authorisation that may be charged again, as long as it works."""

    code: str = field(repr=False)
    email: str = field(repr=False)
    last4: str
    works: bool = True

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRow:
    """Money on its way back; ``dispute`` names the lost dispute that sent it."""

    id: int
    reference: str
    amount: int
    currency: str
    status: str
    created_at: int
    customer_note: str = ""
    merchant_note: str = ""
    dispute: int | None = None

    @property
    def key(self) -> str:
        """What it is kept under."""
        return str(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRow:
    """A contested payment."""

    id: int
    reference: str
    amount: int
    currency: str
    status: str
    created_at: int
    due_at: int
    resolution: str | None = None
    resolved_at: int | None = None

    @property
    def key(self) -> str:
        """What it is kept under."""
        return str(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A webhook as it is sent, each time with the same bytes."""

    id: int
    name: str
    reference: str
    body: str = field(repr=False)

    @property
    def key(self) -> str:
        """What it is kept under."""
        return str(self.id)


class _Record(Protocol):
    @property
    def key(self) -> str: ...


R = TypeVar("R", bound=_Record)


class Shelf(Generic[R]):
    """Records of one kind, in the order they came."""

    def __init__(self, connection: sqlite3.Connection, kind: str, make: Callable[..., R]) -> None:
        self._connection = connection
        self._kind = kind
        self._make = make

    def put(self, record: R) -> R:
        """Keep a record, in place of the one with its key."""
        body = json.dumps(asdict(record))  # type: ignore[call-overload]  # every record is a dataclass
        self._connection.execute(_PUT, (self._kind, record.key, body))
        return record

    def get(self, key: str) -> R | None:
        """The record with this key."""
        row = self._connection.execute(_GET, (self._kind, key)).fetchone()
        return None if row is None else self._make(**json.loads(row[0]))

    def all(self) -> list[R]:
        """Every record, the oldest first."""
        return [self._make(**json.loads(row[0])) for row in self._connection.execute(_ALL, (self._kind,))]

    def next_id(self) -> int:
        """A number that no record has; they are numbered from 1001 and never removed."""
        count: int = self._connection.execute(_COUNT, (self._kind,)).fetchone()[0]
        return 1001 + count


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the file, or a place in memory; the caller sees to it that one thread writes at a time."""
    connection = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False, isolation_level=None)
    connection.execute(_TABLE)
    return connection
