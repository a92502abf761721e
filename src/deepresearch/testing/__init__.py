"""For tests and demos: a language model that answers from a script, over the wire that real ones speak."""

from deepresearch.testing.model_server import ModelServer, Served
from deepresearch.testing.scenario import Answer, Rule, Scenario, When, load_scenario

__all__ = ["Answer", "ModelServer", "Rule", "Scenario", "Served", "When", "load_scenario"]
