"""Commands for the shipped demo catalogue and made-up albums."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.cli.console import err, opened, out, run
from backend.cli.job_display import follow, show_outcome

demo = typer.Typer(help="The shipped demo catalogue and made-up albums.", no_args_is_help=True)


@demo.command("load")
def demo_load() -> None:
    """Ingest the shipped demo catalogue (while TENSOE_DEMO allows it)."""

    async def work() -> None:
        async with opened(worker=True) as container:
            job_id = await container.ingestion.load_demo()
            if job_id is None:
                out.print(
                    "The demo is off: a provider's key is set, or TENSOE_DEMO=off. TENSOE_DEMO=on switches it on."
                )
                return
            await follow(container, job_id)
            await show_outcome(container, job_id, as_json=False)

    run(work())


@demo.command("generate")
def demo_generate(
    albums: Annotated[int, typer.Argument(help="How many made-up albums.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same albums.")] = 0,
) -> None:
    """Store made-up albums, for trying things out at size; every row says that it is synthetic."""

    async def work() -> None:
        async with opened(worker=False) as container:
            with err.status("making albums up …"):
                count = await container.services.demo.generate(albums, seed=seed)
        out.print(f"{count:,} made-up albums are stored.")

    run(work())


@demo.command("remove")
def demo_remove() -> None:
    """Remove the demo's and all made-up albums; what any real source knows stays."""

    async def work() -> None:
        async with opened(worker=False) as container:
            count = await container.services.demo.remove()
        out.print(f"{count:,} albums are removed.")

    run(work())
