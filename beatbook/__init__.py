"""Beatbook: open crime analysis for police departments. Places, not persons.

The front door::

    from beatbook import load_table
    burglaries = load_table("incidents", "st_louis").query("offense == 'Burglary'")
"""

from beatbook.store import list_tables, load_table

__all__ = ["list_tables", "load_table"]
