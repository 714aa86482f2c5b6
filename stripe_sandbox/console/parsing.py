"""The commands and their arguments."""

import argparse
import sys
from typing import NoReturn

from stripe_sandbox.console import commands, words
from stripe_sandbox.console.remote import Refused, Remote
from stripe_sandbox.delivery.log import STATES
from stripe_sandbox.faults.rules import KINDS

_BASE = "http://localhost:12111"
_LENGTH = "how far: 3600, 90m, 12h, 30d, 2w"


class Parser(argparse.ArgumentParser):
    """One line says what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """The process ends with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def add_commands(parser: argparse.ArgumentParser) -> None:
    """The parser knows the commands; without one of them the sandbox itself is started."""
    chosen = parser.add_subparsers(dest="command", metavar="COMMAND", title="a running sandbox")
    common = argparse.ArgumentParser(add_help=False)
    # No default here: that of a verb would come before what was given to its command.
    common.add_argument("--base", default=argparse.SUPPRESS, help=f"default {_BASE}")
    _add_clocks(chosen, common)
    _add_webhooks(chosen, common)
    _add_faults(chosen, common)


def run(given: argparse.Namespace) -> int:
    """The command has printed what it did; or one line said why it could not."""
    base = getattr(given, "base", _BASE)
    try:
        for line in given.run(Remote(base.rstrip("/")), given):
            sys.stdout.write(f"{line}\n")
    except KeyboardInterrupt:
        return 130
    except Refused as refusal:
        sys.stderr.write(f"stripe_sandbox: {refusal}\n")
        return 1
    return 0


_Commands = argparse._SubParsersAction
_Common = argparse.ArgumentParser


def _add_clocks(chosen: "_Commands[argparse.ArgumentParser]", common: _Common) -> None:
    clock = chosen.add_parser("clock", parents=[common], help="show or move the sandbox's clock")
    clock.set_defaults(run=commands.clock)
    verbs = clock.add_subparsers(dest="verb", metavar="VERB")
    for name, help_ in (("advance", "by a length of time"), ("to", "to a moment")):
        verb = verbs.add_parser(name, parents=[common], help=help_)
        if name == "advance":
            verb.add_argument("by", type=words.length, help=_LENGTH)
        else:
            verb.add_argument("to", type=words.moment, help="2027-01-31, 2027-01-31T12:00, unix")
        verb.add_argument("--wait", action="store_true", help="until every event was sent once")
    test = chosen.add_parser("test-clock", parents=[common], help="move a test clock")
    moves = test.add_subparsers(dest="verb", metavar="VERB", required=True)
    advance = moves.add_parser("advance", parents=[common], help="by a length of time")
    advance.set_defaults(run=commands.test_clock)
    advance.add_argument("clock", help="clock_…")
    advance.add_argument("by", type=words.length, help=_LENGTH)


def _add_webhooks(chosen: "_Commands[argparse.ArgumentParser]", common: _Common) -> None:
    sent = chosen.add_parser("deliveries", parents=[common], help="what became of the webhooks")
    sent.set_defaults(run=commands.deliveries)
    sent.add_argument("--endpoint", help="we_…")
    sent.add_argument("--state", choices=STATES)
    sent.add_argument("--event", help="evt_…")
    sent.add_argument("--type", help="such as invoice.paid or invoice.*")
    sent.add_argument("--limit", type=int, default=20, help="1 to 100; default 20")
    listed = chosen.add_parser("endpoints", parents=[common], help="who is sent webhooks, and how")
    listed.set_defaults(run=commands.endpoints)
    lab = chosen.add_parser("lab", parents=[common], help="show, set or clear what is done to them")
    lab.set_defaults(run=commands.lab)
    lab.add_argument("endpoint", help="we_…")
    lab.add_argument("modes", nargs="*", help="drop=on delay=20 seed=7 …, or off")
    again = chosen.add_parser("redeliver", parents=[common], help="send an event again")
    again.set_defaults(run=commands.redeliver)
    again.add_argument("event", help="evt_…")
    again.add_argument("--endpoint", help="we_…; else all that were told of it")


def _add_faults(chosen: "_Commands[argparse.ArgumentParser]", common: _Common) -> None:
    faults = chosen.add_parser("faults", parents=[common], help="list, add or clear API failures")
    faults.set_defaults(run=commands.faults)
    verbs = faults.add_subparsers(dest="verb", metavar="VERB")
    add = verbs.add_parser("add", parents=[common], help="make calls fail")
    add.add_argument("kind", choices=KINDS)
    add.add_argument("fields", nargs="*", help="path=/v1/customers* times=2 rate=20 when=after …")
    clear = verbs.add_parser("clear", parents=[common], help="one rule, or all")
    clear.add_argument("number", nargs="?", type=int)
