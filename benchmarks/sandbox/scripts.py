"""The scripts that are timed."""

TRIVIAL = "print(1)\n"

PLOT = """\
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

x = np.linspace(0, 10, 400)
frame = pd.DataFrame({"x": x, "sin": np.sin(x), "cos": np.cos(x)})
figure, axes = plt.subplots(figsize=(6.4, 4.8))
frame.plot(x="x", ax=axes)
axes.set_title("Sine and cosine")
figure.savefig("plot.png")
"""

DIAGRAM = """\
import subprocess
with open("d.mmd", "w") as file:
    file.write("flowchart LR; Question --> Plan --> Search --> Report")
subprocess.run(["mmdc", "-i", "d.mmd", "-o", "d.svg"], check=True, capture_output=True)
"""
