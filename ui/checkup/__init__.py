"""The check-up of a network: a finding for each check and layer, with its picture."""

from ui.checkup.panel import checkup_panel, show

__all__ = ["checkup_panel", "show"]
