"""`python -m bench.estimate TABLE.csv [--write]`: how good estimates of audio features are, on artists never heard.

TABLE.csv has the columns of TidyTuesday's spotify_songs.csv (2020-01-21). Without it made-up albums are measured.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# Before NumPy is imported: more threads than work make small fits slower on small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from bench.estimate_tables import made_up, songs
from bench.report import machine

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.features.estimate.report import Line, Report

PAGE = Path(__file__).parents[1] / "docs" / "estimates.md"
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Figures of every track, each by a model that heard nothing of its artist; and one whole fit."""

    name: str
    tracks: int
    artists: int
    report: Report
    worst: tuple[float, float]  # coverage, lowest and highest of any part, feature and regime
    fit_seconds: float  # CPU
    model_bytes: int
    album_ms: float
    many_seconds: float  # CPU, for 100,000 tracks
    categories: dict[str, tuple[float, float]]  # accuracy of a classifier and of the most frequent class


def measure(table: pa.Table, *, name: str) -> Findings:
    """Every artist held out once, in `PARTS` parts; then one fit as users do it, timed."""
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    from backend.features.estimate.artists import artist_keys
    from backend.features.estimate.estimator import fit
    from backend.features.estimate.model import folds, learn
    from backend.features.estimate.report import measure as compare

    keys = artist_keys(table.column("artist").to_pylist())
    part = folds(keys, rng=np.random.default_rng(0), parts=PARTS)
    reports = []
    with threadpool_limits(1):
        for i in range(PARTS):
            training, held_out = table.filter(pa.array(part != i)), table.filter(pa.array(part == i))
            reports.append(compare(learn(training, seed=i), training, held_out, rows=table.num_rows))
    started = time.process_time()
    estimator = fit(table)
    fit_seconds = time.process_time() - started
    album = _hidden(table.slice(0, 15))
    estimator.estimate(album)
    turns = []
    for _ in range(20):
        started = time.process_time()
        estimator.estimate(album)
        turns.append(time.process_time() - started)
    many = _hidden(pa.concat_tables([table] * (100_000 // table.num_rows + 1)).slice(0, 100_000))
    started = time.process_time()
    estimator.estimate(many)
    coverage = [line.coverage for report in reports for line in report.lines if line.feature != "time_signature"]
    return Findings(
        name=name,
        tracks=table.num_rows,
        artists=len(np.unique(keys)),
        report=_together(reports),
        worst=(min(coverage), max(coverage)),
        fit_seconds=fit_seconds,
        model_bytes=len(estimator.dumps()),
        album_ms=1000 * float(np.median(turns)),
        many_seconds=time.process_time() - started,
        categories=_categories(table, part),
    )


def _hidden(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    from backend.models.ingestion_models import AUDIO_FEATURES

    for name in AUDIO_FEATURES:
        table = table.set_column(table.schema.get_field_index(name), name, pa.nulls(table.num_rows, pa.float64()))
    return table


def _together(reports: Sequence[Report]) -> Report:
    """The parts' figures, weighted by their rows."""
    from backend.features.estimate.report import Line, Report

    lines = []
    for first in reports[0].lines:
        of = [r.of(first.feature, first.regime) for r in reports]
        n = [line.n for line in of]
        figures = {
            name: float(np.average([getattr(line, name) for line in of], weights=n))
            for name in ("r2", "r2_genres", "mae", "coverage", "width", "plain_width")
        }
        lines.append(Line(feature=first.feature, regime=first.regime, n=sum(n), **figures))
    held_out, artists = sum(r.held_out for r in reports), sum(r.held_out_artists for r in reports)
    return Report(rows=reports[0].rows, held_out=held_out, held_out_artists=artists, lines=tuple(lines))


def _categories(table: pa.Table, part: np.ndarray) -> dict[str, tuple[float, float]]:
    """How often a boosted classifier hits key and mode of artists never heard, from everything else that is known."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    from backend.features.columns import floats
    from backend.features.estimate.inputs import BLOCKS, Encoder

    found = {}
    training = part != 0
    encoder = Encoder.fitted(table)
    x, block_of = encoder.encode(table).x, encoder.block_of
    for name in ("key", "mode"):
        y = floats(table, name)
        there = ~np.isnan(y) & (y >= 0)
        inputs = x[:, (block_of != BLOCKS.index(name)) & (block_of != len(BLOCKS) - 1)]
        if there.sum() < 1_000:
            continue
        learnt, asked = there & training, there & ~training
        with threadpool_limits(1):
            model = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.06, max_leaf_nodes=15, random_state=0)
            hit = float((model.fit(inputs[learnt], y[learnt]).predict(inputs[asked]) == y[asked]).mean())
        classes, counts = np.unique(y[learnt], return_counts=True)
        found[name] = (hit, float((y[asked] == classes[counts.argmax()]).mean()))
    return found


TITLES = {
    "none": "No audio feature is known",
    "some": "Tempo, loudness and key are known (of tempo and loudness the other)",
    "artist": "No audio feature is known, but those of the artist's other tracks (not artist-disjoint)",
}


def page(found: Findings) -> str:
    """The findings as Markdown."""
    from backend.features.estimate.report import REGIMES

    parts = [
        f"`{found.name}`: {found.tracks:,} tracks of {found.artists:,} artists; each estimated by a model that heard nothing of "
        f"its artist (five parts of the artists)."
    ]
    for regime in REGIMES:
        lines = [line for line in found.report.lines if line.regime == regime]
        parts.append(f"**{TITLES[regime]}**\n\n{_table(lines)}")
    low, high = found.worst
    parts.append(f"Coverage of any single feature in any single part: {low:.1%} to {high:.1%}.")
    for name, (hit, most) in found.categories.items():
        parts.append(
            f"{name.capitalize()}, by a boosted classifier from everything else that is known, all audio features included: "
            f"right for {hit:.1%} of tracks; always naming the most frequent one is right for {most:.1%}."
        )
    parts.append(
        f"Fit (measuring included) {found.fit_seconds:.0f} CPU-seconds, model {found.model_bytes / 1e6:.1f} MB; an album of 15 "
        f"tracks {found.album_ms:.1f} ms, 100,000 tracks {found.many_seconds:.1f} CPU-seconds. {machine()}"
    )
    return "\n\n".join(parts)


def _table(lines: Sequence[Line]) -> str:
    head = "| feature | tracks | R² against the mean | R² against genre means | mean absolute error | inside the 90 % interval "
    rows = [f"{head}| width of it | width without a model |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for line in lines:
        digits = 2 if line.feature in {"loudness", "tempo"} else 3
        cells = [f"{line.n:,}", f"{line.r2:.3f}", f"{line.r2_genres:.3f}", f"{line.mae:.{digits}f}"]
        cells += [f"{line.coverage:.1%}", f"{line.width:.{digits}f}", f"{line.plain_width:.{digits}f}"]
        rows.append(f"| {line.feature} | {' | '.join(cells)} |")
    return "\n".join(rows)


def write(text: str) -> None:
    """Renew the figures in docs/estimates.md between the markers."""
    old = PAGE.read_text(encoding="utf-8")
    new, number = re.subn(f"{START}.*{END}", lambda _: f"{START}\n{text}\n{END}", old, flags=re.DOTALL)
    if number != 1:
        raise SystemExit(f"{PAGE} should hold {START} and {END} once")
    PAGE.write_text(new, encoding="utf-8")


def main() -> None:
    """Read the arguments, measure, print."""
    reader = argparse.ArgumentParser(prog="python -m bench.estimate", description=__doc__)
    reader.add_argument("table", nargs="?", type=Path, help="spotify_songs.csv; made-up albums when left out")
    reader.add_argument("--write", action="store_true", help="renew the figures in docs/estimates.md")
    given = reader.parse_args()
    if given.write and given.table is None:
        reader.error("figures of made-up albums are not for the page: name the table")
    table = made_up() if given.table is None else songs(given.table)
    text = page(measure(table, name=given.table.name if given.table else "made-up albums"))
    print(text)
    if given.write:
        write(text)


if __name__ == "__main__":
    main()
