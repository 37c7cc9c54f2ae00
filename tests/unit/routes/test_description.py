from __future__ import annotations

from backend.config.settings import Settings
from backend.routes.application import build_app


def test_each_schema_has_a_name_of_its_own() -> None:
    """Two classes of one name would get their modules' names, which would be what clients have to write."""
    names = build_app(Settings()).openapi()["components"]["schemas"]
    assert [name for name in names if name.startswith("backend__")] == []
