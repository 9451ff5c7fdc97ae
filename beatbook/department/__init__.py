"""A department's settings: what ``department.yaml`` may say, and what each key means."""

from beatbook.department.areas import AREA_KINDS, Area
from beatbook.department.department import Department
from beatbook.department.feed import FIELDS, Feed, Layout
from beatbook.department.loading import list_departments, load_department

__all__ = [
    "AREA_KINDS",
    "FIELDS",
    "Area",
    "Department",
    "Feed",
    "Layout",
    "list_departments",
    "load_department",
]
