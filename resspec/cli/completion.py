"""`resspec completion`."""

from __future__ import annotations

import click

from resspec.cli import main


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script by which a shell completes resspec.

    For the file that the shell reads when it starts: eval "$(resspec completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "resspec", "_RESSPEC_COMPLETE").source())
