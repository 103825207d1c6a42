"""What a scenario may say of clients that act by themselves (sim/apps/clients.py): who tries what how often."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.document import Strict
from sim.scenario.words import Text, Time
from sim.units import MINUTE, SECOND

LEAST = 4 * SECOND  # a try may take three


class ClientSpec(Strict):
    """A client: `does` probe (a fresh try every so often) or talk (one TCP connection that is kept busy).

    A talk is given up when nothing was acknowledged for `patience`. `to` is a machine's name or an address; `name` what people call it.
    """

    does: Literal["probe", "talk"]
    to: Text
    protocol: Literal["tcp", "udp", "ping"] = "tcp"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    name: Annotated[str, Field(max_length=40)] = ""
    at: Time = SECOND
    every: Time = 5 * SECOND
    until: Time = 5 * MINUTE
    patience: Time = 30 * SECOND

    @model_validator(mode="after")
    def _sensible(self) -> ClientSpec:
        if (self.port == 0) != (self.protocol == "ping"):
            raise ValueError("tcp and udp need a port, ping has none")
        if self.does == "talk" and self.protocol != "tcp":
            raise ValueError("a talk is a TCP connection")
        if self.every < LEAST:
            raise ValueError("every is 4s or more: a try may take three seconds")
        return self
