"""What an analyst meets first: loading with a condition, what there is, what a table holds."""

import subprocess
import sys

import pandas as pd
import pytest

import beatbook
from beatbook import describe_table, display, list_tables, load_table, show
from beatbook.errors import BeatbookError, InvalidInput, MissingTable, UnknownDepartment
from beatbook.store import Store
from beatbook.tables import INCIDENTS

MADE = {"feed_sha256": "ab" * 32, "code_version": "test"}


_READ_ONLY = []


def published(small):
    """Twelve robberies, two of them canceled again, a burglary, a rape; published."""
    rows = [small.row(Case=f"24-{n:06d}") for n in range(12)]
    rows += [small.row(Case=f"24-{n:06d}", Count="-1") for n in range(2)]
    rows += [
        small.row(Case="24-000100", Code="051000", Date="01/05/2024 00:00", District=""),
        small.row(Case="24-000101", Code="021000", Date="12/30/2023 01:00"),
    ]
    tables = small.clean(rows)
    Store("example", small.home).publish(
        {"incidents": tables.incidents, "rejected_incidents": tables.rejected}, MADE
    )
    return small


@pytest.fixture
def front(make_department):
    """A department that the tests share: cleaned once, only read."""
    if not _READ_ONLY:
        _READ_ONLY.append(published(make_department()))
    return _READ_ONLY[0]


@pytest.fixture
def own(make_department):
    """The same for a test that changes it."""
    return published(make_department())


def loaded(front, **options):
    return load_table("incidents", "example", home=front.home, **options)


# --- where ---


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("offense = 'Burglary'", 1),
        ("offense = 'Robbery' and count > 0", 12),
        ("occurred_from >= '2024-01-05'", 1),
        ("occurred_from < '2024-01-01' or offense in ('Burglary', 'Arson')", 2),
        ("precinct is null", 0),  # filled from the map
        ("true", 16),
        ("false", 0),
        ("offense = 'O''Brien'", 0),
    ],
)
def test_only_the_rows_for_which_the_condition_holds(front, where, rows):
    assert len(loaded(front, where=where)) == rows


def test_a_condition_gives_the_same_rows_in_the_same_types(front):
    whole = loaded(front)
    by_pandas = whole[(whole["offense"] == "Robbery") & (whole["count"] > 0)]
    chosen = loaded(front, where="offense = 'Robbery' and count > 0")
    pd.testing.assert_frame_equal(chosen, by_pandas.reset_index(drop=True))
    pd.testing.assert_frame_equal(loaded(front, where="true"), whole)
    assert chosen.attrs["provenance"] == MADE


def test_the_condition_may_name_columns_that_are_not_asked_for(front):
    chosen = loaded(front, columns=["count", "x"], where="offense = 'Burglary'")
    assert list(chosen) == ["count", "x"] and len(chosen) == 1
    assert loaded(front, columns=[], where="offense = 'Burglary'").shape == (1, 0)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("offence = 'Burglary'", r"no column offence\. Did you mean offense\? Columns: record_id"),
        ('offense = "Burglary"', r"no column Burglary\. Text stands in single quotes\."),
        ("offense = 'Burglary", "cannot be read: unterminated quoted string"),
        ("", "cannot be read"),
        ("count", None),
        ("sum(count) > 1", "cannot contain aggregates"),
        ("occurred_from > '2024-13-01'", "out of range"),
        ("1 = 1) union all select * from incidents where (1 = 1", "cannot be read"),
        ("count > 0; drop view incidents", "cannot be read"),
        ("count in (select count(*) from read_csv('/etc/hostname'))", "cannot be read"),
    ],
)
def test_a_condition_that_cannot_be_read_is_told_in_words(front, where, said):
    if said is None:
        assert len(loaded(front, where=where)) == 16  # a number is true unless 0, as in SQL
        return
    with pytest.raises(InvalidInput, match=said):
        loaded(front, where=where)


def test_a_reader_with_a_condition_is_not_harmed_by_a_publisher(own, monkeypatch):
    from beatbook import query

    real, raced = query.read_where, []

    def read_where(table, path, where, columns):
        if not raced:
            raced.append(path)
            again = loaded(own).assign(count=1)
            Store("example", own.home).publish({"incidents": again}, {"run": 2})
            assert not path.exists()
        return real(table, path, where, columns)

    monkeypatch.setattr(query, "read_where", read_where)
    assert len(loaded(own, where="count = 1")) == 16


def test_a_column_newer_than_the_published_file(own):
    store = Store("example", own.home)
    path = store.find("incidents").path
    pd.read_parquet(path).drop(columns="origin").to_parquet(path)
    with pytest.raises(MissingTable, match="before it had the column origin"):
        loaded(own, columns=["offense", "origin"])


# --- what there is ---


def test_the_list_says_rows_and_when(front):
    listed = list_tables("example", front.home).set_index("table")
    assert listed["rows"].to_dict() == {"incidents": 16, "rejected_incidents": 0}
    assert listed["weeks"].isna().all()
    assert listed["published_at"].str.endswith("+00:00").all()
    assert listed.loc["incidents", "grain"] == INCIDENTS.grain


def test_nothing_built_is_an_empty_list_with_its_columns(small_department):
    assert "week_ending" in list_tables("example", small_department.home)


def test_a_mistyped_department_is_asked_back(front):
    for ask in (list_tables, lambda d, h: describe_table("incidents", d, home=h)):
        with pytest.raises(UnknownDepartment, match="Did you mean example"):
            ask("exampel", front.home)


# --- what a table holds ---


@pytest.fixture
def described(front):
    return describe_table("incidents", "example", home=front.home)


def test_columns_are_described_as_declared(described):
    columns = described.columns.set_index("column")
    assert list(columns.index) == INCIDENTS.column_names
    assert columns.loc["count", "unit"] == "offenses"
    assert columns.loc["occurred_to", "missing"] == 16
    assert columns.loc["x", "missing_share"] == pytest.approx(1 / 16)
    assert columns.loc["occurred_from", "smallest"] == "2023-12-30 01:00"
    assert columns.loc["known_on", "largest"] == "2024-01-31"
    assert columns.loc["offense", "commonest"] == "Robbery (14), 2 more"


def test_no_value_that_points_at_a_place_or_a_single_case(described):
    for text in (repr(described), described._repr_html_()):
        assert "MAIN" not in text and "24-0000" not in text and "Burglary" not in text
        assert "meters in EPSG:32615" in text
    assert described.columns.set_index("column").loc["x", "smallest"] == ""


def test_freshness_and_what_to_mind(described):
    assert described.freshness["Last record known on"] == "2024-01-31"
    assert described.freshness["Feed sha256"] == "abababababab"
    minded = " ".join(described.caveats)
    assert "2 of 16 (12.5 %) rows cancel an earlier one" in minded
    assert "1 of 16 (6.2 %) records have no point" in minded
    assert "Places of sex offenses are withheld" in minded
    assert "1 of 16 (6.2 %) records happened before" in minded
    assert "0 rows of the feed were refused" in minded


def test_a_description_is_safe_html(front):
    page = describe_table("incidents", "example", home=front.home)._repr_html_()
    assert page.count('<th scope="col"') == 6
    assert "<script" not in page


def test_a_table_that_is_not_there(front):
    with pytest.raises(MissingTable, match="Did you mean incidents"):
        describe_table("incident", "example", home=front.home)
    with pytest.raises(MissingTable, match="Run: beatbook report --department example"):
        describe_table("compstat", "example", home=front.home)


# --- shown ---


def test_outside_a_notebook_a_table_is_printed_with_units_and_caption(front, capsys):
    show(loaded(front, columns=["offense", "x", "count"]))
    said = capsys.readouterr().out
    assert said.startswith("example/incidents: one offense record")
    assert "x (m)" in said and "count (offenses)" in said
    show(pd.DataFrame({"a": range(25)}), "Mine")
    said = capsys.readouterr().out
    assert said.startswith("Mine\n") and said.endswith("and 5 rows more\n")


def test_a_frame_with_columns_of_its_own_has_no_borrowed_caption(front, capsys):
    show(loaded(front).assign(mine=1)[["mine", "x"]].head(1))
    assert "one offense record" not in capsys.readouterr().out


def test_what_is_no_table_is_refused():
    with pytest.raises(InvalidInput, match="show takes a DataFrame; got list"):
        show([1, 2])


class Kernel:
    """As much of a notebook's shell as ``show`` asks for."""

    kernel = True

    def __init__(self, cell):
        self.cell = cell

    def get_parent(self):
        return {"metadata": {"cellId": self.cell}}


def test_in_a_notebook_the_script_comes_once_and_from_no_network(monkeypatch):
    import IPython.display
    import itables

    given = []
    monkeypatch.setattr(display, "_loaded_by", [])
    monkeypatch.setattr(itables, "init_notebook_mode", lambda **options: given.append(options))
    monkeypatch.setattr(IPython.display, "display", lambda html: given.append(html.data))
    for cell in ("one", "two", "one"):
        monkeypatch.setattr(display, "_kernel", lambda cell=cell: Kernel(cell))
        show(pd.DataFrame({"a": [1], "b": ["<b>x</b>"]}), "A caption")
    offline = {"all_interactive": False, "connected": False}
    # The first cell run again has lost its output, and the script with it.
    assert [entry for entry in given if isinstance(entry, dict)] == [offline, offline]
    pages = [entry for entry in given if isinstance(entry, str)]
    assert len(pages) == 3
    for page in pages:
        assert "A caption" in page and "unpkg.com" not in page and "<b>x</b>" not in page


# --- light and plain ---


def test_the_front_door_opens_without_the_heavy_libraries():
    code = (
        "import sys, beatbook\n"
        "heavy = {'duckdb', 'geopandas', 'scipy', 'pydantic', 'matplotlib', 'itables', 'IPython'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_every_name_of_the_front_door_is_there():
    assert set(beatbook.__all__) <= set(dir(beatbook))


def test_a_notebook_shows_a_mistake_as_a_sentence():
    error = MissingTable("Run: beatbook report")
    assert isinstance(error, BeatbookError)
    assert error._render_traceback_() == ["MissingTable: Run: beatbook report"]
