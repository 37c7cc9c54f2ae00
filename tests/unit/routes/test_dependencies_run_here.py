"""What a route depends on is decided in the loop: a plain function would cost each request a hop to a thread and back."""

from __future__ import annotations

import inspect

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter

from backend import routes


def dependants(router: APIRouter) -> dict[str, list[Dependant]]:
    """What each path depends on, all the way down."""
    found: dict[str, list[Dependant]] = {}
    for route in router.routes:
        if isinstance(route, APIRoute):
            waiting, seen = [route.dependant], []
            while waiting:
                seen.append(waiting.pop())
                waiting += seen[-1].dependencies
            found[route.path] = seen[1:]
    return found


def test_no_dependency_needs_a_thread() -> None:
    import importlib
    import pkgutil

    modules = [importlib.import_module(f"backend.routes.{m.name}") for m in pkgutil.iter_modules(routes.__path__)]
    routers = [m.router for m in modules if isinstance(getattr(m, "router", None), APIRouter)]
    found = [(path, d.call) for router in routers for path, all_of in dependants(router).items() for d in all_of]
    assert len(found) > 50
    for path, call in found:
        assert call is not None
        runs_here = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
        assert runs_here, f"{path} depends on {call}"
