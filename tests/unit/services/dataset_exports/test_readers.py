"""Each line of docs/exports.md, run; and what only these readers can tell of an export."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.services.dataset_exports import FORMS, export
from tests.unit.services.dataset_exports.data_sets import PARTS, Made, make

DOCS = Path(__file__).parents[4] / "docs" / "exports.md"
SNIPPETS = [
    (section.partition("\n")[0], code)
    for section in DOCS.read_text(encoding="utf-8").split("\n## ")[1:]
    for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
]
NEEDED = ("torch", "datasets", "mlcroissant")
# Said by what reads, of what it calls itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}.items():
        monkeypatch.setenv(name, value)


def run(code: str, place: Path) -> dict[str, Any]:
    for module in NEEDED:
        if f"{module}" in code:
            pytest.importorskip(module)
    held: dict[str, Any] = {"place": place}
    exec(compile(code, "docs/exports.md", "exec"), held)
    return held


def test_every_form_is_in_the_docs() -> None:
    assert list(dict.fromkeys(form for form, _ in SNIPPETS)) == list(FORMS)


@pytest.mark.parametrize(("form", "code"), SNIPPETS, ids=[f"{f}-{i}" for i, (f, _) in enumerate(SNIPPETS)])
def test_a_line_of_the_docs_reads_the_export(tmp_path: Path, form: str, code: str) -> None:
    made = make(tmp_path / "set")
    place = export(made.folder, form=form, into=tmp_path / "out")
    held = run(code, place)
    ids = made.tables["features", "train"].column("id").to_pylist()
    if "frame" in held:
        assert list(held["frame"]["id"]) == ids or held["frame"].column("id").to_pylist() == ids
    elif "everything" in held:
        assert len(held["everything"]) == sum(PARTS.values())
        assert set(held["everything"]["part"]) == set(PARTS)
    elif "parts" in held:
        assert {name: len(part) for name, part in held["parts"].items()} == PARTS
        assert held["parts"]["train"]["id"][:] == ids
    elif "records" in held:
        assert [r["features_train/id"].decode() for r in held["records"]] == ids
    elif "titles" in held:
        assert held["titles"] == made.tables["tracks", "train"].column("title").to_pylist()
    elif "pairs" in held:
        assert [y.item() for _, y in held["pairs"]] == [np.float32(i / 3) for i in range(7) if i % 3 != 2]
        assert held["pairs"][0][0].shape == (5,)
    else:
        assert held["X"].shape == (PARTS["train"], 5)
        assert held["ids"].tolist() == ids
        assert held["names"].tolist() == [f.name for f in made.manifest.features]


def hugging_face(tmp_path: Path, **how: Any) -> tuple[Made, Path]:
    made = make(tmp_path / "set", **how)
    return made, export(made.folder, form="huggingface", into=tmp_path / "out")


@pytest.mark.parametrize("kind", ["number", "class", "flag", None])
def test_datasets_gives_the_very_tables_by_the_types_of_the_card(tmp_path: Path, kind: str | None) -> None:
    import datasets  # late: two seconds that only these tests need

    made, place = hugging_face(tmp_path, kind=kind)
    for what in ("features", "tracks"):
        builder = datasets.load_dataset_builder(str(place), what, cache_dir=str(tmp_path / "cache"))
        schema = made.tables[what, "train"].schema
        assert builder.info.features == datasets.Features.from_arrow_schema(schema)
        assert {name: s.num_examples for name, s in builder.info.splits.items()} == PARTS
        found = datasets.load_dataset(str(place), what, cache_dir=str(tmp_path / "cache"))
        for part in PARTS:
            table = found[part].data.table
            assert table.schema.remove_metadata() == schema
            assert table.to_pylist() == made.tables[what, part].to_pylist()


def test_datasets_takes_parts_of_any_name_and_size(tmp_path: Path) -> None:
    import datasets  # late: two seconds that only these tests need

    _, place = hugging_face(tmp_path, parts={"fold-1": 2, "fold.2": 1, "none": 0})
    found = datasets.load_dataset(str(place), cache_dir=str(tmp_path / "cache"))
    assert {name: len(part) for name, part in found.items()} == {"fold_1": 2, "fold_2": 1}


def test_the_header_of_the_card_is_read_as_it_was_meant(tmp_path: Path) -> None:
    import huggingface_hub as hub

    _, place = hugging_face(tmp_path, kind="class")
    data = hub.DatasetCard.load(place / "README.md").data.to_dict()
    assert data["pretty_name"] == "liked-by_us.v1"
    assert data["license_name"] == "rights-noncommercial"
    assert data["size_categories"] == ["n<1K"]
    assert data["task_categories"] == ["tabular-classification"]
    assert [f["name"] for f in data["dataset_info"][0]["features"]][-1] == "größe"


def test_croissant_is_valid_and_its_records_are_the_rows(tmp_path: Path) -> None:
    import mlcroissant

    made = make(tmp_path / "set", kind="class")
    for form in ("croissant", "huggingface"):
        place = export(made.folder, form=form, into=tmp_path / "out")
        dataset = mlcroissant.Dataset(jsonld=str(place / "croissant.json"))
        issues = dataset.metadata.ctx.issues
        assert (list(issues.errors), list(issues.warnings)) == ([], [])
        assert dataset.metadata.ctx.is_v1_1()
        assert [r["parts/rows"] for r in dataset.records("parts")] == list(PARTS.values())
        for (kind, part), table in made.tables.items():
            rows = list(dataset.records(f"{kind}_{part}"))
            assert len(rows) == table.num_rows
            assert all(len(row) == table.num_columns for row in rows)
        first = {k.partition("/")[2]: v for k, v in next(iter(dataset.records("tracks_train"))).items()}
        assert first["title"].decode() == "Here Comes the Sun"
        assert [g.decode() for g in first["genres"]] == ["rock", "beat"]
        assert (str(first["release_date"].date()), first["explicit"]) == ("1969-09-26", True)
        exact = next(iter(dataset.records("features_train")))["features_train/genre_r%26b"]
        assert exact == made.tables["features", "train"].column("genre_r&b")[0].as_py()
