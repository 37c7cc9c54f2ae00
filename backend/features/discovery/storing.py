"""An index as a folder: opened by mapping its files, so that a restart costs no building.

| file | holds |
|---|---|
| `index.json` | form, version of the catalogue, what was learnt in words and numbers |
| `learnt.npz` | what was learnt in arrays |
| `rows.arrow` | the tracks and their codes; an Arrow file, not compressed |
| `vectors.npy` | n × (width + 1) float32 |
| `lists.faiss` | inverted lists, where there are any |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from backend.features.discovery.commonness import Commonness
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.neighbours import InvertedLists
from backend.features.discovery.rows import TrackRows
from backend.features.discovery.space import TrackSpace
from backend.utils.errors import InvalidInputError

FORM: Final = 2
"""Of the folder; another one is not read."""
_CODES: Final = ("ids", "artists", "albums", "songs", "recordings")


def save(index: DiscoveryIndex, folder: Path) -> None:
    """Write an index into an empty folder.

    Args:
        index: without a tail: as it was built.
        folder: is there, and empty.

    Raises:
        InvalidInputError: the index has a tail.
    """
    if len(index.tail):
        raise InvalidInputError("Only an index as it was built can be stored; build it again")
    words, arrays = _apart(index.space.learnt())
    arrays["commonness/sample"] = index.commonness.sample
    np.savez(folder / "learnt.npz", **arrays)
    np.save(folder / "vectors.npy", index.base)
    if index.lists is not None:
        index.lists.save(folder / "lists.faiss")
    table = index.rows.table
    for name in _CODES:
        table = table.append_column(f"code:{name}", pa.array(getattr(index.rows, name)))
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    told = {
        "form": FORM,
        "version": index.version,
        "learnt": words,
        "middle": index.commonness.middle,
        "rarity": index.rarity,
        "probes": None if index.lists is None else index.lists.probes,
    }
    (folder / "index.json").write_text(json.dumps(told), encoding="utf-8")


def open_index(folder: Path) -> DiscoveryIndex:
    """Map an index that `save` wrote.

    Raises:
        InvalidInputError: the folder holds none of this form.
    """
    try:
        told = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if told["form"] != FORM:
            raise InvalidInputError(f"{folder.name} has form {told['form']}, not {FORM}; build the index again")
        return _read(folder, told)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        pa.ArrowInvalid,
        RuntimeError,
    ) as problem:  # RuntimeError: faiss's own
        if isinstance(problem, InvalidInputError):
            raise
        raise InvalidInputError(f"{folder.name} holds no index that can be read: {problem}") from problem


def _read(folder: Path, told: Mapping[str, Any]) -> DiscoveryIndex:
    with np.load(folder / "learnt.npz", allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    sample = held.pop("commonness/sample")
    table = pa.ipc.open_file(pa.memory_map(str(folder / "rows.arrow"))).read_all()
    codes = {name: table.column(f"code:{name}").to_numpy() for name in _CODES}
    rows = TrackRows.made(
        table.drop_columns([f"code:{name}" for name in _CODES]), **codes, alive=np.ones(table.num_rows, bool)
    )
    base = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    space = TrackSpace.restore(_together(told["learnt"], held))
    if len(base) != len(rows) or base.shape[1] != space.width + 1:
        raise InvalidInputError(f"{folder.name} is not whole: {len(base)} vectors of {len(rows)} tracks")
    return DiscoveryIndex(
        version=told["version"],
        space=space,
        commonness=Commonness(sample, told["middle"]),
        rows=rows,
        base=base,
        tail=np.zeros((0, base.shape[1]), np.float32),
        lists=None
        if told["probes"] is None
        else InvertedLists.open(folder / "lists.faiss", probes=int(told["probes"])),
        rarity=told["rarity"],
    )


def _apart(learnt: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What JSON holds, and what arrays hold."""
    words: dict[str, dict[str, Any]] = {}
    arrays: dict[str, Any] = {}
    for block, values in learnt.items():
        words[block] = {}
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                arrays[f"{block}/{name}"] = value
            else:
                words[block][name] = value
    return words, arrays


def _together(words: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {block: dict(values) for block, values in words.items()}
    for path, array in arrays.items():
        block, _, name = path.partition("/")
        found[block][name] = array
    return found
