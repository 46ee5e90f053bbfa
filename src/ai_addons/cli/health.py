"""What `ai-addons doctor --system` finds out about a running installation, each thing with what to do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.fx.sources import STATIC
from ai_addons.billing.schema import HEAD
from ai_addons.billing.sql import Database
from ai_addons.errors import AddOnsError
from ai_addons.money import usd
from ai_addons.settings import TOML_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ai_addons.addons import AddOns
    from ai_addons.billing.fx.desk import RateView
    from ai_addons.billing.jobs import JobRun
    from ai_addons.billing.overviews import Waiting
    from ai_addons.billing.spending import WindowSpending

Level: TypeAlias = Literal["ok", "warning", "error"]

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE

SKEW_WARNS: Final = 2 * _SECOND
"""Microseconds between the clocks of host and database that are worth a word."""

SKEW_FAILS: Final = 60 * _SECOND
"""Microseconds from which signatures of webhooks and the days of reports go wrong."""

LEAST_FREE: Final = 256 * 1_024 * 1_024
"""Bytes that must be free where books or answers are kept; SQLite refuses to book on a full disk."""

JOBS_LATE: Final[Mapping[str, int]] = {
    "sweep": 15 * _MINUTE,
    "renew": 26 * _HOUR,
    "reconcile": 26 * _HOUR,
    "deliver": 15 * _MINUTE,
}
"""Microseconds after which a job counts as late: three of its usual turns, or a day and two hours."""

WAITS_LATE: Final[Mapping[str, tuple[int, str]]] = {
    "payments": (_HOUR, "Run `ai-addons reconcile`: it asks the gateway what became of them."),
    "inbox": (15 * _MINUTE, "Run `ai-addons sweep`; if they stay, see whether the gateway can be reached from here."),
    "quarantine": (0, "See `ai-addons orders quarantine`, and release each or mark it refunded."),
    "outbox": (15 * _MINUTE, "Run `ai-addons deliver`; if they stay, see whether the receiver answers with 2xx."),
    "holds": (15 * _MINUTE, "Run `ai-addons sweep`, and let a timer do it every five minutes."),
}
"""What may wait for how many microseconds, and what to do then."""

_WORDS: Final[Mapping[str, str]] = {
    "payments": "attempts to pay that nobody ended",
    "inbox": "webhooks of gateways to be worked on",
    "quarantine": "payments that do not fit their order",
    "outbox": "events to be delivered",
    "holds": "holds past their time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        level: ``ok``, ``warning`` (look at it soon) or ``error`` (mend it now).
        found: How it is.
        todo: What to do; empty if nothing.
    """

    name: str
    level: Level
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All that was looked at.

    Attributes:
        checks: In order.
        database: Whether the database can be used at all.
    """

    checks: tuple[Check, ...]
    database: bool

    @property
    def ok(self) -> bool:
        """Whether nothing must be mended now; warnings do not count."""
        return all(check.level != "error" for check in self.checks)


def examine_system(addons: AddOns) -> Health:
    """Look at everything around the books; nothing is asked of a model or a gateway, and nothing is charged.

    Args:
        addons: The installation.
    """
    database = _database(addons)
    checks = [database]
    if database.level != "error":
        for name, look in _OF_THE_BOOKS.items():
            checks += _tried(name, look, addons)
    for name, look in _BESIDE_THEM.items():
        checks += _tried(name, look, addons)
    return Health(checks=tuple(checks), database=database.level != "error")


def _tried(name: str, look: Callable[[AddOns], Iterator[Check]], addons: AddOns) -> list[Check]:
    """What a look finds; what keeps it from looking is a finding too."""
    try:
        return list(look(addons))
    except AddOnsError as error:
        return [Check(name=name, level="error", found=str(error), todo="Mend this first, then look again.")]


def _database(addons: AddOns) -> Check:
    """Whether it answers, and its tables are of this release; who opens it refuses any other."""
    try:
        addons.operating.now()
    except AddOnsError as error:
        todo = "Nothing is charged until it answers; calls are refused as retryable. See `ai-addons db status`."
        return Check(name="database", level="error", found=str(error), todo=todo)
    return Check(name="database", level="ok", found=f"{addons.store_name}, tables of schema {HEAD}")


def _clocks(addons: AddOns) -> Iterator[Check]:
    before = addons.clock.now()
    theirs = addons.operating.now()
    yield judge_clocks(before, theirs, addons.clock.now())


def judge_clocks(before: int, theirs: int, after: int) -> Check:
    """How far the database's clock is from this host's, at the least: what the question took is not counted.

    Args:
        before: This host's time before the database was asked, UTC microseconds.
        theirs: The database's.
        after: This host's time afterwards.
    """
    skew = max(0, before - theirs, theirs - after)
    level: Level = "error" if skew >= SKEW_FAILS else "warning" if skew >= SKEW_WARNS else "ok"
    found = f"host and database differ by {skew / _SECOND:.1f} s"
    todo = (
        "" if level == "ok" else "Let NTP set the clocks of both (chrony or systemd-timesyncd); the database's decides."
    )
    return Check(name="clocks", level=level, found=found, todo=todo)


def _waiting(addons: AddOns) -> Iterator[Check]:
    now = addons.operating.now()
    yield from (judge_waiting(one, now) for one in addons.operating.backlog())


def judge_waiting(one: Waiting, now: int) -> Check:
    """Whether what waits has waited too long.

    Args:
        one: What waits.
        now: UTC microseconds.
    """
    name, what = f"waiting: {one.what}", _WORDS[one.what]
    if not one.several or one.oldest is None:
        return Check(name=name, level="ok", found=f"no {what}")
    late, todo = WAITS_LATE[one.what]
    age = max(0, now - one.oldest)
    found = f"{one.several} {what}, the oldest for {_age(age)}"
    return Check(name=name, level="warning" if age >= late else "ok", found=found, todo=todo if age >= late else "")


def _jobs(addons: AddOns) -> Iterator[Check]:
    runs = {run.job: run for run in addons.operating.jobs()}
    now = addons.operating.now()
    yield from (judge_job(job, runs.get(job), now) for job in _wanted_jobs(addons))


def _wanted_jobs(addons: AddOns) -> Iterator[str]:
    """The jobs that this installation needs."""
    yield "sweep"
    if addons.policy.addon is not None:
        yield "renew"
    if addons.orders.gateways:
        yield "reconcile"
    if addons.settings.webhooks.url is not None:
        yield "deliver"


def judge_job(job: str, run: JobRun | None, now: int) -> Check:
    """Whether a job was done lately.

    Args:
        job: Its name.
        run: Its last end, by whichever host; None if it never came to one.
        now: UTC microseconds.
    """
    todo = f"Run `ai-addons {job}`, and let a timer do it on one host or on all."
    if run is None:
        return Check(name=f"job: {job}", level="warning", found="never came to its end", todo=todo)
    age = max(0, now - run.ended_at)
    late = age >= JOBS_LATE[job]
    found = f"ended {_age(age)} ago, after {run.took / _SECOND:.1f} s"
    return Check(name=f"job: {job}", level="warning" if late else "ok", found=found, todo=todo if late else "")


def _rate(addons: AddOns) -> Iterator[Check]:
    yield judge_rate(addons.rates.view())


def judge_rate(view: RateView) -> Check:
    """Whether the exchange rate is too old; one from the settings is old by choice.

    Args:
        view: What is known of it.
    """
    rate = view.rate
    found = f"GHS {rate.rate:f} per USD from {rate.source}, of {rate.as_of}, {view.age_days} days old"
    if set(view.sources) == {STATIC}:
        return Check(name="exchange rate", level="ok", found=f"{found}; fixed by the settings")
    if view.old or view.waiting:
        todo = "Run `ai-addons rates refresh`; see `ai-addons rates` for one that waits to be confirmed."
        return Check(name="exchange rate", level="warning", found=found, todo=todo)
    return Check(name="exchange rate", level="ok", found=found)


def _budget(addons: AddOns) -> Iterator[Check]:
    warn_at = addons.settings.budget.warn_at
    bounded = [one for one in addons.spending() if one.budget is not None]
    yield from (judge_budget(one, share_that_warns=float(warn_at)) for one in bounded)
    if not bounded:
        todo = "Set budget.usd_month: it bounds what a mistake can cost you at the provider."
        yield Check(name="budget", level="warning", found="no bound on what models may cost", todo=todo)


def judge_budget(one: WindowSpending, *, share_that_warns: float) -> Check:
    """How much of the provider budget is left in a day or month.

    Args:
        one: What was spent; it has a budget.
        share_that_warns: From which share of it on a warning is due.
    """
    budget, spent = one.budget or 0, one.used + one.held
    found = f"USD {usd(one.used):.2f} of {usd(one.budget or one.used):.2f} spent this {one.window}"
    name = f"budget: {one.window}"
    if spent >= budget:
        todo = (
            f"Paid calls are refused until the next {one.window}. Raise budget.usd_{one.window} if you can afford it."
        )
        return Check(name=name, level="error", found=found, todo=todo)
    if spent >= share_that_warns * budget:
        return Check(name=name, level="warning", found=found, todo="See `ai-addons margins` for what spends it.")
    return Check(name=name, level="ok", found=found)


# Beside the books.


def _cache(addons: AddOns) -> Iterator[Check]:
    backend, fault = addons.settings.cache.backend, addons.answers.fault()
    if fault is None:
        yield Check(name="answer cache", level="ok", found=backend)
    else:
        todo = "Calls go on without stored answers, and each asks a model. See cache.url, and that the server is up."
        yield Check(name="answer cache", level="warning", found=f"{backend}: {fault}", todo=todo)


def _disks(addons: AddOns) -> Iterator[Check]:
    if addons.settings.cache.backend == "disk":
        yield judge_disk("answers", addons.settings.cache.directory, free_bytes(addons.settings.cache.directory))
    if (path := Database(addons.settings.store.url).path) is not None:
        yield judge_disk("books", Path(path), free_bytes(Path(path)))


def free_bytes(path: Path) -> int:
    """Bytes that are free where a file or folder is, or would be made."""
    there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free


def judge_disk(what: str, path: Path, free: int) -> Check:
    """Whether there is room left.

    Args:
        what: ``books`` or ``answers``.
        path: Where they are kept.
        free: Bytes left there.
    """
    found = f"{free / 2**30:.1f} GiB free at {path}"
    if free >= LEAST_FREE:
        return Check(name=f"disk: {what}", level="ok", found=found)
    level: Level = "error" if what == "books" else "warning"
    todo = "Make room: with a full disk nothing can be booked, so every paid call is refused."
    return Check(
        name=f"disk: {what}",
        level=level,
        found=found,
        todo=todo if what == "books" else "Make room, lower cache.size_limit_mb, or run `ai-addons cache clear`.",
    )


def _gateway(addons: AddOns) -> Iterator[Check]:
    names: Sequence[str] = addons.orders.gateways
    if not names:
        todo = "Nobody can buy credits. Set one, e.g. gateways.paystack; with none, give credits by `ai-addons grant`."
        yield Check(name="gateway", level="warning", found="none configured", todo=todo)
        return
    # Made here as for an order: it says which key is missing.
    prompts = addons.orders.prompts_phones
    found = f"{', '.join(names)}; {'can' if prompts else 'cannot'} prompt a phone"
    yield Check(name="gateway", level="ok", found=found)


def _secret(addons: AddOns) -> Iterator[Check]:
    yield Check(name="secret", level="ok", found=addons.secret_name)


def _settings(addons: AddOns) -> Iterator[Check]:
    file = Path(TOML_FILE)
    changed = file.stat().st_mtime_ns // 1_000 if file.is_file() else None
    yield judge_settings(changed, addons.clock.now())


def judge_settings(changed: int | None, now: int) -> Check:
    """Where the settings come from, and since when: who looks reads them anew, and a host that runs does not.

    Args:
        changed: When the file of this folder was changed last, UTC microseconds; None if there is none.
        now: UTC microseconds.
    """
    file = f"no {TOML_FILE} here" if changed is None else f"{TOML_FILE}, changed {_age(max(0, now - changed))} ago"
    found = f"{file}; a process reads its settings once, so restart those that started before a change"
    return Check(name="settings", level="ok", found=found)


def _age(micros: int) -> str:
    """How long, for people."""
    for unit, size in (("d", 24 * _HOUR), ("h", _HOUR), ("min", _MINUTE)):
        if micros >= 2 * size:
            return f"{micros // size} {unit}"
    return f"{micros // _SECOND} s"


_OF_THE_BOOKS: Final[Mapping[str, Callable[[AddOns], Iterator[Check]]]] = {
    "clocks": _clocks,
    "waiting": _waiting,
    "jobs": _jobs,
    "exchange rate": _rate,
    "budget": _budget,
}
_BESIDE_THEM: Final[Mapping[str, Callable[[AddOns], Iterator[Check]]]] = {
    "answer cache": _cache,
    "disks": _disks,
    "gateway": _gateway,
    "secret": _secret,
    "settings": _settings,
}
