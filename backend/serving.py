"""An app behind a socket until a signal says stop."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn

from backend.utils.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_LEAVE_SECONDS: Final = 10  # that running answers get when the server stops
# How long a busy thread may keep others from Python (its own default: 5 ms). Answers hop between the loop and a worker thread,
# and at each hop they would wait so long for whoever follows the catalogue or parses a page.
_TURN_SECONDS: Final = 0.0005


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; taken before anything else is opened, so that a taken port is known at once.

    Raises:
        ConfigurationError: nobody may listen there, or somebody does already.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        cure = (
            "set API_PORT to a free port, or stop what uses it"
            if problem.errno in {errno.EADDRINUSE, errno.EACCES}
            else "set API_HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0"
        )
        raise ConfigurationError(f"Cannot listen on {host}:{port} ({problem.strerror}); {cure}") from problem


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


async def answer(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then let running answers end."""
    sys.setswitchinterval(_TURN_SECONDS)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_LEAVE_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave_quietly)
    await uvicorn.Server(config).serve(sockets=[listener])


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Makes the fastest event loop there is; None for Python's own."""
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


def _leave_quietly(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: uvicorn stops by itself, then raises the signal again, which must not end us before closing."""
