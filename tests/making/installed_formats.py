"""Which formats this environment can test: one that needs a further extra is tested where it is installed."""

from bench.bundle.variants import Precision
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import is_installed
from export.planning import is_exportable_here

BASIC = [name for name, row in FORMATS.items() if row.is_basic]
"""The formats that every environment can test; without them the tests fail."""
MEASURED = [name for name, row in FORMATS.items() if row.is_basic or is_installed(row)]
"""The formats whose runtime is installed."""
EXPORTED = [name for name in MEASURED if FORMATS[name].is_basic or is_exportable_here(FORMATS[name])]
"""The formats whose exporter is installed."""
WITH_INT8 = [name for name in EXPORTED if Precision.INT8 in FORMATS[name].precisions]
"""Those of them that edgefit quantises."""
VARIANTS = [f"{name}-{precision.value}" for name in EXPORTED for precision in FORMATS[name].precisions]
"""The variants that an export makes here."""
