"""Streamlit pages: they call services, show what is true, and hold no rule."""
