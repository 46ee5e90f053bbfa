"""Where the tests keep their own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import scratch


@pytest.mark.parametrize("folder", [Path("/nowhere"), Path(__file__)], ids=["missing", "a file"])
def test_without_room_in_memory_files_stay_where_they_were(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told to pytest where the system has no such folder, or too little room in it."""
    monkeypatch.setattr(scratch, "_MEMORY", folder)
    monkeypatch.setattr(scratch, "_ENOUGH", 1 << 80)
    monkeypatch.delenv(scratch.TEMPORARY, raising=False)
    scratch.keep_in_memory()
    assert (scratch.memory(), scratch.TEMPORARY in os.environ) == (None, False)


def test_whoever_names_a_folder_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in memory is taken only where nobody chose another."""
    monkeypatch.setattr(scratch, "_MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "_ENOUGH", 0)
    monkeypatch.setenv(scratch.TEMPORARY, "chosen")
    scratch.keep_in_memory()
    assert os.environ[scratch.TEMPORARY] == "chosen"
    monkeypatch.delenv(scratch.TEMPORARY)
    scratch.keep_in_memory()
    assert os.environ[scratch.TEMPORARY] == str(tmp_path)
