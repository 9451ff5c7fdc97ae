"""The page: an executed notebook's blocks as one HTML file that loads nothing from anywhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beatbook.book import markup
from beatbook.book.blocks import Heading
from beatbook.book.volume import Book
from beatbook.errors import BookError
from beatbook.files import write_atomically

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEMPLATES = Path(__file__).parent / "template"

# A longer list of contents than this is no help; sections then stand alone in it.
_FEW_HEADINGS = 16

_BLOCK = re.compile(r'<div class="bb bb-[a-z_]+" data-block="(\d+)">')


def render_page(executed_notebook: Path, book: Book, out: Path) -> Path:
    """Render an executed notebook as the book's page.

    nbconvert walks the notebook with the project's own template: code, prompts, printed text and
    warnings are left out; markdown cells and the blocks that cells displayed are kept. Each block
    appears once, in the book's order, whether the cells displayed it once, twice or never; so the
    page and the paper hold the same blocks.

    Parameters
    ----------
    executed_notebook : Path
        As papermill left it: outputs hold the blocks' HTML.
    book : Book
        The book that the notebook saved.
    out : Path
        Written atomically; its folder is made.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    BookError
        If the notebook is missing or unreadable, a cell of it failed, an output's block is not
        the book's (the notebook and the book are of different runs), or the book has no title.
    """
    import nbformat
    from nbconvert.exporters import TemplateExporter

    executed_notebook, out = Path(executed_notebook), Path(out)
    book.require_title()
    try:
        notebook = nbformat.read(executed_notebook, as_version=4)
    except FileNotFoundError:
        raise BookError(f"No executed notebook at {executed_notebook}") from None
    except Exception as error:  # nbformat raises its readers' own errors, of many kinds
        raise BookError(f"{executed_notebook} is not a notebook: {error}") from error
    _gather(notebook, book, executed_notebook)

    exporter = TemplateExporter(
        template_name="page",
        template_file="index.html.j2",
        extra_template_basedirs=[str(TEMPLATES)],
        filters={"demote_title": _demote_title, "markdown2html": _markdown},
    )
    facts = book.facts()
    details = {
        "page_title": f"{book.title}, {book.department_name}, week ending {facts['week_ending']}",
        "style": (TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "contents": list(_contents(book, notebook)),
        "footer": f"{facts['department']}. {facts['header']}. {facts['header_as_of']}.",
    }
    html, _ = exporter.from_notebook_node(notebook, resources={"book": details})
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, (html.strip() + "\n").encode("utf-8"))
    return out


def _gather(notebook: "NotebookNode", book: Book, where: Path) -> None:
    """Leave each code cell with the blocks to be shown after it, every block of the book once."""
    from nbformat.v4 import new_code_cell

    shown: set[int] = set()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for position, cell in enumerate(cells, 1):
        numbers = []
        for output in cell.outputs:
            if output.output_type == "error":
                raise BookError(
                    f"Code cell {position} of {where} failed ({output.ename}: {output.evalue}); "
                    "run the notebook to its end first"
                )
            html = output.get("data", {}).get("text/html", "")
            numbers += [int(number) for number in _BLOCK.findall("".join(html))]
        cell.outputs = []
        if numbers:
            if max(numbers) >= len(book.blocks):
                raise BookError(
                    f"{where} shows block {max(numbers)}, which the book does not have: the "
                    "notebook and the book are of different runs"
                )
            due = [n for n in range(max(numbers) + 1) if n not in shown]
            shown.update(due)
            cell.outputs = [_output(book, number) for number in due]
    rest = [number for number in range(len(book.blocks)) if number not in shown]
    if rest:
        notebook.cells.append(new_code_cell(outputs=[_output(book, number) for number in rest]))


def _output(book: Book, number: int) -> Any:
    from nbformat.v4 import new_output

    # Made again from the book rather than taken from the output: one source for both renderings.
    html = markup.render(book.blocks[number])
    return new_output("display_data", data={"text/html": html})


def _contents(book: Book, notebook: "NotebookNode") -> Iterator[dict[str, Any]]:
    """List the headings of level 2, where they are few also of level 3, in the page's order."""
    deepest = 3 if len(book.headings()) <= _FEW_HEADINGS else 2
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                numbers = _BLOCK.findall(output.data["text/html"][:200])
                block = book.blocks[int(numbers[0])]
                if isinstance(block, Heading) and block.level <= deepest:
                    yield {"level": block.level, "anchor": block.anchor, "text": block.text}


def _markdown(source: str) -> str:
    """Render a markdown cell with raw HTML escaped: a cell cannot bring a script along."""
    import mistune

    return str(mistune.create_markdown(escape=True, plugins=["table"])(source))


def _demote_title(html: str) -> str:
    """Make a markdown cell's first-level headings second-level: the title is the only one."""
    return re.sub(r"(</?)h1\b", r"\1h2", html)
