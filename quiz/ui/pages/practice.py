"""Practice: item after item, or the open diagnostic."""

from quiz.ui.practice import practice

practice()
