"""Find and read departments' settings; a mistake is told by file, key and value."""

import yaml
from pydantic import ValidationError

from beatbook.department.department import Department
from beatbook.errors import SettingsError, UnknownDepartment
from beatbook.home import Home, find_home


def list_departments(home: Home | None = None) -> list[str]:
    """The departments that have a folder with settings, by name."""
    home = home or find_home()
    return sorted(path.parent.name for path in home.departments.glob("*/department.yaml"))


def load_department(slug: str, home: Home | None = None) -> Department:
    """Read one department's settings.

    Parameters
    ----------
    slug
        The name of the department's folder under ``departments/``.
    home
        The checkout; found by :func:`beatbook.home.find_home` if not given.

    Raises
    ------
    UnknownDepartment
        If there is no such folder; the message lists those that exist.
    SettingsError
        If a key is unknown, missing or has an impossible value; the message names the
        file, the key and what was expected.
    """
    home = home or find_home()
    if slug not in list_departments(home):
        known = ", ".join(list_departments(home)) or "none yet"
        raise UnknownDepartment(f"No department {slug!r}. Departments here: {known}.")
    folder = home.departments / slug
    path = folder / "department.yaml"
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"{slug}/department.yaml is not valid YAML: {error}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{slug}/department.yaml is not UTF-8; save it as UTF-8.") from None
    if not isinstance(settings, dict):
        raise SettingsError(f"{slug}/department.yaml holds no settings.")
    for key in ("slug", "folder"):
        if key in settings:
            raise SettingsError(
                f"{slug}/department.yaml:\n  {key}: no such setting; the folder's name says it."
            )
    try:
        return Department.model_validate({"slug": slug, "folder": folder, **settings})
    except ValidationError as error:
        lines = [f"{slug}/department.yaml:"]
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"]) or "the settings"
            if problem["type"] == "extra_forbidden":
                lines.append(f"  {key}: no such setting. Check its spelling and indentation.")
            elif problem["type"] == "missing":
                lines.append(f"  {key}: missing.")
            else:
                said = problem["msg"].removeprefix("Value error, ")
                # A whole block of settings would hide what is wrong with it.
                whole = isinstance(problem["input"], (dict, Department))
                found = "" if whole else f" (found: {problem['input']!r:.80})"
                lines.append(f"  {key}: {said}{found}")
        raise SettingsError("\n".join(lines)) from None
