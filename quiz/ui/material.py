"""What an item shows besides its prompt: code to read, recorded curves to look at."""

from __future__ import annotations

import streamlit as st

from questions.schema import Asked, CodeItem, DiagnoseItem, Recording
from quiz.ui.formulas import GATES, gate_colours


def show_material(item: Asked) -> None:
    """The code of a code item, the curves of a diagnose item; nothing for another format."""
    if isinstance(item, CodeItem):
        with st.container(key="snippet"):
            st.code(item.code, language="python", line_numbers=True)
    elif isinstance(item, DiagnoseItem) and item.curves is not None:
        _curves(item.curves)


def _curves(recording: Recording) -> None:
    """The chart, with its text alternative on the chart for a screen reader and below it for everybody."""
    from quiz.ui.charts import recording_figure  # plotly: only where a chart is drawn

    st.markdown(f"**{recording.title}**")
    st.plotly_chart(
        recording_figure(recording, dict(zip(GATES, gate_colours(), strict=True))),
        key="recording",
        config={"displayModeBar": False, "scrollZoom": False},
        alt=recording.text,
    )
    st.expander("The chart in words", icon=":material/notes:", key="chart_in_words").markdown(recording.text)
