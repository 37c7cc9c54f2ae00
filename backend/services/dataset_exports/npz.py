"""NumPy: one NPZ file with a matrix, a target and ids per part, the names, and every column of the tracks."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.models.datasets import ID, TARGET
from backend.services.dataset_exports.data_set import DataSet, Table
from backend.services.dataset_exports.npz_columns import Column, dense, put_column, texts
from backend.services.dataset_exports.zip_members import member

Array = npt.NDArray[Any]
_HEADER: Final = np.lib.format.write_array_header_2_0  # takes any length


class Npz:
    """The form `npz`. Uncompressed: quick to read, and no compressor's version is in its bytes.

    Written row by row and column by column: never more than a few batches in memory, whatever the size.
    """

    name = "npz"
    suffix = ".npz"

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write the file."""
        names = [f.name for f in dataset.manifest.features]
        with zipfile.ZipFile(place, "x") as archive:
            _one(archive, "tensoe", np.array(dataset.about_json.decode()))
            _one(archive, "feature_names", np.array(names, dtype=np.str_))
            for table in dataset.of("features"):
                _matrix(archive, dataset, table, names)
            for table in dataset.of("tracks"):
                for name in table.schema.names:
                    _column(archive, dataset, table, name)


def _matrix(archive: zipfile.ZipFile, dataset: DataSet, table: Table, names: list[str]) -> None:
    rows = (
        np.column_stack([dense(batch.column(n).cast(pa.float32())) for n in names])
        if names else np.empty((batch.num_rows, 0), np.float32)
        for batch in dataset.batches(table)
    )  # fmt: skip
    _put(archive, f"X_{table.part}", np.dtype(np.float32), (table.rows, len(names)), rows)
    for of, name in ((ID, "id"), (TARGET, "y")):
        if of in table.schema.names:
            _short(archive, dataset, table, of, name=name)


def _short(archive: zipfile.ZipFile, dataset: DataSet, table: Table, column: str, *, name: str) -> None:
    """A column of numbers or short texts as one array, and which of its values are known."""

    def read() -> Iterable[pa.Array]:
        return (batch.column(0) for batch in dataset.batches(table, [column], tell=False))

    shape = (table.rows,)
    if pa.types.is_string(table.schema.field(column).type):
        width = max((pc.max(pc.utf8_length(a)).as_py() or 0 for a in read()), default=0)
        kind = np.dtype(f"<U{max(width, 1)}")
        _put(archive, f"{name}_{table.part}", kind, shape, (texts(a).astype(kind) for a in read()))
    else:
        empty = dense(pa.array([], table.schema.field(column).type))
        _put(archive, f"{name}_{table.part}", empty.dtype, shape, (dense(a) for a in read()))
    _put(archive, f"{name}_known_{table.part}", np.dtype(np.bool_), shape, (dense(a.is_valid()) for a in read()))


def _column(archive: zipfile.ZipFile, dataset: DataSet, table: Table, name: str) -> None:
    def read() -> Iterable[pa.Array]:
        return (batch.column(0) for batch in dataset.batches(table, [name], tell=False))

    column = Column(read=read, rows=table.rows, kind=table.schema.field(name).type)
    for ending, dtype, length, chunks in put_column(column):
        _put(archive, f"tracks_{table.part}.{name}{ending}", dtype, (length,), chunks)
    if name == table.schema.names[-1]:
        dataset.told(table)


def _one(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    _put(archive, name, array.dtype, array.shape, [array])


def _put(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], chunks: Iterable[Array]
) -> None:
    """An array as a member, chunk by chunk; the wire form is NumPy's NPY 2.0."""
    with member(archive, f"{name}.npy") as out:
        said = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        _HEADER(out, said)
        for chunk in chunks:
            out.write(np.ascontiguousarray(chunk, dtype).tobytes())
