"""Lists as one text, for forms that have none."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from backend.repositories.track_columns import JOINED_BY
from backend.utils.errors import InvalidInputError


def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with each list of texts joined as all our CSV has it; an empty list is an empty text, none stays none."""
    arrays = [
        _joined(a, f.name) if pa.types.is_list(f.type) else a for a, f in zip(batch.columns, batch.schema, strict=True)
    ]
    return pa.record_batch(arrays, names=batch.schema.names)


def flat_schema(schema: pa.Schema) -> pa.Schema:
    """What `flat` makes of a schema."""
    return pa.schema([(f.name, pa.string() if pa.types.is_list(f.type) else f.type) for f in schema])


def _joined(lists: pa.Array, name: str) -> pa.Array:
    if lists.flatten().null_count:  # would make the whole list unknown
        raise InvalidInputError(f"{name} has a list with an unknown text in it, which cannot be joined; take parquet")
    return pc.binary_join(lists, JOINED_BY)
