"""The installation's secret: as the settings give it, or in a key file that the installation makes for itself, once."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE: Final = 32
_HEX: Final = re.compile(rb"[0-9a-f]{64}\n?")
_KEY_FILE_MARK: Final = "hex:"
_ACCESS_OF_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def secret_bytes(text: str) -> bytes:
    """A secret as it is written in the settings.

    Args:
        text: Any text, or ``hex:`` and the content of a key file, for a store that gets settings in its place.

    Returns:
        The bytes of the text, or the 32 bytes of the key file.

    Raises:
        ConfigError: If what follows ``hex:`` is no content of a key file.
    """
    if not text.startswith(_KEY_FILE_MARK):
        return text.encode("utf-8", "surrogatepass")
    digits = text.removeprefix(_KEY_FILE_MARK)
    if not _HEX.fullmatch(digits.encode("utf-8", "surrogatepass")):
        msg = (
            "A secret that begins with 'hex:' must go on with the 64 hexadecimal digits of a key file. Nothing was "
            "charged. Copy them anew, or choose a secret that does not begin so."
        )
        raise ConfigError(msg)
    return bytes.fromhex(digits)


def secret_file(path: str | os.PathLike[str], random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """The secret in a key file, which is made if it is missing.

    Processes that start together agree on one secret: a file is linked into
    place whole, and only the first link succeeds.

    Args:
        path: The key file; it holds 64 hexadecimal digits and has mode 0600.
        random_bytes: Where a new secret comes from.

    Returns:
        32 bytes.

    Raises:
        ConfigError: If the file can be read by others, belongs to somebody
            else, is damaged, or cannot be read or made.
    """
    file = Path(path)
    try:
        if not os.path.lexists(file):
            _create(file, random_bytes(_SIZE))
        return _read(file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _refused(file, f"cannot be used ({reason})", "Check the folder's owner and mode") from error


def _create(file: Path, secret: bytes) -> None:
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(secret.hex().encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):  # another process was first; its secret is the one
            os.link(draft, file)
    finally:
        draft.unlink()


def _read(file: Path) -> bytes:
    # A link could point to a file that somebody else can change; Windows has no such flag.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as source:
        _check_owner(file, os.fstat(source.fileno()))
        text = source.read(_SIZE * 2 + 2)
    if _HEX.fullmatch(text) is None:
        raise _refused(file, "is damaged", "Restore it from a backup, or delete it to start with a new secret")
    return bytes.fromhex(text.decode())


def _check_owner(file: Path, found: os.stat_result) -> None:
    # Windows reports owner 0 and made-up modes; its access lists protect the user's folder.
    if found.st_uid != getattr(os, "geteuid", int)():
        raise _refused(file, "belongs to another user", "Give it to the user who runs this program")
    if os.name == "posix" and found.st_mode & _ACCESS_OF_OTHERS:
        raise _refused(file, "can be read or changed by other users", f"Run: chmod 600 {file}")


def _refused(file: Path, problem: str, remedy: str) -> ConfigError:
    return ConfigError(
        f"The key file {file} {problem}. Nothing was charged. {remedy}, or set AI_ADDONS_SECRET instead."
    )
