"""Progress: what is known, what is due and what the lab has shown."""

from quiz.ui.progress import progress

progress()
