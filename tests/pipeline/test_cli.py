"""The command line tells a person's mistake in one sentence, without a stack trace."""

import pytest

from pipelines.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--department", "atlantis"],
            "No department 'atlantis'. Departments here: washington_dc.",
        ),
        (
            ["--department", "washington_dc", "--week-ending", "2199-01-06"],
            "The week ending 2199-01-06 lies in the future.",
        ),
        (
            [
                "--department",
                "washington_dc",
                "--week-ending",
                "2024-03-10",
                "--as-of",
                "2024-03-01",
            ],
            "As of 2024-03-01 the week ending 2024-03-10 had not ended.",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_one(workshop, capsys, arguments, said):
    workshop()
    assert main(["report", *arguments]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"beatbook: {said}")
    assert "Traceback" not in shown.err and shown.out == ""


def test_a_misspelt_setting_is_named(workshop, capsys):
    workshop().settings(lambda text: text.replace("timezone:", "time_zone:"))
    assert main(["report", "--department", "washington_dc"]) == 1
    assert "time_zone: no such setting" in capsys.readouterr().err


def test_a_date_that_is_none_is_refused_by_its_form(workshop, capsys):
    workshop()
    with pytest.raises(SystemExit):
        main(["report", "--department", "washington_dc", "--week-ending", "10.3.2024"])
    assert "'10.3.2024' is not a date; write it as 2019-12-29" in capsys.readouterr().err


def test_departments_are_listed(workshop, capsys):
    workshop()
    assert main(["departments"]) == 0
    assert capsys.readouterr().out.startswith("washington_dc  Metropolitan Police Department")
