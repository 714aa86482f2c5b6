"""Runs app.py on the stand-in: `python tests/support/pages_server.py PORT FOLDER`.

While the folder holds a file named `crowded`, the server is as late as a crowded one can be.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from streamlit.web import bootstrap

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# The path above makes these importable.
from tests.support import (  # noqa: E402
    stand_in,
    stand_in_media,
    stand_in_office,
    stand_in_studio,
)

LATEST_SECONDS = 5


def serve(port: int, folder: Path) -> None:
    """The app answers on the port, with the stand-in where the services would be."""
    # The real package connects to a database when it is imported, so it never is.
    services = ModuleType("services")
    auth, payment = ModuleType("services.auth_service"), ModuleType("services.payment_service")
    generation = ModuleType("services.generation_service")
    auth.__dict__.update(vars(stand_in), auth_service=stand_in.AuthService(folder))
    made = stand_in_studio.GenerationService(folder)
    paying = stand_in.PaymentService(folder, made.counts)
    payment.__dict__.update(vars(stand_in), payment_service=paying)
    generation.__dict__.update(vars(stand_in_studio), generation_service=made)
    services.__dict__.update(
        auth_service=auth, payment_service=payment, generation_service=generation
    )
    sys.modules.update(
        {
            "services": services,
            "services.auth_service": auth,
            "services.payment_service": payment,
            "services.generation_service": generation,
        }
    )
    stand_in_office.put_in_place()
    stand_in_media.serve(urlsplit(os.environ["WEB_URL"]).port)
    _crowd(folder / "crowded")
    bootstrap.load_config_options({"server.port": port, "server.address": "localhost"})
    bootstrap.run(str(ROOT / "app.py"), False, [], {})


def _crowd(sign: Path) -> None:
    """While there is a sign, a browser's word is heard when the run under way has just ended.

    That is the worst moment: nothing of what that run has drawn has left the server yet.
    """
    in_time = AppSession.handle_backmsg

    def late(self: AppSession, msg: BackMsg) -> None:
        runner = self._scriptrunner
        if sign.exists() and runner is not None and runner._script_thread is not None:
            runner._script_thread.join(LATEST_SECONDS)
        in_time(self, msg)

    AppSession.handle_backmsg = late  # type: ignore[method-assign]


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
