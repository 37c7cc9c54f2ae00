"""The notebooks, run from an empty folder by a real kernel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has few types


def cells_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_it_is_kept_without_what_a_run_left_in_it(path: Path) -> None:
    cells = cells_of(read(path))
    assert [cell.outputs for cell in cells] == [[] for _ in cells]
    assert {cell.execution_count for cell in cells} == {None}


def test_ten_cells_lead_from_nothing_to_a_scored_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for name, value in {
        "TENSOE_HOME": str(tmp_path / "home"), "DATABASE_URL": "", "TENSOE_DEMO": "on", "OMP_NUM_THREADS": "1",
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "jupyter"), "IPYTHONDIR": str(tmp_path / "ipython"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    notebook = read(NOTEBOOKS / "first_model.ipynb")
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(work)}}).execute()
    cells = cells_of(notebook)
    assert len(cells) == 10
    _, loaded, _, built, certified, gained, dealt, _, scored, served = [printed(cell) for cell in cells]
    assert "72 albums: 72 complete" in loaded
    assert "mood:warm" in built
    assert certified.splitlines()[-1] == "passed"
    assert re.search(r"^artist +0 +must be 0", certified, re.MULTILINE)
    assert "accuracy" in gained
    train, test = re.findall(r"(\d+) tracks to learn from, (\d+) to score on", dealt)[0]
    assert int(train) + int(test) == 801
    # Made-up audio features follow the moods: a model that finds nothing in them is broken.
    assert float(re.findall(r"ROC-AUC ([\d.]+)", scored)[0]) > 0.8
    assert "the same 129 numbers" in served
