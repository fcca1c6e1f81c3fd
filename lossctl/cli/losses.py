"""`lossctl losses`."""

from __future__ import annotations

import click

from lossctl.cli.console import show, style


@click.command(
    "losses",
    epilog="""\b
Examples:
  lossctl losses                  all of them, by task, with a guide to choosing
  lossctl losses huber            one: formula, inputs, parameters, example, curve
  lossctl losses --json           all their facts for programs""",
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="The facts as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the losses by task, or explain one."""
    from lossctl import losses
    from lossctl.render import explain

    chosen = [losses.get(name)] if name else losses.all()
    if as_json:
        show(explain.losses_json(chosen))
    elif name:
        show(explain.loss_page(chosen[0], style()))
    else:
        show(explain.loss_list(chosen, style()))
