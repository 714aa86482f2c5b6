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
    stand_in_papers,
    stand_in_plans,
    stand_in_studio,
    stand_in_wallet,
)

LATEST_SECONDS = 5


def serve(port: int, folder: Path) -> None:
    """The app answers on the port, with the stand-in where the services would be."""
    made = stand_in_studio.GenerationService(folder)
    _put_in_place(
        {
            "auth_service": (stand_in, stand_in.AuthService(folder)),
            "payment_service": (stand_in, stand_in.PaymentService(folder, made.counts)),
            "generation_service": (stand_in_studio, made),
            "change_service": (stand_in_plans, stand_in_plans.ChangeService()),
            "subscription_service": (stand_in_plans, stand_in_plans.SubscriptionService()),
            "retry_service": (stand_in_plans, stand_in_plans.RetryService()),
            "wallet_service": (stand_in_wallet, stand_in_wallet.WalletService()),
            "invoice_service": (stand_in_papers, stand_in_papers.InvoiceService()),
            "refund_service": (stand_in_papers, stand_in_papers.RefundService()),
        }
    )
    stand_in_office.put_in_place()
    stand_in_media.serve(urlsplit(os.environ["WEB_URL"]).port)
    _crowd(folder / "crowded")
    bootstrap.load_config_options({"server.port": port, "server.address": "localhost"})
    bootstrap.run(str(ROOT / "app.py"), False, [], {})


def _put_in_place(services: dict[str, tuple[ModuleType, object]]) -> None:
    """`from services import x` finds the stand-in: the real package wants a database at once."""
    package = ModuleType("services")
    sys.modules["services"] = package
    for name, (module, service) in services.items():
        made = ModuleType(f"services.{name}")
        made.__dict__.update(vars(module))
        made.__dict__[name] = service
        package.__dict__[name] = made
        sys.modules[f"services.{name}"] = made


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
