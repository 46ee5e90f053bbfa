"""The key file: one secret, for one user, however many processes start at once."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from ai_addons.cache import secret
from ai_addons.cache.secret import secret_file
from ai_addons.errors import ConfigError
from tests import cache_child
from tests.processes import Child

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")


def test_secret_is_made_once_and_read_after(tmp_path: Path) -> None:
    """The second start of a shop finds the secret of the first."""
    file = tmp_path / "shop.db.key"
    made = secret_file(file, lambda size: b"\x07" * size)
    assert made == secret_file(file) == b"\x07" * 32
    assert file.read_text(encoding="ascii") == "07" * 32 + "\n"
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db.key"]


def test_secrets_are_random(tmp_path: Path) -> None:
    """Two installations share no secret."""
    assert secret_file(tmp_path / "a") != secret_file(tmp_path / "b")


@posix
def test_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    """The file is made with mode 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        secret_file(tmp_path / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The error says which file, that nothing was charged, and the command that mends it."""
    file = tmp_path / "key"
    secret_file(file)
    file.chmod(mode)
    with pytest.raises(
        ConfigError, match=r"can be read or changed by other users\. Nothing was charged\. Run: chmod 600"
    ):
        secret_file(file)


@posix
def test_secret_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody else put there is not trusted."""
    file = tmp_path / "key"
    secret_file(file)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        secret_file(file)


@posix
def test_linked_secret_is_refused(tmp_path: Path) -> None:
    """A link could lead to a file that others can change, also one that leads nowhere yet."""
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="cannot be used"):
        secret_file(tmp_path / "key")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"ab" * 31, b"zz" * 32, b"ab" * 33, b"AB" * 32, b"\xff" * 64])
def test_damaged_secret_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    """Half a secret is not silently replaced: everything hashed with the whole one would be lost."""
    file = tmp_path / "key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="is damaged") as caught:
        secret_file(file)
    assert "abab" not in str(caught.value)
    assert file.read_bytes() == content


def test_secret_without_a_folder_is_refused(tmp_path: Path) -> None:
    """A path that cannot be written is named."""
    with pytest.raises(ConfigError, match=r"missing.key cannot be used \(No such file or directory\)"):
        secret_file(tmp_path / "missing" / "missing.key")


def test_secret_of_the_first_process_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that comes second by a hair takes the first one's secret and leaves no draft behind."""
    file = tmp_path / "key"
    first = secret_file(file)
    secret._create(file, b"\x00" * 32)
    assert secret_file(file) == first
    assert list(tmp_path.iterdir()) == [file]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    """Eight workers started at once have one secret, and none sees half of it."""
    with ExitStack() as ended:
        workers = [ended.enter_context(Child(cache_child.tell_secret, str(tmp_path / "key"))) for _ in range(8)]
        told = {worker.rest() for worker in workers}
    assert [len(one) for one in told] == [65]
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
