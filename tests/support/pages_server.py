"""Runs app.py on the stand-in: `python tests/support/pages_server.py PORT FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from streamlit.web import bootstrap

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import stand_in  # noqa: E402  the path above makes it importable


def serve(port: int, folder: Path) -> None:
    """The app answers on the port, with the stand-in where the services would be."""
    # The real package connects to a database when it is imported, so it never is.
    services = ModuleType("services")
    auth, payment = ModuleType("services.auth_service"), ModuleType("services.payment_service")
    auth.__dict__.update(vars(stand_in), auth_service=stand_in.AuthService(folder))
    payment.__dict__.update(vars(stand_in), payment_service=stand_in.PaymentService(folder))
    services.__dict__.update(auth_service=auth, payment_service=payment)
    sys.modules.update(
        {
            "services": services,
            "services.auth_service": auth,
            "services.payment_service": payment,
        }
    )
    bootstrap.load_config_options({"server.port": port, "server.address": "localhost"})
    bootstrap.run(str(ROOT / "app.py"), False, [], {})


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
