"""Matplotlib drawings as SVG text: the same bytes on every run, the same look everywhere."""

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Ink, paper and the few tones of a book's pictures; text tones have a contrast above 4.5:1 on
#: white.
INK = "#1d2733"
MUTED = "#566373"
RULE = "#c9d1da"
LINE = "#2a4d76"
BAND = "#dbe3ec"
ALERT = "#a63c06"

_STYLE: dict[str, Any] = {
    # Glyphs as outlines: an SVG must not depend on the reader's fonts, nor on the maker's.
    "svg.fonttype": "path",
    "svg.hashsalt": "beatbook",
    "font.family": ["DejaVu Sans"],
    "font.size": 7.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.unicode_minus": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "path.simplify": False,
    "hatch.linewidth": 0.4,
}


def style() -> Any:
    """Give the context in which a picture is drawn: matplotlib's defaults and the book's tones.

    The defaults first, so that an analyst's own matplotlibrc does not reach a book.
    """
    import matplotlib as mpl
    import matplotlib.style

    return mpl.style.context(["default", _STYLE])


def new_figure(width: float, height: float) -> "Figure":
    """Open a figure (inches) outside pyplot, so that nothing is left open behind it."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def to_svg(figure: "Figure") -> str:
    """Write a figure as SVG text without date or metadata, coordinates to 1/100 point."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _trim(buffer.getvalue())


def _trim(svg: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    # Six decimals of a point is half of the file; glyph scales keep theirs.
    svg = re.sub(
        r'\b(d|x|y|width|height)="([^"]*)"',
        lambda match: f'{match[1]}="{_rounded(match[2])}"',
        svg,
    )
    svg = re.sub(r"translate\(([^)]*)\)", lambda match: f"translate({_rounded(match[1])})", svg)
    return re.sub(r"\n\s*", "\n", svg)


def _rounded(numbers: str) -> str:
    return re.sub(
        r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), numbers
    )
