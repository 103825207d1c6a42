"""The simulator: a function from (scenario, seed, inputs) to a trace. README.md is the map."""

from sim import compiled

compiled.arrange()
