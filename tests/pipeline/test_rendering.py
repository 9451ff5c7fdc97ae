"""A notebook becomes a page and a paper, or leaves the last good ones where they were."""

import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pyarrow
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from assets import kernels
from assets.kernels import NotebookKernel, Task, side_by_side
from assets.rendering import run_notebook, write_notebook_book
from beatbook.errors import BookError
from beatbook.home import HOME_VARIABLE, Home

BOOK = """
import datetime as dt
from beatbook.book import Book, Text, TitleBlock
book = Book("Test", "Example Police", dt.date(2024, 1, 14), dt.date(2024, 1, 20))
book.add(TitleBlock())
book.add(Text(f"Said: {word}"))
book.save(book_file)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "departments").mkdir()
    return Home(tmp_path)


def notebook(home: Home, name: str, *cells: str) -> str:
    made = new_notebook(
        cells=[
            new_code_cell('word = ""\nbook_file = ""', metadata={"tags": ["parameters"]}),
            *(new_code_cell(cell) for cell in cells),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.write(made, home.notebooks / name)
    return name


def test_the_same_notebook_gives_the_same_bytes_and_touches_nothing(home, monkeypatch):
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    name, folder = notebook(home, "say.ipynb", BOOK), home.reports / "x" / "packets"
    where = os.getcwd()
    with NotebookKernel(home) as kernel:
        first, second = [
            [path.read_bytes() for path in write_notebook_book(
                name, {"word": "once"}, folder, "one", home, kernel=kernel
            )]
            for _ in range(2)
        ]  # fmt: skip
    assert first == second
    assert b"Said: once" in first[0] and first[1].startswith(b"%PDF")
    assert sorted(path.name for path in folder.iterdir()) == ["one.html", "one.pdf"]
    assert not list(home.reports.glob(".making-*"))
    assert os.getcwd() == where and HOME_VARIABLE not in os.environ


def test_a_notebook_that_fails_leaves_the_last_good_files_and_is_kept(home):
    folder = home.reports / "x"
    with NotebookKernel(home) as kernel:
        good = notebook(home, "say.ipynb", BOOK)
        page, paper = write_notebook_book(good, {"word": "good"}, folder, "3", home, kernel=kernel)
        before = page.read_bytes(), paper.read_bytes()
        notebook(home, "say.ipynb", BOOK, "raise ValueError('no such thing')")
        with pytest.raises(BookError, match=r"say\.ipynb failed in cell \d+: ValueError: no such"):
            write_notebook_book("say.ipynb", {"word": "bad"}, folder, "3", home, kernel=kernel)
        assert (page.read_bytes(), paper.read_bytes()) == before
        assert (home.reports / "failed-say-3.ipynb").is_file()

        silent = notebook(home, "silent.ipynb", "1 + 1")
        with pytest.raises(BookError, match=r"silent\.ipynb saved no book"):
            write_notebook_book(silent, {}, folder, "silent", home, kernel=kernel)


def test_a_kernel_forgets_each_notebook_and_a_dead_one_is_replaced(home, tmp_path):
    leaves = notebook(home, "leaves.ipynb", "left_over = 1")
    finds = notebook(home, "finds.ipynb", "assert 'left_over' not in globals()")
    dies = notebook(home, "dies.ipynb", "import os; os._exit(9)")
    with NotebookKernel(home) as kernel:
        run_notebook(leaves, tmp_path, {}, home, kernel)
        run_notebook(finds, tmp_path, {}, home, kernel)
        with pytest.raises(BookError, match=r"dies\.ipynb was ended by the system"):
            run_notebook(dies, tmp_path, {}, home, kernel)
        run_notebook(finds, tmp_path, {}, home, kernel)


def test_what_fails_side_by_side_fails_alone(home):
    name = notebook(home, "say.ipynb", BOOK, "assert word != 'bad', 'as the test wants'")

    def make(word):
        return Task(
            word,
            lambda kernel: write_notebook_book(
                name, {"word": word}, home.reports, word, home, kernel=kernel
            ),
        )

    def broken(kernel):
        raise RuntimeError("a bug")

    tasks = [make("a"), make("bad"), Task("bug", broken), make("c")]
    found = {outcome.name: outcome for outcome in side_by_side(tasks, home, 2)}
    assert set(found) == {"a", "bad", "bug", "c"}
    assert [path.name for path in found["a"].made] == ["a.html", "a.pdf"]
    assert not found["c"].error and (home.reports / "c.pdf").is_file()
    assert "as the test wants" in found["bad"].error and not found["bad"].made
    assert "A fault of Beatbook" in found["bug"].error and "a bug" in found["bug"].error


def test_memory_is_given_back_before_the_kernels_start(home, monkeypatch):
    asked = []
    library = SimpleNamespace(malloc_trim=lambda kept: asked.append(("trim", kept)))
    pool = SimpleNamespace(release_unused=lambda: asked.append("release"))
    monkeypatch.setattr(kernels.ctypes, "CDLL", lambda _name: library)
    monkeypatch.setattr(pyarrow, "default_memory_pool", lambda: pool)
    task = Task("looks", lambda _kernel: asked.append("task") or [])
    assert [outcome.error for outcome in side_by_side([task], home, 1)] == [""]
    assert asked == ["release", ("trim", 0), "task"]


@pytest.mark.parametrize("lacking", [AttributeError, OSError, TypeError])
def test_a_system_that_cannot_take_memory_back_is_no_error(home, monkeypatch, lacking):
    def library(_name):
        raise lacking

    monkeypatch.setattr(kernels.ctypes, "CDLL", library)
    task = Task("looks", lambda _kernel: [])
    assert [outcome.error for outcome in side_by_side([task], home, 1)] == [""]
