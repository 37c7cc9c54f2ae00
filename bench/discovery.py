"""The index of tracks: how near to the truth, how fast beside the bare library, how long it takes to build and to open.

`python -m bench.discovery [--rows 100000 1000000]`. The catalogue is made up: artists of some hundred styles, each with its
genres, years and sound. The bare query is the library's own search (faiss, or NumPy's products where all are compared) with the
same vectors, for as many candidates as the index looks at; ours is `DiscoveryIndex.best`: candidates, exact scores by group,
songs and artists counted. Both take turns.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend.features.columns import CONTINUOUS
from backend.features.discovery.choosing import Taste
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.neighbours import largest
from backend.features.discovery.rows import READS
from backend.features.discovery.storing import open_index, save

STYLES = 400
QUESTIONS = 500
K = 10


def made_up(rows: int, *, seed: int = 0) -> pa.Table:
    """A catalogue of `rows` tracks, ten an album, two albums an artist."""
    dice = np.random.default_rng(seed)
    artists = max(rows // 20, 1)
    style_of = dice.integers(0, STYLES, artists)
    genres = [[f"genre {g}" for g in dice.choice(300, 4, replace=False)] for _ in range(STYLES)]
    moods = [[f"mood {m}" for m in dice.choice(40, 3, replace=False)] for _ in range(STYLES)]
    centre = dice.random((STYLES, len(CONTINUOUS)))
    years = dice.integers(1955, 2025, STYLES)
    artist = np.arange(rows) // 20 % artists
    style = style_of[artist]
    picked = dice.random((rows, 4)) < 0.6
    sound = np.clip(centre[style] + dice.normal(0, 0.15, (rows, len(CONTINUOUS))), 0, 1).astype(np.float32)
    values: dict[str, Any] = {
        "id": [f"t{i:08}" for i in range(rows)],
        "title": [f"Song {i}" for i in range(rows)],
        "artist": [f"Artist {a}" for a in artist],
        "album": [f"Album {i // 10}" for i in range(rows)],
        "album_id": [f"a{i // 10:07}" for i in range(rows)],
        "release_year": pa.array(np.clip(years[style] + dice.integers(-6, 7, rows), 1900, 2026), pa.int32()),
        "synthetic": pa.array(np.ones(rows, bool)),
        "genres": pa.array(
            [
                [g for g, there in zip(genres[s], row, strict=True) if there]
                for s, row in zip(style, picked, strict=True)
            ]
        ),
        "moods": pa.array([moods[s] for s in style]),
        **{name: pa.array(sound[:, i]) for i, name in enumerate(CONTINUOUS)},
        "popularity": pa.array(dice.integers(0, 101, rows), pa.int32()),
        "recording_id": pa.nulls(rows, pa.string()),
        "duration_ms": pa.array(dice.integers(90_000, 400_000, rows), pa.int32()),
        "explicit": pa.array(dice.random(rows) < 0.1),
        "mood_valence": pa.array(sound[:, -1]),
        "mood_arousal": pa.array(sound[:, 2]),
    }
    return pa.table({name: values[name] for name in READS})


def measure(rows: int) -> list[str]:
    """What is found, for people."""
    table = made_up(rows)
    started = time.process_time(), time.perf_counter()
    index = DiscoveryIndex.build(table)
    cpu, wall = (now - before for now, before in zip((time.process_time(), time.perf_counter()), started, strict=True))
    drawn = np.random.default_rng(1).choice(rows, QUESTIONS, replace=False)
    taste = Taste(k=K, per_artist=3)
    queries = [index.like([int(row)]) for row in drawn]
    asked = [np.append(query.vector, np.float32(-1)) for query in queries]
    bare, ours = [], []
    for i, query in enumerate(queries):
        for way in (0, 1) if i % 2 else (1, 0):
            began = time.perf_counter()
            if way:
                index.best(query, taste)
                ours.append(time.perf_counter() - began)
            else:
                _bare(index, asked[i])
                bare.append(time.perf_counter() - began)
    compared = "all compared" if index.lists is None else f"{index.lists.probes} of {index.lists.index.nlist} lists"
    told = [
        f"{rows:,} tracks of {index.space.width} numbers, {compared}",
        f"  built in {cpu:.1f} CPU-s ({wall:.1f} s), peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB",
        f"  recall@{K} against comparing all: {_recall(index, queries, taste):.4f}",
    ]
    for name, q in (("median", 50), ("p99", 99)):
        one, other = np.percentile(ours, q), np.percentile(bare, q)
        told.append(f"  {name}: ours {one * 1e3:.2f} ms, bare {other * 1e3:.2f} ms, ratio {one / other:.2f}")
    with tempfile.TemporaryDirectory(prefix="tensoe-index-") as folder:
        save(index, Path(folder))
        began = time.perf_counter()
        opened = open_index(Path(folder))
        first = opened.ask(queries[0], taste)
        seconds, same = time.perf_counter() - began, first == index.ask(queries[0], taste)
        told.append(f"  opened from disk and asked: {seconds:.2f} s; the same answer: {same}")
    began = time.perf_counter()
    later = index.changed(
        table.slice(0, 10).set_column(0, "id", pa.array([f"n{i}" for i in range(10)])), version="later"
    )
    found = later.ask(later.like([later.rows.find("n0")]), taste)
    told.append(f"  an album added and asked for: {time.perf_counter() - began:.2f} s ({len(found)} answers)")
    return told


def _bare(index: DiscoveryIndex, asked: Any) -> Any:
    if index.lists is not None:
        return index.lists.search(asked, 160)
    return largest(index.base @ asked, 160)


def _recall(index: DiscoveryIndex, queries: list[Any], taste: Taste) -> float:
    from dataclasses import replace

    exact = replace(index, lists=None)
    hits = wanted = 0
    for query in queries[:200]:
        truth = set(exact.best(query, taste)[0].tolist())
        hits += len(truth & set(index.best(query, taste)[0].tolist()))
        wanted += len(truth)
    return hits / max(wanted, 1)


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    for rows in parser.parse_args().rows:
        print(*measure(rows), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
