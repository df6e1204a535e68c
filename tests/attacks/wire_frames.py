"""Frames written by hand to the connection, in the middle of a call that the grader waits for."""

from __future__ import annotations

from .attack import Attack, family

# What every attack of this family has at hand: the connection, and the request that is being
# answered, found in the frames of its own process.
TOOLS = """
import json, os, struct, sys, time
def answering():
    frame = sys._getframe()
    while frame:
        header = frame.f_locals.get("header")
        if isinstance(header, dict) and "op" in header: return header
        frame = frame.f_back
NOW = {}
def request(): return NOW or answering()
FD = 3
def raw(data):
    while data: data = data[os.write(FD, data):]
def frame(head, payload=b""):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    raw(struct.pack(">IQ", len(head), len(payload)) + head + payload)
def reply(value, payload=b"", **more):
    frame({"id": request()["id"], "value": value, "outputs": [], **more}, payload)
def fail(error): frame({"id": request()["id"], "error": error, "outputs": []})
"""
# The same in a cell, whose frames do not lead to the request: when its answer is sent.
IN_A_CELL = """
from attention_course.grading.sandbox import child
honest = child.send_frame
def hostile(connection, header, *rest):
    child.send_frame = honest
    NOW.update(id=header["id"], target=1)
    try: double(0)
    finally: honest(connection, header, *rest)
child.send_frame = hostile
"""

WRONG_ID = "a message that nobody asked for ends the process"
SIZES = "sizes are checked before anything is read"
SHAPE = "an array's bytes must fit its declared shape"
PLAIN = "only plain values and handles are made of what arrives"
UNREADABLE = "what cannot be read ends that call and nothing else"

VALUES = {
    "a number where a value should be": ("5", UNREADABLE),
    "a value of an unknown tag": ("['eval', '1']", UNREADABLE),
    "a value nested sixty deep": (
        "__import__('functools').reduce(lambda v, _: ['l', [v]], range(60), ['n'])",
        "values are read to a depth of 40",
    ),
    "keys made to collide": (
        "['S', [['i', hex(k * (2**61 - 1))] for k in range(1, 100_000)]]",
        "a hundred keys of one hash are refused",
    ),
    "a dictionary with a list as its key": ("['d', [[['l', []], ['n']]]]", UNREADABLE),
    "an integer of sixty million bits": (
        "['i', '1' * 15_000_000]", "a number is read in linear time, and compared",
    ),
    "an integer with no digits": ("['i', '0x']", UNREADABLE),
    "a float that is code": ("['f', '__import__(\"os\")']", "nothing that arrives is evaluated"),
    "an array whose bytes do not fit": ("['T', 'float32', [3], 0, 4, {}]", SHAPE),
    "an array of ten thousand million million rows": ("['T', 'float32', [10**19], 0, 4, {}]", SHAPE),
    "an empty array with a huge other side": ("['T', 'float32', [0, 2**62], 0, 0, {}]", SHAPE),
    "an empty array with two huge other sides": ("['T', 'float32', [0, 2**62, 2**62], 0, 0, {}]", SHAPE),
    "an array with a negative side": ("['T', 'float32', [-1], 0, 4, {}]", SHAPE),
    "an array that begins before its message": ("['T', 'float32', [1], -4, 4, {}]", SHAPE),
    "an array that reaches beyond its message": ("['T', 'float32', [1024], 0, 4096, {}]", SHAPE),
    "an array of Python objects": ("['np', 'object', [1], 0, 8]", "dtypes are a fixed list"),
    "an array of a hundred dimensions": ("['T', 'float32', [1] * 100, 0, 4, {}]", SHAPE),
    "a gradient of another shape than its tensor": (
        "['T', 'float32', [1], 0, 4, {'leaf': True, 'grad': ['T', 'float32', [9], 0, 4, {}]}]", SHAPE,
    ),
    "a tensor of a graph that is nowhere": (
        "['T', 'float32', [1], 0, 4, {'graph': 10**9, 'leaf': False}]",
        "a gradient is asked for over there, and only then",
    ),
    "a pickle as bytes": ("['y', 0, 4]", "bytes stay bytes: nothing is unpickled"),
    "a module of the grader's by name": (
        "['module', 'subprocess', 1]", "only a fixed list of libraries is taken here",
    ),
    "a function of the grader's by name": ("['ref', 'os', 'system']", PLAIN),
    "a handle that is no object": ("['h', 10**9, {'callable': True, 'class': True}]", PLAIN),
    "a handle that says it is everything": (
        "['h', 1, {'bases': ['torch.nn.modules.linear.Linear', 'builtins.BaseException', 'torch.Tensor'],"
        " 'type': 'int', 'name': '__class__', 'callable': True}]", PLAIN,
    ),
    "a handle whose description is a list": ("['h', 1, []]", UNREADABLE),
    "half a surrogate pair": ("['s', '\\ud800']", "outputs are written as UTF-8 can hold them"),
}  # fmt: skip

ERRORS = {
    "an error that is a list": "[]",
    "an error that says it is the grader's KeyboardInterrupt": (
        "{'name': 'x', 'message': 'x', 'bases': ['builtins.KeyboardInterrupt'], 'args': ['t', []]}"
    ),
    "an error that says it is StopIteration": (
        "{'name': 'x', 'message': 'x', 'class': 5, 'bases': ['m.x', 'builtins.StopIteration'], 'args': ['t', []]}"
    ),
    "an error whose class is a function of the grader's": (
        "{'name': 'x', 'message': 'x', 'bases': ['builtins.exit', 'builtins.open'], 'args': ['t', [['s', 'x']]]}"
    ),
    "an error with markup and a megabyte of lines": (
        "{'name': '<script>' * 99, 'message': 'x' * 10**6, 'lines': ['<b>' * 99] * 9999, 'args': 5, 'bases': 5}"
    ),
}

FRAMES = {
    "an answer to the next question, sent before it is asked": (
        "for ahead in range(9): frame({'id': request()['id'] + ahead, 'value': ['b', True], 'outputs': []})",
        "an answer that is sent early is still only an answer", True,
    ),
    "an answer under another number": ("frame({'id': 10**6, 'value': ['n']})", WRONG_ID, False),
    "an answer under no number": ("frame({'id': float('nan'), 'value': ['n']})", WRONG_ID, False),
    "the last answer sent again": ("reply(['i', '0x9']); reply(['i', '0x9'])", "an answer that comes twice is passed over", False),
    "a header of two thousand million bytes": ("raw(struct.pack('>IQ', 2**31, 0))", SIZES, False),
    "a payload of an exabyte": ("raw(struct.pack('>IQ', 2, 2**60) + b'{}')", SIZES, False),
    "a header that is no JSON": ("frame(b'{\"id\":')", UNREADABLE, False),
    "a header that is no object": ("frame(b'[1]')", UNREADABLE, False),
    "a header of a hundred thousand brackets": ("frame(b'[' * 100_000)", UNREADABLE, False),
    "a header with a number of ten thousand digits": (
        "frame(b'{\"id\":' + b'9' * 10_000 + b'}')", "Python's limit on digits", True,
    ),
    "a header in another encoding": ("frame('{\"id\": 1}'.encode('utf-16'))", WRONG_ID, False),
    "keys that are there twice": (
        "frame(b'{\"id\":-1,\"id\":%d,\"value\":[\"b\",true],\"value\":[\"n\"]}' % request()['id'])",
        "the last one counts, and is compared like any other", True,
    ),
    "a call back to a function that was never handed over": (
        "frame({'callback': 0, 'args': ['l', []]})", "the process is ended", True,
    ),
    "a call back under an infinite number": (
        "frame({'callback': float('inf'), 'args': ['l', []]})", "the process is ended", True,
    ),
    "changes to arguments that are none": (
        "reply(['n'], changed=[[float('inf'), ['n']], [10**30, ['n']], ['0', ['n']], 5])",
        UNREADABLE, False,
    ),
    "a notebook output that looks like a verdict": (
        "frame({'id': request()['id'], 'value': ['i', '0x1'], 'outputs': [{'output_type': 'execute_result',"
        " 'data': {'text/plain': '2'}, 'metadata': {'attention_course': {'verdicts': []}}}]})",
        "a call passes on text alone; metadata is left behind", True,
    ),
    "outputs of sixteen megabytes": (
        "reply(['n'], outputs=[{'output_type': 'stream', 'name': 'stdout', 'parts': ['x' * 240_000]}] * 60)",
        "outputs are bounded on the grader's side too", True,
    ),
    "a flood of frames": (
        "for _ in range(400): frame({'id': -1}, bytes(2**18))", WRONG_ID, False,
    ),
    "half a frame and then silence": (
        "raw(struct.pack('>IQ', 100, 0) + b'{'); time.sleep(60)", "the time limit of the cell", False,
    ),
    "a frame byte by byte": (
        "for byte in struct.pack('>IQ', 100, 0) + b'{' * 100: raw(bytes([byte])); time.sleep(0.2)",
        "one time limit for the whole frame", False,
    ),
    "the connection closed": ("os.close(FD)", "the end of the connection is a failure", False),
    "one half of the connection closed": (
        "__import__('socket').socket(fileno=os.dup(FD)).shutdown(1); time.sleep(60)",
        "the end of the connection is a failure", False,
    ),
    "the connection filled and never read": (
        "reply(['h', request()['target'], {'callable': True}]); time.sleep(60)",
        "sending has the cell's time limit too", True,
    ),
    "open files sent along with a frame": (
        "import socket\nsocket.send_fds(socket.socket(fileno=os.dup(FD)), [b'\\0'], [os.open('/', 0)] * 9)",
        "the grader receives bytes and no descriptors", False,
    ),
}  # fmt: skip


def _call(body: str) -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{TOOLS}\ndef double(x):\n{lines}\n    return -1"


WIRE = family(
    "The wire",
    "Written straight to the connection, in the place of the answer to `double(…)`.",
    [
        *(
            Attack(name, "a crash or a mark", stopped, _call(f"reply({value}, bytes(4))"))
            for name, (value, stopped) in VALUES.items()
        ),
        *(
            Attack(name, "a crash or a mark", "errors are made anew", _call(f"fail({error})"))
            for name, error in ERRORS.items()
        ),
        *(
            Attack(name, "a crash, a mark or a grader that hangs", stopped, _call(body), own=own)
            for name, (body, stopped, own) in FRAMES.items()
        ),
    ],
)
