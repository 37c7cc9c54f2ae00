"""The command that says what a model on a data set has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backend.features.baselines import Baselines
    from backend.features.baselines.published import Figure
    from backend.models.datasets import Manifest


def bench(
    named: Annotated[str, typer.Argument(help="A data set's name, or the first digits of its fingerprint.")],
    seeds: Annotated[int, typer.Option(min=5, max=50, help="Times that each baseline learns.")] = 5,
    rows: Annotated[int, typer.Option(min=10, help="Training rows that each learns from at most.")] = 20_000,
    as_json: Json = False,
) -> None:
    """Train honest baselines on a data set and score them on its last part, which they never saw."""

    async def work() -> None:
        async with opened(worker=False) as container:
            manifest = await container.services.datasets.find(named)
            paths = {}
            for kind in ("features", "tracks"):
                for part in _parts(manifest):
                    path = f"{kind}/{part}.parquet"
                    paths[path] = await container.services.datasets.file(named, path)
        from backend.features.baselines.published import published  # late, as below

        with err.status("learning …"):
            found = _score(manifest, paths, seeds=seeds, rows=rows)
        if as_json:
            show_json({"dataset": manifest.fingerprint, "measured": found, "published": published(found.target)})
        else:
            _show(found)
            _show_published(published(found.target))

    run(work())


def _parts(manifest: Manifest) -> tuple[str, str]:
    from backend.utils.errors import InvalidInputError

    names = list(manifest.parts)
    if manifest.target is None or manifest.target_kind is None:
        raise InvalidInputError(f"{manifest.name} has no target; build it with target in its recipe")
    if len(names) < 2:
        raise InvalidInputError(
            f"{manifest.name} has one part only; baselines need one to learn from and one to score on"
        )
    return names[0], names[-1]


def _score(manifest: Manifest, paths: dict[str, Path], *, seeds: int, rows: int) -> Baselines:
    # Imported late: `tensoe --help` need not load Arrow and scikit-learn.
    import pyarrow.parquet as pq

    from backend.features.baselines import bench as score
    from backend.features.baselines.scoring import rows_of

    train, test = (
        rows_of(pq.read_table(paths[f"features/{part}.parquet"]), pq.read_table(paths[f"tracks/{part}.parquet"]))
        for part in _parts(manifest)
    )
    return score(
        train, test, target=manifest.target or "", kind=manifest.target_kind or "", seeds=seeds, most_rows=rows
    )


def _show(found: Baselines) -> None:
    columns = list(dict.fromkeys(s.score for s in found.scores))
    table = Table(
        "baseline", *(c.replace("_", " ") for c in columns), title=f"{found.target}: {found.test:,} test rows"
    )
    for name in dict.fromkeys(s.baseline for s in found.scores):
        of = {s.score: s for s in found.scores if s.baseline == name}
        table.add_row(name, *(f"{of[c].mean:.3f} ({of[c].low:.3f} to {of[c].high:.3f})" for c in columns))
    out.print(table)
    for note in found.notes:
        out.print(Text(note))


def _show_published(figures: Sequence[Figure]) -> None:
    if not figures:
        return
    table = Table("model", "split", "score", "value", "table", "source", title="Of other tables, to compare with care")
    for f in figures:
        table.add_row(f.model, f.split, f.score.replace("_", " "), f"{f.value:.3f}", f.table, f.source)
    out.print(table)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bench)
