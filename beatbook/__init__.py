"""Beatbook: open crime analysis for police departments. Places, not persons.

The front door::

    from beatbook import load_table
    burglaries = load_table("incidents", "st_louis", where="offense = 'Burglary'")

and, beside it, ``sql`` for questions over several tables, ``list_tables`` and
``describe_table`` for what there is, and ``show`` for a table that can be sorted and searched.
"""

from beatbook.describe import describe_table
from beatbook.display import show
from beatbook.query import sql
from beatbook.store import list_tables, load_table

__all__ = ["describe_table", "list_tables", "load_table", "show", "sql"]
