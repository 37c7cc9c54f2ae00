"""What is over-represented in a taste: log-odds with an informative Dirichlet prior.

Burt L. Monroe, Michael P. Colaresi, Kevin M. Quinn: Fightin' Words (Political Analysis 16, 2008), equations 16, 20 and 22:

    δ_w = ln((y_w + α_w) / (n + α - y_w - α_w)) - ln((r_w + α_w) / (m + α - r_w - α_w))
    z_w = δ_w / √(1 / (y_w + α_w) + 1 / (r_w + α_w))

with y_w counts of the listener and r_w of the reference, n and m their sums, and α_w the prior: `PRIOR` pseudo-counts laid out
as the reference is. The prior draws rare words to "no difference", so that two plays of something rare do not stand first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

PRIOR: Final = 100.0
"""Pseudo-counts of the prior, all together."""
SURE: Final = 1.96
"""The z from which something counts as over-represented: 2.5 % of those that are not would reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinctive:
    """Something that is played more than the reference has it.

    Attributes:
        name: a genre, mood or artist.
        share: of the listener's counts, 0 to 1.
        reference: of the reference's, 0 to 1.
        log_odds: δ, natural logarithm.
        z: δ in standard deviations.
    """

    name: str
    share: float
    reference: float
    log_odds: float
    z: float


def distinctive(
    counts: Mapping[str, float], reference: Mapping[str, float], *, prior: float = PRIOR, least: float = SURE
) -> list[Distinctive]:
    """What is over-represented, the surest first, ties by name.

    Args:
        counts: of the listener, as many as they are worth (see `figures.effective`).
        reference: counts of what it is measured against; names that are in `counts` alone are left out.
        prior: pseudo-counts of the prior, all together.
        least: the z from which on something is told.
    """
    names = sorted(name for name, n in reference.items() if n > 0)
    if not names:
        return []
    y = np.array([counts.get(name, 0.0) for name in names], dtype=np.float64)
    r = np.array([reference[name] for name in names], dtype=np.float64)
    n, m = y.sum(), r.sum()
    if not n or len(names) == 1:  # of nothing, or with nothing to choose from
        return []
    alpha = prior * r / m
    own, other = y + alpha, r + alpha
    delta = np.log(own / (n + prior - own)) - np.log(other / (m + prior - other))
    z = delta / np.sqrt(1 / own + 1 / other)
    found = [
        Distinctive(
            name=names[i],
            share=round(float(y[i] / n), 4),
            reference=round(float(r[i] / m), 6),
            log_odds=round(float(delta[i]), 4),
            z=round(float(z[i]), 3),
        )
        for i in np.flatnonzero((z >= least) & (y > 0))
    ]
    return sorted(found, key=lambda d: (-d.z, d.name))
