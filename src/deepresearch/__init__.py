"""DeepResearch: questions of your own documents, answered with checked citations and re-runnable numbers."""

__version__ = "0.1.0"
