"""The scopes that a practice's own routes ask for, the same at every service."""

from fastapi import Depends

from shared.http import CallerDep


async def _may_read(caller: CallerDep) -> None:
    if not caller.may("Appointment", "r"):
        caller.require("Appointment", "s")


async def _may_write(caller: CallerDep) -> None:
    caller.require("Appointment", "u")


MAY_READ, MAY_WRITE = Depends(_may_read), Depends(_may_write)
"""For a route's `dependencies`: the scope is looked for before what was sent is looked at."""
