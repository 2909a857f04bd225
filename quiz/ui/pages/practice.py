"""Practice: the page a learner lands on."""

from quiz.ui.practice import practice

practice()
