"""Diagnostic: before it, and what it found."""

from quiz.ui.diagnostic import diagnostic

diagnostic()
