"""The command that only works: takes steps of jobs until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress

import typer

from backend.cli.console import opened, out
from backend.utils.collector import look_less_often


def worker() -> None:
    """Work through jobs until stopped (Ctrl-C, SIGTERM); any number may run, on any host with the same DATABASE_URL.

    What is in work when it stops is given back at once; what a killed worker had is taken over by others after some seconds.
    """

    async def work() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: Ctrl-C ends it all the same
                loop.add_signal_handler(number, stopped.set)
        async with opened(worker=True) as container:
            look_less_often()
            out.print(
                f"Worker {os.getpid()} on {socket.gethostname()} takes steps of jobs; data: {container.database.place}"
            )
            await stopped.wait()
            out.print("Stopping: what is in work is given back.")

    # The loop of the server: the same work at half the cost.
    from backend.serving import loop_factory

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(work())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)
