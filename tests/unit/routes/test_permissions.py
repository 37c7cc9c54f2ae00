"""What each path of the API needs: written out, so that a new one is decided on by somebody."""

from __future__ import annotations

import pytest

from backend.config.settings import Settings
from backend.models.access import Access, Caller
from backend.routes.application import build_app
from backend.routes.permissions import needed

OPEN = {"GET /", "GET /live", "GET /ready", "DELETE /session", "GET /session", "POST /session"}
PERSONAL = {
    "DELETE /listeners/{name}", "GET /listeners", "GET /listeners/{name}", "GET /listeners/{name}/compare/{other}",
    "GET /listeners/{name}/profile", "GET /listeners/{name}/recommendations", "GET /listeners/{name}/wanted",
    "POST /import/listens",
}  # fmt: skip
ADMIN = {
    "DELETE /albums/{album_id}", "DELETE /ml/datasets/{named}", "DELETE /system/keys/{key_id}", "DELETE /users/{name}",
    "GET /system/deeds", "GET /system/doctor", "GET /system/keys", "POST /system/keys",
}  # fmt: skip
ASKING = {
    "POST /ml/datasets/preview", "POST /ml/discover", "POST /ml/features", "POST /ml/ingest/list", "POST /ml/ingest/plan",
    "POST /ml/playlists/continue",
}  # fmt: skip


def test_the_document_tells_where_a_key_is_needed() -> None:
    for method, path, told in (
        ("post", "/ml/ingest/batch", True), ("get", "/listeners/{name}", True), ("get", "/system/keys", True),
        ("get", "/ml/genres", False), ("post", "/ml/features", False), ("get", "/live", False),
    ):  # fmt: skip
        responses = build_app(Settings()).openapi()["paths"][path][method]["responses"]
        assert ({"401", "403"} <= responses.keys()) is told, path


def test_every_path_needs_what_is_written_here() -> None:
    paths = build_app(Settings()).openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert served >= OPEN | PERSONAL | ADMIN | ASKING
    for asked in sorted(served):
        method, path = asked.split(" ")
        given = path.replace("{", "").replace("}", "")
        if asked in OPEN:
            assert needed(method, given) is None, asked
        elif asked in PERSONAL:
            assert needed(method, given) is Access.LISTENER, asked
        elif asked in ADMIN:
            assert needed(method, given) is Access.ADMIN, asked
        else:
            reads = method == "GET" or asked in ASKING
            assert needed(method, given) is (Access.READ if reads else Access.INGEST), asked


@pytest.mark.parametrize(
    "path", ["/listeners/anna/profile", "//listeners/anna", "/listeners/../listeners", "/system/doctor/"]
)
def test_no_spelling_of_a_path_needs_less_than_reading(path: str) -> None:
    assert needed("GET", path) is not None
    assert needed("DELETE", path) is not None


def test_scopes_imply_what_they_need_and_no_more() -> None:
    def caller(*scopes: Access, listener: str | None = None) -> Caller:
        return Caller(scopes=frozenset(scopes), listener=listener)

    assert all(caller(Access.ADMIN).may(access) for access in Access)
    assert caller(Access.INGEST).may(Access.READ)
    assert not caller(Access.INGEST).may(Access.ADMIN)
    assert not caller(Access.INGEST).may(Access.LISTENER)
    assert not caller(Access.READ).may(Access.INGEST)
    assert not caller().may(Access.READ)
    anna = caller(Access.LISTENER, listener="anna")
    assert anna.may_know("anna")
    assert not anna.may_know("bert")
    assert not anna.may_know(None)
    assert not caller(Access.READ, Access.INGEST).may_know("anna")
    assert caller(Access.ADMIN).may_know(None)
