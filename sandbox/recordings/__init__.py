"""Recordings: curves of small trainings that were sabotaged on purpose, for the items that ask "what went wrong here?".

Each recipe trains for a few seconds with one real fault in it and draws what a developer would have seen. What comes
out is kept as a JSON file in questions/recordings, so that the quiz shows a real run without training anything:

    python -m sandbox record                   record them all anew
    python -m sandbox record no-clipping       record one
    python -m sandbox record --check           record, compare with the files, write nothing

A new recipe is a function in one of the modules here, named in its RECIPES.
"""


class UnknownRecipe(ValueError):
    """There is no recipe of this name; the message lists those there are."""
