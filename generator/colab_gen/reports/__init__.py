"""What came of a run, written for others: CI systems, a colleague, a terminal.

Each module takes the reports as pairs of a notebook's name and its `Report`, in the order given.
"""

__all__: list[str] = []
