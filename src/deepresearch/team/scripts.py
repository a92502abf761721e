"""The script that computes and draws for a report.

It is a whole program: it reads its figures from ``series.json``, prints its results as one JSON object and saves
one SVG. A reader can take both files and run it anywhere with Matplotlib.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from deepresearch.model.mathematics import MathRequest, Series

DATA_FILE = "series.json"
FIGURE_FILE = "figure.svg"

_COMMON = '''"""{title}

Reads {data_file}, prints the results as JSON and draws {figure_file}.
"""
import json

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

COLOURS = ["#1f5a8a", "#c2571a", "#3d7d3f", "#7b4b94"]

with open("{data_file}", encoding="utf-8") as file:
    data = json.load(file)
all_series = data["series"]

plt.rcParams.update({{
    "font.size": 12, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "deepresearch",
    "axes.titlesize": 12.5, "axes.titlelocation": "left", "axes.titlepad": 14, "axes.axisbelow": True,
    "text.parse_math": False,
}})
'''

_STATISTICS = '''
def statistics(points):
    """First, last, change, extremes and means of a series of (label, value)."""
    labels = [label for label, _ in points]
    values = [value for _, value in points]
    first, last = values[0], values[-1]
    steps = len(values) - 1
    result = {
        "first": first, "first_label": labels[0], "last": last, "last_label": labels[-1],
        "change": last - first, "count": len(values), "sum": sum(values), "mean": sum(values) / len(values),
        "maximum": max(values), "maximum_label": labels[values.index(max(values))],
        "minimum": min(values), "minimum_label": labels[values.index(min(values))],
    }
    if first:
        result["change_percent"] = (last - first) / abs(first) * 100
    if first > 0 and last > 0 and steps:
        result["mean_growth_percent"] = ((last / first) ** (1 / steps) - 1) * 100
    return result


results = {}
for number, series in enumerate(all_series, start=1):
    for key, value in statistics(series["points"]).items():
        results[f"s{number}.{key}"] = value
if len(all_series) == 2:
    one, two = (dict(series["points"]) for series in all_series)
    shared = [label for label in one if label in two]
    if shared:
        label = data["compare_at"] if data["compare_at"] in shared else shared[-1]
        results["shared_label"] = label
        results["difference"] = one[label] - two[label]
        if two[label]:
            results["ratio"] = one[label] / two[label]
print(json.dumps(results))
'''

_LINES = """
labels = sorted({label for series in all_series for label, _ in series["points"]})
figure, axes = plt.subplots(figsize=(8, 4.4), layout="constrained")
for series, colour in zip(all_series, COLOURS):
    places = [labels.index(label) for label, _ in series["points"]]
    values = [value for _, value in series["points"]]
    axes.plot(places, values, marker="o", markersize=5, linewidth=2, color=colour, label=series["name"])
    for end, beside in ((0, min(1, len(values) - 1)), (-1, -2 if len(values) > 1 else 0)):
        # The label stands on the side from which the line does not come.
        above = values[end] >= values[beside]
        axes.annotate(f"{values[end]:,.10g}", (places[end], values[end]), textcoords="offset points",
                      xytext=(0, 9 if above else -17), ha="center", color=colour, fontsize=11)
step = max(1, -(-len(labels) // 12))
axes.set_xticks(range(0, len(labels), step), labels[::step])
axes.margins(x=0.06, y=0.16)
"""

_BARS = """
series = all_series[0]
labels = [label if len(label) <= 34 else label[:33] + "…" for label, _ in series["points"]]
values = [value for _, value in series["points"]]
figure, axes = plt.subplots(figsize=(8, max(2.6, 0.9 + 0.42 * len(labels))), layout="constrained")
places = list(range(len(labels)))[::-1]
bars = axes.barh(places, values, color=COLOURS[0], height=0.66)
axes.bar_label(bars, labels=[f"{value:,.10g}" for value in values], padding=4, fontsize=10)
axes.set_yticks(places, labels)
axes.margins(x=0.14)
"""

_LINES_END = """
unit = all_series[0]["unit"]
axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
axes.grid(axis="y", color="#dddddd", linewidth=0.8)
if unit:
    axes.set_ylabel(unit)
if len(all_series) > 1:
    axes.legend(frameon=False)
"""

_BARS_END = """
unit = all_series[0]["unit"]
axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
axes.grid(axis="x", color="#dddddd", linewidth=0.8)
if unit:
    axes.set_xlabel(unit)
"""

_SAVE = """
axes.set_title({title}, wrap=True)
figure.savefig("{figure_file}", metadata={{"Date": None}})
"""


def math_request(
    request_id: str, title: str, series: Sequence[Series], *, over_periods: bool, compare_at: str | None = None
) -> MathRequest:
    """A request that computes the statistics of `series` and draws them: lines over periods, else bars.

    Two series are also compared: at the label `compare_at` where both have it, else at the last they share.
    """
    figure = (_LINES + _LINES_END) if over_periods else (_BARS + _BARS_END)
    script = (
        _COMMON.format(title=_plain(title), data_file=DATA_FILE, figure_file=FIGURE_FILE)
        + _STATISTICS
        + figure
        + _SAVE.format(title=json.dumps(title, ensure_ascii=False), figure_file=FIGURE_FILE)
    )
    data = {
        "compare_at": compare_at,
        "series": [
            {"name": one.name, "unit": one.unit, "points": [[point.label, point.value] for point in one.points]}
            for one in series
        ],
    }
    return MathRequest(
        id=request_id,
        title=title,
        script=script,
        files={DATA_FILE: json.dumps(data, ensure_ascii=False, indent=1)},
        expects=(FIGURE_FILE,),
        series=tuple(series),
    )


def _plain(title: str) -> str:
    """A title that can stand in the script's docstring: no quotes, backslashes or line breaks of a document."""
    return "".join(" " if character in "\"'\\\r\n\0" else character for character in title)
