"""`ai-addons cache`, as an operator and as a script would use it."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from ai_addons import AddOns, Prompt, Settings, billed_feature
from ai_addons.cli import main
from ai_addons.testing import FakeLlm

if TYPE_CHECKING:
    from pathlib import Path


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, ["cache", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def says(*arguments: str) -> str:
    """What a command prints, its white space evened out."""
    return re.sub(r"\s+", " ", call(*arguments).stdout)


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two businesses that asked for a label each, one of them three times."""
    monkeypatch.chdir(tmp_path)

    @billed_feature("label", credits=1)
    def label(product: str) -> Prompt:
        """Write a label."""
        return Prompt(user=product)

    models = {"small": "openai/gpt-6-luna"}
    with closing(AddOns(Settings(models=models), llm=FakeLlm(), environ={})) as addons:
        for business, times in (("biz_7", 3), ("biz_8", 1)):
            addons.grant(business, 10, source="adjustment", ref="funds")
            for _ in range(times):
                label.options(business=business, addons=addons)("Milo")


@pytest.mark.usefixtures("shop")
def test_stats_say_how_useful_the_cache_is() -> None:
    """Entries and bytes, hits and misses by feature and in all, and the money that was not spent."""
    told = says("stats")
    assert "Stored (disk): 2 answers, " in told
    assert "label │ 4 │ 2 │ 2 │ 50.0 % │ 0.00007" in told
    assert "all │ 4 │ 2 │ 2 │ 50.0 % │ 0.00007" in told
    found = as_json("stats", "--business", "biz_7", "--days", "7")
    assert found.pop("size_bytes") > 0
    use = {"cacheable": 3, "hits": 2, "misses": 1, "hit_rate": "0.667", "saved_usd": "0.000070000000"}
    assert found.pop("features") == [{"feature": "label"} | use]
    assert found == {"backend": "disk", "entries": 2, "period_days": 7} | use


@pytest.mark.usefixtures("shop")
def test_clear_drops_what_was_named() -> None:
    """A feature of a business, then the rest."""
    assert as_json("clear", "--feature", "label", "--business", "biz_8") == {"dropped": 1}
    assert as_json("clear", "--feature", "other") == {"dropped": 0}
    assert says("clear") == "1 stored answers dropped "
    assert as_json("stats")["entries"] == 0


def test_a_cache_in_memory_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says so, instead of clearing an empty cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_ADDONS_CACHE__BACKEND", "memory")
    assert as_json("clear", code=3)["code"] == "config"
    told = says("stats")
    assert "Stored (memory): 0 answers, 0 bytes The cache in memory belongs to each running process" in told
    assert "all │ 0 │ 0 │ 0 │ - │ 0" in told


def test_a_cache_that_is_off_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored and nothing can be said of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_ADDONS_CACHE__BACKEND", "off")
    assert "Stored (off): cannot say" in says("stats")
    assert as_json("clear") == {"dropped": 0}
