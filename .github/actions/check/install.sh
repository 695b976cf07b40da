#!/usr/bin/env bash
# Install edgefit, of the commit this action was taken from, into an environment of its own, in tested versions.
set -euo pipefail

environment="$RUNNER_TEMP/edgefit"
repository="$(realpath "$GITHUB_ACTION_PATH/../../..")"
"$PYTHON" -m venv "$environment"
install=("$environment/bin/python" -m pip install --quiet --disable-pip-version-check
  --constraint "$repository/constraints.txt")
# Only torch comes from its index. If pip looked into two indexes at once, it would take any package from the one that
# has the newer version, whoever put it there.
if [ -n "$TORCH_INDEX_URL" ]; then
  "${install[@]}" --no-deps --index-url "$TORCH_INDEX_URL" torch torchvision
fi
"${install[@]}" "$repository[$EXTRAS]"
