#!/usr/bin/env python3
"""The command `mmdc` where no browser is at hand: draws Mermaid diagrams with merman.

Understands the options of mermaid-cli that scripts use. SVG and PNG; no PDF, no maths.
"""
