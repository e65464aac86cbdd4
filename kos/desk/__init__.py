"""The operator's desk: one table of commands, the same on every screen.

It does not depend on Telegram, the terminal or the web page: messages from people arrive as
:class:`kos.messages.OperatorSaid`, and answers are spans, buttons, pictures and files.
"""

from kos.desk.command import Premises
from kos.desk.desk import Desk
from kos.desk.table import TABLE

__all__ = ["TABLE", "Desk", "Premises"]
