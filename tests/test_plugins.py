"""Plug-ins by name: found wherever Python looks, and looked for once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from ai_addons import plugins
from ai_addons.errors import UnknownPlugin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with an installed package that registers a policy."""
    info = tmp_path / "thrift-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thrift\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[ai_addons.policies]\nthrift = math:floor\n", encoding="utf-8")
    return tmp_path


def test_a_package_is_found_as_soon_as_python_looks_there(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is added while the process runs brings its plug-ins; without it they are gone again."""
    with pytest.raises(UnknownPlugin, match=r"No plug-in 'thrift' in ai_addons\.policies"):
        plugins.load("policies", "thrift")

    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(package))
        assert plugins.load("policies", "thrift") is math.floor
        assert math.floor in plugins.load_all("policies")

    with pytest.raises(UnknownPlugin, match=r"Installed are: hybrid, prepaid\.$"):
        plugins.load("policies", "thrift")


def test_what_is_installed_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A masker of twenty recognizers does not open the files of every package twenty times."""
    asked: list[str] = []

    def entry_points(*, group: str) -> tuple[()]:
        asked.append(group)
        return ()

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    plugins._installed.cache_clear()
    try:
        assert [plugins.load_all(group) for group in ("hooks", "rates", "hooks", "hooks")] == [()] * 4
        assert asked == ["ai_addons.hooks", "ai_addons.rates"]
    finally:
        plugins._installed.cache_clear()
