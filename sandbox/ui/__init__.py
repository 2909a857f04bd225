"""The lab page: controls, charts and words around a run."""
