"""An evaluation as tables; piped they are Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from backend.cli.console import out

if TYPE_CHECKING:
    from backend.features.evaluation.report import Evaluation, Line

_TITLES: Final[dict[str, str]] = {
    "recall@10": "recall@10", "recall@100": "recall@100", "ndcg@100": "NDCG@100", "ndcg@10": "NDCG@10",
    "r_precision": "R-precision",
    "new_artists_recall@100": "new artists: recall@100", "new_artists_ndcg@100": "NDCG@100",
    "cold_recall@100": "cold: recall@100", "cold_ndcg@100": "NDCG@100 ",
    "diversity@10": "diversity@10", "novelty@10": "novelty@10, bits", "miscalibration@10": "miscalibration@10",
    "popularity_lift@10": "popularity lift@10",
    "coverage@10": "coverage@10", "reachability@10": "reachability@10", "skewness@10": "skew of occurrence",
}  # fmt: skip
_GROUPS: Final = (
    ("recall@10", "recall@100", "ndcg@100", "r_precision", "ndcg@10"),
    ("new_artists_recall@100", "new_artists_ndcg@100", "cold_recall@100", "cold_ndcg@100"),
    ("diversity@10", "novelty@10", "miscalibration@10", "popularity_lift@10"),
)


def show(found: Evaluation) -> None:
    """Print the tables of one protocol."""
    asked = f"{found.asked:,} of {found.lists:,} lists asked, {found.items:,} items ranked"
    out.print(Text(f"\n{found.protocol}: {asked}, {_counted(len(found.seeds), 'deal')}", style="bold"))
    for number, group in enumerate(_GROUPS):
        columns = [m for m in group if any(m in line.measures for line in found.lines)]
        whole = [m for m in _TITLES if number == _whole_with(found) and any(m in line.whole for line in found.lines)]
        if columns or whole:
            out.print(_table(found, columns, whole, against=number == 0))
    for line in found.lines:
        if line.note:
            out.print(Text(f"{line.method}: {line.note}", style="dim"))
    for note in found.notes:
        out.print(Text(note, style="dim"))
    out.print(Text(found.verdict + "."))


def _table(found: Evaluation, columns: Sequence[str], whole: Sequence[str], *, against: bool) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("method")
    for column in (*columns, *whole):
        table.add_column(_TITLES[column], justify="right")
    if against:
        table.add_column(f"{_TITLES[found.headline]} against ours, paired", justify="right")
    for line in found.lines:
        table.add_row(Text(line.method), *_cells(line, columns, whole, against=found.headline if against else None))
    return table


def _cells(line: Line, columns: Sequence[str], whole: Sequence[str], *, against: str | None) -> list[str]:
    cells = []
    for column in columns:
        at = line.measures.get(column)
        cells.append("–" if at is None else f"{at.mean:.3f} ({at.low:.3f} to {at.high:.3f})")
    cells += [f"{line.whole[m]:.3f}" if m in line.whole else "–" for m in whole]
    if against is not None:
        apart = line.against_ours.get(against)
        cells.append("" if apart is None else f"{apart.mean:+.3f} ({apart.low:+.3f} to {apart.high:+.3f})")
    return cells


def _whole_with(found: Evaluation) -> int:
    """Beside which measures those of all lists together stand: the last ones, or the first where there are no others."""
    return 2 if any("diversity@10" in line.measures for line in found.lines) else 0


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
