"""``python -m deepresearch`` is the command ``deepresearch``."""

from deepresearch.cli.main import run

if __name__ == "__main__":
    run()
