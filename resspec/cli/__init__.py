"""The command line: thin commands over `resspec.api`. Exit codes: 0 fine, 1 findings, 2 usage."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from resspec import __version__
from resspec.diagnostics import Diagnostic, SpecError
from resspec.files import FileProblem
from resspec.suggest import did_you_mean

FINDINGS, USAGE = 1, 2

COMMANDS = (
    *("new", "check", "explain", "summary", "sizes", "show", "expand", "list"),
    *("render", "build", "weights", "probe", "doctor", "schema", "lsp", "completion"),
)
"""names of the commands, each a module of its own here, in the order of `--help`; read when one is asked for"""


class Group(click.Group):
    """A group of commands that tells which one may have been meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            near = did_you_mean(args[0], names)
            ctx.fail(f"there is no command `{args[0]}`" + (f"; {near}" if near else ""))
        return super().resolve_command(ctx, args)


class Commands(Group):
    """The group of commands; whatever goes wrong ends in a finding or a line, never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        # a graph is many small objects without cycles, through which the collector would look again and again
        gc.set_threshold(200_000, 50, 50)
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]  # `list` is the module of that command, once it was read

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"resspec.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SpecError as error:
            if ctx.params.get("debug"):
                raise
            _tell(error)
            ctx.exit(FINDINGS)
        except FileProblem as problem:
            if ctx.params.get("debug"):
                raise
            _tell(SpecError([Diagnostic(problem.code, problem.message, help=problem.help)]))
            ctx.exit(FINDINGS)
        except (RecursionError, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(f"{type(error).__name__}: the network is too large for this machine") from None
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output went away; there is nobody to tell
            ctx.exit(0)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            told = f"this is a bug of resspec ({what}); please report it, with what `resspec --debug` shows"
            click.echo(told, err=True)
            ctx.exit(USAGE)


def _tell(error: SpecError) -> None:
    from resspec.cli.output import tell

    tell(error.diagnostics, error.sources, "text")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="resspec")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """Neural network architectures written once, as data.

    SPEC is a file (its name has a / or ends in .yaml) or the name of a shipped spec, both with
    @variant behind it if wanted: resnet_v2@resnet50_v2.
    """
