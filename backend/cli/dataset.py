"""Commands for data sets: build, list, show, check, export, delete."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from backend.cli.console import Json, err, opened, out, run, show_json
from backend.cli.upkeep import bar

if TYPE_CHECKING:
    from backend.models.datasets import Manifest

dataset = typer.Typer(
    help="Data sets: rows, parts that don't leak, features and where it all comes from.", no_args_is_help=True
)

Named = Annotated[str, typer.Argument(help="A name (its newest build), or the first digits of a fingerprint.")]
Other = Annotated[
    str | None,
    typer.Argument(help="The later of both. Left out: the first, compared with the build of its name before it."),
]
_DIGITS = 12  # of a fingerprint, on the screen


@dataset.command("build")
def build(
    recipe: Annotated[Path, typer.Argument(help="A TOML file, or a recipe.json; see docs/datasets.md.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="A past moment, as 2026-01-31T12:00:00Z: made of what was known then."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a data set from a recipe. The same recipe over the same knowledge is the same data set, and is kept once."""
    from backend.services.recipes import read_moment, read_recipe

    asked = read_recipe(recipe)
    if as_of is not None:
        asked = replace(asked, as_of=read_moment(as_of))

    async def work() -> None:
        async with opened(worker=False) as container:
            with err.status(Text(f"building {asked.name} …")):
                built = await container.services.datasets.build(asked)
        if as_json:
            show_json({"manifest": built.manifest, "folder": str(built.folder), "is_new": built.is_new})
            return
        _show(built.manifest)
        out.print(
            Text(f"{'Built' if built.is_new else 'Nothing has changed: it was there already'}, in {built.folder}")
        )

    run(work())


@dataset.command("list")
def list_(as_json: Json = False) -> None:
    """List all data sets, by name, the newest first."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.datasets.all()
        if as_json:
            show_json(found)
            return
        table = Table(
            "name", "fingerprint", "knowledge of", "rows", "features", "target", "rights", box=None, pad_edge=False
        )
        for m in found:
            table.add_row(
                m.name, m.fingerprint[:_DIGITS], f"{m.watermark:%Y-%m-%d %H:%M} UTC", f"{sum(m.parts.values()):,}",
                str(len(m.features)), m.target or "", m.rights,
            )  # fmt: skip
        out.print(table if found else "No data set yet: tensoe dataset build RECIPE.toml")

    run(work())


@dataset.command("show")
def show(named: Named, as_json: Json = False) -> None:
    """Say what a data set is made of."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.datasets.find(named)
        if as_json:
            show_json(found)
        else:
            _show(found)

    run(work())


@dataset.command("check")
def check(named: Named) -> None:
    """Compare every file of a data set with its manifest. Exit code: 0 all as it was built, 1 not."""

    async def work() -> None:
        async with opened(worker=False) as container:
            damaged = await container.services.datasets.damaged(named)
        for path in damaged:
            out.print(Text(f"{path} is gone or not what was built", style="red"))
        if damaged:
            raise typer.Exit(1)
        out.print("Every file is what was built.")

    run(work())


@dataset.command("diff")
def diff(
    one: Named,
    other: Other = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="Rows, values and figures shown of each kind; all are counted.")
    ] = 10,
    as_csv: Annotated[bool, typer.Option("--csv", help="A line per change and per count.")] = False,
    as_json: Json = False,
) -> None:
    """Say how a data set differs from another, and why: rows, values, columns, what was learnt.

    With one name: how its newest build differs from the one before.
    """

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.dataset_comparison.diff(one, other, limit=limit)
        from backend.features import changes  # late: it loads DuckDB

        if as_json:
            show_json(found.to_plain())
        elif as_csv:
            sys.stdout.buffer.write(changes.as_csv(found))
            sys.stdout.flush()
        else:
            for line in changes.as_text(found):
                out.print(Text(line))

    run(work())


@dataset.command("drift")
def drift(
    one: Named,
    other: Other = None,
    page: Annotated[
        Path | None, typer.Option("--html", help="Write the quality report with the drift as a page.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how far the values of a data set drifted since another one.

    With one name: since the build before its newest one.
    """

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.dataset_comparison.drift(one, other)
        report = found.report
        if page is not None:
            from backend.features.quality import as_html  # late: it loads Arrow

            page.write_text(as_html(report), encoding="utf-8")
        if as_json:
            show_json(report.to_plain())
            return
        table = Table("field", "drift", "PSI", "KS", "variation", "known before", "known now", box=None, pad_edge=False)
        for d in report.drift or ():
            figures = ("" if f is None else f"{f:.3f}" for f in (d.psi, d.ks, d.variation))
            table.add_row(d.field, d.grade, *figures, f"{d.coverage_before:.1%}", f"{d.coverage_after:.1%}")
        out.print(
            Text(f"{found.before.name} {found.before.fingerprint[:_DIGITS]} → {found.after.fingerprint[:_DIGITS]}")
        )
        out.print(table)
        if page is not None:
            out.print(Text(str(page)))

    run(work())


@dataset.command("export")
def export(
    named: Named,
    form: Annotated[
        str,
        typer.Option(
            "--form", "-f", help="csv, parquet, arrow, ndjson, npz, huggingface, croissant, sqlite or duckdb."
        ),
    ],
    into: Annotated[Path, typer.Option("--into", "-o", help="The folder to write into.")] = Path(),
) -> None:
    """Write a data set in a form that others read; docs/exports.md shows how each is read."""

    async def work() -> None:
        async with opened(worker=False) as container:
            with bar("rows") as tell:
                made = await container.services.datasets.export(named, form=form, into=into, progress=tell)
        out.print(Text(str(made)))

    run(work())


@dataset.command("delete")
def delete(named: Named, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Remove a data set; what was exported of it stays. Its recipe builds it again."""

    async def work() -> None:
        async with opened(worker=False) as container:
            found = await container.services.datasets.find(named)
            if not yes:
                typer.confirm(f"Remove {found.name} {found.fingerprint[:_DIGITS]}?", abort=True)
            await container.services.datasets.remove(found.fingerprint)
        out.print(Text(f"Removed {found.name} {found.fingerprint[:_DIGITS]}."))

    run(work())


def _show(found: Manifest) -> None:
    about = Table(box=None, show_header=False, pad_edge=False)
    rows = ", ".join(f"{name} {n:,}" for name, n in found.parts.items())
    kinds: dict[str, int] = {}
    for feature in found.features:
        kinds[feature.kind] = kinds.get(feature.kind, 0) + 1
    columns = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    target = f"{found.target} ({found.target_kind})" if found.target else "none"
    size = sum(f.bytes for f in found.files)
    for name, value in (
        ("data set", found.name), ("fingerprint", found.fingerprint),
        ("knowledge of", f"{found.watermark:%Y-%m-%d %H:%M:%S} UTC"),
        ("rows", rows), ("features", f"{len(found.features)}: {columns}"), ("target", target), ("rights", found.rights),
        ("size", f"{size / 1e6:,.1f} MB in {len(found.files)} files"), ("built by", f"Tensoe {found.code}"),
    ):  # fmt: skip
        about.add_row(Text(name, style="dim"), Text(value))
    for lost in found.lost:
        about.add_row(Text("missing", style="dim"), Text(lost.said, style="yellow"))
    out.print(about)
