"""Notebook files that no notebook editor writes; every answer in them is wrong."""

from __future__ import annotations

import json
from typing import Any

from .attack import Attack, family

REBUILT = "cells are rebuilt from the instructor's version; metadata and tags count for nothing"
UNREADABLE = "a file that is no notebook is its author's problem alone"
BOUNDED = "notebooks are read within bounds"


def text(name: str, raw: str | bytes) -> Attack:
    """A file with these contents in the notebook's place."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    return Attack(name, "a run that stops for everybody", UNREADABLE, "", more={"raw": data})


def change(name: str, code: str, stopped: str = REBUILT) -> Attack:
    """``code`` changes ``nb``, the notebook's JSON data, and ``cell``, its cells by grade_id."""
    return Attack(name, "marks without answers", stopped, code)


def changed(attack: Attack, data: dict[str, Any]) -> bytes:
    """The released notebook with wrong answers, as this attack hands it in."""
    if "raw" in attack.more:
        return bytes(attack.more["raw"])
    by_name = {c["metadata"]["nbgrader"]["grade_id"]: c for c in data["cells"]}
    exec(attack.code, {"nb": data, "cell": by_name, "json": json})
    return json.dumps(data).encode("ascii")


TESTS = "for name in ('test_double', 'test_half'): cell[name]"
NOTEBOOKS = family(
    "Notebook files",
    "Handed in beside honest ones and graded in one run of `attention-course grade`'s engine.",
    [
        text("nothing at all", ""),
        text("no JSON", "{'cells': []}"),
        text("a number", "5"),
        text("a list", "[]"),
        text("an object with nothing in it", "{}"),
        text("a hundred thousand brackets", "[" * 100_000),
        text("a nested object five hundred deep", '{"cells":' * 500 + "[]" + "}" * 500),
        text("a number of ten thousand digits", '{"nbformat": 4, "cells": [], "metadata": {"x": ' + "9" * 10_000 + "}}"),
        text("bytes that are no text", b"\x1f\x8b\x08\x00" + bytes(range(256)) * 20),
        text("cells that are null", '{"cells": null, "metadata": null, "nbformat": 4, "nbformat_minor": 5}'),
        text("cells that are no cells", '{"cells": [null, 5, "x", {}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
        text("a format of the future", '{"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}'),
        text("a format of the past", '{"worksheets": [{"cells": [{"cell_type": "code", "input": "1"}]}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}'),
        change("tests tagged not to be run", f"{TESTS}['metadata']['tags'] = ['skip-execution']"),
        change("tests with other source", f"{TESTS}['source'] = '2'"),
        change("tests turned into text", f"{TESTS}['cell_type'] = 'markdown'"),
        change("tests that are no tests any more", f"{TESTS}['metadata']['nbgrader']['grade'] = False"),
        change("tests worth a thousand points", f"{TESTS}['metadata']['nbgrader']['points'] = 1000"),
        change("tests of negative points", f"{TESTS}['metadata']['nbgrader']['points'] = -5"),
        change("tests renamed", f"{TESTS}['metadata']['nbgrader']['grade_id'] += '-x'"),
        change("tests taken out", "nb['cells'] = [c for c in nb['cells'] if not c['metadata']['nbgrader']['grade'] or c['metadata']['nbgrader']['solution']]"),
        change("tests there five times", "nb['cells'] += [json.loads(json.dumps(dict(c, source='2', id=f'{n}x'))) for n in range(5) for c in list(nb['cells'])]"),
        change("tests moved before the answers", "nb['cells'].reverse()"),
        change("tests with outputs that were there before", f"{TESTS}.update(outputs=[dict(output_type='execute_result', data={{'text/plain': '2'}}, metadata={{}}, execution_count=1)], execution_count=1)"),
        change("answers turned into tests", "for name in ('double', 'half'): cell[name]['metadata']['nbgrader'].update(grade=True, points=99)"),
        change("a task turned into a test", "cell['style'].update(cell_type='code', source='1', outputs=[], execution_count=None)\ncell['style']['metadata']['nbgrader'].update(grade=True, task=False, solution=False)"),
        change("verdicts in the metadata", "nb['metadata']['attention_course'] = {'version': 1, 'verdicts': [{'outcome': 'passed'}], 'ungraded': {'test_double': 'x'}}"),
        change("a kernel of another language", "nb['metadata']['kernelspec'] = {'name': 'bash', 'language': 'bash', 'display_name': 'x'}"),
        change("a kernel that is a path", "nb['metadata']['kernelspec'] = {'name': '../../x', 'language': 5, 'display_name': []}"),
        change("metadata that is none", "for c in nb['cells'][:1]: c['metadata'] = None\nnb['metadata'] = {'x' * 10**5: []}"),
        change("sources that are no text", "cell['double']['source'] = [['def double(x)'], 5, None]\ncell['half']['source'] = {'x': 1}"),
        change("cells of one name, and of none", "for c in nb['cells']: c['id'] = '../x'\nnb['cells'][0].pop('id')"),
        change("half a surrogate pair in every place", "for c in nb['cells']: c['source'] += '\\ud800'\nnb['metadata']['\\udc00'] = '\\ud800'"),
        change("five thousand cells", "nb['cells'] += [dict(cell_type='markdown', metadata={}, source='x', id=f'm{n}') for n in range(5000)]", BOUNDED),
        change("a cell of two hundred thousand lines", "nb['cells'].append(dict(cell_type='code', metadata={}, source='\\n' * 200_000, outputs=[], execution_count=None, id='long'))", BOUNDED),
        change("a cell of six hundred questions", "cell['double']['source'] = '\\n'.join(f'x{n}?' for n in range(600))", BOUNDED),
        change("a cell of ten thousand brackets", "cell['double']['source'] = '(' * 10_000", BOUNDED),
        change("a cell of ten thousand signs", "cell['double']['source'] = 'x = ' + '-' * 10_000 + '1'", BOUNDED),
        change("ten megabytes of outputs", "cell['double']['outputs'] = [dict(output_type='stream', name='stdout', text='x' * 10**7)]", BOUNDED),
        change("attachments of ten megabytes", "cell['essay']['attachments'] = {'x.png': {'image/png': 'A' * 10**7}}", BOUNDED),
    ],
)  # fmt: skip
