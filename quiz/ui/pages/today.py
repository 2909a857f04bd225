"""Today: the page a learner lands on."""

from quiz.ui.today import today

today()
