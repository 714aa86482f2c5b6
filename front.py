"""The front end with our guards round it: what `talkingphoto up` runs."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from ui.headers import SecurityHeaders
from ui.uploads import OwnUploads

app = App("app.py", middleware=[Middleware(SecurityHeaders), Middleware(OwnUploads)])
