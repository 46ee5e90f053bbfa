"""Every block of code in the README and the docs runs, and prints what the page says it prints."""

from __future__ import annotations

import contextlib
import doctest
import io
import logging
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from sybil import Document, Sybil
from sybil.parsers.markdown import CodeBlockParser

from ai_addons import AddOns, Settings, install
from tests.forked import OURS, THEIRS, Starter, no_foreign, starter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Example

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LINK: Final = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")

# What a page tells the reader to run and this test does not: it would install, or start the tests within the tests.
NOT_RUN: Final = (
    "git ",
    "cd ",
    "pip install ",
    "python -m venv ",
    ". .venv/bin/activate",
    "export ",
    "pytest",
    "uv run pytest",
    "uv sync",
    "bash .ci/run",
    "uv run python .ci/",
    "uv run towncrier ",
    "uv run mkdocs ",
    "uv run python docs/generate.py",
    "uv run pre-commit ",
    # They run until they are stopped; tests/test_shops.py starts and stops them.
    "uv run python examples/django_shop/manage.py demo",
    "uv run python examples/fastapi_shop.py",
    "uv run python -m benchmarks",
    # Runs until it is stopped; tests/test_cli_fake_gateway.py does.
    "ai-addons fake-gateway",
    # Needs the files that the tutorial has its reader save; tests/test_tutorial.py does.
    "python shop.py",
)
ONE_OF_MANY: Final = ("ai-addons ", "python ")
FILE: Final = re.compile(r"# (\w+\.py)\n")
LOOSE: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Programs:
    """What starts the commands of a page.

    Attributes:
        ours: Starts commands of the package.
        with_pytest: Starts pytest.
    """

    ours: Starter
    with_pytest: Starter


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    """For all pages."""
    with starter(OURS) as ours, starter(THEIRS) as with_pytest:
        yield Programs(ours, with_pytest)


class Reader:
    """Follows one page as a reader would, block by block, in an empty folder."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder = folder
        self.programs = programs
        self.written: list[str] = []
        # Commands may name the examples; whatever they write stays out of the repository.
        (folder / "examples").symlink_to(ROOT / "examples")
        self.printed = ""

    def follow(self, page: Path) -> None:
        """Run a page's blocks in order, then the tests that they define."""
        runs = {"python": self.python, "toml": self.toml, "json": self.json, "console": self.console, "text": self.text}
        parsers = [CodeBlockParser(language, run) for language, run in runs.items()]
        document = Sybil(parsers, encoding="utf-8").parse(page)
        document.namespace["__name__"] = "docs"
        for example in document.examples():
            example.evaluate()
        self.tests("\n\n".join(self.written))

    def python(self, example: Example) -> None:
        """Run the code and keep what it prints; a block that begins with a file's name is that file."""
        if named := FILE.match(example.parsed):
            (self.folder / named[1]).write_text(example.parsed, encoding="utf-8")
            return
        self.written.append(example.parsed)
        code = "\n" * (example.line + example.parsed.line_offset) + example.parsed
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(code, example.path, "exec", dont_inherit=True), example.namespace)  # noqa: S102  # our own page
        self.printed = out.getvalue()

    def tests(self, module: str) -> None:
        """Run the tests of a page with pytest, in a file of their own, as a reader would keep them."""
        count = len(re.findall(r"^(?:async )?def test_", module, flags=re.MULTILINE))
        if count == 0:
            return
        folder = self.folder / "tests"
        folder.mkdir(exist_ok=True)
        (folder / "test_page.py").write_text(module, encoding="utf-8")
        options = ["-q", "-W", "error", "-p", "no:cacheprovider", *no_foreign()]
        done = self.programs.with_pytest.run("python", "-m", "pytest", *options, folder=folder)
        passed = re.search(r"^(\d+) passed", done.stdout, flags=re.MULTILINE)
        # A class of the page brings tests of its own; what would ask a real model is skipped.
        live = module.count("@pytest.mark.ai_live\n")
        assert done.returncode == 0, done.stdout
        assert passed is not None, done.stdout
        assert int(passed[1]) >= count - live, done.stdout

    def json(self, example: Example) -> None:
        """Keep a recording beside the tests, under the name that the page gave last."""
        named = re.findall(r"`cassettes/([\w-]+\.json)`", example.document.text[: example.start])
        folder = self.folder / "tests" / "cassettes"
        folder.mkdir(parents=True)
        (folder / named[-1]).write_text(example.parsed, encoding="utf-8")

    def toml(self, example: Example) -> None:
        """Read the settings, and know the price of every model they name."""
        name = "pyproject.toml" if "[tool.ai_addons" in example.parsed else "ai_addons.toml"
        path = self.folder / name
        path.write_text(example.parsed, encoding="utf-8")
        try:
            # Closed, because hooks that settings name may stand in a registry of the process.
            with contextlib.closing(AddOns(Settings())) as addons:
                models = addons.settings.models
                for route in (models.small, models.large, *(own.models for own in addons.settings.features.values())):
                    for model in route or ():
                        addons.model_prices.row(model)
        finally:
            path.unlink()

    def console(self, example: Example) -> None:
        """Run each command after a ``$``; the lines below it are what it prints."""
        for block in filter(None, re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)):
            command, _, output = block.partition("\n")
            if command.startswith(NOT_RUN):
                continue
            self.printed = self._run(command)
            if output.strip():
                self.text_is(output)

    def _run(self, command: str) -> str:
        command = command.removeprefix("uv run ")
        assert command.startswith(ONE_OF_MANY), f"neither run nor listed as not run: {command}"
        program, *arguments = shlex.split(command)
        environ = os.environ | {
            "AI_ADDONS_STORE__URL": f"sqlite:///{self.folder / 'ai_addons.db'}",
            "AI_ADDONS_CACHE__DIRECTORY": str(self.folder / ".ai_addons" / "cache"),
        }
        done = self.programs.ours.run(program, *arguments, folder=self.folder, environ=environ)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def text(self, example: Example) -> None:
        """Compare with what the block above printed."""
        self.text_is(example.parsed)

    def text_is(self, wanted: str) -> None:
        """Compare as doctest does: ``...`` stands for anything."""
        assert doctest.OutputChecker().check_output(wanted, self.printed, LOOSE), f"printed:\n{self.printed}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_reader_can_follow_the_page(
    page: Path, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied into an empty folder, the blocks of a page run one after the other, with no key and no network."""
    monkeypatch.chdir(tmp_path)
    install(None)
    logger = logging.getLogger("ai_addons")
    handlers, level = list(logger.handlers), logger.level
    try:
        Reader(tmp_path, programs).follow(page)
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)


def test_the_readme_shows_the_call_site_and_the_commands() -> None:
    """The README has blocks of each kind, so the test above cannot pass by finding none."""
    parsers = [CodeBlockParser(language, lambda _: None) for language in ("python", "toml", "console")]
    document: Document = Sybil(parsers).parse(ROOT / "README.md")

    assert len(list(document.examples())) >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    """No link of a page is dead, headings included."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in LINK.finditer(text):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), link[0]
        if link["anchor"]:
            assert link["anchor"] in anchors(target), link[0]
