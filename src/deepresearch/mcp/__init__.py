"""The product as tools for an assistant: a Model Context Protocol server on standard input and output.

Needs the extra ``mcp``; nothing else of the product imports it.
"""
