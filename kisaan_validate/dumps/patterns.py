"""Tokens of SQL as psql's own scanner knows them, as expressions on bytes."""

from __future__ import annotations

import re

_NAME = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*"
_PLAIN = rb"'[^']*+'"
_ESCAPED = rb"'(?:[^'\\]++|\\.|'')*+'"
_REST = (
    rb"""
  (?P<space>[ \t\n\r\f]++)
| (?P<comment>--[^\n\r]*+)
| (?P<block>/\*)
| (?P<escaped>[eE]"""
    + _ESCAPED
    + rb""")
| (?P<string>%s)
| (?P<bits>[bBxX]'[^']*+')
| (?P<quoted>"[^"]*+")
| (?P<open>[eEbBxX]?'|"|\$[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+\Z)
| (?P<unicode>[uU]&['"])
| (?P<word>"""
    + _NAME
    + rb""")
| (?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?\$)
| (?P<number>(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|\$\d++)
| (?P<cast>::|:=)
| (?P<variable>:(?:[A-Za-z0-9_\x80-\xff]++|(?=['"{])))
| (?P<mark>[-+*/<>=~!@\#%%^&|`?.,\[\]():;])
| (?P<backslash>\\)
| (?P<other>.)
"""
)
TOKEN = {
    True: re.compile(_REST % _PLAIN, re.VERBOSE | re.DOTALL),
    False: re.compile(_REST % _ESCAPED, re.VERBOSE | re.DOTALL),
}
GLUED = re.compile(rb"[A-Za-z0-9_$'\"\x80-\xff]")
CONTINUED = re.compile(rb"(?:[ \t\f]|--[^\n\r]*+)*+[\n\r](?:[ \t\n\r\f]|--[^\n\r]*+[\n\r])*+'")
BLANKS = re.compile(rb"(?:[ \t\n\r\f]|--[^\n\r]*+)*+-?")

# What inserts constants, as --inserts writes them: a match or two instead of a token at a time. Only while
# standard_conforming_strings is on: then a constant ends at its next single quote.
_VALUE = rb"(?:(?:'[^']*+')++|-?[0-9][0-9.]*+(?:[eE][-+]?[0-9]++)?|NULL|true|false|DEFAULT|B'[01]*+')"
_ID = rb'(?:(?:"[^"]*+")++|[a-z_][a-z0-9_]*+)'
_HEAD = (
    rb"INSERT INTO (" + _ID + rb"(?:\." + _ID + rb")?) (?:\(" + _ID + rb"(?:, " + _ID + rb")*+\) )?"
    rb"(?:OVERRIDING SYSTEM VALUE )?VALUES[ \n]\t?"
)
_ROW = rb"\(" + _VALUE + rb"(?:, " + _VALUE + rb")*+\)"
_TAIL = rb"(?: ON CONFLICT DO NOTHING)?;"
INSERT_ONE = re.compile(_HEAD + _ROW + _TAIL)
INSERT_HEAD = re.compile(_HEAD)
INSERT_ROW = re.compile(_ROW + rb"(,\n\t|" + _TAIL + rb")")
NAMES = re.compile(rb'"[^"]*+"|\.|[^".]++')
BLANK = re.compile(rb"[ \t\n\r\f]++")
EITHER_END = re.compile(rb"[\n\r]")
EOL = re.compile(rb"\n\\\.\r?\n")
VARIABLE = re.compile(rb":[A-Z_'\"{]")
