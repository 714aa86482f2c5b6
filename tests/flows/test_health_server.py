"""The web process as it is really run: gunicorn, the guide's thread, and how each of them ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.support.databases import TestServer
from tests.support.sandbox import SandboxProcess
from tests.support.visitors import COOKIE, ORIGIN, PASSWORD
from tests.support.web_process import GUNICORN, ROOT, WebProcess, slow_form

FORM = f"email=ada%40example.com&password={quote(PASSWORD)}&terms=yes"
WORKERS = {"sync": (), "gthread": ("-k", "gthread", "--threads", "4")}
# The guide's option B, as Streamlit runs it: once more with every rerun. Each line read is a rerun.
OPTION_B = """
import json, sys, threading
from services.webhook_service import create_webhook_app

def start_webhook_server():
    app = create_webhook_app()
    app.run(host='0.0.0.0', port={port}, debug=False)

first = threading.Thread(target=start_webhook_server, daemon=True)
first.start()
for line in sys.stdin:
    again = threading.Thread(target=start_webhook_server, daemon=True)
    again.start()
    again.join(10)
    workers = [thread for thread in threading.enumerate() if thread.name == 'embedded-worker']
    print(json.dumps([first.is_alive(), again.is_alive(), len(workers)]), flush=True)
"""


@pytest.fixture
def url(postgres: TestServer) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.mark.parametrize("kind", WORKERS)
def test_o2_a_slow_request_is_answered_before_the_process_ends(url: str, kind: str) -> None:
    program = (*GUNICORN[:-1], *WORKERS[kind], GUNICORN[-1])
    with WebProcess(url, program) as web, slow_form(web, "/auth/register", FORM) as form:
        form.await_reader()
        web.process.send_signal(signal.SIGTERM)
        web.await_line("Handling signal: term")
        wait_until_unanswered(web)
        answer = form.finish()
        assert answer.startswith("HTTP/1.1 303")
        assert f"Set-Cookie: {COOKIE}=" in answer
        assert web.process.wait(30) == 0
        with pytest.raises(ConnectionRefusedError):
            web.connect()


def wait_until_unanswered(web: WebProcess) -> None:
    """The workers take up nothing new; the signal reaches them a moment after their master."""
    for _ in range(200):
        try:
            requests.get(f"{web.base}/healthz", timeout=1)
        except requests.RequestException:
            return
    raise AssertionError("new requests are still answered")


def wait_until_refused(web: WebProcess) -> None:
    for _ in range(2000):
        try:
            web.connect().close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue  # taken by a socket that was closing just then
    raise AssertionError("new connections are still taken")


def test_processes_of_one_server_add_up_their_counts(url: str, tmp_path: Path) -> None:
    program = (*GUNICORN[:-1], "-w", "2", GUNICORN[-1])
    with WebProcess(url, program, environment={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}) as web:
        for number in range(24):
            fields = {"email": f"person{number}@example.com", "password": PASSWORD}
            answer = requests.post(
                f"{web.base}/auth/login",
                data=fields,
                headers={"Origin": ORIGIN},
                allow_redirects=False,
                timeout=15,
            )
            assert answer.status_code == 303
        counted = requests.get(f"{web.base}/metrics", timeout=15).text
        total = re.search(r'sign_ins_total\{result="auth.mismatch"\} (\S+)', counted)
        assert total and float(total[1]) == 24


def test_choosing_while_signed_out_leads_through_sign_up_to_checkout(
    url: str, sandbox: SandboxProcess
) -> None:
    environment = {"STRIPE_API_BASE": sandbox.base}
    with WebProcess(url, environment=environment) as web:
        subprocess.run(
            [sys.executable, "-m", "talkingphoto.cli", "catalog", "sync"],
            cwd=ROOT,
            env=web.environment,
            check=True,
            capture_output=True,
        )
        fields = {
            "email": "ada@example.com",
            "password": PASSWORD,
            "terms": "yes",
            "item": "starter:month",
            "request_id": "9b2f6f0e-7a3c-4f43-8d0f-0d6a3b8f2a11",
        }
        answer = requests.post(
            f"{web.base}/auth/register",
            data=fields,
            headers={"Origin": ORIGIN},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(f"http://localhost:{sandbox.port}/"), answer
        assert COOKIE in answer.headers["Set-Cookie"]


def test_the_guides_thread_serves_once_however_often_the_page_runs(url: str) -> None:
    with WebProcess(url, ("-c", OPTION_B), environment={"WORKER": "embedded"}) as web:
        assert [json.loads(web.ask("rerun")) for _ in range(3)] == [[True, False, 1]] * 3
        web.await_health()


def test_a_port_that_is_taken_is_one_clear_line(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = {"WEB_URL": f"http://localhost:{port}"}
        web = WebProcess(url, ("webhook_app.py",), environment=environment)
        assert web.process.wait(60) == 1
        (line,) = web.rest_of_output().splitlines()
        said = json.loads(line)
        assert (said["event"], said["port"]) == ("web.not_listening", port)
        assert "another program uses the port" in said["reason"]


def test_o2_the_entry_run_as_a_script_ends_as_politely(url: str) -> None:
    program = ("webhook_app.py",)
    with WebProcess(url, program) as web, slow_form(web, "/auth/register", FORM) as form:
        form.await_reader()
        web.process.send_signal(signal.SIGTERM)
        wait_until_refused(web)
        assert form.finish().startswith("HTTP/1.1 303")
        assert web.process.wait(30) == 0


@pytest.mark.parametrize(
    ("environment", "status", "line"),
    [
        ({"SECRET_KEY": "your-secret-key-here"}, 2, "SECRET_KEY"),
        ({"DATABASE_URL": "postgresql://u:hidden-word@localhost:1/x"}, 1, "DATABASE_URL"),
    ],
)
def test_o7_services_that_cannot_start_say_why_without_a_trace(
    url: str, environment: dict[str, str], status: int, line: str
) -> None:
    web = WebProcess(url, ("-c", "import services"), environment=environment)
    assert web.process.wait(60) == status
    said = web.rest_of_output()
    assert line in said
    assert "Traceback" not in said
    assert "hidden-word" not in said
    assert "your-secret-key-here" not in said
