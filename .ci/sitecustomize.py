"""Which statements of the package do the notebooks run?

A tracer would see only a part of it, because a notebook runs what it exports as cells, not as
`collapse_nb/<module>.py`; and it would slow the tests down by half. So each statement gets a mark
in front of it when it is compiled, in the module and in the exported cell, which stands in the
module word for word below the line `# %% ../nbs/<notebook>.ipynb #<id>`. A mark that is passed for
the first time adds a line to the file that COLLAPSE_NB_HITS names, at once: killed processes count
too. Modules with marks are kept beside that file, as Python keeps modules without; a process that
begins knows which marks were passed before. Otherwise each of the many would lose a second or two.

Python imports this file at its start if `.ci` is on PYTHONPATH, as .ci/run has it for "Run all";
then

    python .ci/sitecustomize.py FILE

shows the table, and fails below 90%. Of `if a: b`, both halves count; parts of an expression do
not. coverage.py cannot do this: it attributes a cell to a temporary file of the kernel.
"""

import ast, builtins, marshal, os, re, sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

package, hits = (
    Path(__file__).resolve().parents[1] / "collapse_nb",
    os.environ.get("COLLAPSE_NB_HITS"),
)


class Passed(dict):
    "`passed[key]` is the mark; those that other processes have passed are there from the start."

    def __init__(self):
        try:
            super().__init__(dict.fromkeys(Path(hits).read_text().split(), True))
        except FileNotFoundError:
            super().__init__()

    def __missing__(self, key):
        self[key] = True
        try:
            fd = os.open(hits, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(fd, f"{key}\n".encode())
            os.close(fd)
        except OSError:
            pass  # a test of a full disk


def mark(tree, module, above=0):
    "Put a mark before each statement but docstrings; the keys: module, line, column."
    keys = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(block := getattr(node, name, None), list):
                continue
            for o in block[:]:
                if isinstance(o, ast.Expr) and isinstance(o.value, ast.Constant):
                    continue
                if isinstance(o, ast.ImportFrom) and o.module == "__future__":
                    continue  # which nothing may stand before
                keys.append(f"{module}:{o.lineno + above}:{o.col_offset}")
                new = ast.parse(f"__passed__[{keys[-1]!r}]").body[0]
                block.insert(block.index(o), ast.fix_missing_locations(ast.copy_location(new, o)))
    return keys


def text_of(cell):
    "A cell as it stands in the module: without directives, its imports relative."
    cell = re.sub(r"^#\|.*\n", "", cell, flags=re.M)
    return re.sub(r"^from collapse_nb(\.\w+ import)", r"from \1", cell, flags=re.M).strip()


def directives(cell):
    "How many lines of directives stand at the top of a cell."
    return len(re.match(r"(#\|.*\n)*", cell)[0].splitlines())


def exported():
    "The text of each exported cell → (its module, how many of its lines stand above it)."
    cells = {}
    for file in package.glob("[!_]*.py"):
        head, *parts = re.split(
            r"^# %% \.\./nbs/.*\n", file.read_text(encoding="utf-8"), flags=re.M
        )
        above = head.count("\n") + 1
        for cell in parts:
            cells[text_of(cell)] = file.stem, above + len(cell) - len(cell.lstrip("\n"))
            above += cell.count("\n") + 1
    return cells


def marked_code(file):
    "The code of a module with marks, compiled by the first process that asks for it."
    kept = Path(f"{hits}-{file.stem}-{file.stat().st_mtime_ns}.code")
    try:
        return marshal.loads(kept.read_bytes())
    except FileNotFoundError:
        pass
    mark(tree := ast.parse(file.read_text(encoding="utf-8")), file.stem)
    code = compile(tree, str(file), "exec", dont_inherit=True)
    part = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        part.write_bytes(marshal.dumps(code))
        part.replace(kept)
    except OSError:
        pass  # a test of a full disk
    return code


def mark_modules():
    "Modules of the package are compiled with marks."
    get_code = SourceFileLoader.get_code

    def get_marked(self, fullname):
        file = Path(self.get_filename(fullname))
        if file.parent != package or file.stem[0] == "_":
            return get_code(self, fullname)
        return marked_code(file)

    SourceFileLoader.get_code = get_marked


def mark_cells():
    "So are exported cells, by IPython."
    from IPython.core.compilerop import CachingCompiler

    cells, parse = exported(), CachingCompiler.ast_parse

    def parse_marked(self, source, *args, **kwargs):
        tree = parse(self, source, *args, **kwargs)
        if text_of(source) in cells:
            module, above = cells[text_of(source)]
            mark(tree, module, above - directives(source))
        return tree

    CachingCompiler.ast_parse = parse_marked


def shortened(lines):
    "The first thirty of the lines that were not run."
    if not lines:
        return ""
    more = ", …" if len(lines) > 30 else ""
    return f"not run: lines {', '.join(map(str, lines[:30]))}{more}"


def report(passed):
    "A line for each module and the total; is the total 90% or more?"
    passed, total = set(passed.read_text().split()), []
    for file in sorted(package.glob("[!_]*.py")):
        keys = mark(ast.parse(file.read_text(encoding="utf-8")), file.stem)
        missed = sorted({int(k.split(":")[1]) for k in keys if k not in passed})
        total += [k in passed for k in keys]
        share = sum(k in passed for k in keys) / len(keys)
        print(f"{file.stem:<12}{len(keys):>6} statements{share:>8.1%}  {shortened(missed)}")
    print(f"{'total':<12}{len(total):>6} statements{sum(total) / len(total):>8.1%}")
    return sum(total) >= 0.9 * len(total)


if __name__ == "__main__":
    sys.exit(not report(Path(sys.argv[1])))
elif hits:
    builtins.__passed__ = Passed()
    mark_modules()
    if any(o.startswith("ipykernel") or o == "serve" for o in sys.orig_argv):
        mark_cells()
