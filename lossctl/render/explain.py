"""What is known of the losses, for people and for programs.

The pages for people are imported when asked for: `--json` must not wait for what draws them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lossctl.render.facts import loss_dict, losses_json

if TYPE_CHECKING:
    from lossctl.losses.definition import Loss
    from lossctl.render.options import Style

__all__ = ["loss_dict", "loss_list", "loss_page", "losses_json"]


def loss_list(losses: Iterable[Loss], style: Style) -> str:
    """The losses by task, one a line, and how to choose among them."""
    from lossctl.render import listing

    return listing.loss_list(losses, style)


def loss_page(loss: Loss, style: Style) -> str:
    """One loss: what it is, what it takes, whose it is, and an example to run."""
    from lossctl.render import page

    return page.loss_page(loss, style)
