"""The edges: what touches the outside (files, the real kernel, scapy), each in one place. Nothing in `sim` imports it."""
