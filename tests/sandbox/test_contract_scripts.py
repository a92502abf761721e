"""Scripts as people write them work unchanged on every back end."""

from __future__ import annotations

import io
import json
import textwrap

from PIL import Image

from deepresearch.sandbox import Reason, Sandbox, SandboxRequest, SandboxResult, Status


async def run(sandbox: Sandbox, script: str, **fields: object) -> SandboxResult:
    request = {"script": textwrap.dedent(script), "timeout": 60.0} | fields
    return await sandbox.run(SandboxRequest.model_validate(request))


def succeeded(result: SandboxResult) -> bool:
    assert result.status is Status.SUCCESS, f"{result.reason}: {result.message}\n{result.stderr}"
    return True


def colours(content: bytes) -> int:
    """How many colours a picture has: an empty page has one."""
    return len(Image.open(io.BytesIO(content)).convert("RGB").getcolors(maxcolors=1_000_000) or ())


def frames(content: bytes) -> int:
    return int(getattr(Image.open(io.BytesIO(content)), "n_frames", 1))


async def test_output_and_arguments_come_back(sandbox: Sandbox) -> None:
    result = await run(
        sandbox, "import sys; print('sum', sum(map(int, sys.argv[1:]))); print('no', file=sys.stderr)", args=("2", "3")
    )
    assert succeeded(result)
    assert (result.reason, result.exit_code, result.signal) == (Reason.OK, 0, None)
    assert (result.stdout, result.stderr) == ("sum 5\n", "no\n")
    assert result.enforced["network"] == "none"
    assert result.enforced["seccomp"]


async def test_shown_figures_are_kept(sandbox: Sandbox) -> None:
    script = """
        import matplotlib
        matplotlib.use("TkAgg")
        import matplotlib.pyplot as plt
        for n in (1, 2):
            plt.plot([0, n])
            plt.show()
        plt.figure(); plt.plot([1]); plt.savefig("mine.png"); plt.show()
        plt.figure(); plt.bar(["a"], [1])
    """
    result = await run(sandbox, script)
    assert succeeded(result)
    assert [output.path for output in result.outputs] == ["figure-1.png", "figure-2.png", "figure-3.png", "mine.png"]
    assert {output.media_type for output in result.outputs} == {"image/png"}
    first, second = (result.output(f"figure-{n}.png").content for n in (1, 2))
    assert first != second
    assert "non-interactive" not in result.stderr


async def test_saving_after_showing_saves_what_was_shown(sandbox: Sandbox) -> None:
    script = """
        import matplotlib.pyplot as plt
        plt.plot([3, 1, 2])
        plt.show()
        plt.savefig("late.png")
    """
    result = await run(sandbox, script, expects=("late.png",))
    assert succeeded(result)
    assert colours(result.output("late.png").content) > 10


async def test_animations_become_gifs(sandbox: Sandbox) -> None:
    script = """
        import matplotlib.pyplot as plt
        from matplotlib.animation import FuncAnimation
        figure, axes = plt.subplots(figsize=(2, 2))
        line, = axes.plot([0, 1], [0, 1])
        moving = FuncAnimation(figure, lambda i: line.set_ydata([0, i / 4]), frames=4)
        moving.save("saved.gif", writer="pillow")
        other, axes = plt.subplots(figsize=(2, 2))
        dot, = axes.plot([0], [0], "o")
        shown = FuncAnimation(other, lambda i: dot.set_ydata([i / 40]), frames=3)
        plt.show()
    """
    result = await run(sandbox, script)
    assert succeeded(result)
    assert [output.path for output in result.outputs] == ["animation-1.gif", "saved.gif"]
    assert frames(result.output("saved.gif").content) == 4
    assert frames(result.output("animation-1.gif").content) == 3


async def test_pandas_reads_its_input_file(sandbox: Sandbox) -> None:
    script = """
        import os
        import pandas as pd
        os.mkdir("out")
        frame = pd.read_csv("data/in.csv")
        frame.groupby("k")["v"].sum().to_csv("out/sums.csv")
        print(frame["v"].mean())
    """
    result = await run(sandbox, script, files={"data/in.csv": b"k,v\na,1\na,2\nb,6\n"})
    assert succeeded(result)
    assert result.stdout == "3.0\n"
    assert result.output("out/sums.csv").content == b"k,v\na,3\nb,6\n"
    assert result.output("out/sums.csv").media_type == "text/csv"
    assert [output.path for output in result.outputs] == ["out/sums.csv"]


async def test_a_changed_input_is_an_output(sandbox: Sandbox) -> None:
    result = await run(sandbox, "open('a.txt', 'a').write('more')", files={"a.txt": b"some ", "b.txt": b"kept"})
    assert succeeded(result)
    assert [(output.path, output.content) for output in result.outputs] == [("a.txt", b"some more")]


async def test_dot_is_a_command(sandbox: Sandbox) -> None:
    script = """
        import subprocess
        subprocess.run(["dot", "-Tsvg", "-o", "g.svg"], input="digraph { Ost -> West }", text=True, check=True)
    """
    result = await run(sandbox, script, expects=("g.svg",))
    assert succeeded(result)
    assert result.output("g.svg").media_type == "image/svg+xml"
    assert b"Ost" in result.output("g.svg").content


async def test_networkx_draws_through_dot(sandbox: Sandbox) -> None:
    script = """
        import networkx as nx
        graph = nx.DiGraph([("plan", "read"), ("read", "write")])
        nx.nx_pydot.to_pydot(graph).write_svg("net.svg")
    """
    result = await run(sandbox, script, expects=("net.svg",))
    assert succeeded(result)
    assert b"plan" in result.output("net.svg").content


async def test_mmdc_is_a_command(sandbox: Sandbox) -> None:
    script = """
        import subprocess
        open("d.mmd", "w").write("flowchart LR; Anfang --> Ende")
        for kind in ("svg", "png"):
            subprocess.run(["mmdc", "-i", "d.mmd", "-o", f"d.{kind}", "-q"], check=True)
    """
    result = await run(sandbox, script, expects=("d.svg", "d.png"), profile="mermaid")
    assert succeeded(result)
    assert b"Anfang" in result.output("d.svg").content
    assert colours(result.output("d.png").content) > 10


async def test_three_dimensions(sandbox: Sandbox) -> None:
    script = """
        import numpy as np, matplotlib.pyplot as plt
        axes = plt.figure().add_subplot(projection="3d")
        x, y = np.meshgrid(np.linspace(-2, 2, 20), np.linspace(-2, 2, 20))
        axes.plot_surface(x, y, np.exp(-x**2 - y**2))
        plt.savefig("surface.pdf")
    """
    result = await run(sandbox, script)
    assert succeeded(result)
    assert result.output("surface.pdf").media_type == "application/pdf"


async def test_input_meets_the_end_of_file(sandbox: Sandbox) -> None:
    result = await run(sandbox, "input('name? ')")
    assert (result.status, result.reason, result.exit_code) == (Status.FAILURE, Reason.EXIT, 1)
    assert "EOFError" in result.stderr


async def test_libraries_compute(sandbox: Sandbox) -> None:
    script = """
        import json, numpy, scipy.optimize, sympy, polars
        x = sympy.symbols("x")
        print(json.dumps({
            "root": round(scipy.optimize.brentq(lambda v: v * v - 2, 0, 2), 6),
            "integral": str(sympy.integrate(x ** 2, x)),
            "rows": polars.DataFrame({"a": [1, 2, 2]}).lazy().unique().collect().height,
            "det": round(float(numpy.linalg.det(numpy.eye(3) * 2)), 6),
        }))
    """
    result = await run(sandbox, script)
    assert succeeded(result)
    assert json.loads(result.stdout) == {"root": 1.414214, "integral": "x**3/3", "rows": 2, "det": 8.0}


async def test_processes_threads_and_loops_of_its_own(sandbox: Sandbox) -> None:
    script = """
        import asyncio, multiprocessing, os, subprocess, sys, threading

        def square(n):
            return n * n

        async def say():
            process = await asyncio.create_subprocess_exec("echo", "there", stdout=-1)
            return (await process.communicate())[0].decode().strip()

        if __name__ == "__main__":
            with multiprocessing.Pool(2) as pool:
                print(pool.map(square, [1, 2, 3]))
            print(asyncio.run(say()))
            print(subprocess.run([sys.executable, "-c", "import numpy; print(numpy.arange(3).sum())"],
                                 capture_output=True, text=True, check=True).stdout.strip())
            thread = threading.Thread(target=lambda: print("late"))
            thread.start()
    """
    result = await run(sandbox, script)
    assert succeeded(result)
    assert result.stdout == "[1, 4, 9]\nthere\n3\nlate\n"


async def test_modules_beside_the_script(sandbox: Sandbox) -> None:
    result = await run(
        sandbox,
        "import names, script, os; print(names.X, script.Y, os.path.basename(__file__), os.getcwd())",
        script_name="job.py",
        files={"names.py": b"X = 1\n", "script.py": b"Y = 2\n"},
    )
    assert succeeded(result)
    assert result.stdout == "1 2 job.py /workspace\n"
    assert result.outputs == ()


async def test_a_traceback_shows_only_the_script(sandbox: Sandbox) -> None:
    result = await run(sandbox, "def f():\n    return 1 / 0\nf()", script_name="job.py")
    assert result.reason is Reason.EXIT
    lines = result.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].strip() == 'File "/workspace/job.py", line 3, in <module>'
    assert lines[-1] == "ZeroDivisionError: division by zero"


async def test_the_same_script_makes_the_same_bytes(sandbox: Sandbox) -> None:
    script = """
        import matplotlib.pyplot as plt
        plt.plot([1, 2]); plt.title("$x^2$")
        for kind in ("svg", "pdf", "png"):
            plt.savefig("same." + kind)
    """
    first, second = await run(sandbox, script), await run(sandbox, script)
    assert succeeded(first)
    assert len(first.outputs) == 3
    assert [output.sha256 for output in first.outputs] == [output.sha256 for output in second.outputs]


async def test_exit_functions_and_exit_codes(sandbox: Sandbox) -> None:
    result = await run(sandbox, "import atexit, sys; atexit.register(print, 'bye'); sys.exit(7)")
    assert (result.reason, result.exit_code, result.stdout) == (Reason.EXIT, 7, "bye\n")
    result = await run(sandbox, "raise SystemExit('told why')")
    assert (result.reason, result.exit_code, result.stderr) == (Reason.EXIT, 1, "told why\n")


async def test_odd_but_valid_sources(sandbox: Sandbox) -> None:
    for source in ("\ufeffprint('bom')", "# -*- coding: latin-1 -*-\nprint('bom' if len('ü') == 1 else 'two')"):
        result = await run(sandbox, source)
        assert succeeded(result)
        assert result.stdout == "bom\n"
