"""How good recommendations are: protocols, measures, baselines (docs/evaluation.md); pure: tables in, figures out."""
