"""Runs: every run of the lab, to be found again, annotated, compared, repeated and deleted."""

from sandbox.ui.runs import runs

runs()
