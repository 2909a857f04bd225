"""Plays experiments on Dask workers, streams their points, cancels them and keeps what they found.

Importing this is light: Dask itself is loaded when the first run starts or when the laboratory is warmed up.
"""

from sandbox.jobs.laboratory import Laboratory, NoSpecimen, OperationFailed, UnknownRun

__all__ = ["Laboratory", "NoSpecimen", "OperationFailed", "UnknownRun"]
