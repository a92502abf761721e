"""The trace of a session: who decided what, from the events it stored, in formats for people and programs."""

from deepresearch.trace.gathering import Decision, Trace, TracedCalls, TracedStep, trace_of, trace_session
from deepresearch.trace.rendering import FORMATS, render

__all__ = ["FORMATS", "Decision", "Trace", "TracedCalls", "TracedStep", "render", "trace_of", "trace_session"]
