"""The front end: `streamlit run app_with_payments.py`."""

from ui import shell

shell.run()
