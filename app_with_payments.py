"""The front end: `streamlit run app.py`."""

from ui import shell

shell.run()
