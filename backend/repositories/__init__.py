"""All SQL: the connection, the embedded server, migrations, writing, reading, aggregates, jobs."""
