"""Serves the empty page as Carousel is served: `python -m tests.bench.empty_server PORT`."""

import sys
from pathlib import Path

import streamlit as st
import uvicorn

if __name__ == "__main__":
    app = st.App(Path(__file__).with_name("empty_page.py"))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), ws="websockets-sansio", ws_per_message_deflate=False, log_level="warning")
