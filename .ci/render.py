"""Make README.md from nbs/index.ipynb, or HTML pages from all notebooks, without Quarto.

    python .ci/render.py readme
    python .ci/render.py html [DIR]     (default: _html)
"""
import os, re, shutil, sys
from pathlib import Path

import nbformat, yaml
from jinja2 import DictLoader
from execnb.nbio import nb2str, read_nb
from nbconvert import HTMLExporter, MarkdownExporter
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.processors import FilterDefaults

cfg = get_config()
root, nbs = cfg.config_path, cfg.nbs_path
link = re.compile(r'(\]\(|\b(?:href|src)=")(?![a-z]+:|#|/)([^)\s"#]+)')
template = '''{% extends 'lab/index.html.j2' %}{% block data_png scoped %}
{%- set alt = cell.metadata.get('alt') -%}
{{ super() | replace('<img ', '<img alt="' ~ (alt | escape_html) ~ '" ', 1) if alt else super() }}{% endblock %}''' # nbconvert's page, with alt texts
mathjax = Path('/usr/share/javascript/mathjax/MathJax.js') # Debian's libjs-mathjax: formulas without a network


class Processors(FilterDefaults):
    "nbdev's own, without links to the documentation's web address: pages here link among themselves."
    def base_procs(self): return [o for o in super().base_procs() if o.__name__ != 'add_links']


def page(
    path:Path, # A notebook
): # Its title block and the processed notebook, free of directives
    "Run nbdev's processors on one notebook."
    os.environ['IN_TEST'] = '1' # as nbdev does: cells that are only for a reader's session stay out
    raw = read_nb(path)
    Processors()(raw)
    nb = nbformat.reads(nb2str(raw), as_version=4)
    head = nb.cells.pop(0).source.strip('-\n ') if nb.cells and nb.cells[0].cell_type == 'raw' else ''
    head = yaml.safe_load(head) or {}
    for o in nb.cells:
        o.pop('has_sd', None)
        if o.cell_type != 'code': continue
        if re.search(r'^#\|\s*echo:\s*false', o.source, re.M): o.metadata['transient'] = {'remove_source': True}
        if alt := re.search(r'^#\|\s*fig-alt:\s*(.+)', o.source, re.M): o.metadata['alt'] = alt[1]
        o.source = re.sub(r'^#\|.*\n?', '', o.source, flags=re.M)
        for data in [p.data for p in o.outputs if 'text/markdown' in p.get('data', {})]:
            data['text/markdown'] = re.sub(r'\{target="_blank"[^}]*\}', '', ''.join(data['text/markdown']))
    nb.metadata.setdefault('language_info', {})['name'] = 'python'
    title = f"# {head.get('title', path.stem)}\n\n" + (f"> {head['description']}\n\n" if head.get('description') else '')
    return title, nb


def readme():
    "Write README.md from the index; links that are relative to nbs/ become relative to the top."
    title, nb = page(nbs/cfg.readme_nb)
    text, resources = MarkdownExporter().from_notebook_node(nb)
    if resources.get('outputs'): sys.exit(f'{cfg.readme_nb}: a README cannot hold a stored figure; show an image file instead.')
    text = link.sub(lambda m: m[1] + Path(os.path.relpath(nbs/m[2], root)).as_posix(), title + text.lstrip())
    (root/'README.md').write_text(re.sub(r'\n{3,}', '\n\n', text).rstrip() + '\n', encoding='utf-8')


def page_link(path, target, out):
    "Where a link of the notebook `path` leads among the pages: a notebook's page, or a copy of another file."
    file = path.parent/target
    if file.suffix == '.ipynb': return target[:-len('ipynb')] + 'html'
    if file.is_file() and file.suffix != '.png':
        copy = out/path.relative_to(nbs).parent/target
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return target


def html(
    out:str='_html', # Folder to write to
):
    "Write a page for each notebook, in the same sub-folders; links to notebooks become links to pages."
    exporter = HTMLExporter(exclude_input_prompt=True, exclude_output_prompt=True, embed_images=True, extra_loaders=[DictLoader({'alt.html.j2': template})], template_file='alt.html.j2')
    if mathjax.exists(): exporter.mathjax_url = f'{mathjax.as_uri()}?config=TeX-AMS_CHTML-full'
    for path in sorted(nbglob(nbs, as_path=True)):
        title, nb = page(path)
        nb.cells.insert(0, nbformat.v4.new_markdown_cell(title))
        to_page = lambda text, path=path: link.sub(lambda m: m[1] + page_link(path, m[2], Path(out)), text)
        for o in nb.cells:
            if o.cell_type == 'markdown': o.source = to_page(o.source)
            for data in [p.data for p in o.get('outputs', []) if 'text/markdown' in p.get('data', {})]: data['text/markdown'] = to_page(''.join(data['text/markdown']))
        text, _ = exporter.from_notebook_node(nb, resources={'metadata': {'name': path.stem, 'path': str(path.parent)}})
        file = Path(out)/path.relative_to(nbs).with_suffix('.html')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding='utf-8')
        print(file)


if __name__ == '__main__':
    match sys.argv[1:]:
        case ['readme']: readme()
        case ['html', *out] if len(out) < 2: html(*out)
        case _: sys.exit(__doc__)
