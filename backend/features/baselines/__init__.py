"""Honest baselines on any data set (docs/baselines.md): what a model has to beat. Imported where used: it loads scikit-learn."""

from backend.features.baselines.scoring import Baselines, Score, bench

__all__ = ["Baselines", "Score", "bench"]
