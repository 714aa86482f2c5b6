"""The entry for a WSGI server: `gunicorn webhook_app:app`."""

from services.webhook_service import create_webhook_app

app = create_webhook_app()

if __name__ == "__main__":
    app.run()
