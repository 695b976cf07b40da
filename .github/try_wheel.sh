#!/usr/bin/env bash
# Install a wheel with onnxruntime into an environment of its own, hold its files to the repository's, and measure a model.
#
# usage: try_wheel.sh WHEEL
set -euo pipefail

wheel="$(realpath "$1")"
repository="$(realpath "$(dirname "$0")/..")"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder" # the repository has folders with the packages' names

"${PYTHON:-python3}" -m venv environment
bin="$folder/environment/bin"
"$bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint "$repository/constraints.txt" "$wheel[onnx]"

installed="$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
git -C "$repository" ls-files bench device_profiles edgefit export models user_files | while read -r file; do
  cmp "$repository/$file" "$installed/$file"
done

"$bin/edgefit" --version
"$bin/edgefit" profiles list --quiet >/dev/null
"$bin/edgefit" doctor
"$bin/edgefit" bench "$repository/tests/data/schema1/bundle/onnx-int8/model.onnx" --quick --out report.json
"$bin/edgefit" choose report.json
