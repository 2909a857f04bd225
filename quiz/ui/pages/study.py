"""Study: the cards behind the questions."""

from quiz.ui.study import study

study()
