from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.features.discovery.choosing import Taste
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.storing import open_index, save
from backend.utils.errors import InvalidInputError
from tests.unit.features.discovery.test_index import many
from tests.unit.features.tracks import mixed, table


@pytest.mark.parametrize("exact_up_to", [100_000, 1_000])
def test_what_is_opened_answers_as_what_was_stored(tmp_path: Path, exact_up_to: int) -> None:
    sittings = [[f"artist{a}", f"artist{a + 1}", f"artist{a + 2}"] for a in range(0, 200, 2)]
    index = DiscoveryIndex.build(many(3_000), version="7", sittings=sittings, exact_up_to=exact_up_to)
    save(index, tmp_path)
    opened = open_index(tmp_path)
    assert opened.version == "7"
    assert isinstance(opened.base, np.memmap)
    assert (opened.lists is None) == (index.lists is None)
    for row in (0, 99, 2_999):
        assert opened.ask(opened.like([row]), Taste(k=20)) == index.ask(index.like([row]), Taste(k=20))
    late = table([{"id": "late", "title": "late", "artist": "artist 1", "genres": ["genre 1"]}])
    late = late.select(index.rows.table.column_names)
    assert opened.changed(late).ask(opened.like([0]), Taste(k=5)) == index.changed(late).ask(
        index.like([0]), Taste(k=5)
    )


def test_an_index_with_a_tail_is_not_stored_and_broken_folders_are_refused(tmp_path: Path) -> None:
    index = DiscoveryIndex.build(mixed(20))
    with pytest.raises(InvalidInputError, match="as it was built"):
        save(
            index.changed(table([{"id": "late", "title": "x", "artist": "y"}]).select(index.rows.table.column_names)),
            tmp_path,
        )
    with pytest.raises(InvalidInputError, match="holds no index"):
        open_index(tmp_path)
    save(index, tmp_path)
    told = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps({**told, "form": 0}))
    with pytest.raises(InvalidInputError, match="has form 0"):
        open_index(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps(told))
    np.save(tmp_path / "vectors.npy", index.base[:5])
    with pytest.raises(InvalidInputError, match="not whole"):
        open_index(tmp_path)
