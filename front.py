"""The front end with our headers on every answer: what `talkingphoto up` runs."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from ui.headers import SecurityHeaders

app = App("app.py", middleware=[Middleware(SecurityHeaders)])
