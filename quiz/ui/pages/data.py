"""Your data: out, and in."""

from quiz.ui.data import your_data

your_data()
