"""What a student would slip into the pages that graders look at."""

from __future__ import annotations

from .attack import Attack, family

STOPPED = "outputs and students' cells are made inert before they are shown"
ESCAPED = "shown as text"

ALIVE = {
    "a script": "<script>window.alive = 1</script>",
    "a script in other letters": "<ScRiPt src=//x>alive</sCrIpT >",
    "a picture that fails": '<img src=x onerror="alive()">',
    "a drawing that loads": "<svg onload=alive()><script>alive()</script></svg>",
    "a frame": '<iframe srcdoc="<script>alive()</script>"></iframe>',
    "a form to the formgrader": "<form action='/formgrader/api/grade/1' method=post><input name=manual_score value=20></form>",
    "a link that is code": '<a href="javascript:alive()">see</a>',
    "a link that is code, in entities": '<a href="&#106;avascript:alive()">see</a>',
    "a page of data": "<a href='data:text/html,<script>alive()</script>'>see</a>",
    "a style that covers the page": "<style>body{display:none}</style><div style='position:fixed;inset:0'>alive</div>",
    "a base for all links": "<base href=//x><meta http-equiv=refresh content='0;//x'><link rel=stylesheet href=//x>",
    "a broken tag": "<<script>alive()//<</script><img/src/onerror=alive()>",
    "an event on any tag": "<p onmouseover=alive() autofocus tabindex=1 onfocus=alive()>x</p>",
    "a comment and a doctype": "<!--><script>alive()</script>--><!DOCTYPE x><?x alive ?>",
    "a math element": "<math><maction actiontype='statusline#javascript:alive()'>x</maction></math>",
}
IN_MARKDOWN = {
    "a markdown link that is code": "[see](javascript:alive()) [see](  JavaScript:alive())",
    "a markdown picture that breaks out": '![x](x"onerror="alive())',
    "a reference that is code": "[see][1]\n\n[1]: javascript:alive()",
    "a formula that is a link": "$\\href{javascript:alive()}{x}$ $\\style{alive}{x}$",
}
OTHER = {
    "a script as an output of its own": ("application/javascript", "alive()"),
    "a drawing as an output": ("image/svg+xml", "<svg onload=alive()><script>alive()</script></svg>"),
    "a widget": ("application/vnd.jupyter.widget-view+json", {"model_id": "</script><script>alive()</script>"}),
    "a picture whose data breaks out": ("image/png", "'\"><script>alive()</script>"),
    "a formula as an output": ("text/latex", "$\\href{javascript:alive()}{x}$<script>alive()</script>"),
    "markdown as an output": ("text/markdown", "<script>alive()</script>[x](javascript:alive())"),
}  # fmt: skip

GOAL = "a mark, with the rights of the grader who looks"
PAGES = family(
    "Pages for graders",
    "Shown by the formgrader's exporter, in a markdown cell or as an output.",
    [
        *(Attack(n, GOAL, STOPPED, t, more={"both": True}) for n, t in ALIVE.items()),
        *(Attack(n, GOAL, STOPPED, t) for n, t in IN_MARKDOWN.items()),
        *(Attack(n, GOAL, STOPPED, str(t), more={"output": (k, t)}) for n, (k, t) in OTHER.items()),
        Attack("a script in an error's name and text", GOAL, ESCAPED, "<script>alive()</script>", more={"error": True}),
        Attack("a script on standard output, with colours", GOAL, ESCAPED, "\x1b[31m<script>alive()</script>\x1b]8;;javascript:alive()\x07", more={"stream": True}),
    ],
)  # fmt: skip
