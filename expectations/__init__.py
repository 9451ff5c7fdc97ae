"""What good data is: one suite a table (YAML), and the thin runner that executes it."""
