"""Every formula of the bank that ships, and one that is broken on purpose, set and coloured as the pages set them."""

import re

import streamlit as st

from questions.checks import texts_of
from questions.loader import load_bank
from quiz.ui.formulas import coloured

BROKEN = r"\frac{1"

formulas = {BROKEN}
for question in load_bank().questions:
    for place, text in texts_of(question):
        formulas |= {text} if place.endswith(".latex") else set(re.findall(r"\$([^$]+)\$", re.sub(r"`[^`]*`", "", text)))
st.markdown(coloured("\n\n".join(f"${formula}$" for formula in sorted(formulas))))
st.text(f"{len(formulas)} formulas")
