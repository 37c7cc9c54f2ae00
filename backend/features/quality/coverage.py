"""What is known of each field, and who said it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.quality.fields import PROVENANCE_OF, TAGS, UNCOUNTED, figure
from backend.features.quality.quality_report import Coverage, Share

Flags = npt.NDArray[np.bool_]
JOINED: str = "+"  # between sources that made a value together


def known(column: pa.ChunkedArray) -> Flags:
    """Where a value is there: neither null, NaN, empty text nor empty list."""
    kind = column.type
    if pa.types.is_floating(kind):
        found = pc.is_finite(column)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        found = pc.greater(pc.list_value_length(column), 0)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        found = pc.greater(pc.binary_length(column), 0)
    else:
        found = pc.is_valid(column)
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), bool)


def coverage(parts: Mapping[str, pa.Table], table: pa.Table) -> tuple[Coverage, ...]:
    """Per field, in the order of the columns."""
    fields = [name for name in table.column_names if name not in UNCOUNTED]
    flags = {field: known(table.column(field)) for field in fields}
    sources, estimated = _sources(table, flags), _estimated(table, flags)
    bounds = np.cumsum([0, *(part.num_rows for part in parts.values())])
    return tuple(
        Coverage(
            field=field, known=int(there.sum()), share=_share(there),
            parts={n: _share(there[a:b]) for n, a, b in zip(parts, bounds[:-1], bounds[1:], strict=True)},
            sources=dict(sorted(sources[field].items(), key=lambda s: (-s[1], s[0]))), estimated=estimated[field],
        )
        for field, there in flags.items()
    )  # fmt: skip


def shares(found: tuple[Coverage, ...]) -> tuple[Share, ...]:
    """Values per source over all fields, the greatest first."""
    total: Counter[str] = Counter()
    for field in found:
        total.update(field.sources)
    cells = sum(field.known for field in found if field.sources)
    return tuple(
        Share(source=source, values=n, share=figure(n / cells))
        for source, n in sorted(total.items(), key=lambda s: (-s[1], s[0]))
    )


def _share(there: Flags) -> float:
    return figure(float(there.mean())) if len(there) else 0.0


def _texts(table: pa.Table, name: str) -> Iterator[tuple[dict[str, object], Flags | npt.NDArray[np.int64]]]:
    """Each different JSON object of a column, and the rows that have it: few differ, so each is read once."""
    if name not in table.column_names:
        return
    coded = pc.dictionary_encode(table.column(name).cast(pa.string())).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = (
            coded.unify_dictionaries().chunk(0) if coded.num_chunks else pa.array([], pa.string()).dictionary_encode()
        )
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(coded.dictionary) + 1))
    for i, text in enumerate(coded.dictionary.to_pylist()):
        yield msgspec.json.decode(text), order[starts[i] : starts[i + 1]]


def _sources(table: pa.Table, flags: Mapping[str, Flags]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {field: Counter() for field in flags}
    matrix = np.stack(list(flags.values()), axis=1) if flags else np.zeros((table.num_rows, 0), bool)
    for whose, rows in _texts(table, "provenance"):
        of_rows = matrix[rows].sum(axis=0)
        for field, n in zip(flags, of_rows.tolist(), strict=True):
            said = whose.get(field) or whose.get(PROVENANCE_OF.get(field, ""))
            if n and isinstance(said, str):
                for source in sorted(set(said.split(JOINED))):
                    found[field][source] += n
    return found


def _estimated(table: pa.Table, flags: Mapping[str, Flags]) -> Counter[str]:
    """Tracks whose value is a model's. Intervals differ from track to track, so names are counted in the text alone."""
    found: Counter[str] = Counter()
    if "estimates" not in table.column_names:
        return found
    texts = table.column("estimates").cast(pa.string())
    for field in flags:
        if field not in TAGS:
            found[field] = int(pc.sum(pc.match_substring(texts, f'"{field}":')).as_py() or 0)
    return found
