"""How torchvision is imported in a fresh process."""

import subprocess
import sys


def test_torchvision_is_imported_in_a_fresh_process() -> None:
    code = (
        "from models.torchvision_import import import_torchvision_models as load;"
        "assert load() is load(); print(load().mobilenet_v2(num_classes=2).classifier[1].out_features)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "2"
