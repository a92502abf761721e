"""Logs and metrics of the product. Importing it configures nothing and starts nothing."""

import logging

from deepresearch.telemetry.logs import configure_logging
from deepresearch.telemetry.meters import init_meter_provider, shutdown_meter_provider

for _name in ("deepresearch", "telemetry"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

__all__ = ["configure_logging", "init_meter_provider", "shutdown_meter_provider"]
