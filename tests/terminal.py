#!/usr/bin/env python3
"""terminal.py COMMAND...: runs it with a terminal of its own, copies to standard output what it shows there, and ends with its code."""
import os
import pty
import sys

child, terminal = pty.fork()
if not child:
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    while shown := os.read(terminal, 4096):
        os.write(1, shown)
except OSError:  # nobody has the terminal any more
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
