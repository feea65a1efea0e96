"""What the product relies on of AWS, port by port: the same assertions over the fakes and over the embedded AWS.

`test_fakes.py` here runs them in memory, tests/emulator/ports runs them over the real adapters.
"""
