"""The operator's desk: one table of commands, the same on every screen.

It knows no Telegram, no terminal and no web page: words of people come in as
:class:`kos.messages.OperatorSaid`, answers go out as spans, buttons, pictures and files.
"""

from kos.desk.command import Premises
from kos.desk.desk import Desk
from kos.desk.office import Office
from kos.desk.table import TABLE, CommandRow, rows

__all__ = ["TABLE", "CommandRow", "Desk", "Office", "Premises", "rows"]
