"""Why does it not work here? Looks at settings, machine, stores, sandbox and telemetry, and says what to do."""

from deepresearch.doctor.check import Finding, State
from deepresearch.doctor.examination import examine

__all__ = ["Finding", "State", "examine"]
