"""Pure parts of the quiz: no Streamlit, no SQL, no clock. `now` and `rng` are passed in."""
