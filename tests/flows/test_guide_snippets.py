"""The guide's own lines, as printed, in a process of their own on an empty database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from talkingphoto.foundation.database import Database
from talkingphoto.integrations import schema
from tests.support.databases import TestServer

Run = Callable[[str], str]

ROOT = Path(__file__).resolve().parents[2]

SECTION_4 = """
from services.payment_service import payment_service
from services.auth_service import auth_service  
from services.security_service import security_service
from services.retry_service import retry_service
from services.payment_analytics import analytics_service
from services.international_payments import international_payment_service

print('Initializing databases...')
# Databases are auto-initialized when services are imported
print('Database setup complete!')
"""
SECTION_8 = """
# Check PCI compliance
from services.security_service import security_service

# Validate no card data storage
compliance_check = security_service.validate_pci_compliance(
    operation="payment_processing",
    data_fields=["amount", "currency", "customer_email"],
    user_id=1
)

print(f"PCI Compliant: {compliance_check['compliant']}")
"""
# The guide leaves these two lines to the reader.
DATES = "import datetime\nfrom datetime import timedelta\n"
SECTION_9_TRACKING = """
from services.payment_analytics import analytics_service

# Track payment events
analytics_service.track_payment_event("payment_success", {
    "amount": 49.99,
    "currency": "usd",
    "tier": "pro",
    "customer_email": "user@example.com"
})

# Generate reports
revenue_data = analytics_service.get_revenue_analytics(
    start_date=datetime.date(2025, 1, 1),
    end_date=datetime.date(2025, 1, 31)
)
"""
SECTION_9_DASHBOARD = """
# Add to Streamlit app
import plotly.graph_objects as go
from services.payment_analytics import analytics_service

# Revenue chart
fig = analytics_service.generate_revenue_chart(
    start_date=datetime.date.today() - timedelta(days=30),
    end_date=datetime.date.today()
)
st.plotly_chart(fig)
"""
TODAY = """
today = datetime.datetime.now(datetime.timezone.utc).date()
usd = analytics_service.get_revenue_analytics(start_date=today - timedelta(days=1), end_date=today)
print(usd["by_currency"]["usd"]["gross"], usd["by_tier"]["pro"]["usd"]["payments"])
"""
AS_AN_APP = """
from streamlit.testing.v1 import AppTest
page = AppTest.from_string({page!r}, default_timeout=60).run()
assert not page.exception, page.exception
print(len(page.get("plotly_chart")), "chart")
"""


@pytest.fixture(scope="module")
def empty_database(postgres: TestServer) -> Iterator[str]:
    """A database without a single table of ours until the first snippet ran."""
    url = postgres.create(migrated=False)
    yield url
    postgres.drop(url)


@pytest.fixture
def run(empty_database: str, tmp_path: Path) -> Run:
    """Runs the lines as `python -c` in the project's folder does; what they printed."""

    def python(lines: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", lines],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": empty_database.replace("+psycopg", ""),
                "TALKINGPHOTO_DATA": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return python


def test_section_4_initializes_an_empty_database(run: Run, empty_database: str) -> None:
    assert run(SECTION_4).splitlines() == ["Initializing databases...", "Database setup complete!"]
    database = Database(empty_database)
    assert schema.current_revision(database) == schema.latest_revision()
    with database.read_only() as session:
        names = set(session.execute(text("SELECT tablename FROM pg_tables")).scalars())
    database.dispose()
    assert {"users", "payments", "card_data_checks", "tracked_events"} <= names


def test_section_8_finds_the_fields_compliant(run: Run) -> None:
    assert run(SECTION_8) == "PCI Compliant: True\n"


def test_section_9_tracks_and_reports(run: Run) -> None:
    printed = run(DATES + SECTION_9_TRACKING + 'print(revenue_data["by_currency"])')
    assert printed == "{}\n"
    assert run(DATES + SECTION_9_TRACKING + TODAY) == "99.98 2\n"


def test_section_9_shows_a_chart_in_streamlit(run: Run) -> None:
    page = "import streamlit as st\n" + DATES + SECTION_9_DASHBOARD
    assert run(AS_AN_APP.format(page=page)) == "1 chart\n"
