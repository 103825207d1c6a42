"""tcpdump: what a device sends and receives, as tcpdump 4.99.3 prints it. `command` the program, `expression` filters, `text` lines."""

from sim.apps.tcpdump.command import tcpdump

__all__ = ["tcpdump"]
