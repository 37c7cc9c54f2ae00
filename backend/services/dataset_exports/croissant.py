"""Croissant 1.1: Parquet files and `croissant.json`, which tells programs what is in them.

The wire form is that of <http://mlcommons.org/croissant/1.1>.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
import pyarrow as pa

from backend.models.datasets import ID, TARGET
from backend.services.dataset_exports.card import summary
from backend.services.dataset_exports.data_set import DataSet, Table, sha256
from backend.services.dataset_exports.table_files import TableFiles, beside, put_parquet

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "description": {"@container": "@language"},
    "name": {"@container": "@language"},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
} | {
    name: f"cr:{name}"
    for name in (
        "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
        "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
        "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
    )
}  # fmt: skip
"""The context that the specification prescribes word for word."""
_MEDIA_TYPE: Final = "application/x-parquet"  # the one that Croissant readers know
_IN_IDS: Final = "_-.="  # besides letters and digits; the name itself stands beside


class Croissant:
    """The form `croissant`."""

    name = "croissant"
    suffix = ""

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write the folder."""
        TableFiles(name=self.name, path=PATH, put=put_parquet).write(dataset, place)
        put(dataset, place)


PATH: Final = beside(".parquet")


def put(dataset: DataSet, place: Path) -> None:
    """Write `croissant.json` beside the tables' files, which are there."""
    text = msgspec.json.format(msgspec.json.encode(_described(dataset, place)), indent=2)
    (place / "croissant.json").write_bytes(text + b"\n")


def _described(dataset: DataSet, place: Path) -> dict[str, Any]:
    m = dataset.manifest
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "@id": f"tensoe-{m.fingerprint}",
        "name": m.name,
        "description": summary(dataset),
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "citeAs": dataset.citation,
        "datePublished": m.watermark.isoformat(),
        "license": [f"{s.source} ({s.rights}): {s.terms}" for s in dataset.rights.sources] or [m.rights],
        "version": f"{m.version}.0.0+{m.fingerprint[:12]}",
        "isLiveDataset": False,
        "creator": {"@type": "sc:Organization", "name": f"Tensoe {m.code}"},
        "keywords": ["music", "tabular", f"rights:{m.rights}"],
        "distribution": [_file(table, place / PATH(table)) for table in dataset.tables],
        "recordSet": [_splits(dataset), *(_records(dataset, table) for table in dataset.tables)],
    }


def _file(table: Table, path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{table.name}.parquet",
        "name": f"{table.name}.parquet",
        "description": f"The {table.kind} of the part {table.part}, {table.rows} rows by id.",
        "contentUrl": PATH(table),
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _MEDIA_TYPE,
        "sha256": sha256(path),
    }


def _splits(dataset: DataSet) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "parts",
        "name": "parts",
        "description": "The parts of the split, and how many rows each has.",
        "dataType": "cr:Split",
        "key": {"@id": "parts/name"},
        "field": [
            {"@type": "cr:Field", "@id": "parts/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "parts/rows", "name": "rows", "dataType": "cr:Int64"},
        ],
        "data": [{"parts/name": part, "parts/rows": rows} for part, rows in dataset.manifest.parts.items()],
    }


def _records(dataset: DataSet, table: Table) -> dict[str, Any]:
    told = {f.name: f"{f.kind} of {f.of}" + (f": {f.label}" if f.label else "") for f in dataset.manifest.features}
    told |= {
        ID: "The track, the same in features and tracks.",
        TARGET: f"What is to be predicted: {dataset.manifest.target}.",
    }
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": f"The {table.kind} of the part {table.part}.",
        "key": {"@id": f"{table.name}/{ID}"},
        "field": [_field(table, f, told) for f in table.schema],
    }


def _field(table: Table, column: pa.Field, told: dict[str, str]) -> dict[str, Any]:
    listed = pa.types.is_list(column.type)
    return {
        "@type": "cr:Field",
        "@id": f"{table.name}/{quote(column.name, safe=_IN_IDS)}",
        "name": column.name,
        "description": told.get(column.name, column.name) if table.kind == "features" else column.name,
        "dataType": _type(column.type.value_type if listed else column.type),
        **({"isArray": True, "arrayShape": "-1"} if listed else {}),
        "source": {"fileObject": {"@id": f"{table.name}.parquet"}, "extract": {"column": column.name}},
    }


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return f"cr:{'Int' if pa.types.is_signed_integer(kind) else 'UInt'}{kind.bit_width}"
    if pa.types.is_floating(kind):
        return f"cr:Float{kind.bit_width}"
    if pa.types.is_date(kind):
        return "sc:Date"
    return "sc:DateTime" if pa.types.is_timestamp(kind) else "sc:Text"
