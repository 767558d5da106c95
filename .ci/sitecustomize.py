"""Let coverage see the exported cells of a notebook as lines of the package.

A notebook is tested by running its cells; what it exports runs there as cells, not as `collapse_nb/<module>.py`.
Each exported cell stands word for word in that module, below the line `# %% ../nbs/<notebook>.ipynb #<id>`.
So such a cell is compiled here under the module's name, its lines moved to where they stand in the module.

Python imports this file at its start where `.ci` is on PYTHONPATH, as .ci/run has it for the one call of nbdev_test.
Coverage starts by itself, in subprocesses too, where COVERAGE_PROCESS_START is set.
"""
import re, sys
from pathlib import Path


def exported():
    "The text of each exported cell → (the module's file, how many of its lines stand above the cell)."
    cells = {}
    for file in (Path(__file__).parents[1]/'collapse_nb').glob('*.py'):
        head, *parts = re.split(r'^# %% \.\./nbs/.*\n', file.read_text(encoding='utf-8'), flags=re.M)
        above = head.count('\n') + 1
        for cell in parts:
            cells[key(cell)] = str(file), above + len(cell) - len(cell.lstrip('\n'))
            above += cell.count('\n') + 1
    return cells


def key(cell):
    "A cell's text as it is in the module and in the notebook alike."
    return re.sub(r'^from collapse_nb(\.\w+ import)', r'from \1', cell, flags=re.M).strip()


def see_exported_cells():
    "Have IPython compile exported cells under the module's name."
    import ast
    from IPython.core.compilerop import CachingCompiler

    cells, cache, parse = exported(), CachingCompiler.cache, CachingCompiler.ast_parse
    def cache_(self, cell, *args, **kwargs):
        return cells[key(cell)][0] if key(cell) in cells else cache(self, cell, *args, **kwargs)
    def parse_(self, source, *args, **kwargs):
        tree = parse(self, source, *args, **kwargs)
        return ast.increment_lineno(tree, cells[key(source)][1]) if key(source) in cells else tree
    CachingCompiler.cache, CachingCompiler.ast_parse = cache_, parse_


if any(o.endswith('nbdev_test') for o in sys.orig_argv): see_exported_cells() # its workers are forks of it
