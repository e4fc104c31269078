"""Write docs/api.md from the package itself: ``python tests/make_api_docs.py``."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from make_reference_docs import sentence  # noqa: E402

import kisaan_validate  # noqa: E402

PAGE = ROOT / "docs" / "api.md"
MADE = {"Limits", "Options", "SuiteSettings"}
"""Classes of which callers make objects: their fields are said, as the arguments of a function are."""
HEAD = """# The Python API

`Run.to_json`, `to_html` and `to_frame` give JSON, page and data frame. Errors are subclasses of `KisaanError`.
`x=` is optional.

```python
{example}
```

"""


def page() -> str:
    """The page."""
    example = inspect.cleandoc(re.findall(r"(?ms)^    .*?(?=^\S)", kisaan_validate.__doc__ or "")[0])
    names = sorted((name for name in kisaan_validate.__all__ if name != "__version__"), key=str.lower)
    return HEAD.format(example=example) + "\n".join(map(_line, names)) + "\n"


def _line(name: str) -> str:
    found = getattr(kisaan_validate, name)
    file = Path(inspect.getfile(found)).relative_to(ROOT)
    words = f"{name}({_arguments(found)})" if inspect.isfunction(found) or name in MADE else name
    return f"- [`{words}`](../{file}): {sentence(found.__doc__)}"


def _arguments(function: object) -> str:
    """The names of the arguments; those that may be left out end in ``=``."""
    assert callable(function)
    given = inspect.signature(function).parameters.values()
    return ", ".join(f"{p.name}=" if p.default is not p.empty else str(p).split(":")[0] for p in given)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
