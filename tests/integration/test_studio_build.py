"""Building the pages: nothing is done twice, and what is there stays when a build fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.web import STUDIO
from backend.web.build import build
from backend.web.building import digest_of_sources


@pytest.fixture
def stamped(tmp_path: Path) -> Path:
    """Pages that were built from what the sources are now."""
    folder = tmp_path / "studio"
    folder.mkdir()
    (folder / ".stamp").write_text(digest_of_sources())
    (folder / "index.html").write_text("as it was")
    return folder


def test_nothing_is_built_while_the_sources_are_as_they_were(stamped: Path) -> None:
    assert build(folder=stamped) is False
    assert (stamped / "index.html").read_text() == "as it was"
    assert [path.name for path in stamped.parent.iterdir()] == ["studio"]


def test_a_build_replaces_older_pages_whole(stamped: Path) -> None:
    if not STUDIO.is_dir():
        pytest.skip("the studio is not built here: Node's packages may not be there either")
    (stamped / ".stamp").write_text("another")
    assert build(folder=stamped) is True
    assert "/studio/assets/" in (stamped / "index.html").read_text()
    assert (stamped / ".stamp").read_text() == digest_of_sources()
    assert {path.suffix for path in (stamped / "assets").iterdir()} >= {".js", ".css", ".gz"}
    assert [path.name for path in stamped.parent.iterdir()] == ["studio"], "nothing is left beside it"
