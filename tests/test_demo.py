"""The demonstration runs from end to end, on fewer layers and epochs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_demo_runs() -> None:
    done = subprocess.run(
        [sys.executable, "tools/demo.py", "--quick"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "its outputs are equal" in done.stdout
    rows = re.findall(r"^(resnet20|plain20) +270,810 +[0-9.]+ +([0-9.]+)%", done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == ["resnet20", "plain20"], done.stdout
    assert all(float(accuracy) > 20 for _, accuracy in rows), done.stdout
