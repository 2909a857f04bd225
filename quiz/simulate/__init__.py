"""Simulated learners, and what different ways of choosing the next item do for them. See docs/adaptive.md."""
