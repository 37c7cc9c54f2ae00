"""The `tensoe` command: what the API does, from a terminal. One module per noun; each adds its commands here."""

from __future__ import annotations

import typer
from rich.text import Text

from backend import __version__
from backend.cli import (
    backup,
    bench,
    catalogue,
    dataset,
    demo,
    discovery,
    doctor,
    evaluate,
    features,
    import_,
    job_control,
    jobs,
    key,
    listener,
    listens,
    matching,
    plan,
    refresh,
    upkeep,
    worker,
)
from backend.cli import (
    map as map_commands,
)
from backend.cli.console import err, out
from backend.utils.errors import InvalidInputError, TensoeError

app = typer.Typer(
    name="tensoe",
    help="Music data for machine learning: from a list of albums to a training matrix.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (
    bench,
    jobs,
    job_control,
    plan,
    refresh,
    worker,
    matching,
    catalogue,
    discovery,
    upkeep,
    backup,
    features,
    doctor,
):
    module.register(app)
app.add_typer(demo.demo, name="demo")
app.add_typer(map_commands.map_, name="map")
app.add_typer(import_.imports, name="import")
app.add_typer(listens.listens, name="listens")
app.add_typer(listener.listener, name="listener")
app.add_typer(key.key, name="key")
app.add_typer(dataset.dataset, name="dataset")
app.add_typer(evaluate.evaluate, name="evaluate")


def main() -> None:
    """Run the command; what goes wrong on purpose is one sentence and exit code 1, bad input 2."""
    try:
        app()
    except InvalidInputError as problem:
        err.print(Text(f"tensoe: {problem}", style="red"))
        raise SystemExit(2) from None
    except TensoeError as problem:
        err.print(Text(f"tensoe: {problem}", style="red"))
        raise SystemExit(1) from None


@app.command()
def serve() -> None:
    """Create or migrate the tables, then serve on API_HOST:API_PORT (the same as `python -m backend.startup`)."""
    from backend.startup import main as start

    raise typer.Exit(start())


@app.command()
def version() -> None:
    """Say the version."""
    out.print(__version__)
