"""The program that runs inside the sandbox. Standard library only; imports nothing else of this package."""
