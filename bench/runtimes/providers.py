"""What runtimes call the places where they run, in one word for all of them. It knows no runtime."""

_LONG_ENDING = "executionprovider"


def place_of(provider: str) -> str:
    """Return where a runtime's own provider runs: cpu, cuda, tensorrt, gpu."""
    return provider.lower().removesuffix(_LONG_ENDING)
