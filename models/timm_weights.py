"""Downloads timm's own weights of a network, from the Hugging Face Hub or its cache. It reads no tensor."""

import importlib
from pathlib import Path

from models.architecture import Architecture
from models.errors import InputError
from models.progress import Progress
from user_files.own_folders import NO_HOME, is_below_no_home

FILE = "model.safetensors"


def download_of_timm(architecture: Architecture, progress: Progress) -> Path:
    """Return the file of the weights that timm itself would start from; raises InputError if that fails."""
    hub = importlib.import_module("huggingface_hub")
    repository = architecture.imagenet_weights
    assert repository is not None
    cached = hub.try_to_load_from_cache(repository, FILE)
    if isinstance(cached, str):
        return Path(cached)
    if is_below_no_home(Path(hub.constants.HF_HUB_CACHE)):
        raise InputError(
            f"--weights imagenet: {NO_HOME}; set HF_HOME to a writable folder, to download into, or give "
            "timm's checkpoint as --weights FILE"
        )
    progress.begin(f"Loading ImageNet weights ({repository})", 1)
    try:
        path = Path(hub.hf_hub_download(repository, FILE))
    except (OSError, ValueError) as error:
        raise InputError(
            f"--weights imagenet: {repository} could not be downloaded from the Hugging Face Hub "
            f"({str(error).splitlines()[0]}); without a network use --weights none, or give timm's "
            "checkpoint as --weights FILE"
        ) from error
    progress.advance()
    return path
