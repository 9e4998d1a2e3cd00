"""`b2bua completion`: what a shell sources, so that Tab completes commands, options, and names of the running server.

Owns what is printed. What is completed is click's, and for names `known_names`.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_NAME = "b2bua"
_VARIABLE = "_B2BUA_COMPLETE"
_SHELLS = {
    "bash": '~/.bashrc: eval "$(b2bua completion bash)"; or for all users: b2bua completion bash'
    " > /etc/bash_completion.d/b2bua",
    "zsh": '~/.zshrc, behind compinit: eval "$(b2bua completion zsh)"; or: b2bua completion zsh > "${fpath[1]}/_b2bua"',
    "fish": "b2bua completion fish > ~/.config/fish/completions/b2bua.fish",
}
"""For each, how it is installed."""


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(shell: str) -> None:
    """Print what SHELL needs to complete b2bua's commands, options, files, calls, users and trunks.

    Its first line says where to put it.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    source = kind(click.get_current_context().find_root().command, {}, _NAME, _VARIABLE).source().strip()
    note = f"# To install: {_SHELLS[shell]}"
    # zsh reads `#compdef` in the first line only.
    first, _, rest = source.partition("\n")
    click.echo(f"{first}\n{note}\n{rest}" if first.startswith("#compdef") else f"{note}\n{source}")
