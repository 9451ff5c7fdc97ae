"""The page: everything in it, nothing from outside, and usable without a mouse or eyes."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from beatbook.book.page import render_page
from beatbook.errors import BookError


class Reading(HTMLParser):
    """Tags with attributes, and the text outside style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self._mute = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._mute += tag in ("style", "script")

    def handle_endtag(self, tag):
        self._mute -= tag in ("style", "script")

    def handle_data(self, data):
        if not self._mute:
            self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def html(notebook, book, tmp_path):
    return render_page(notebook, book, tmp_path / "out" / "book.html").read_text("utf-8")


@pytest.fixture
def page(html):
    return Reading(html)


def test_code_and_noise_are_hidden_and_markdown_is_shown(page):
    assert "secret" not in page.text and "more_code" not in page.text
    assert "Some words" in page.text
    assert page.all("script") == []


def test_each_block_is_there_once_in_order(html, book):
    numbers = [int(number) for number in re.findall(r'data-block="(\d+)"', html)]
    assert numbers == list(range(len(book.blocks)))


def test_hostile_text_is_printed_as_it_stands(page, hostile):
    # In a callout's title and line, a heading, its entry in the contents, a paragraph, a
    # caption, a cell and a legend.
    squeezed = " ".join(hostile.split())
    assert page.text.count(squeezed) == 8
    assert [a for a in page.all("img") if a["alt"] == f"Alt {hostile}"]


def test_nothing_is_loaded_from_anywhere(page, html):
    for tag, attrs in page.tags:
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            value = attrs.get(name) or ""
            assert value == "" or value.startswith(("data:", "#")), (tag, name, value)
    assert "@import" not in html
    assert not re.search(r"url\((?!['\"]?data:)", html)


def test_a_screen_reader_finds_its_way(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert page.all("img") and all(image.get("alt") for image in page.all("img"))
    assert all(frame.get("title") for frame in page.all("iframe"))
    assert all(cell.get("scope") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert page.all("a")[0] == {"class": "bb-skip", "href": "#content"}
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))
    assert all(a["href"][1:] in names for a in page.all("a"))


def test_a_mark_is_said_in_words_and_a_box_says_its_kind(page):
    assert "rise beyond noise: +12.3 %" in page.text
    assert "Caveat" in page.text


def test_a_map_is_a_closed_frame_and_a_picture_for_print(page):
    (frame,) = page.all("iframe")
    assert frame["sandbox"] == "allow-scripts"
    assert frame["srcdoc"] == "<!DOCTYPE html><p>frame</p>"


def test_the_page_is_the_same_on_every_run(notebook, book, tmp_path, html):
    assert render_page(notebook, book, tmp_path / "b.html").read_text("utf-8") == html


def test_refusals(notebook, book, empty_book, tmp_path):
    out = tmp_path / "x.html"
    with pytest.raises(BookError, match="no title block"):
        render_page(notebook, empty_book, out)
    with pytest.raises(BookError, match="No executed notebook"):
        render_page(tmp_path / "none.ipynb", book, out)
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(BookError, match="is not a notebook"):
        render_page(tmp_path / "bad.ipynb", book, out)
    del book.blocks[-1]
    with pytest.raises(BookError, match="different runs"):
        render_page(notebook, book, out)
    assert not out.exists()


def test_a_failed_cell_makes_no_page(notebook, book, tmp_path):
    import nbformat

    failed = nbformat.read(notebook, as_version=4)
    failed.cells[0].outputs.append(
        nbformat.v4.new_output("error", ename="KeyError", evalue="x", traceback=[])
    )
    nbformat.write(failed, notebook)
    with pytest.raises(BookError, match=r"Code cell 1 .* failed .KeyError: x"):
        render_page(notebook, book, tmp_path / "x.html")


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_a_browser_without_a_network_draws_the_map_and_complains_of_nothing(tmp_path):
    import geopandas as gpd
    from shapely.geometry import box

    from beatbook.book.maps import area_map

    areas = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["North", "South"], "incidents": [3, 0]},
        geometry=[box(-90.3, 38.6, -90.2, 38.7), box(-90.3, 38.5, -90.2, 38.6)],
        crs="EPSG:4326",
    )
    path = tmp_path / "map.html"
    path.write_text(area_map(areas, None, "Map", "district", "").html, encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000"]
    done = subprocess.run(
        [*command, path.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    assert "CONSOLE" not in done.stderr
    assert 'tabindex="0" role="img" aria-label="North: 3 incidents"' in done.stdout
