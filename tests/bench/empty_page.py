"""The least a Streamlit page can do: one button, one changed word. What our own clicks are compared with."""

import streamlit as st

if st.button("Go"):
    st.session_state["count"] = st.session_state.get("count", 0) + 1
st.text(f"clicks {st.session_state.get('count', 0)}")
