"""`talkingphoto …`: the commands of whoever runs the product.

Each command imports what it needs inside its function, so that `--help`, `database` and `doctor`
start nothing.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from talkingphoto.foundation import errors, settings, wording

if TYPE_CHECKING:
    from talkingphoto.billing.price_changes import PriceChange
    from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command ran; 0 when all is well, 1 when it was refused, 2 when a setting is wrong."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A tick must not end us on an old terminal.
    chosen = _parser().parse_args(arguments)
    command: Command = chosen.command
    try:
        return command(chosen)
    except settings.SettingsFault as fault:
        for line in fault.faults:
            print(line, file=sys.stderr)
        return 2
    except errors.AppError as refusal:
        print(refusal.message, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="talkingphoto", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(metavar="command", required=True)
    _add_up(commands)
    worker = _add(commands, "worker", _worker, "run background jobs until told to stop")
    worker.add_argument(
        "--queue",
        choices=("all", "main", "render"),
        default="all",
        help="all of them, only videos (render), or all but videos (main)",
    )
    _add(commands, "sandbox", _sandbox, "run the Stripe sandbox alone")
    database = _add_group(commands, "database", "look after the embedded PostgreSQL")
    _add(database, "status", _database_status, "whether it runs, and where")
    _add(database, "start", _database_start, "start it; it stays until stopped")
    _add(database, "stop", _database_stop, "stop it")
    _add(database, "url", _database_url, "print its address, for psql and pg_dump")
    _add(database, "upgrade", _database_upgrade, "run the migrations that are missing")
    catalog = _add_group(commands, "catalog", "the plans and packs on sale")
    _add(catalog, "sync", _catalog_sync, "make Stripe's products and prices agree with ours")
    webhooks = _add_group(commands, "webhooks", "what Stripe tells us")
    _add(webhooks, "sync", _webhooks_sync, "create or update our endpoint at Stripe")
    reconcile = _add(commands, "reconcile", _reconcile, "compare our books with Stripe's")
    reconcile.add_argument("--heal", action="store_true", help="put right what is safe to")
    _add_videos(commands)
    _add_prices(commands)
    _add_recovery(commands)
    appoint = _add(commands, "grant-admin", _grant_admin, "let somebody into the back office")
    appoint.add_argument("email", help="the address of their account")
    appoint.add_argument("--role", choices=("admin", "support", "customer"), default="admin")
    _add(commands, "doctor", _doctor, "check this installation without starting anything")
    return parser


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _add_up(commands: Commands) -> None:
    parser = _add(commands, "up", _up, "run the whole product until Ctrl-C")
    for name in ("web", "app", "sandbox"):
        parser.add_argument(f"--{name}-port", type=int, metavar="PORT", help=f"port of the {name}")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where everything is kept")


def _add_videos(commands: Commands) -> None:
    videos = _add_group(commands, "videos", "what people say against videos")
    _add(videos, "reported", _videos_reported, "list the reports that nobody has decided")
    hide = _add(videos, "hide", _videos_hide, "nobody sees it any more, nor uses its photo again")
    dismiss = _add(
        videos,
        "dismiss",
        _videos_dismiss,
        "close the reports on it; it stays, or is back if it was hidden",
    )
    for parser_of_one in (hide, dismiss):
        parser_of_one.add_argument("id", help="the video's id")


def _add_prices(commands: Commands) -> None:
    prices = _add_group(commands, "prices", "who pays what, and the end of old prices")
    _add(prices, "list", _prices_list, "every price, how many pay it, and planned changes")
    change = _add(prices, "change", _prices_change, "move those who pay an old price to today's")
    change.add_argument("item", help="for example pro:month")
    change.add_argument(
        "--on", required=True, metavar="DAY", help="2027-03-01; 30 days off or more"
    )
    change.add_argument("--reason", required=True, help="why; it is kept on record")
    stop = _add(prices, "call-off", _prices_call_off, "move nobody by that change any more")
    stop.add_argument("id", help="the change's id")
    stop.add_argument("--reason", required=True, help="why; it is kept on record")


def _add_recovery(commands: Commands) -> None:
    recovery = _add(commands, "recovery", _recovery, "what failed, and what was got back of it")
    recovery.add_argument("--from", dest="start", metavar="DAY", help="this month's first, if none")
    recovery.add_argument("--to", dest="end", metavar="DAY", help="today, if none is named")


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def _add_group(commands: Commands, name: str, text: str) -> Commands:
    parser = commands.add_parser(name, help=text, description=text)
    return parser.add_subparsers(metavar="command", required=True)


def _up(chosen: argparse.Namespace) -> int:
    from talkingphoto import stack, supervisor

    ports = stack.Ports(web=chosen.web_port, app=chosen.app_port, sandbox=chosen.sandbox_port)
    supervisor.up(ports=ports, data=chosen.data)
    return 0


def _worker(chosen: argparse.Namespace) -> int:
    from worker import main as worker

    worker.run(share=chosen.queue)
    return 0


def _sandbox(_chosen: argparse.Namespace) -> int:
    from talkingphoto import supervisor

    return supervisor.run_sandbox()


def _database_status(_chosen: argparse.Namespace) -> int:
    status = _embedded().status()
    if not status.running:
        print(f"not running; its data are in {status.data_folder}")
        return 0
    print(
        f"running: PostgreSQL {status.version}, pid {status.pid}, data in {status.data_folder},"
        f" socket in {status.socket}"
    )
    return 0


def _database_start(_chosen: argparse.Namespace) -> int:
    _embedded().ensure()
    return _database_status(_chosen)


def _database_stop(_chosen: argparse.Namespace) -> int:
    print("stopped" if _embedded().stop() else "it was not running")
    return 0


def _database_url(_chosen: argparse.Namespace) -> int:
    # Without SQLAlchemy's driver in it, as PostgreSQL's own programs want it.
    print(_embedded().url.replace("+psycopg", "", 1))
    return 0


def _database_upgrade(_chosen: argparse.Namespace) -> int:
    from talkingphoto import runtime
    from talkingphoto.integrations import schema

    database = runtime.current().database
    database.check()
    ran = schema.upgrade_if_behind(database)
    print(f"{'upgraded to' if ran else 'already at'} {schema.latest_revision()}")
    return 0


def _catalog_sync(_chosen: argparse.Namespace) -> int:
    from services.payment_service import payment_service

    lines = list(payment_service.sync_catalog())
    for line in lines:
        print(line)
    print(f"{len(lines)} prices agree with Stripe's")
    return 0


def _prices_list(_chosen: argparse.Namespace) -> int:
    from services.price_service import price_service

    for paid in price_service.report():
        price = f"{paid.price.decimal()} {paid.price.currency}" if paid.price else "unknown"
        age = "current" if paid.is_current else "old"
        print(f"{paid.item}: {price}, {paid.price_id}, {age}, {paid.subscribers} pay it")
    for change in price_service.changes():
        print(f"{_described(change)}, {change.state}")
    return 0


def _prices_change(chosen: argparse.Namespace) -> int:
    from services.price_service import price_service

    day = _day("prices.day", chosen.on)
    for change in price_service.plan(item=chosen.item, effective_at=day, reason=chosen.reason):
        print(f"planned: {_described(change)}; subscribers are told within a minute")
    return 0


def _prices_call_off(chosen: argparse.Namespace) -> int:
    from services.price_service import price_service

    price_service.call_off(change_id=chosen.id, reason=chosen.reason)
    print("called off; whoever was moved already stays")
    return 0


def _described(change: PriceChange) -> str:
    before, after = change.before.decimal(), change.after.decimal()
    return (
        f"{change.item.key}: {before} to {after} from {change.effective_at:%Y-%m-%d}, {change.id}"
    )


def _day(code: str, written: str) -> datetime:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise errors.InvalidRequest(code, "Write the day as in 2027-03-01.") from None
    return datetime.combine(day, time.min, tzinfo=UTC)


def _recovery(chosen: argparse.Namespace) -> int:
    from services.retry_service import retry_service
    from talkingphoto import runtime

    today = runtime.current().clock().date()
    end = _day("recovery.day", chosen.end).date() if chosen.end else today
    start = _day("recovery.day", chosen.start).date() if chosen.start else end.replace(day=1)
    report = retry_service.recovery_report(start, end)
    print(f"invoices that failed for the first time from {start} to {end} (UTC)")
    for currency, found in sorted(report.by_currency.items()):
        still = f"{wording.amount(found.open)} open, {wording.amount(found.lost)} lost"
        print(f"{currency}: {found.rate_words}; {still}")
    for code, groups in report.by_code.items():
        for currency, found in sorted(groups.items()):
            print(f"{currency} {code}: {found.rate_words}")
    return 0


def _webhooks_sync(_chosen: argparse.Namespace) -> int:
    from services.webhook_service import webhook_service

    print(webhook_service.sync_endpoint())
    return 0


def _reconcile(chosen: argparse.Namespace) -> int:
    from services.reconciliation_service import reconciliation_service

    pulled = reconciliation_service.pull_missed()
    run = reconciliation_service.compare(heal=chosen.heal)
    for one in run.differences:
        print(
            f"{one.state:<8} {one.kind} {one.class_} {one.object_id}: here {one.ours},"
            f" at Stripe {one.theirs}, since {one.since:%Y-%m-%d %H:%M}"
        )
    print(
        f"{pulled} missed events pulled, {run.looked} objects compared,"
        f" {len(run.differences)} differences, {run.healed} healed"
    )
    return 0 if run.healed == len(run.differences) else 1


def _videos_reported(_chosen: argparse.Namespace) -> int:
    from services.generation_service import generation_service

    for report in generation_service.reports():
        about = f"{report.at:%Y-%m-%d %H:%M} {report.generation_id} {report.contact!r}"
        # What a stranger wrote may not move the cursor of whoever reads it.
        print(f"{about}: {report.reason!r}")
    return 0


def _videos_hide(chosen: argparse.Namespace) -> int:
    return _decide(chosen.id, hide=True)


def _videos_dismiss(chosen: argparse.Namespace) -> int:
    return _decide(chosen.id, hide=False)


def _decide(generation_id: str, *, hide: bool) -> int:
    from services.generation_service import generation_service

    closed = generation_service.decide(generation_id=generation_id, hide=hide)
    print(f"{'hidden' if hide else 'kept'}; {closed} reports closed")
    return 0


def _grant_admin(chosen: argparse.Namespace) -> int:
    from services.auth_service import auth_service

    auth_service.appoint(email=chosen.email, role=chosen.role, reason="by the command line")
    print(f"{chosen.email}: {chosen.role}")
    return 0


def _doctor(_chosen: argparse.Namespace) -> int:
    from talkingphoto import doctor

    findings = doctor.examine()
    for finding in findings:
        print(f"{'✓' if finding.well else '✗'} {finding.subject:<12} {finding.text}")
    return 0 if all(finding.well for finding in findings) else 1


def _embedded() -> EmbeddedPostgres:
    """The embedded server of our settings; nothing is started, and no secrets are made."""
    from talkingphoto.integrations.embedded_postgres import EmbeddedPostgres

    chosen = settings.load(make_dev_secrets=lambda _folder: {})
    if chosen.database_url.get_secret_value():
        raise errors.Conflict(
            "database.not_ours",
            "DATABASE_URL names a server, which is not ours to look after; unset it to use the"
            " embedded PostgreSQL",
        )
    return EmbeddedPostgres(chosen.data, chosen.pg_bin)


if __name__ == "__main__":
    sys.exit(main())
