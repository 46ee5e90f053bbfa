"""`ai-addons mask`: what a person and a script see of what would be sent."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from ai_addons.cli import main
from ai_addons.cli.mask import _followed, highlighted
from ai_addons.cli.sources import Piece

PROGRAM: Final = Path(sys.executable).parent / "ai-addons"
NOTE: Final = "Ama Mensah owes 120.\nCall 024 412 3456 or ama@x.com, not 0244123456.\n"
MASKED: Final = "[PERSON_1] owes 120.\nCall [PHONE_2] or [EMAIL_3], not [PHONE_2].\n"
AMA: Final = ("--declare", "NAME=Ama Mensah")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, no settings, no keys."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AI_ADDONS_") or name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    return tmp_path


def mask(*arguments: str, stdin: str | bytes = "", code: int = 0) -> Result:
    """Run the command and hold it to its exit code."""
    result = CliRunner().invoke(main, ["mask", *arguments], input=stdin)
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def as_json(*arguments: str, stdin: str | bytes = "", code: int = 0) -> Any:
    """The same with --json, read."""
    return json.loads(mask(*arguments, "--json", stdin=stdin, code=code).stdout)


def child(*arguments: str, stdin: int | bytes) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own; a number is a file to read from."""
    piped: dict[str, Any] = {"stdin": stdin} if isinstance(stdin, int) else {"input": stdin}
    return subprocess.run([str(PROGRAM), "mask", *arguments], check=False, capture_output=True, timeout=60, **piped)


# What a person sees.


def test_a_text_comes_back_masked_and_its_legend_stands_beside_it() -> None:
    """The masked text alone is the output, so it can be kept; the legend goes to the standard error."""
    result = mask(*AMA, stdin=NOTE)
    assert result.stdout == MASKED
    assert [line.split() for line in result.stderr.splitlines() if "│" in line] == [
        ["│", "[PERSON_1]", "│", "PERSON", "│"],
        ["│", "[PHONE_2]", "│", "PHONE", "│"],
        ["│", "[EMAIL_3]", "│", "EMAIL", "│"],
    ]
    assert result.stderr.endswith("The input: 3 values replaced: 1 EMAIL, 1 PERSON, 1 PHONE\n")


def test_values_are_shown_only_on_demand() -> None:
    """A screen shared with others shows placeholders; --reveal shows what they stand for, brackets and all."""
    note = f"{NOTE} [bold] "
    assert "Mensah" not in mask(*AMA, stdin=note).output
    revealed = mask(*AMA, "--reveal", stdin=note).stderr
    for value in ("Ama Mensah", "024 412 3456", "ama@x.com", "[bold]"):
        assert f"│ {value} " in revealed


def test_nothing_found_is_said_with_what_that_means() -> None:
    """No legend is no promise: names in free text are found only where they are declared."""
    result = mask(stdin="Ama Mensah owes 120.")
    assert result.stdout == "Ama Mensah owes 120."
    assert "Nothing personal was found. Names are known only where they are declared" in result.stderr


def test_placeholders_have_the_colour_of_their_type() -> None:
    """Each type has its own colour, so that a reader sees at once what was replaced."""
    shown = highlighted("To [PERSON_1] on [PHONE_2], [x]")
    assert shown.plain == "To [PERSON_1] on [PHONE_2], [x]"
    assert [(span.start, span.end, span.style) for span in shown.spans] == [
        (3, 13, "bold cyan"),
        (17, 26, "bold green"),
    ]


@pytest.mark.parametrize(("no_color", "colours"), [("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(no_color: str, colours: bool) -> None:
    """On a terminal there are colours, unless NO_COLOR is set; every character of the text is kept."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": no_color, "COLUMNS": "20"}
    text = b"Call 024 412 3456 and say that the order of ten bags is ready.\n"
    command = [str(PROGRAM), "mask"]
    subprocess.run(command, check=True, input=text, stdout=theirs, stderr=subprocess.PIPE, env=env, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert ("32m[PHONE_1]" in shown) is colours
    assert shown.endswith(" and say that the order of ten bags is ready.\r\n")


def test_a_terminal_with_nothing_to_read_is_told_what_to_do() -> None:
    """The command does not hang on an empty terminal."""
    ours, theirs = pty.openpty()
    done = child(stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"There is nothing to mask. Name a file (ai-addons mask notes.txt)" in done.stderr.replace(b"\n", b" ")


def test_a_text_can_be_typed() -> None:
    """A dash reads from the terminal after saying how to end it."""
    ours, theirs = pty.openpty()
    os.write(ours, b"Call 0244123456\n\x04")
    done = child("-", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, done.stdout) == (0, b"Call [PHONE_1]\n")
    assert b"End it with Ctrl-D" in done.stderr


# What a script sees.


def test_a_child_process_with_stdin_writes_nothing_but_its_output(home: Path) -> None:
    """No settings, no key, no database, no network name: and no file afterwards."""
    done = child(*AMA, stdin=NOTE.encode())
    assert (done.returncode, done.stdout.decode()) == (0, MASKED)
    assert b"\x1b" not in done.stdout + done.stderr
    assert list(home.iterdir()) == []


def test_json_for_machines_counts_and_lists() -> None:
    """Text, counts by type, each placeholder; values only with --reveal."""
    assert as_json(*AMA, stdin=NOTE) == {
        "text": MASKED,
        "format": "text",
        "pieces": 1,
        "placeholders": {"PERSON": 1, "PHONE": 1, "EMAIL": 1},
        "found": [
            {"line": 1, "placeholder": "[PERSON_1]", "type": "PERSON"},
            {"line": 1, "placeholder": "[PHONE_2]", "type": "PHONE"},
            {"line": 1, "placeholder": "[EMAIL_3]", "type": "EMAIL"},
        ],
    }
    assert as_json("--reveal", stdin="ama@x.com")["found"][0]["value"] == "ama@x.com"


@pytest.mark.parametrize(
    ("text", "code"),
    [("Ten bags of rice at GHS 120.\n", 0), ("See [1] and [the list].\n", 0), ("Call 0244123456.\n", 1)],
)
def test_check_is_for_scripts(text: str, code: int) -> None:
    """A commit hook learns by exit code; brackets somebody typed are nothing personal; no text is repeated."""
    result = mask("--check", stdin=text, code=code)
    assert result.stdout == ""
    assert "0244" not in result.stderr
    assert ("would be replaced: 1 PHONE" in result.stderr) is bool(code)
    assert as_json("--check", stdin=text, code=code)["placeholders"] == ({"PHONE": 1} if code else {})


@pytest.mark.parametrize("kind", ["NAME", "business", "ID", "ACCOUNT", "ADDRESS", "DOB", "PHONE", "EMAIL"])
def test_every_kind_of_value_can_be_declared(kind: str) -> None:
    """Also values that break the format of their kind."""
    shown = mask("--declare", f"{kind}=Kwame 77", "--declare", "AMOUNT=1,234.50", stdin="Kwame 77 owes 1,234.50.")
    assert re.fullmatch(r"\[[A-Z]+_1\] owes \[AMOUNT_2\]\.", shown.stdout)


def test_a_declared_value_may_hold_the_sign_that_divides() -> None:
    """Only the first one divides kind and value."""
    assert mask("--declare", "ADDRESS=Plot = 5", stdin="at Plot = 5.").stdout == "at [ADDRESS_1]."


@pytest.mark.parametrize("given", ["DROP=x", "Ama Mensah", "NAME=", "=x", "__slots__=x"])
def test_a_declaration_that_says_nothing_is_refused(given: str) -> None:
    """With the kinds there are."""
    assert "KIND is one of NAME, PHONE, EMAIL" in " ".join(mask("--declare", given, stdin="x", code=2).stderr.split())


# Files.


def test_json_stays_json(home: Path) -> None:
    """Texts and keys are masked, numbers stay, the result parses."""
    (home / "sale.json").write_text(json.dumps({"to": "Ama Mensah", "at": ["0244123456", 12, None], 'q"': "[x]"}))
    masked = json.loads(mask("sale.json", *AMA).stdout)
    assert masked == {"at": ["[PHONE_1]", 12, None], 'q"': "[TEXT_2]", "to": "[PERSON_3]"}


def test_json_through_a_pipe_is_known_by_what_it_is() -> None:
    """An object is JSON, what merely begins like one is text; --format decides otherwise."""
    assert as_json(stdin='{"a": "0244123456"}')["format"] == "json"
    assert as_json(stdin="{a} 0244123456")["format"] == "text"
    assert as_json("--format", "text", stdin='{"a": "0244123456"}')["text"] == '{"a": "[PHONE_1]"}'


def test_each_line_of_json_lines_is_a_call_of_its_own(home: Path) -> None:
    """Numbers begin anew, blank lines are left out."""
    (home / "log.jsonl").write_text('{"a": "0244123456"}\n\n["Ama", "b@x.com"]\n')
    result = mask("log.jsonl", "--reveal")
    assert result.stdout == '{"a": "[PHONE_1]"}\n["Ama", "[EMAIL_1]"]\n'
    assert "log.jsonl: 2 values replaced in 2 pieces: 1 EMAIL, 1 PHONE" in result.stderr
    assert as_json("log.jsonl")["found"][1] == {"line": 3, "placeholder": "[EMAIL_1]", "type": "EMAIL"}


def test_a_table_is_masked_cell_by_cell(home: Path) -> None:
    """It stays a table: commas and line breaks in cells survive, and no value runs over two cells."""
    rows = [["name", "note"], ["Mensah, Ama", 'say "hi"\n0244123456'], ["Ama", "Mensah"], []]
    with (home / "shop.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    out = mask("shop.csv", *AMA).stdout
    assert list(csv.reader(io.StringIO(out, newline=""))) == [
        ["name", "note"],
        ["[PERSON_1]", 'say "hi"\n[PHONE_2]'],
        ["[TEXT_3]", "[TEXT_4]"],
        [],
    ]
    (home / "shop.tsv").write_text("a\t0244123456\n")
    assert mask("shop.tsv").stdout == "a\t[PHONE_1]\n"
    (home / "empty.csv").write_text("")
    assert mask("empty.csv").stdout == ""


def test_a_big_text_is_masked_by_lines(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a call may hold is shown as one call for each line, with all of it in the output."""
    monkeypatch.setenv("AI_ADDONS_PRIVACY__MAX_FIELD_BYTES", "300")
    (home / "big.txt").write_text("Call 0244123456.\n" * 20)
    result = mask("big.txt")
    assert result.stdout == "Call [PHONE_1].\n" * 20
    assert "Placeholders" not in result.stderr
    assert result.stderr.endswith("big.txt: 20 values replaced in 20 pieces: 20 PHONE\n")


def test_a_big_table_is_masked_by_rows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row with a line break in a cell is one row."""
    monkeypatch.setenv("AI_ADDONS_PRIVACY__MAX_FIELD_BYTES", "300")
    (home / "big.csv").write_text('"a\n0244123456",ama@x.com\n' * 20)
    result = mask("big.csv")
    assert result.stdout == '"a\n[PHONE_1]",[EMAIL_2]\n' * 20
    assert as_json("big.csv")["found"][2]["line"] == 3


def test_other_encodings_are_read_when_named(home: Path) -> None:
    """Spreadsheets write others than UTF-8; a byte order mark is no text."""
    (home / "old.txt").write_bytes("Café 0244123456".encode("cp1252"))
    assert mask("old.txt", "--encoding", "cp1252").stdout == "Café [PHONE_1]"
    (home / "marked.txt").write_bytes(b"\xef\xbb\xbfHello")
    assert mask("marked.txt").stdout == "Hello"


@pytest.mark.parametrize(
    ("name", "content", "options", "words"),
    [
        ("a.txt", b"Caf\xe9", [], "a.txt is no text in utf-8-sig: byte 4. Say what it is with --encoding"),
        ("a.txt", b"x", ["--encoding", "klingon"], "There is no encoding 'klingon'. Try utf-8"),
        ("a.bin", b"x\0y", [], "a.bin is no text: it holds a NUL character"),
        ("a.json", b'{\n"a": 0244123456}', [], "a.json is no JSON: line 2, column 7: Expecting ',' delimiter"),
        ("a.json", b"[" * 100_000, [], "a.json is no JSON that can be read"),
        ("a.jsonl", b"1\nAma Mensah\n", [], "a.jsonl is no JSON: line 2, column 1"),
        ("a.csv", b'a,b\n"x"y,z\n', [], "a.csv is no table: line 2"),
        ("a.txt", b"ok\n\n" + b"a" * 70_000, [], "a.txt, from line 3: A text of 70000 bytes is over the limit"),
        ("a.json", b'["\\ud800"]', [], "a.json, from line 1: A text holds half a character"),
    ],
)
def test_what_cannot_be_read_or_masked_is_one_message(
    home: Path, name: str, content: bytes, options: list[str], words: str
) -> None:
    """File, place and what to do; exit code 3 or 5, because 1 means that --check found something."""
    (home / name).write_bytes(content)
    code = 5 if "from line" in words else 3
    for check in ([], ["--check"]):
        result = mask(name, *options, *check, code=code)
        assert words in " ".join(result.stderr.split())
        assert "Mensah" not in result.output
        assert "0244" not in result.output
    assert words in as_json(name, *options, code=code)["detail"]


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    """As in every command."""
    assert "does not exist" in mask("none.txt", code=2).stderr


def test_standard_input_that_is_json_to_nobody_is_text() -> None:
    """Nesting without end is no JSON; it is still a text, and shown as one."""
    assert as_json(stdin="[" * 50_000)["format"] == "text"


def test_a_bar_follows_a_big_file_where_a_person_looks() -> None:
    """On a terminal the bar shows how far it is; in a pipe there is none."""
    pieces = [Piece(line=1, size=3, text="abc"), Piece(line=2, size=1, text="d")]
    shown = io.StringIO()
    assert list(_followed(pieces, 4, Console(file=shown, force_terminal=True), hidden=False)) == pieces
    assert "masking" in shown.getvalue()
    for console, hidden in ((Console(file=shown, force_terminal=True), True), (Console(file=shown), False)):
        shown.truncate(0)
        assert list(_followed(pieces, 4, console, hidden=hidden)) == pieces
        assert shown.getvalue().strip("\0\n") == ""
