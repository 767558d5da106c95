"""Run every notebook from top to bottom, slow cells included, as "Run all" in Jupyter does.

    python .ci/run_all.py [--jobs 2] [--minutes 10] [--together 15] [NOTEBOOK ...]

Nothing is written back. A notebook fails if a cell raises, if it runs longer than its minutes, or
if an error message that it shows (a printed line that starts with "- ") is no longer what the code
says; the whole fails if it runs longer than the minutes together.
The hidden cell that exports the package is left out: two notebooks must not write it at a time.
The last line says how many passed; the status is 0 only if all did.
"""

import argparse
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

import nbformat
from kernels import kernels
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

ROOT = Path(__file__).resolve().parents[1]


# Small files that take minutes: last, they would run alone.
LONG = ("10a_sweep.ipynb", "reliability.ipynb")


def notebooks():
    "All notebooks that nbdev tests, the long and the large first."
    found = [o for o in (ROOT / "nbs").rglob("*.ipynb") if not o.name.startswith((".", "_"))]
    return sorted(found, key=lambda o: (o.name not in LONG, -o.stat().st_size))


def without_export(notebook):
    "The notebook without the cells that export the package."
    keep = [o for o in notebook.cells if "nbdev_export(" not in o.source]
    notebook.cells = keep
    return notebook


def plain(error):
    "The text of an error without color codes."
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error))


def printed(cell):
    "What a cell has printed."
    outputs = cell.get("outputs", [])
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")


# What differs from machine to machine: free space, addresses, and in parentheses what other
# libraries say; and every message about a GPU.
DIFFERS = re.compile(r"[\d,.]+(?= MB)| at 0x[0-9a-f]+|\([^()]*\)")
GPU = "cuda"


def messages(notebook):
    "The error messages that each cell of a notebook shows."
    found = {o.id: re.findall(r"^- .+", printed(o), re.MULTILINE) for o in notebook.cells}
    return {
        cell: [DIFFERS.sub("", line) for line in lines if GPU not in line]
        for cell, lines in found.items()
        if lines
    }


def changed_messages(shown, now):
    "How the messages of a run differ from those that the notebook shows, in words."
    lines = []
    for cell, old in shown.items():
        new = now.get(cell, [])
        for a, b in zip_longest(old, new, fillvalue="(nothing)"):
            if a != b:
                lines.append(f"cell {cell} shows  {a}\n{' ' * len(cell)} and now says  {b}")
    return "\n".join(lines)


def run(path, minutes, kernel):
    "What went wrong in a notebook, None if nothing did, and the seconds it took."
    start = time.monotonic()
    notebook = without_export(nbformat.read(path, as_version=4))
    shown = messages(notebook)
    client = NotebookClient(
        notebook,
        timeout=60 * minutes,
        startup_timeout=300,  # a kernel that starts on a busy machine
        kernel_name=kernel,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return plain(error)[-3000:], time.monotonic() - start
    except CellTimeoutError:
        return f"a cell took more than {minutes} minutes", time.monotonic() - start
    seconds = time.monotonic() - start
    if seconds > 60 * minutes:
        return f"took more than {minutes} minutes", seconds
    return changed_messages(shown, messages(notebook)) or None, seconds


def report(path, minutes, kernel):
    "Run one notebook, print its line, and say whether it passed."
    error, seconds = run(path, minutes, kernel)
    name = path.relative_to(ROOT / "nbs")
    print(f"{seconds:6.0f} s  {'failed' if error else 'passed'}  {name}", flush=True)
    if error:
        print(error, flush=True)
    return not error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--together", type=float, default=15)
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core a kernel
    paths = [o.resolve() for o in args.notebooks] or notebooks()
    start = time.monotonic()
    with kernels() as kernel, ThreadPoolExecutor(args.jobs) as pool:
        passed = list(pool.map(lambda o: report(o, args.minutes, kernel), paths))
    minutes = (time.monotonic() - start) / 60
    failed = len(passed) - sum(passed)
    print(f"run all: {sum(passed)} passed, {failed} failed, {minutes:.1f} minutes")
    if minutes > args.together:
        print(f"run all took more than {args.together:g} minutes")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
