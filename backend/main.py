"""The app for an ASGI server: `uvicorn backend.main:app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from backend.config.settings import Settings
from backend.routes.application import build_app
from backend.startup import configure, open_container
from backend.utils.errors import TensoeError

if TYPE_CHECKING:
    from fastapi import FastAPI

    app: FastAPI


def create_app(settings: Settings | None = None) -> FastAPI:
    """An app that opens what it needs when it starts and closes it when it stops.

    Args:
        settings: read from the environment and `.env` when None.

    Raises:
        ConfigurationError: settings do not fit or are unsafe in production.
    """
    found = settings or Settings()
    configure(found)

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with open_container(found, server=True) as container:
            running.state.services = container.services
            yield

    return build_app(found, lifespan=lifespan)


def __getattr__(name: str) -> Any:
    # `app` is built when a server asks for it, not when something else is imported from here.
    if name != "app":
        raise AttributeError(name)
    try:
        built = create_app()
    except TensoeError as problem:
        raise SystemExit(f"tensoe: {problem}") from None
    globals()["app"] = built
    return built
