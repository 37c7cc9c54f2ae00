"""A built data set, opened to be read: checked against its manifest, then batch by batch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from backend.models.datasets import FORMAT, VERSION, File, Manifest
from backend.services.rights_report import RightsReport
from backend.utils.errors import InvalidInputError, NotFoundError

Kind = Literal["features", "tracks"]
KINDS: Final[tuple[Kind, ...]] = ("features", "tracks")
_SAFE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", re.ASCII)
_ROWS: Final = 16_384  # of a batch
_BUFFER: Final = 64 * 1024  # bytes read of a column at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One of the data set's tables: the features, or the tracks, of one part."""

    kind: Kind
    part: str
    path: Path
    rows: int
    schema: pa.Schema

    @property
    def name(self) -> str:
        """Unique in its data set: `features_train`."""
        return f"{self.kind}_{self.part}"


class DataSet:
    """A data set's folder.

    Args:
        folder: where it was built.
        tell: is told the rows of each batch that was read to be written.

    Raises:
        NotFoundError: there is no data set.
        InvalidInputError: it is of another version of Tensoe, or damaged; the message names the file.
    """

    def __init__(self, folder: Path, *, tell: Callable[[int], None] = lambda _: None) -> None:
        self.folder = folder
        self._tell = tell
        self.manifest = self._manifest()
        files = {file.path: file for file in self.manifest.files}
        for name in (self.manifest.name, *self.manifest.parts):
            if not _SAFE.fullmatch(name):
                raise InvalidInputError(
                    f"{name!r} cannot be part of a file's name: letters, digits, '.', '_' and '-' only"
                )
        self.tables = tuple(self._table(kind, part, files) for kind in KINDS for part in self.manifest.parts)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What stands in every form that has a place for it: JSON values, the same for the same data set."""
        m = self.manifest
        return {
            "format": m.format,
            "version": m.version,
            "name": m.name,
            "fingerprint": m.fingerprint,
            "watermark": m.watermark.isoformat(),
            "code": m.code,
            "rights": m.rights,
            "citation": self.citation,
            "target": m.target,
            "target_kind": m.target_kind,
            "parts": m.parts,
            "features": [asdict(f) for f in m.features],
            "sources": [asdict(s) for s in self.rights.sources],
        }

    @cached_property
    def about_json(self) -> bytes:
        """The same as JSON text."""
        return msgspec.json.encode(self.about)

    @property
    def citation(self) -> str:
        """How to name it so that another can tell whether he has the very same."""
        m = self.manifest
        return (
            f"Tensoe data set {m.name}, fingerprint {m.fingerprint}, watermark {m.watermark.isoformat()}, "
            f"rights {m.rights}, built by Tensoe {m.code}"
        )

    @cached_property
    def rights(self) -> RightsReport:
        """Who gave its values."""
        return msgspec.convert(self.document("rights.json"), RightsReport)

    def document(self, name: str) -> Any:
        """One of the data set's JSON documents; an empty object when it has none of this name."""
        path = self.folder / name
        return msgspec.json.decode(path.read_bytes()) if path.is_file() else {}

    def of(self, kind: Kind) -> tuple[Table, ...]:
        """The tables of one kind, by part."""
        return tuple(table for table in self.tables if table.kind == kind)

    def metadata(self, table: Table) -> dict[str, bytes]:
        """What a table's own schema says of the whole."""
        return {"tensoe": self.about_json, "tensoe.table": table.kind.encode(), "tensoe.part": table.part.encode()}

    def batches(
        self, table: Table, columns: Sequence[str] | None = None, *, tell: bool = True
    ) -> Iterator[pa.RecordBatch]:
        """A table's rows in their order; a page of each column and a few batches at most are in memory."""
        # Page by page: else a whole row group, which may be the whole table, is read at once.
        with pq.ParquetFile(table.path, pre_buffer=False, buffer_size=_BUFFER) as file:
            for batch in file.iter_batches(_ROWS, columns=columns):
                yield batch
                if tell:
                    self._tell(batch.num_rows)

    def told(self, table: Table) -> None:
        """All of a table's rows are written; for forms that read it column by column."""
        self._tell(table.rows)

    def _manifest(self) -> Manifest:
        path = self.folder / "manifest.json"
        if not path.is_file():
            raise NotFoundError(f"{self.folder} holds no data set: it has no manifest.json")
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except msgspec.MsgspecError as problem:
            raise InvalidInputError(f"{path} is damaged or no manifest of a data set: {problem}") from problem
        if (found.format, found.version) != (FORMAT, VERSION):
            raise InvalidInputError(
                f"{path} is of {found.format} version {found.version}; this Tensoe reads {FORMAT} version {VERSION}"
            )
        return found

    def _table(self, kind: Kind, part: str, files: dict[str, File]) -> Table:
        name = f"{kind}/{part}.parquet"
        path = self.folder / name
        said = files.get(name)
        if said is None or not path.is_file():
            raise InvalidInputError(f"{self.folder} is damaged: it has no {name}; build the data set again")
        if sha256(path) != said.sha256:
            raise InvalidInputError(f"{path} was changed since it was built; build the data set again")
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow.remove_metadata()
            rows: int = file.metadata.num_rows
        if strange := [f"{f.name} ({f.type})" for f in schema if not _held(f.type)]:
            raise InvalidInputError(f"{path} has columns of a kind that no export knows: {', '.join(strange)}")
        return Table(kind=kind, part=part, path=path, rows=rows, schema=schema)


def sha256(path: Path) -> str:
    """Of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _held(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_boolean(kind) or types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind)
        or types.is_string(kind) or types.is_date32(kind) or types.is_timestamp(kind)
        or (types.is_list(kind) and types.is_string(kind.value_type))
    )  # fmt: skip
