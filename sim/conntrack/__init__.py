"""Connection tracking: packets in, labels and entries out. Knows packets only; no rules, no machines."""
