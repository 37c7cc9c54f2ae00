"""What data looks like: records (what a source says), tables, results (what services answer)."""
