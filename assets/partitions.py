"""How the work is cut: tables by department, books by department and week."""

import dagster as dg

from beatbook.department import list_departments

DEPARTMENT = "department"
WEEK_ENDING = "week_ending"

by_department = dg.StaticPartitionsDefinition(list_departments())

# The weeks are those that the feeds cover; each refresh adds the new ones.
weeks = dg.DynamicPartitionsDefinition(name=WEEK_ENDING)

by_department_and_week = dg.MultiPartitionsDefinition(
    {DEPARTMENT: by_department, WEEK_ENDING: weeks}
)


def book_partition(department: str, week_ending: str) -> dg.MultiPartitionKey:
    """The partition of one department's book of one week."""
    return dg.MultiPartitionKey({DEPARTMENT: department, WEEK_ENDING: week_ending})


def department_and_week(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """The department and week of the running book partition."""
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise TypeError(f"{context.asset_key} is not partitioned by department and week")
    return key.keys_by_dimension[DEPARTMENT], key.keys_by_dimension[WEEK_ENDING]
