#!/usr/bin/env bash
# Install edgefit, of the commit this action was taken from, into an environment of its own.
set -euo pipefail

environment="$RUNNER_TEMP/edgefit"
"$PYTHON" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
  ${EXTRA_INDEX_URL:+--extra-index-url "$EXTRA_INDEX_URL"} "$GITHUB_ACTION_PATH/../../..[$EXTRAS]"
