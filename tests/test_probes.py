"""Probes of a running application: what each answer proves, and what no answer can make us do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import needs, slack
from faulty import (
    Behaviour,
    Faulty,
    dripping,
    endless,
    expired,
    faulty,
    in_turn,
    late,
    packed,
    plain,
    raw,
    said,
)
from receivers import certificate

from kisaan_validate.errors import KisaanError, SuiteError, UsageError
from kisaan_validate.facts.probe import (
    ProbeCreated,
    Probed,
    ProbeRemoval,
    ProbeState,
    ProbeStep,
    judge_probes,
)
from kisaan_validate.facts.result import Verdict
from kisaan_validate.probe.load import bind_probes, read_probes
from kisaan_validate.probe.run import ProbeWish, run_probes
from kisaan_validate.process.stopping import Stop
from kisaan_validate.record.probed import probed_from_json, probed_to_json

GO, NO, OPEN = ProbeState.PASS, ProbeState.FAIL, ProbeState.UNKNOWN
WRITES = ProbeWish(writes=True)
CLEAN = ProbeWish(writes=True, clean=True)


def probed(
    server: Faulty | str,
    steps: str = "",
    *,
    health: str = "",
    head: str = "",
    wish: ProbeWish = WRITES,
    env: Mapping[str, str] | None = None,
    stop: Stop | None = None,
    **more: Any,
) -> Probed:
    """One run against a server, of a file with these steps."""
    url = server if isinstance(server, str) else server.url
    text = f'format = 1\nbase_url = "{url}"\nproduction = false\n{head}\n[health]\npath = "/health"\n{health}\n{steps}'
    ca = more.pop("ca", None)
    bound = bind_probes(read_probes(text, "probes.toml"), env=env or {}, ca=ca)
    return run_probes(bound, wish, stop or Stop(), **more)


def healthy(**ways: Behaviour) -> Any:
    """A server whose health answers."""
    return faulty(health=said(200, {"status": "ok"}), **ways)


# --- what an answer proves --------------------------------------------------------------------------------

GONE = "its connection"
FAULTS: dict[str, tuple[Behaviour, ProbeState, str]] = {
    "good": (said(200, {"a": 1}), GO, "HTTP 200 in "),
    "500": (said(500, {"a": 1}), NO, "HTTP 500, expected 2xx"),
    "slow": (late(3, said(200, {"a": 1})), NO, "no answer within 0.5 s"),
    "slow drip of a body": (
        dripping(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n", b" "),
        NO,
        "HTTP 200, but its body did not end within 0.5 s",
    ),
    "slow drip of headers": (dripping(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), NO, "no answer within 0.5 s"),
    "slow drip of a status": (dripping(b"HTTP/1.1 2", b"0"), NO, "no answer within 0.5 s"),
    "a gigabyte": (endless(b" " * 65536, 2**30), OPEN, "its body is longer than 1,024 kB"),
    "a bomb": (packed(b" " * 2**27), OPEN, "its body unpacks to more than 1,024 kB"),
    "packed": (packed(b'{"a": 1}'), GO, "HTTP 200"),
    "said to be packed": (plain(200, b'{"a":1}', "Content-Encoding: gzip"), NO, "claims to be packed"),
    "packed unasked": (plain(200, b'{"a":1}', "Content-Encoding: br"), NO, "in a way that was not asked for"),
    "closed": (raw(b""), NO, "it closed the connection before the end of its answer"),
    "half a body": (
        raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a": 1}'),
        NO,
        "HTTP 200, but it closed the connection before the end of its answer",
    ),
    "half a chunk": (
        raw(
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}'
        ),
        NO,
        "HTTP 200, but it closed the connection",
    ),
    "no HTTP": (raw(b"SSH-2.0-secret\r\n\r\n"), NO, "what it answered is not HTTP"),
    "100,000 headers": (
        raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000 + b"\r\n{}"),
        NO,
        "its headers are longer than are read",
    ),
    "redirect": (
        plain(302, b"", "Location: http://localhost:1/x"),
        NO,
        "HTTP 302, expected 2xx; it redirects, which is not followed",
    ),
    "a page": (plain(200, b"<html>", kind="text/html"), NO, "its content type is text/html, not JSON"),
    "no type": (plain(200, b'{"a":1}', kind=""), NO, "its content type is missing"),
    "a problem": (plain(200, b'{"a":1}', kind="application/problem+json"), GO, "HTTP 200"),
    "another charset": (
        plain(200, b'{"a":1}', kind="application/json; charset=utf-16"),
        NO,
        "another charset than UTF-8",
    ),
    "no UTF-8": (plain(200, b'{"a":"\xff"}'), NO, "its body is not UTF-8"),
    "a mark before it": (plain(200, b'\xef\xbb\xbf{"a":1}'), GO, "HTTP 200"),
    "no JSON": (plain(200, b'{"a":'), NO, "its body is not JSON"),
    "nothing": (plain(200, b""), NO, "its body is not JSON"),
    "NaN": (plain(200, b'{"a":NaN}'), NO, "its body is not JSON"),
    "a key twice": (plain(200, b'{"a":2,"a":1}'), NO, "its body is not JSON"),
    "an endless number": (plain(200, b'{"a":' + b"9" * 5000 + b"}"), NO, "its body is not JSON"),
    "an exponent": (plain(200, b'{"a":1e999999999}'), NO, "its body is not JSON"),
    "deep": (plain(200, b"[" * 900_000), OPEN, "its JSON is nested too deeply"),
    "another value": (said(200, {"a": 2}), NO, "$.a is not the expected value"),
    "a text": (said(200, {"a": "1"}), NO, "$.a is a text, not a number"),
    "true": (said(200, {"a": True}), NO, "$.a is a boolean, not a number"),
    "missing": (said(200, {"b": 1}), NO, "$.a is not there"),
    "a text alone": (said(200, '{"a": 1}'), NO, "$.a is not there"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_answer_proves_what_it_says_and_nothing_else(name: str) -> None:
    """Law: a step passes only by the declared answer, whole and in time; each fault ends in words of ours,
    soon, whatever the server does.
    """
    way, state, words = FAULTS[name]
    steps = '[[step]]\nname = "x"\npath = "/x"\ntimeout_ms = 500\nexpect = [{ json = "$.a", equals = 1 }]\n'
    began = time.monotonic()
    with healthy(x=way) as server:
        step = probed(server, steps).steps[-1]
    assert (step.state, words in step.fact) == (state, True), step
    assert time.monotonic() - began < 4 + 3 * slack()
    # Nothing that a server says is repeated.
    assert "secret" not in step.fact
    assert server.paths() == ["GET /health", "GET /x"]


def test_a_whole_number_is_exact_and_its_form_does_not_count() -> None:
    """Law: numbers are compared exactly, by value: no float stands between."""
    way = plain(200, b'{"a": 0.1, "b": 100.00, "c": 9007199254740993, "d": 0.30000000000000004}')

    def state(path: str, value: str) -> ProbeState:
        with healthy(x=way) as server:
            return probed(server, _expecting(f'json = "$.{path}", equals = {value}')).steps[-1].state

    wanted = {
        ("a", "0.1"): GO,
        ("b", "100"): GO,
        ("c", "9007199254740993"): GO,
        ("c", "9007199254740992"): NO,
    }
    wanted |= {("d", "0.3"): NO, ("d", "0.30000000000000004"): GO}
    assert {key: state(*key) for key in wanted} == wanted


DOCUMENT = {"id": 7, "none": None, "name": "kv1-x", "rows": [{"n": 1}, {"n": 2}], "empty": [], "on": True}
EXPECTED = {
    'json = "$.none", type = "null"': (GO, ""),
    'json = "$.id", exists = true': (GO, ""),
    'json = "$.none", exists = true': (GO, ""),
    'json = "$.nil", exists = true': (NO, "$.nil is not there"),
    'json = "$.id", exists = false': (NO, "$.id is there"),
    'json = "$.nil", exists = false': (GO, ""),
    'json = "$.rows", count = 2': (GO, ""),
    'json = "$.rows[*].n", count = 2': (GO, ""),
    'json = "$.empty", count = 0': (GO, ""),
    'json = "$.rows", count = 3': (NO, "$.rows is there 2 times, not 3"),
    'json = "$..n", type = "number"': (GO, ""),
    'json = "$.*", type = "number"': (NO, "$.* is a null, not a number"),
    'json = "$.name", matches = "^kv[0-9]-"': (GO, ""),
    'json = "$.name", matches = "^y"': (NO, "$.name does not match"),
    'json = "$.id", matches = "7"': (NO, "$.id is a number, not a text"),
    'json = "$.rows[*].n", equals = 1': (NO, "$.rows[*].n leads to 2 values, not one"),
    'json = "$.on", equals = true': (GO, ""),
    'json = "$.on", equals = 1': (NO, "$.on is a boolean, not a number"),
}


def _expecting(*tables: str, name: str = "x") -> str:
    listed = ", ".join(f"{{ {one} }}" for one in tables)
    return f'[[step]]\nname = "{name}"\npath = "/x"\nexpect = [{listed}]\n'


def test_each_expectation_holds_or_says_which_path_does_not() -> None:
    """Law: of an expectation that does not hold the path and the kind are said, never the value."""
    with healthy(x=said(200, DOCUMENT)) as server:
        listed = [_expecting(text, name=str(n)) for n, text in enumerate(EXPECTED)]
        found = probed(server, "\n".join(listed))
        for (text, (state, words)), step in zip(EXPECTED.items(), found.steps[1:], strict=True):
            assert (step.state, step.fact.startswith(words)) == (state, True), (text, step)
        both = probed(server, _expecting('json = "$.id", equals = 8', 'json = "$.nil", exists = true'))
    assert both.steps[-1].fact == "$.id is not the expected value (and 1 more fault)"


def test_a_pattern_that_would_take_for_ever_is_given_up() -> None:
    """Law: a regular expression over a stranger's text ends, and proves nothing if it was cut off."""
    steps = _expecting('json = "$.a", matches = "^(a|b|ab)*c$"')
    began = time.monotonic()
    with healthy(x=said(200, {"a": "ab" * 40 + "c!"})) as server:
        step = probed(server, steps).steps[-1]
    assert step.state is OPEN, step
    assert step.fact == "$.a was not matched within 1 s"
    assert time.monotonic() - began < 4 + 3 * slack()


def test_an_answer_that_is_too_late_fails_though_it_is_good() -> None:
    """Law: the bound of latency is its own fault; the time that a try may take is another."""
    steps = '[[step]]\nname = "x"\npath = "/x"\nwithin_ms = 100\n'
    with healthy(x=late(0.4, said(200, {}))) as server:
        step = probed(server, steps).steps[-1]
    assert step.state is NO
    assert "ms, at most 100 are allowed" in step.fact
    assert step.seconds is not None
    assert step.seconds >= 0.4


def test_nobody_there_is_no_go_and_no_name_is_cannot_tell() -> None:
    """Law: an application that does not listen fails; a name that we cannot resolve says nothing of it."""
    refused = probed("http://localhost:1")
    nowhere = probed("http://nowhere.invalid:80")
    assert [(one.steps[0].state, one.steps[0].fact) for one in (refused, nowhere)] == [
        (NO, "nothing listens there: the connection was refused"),
        (OPEN, "its name could not be resolved"),
    ]
    assert (judge_probes(refused), judge_probes(nowhere)) == (Verdict.FAIL, Verdict.INCONCLUSIVE)


def test_a_certificate_is_looked_at(tmp_path: Path) -> None:
    """Law: TLS is verified: an unknown authority is cannot tell, a certificate that ended or is another's
    fails, and nothing is sent to either.
    """
    needs("openssl")
    for name in ("mine", "old", "other"):
        (tmp_path / name).mkdir()
    mine, old = certificate(tmp_path / "mine"), expired(tmp_path / "old")
    other = certificate(tmp_path / "other", "elsewhere")
    told = {}
    for name, shown, trusted in (
        ("trusted", mine, mine.pem),
        ("unknown", mine, old.pem),
        ("expired", old, old.pem),
        ("other", other, other.pem),
    ):
        with faulty(shown.context(), health=said(200, {})) as server:
            step = probed(server, ca=trusted).steps[0]
            told[name] = (step.state, step.fact.split(" in ")[0], len(server.asked))
    assert told == {
        "trusted": (GO, "HTTP 200", 1),
        "unknown": (OPEN, "no authority that is trusted here signed its certificate", 0),
        "expired": (NO, "its certificate has expired", 0),
        "other": (NO, "its certificate is for another name", 0),
    }
    with pytest.raises(UsageError, match="cannot be read"):
        probed("https://localhost:1", ca=tmp_path / "none.pem")


# --- where requests go ------------------------------------------------------------------------------------


def test_no_answer_says_where_requests_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: requests go where the configuration says: no redirect is followed, no proxy of the environment is
    used, no cookie is kept, and no captured value leaves its part of the path.
    """
    steps = """
    [[step]]
    name = "first"
    path = "/first"
    capture.id = "$.id"
    [[step]]
    name = "second"
    path = "/second/${id}?x=${id}"
    """
    with faulty() as other, healthy() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, other.url)
        server.ways["/first"] = said(
            200, {"id": "a b?c=d&e#f:@%2F"}, "Set-Cookie: a=b", "Connection: keep-alive"
        )
        found = probed(server, steps, wish=ProbeWish())
        server.ways["/first"] = plain(307, b"", f"Location: {other.url}/first")
        probed(server, steps, wish=ProbeWish())
    assert other.asked == []
    assert server.paths()[:3] == [
        "GET /health",
        "GET /first",
        "GET /second/a%20b%3Fc%3Dd%26e%23f%3A%40%252F?x=a%20b%3Fc%3Dd%26e%23f%3A%40%252F",
    ]
    assert found.of(GO) == found.steps[:2]
    assert [one.headers.get("cookie") for one in server.asked] == [None] * len(server.asked)


HOSTILE = ("../admin", "..", ".", "a/b", "a\\b", "a\r\nX: y", "x\x00", "", "y" * 201, "a\u2028b")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_captured_value_that_could_lead_elsewhere_is_not_sent(value: str) -> None:
    """Law: what could be read as several parts, or end a header, is sent nowhere, and the step says so."""
    steps = """
    [[step]]
    name = "first"
    path = "/first"
    capture.id = "$.id"
    [[step]]
    name = "second"
    path = "/second/${id}"
    [[step]]
    name = "third"
    path = "/third"
    headers.X-Id = "${id}"
    """
    with healthy(first=said(200, {"id": value}), third=said(200, {})) as server:
        found = probed(server, steps)
    assert found.steps[2].state is not GO
    assert [path for path in server.paths() if "second" in path] == []
    for one in server.asked:
        assert "x" not in {name for name in one.headers if name != "x-id"}
    if not value.isprintable():
        assert found.steps[3].state is not GO


PATHS = {
    "http://elsewhere/x": "is not a path",
    "//elsewhere/x": "is not a path",
    "x": "is not a path",
    "/a/../b": "has a . or ..",
    "/a/%2e%2e/b": "has a . or ..",
    "/a/%252e%252e/b": "has a . or ..",
    "/a/..%2fb": "has a . or ..",
    "/a b": "has a blank",
    "/a\\\\b": "has a backslash",
    "/a#b": "has a backslash or a #",
    "/a%0d%0ab": "has a control character",
    "/a\\u0007": "has a blank, a control character",
    "/${env:HOME}": "a variable of the environment stands in its path",
    "/${nothing}": "which no step before it captures",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_could_leave_its_server_is_refused(path: str) -> None:
    """Law: it is refused when the file is read."""
    with pytest.raises(SuiteError, match=PATHS[path].replace(".", "[.]")):
        probed("http://localhost:1", f'[[step]]\nname = "x"\npath = "{path}"\n')


ADDRESSES = (
    "ftp://a",
    "http://",
    "http://a b",
    "http://u:p@a",
    "http://a/?q",
    "http://a/#f",
    "http://a:99999",
    "a",
)
ADDRESSES += ("http://a/../b", "http://a\\u000ab", "file:///etc/passwd", "http://a%00b")


@pytest.mark.parametrize("url", ADDRESSES)
def test_a_base_url_is_one(url: str) -> None:
    """Law: only scheme, host, port and a path; its text is not repeated, since it may hold a password."""
    with pytest.raises(SuiteError) as raised:
        probed(url)
    assert "u:p" not in str(raised.value)


REFUSED = {
    '[[step]]\nname = "x"\npath = "/x"\nmethod = "POST"\nretries = 1\n': "is repeated, and writes",
    '[[step]]\nname = "x"\npath = "/x"\njson = { a = 1 }\n': "only reads, and has a body",
    '[[step]]\nname = "x"\npath = "/x"\nheaders.Host = "b"\n': "a name that a probe may not send",
    '[[step]]\nname = "x"\npath = "/x"\nheaders."A b" = "b"\n': "a name that a probe may not send",
    '[[step]]\nname = "x"\npath = "/x"\nexpect = [{ json = "$.a" }]\n': "says one thing of a path",
    '[[step]]\nname = "x"\npath = "/x"\nexpect = [{ json = "$.a", matches = "(" }]\n': "not a regular expression",
    '[[step]]\nname = "x"\npath = "/x"\nstatus = 99\n': "is not a status",
    '[[step]]\nname = "x"\npath = "/x"\nstatus = []\n': "is not a status",
    '[[step]]\nname = "x"\npath = "/x"\nstatus = true\n': "is not a status",
    '[[step]]\nname = "health"\npath = "/x"\n': "two steps are called",
    '[[step]]\nname = "x"\npath = "/x"\ncapture.rid = "$.a"\n': "captures 'rid'",
    '[[step]]\nname = "x"\npath = "/x"\nmethod = "POST"\njson = { a = 2026-01-01 }\n': "holds a day",
    '[[step]]\nname = "x"\npath = "/x"\nmethod = "POST"\njson = { a = inf }\n': "JSON does not have",
    '[[step]]\nname = "x"\npath = "/x"\nmethod = "POST"\njson = { "${rid}" = 1 }\n': "a name in a key",
    '[[step]]\nname = "x"\npath = "/x"\nexpect = [{ json = "$.a", equals = "${b}" }]\n': "no step before it",
    '[[step]]\nname = "x"\npath = "/x"\nmethod = "POST"\njson = { a = "${b}" }\n': "no step before it captures",
}
REFUSED |= {"".join(f'[[step]]\nname = "s{n}"\npath = "/x"\n' for n in range(1001)): "more than 1,000 steps"}
REFUSED |= {
    f'[[step]]\nname = "x"\npath = "/x"\nexpect = [{{ json = "{path}", exists = true }}]\n': words
    for path, words in {
        "$..a..b": "more than one [.][.]",
        "$[?@.a == 1]": "a filter",
        "$[*,*][*,*]": "several selectors",
        "a": "RFC 9535",
        "$[" + "?[" * 200: "RFC 9535",
        "$" + "[0]" * 200: "more than 500 characters",
    }.items()
}


@pytest.mark.parametrize("steps", REFUSED, ids=range(len(REFUSED)))
def test_what_is_unsafe_or_means_nothing_is_refused_before_anything_is_sent(steps: str) -> None:
    """Law: a file is refused as a whole."""
    with healthy() as server, pytest.raises(SuiteError, match=REFUSED[steps]):
        probed(server, steps)
    assert server.asked == []


# --- secrets ----------------------------------------------------------------------------------------------


def test_secrets_are_sent_and_never_kept() -> None:
    """Law: a variable of the environment reaches the application, and neither record nor error; a body of an
    answer neither.
    """
    steps = """
    [[step]]
    name = "log in"
    method = "POST"
    path = "/login"
    json = { password = "${env:SECRET}" }
    capture.token = "$.token"
    [[step]]
    name = "look"
    path = "/look"
    headers.X-Token = "${token}"
    expect = [{ json = "$.person", equals = "someone" }]
    """
    env = {"SECRET": "hunter2!"}
    ways = {"login": said(200, {"token": "tok3n-abc"}), "look": said(200, {"person": "Asha"})}
    with healthy(**ways) as server:
        found = probed(server, steps, head='headers.Authorization = "Bearer ${env:SECRET}"', env=env)
    assert {one.headers["authorization"] for one in server.asked} == {"Bearer hunter2!"}
    assert server.asked[1].json == {"password": "hunter2!"}
    assert server.asked[2].headers["x-token"] == "tok3n-abc"
    text = probed_to_json(found)
    assert [word for word in ("hunter2", "tok3n", "Asha", "someone", "Bearer") if word in text] == []


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\n", "\u20ac", None, ""])
def test_a_variable_that_is_missing_or_would_end_its_header_is_refused(value: str | None) -> None:
    """Law: nothing is sent, and the value is not repeated."""
    env = {} if value is None else {"SECRET": value}
    with healthy() as server, pytest.raises(UsageError, match=r"SECRET|header") as raised:
        probed(server, head='headers.X-T = "${env:SECRET}"', env=env)
    assert server.asked == []
    assert value is None or value == "" or value not in str(raised.value)


# --- writing ----------------------------------------------------------------------------------------------

TWO = """
[[step]]
name = "a user"
method = "POST"
path = "/users"
json = { name = "${rid}-u", limit = 1000.50 }
status = 201
capture.user = "$.id"
cleanup = { path = "/users/${user}" }

[[step]]
name = "an order"
method = "POST"
path = "/orders"
json = { user = "${user}", note = "of ${user}" }
capture.order = "$.id"
cleanup = { path = "/orders/${order}", status = [200, 204] }

[[step]]
name = "read it"
path = "/orders/${order}"
expect = [
  { json = "$.user", equals = "${user}" },
  { json = "$.note", equals = "of ${user}" },
  { json = "$.name", equals = "${rid}" },
]
"""


def shop(**ways: Behaviour) -> Any:
    """An application in which users and orders can be made and removed."""
    good = {
        "POST /users": said(201, {"id": 7}),
        "POST /orders": said(200, {"id": "4f1b2c3d-0000-4000-8000-000000000001"}),
    }
    gone = {f"DELETE /{path}": plain(204, b"") for path in ("users/7", f"orders/{ORDER}")}
    read = said(200, {"user": 7, "note": "of 7", "name": "kvtest"})
    return {**good, **gone, f"GET /orders/{ORDER}": read, **ways}


ORDER = "4f1b2c3d-0000-4000-8000-000000000001"


def test_what_was_created_is_listed_in_reverse_with_what_removes_it() -> None:
    """Law: ids are captured with their types, one prefix is in all that is created, numbers keep their
    digits, and nothing is removed unasked.
    """
    with healthy() as server:
        server.ways |= shop()
        found = probed(server, TWO, prefix="kvtest")
    assert judge_probes(found) is Verdict.PASS
    assert server.asked[1].body == b'{"name":"kvtest-u","limit":1000.50}'
    assert server.asked[2].json == {"user": 7, "note": "of 7"}
    assert [(one.step, one.request, one.certain, one.removal) for one in found.created] == [
        ("an order", f"DELETE /orders/{ORDER}", True, ProbeRemoval.LEFT),
        ("a user", "DELETE /users/7", True, ProbeRemoval.LEFT),
    ]
    assert not [path for path in server.paths() if path.startswith("DELETE")]


def test_an_expected_value_can_be_one_that_was_captured() -> None:
    """Law: with its type: the text "7" is not the id 7."""
    with healthy() as server:
        server.ways |= shop()
        assert probed(server, TWO, prefix="other").steps[3].fact == "$.name is not the expected value"
        server.ways[f"GET /orders/{ORDER}"] = said(200, {"user": "7", "note": "of 7", "name": "kvtest"})
        step = probed(server, TWO, prefix="kvtest").steps[3]
    assert (step.state, step.fact) == (NO, "$.user is a text, not a number")


def test_clean_removes_it_in_that_order() -> None:
    """Law: removal is the last thing, in reverse; one that is refused is a no-go."""
    with healthy() as server:
        server.ways |= shop()
        found = probed(server, TWO, wish=CLEAN, prefix="kvtest")
        assert server.paths()[-2:] == [f"DELETE /orders/{ORDER}", "DELETE /users/7"]
        assert [one.removal for one in found.created] == [ProbeRemoval.REMOVED] * 2
        assert judge_probes(found) is Verdict.PASS
        server.ways["DELETE /users/7"] = said(409, {})
        kept = probed(server, TWO, wish=CLEAN, prefix="kvtest")
    assert [one.removal for one in kept.created] == [ProbeRemoval.REMOVED, ProbeRemoval.NOT_REMOVED]
    assert kept.created[1].note == "HTTP 409, expected 2xx"
    assert judge_probes(kept) is Verdict.FAIL


def test_writes_are_sent_only_where_they_are_allowed() -> None:
    """Law: without leave nothing is written, and what needs it is named as not run; production asks twice,
    and an address that the file does not know counts as production.
    """
    with healthy() as server, healthy() as other:
        server.ways |= shop()
        other.ways |= shop()
        plain_ = probed(server, TWO, wish=ProbeWish())
        text = f'format = 1\nbase_url = "{server.url}"\nproduction = true\n[health]\npath = "/health"\n{TWO}'
        once = run_probes(bind_probes(read_probes(text, "p"), env={}), WRITES, Stop())
        probes = read_probes(text.replace("= true", "= false"), "p")
        moved = run_probes(bind_probes(probes, base_url=other.url, env={}), WRITES, Stop())
        same = run_probes(bind_probes(probes, base_url=f"{server.url}/", env={}), ProbeWish(), Stop())
        assert {one.method for one in (*server.asked, *other.asked)} == {"GET"}
        twice = run_probes(
            bind_probes(probes, base_url=other.url, env={}), ProbeWish(True, True), Stop(), prefix="kvtest"
        )
    for found in (plain_, once, moved):
        assert [step.state for step in found.steps] == [GO, OPEN, OPEN, OPEN], found
        assert judge_probes(found) is Verdict.INCONCLUSIVE
        assert found.created == ()
    assert plain_.steps[1].todo == "give --allow-writes"
    assert "--allow-writes-on-production" in once.steps[1].todo
    assert plain_.steps[3].fact == "not sent: it needs ${order} of step 'an order', which did not pass"
    assert (moved.production, same.production) == (True, False)
    assert judge_probes(twice) is Verdict.PASS


UNCERTAIN: dict[str, tuple[Behaviour, list[tuple[str, bool]]]] = {
    "refused": (said(422, {}), []),
    "failed inside": (said(500, {}), [("", False)]),
    "no answer": (late(3, said(201, {"id": 7})), [("", False)]),
    "closed": (raw(b""), [("", False)]),
    "another status": (said(200, {"id": 7}), [("", True)]),
    "no id": (said(201, {}), [("", True)]),
    "a personal id": (said(201, {"id": "asha@example.org"}), [("DELETE /users/${user}", True)]),
    "an id of our prefix": (said(201, {"id": "kvtest-u"}), [("DELETE /users/kvtest-u", True)]),
}


@pytest.mark.parametrize("name", UNCERTAIN)
def test_what_may_be_there_is_listed_too(name: str) -> None:
    """Law: where no answer says that nothing was created, something may be there, and is listed; a POST is
    never sent twice.
    """
    way, created = UNCERTAIN[name]
    with healthy() as server:
        server.ways |= shop() | {"POST /users": way}
        first = TWO.partition('[[step]]\nname = "an order"')[0]
        found = probed(server, first.replace("status", "timeout_ms = 400\nstatus"), prefix="kvtest")
    assert [(one.request, one.certain) for one in found.created] == created
    assert server.paths().count("POST /users") == 1
    assert "asha" not in probed_to_json(found)


def test_only_what_is_safe_is_repeated() -> None:
    """Law: reads, and what is declared idempotent, are tried again as often as is said, and no more."""
    ways = [said(503, {}), said(503, {}), said(200, {})]
    reads = '[[step]]\nname = "x"\npath = "/x"\nretries = {}\nwait = "0 s"\n'
    writes = reads.format(2) + 'method = "PUT"\nidempotent = true\n'
    told = []
    for steps in (reads.format(1), reads.format(2), writes):
        with healthy(x=in_turn(*ways)) as server:
            step = probed(server, steps).steps[-1]
            told.append((step.state, step.tries, len(server.asked) - 1))
    assert told == [(NO, 2, 2), (GO, 3, 3), (GO, 3, 3)]


# --- health first, and the end ----------------------------------------------------------------------------


def test_nothing_is_sent_to_an_application_that_is_not_healthy() -> None:
    """Law: health comes first, and waits for an application that starts; without it the rest is not sent."""
    with faulty(health=in_turn(said(503, {}), said(200, {}))) as server:
        server.ways |= shop()
        down = probed(server, TWO)
        assert server.paths() == ["GET /health"]
    with faulty(health=in_turn(said(503, {}), said(200, {}))) as server:
        server.ways |= shop()
        up = probed(server, TWO, health='retries = 3\nwait = "0 s"', prefix="kvtest")
    assert [step.state for step in down.steps] == [NO, OPEN, OPEN, OPEN]
    assert down.steps[1].fact == "not sent: the health step did not pass"
    assert up.steps[0].fact.endswith("at try 2")
    assert judge_probes(up) is Verdict.PASS


def test_an_application_can_be_healthy_while_migrations_are_not_done() -> None:
    """Law: that health answers proves what it says: a path that names pending migrations can be asked for."""
    ask = 'expect = [{ json = "$.migrations.pending", equals = 0 }]'
    with faulty(health=said(200, {"status": "ok", "migrations": {"pending": 2}})) as server:
        assert judge_probes(probed(server)) is Verdict.PASS
        found = probed(server, health=ask)
    assert found.steps[0].fact == "$.migrations.pending is not the expected value"
    assert judge_probes(found) is Verdict.FAIL


def test_a_stop_keeps_what_is_known() -> None:
    """Law: a stop ends a run soon, even within a request; what may have been created is listed."""
    stop, kept = Stop(), list[Probed]()
    with healthy() as server:
        server.ways |= shop() | {"POST /orders": late(30, raw(b""))}

        def keep(found: Probed) -> None:
            kept.append(found)
            # The order is being sent: what is kept just before that has a third step.
            if len(found.steps) == 3:
                stop.request("asked by a test")

        began = time.monotonic()
        found = probed(server, TWO, stop=stop, keep=keep)
    assert time.monotonic() - began < 5 + 3 * slack()
    assert found.interrupted == "asked by a test"
    assert judge_probes(found) is Verdict.INCONCLUSIVE
    assert found.created[-1].request == "DELETE /users/7"
    assert [step.state for step in found.steps] == [GO, GO, OPEN, OPEN]
    # What was not sent is not written again and again: a stop with a thousand steps left ends soon.
    assert [len(one.steps) for one in kept] == [1, 2, 2, 3, 3, 4]
    before = next(one for one in kept if len(one.steps) == 3)
    assert (before.ended, before.created[0].certain, before.created[0].step) == (None, False, "an order")


def test_a_record_reads_back_and_one_that_was_changed_does_not() -> None:
    """Law: a record is read without loss, or refused."""
    with healthy() as server:
        server.ways |= shop()
        found = probed(server, TWO)
    text = probed_to_json(found)
    assert probed_from_json(text) == found
    for changed in (
        text.replace('"pass"', '"passed"', 1),
        text[:-9],
        text.replace('"kind": "probe"', '"kind": "x"'),
    ):
        with pytest.raises(KisaanError):
            probed_from_json(changed)


def _found(states: tuple[ProbeState, ...], **more: Any) -> Probed:
    steps = tuple(ProbeStep("s", "GET", "/", state, "") for state in states)
    now = datetime.now(UTC)
    made = Probed(1, "p", "", "http://a:1", False, False, "kv", now, now, "", steps)
    return replace(made, **more)


def test_the_verdict_is_green_only_if_every_step_is() -> None:
    """Law: any fail is FAIL; else anything unknown, cut off or missing is INCONCLUSIVE."""
    for states in product(ProbeState, repeat=3):
        worst = next(state for state in (NO, OPEN, GO) if state in states)
        wanted = {NO: Verdict.FAIL, OPEN: Verdict.INCONCLUSIVE, GO: Verdict.PASS}[worst]
        assert judge_probes(_found(states)) is wanted
    assert judge_probes(_found(())) is Verdict.INCONCLUSIVE
    assert judge_probes(_found((GO,), ended=None)) is Verdict.INCONCLUSIVE
    assert judge_probes(_found((GO,), interrupted="SIGTERM")) is Verdict.INCONCLUSIVE
    for removal, wanted in {
        ProbeRemoval.LEFT: Verdict.PASS,
        ProbeRemoval.REMOVED: Verdict.PASS,
        ProbeRemoval.NOT_REMOVED: Verdict.FAIL,
        ProbeRemoval.UNKNOWN: Verdict.INCONCLUSIVE,
    }.items():
        assert judge_probes(_found((GO,), created=(ProbeCreated("s", "", removal=removal),))) is wanted
