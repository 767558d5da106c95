"""Check the code that a reader sees on the front page and the paper's pages.

python .ci/pages.py

The visible cells of a page, copied into an empty notebook in an empty folder, must run, and every
collapse-nb command in its text must be one that the command line takes. At most ten lines a cell
and 100 characters a line are visible, and 40 lines a page in the median. In the guides, whose cells
need their folded ones, cells are measured and commands read, and nothing is run. Visible is what
.ci/render.py leaves unfolded and does not say "not run by default" about. The list of figures and
numbers is compared with what its cells give now; if it is out of date, that is said.
"""

import ast
import contextlib
import io
import json
import os
import re
import shlex
import statistics
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ |= {"MPLBACKEND": "agg", "IN_TEST": "1"}

import typer
from render import is_visible, nbs, page

from collapse_nb.cli import app

CELL, LINE, MEDIAN = 10, 100, 40  # lines, characters, lines


COMMANDS = typer.main.get_command(app).commands


def visible_cells(nb):
    "The sources of the cells that a reader sees and can copy."
    return [o.source.strip() for o in nb.cells if o.cell_type == "code" and is_visible(o)]


def lines(source):
    "The lines that are not empty."
    return [line for line in source.splitlines() if line.strip()]


def too_much(cells):
    "What is too long in the cells of one page."
    for source in cells:
        if len(lines(source)) > CELL:
            yield f"a cell shows {len(lines(source))} lines: {lines(source)[0]}"
        for line in lines(source):
            if len(line) > LINE:
                yield f"a line of {len(line)} characters: {line[:40]}…"


def run_copied(cells):
    "Run the cells in an empty folder with no name defined; what it says if one fails."
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile("\n\n".join(cells), "copied cells", "exec"), {"__name__": "copied"})
        except Exception:
            return traceback.format_exc(limit=-1)
        finally:
            os.chdir(here)
    return ""


def commands(nb):
    "The collapse-nb commands in a page's text, as lists of arguments."
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            text = cell.source.replace("\\\n", " ")
            for found in re.findall(r"\bcollapse-nb +([^`\n&]+)", text):
                if re.search(r" -|`", found) or found.strip() in COMMANDS:
                    yield shlex.split(found)


def misread(arguments):
    "What the command line says against a command; it is not run."
    name, *options = arguments
    if name not in COMMANDS:
        return f"no command {name!r}"
    try:
        COMMANDS[name].make_context(name, options)
    except Exception as error:  # of click or typer, whose classes moved
        return f"collapse-nb {shlex.join(arguments)}: {error}"
    return ""


def is_current(path):
    "Are the tables stored in a notebook those that its cells give now?"
    here, names = Path.cwd(), {}
    os.chdir(path.parent)
    try:
        for cell in json.loads(path.read_text())["cells"]:
            stored = [o["data"]["text/markdown"] for o in cell.get("outputs", []) if "data" in o]
            if cell["cell_type"] == "code" and stored:
                *before, last = ast.parse("".join(cell["source"])).body
                exec(compile(ast.Module(before, []), path.name, "exec"), names)
                shown = eval(compile(ast.Expression(last.value), path.name, "eval"), names)
                if shown.data.split() != "".join(stored[0]).split():
                    return False
    finally:
        os.chdir(here)
    return True


def main():
    "Measure and run every page; exit with what is wrong."
    wrong, counts = [], []
    for path in sorted((nbs / "guides").glob("*.ipynb")):
        _, nb = page(path)
        faults = [*too_much(visible_cells(nb)), *filter(None, map(misread, commands(nb)))]
        wrong += [f"{path.relative_to(nbs)}: {fault}" for fault in faults]
    for path in [nbs / "index.ipynb", *sorted((nbs / "paper").glob("[0-9]*.ipynb"))]:
        start = time.monotonic()
        _, nb = page(path)
        cells, typed = visible_cells(nb), list(commands(nb))
        said = [run_copied(cells), *map(misread, typed)]
        faults = [*too_much(cells), *filter(None, said)]
        name = path.relative_to(nbs)
        wrong += [f"{name}: {fault}" for fault in faults]
        counts.append(sum(len(lines(source)) for source in cells))
        seconds = time.monotonic() - start
        print(
            f"{name}: {len(cells)} visible cells, {counts[-1]} lines, "
            f"{len(typed)} commands, {seconds:.0f} s"
        )
    numbers = nbs / "paper" / "00_numbers.ipynb"
    if not is_current(numbers):
        print(f"REPORTED: execute {numbers.relative_to(nbs)}, its tables are out of date")
    median = statistics.median(counts)
    print(f"median {median:g} visible lines on {len(counts)} pages")
    if median > MEDIAN:
        wrong.append(f"the median page shows {median:g} lines of code, more than {MEDIAN}")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
