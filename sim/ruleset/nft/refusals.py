"""What nft says when the kernel refuses a command, at the place to which it points."""

from __future__ import annotations

from typing import NoReturn

from sim.ruleset.nft.scanner import At
from sim.ruleset.nft.syntax import Mistake

ENOENT = "No such file or directory"
PROCESS = "Could not process rule: "
EEXIST, EBUSY, EOPNOTSUPP, EMLINK = "File exists", "Device or resource busy", "Operation not supported", "Too many links"
ENFILE, EINVAL, ERANGE = "Too many open files in system", "Invalid argument", "Numerical result out of range"
EAFNOSUPPORT, E2BIG = "Address family not supported by protocol", "Argument list too long"


class KernelRefused(Mistake):
    """A mistake that the kernel finds: told only when nft itself found none."""


def process(at: At, why: str) -> NoReturn:
    """The kernel's refusal."""
    raise KernelRefused(at, PROCESS + why)
