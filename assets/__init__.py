"""What is built: thin Dagster assets, their partitions and checks. Analysis is in beatbook."""
