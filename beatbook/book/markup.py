"""The HTML of each block: what lands in a notebook's outputs and on the page.

No figure is computed or formatted here. Every text is escaped; the only markup taken as it is
are the pictures, and these go through ``data:`` addresses or a sandboxed frame.
"""

import base64
from collections.abc import Sequence
from html import escape

from beatbook.book.blocks import (
    Block,
    Callout,
    Chart,
    ChartGrid,
    Heading,
    Map,
    Row,
    Table,
    Text,
    TitleBlock,
)
from beatbook.book.formatting import FALL, RISE

_MARKS = {RISE: "rise beyond noise: ", FALL: "fall beyond noise: "}


def render(block: Block) -> str:
    """Give a block's HTML, in a wrapper that bears its number in the book.

    ``data-block`` is how the page knows which blocks a notebook's outputs hold.
    """
    inner = _RENDERERS[type(block)](block)  # type: ignore[operator]
    number = "" if block.number is None else f' data-block="{block.number}"'
    return f'<div class="bb bb-{block.kind}"{number}>\n{inner}\n</div>'


def _text(text: str) -> str:
    """Escape a text; a mark of change is read out in words, not by its symbol's name."""
    html = escape(text)
    for mark, words in _MARKS.items():
        html = html.replace(
            mark, f'<span aria-hidden="true">{mark}</span><span class="bb-sr">{words}</span>'
        )
    return html


def _title(block: TitleBlock) -> str:
    facts = block.facts
    rows = [("Week", facts.get("week", "")), ("As of", facts.get("as_of", ""))]
    rows += list(facts.get("provenance", {}).items())
    terms = "".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in rows
    )
    return (
        f'<header>\n<p class="bb-department">{escape(facts.get("department", ""))}</p>\n'
        f"<h1>{escape(facts.get('title', ''))}</h1>\n"
        f'<dl class="bb-facts">{terms}</dl>\n</header>'
    )


def _heading(block: Heading) -> str:
    name = f' id="{escape(block.anchor)}"' if block.anchor else ""
    return f"<h{block.level}{name}>{escape(block.text)}</h{block.level}>"


def _paragraphs(block: Text) -> str:
    return "\n".join(f"<p>{escape(text)}</p>" for text in block.paragraphs)


def _callout(block: Callout) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in block.lines)
    listed = f"<ul>{lines}</ul>" if len(block.lines) > 1 else ""
    single = f"<p>{escape(block.lines[0])}</p>" if len(block.lines) == 1 else ""
    return (
        f'<aside class="bb-box bb-{block.style}" aria-label="{block.label}: {escape(block.title)}">'
        f'<p class="bb-box-title"><span class="bb-box-kind">{block.label}</span> '
        f"{escape(block.title)}</p>{listed}{single}</aside>"
    )


def group_starts(block: Table) -> set[int]:
    """Give the positions of columns that open a group, where both renderings draw a rule."""
    starts, position = set(), 0
    for group in block.groups:
        starts.add(position)
        position += group.span
    return starts - {0}


def _table(block: Table) -> str:
    starts = group_starts(block)
    head = ""
    if block.groups:
        cells = []
        position = 0
        for group in block.groups:
            lines = "".join(f"<span>{escape(line)}</span>" for line in group.lines)
            opens = " bb-open" if position in starts else ""
            cells.append(
                f'<th scope="colgroup" colspan="{group.span}" class="bb-group{opens}">'
                f"{escape(group.label)}{lines}</th>"
                if group.label or group.lines
                else f'<td colspan="{group.span}" class="bb-group"></td>'
            )
            position += group.span
        head += f"<tr>{''.join(cells)}</tr>\n"
    head += "<tr>" + "".join(
        f'<th scope="col" class="{_classes(c.align, i in starts)}">{escape(c.label)}</th>'
        for i, c in enumerate(block.columns)
    )
    first_total = next((i for i, row in enumerate(block.rows) if row.style == "total"), None)
    body = "\n".join(
        _row(row, block, starts, ruled=i == first_total) for i, row in enumerate(block.rows)
    )
    notes = "".join(f"<p>{_text(note)}</p>" for note in block.notes)
    wide = " bb-wide" if block.wide else ""
    # The scrolling box takes focus so that a keyboard can scroll it on a narrow screen.
    return (
        f'<div class="bb-scroll" role="region" tabindex="0" aria-label="{escape(block.caption)}">\n'
        f'<table class="bb-figures{wide}">\n<caption>{escape(block.caption)}</caption>\n'
        f"{_colgroups(block)}<thead>\n{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        f"</div>\n" + (f'<div class="bb-notes">{notes}</div>' if notes else "")
    )


def _colgroups(block: Table) -> str:
    # Without these a reader's software has nothing for scope="colgroup" to refer to.
    return "".join(f'<colgroup span="{group.span}"></colgroup>\n' for group in block.groups)


def _row(row: Row, block: Table, starts: set[int], ruled: bool) -> str:
    cells = []
    for i, (cell, column) in enumerate(zip(row.cells, block.columns, strict=True)):
        classes = _classes(column.align, i in starts, i in row.strong)
        if i == 0:
            cells.append(f'<th scope="row" class="{classes}">{_text(cell)}</th>')
        else:
            cells.append(f'<td class="{classes}">{_text(cell)}</td>')
    style = f"bb-row-{row.style}" + (" bb-rule" if ruled else "")
    return f'<tr class="{style}">{"".join(cells)}</tr>'


def _classes(align: str, opens: bool, strong: bool = False) -> str:
    return " ".join([f"bb-{align}"] + ["bb-open"] * opens + ["bb-strong"] * strong)


def data_address(content: str | bytes, media_type: str) -> str:
    """Put a file into a ``data:`` address, so that a page needs nothing from outside."""
    raw = content.encode() if isinstance(content, str) else content
    return f"data:{media_type};base64,{base64.b64encode(raw).decode('ascii')}"


def _picture(svg: str, alt: str) -> str:
    return f'<img src="{data_address(svg, "image/svg+xml")}" alt="{escape(alt)}">'


def _keys(keys: Sequence[str]) -> str:
    return "".join(f'<p class="bb-notes">{escape(key)}</p>' for key in keys)


def _figure(chart: Chart, with_key: bool) -> str:
    caption = f"<figcaption>{escape(chart.caption)}</figcaption>" if chart.caption else ""
    key = _keys([chart.key]) if with_key and chart.key else ""
    return f"<figure>{caption}{_picture(chart.svg, chart.alt)}{key}</figure>"


def _chart(block: Chart) -> str:
    return _figure(block, with_key=True)


def _chart_grid(block: ChartGrid) -> str:
    caption = f'<p class="bb-caption">{escape(block.caption)}</p>' if block.caption else ""
    figures = "\n".join(_figure(chart, with_key=False) for chart in block.charts)
    return (
        f'{caption}<div class="bb-grid bb-across-{block.across}">\n{figures}\n</div>'
        f"{_keys(block.keys)}"
    )


def _map(block: Map) -> str:
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    note = f'<p class="bb-notes">{escape(block.note)}</p>' if block.note else ""
    picture = _picture(block.svg, block.alt)
    if block.html:
        name = escape(f"{block.caption or 'Map'} (interactive)")
        # On the screen the frame, on paper the picture; the words are there for both.
        screen = (
            f'<p class="bb-sr">{escape(block.alt)}</p>'
            f'<iframe class="bb-screen" title="{name}" sandbox="allow-scripts" loading="lazy" '
            f'srcdoc="{escape(block.html)}"></iframe>'
        )
        picture = f'{screen}<div class="bb-print">{picture}</div>'
    return f"<figure>{caption}{picture}{note}</figure>"


_RENDERERS = {
    TitleBlock: _title,
    Heading: _heading,
    Text: _paragraphs,
    Callout: _callout,
    Table: _table,
    Chart: _chart,
    ChartGrid: _chart_grid,
    Map: _map,
}
