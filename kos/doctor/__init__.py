"""``kos doctor``: checks for problems, with remedies.

:mod:`~kos.doctor.judge` decides from plain values and is pure; :mod:`~kos.doctor.machine` and
:mod:`~kos.doctor.remotes` go and get the values; :mod:`~kos.doctor.examine` runs the checks of
:mod:`~kos.doctor.checks` side by side, each under a deadline, so that a remote that never answers
costs a finding and not the command.
"""
