"""What a server could answer at best: bytes out of memory, behind the same uvicorn. `python -m bench.bare PORT FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.serving import answer, listen, loop_factory


def app(folder: Path) -> Starlette:
    """Each file of a folder at its name."""
    bodies = {file.name: file.read_bytes() for file in folder.iterdir()}

    async def body(request: Request) -> Response:
        return Response(bodies[request.path_params["name"]], media_type="application/json")

    return Starlette(routes=[Route("/{name}", body)])


def main() -> None:
    """Serve until told to stop."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    with listen("127.0.0.1", port) as listener, asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(answer(app(folder), listener))


if __name__ == "__main__":
    main()
