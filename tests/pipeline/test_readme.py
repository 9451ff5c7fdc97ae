"""The README's commands: all are commands there are, and those on a finished book run."""

import re
import shlex
from pathlib import Path

import pytest

from beatbook.home import HOME_VARIABLE
from pipelines.cli import main, parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:\.venv/bin/)?beatbook ((?:.*\\\n)*.*)$", re.M)
MAKES_BOOKS = {"report", "backfill"}
STAYS_OPEN = {"ui", "lab", "open"}


def commands(page: Path) -> list[list[str]]:
    """The beatbook commands in a page's shell blocks, as argument lists."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    shells = [block for kind, block in blocks if kind in ("", "sh", "bash", "console")]
    lines = [match.group(1) for block in shells for match in COMMAND.finditer(block)]
    return [shlex.split(line.replace("\\\n", " "), comments=True) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_documents_is_one(page):
    for arguments in commands(page):
        if not any(re.fullmatch(r"[A-Z]+|<.*>|\[.*\]|\.\.\.", part) for part in arguments):
            assert parser().parse_args(arguments).run


def test_the_readmes_commands_run_on_a_finished_book(book, monkeypatch, capsys):
    monkeypatch.setenv(HOME_VARIABLE, str(book[0].parents[3]))
    ran = []
    for arguments in commands(ROOT / "README.md"):
        if arguments[0] in MAKES_BOOKS | STAYS_OPEN:
            continue
        here = [part.replace("st_louis", "washington_dc") for part in arguments]
        code = main(["2024-03-10" if part == "2019-12-29" else part for part in here])
        told = capsys.readouterr()
        # This department's settings name no mail server, which is told in a sentence.
        assert code == 0 or (arguments[0] == "send" and "names no mail server" in told.err)
        ran.append(arguments[0])
    assert {"export", "quality", "send"} <= set(ran)


def test_the_readmes_python_runs_on_a_finished_book(book, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(book[0].parents[3]))
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    names: dict = {}
    exec(code.group(1).replace("st_louis", "washington_dc"), names)
    assert set(names["burglaries"]["offense"]) == {"Burglary"}
    assert names["by_year"]["net"].sum() > 8_000
