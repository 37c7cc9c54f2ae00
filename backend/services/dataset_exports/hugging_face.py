"""A folder as Hugging Face `datasets` reads it: Parquet files, and a card whose header names configurations, splits and types.

The header's wire form is the Hub's: <https://huggingface.co/docs/hub/datasets-cards>, dataset_info as `DatasetInfo` writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from backend.services.dataset_exports import croissant
from backend.services.dataset_exports.card import card
from backend.services.dataset_exports.croissant import PATH
from backend.services.dataset_exports.data_set import KINDS, DataSet, Kind, Table
from backend.services.dataset_exports.table_files import TableFiles, put_parquet
from backend.utils.errors import InvalidInputError

_SIZES: Final = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
_TASKS: Final = {"number": "tabular-regression", "class": "tabular-classification", "flag": "tabular-classification"}


class HuggingFace:
    """The form `huggingface`: configurations `features` (default) and `tracks`, a split per part; with Croissant metadata."""

    name = "huggingface"
    suffix = ""

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write the folder."""
        _splits(dataset)  # refused before anything is written
        TableFiles(name=self.name, path=PATH, put=put_parquet).write(dataset, place)
        croissant.put(dataset, place)
        text = "\n".join(("---", *_yaml(_header(dataset, place)), "---", "", card(dataset)))
        (place / "README.md").write_text(text, encoding="utf-8", newline="\n")


def _header(dataset: DataSet, place: Path) -> dict[str, Any]:
    m = dataset.manifest
    return {
        "pretty_name": m.name,
        "license": "other",
        "license_name": f"rights-{m.rights}",
        "task_categories": [_TASKS[m.target_kind]] if m.target_kind else ["other"],
        "tags": ["music", "tabular", "tensoe", f"rights:{m.rights}", f"fingerprint:{m.fingerprint}"],
        "size_categories": [_size(sum(m.parts.values()))],
        "configs": [_config(dataset, kind) for kind in KINDS],
        "dataset_info": [_info(dataset, kind, place) for kind in KINDS],
    }


def _size(rows: int) -> str:
    return next((name for power, name in enumerate(_SIZES, 3) if rows < 10**power), "n>1B")


def _splits(dataset: DataSet) -> dict[str, str]:
    """Parts as splits may be called: letters, digits and "_"."""
    names = {part: re.sub(r"\W", "_", part, flags=re.ASCII) for part in dataset.manifest.parts}
    if len(set(names.values())) < len(names):
        raise InvalidInputError(
            f"the parts {', '.join(names)} would have one name in datasets; rename one, or take parquet"
        )
    return names


def _config(dataset: DataSet, kind: Kind) -> dict[str, Any]:
    splits = _splits(dataset)
    files = [{"split": splits[t.part], "path": PATH(t)} for t in _filled(dataset, kind)]
    return {"config_name": kind, "data_files": files, **({"default": True} if kind == KINDS[0] else {})}


def _info(dataset: DataSet, kind: Kind, place: Path) -> dict[str, Any]:
    names = _splits(dataset)
    tables = _filled(dataset, kind)
    splits = [{"name": names[t.part], "num_bytes": _unpacked(place / PATH(t)), "num_examples": t.rows} for t in tables]
    return {
        "config_name": kind,
        "features": [{"name": f.name, **_type(f.type)} for f in tables[0].schema] if tables else [],
        "splits": splits,
        "download_size": sum((place / PATH(t)).stat().st_size for t in tables),
        "dataset_size": sum(s["num_bytes"] for s in splits),
    }


def _filled(dataset: DataSet, kind: Kind) -> list[Table]:
    """Those with rows: `datasets` takes a split without any for a fault."""
    return [table for table in dataset.of(kind) if table.rows]


def _unpacked(path: Path) -> int:
    said = pq.read_metadata(path)
    return sum(said.row_group(i).total_byte_size for i in range(said.num_row_groups))


def _type(kind: pa.DataType) -> dict[str, str]:
    if pa.types.is_list(kind):
        return {"list": _type(kind.value_type)["dtype"]}
    if pa.types.is_boolean(kind):
        return {"dtype": "bool"}
    if pa.types.is_floating(kind):
        return {"dtype": f"float{kind.bit_width}"}
    if pa.types.is_date32(kind):
        return {"dtype": "date32"}
    return {"dtype": str(kind)}


def _yaml(value: Any, deep: int = 0) -> Iterator[str]:
    """Block lists and mappings, scalars as JSON in quotes, which is YAML too."""
    pad = "  " * deep
    for key, held in value.items():
        if isinstance(held, list):
            yield f"{pad}{key}:"
            for item in held:
                lines = list(_yaml(item, deep + 1)) if isinstance(item, dict) else [f"{pad}  {_scalar(item)}"]
                yield f"{pad}- {lines[0].lstrip()}"
                yield from lines[1:]
        else:
            yield f"{pad}{key}: {_scalar(held)}"


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # What YAML takes for a line's end or refuses to read stands as its code point.
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
