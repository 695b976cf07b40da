"""`preprocess.py` of a shipped artifact. Pure."""

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.manifest import ArtifactRecord, Manifest
from bench.bundle.preprocessing import PreprocessingRecord, StatedPreprocessing
from bench.choose.ship import image_reading, run_folder_reading
from bench.errors import InputError


def preprocess_script_of(manifest: Manifest, artifact: ArtifactRecord) -> str | None:
    """Return the function that reads an image, as a script; None where the inputs are no images.

    Raises InputError where the manifest has no record of how an image becomes an input.
    """
    match manifest.preprocessing:
        case None:
            return None
        case PreprocessingRecord() as steps:
            return run_folder_reading.reading_of(steps)
        case Preprocess() as steps:
            (tensor,) = artifact.inputs(manifest.model.image_size)
            return image_reading.reading_of(steps, tensor)
        case StatedPreprocessing() as steps:
            raise InputError(
                f"the bundle '{manifest.name}' cannot be shipped: it is of schema 1, and says in sentences "
                f"that edgefit did not write how an image becomes an input ('{steps.words}'); export the "
                "bundle again"
            )
