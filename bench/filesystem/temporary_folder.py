"""A temporary folder that is deleted with its process, or by the next one of this user if that was killed."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from types import TracebackType

from bench.errors import InputError
from bench.filesystem.temporary_names import TEMPORARY_NAME
from bench.filesystem.trying import try_to_write
from bench.filesystem.unfinished import held, lock_new


class TemporaryFolder:
    """An empty folder of this user alone; use it as a context manager, or call `delete`.

    It is locked as long as it is used: what nobody holds was left by a killed process.
    """

    path: Path
    """The folder."""

    def __init__(self) -> None:
        refuse_other_place()
        sweep_temporary_folders(Path(tempfile.gettempdir()))
        while True:
            # What a process that cannot be ended still writes there is left; later it counts as abandoned.
            self._folder = tempfile.TemporaryDirectory(
                prefix=f"edgefit-{os.getpid()}-", ignore_cleanup_errors=True
            )
            self.path = Path(self._folder.name)
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            if lock_new(self.path, self._lock):
                return
            self.delete()  # another process took it for an abandoned one before it was locked

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()

    def delete(self) -> None:
        """Delete the folder with everything in it; a second call does nothing."""
        self._folder.cleanup()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@cache
def refuse_other_place() -> None:
    """Raise InputError if TMPDIR cannot be written: Python would silently take another folder.

    A user may have set it because temporary files, such as images of patients, must not lie elsewhere.
    """
    if named := os.environ.get("TMPDIR"):
        try:
            try_to_write(Path(named))
        except OSError as error:
            raise InputError(
                f"TMPDIR is {named}, which cannot be written ({error.strerror}); set it to a folder that has "
                "free space, exists, and may be written"
            ) from None


@cache
def sweep_temporary_folders(above: Path) -> None:
    """Delete the folders in `above` that killed processes of this user left; once for each process."""
    try:
        names = os.listdir(above)
    except PermissionError:  # some systems let nobody list what others have there
        return
    for folder in (above / name for name in names if TEMPORARY_NAME.fullmatch(name)):
        if _is_own(folder):
            with held(folder) as is_abandoned:
                if is_abandoned:
                    shutil.rmtree(folder, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    try:
        return os.lstat(folder).st_uid == os.geteuid()
    except FileNotFoundError:  # its command has just ended
        return False
