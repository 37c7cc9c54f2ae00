"""Tables that people pass on (CSV, Parquet, NDJSON) as records: which column is what, units, duplicates, albums."""
