"""The command line: a thin face on the Python interface. Only here is printed."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from lossctl._version import __version__
from lossctl.cli.console import (
    DONE,
    INTERRUPTED,
    NOT_EVALUATED,
    WriteError,
    harmless,
)
from lossctl.errors import LossctlError, nearest

COMMANDS = {
    "eval": "Evaluate losses of saved predictions.",
    "compare": "Compare candidates with a baseline, with tests and intervals.",
    "gate": "Evaluate the gates of a file: what must hold.",
    "losses": "List the losses, or explain one.",
    "suggest": "Name the losses that fit a prediction and a target.",
    "verify": "Evaluate again what a saved report says.",
}
"""The commands and what they do; each is a module of this package, loaded when it is called."""


class Commands(click.Group):
    """A group whose commands are imported when they are called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command, imported."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lossctl.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none, name the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = nearest(args[0], list(COMMANDS)) or f"commands: {', '.join(COMMANDS)}"
            raise LossctlError(f"there is no command {args[0]!r}", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  lossctl eval predictions.parquet -l huber:delta=2
  lossctl eval pred.npy target.npy -l mse -l mae --json
  lossctl compare old.csv new.csv -l rmse
  lossctl losses                  which losses there are, and which to choose
  lossctl losses huber            one of them explained
  lossctl suggest predictions.csv which of them fit
\b
Exit status: 0 done, 1 a gate failed, 2 could not be evaluated, 130 interrupted.""",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def lossctl() -> None:
    """Right, comparable losses of saved predictions, with their uncertainty."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status.
    """
    _require_streams()
    try:
        outcome: Any = lossctl.main(arguments, prog_name="lossctl", standalone_mode=False)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else DONE
    except WriteError as error:
        return _stream_error(error.error)
    except click.exceptions.NoArgsIsHelpError as error:
        return _complain(error.format_message(), plain=True)
    except click.UsageError as error:
        message = " ".join(error.format_message().split())
        return _complain(f"error: {message}\n{_way_out(error)}")
    except click.ClickException as error:
        return _complain(f"error: {error.format_message()}")
    except LossctlError as error:
        return _complain(f"error: {error}")
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", status=INTERRUPTED)
    except OSError as error:
        # inputs and outputs say their own; what is left is --help, which Click prints
        return _stream_error(error)
    except MemoryError:
        return _complain("error: out of memory\nuse fewer --threads, or leave out --per-sample")
    except Exception as error:
        if os.environ.get("LOSSCTL_DEBUG"):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return _complain(
            f"error: this is a mistake in lossctl, not in your data: {what}\n"
            "set LOSSCTL_DEBUG=1 to see where, and report it"
        )


def _way_out(error: click.UsageError) -> str:
    """What to do about words that Click did not understand."""
    if isinstance(error, click.NoSuchOption):
        from lossctl.losses import all

        name = error.option_name.lstrip("-").replace("-", "_")
        if any(param.name == name for loss in all() for param in loss.params):
            return f"parameters are part of the loss: -l NAME:{name}=VALUE"
    if "extra argument" in error.message:
        return "quote a glob, so that it stays one reference: 'parts/*.parquet'"
    return f"see: {error.ctx.command_path if error.ctx else 'lossctl'} --help"


def _require_streams() -> None:
    """A closed standard stream (`>&-`) is None: put something in its place.

    What is said is lost without harm; a result that nobody gets is an error, which a stream
    for reading raises where it is written.
    """
    for name, mode in (("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as we run


def _stream_error(error: OSError) -> int:
    """Standard output is closed (`| head`), which is no error, or cannot be written."""
    # the interpreter flushes once more when it exits, and must find somewhere to write
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return DONE
    what = (os.strerror(error.errno) if error.errno else str(error)).lower()
    return _complain(f"error: cannot write the result: {what}\nmake room, or write elsewhere")


def _complain(text: str, status: int = NOT_EVALUATED, plain: bool = False) -> int:
    """Say on standard error what is wrong, if anybody listens."""
    try:
        print(text if plain else harmless(text), file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return status
