"""Real local servers that play the remote services, for the keyless demo and the tests."""

from kos.sandbox.faults import Fault
from kos.sandbox.process import SandboxProcess, start_process
from kos.sandbox.server import Addresses, Sandbox

__all__ = ["Addresses", "Fault", "Sandbox", "SandboxProcess", "start_process"]
