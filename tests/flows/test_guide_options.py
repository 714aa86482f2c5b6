"""The guide's three ways to take webhooks, each to the end and with no other process of ours.

What takes them makes the videos too.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from playwright.sync_api import sync_playwright

from services.generation_service import Order
from talkingphoto.integrations.video.embedded import EmbeddedEngine
from tests.engine import pictures
from tests.support import chromium
from tests.support.sandbox import free_port, of_type, sign
from tests.support.shop import Shop
from tests.support.web_process import ROOT, WebProcess

OPTION_A = ("-m", "services.webhook_service")
OPTION_C = ("-m", "gunicorn", "-w", "4", "-b", "0.0.0.0:{port}", "webhook_app:app")
OPTION_B = """
import threading
from services.webhook_service import create_webhook_app

# Start webhook server in background thread (development only)
def start_webhook_server():
    app = create_webhook_app()
    app.run(host='0.0.0.0', port={port}, debug=False)

if __name__ == "__main__":
    # Start webhook server
    webhook_thread = threading.Thread(target=start_webhook_server, daemon=True)
    webhook_thread.start()

    # Run Streamlit app
    # streamlit run app_with_payments.py

import streamlit as st
workers = [t.name for t in threading.enumerate() if t.name == "embedded-worker"]
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.button("Again")
st.write("run", st.session_state["runs"], "workers", len(workers))
"""


def a_pack_arrives_through(shop: Shop, base: str) -> None:
    """A bought pack is on the account after one POST of its event to that address."""
    ada = shop.a_person()
    shop.pays(ada, "pack:10")
    (event,) = of_type(shop.new_events(), "checkout.session.completed")
    raw, header = sign(event, shop.secret)
    answer = requests.post(
        f"{base}/webhook/stripe", data=raw, headers={"Stripe-Signature": header}, timeout=15
    )
    assert answer.status_code == 200
    deadline = time.monotonic() + 30
    while shop.balance(ada) != 13:
        assert time.monotonic() < deadline, "the event was not processed"
        time.sleep(0.1)


def a_video_is_made(shop: Shop) -> None:
    """What a new customer asks for is ready some time later, and has cost one of three."""
    ada = shop.a_person()
    asked = Order(
        user_id=ada.id,
        request_id=str(uuid.uuid4()),
        photo=pictures.PORTRAIT,
        text="Good morning.",
        voice="en-heart",
        tier="540p",
        consent=True,
        ip="127.0.0.1",
    )
    try:
        video = shop.generations.start(asked)
        deadline = time.monotonic() + 120
        while video.state in {"queued", "rendering"}:
            assert time.monotonic() < deadline, f"the video is not made: {video}"
            time.sleep(0.1)
            video = shop.generations.video(user_id=ada.id, generation_id=video.id)
    finally:
        engine = shop.runtime.engine
        assert isinstance(engine, EmbeddedEngine)
        engine.close()
    assert (video.state, shop.balance(ada)) == ("ready", 2)


def listening(port: int) -> None:
    """Returns once the port is served."""
    deadline = time.monotonic() + 30
    while True:
        with suppress(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=15).raise_for_status()
            return
        assert time.monotonic() < deadline, "nobody listens"
        time.sleep(0.1)


@pytest.mark.parametrize("program", [OPTION_A, OPTION_C], ids=["A", "C"])
def test_options_a_and_c_process_webhooks_and_make_videos(
    shop: Shop, program: tuple[str, ...]
) -> None:
    alone = {"STRIPE_API_BASE": shop.sandbox.base, "WORKER": "embedded"}
    with WebProcess(shop.runtime.database_url, program, environment=alone) as web:
        a_pack_arrives_through(shop, web.base)
        a_video_is_made(shop)


@pytest.fixture
def option_b(tmp_path: Path) -> tuple[Path, int]:
    """The guide's lines in a Streamlit script, on a free port."""
    port = free_port()
    script = tmp_path / "my_app.py"
    script.write_text(OPTION_B.replace("{port}", str(port)))
    return script, port


@pytest.mark.browser
def test_option_b_serves_from_streamlit_and_survives_its_reruns(
    shop: Shop, option_b: tuple[Path, int]
) -> None:
    script, port = option_b
    streamlit = (
        *("-m", "streamlit", "run", str(script), "--server.port", "{port}"),
        *("--server.headless", "true"),
    )
    alone = {
        "STRIPE_API_BASE": shop.sandbox.base,
        "WORKER": "embedded",
        "PYTHONPATH": str(ROOT),
    }
    app = WebProcess(
        shop.runtime.database_url, streamlit, environment=alone, health="/_stcore/health"
    )
    with app, sync_playwright() as play:
        page = chromium.context(chromium.launch(play)).new_page()
        page.goto(app.base)
        page.get_by_text("run 1 workers").wait_for()
        listening(port)
        a_pack_arrives_through(shop, f"http://127.0.0.1:{port}")
        for run in (2, 3, 4):
            page.get_by_role("button", name="Again").click()
            page.get_by_text(f"run {run} workers 1").wait_for()
        page.reload()
        page.get_by_text("run 1 workers 1").wait_for()
        a_pack_arrives_through(shop, f"http://127.0.0.1:{port}")
        a_video_is_made(shop)
