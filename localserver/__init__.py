"""Run database servers of our own on this machine, from binaries that a Python package brings."""
