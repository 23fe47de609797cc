#!/usr/bin/env python3
"""Runs a command under a pseudo terminal and writes what stands on the screen at its end as HTML.

usage: terminal.py TITLE ROWS COMMAND... > page.html
Knows the escapes that gatepost and its progress rows send: colours, carriage return, erase line, cursor up and down.
"""

import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios

COLUMNS = 110
COLOURS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 35: "#d2a8ff", 90: "#8b949e", 94: "#79c0ff"}
PIECE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px; background: #fff; }}
.window {{ background: #0d1117; border-radius: 8px; overflow: hidden; }}
.title {{ background: #21262d; color: #8b949e; font: 12px "DejaVu Sans", sans-serif; padding: 8px 14px; }}
pre {{ margin: 0; padding: 14px; color: #e6edf3; font: 13px/1.4 "DejaVu Sans Mono", monospace; }}
</style><div class="window"><div class="title">{title}</div><pre>{text}</pre></div>"""


def run(command):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 200, COLUMNS, 0, 0))
    out = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed.
            part = b""
        if not part:
            break
        out += part
    os.waitpid(child, 0)
    return out.decode()


def screen(text):
    """Lines of (character, style) as they stand at the end."""
    lines, row, column, style = [[]], 0, 0, ()
    for codes, letter, move, plain in PIECE.findall(text):
        if letter == "m":
            for code in (int(code or 0) for code in codes.split(";")):
                style = () if code == 0 else style + (code,)
        elif letter in ("A", "B"):
            row = max(0, row + (1 if letter == "B" else -1) * int(codes or 1))
        elif letter == "K":
            lines[row] = [] if codes == "2" else lines[row][:column]
        elif move == "\r":
            column = 0
        elif move == "\n":
            row += 1
        lines += [[] for _ in range(row + 1 - len(lines))]
        for character in plain:
            if column == COLUMNS:
                row, column = row + 1, 0
                lines += [[] for _ in range(row + 1 - len(lines))]
            lines[row] += [(" ", ())] * (column + 1 - len(lines[row]))
            lines[row][column] = (character, style)
            column += 1
    return lines


def line_html(line):
    out = ""
    for character, style in line:
        css = "".join(f"color:{COLOURS[code]};" for code in style if code in COLOURS)
        css += "font-weight:bold;" if 1 in style else ""
        css += "opacity:.65;" if 2 in style else ""
        text = html.escape(character)
        out += f'<span style="{css}">{text}</span>' if css else text
    return out


title, rows, *command = sys.argv[1:]
lines = [line_html(line) for line in screen(run(command))]
text = "\n".join(lines).rstrip().split("\n")[-int(rows) :]
print(PAGE.format(title=html.escape(title), text="\n".join(text)))
