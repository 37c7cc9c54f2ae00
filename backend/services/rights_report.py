"""What a data set is made of: which sources gave its cells, with which rights and terms. Pure but for reading files back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from backend.ingestion.policy import ESTIMATE
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import RightsLevel
from backend.services.forms import Form

_TERMS_OF_ESTIMATES: Final = "Not measured: estimated by a model that was learnt from values of this level of rights."
# Columns that are computed from another one, which `provenance` names.
_FROM: Final = {
    "release_year": "release_date", "album_id": "title", "disc_number": "title", "recording_id": "title",
    "mood_valence": "moods", "mood_arousal": "moods", "tag_weights": "genres",
}  # fmt: skip

Provenances = Mapping[str, int]
"""Provenance as JSON text, and how many rows have it; few differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """What one source gave.

    Attributes:
        source: its name.
        rights: what its terms let one do, per field where they differ.
        cells: values it gave, or had a part in (genres and moods are laid together from several).
        share: of all cells with a value.
        terms: a sentence.
    """

    source: str
    rights: str
    cells: int
    share: float
    terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsReport:
    """What a data set is made of.

    Attributes:
        rights: the level that was asked for.
        rows: how many there are.
        cells: values that come from a source.
        sources: who gave them, the most first; shares add up to more than 1 where several gave one value.
    """

    rights: str
    rows: int
    cells: int
    sources: tuple[SourceShare, ...]


def report(
    provenances: Provenances,
    profiles: Mapping[str, SourceProfile],
    *,
    rights: RightsLevel,
    columns: Sequence[str] | None = None,
) -> RightsReport:
    """Count the cells of rows by who gave them.

    Args:
        provenances: of the rows.
        profiles: of all sources.
        rights: the level that was asked for.
        columns: those that the data set has; all that provenance names when None.
    """
    counts: Counter[str] = Counter()
    fields: dict[str, set[str]] = {}
    cells = 0
    wanted = None if columns is None else {_FROM.get(c, c) for c in columns}
    for text, rows in provenances.items():
        for field, whose in orjson.loads(text or "{}").items():
            if wanted is not None and field not in wanted:
                continue
            cells += rows
            for source in whose.split("+"):
                counts[source] += rows
                fields.setdefault(source, set()).add(field)
    shares = [
        SourceShare(
            source=source,
            rights=_rights(source, fields[source], profiles, rights),
            cells=n,
            share=round(n / cells, 6),
            terms=profiles[source].terms if source in profiles else _TERMS_OF_ESTIMATES,
        )
        for source, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return RightsReport(rights=rights.value, rows=sum(provenances.values()), cells=cells, sources=tuple(shares))


def _rights(source: str, fields: Iterable[str], profiles: Mapping[str, SourceProfile], level: RightsLevel) -> str:
    if source == ESTIMATE or source not in profiles:
        return f"as of rights={level}"
    tags = {"genres": "tags", "moods": "tags"}
    return " and ".join(sorted({profiles[source].rights_to(tags.get(f, f)).value for f in fields}))


def provenances_of_file(path: Path, form: Form) -> Provenances:
    """The provenance of a written file's rows, read back from it: of these very rows, whatever is stored by now."""
    import pyarrow as pa  # late: start-up does not need it
    import pyarrow.compute as pc

    column = "provenance"
    if form is Form.PARQUET:
        import pyarrow.parquet as pq

        found = pq.read_table(path, columns=[column]).column(column)
    elif form is Form.ARROW_FILE:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            found = reader.read_all().column(column)
    elif form is Form.CSV:
        from pyarrow import csv

        options = csv.ConvertOptions(include_columns=[column], column_types={column: pa.string()})
        parsing = csv.ParseOptions(newlines_in_values=True)
        found = csv.read_csv(path, convert_options=options, parse_options=parsing).column(column)
    else:
        with path.open("rb") as lines:
            return Counter(orjson.dumps(orjson.loads(line)[column]).decode() for line in lines)
    counted: list[dict[str, Any]] = pc.value_counts(found.combine_chunks()).to_pylist()
    return {str(row["values"]): int(row["counts"]) for row in counted}
