"""SQL over the published tables: reads them, and nothing else."""

import pandas as pd
import pytest

from beatbook import load_table, sql
from beatbook.errors import InvalidInput, MissingTable, UnknownDepartment
from beatbook.store import Store
from beatbook.tables import HOTSPOTS, TABLES

WEEKS = ("2024-01-07", "2024-01-14")


def weekly_counts():
    weeks = pd.to_datetime(["2024-01-01", "2024-01-08"]).astype("datetime64[us]")
    return pd.DataFrame(
        {"precinct": ["1", "1"], "offense": ["Robbery", "Burglary"], "week": weeks,
         "incidents": [3, 4]}
    )  # fmt: skip


def of(table, **values):
    """One row that conforms to a table, made of a few given values."""
    fill = {"string": "x", "int64": 1, "Int64": 1, "float64": 0.5, "bool": True,
            "datetime64[us]": pd.Timestamp("2024-01-07")}  # fmt: skip
    row = {column.name: fill[column.dtype] for column in TABLES[table].columns}
    return pd.DataFrame([{**row, **values}])


_READ_ONLY = []


@pytest.fixture
def home(make_department):
    """A home that the tests share, since they only read."""
    if not _READ_ONLY:
        _READ_ONLY.append(two_departments(make_department()))
    return _READ_ONLY[0]


def two_departments(small_department):
    """One with tables of two weeks, the other with one table."""
    root = small_department.home.departments
    (root / "other_town").mkdir()
    (root / "other_town" / "department.yaml").write_text("x: 1")
    store = Store("example", small_department.home)
    store.publish({"weekly_counts": weekly_counts()}, {"run": "tables"})
    for number, week in enumerate(WEEKS):
        store.publish({"hotspots": of("hotspots", incidents=number)}, {"run": week}, week)
        store.publish(
            {"compstat": of("compstat", week_ending=pd.Timestamp(week))}, {"run": week}, week
        )
    Store("other_town", small_department.home).publish(
        {"weekly_counts": weekly_counts().assign(incidents=[10, 20])}, {"run": "theirs"}
    )
    return small_department.home


def asked(home, query, department="example", **options):
    return sql(query, department, home=home, **options)


def test_a_table_is_the_one_that_load_table_gives(home):
    whole = load_table("weekly_counts", "example", home=home)
    whole = whole.astype({"precinct": "str", "offense": "str"})
    pd.testing.assert_frame_equal(asked(home, "select * from weekly_counts"), whole)
    pd.testing.assert_frame_equal(asked(home, "FROM Weekly_Counts"), whole)


def test_results_have_the_types_of_the_front_door(home):
    frame = asked(
        home,
        "select sum(incidents) as total, count(*) as n, avg(incidents) as mean, max(week)::date d, "
        "sum(incidents) filter (false) as none, offense, 1.25 as price, true as yes, 1::tinyint t "
        "from weekly_counts group by offense order by offense",
    )
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "total": "int64", "n": "int64", "mean": "float64", "d": "datetime64[us]", "none": "Int64",
        "offense": "str", "price": "float64", "yes": "bool", "t": "int64",
    }  # fmt: skip
    assert frame["total"].tolist() == [4, 3]


def test_a_sum_too_wide_for_a_whole_number_is_a_number(home):
    frame = asked(home, "select sum(1e18::hugeint * 100) as s from weekly_counts")
    assert frame["s"].tolist() == [2e20]


def test_the_same_name_twice_becomes_two_names(home):
    assert list(asked(home, "select 1 as a, 2 as a, 3 as a_2")) == ["a", "a_2", "a_2_2"]


def test_the_latest_week_under_the_bare_name_and_all_weeks_beside_it(home):
    latest = asked(home, "select incidents, week_ending from hotspots")
    assert latest["incidents"].tolist() == [1]
    assert latest["week_ending"].tolist() == [pd.Timestamp("2024-01-14")]
    every = asked(home, "select * from hotspots_every_week order by week_ending")
    assert every["incidents"].tolist() == [0, 1]
    assert list(every) == [*HOTSPOTS.column_names, "week_ending"]
    pinned = asked(home, "select incidents from hotspots", week_ending="2024-01-07")
    assert pinned["incidents"].tolist() == [0]
    with pytest.raises(MissingTable, match="--week-ending 2020-01-05"):
        asked(home, "select * from hotspots", week_ending="2020-01-05")


def test_a_table_that_holds_its_week_keeps_it_once(home):
    frame = asked(home, "select * from compstat_every_week")
    assert sorted(frame["week_ending"]) == [pd.Timestamp(week) for week in WEEKS]
    assert list(frame).count("week_ending") == 1


def test_another_department_by_its_name(home):
    query = """
        select a.incidents as ours, b.incidents as theirs
        from weekly_counts a join other_town.weekly_counts b using (week)
        order by week
    """
    frame = asked(home, query)
    assert frame.to_dict("list") == {"ours": [3, 4], "theirs": [10, 20]}
    assert frame.attrs["provenance"] == {
        "example.weekly_counts": {"run": "tables"},
        "other_town.weekly_counts": {"run": "theirs"},
    }
    alone = asked(home, 'select sum(incidents) as s from "other_town".weekly_counts', None)
    assert alone["s"].tolist() == [30]


def test_the_only_department_need_not_be_named(small_department):
    Store("example", small_department.home).publish({"weekly_counts": weekly_counts()}, {})
    assert len(sql("from weekly_counts", home=small_department.home)) == 2


def test_a_table_may_go_under_another_name_in_the_query(home):
    frame = asked(home, "with weekly as (select * from weekly_counts) select w.week from weekly w")
    assert len(frame) == 2
    assert len(asked(home, "describe weekly_counts")) == 4
    assert len(asked(home, "summarize weekly_counts")) == 4


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select incident from weekly_counts", "has a column incident. Did you mean incidents"),
        ("select w.foo from weekly_counts w", "has a column foo"),
        ('select * from weekly_counts where offense = "Robbery"', "Text stands in single quotes"),
        ("selec 1", 'cannot be run: syntax error at or near "selec"'),
        ("select offense + 1 from weekly_counts", "No function matches"),
        ("select nothing_such(1)", "nothing_such does not exist"),
        ("", "one statement that reads"),
        ("select 1; select 2", "one statement that reads"),
        ("select max(week) from weekly_counts where week > 'soon'", "cannot be run"),
    ],
)
def test_a_query_that_cannot_be_run_is_told_in_words(home, query, said):
    with pytest.raises(InvalidInput, match=said) as caught:
        asked(home, query)
    assert "LINE 1" not in str(caught.value) and "Binder Error" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "department", "said"),
    [
        ("from weekly_count", "example", "no table 'weekly_count'. Did you mean weekly_counts?"),
        ("from incidents", "example", "Run: beatbook report --department example"),
        ("from other_town.incidents", "example", "Run: beatbook report --department other_town"),
        ("from elsewhere.incidents", "example", "no department 'elsewhere'"),
        ("from weekly_counts", None, "Whose weekly_counts? Say department='example'"),
        ("from weekly_counts_every_week", "example", "weekly_counts is not kept per week"),
    ],
)
def test_a_table_that_is_not_there_is_told_in_words(home, query, department, said):
    with pytest.raises(MissingTable) as missing:
        asked(home, query, department)
    assert said in str(missing.value)


def test_an_unknown_department(home):
    with pytest.raises(UnknownDepartment, match="Did you mean example"):
        asked(home, "select 1", "exampl")


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "select * from glob('{folder}/*')",
        "select * from sniff_csv('{file}')",
        "select * from read_parquet('{parquet}')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/new.db'",
        "export database '{folder}/out'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_paths = ['{file}']",
        "pragma threads = 1",
        "create table t as select 1",
        "drop view weekly_counts",
        "insert into weekly_counts select * from weekly_counts",
        "delete from weekly_counts",
        "call pragma_version()",
    ],
)
def test_nothing_but_the_published_tables_is_in_reach(home, tmp_path, query):
    private = tmp_path / "private.csv"
    private.write_text("a\n1\n")
    unpublished = tmp_path / "own.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(unpublished)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    text = query.format(
        file=private.as_posix(), folder=tmp_path.as_posix(), parquet=unpublished.as_posix()
    )
    with pytest.raises((InvalidInput, MissingTable)):
        asked(home, text)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_variables_of_the_notebook_are_no_tables(home):
    mine = pd.DataFrame({"a": [1]})
    with pytest.raises(MissingTable, match="no table 'mine'"):
        asked(home, "select * from mine")
    assert len(mine) == 1


def test_a_folder_with_a_quote_in_its_name(tmp_path, make_department):
    department = make_department()
    moved = tmp_path / "analyst's home"
    department.home.root.rename(moved)
    home = type(department.home)(moved)
    Store("example", home).publish({"weekly_counts": weekly_counts()}, {})
    assert len(sql("from weekly_counts", "example", home=home)) == 2
    chosen = load_table("weekly_counts", "example", where="incidents = 4", home=home)
    assert len(chosen) == 1
