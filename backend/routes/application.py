"""Puts routers, guards and error answers together into one FastAPI app; `startup` and `main` give it services."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from backend import __version__
from backend.config.settings import Settings
from backend.models.access import Deed
from backend.routes import (
    access_routes,
    album_routes,
    artist_routes,
    dataset_routes,
    discovery_routes,
    errors,
    import_routes,
    job_control_routes,
    job_following_routes,
    job_routes,
    listener_routes,
    listener_taste_routes,
    map_routes,
    matching_routes,
    metrics_routes,
    ml_routes,
    quality_routes,
    refresh_routes,
    search_routes,
    studio_routes,
    system_routes,
    table_routes,
    track_routes,
    user_routes,
)
from backend.routes.access import AccessGuard
from backend.routes.answer_time import AnswerTime
from backend.routes.body_limit import BodyLimit
from backend.routes.context import RequestContext
from backend.routes.dependencies import Services
from backend.routes.description import DESCRIPTION, TAGS, documented
from backend.routes.kept_answers import KeptAnswers
from backend.routes.rate_limit import Pace, RateLimit
from backend.services.access_service import AccessService
from backend.web import STATIC, STUDIO

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_EXPOSED = (
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Map-Points",
    "X-Map-Version",
    "X-Request-Id",
)


def build_app(
    settings: Settings, *, services: Services | None = None, lifespan: Lifespan | None = None, studio: Path = STUDIO
) -> FastAPI:
    """The app. Without services every route answers 503 until the lifespan has put them into `app.state.services`.

    Args:
        settings: all groups.
        services: what routes call.
        lifespan: opens and closes what the app needs.
        studio: where the built pages are, if they are.
    """
    app = FastAPI(
        title="Tensoe",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,  # our own page, which needs no other server
        redoc_url=None,
        redirect_slashes=False,  # a redirect repeats the Host header it was sent, and a proxy's scheme is unknown here
        lifespan=lifespan,
        middleware=_middleware(settings, lambda: getattr(app.state, "services", None)),
        # We trace by ourselves (`utils.tracing`): what FastAPI would tell goes through nobody's hands that redact it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        debug=False,  # Starlette's debug pages show local variables
    )
    app.state.services = services
    app.state.studio = studio
    errors.install(app)
    for module in (
        system_routes, access_routes, ml_routes, discovery_routes, map_routes, dataset_routes, refresh_routes, import_routes,
        table_routes,
        job_control_routes, job_following_routes, job_routes,  # in this order: "dead-letters" is no job's id
        matching_routes, album_routes,  # in this order: "unmatched" is no album's id
        search_routes, artist_routes, track_routes, user_routes,
        listener_routes, listener_taste_routes, quality_routes, metrics_routes, studio_routes,
    ):  # fmt: skip
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    documented(app, settings)
    return app


def _middleware(settings: Settings, services: Callable[[], Services | None]) -> list[Middleware]:
    """From the outside in: what costs least refuses first."""

    def count(**request: Any) -> None:
        if (found := services()) is not None:
            found.metrics.http_request(**request)

    def refused() -> None:
        if (found := services()) is not None:
            found.metrics.rate_limited()

    def pace() -> Pace | None:
        found = services()
        return None if found is None else found.pace

    def access() -> AccessService | None:
        found = services()
        return None if found is None else found.access

    def cleared() -> int | None:
        found = services()
        return None if found is None else found.analytics.forgotten()

    def note(deed: Deed) -> None:
        if (found := services()) is not None:
            found.deeds.note(deed)

    stack = [Middleware(RequestContext, count=count)]
    if settings.api.origins:
        stack.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.api.origins,
                allow_methods=("GET", "POST", "PATCH", "DELETE"),
                allow_headers=("Authorization", "Content-Type", "X-API-Key", "X-Request-Id"),
                expose_headers=_EXPOSED,
            )
        )
    stack.append(Middleware(AnswerTime, seconds=settings.api.api_answer_seconds))
    stack.append(Middleware(RateLimit, pace=pace, refused=refused))
    stack.append(Middleware(AccessGuard, access=access, pace=pace, note=note))
    streamed = import_routes.STREAMED | listener_routes.STREAMED | table_routes.STREAMED
    stack.append(Middleware(BodyLimit, max_bytes=settings.api.max_body_bytes, streamed=streamed))
    stack.append(Middleware(KeptAnswers, cleared=cleared))
    return stack
