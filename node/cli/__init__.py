"""The command line: parse, call, print. Nothing else in the house imports it."""

import errno
import io
import os
import sys
from collections.abc import Sequence

from node.cli.app import app
from node.cli.terminal import say
from node.errors import Exit, NodeError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code.

    Raises:
        SystemExit: always.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a character is no reason to fail
    try:
        app(None if arguments is None else list(arguments), prog_name="moot")
    except NodeError as error:
        say(("moot: ", "bold red"), str(error))
        sys.exit(int(error.exit_code))
    except OSError as error:
        # Where we print to takes no more; what is left to print would only fail again when the process ends.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        say(("moot: ", "bold red"), f"{error.filename or 'cannot print'}: {error.strerror}")
        sys.exit(int(Exit.STORE_FULL if error.errno == errno.ENOSPC else Exit.FAILED))
