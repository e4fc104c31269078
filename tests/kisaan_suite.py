"""KisaanCenter's own suite, loaded once for each process that tests it: that takes most of a second."""

from __future__ import annotations

from conftest import ROOT

from kisaan_validate.suite.load import load_suite

SUITE = load_suite(ROOT / "checks")
