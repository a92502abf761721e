"""Attacks on what the host believes: results, workers, requests (56 to 58, 61)."""

from __future__ import annotations

from tests.sandbox.attacks.model import SMALL, Attack, Outcome


def _ended_well_without_outputs(outcome: Outcome) -> None:
    assert outcome.result.exit_code == 0
    assert not outcome.result.outputs


def _forged_nothing(outcome: Outcome) -> None:
    assert not outcome.result.outputs
    assert outcome.result.usage.cpu_ms != 424242


def _never_ran(outcome: Outcome) -> None:
    assert outcome.result.message
    assert outcome.result.duration_ms == 0


ATTACKS = [
    Attack(
        "poison-the-worker", (56,), "A worker poisoned in every way serves nobody after",
        """
import atexit, builtins, threading
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
builtins.print = builtins.open = builtins.len = lambda *a, **k: 1 / 0
json.loads = json.dumps = lambda *a, **k: "poisoned"
for name in list(sys.modules):
    if name.startswith(("numpy", "pandas")): sys.modules[name] = None
atexit.register(lambda: os.write(1, b"still here"))
for place in ("/tmp/sitecustomize.py", "/workspace/json.py"):
    with __import__("io").open(place, "w") as file: file.write("raise SystemExit('poisoned')")
os.environ["PYTHONSTARTUP"] = os.environ["LD_PRELOAD"] = "/tmp/x"
os._exit(0)
""",
        warm=True,
    ),
    Attack(
        "forged-result", (57,), "Forged frames, results and pickles are never believed",
        r"""
import glob, pickle, struct
class Owned:
    def __reduce__(self): return os.system, (f"touch {CANARY}.owned",)
payload = json.dumps({"exit_code": 0, "cpu_ms": 424242, "outputs": ["forged.png"], "status": "success"}).encode()
forged = b"".join(struct.pack(">BI", kind, len(payload)) + payload + bytes(16) for kind in (32, 33, 34, 37, 39))
os.write(1, forged); os.write(2, forged); os.write(1, pickle.dumps(Owned()))
targets = [f"/proc/{pid}/fd/{number}" for pid in (os.getppid(), 1, "self") for number in range(3, 12)]
for target in targets + glob.glob("/dev/pts/*"):
    try: open(target, "wb").write(forged)
    except OSError: pass
for number in range(3, 64):
    try: os.write(number, forged)
    except OSError: pass
sys.exit(3)
""",
        ("exit",), _forged_nothing,
    ),
    Attack("exit-zero", (58,), "Leaving by sys.exit is an honest end", "sys.exit(0)", judge=_ended_well_without_outputs),
    Attack("hard-exit", (58,), "Leaving by os._exit before anything is tidied is an honest end", "os._exit(0)",
           judge=_ended_well_without_outputs),
    Attack("exec-true", (58,), "Turning into another program is an honest end", "os.execv('/bin/true', ['true'])",
           judge=_ended_well_without_outputs),
    Attack("huge-script", (61,), "A script of 50 MB is refused with a sentence", "#" + "x" * 50 * 1024 * 1024,
           ("invalid_request",), _never_ran, raw=True),
    Attack("nul-in-script", (61,), "A script with NUL is refused or fails like in any interpreter", "print('a')\0print('b')",
           ("invalid_request", "exit"), raw=True),
    Attack("byte-order-mark", (61,), "A script with a byte order mark runs", "\ufeffprint('DONE')", raw=True),
    Attack("utf-7-script", (61,), "An odd encoding declaration changes nothing", "# coding: utf-7\nprint('DONE', '+AGE-')",
           ("ok", "exit"), raw=True),
    Attack(
        "huge-arguments", (61,), "Huge argument lists and environments fail inside",
        """
import subprocess
try: subprocess.run(["/bin/true", *["x" * 100_000] * 100])
except OSError as full: print(full)
try: subprocess.run(["/bin/true"], env={f"N{n}": "x" * 100_000 for n in range(100)})
except OSError as full: print(full)
""",
    ),
    Attack("hostile-file-name", (61,), "An input that would land outside is refused", "print('never')",
           ("invalid_request",), _never_ran, files={"../../etc/cron.d/owned": b"x"}, limits=SMALL),
]  # fmt: skip
