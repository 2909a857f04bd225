"""Asking, grading, adapting and remembering."""
