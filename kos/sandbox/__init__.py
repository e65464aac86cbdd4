"""Real local servers that play the remote services, for the keyless demo and the tests."""

from kos.sandbox.faults import Fault
from kos.sandbox.process import SandboxProcess, start_process
from kos.sandbox.server import Addresses, Sandbox
from kos.sandbox.stream import Tls

__all__ = ["Addresses", "Fault", "Sandbox", "SandboxProcess", "Tls", "start_process"]
