"""Commands that learn to estimate audio features, and say how good the estimates are."""

from __future__ import annotations

from typing import Any, Final

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, Level, err, opened, out, run, show_json
from backend.cli.upkeep import bar
from backend.models.ingestion_models import RightsLevel

features = typer.Typer(help="Estimates of audio features that nobody measured.", no_args_is_help=True)

_TITLES: Final = {
    "none": "no audio feature known",
    "some": "tempo, loudness, key known",
    "artist": "artist's other tracks known",
}
_COLUMNS: Final = (
    "known of the track",
    "tracks",
    "R²",
    "R² over genres",
    "error",
    "inside",
    "interval",
    "without a model",
)


@features.command("fit")
def fit(rights: Level = RightsLevel.ANY, as_json: Json = False) -> None:
    """Learn from the measured features that are stored, then estimate those that are missing.

    The terms of some sources bar training models on what they give (`tensoe status` lists them as restricted). With --rights open
    only values that may be used for anything are learnt from; the estimates may then be, too.
    """

    async def work() -> None:
        async with opened(worker=False) as container:
            with err.status("learning, and measuring on artists left out (about a minute) …"):
                learnt = await container.services.features.learn(rights)
            with bar("albums") as tell:
                rebuilt = await container.services.features.estimate(progress=tell)
        if as_json:
            show_json({"rights": rights, "digest": learnt.digest, "report": learnt.report, "rebuilt": rebuilt})
            return
        _show(rights.value, learnt.report)
        out.print(f"{rebuilt.albums:,} albums made anew, {rebuilt.changed:,} of them changed.")

    run(work())


@features.command("report")
def report(as_json: Json = False) -> None:
    """How good the estimates of each model are, on artists that it never heard."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.features.models()
        if as_json:
            show_json(found)
            return
        for model in found:
            _show(model.rights.value, model.report)
        if not found:
            out.print("No model has been learnt; `tensoe features fit` does it.")

    run(work())


@features.command("forget")
def forget(rights: Level = RightsLevel.ANY) -> None:
    """Remove what was learnt at a level of rights, and the estimates made with it."""

    async def work() -> None:
        async with opened(worker=False) as container:
            with bar("albums") as tell:
                found = await container.services.features.forget(rights, progress=tell)
        if found is None:
            out.print(f"No model of rights={rights.value} is stored.")
        else:
            out.print(f"The model of rights={rights.value} is gone; {found.changed:,} albums changed.")

    run(work())


def _show(rights: str, found: dict[str, Any]) -> None:
    shown = Table(title=f"Estimates, rights={rights}", title_justify="left", box=None, pad_edge=False)
    shown.add_column("feature")
    for name in _COLUMNS:
        shown.add_column(name, justify="left" if name == _COLUMNS[0] else "right")
    for line in found["lines"]:
        digits = 2 if line["feature"] in {"loudness", "tempo"} else 3
        shown.add_row(
            line["feature"],
            _TITLES[line["regime"]],
            f"{line['n']:,}",
            f"{line['r2']:.3f}",
            f"{line['r2_genres']:.3f}",
            f"{line['mae']:.{digits}f}",
            f"{line['coverage']:.1%}",
            f"{line['width']:.{digits}f}",
            f"{line['plain_width']:.{digits}f}",
        )
    out.print(shown)
    out.print(
        Text(
            f"Measured on {found['held_out']:,} tracks of {found['held_out_artists']:,} artists left out, then learnt from all "
            f"{found['rows']:,}. R² is against the mean of all tracks, and against that of the track's genres; inside: share of "
            "true values in the 90 % interval; docs/estimates.md says more.",
            style="dim",
        )
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(features, name="features")
