#!/usr/bin/env bash
# Run edgefit check, put its result into the job's summary, and end with its exit code. With UPDATE_BASELINE=true the
# candidate takes the baseline's place, whatever the verdict: what was merged is what the next change is held against.
set -euo pipefail

edgefit="${EDGEFIT:-$RUNNER_TEMP/edgefit/bin/edgefit}"
python="${EDGEFIT_PYTHON:-$RUNNER_TEMP/edgefit/bin/python}"
markdown="$RUNNER_TEMP/edgefit-check.md"
junit="$RUNNER_TEMP/edgefit-check.xml"
rm -f "$markdown" "$junit" # of an earlier use in the same job
read -r -d '' -a more <<<"$ARGUMENTS" || true
code=0
renewed=false

# What is kept of a model file is a folder with the file, and with its name.
baseline="$BASELINE"
if [ -f "$BASELINE/model-file.txt" ]; then
  baseline="$BASELINE/$(cat "$BASELINE/model-file.txt")"
fi

if [ -f "$BASELINE" ] && [ "$UPDATE_BASELINE" = true ]; then
  echo "::error title=edgefit::the baseline is a file of yours, which is not replaced; leave out update-baseline"
  exit 2
fi
if [ -f "$baseline" ] || [ -e "$baseline/manifest.json" ]; then
  "$edgefit" check "$CANDIDATE" --baseline "$baseline" ${ONLY:+--only "$ONLY"} ${more[@]+"${more[@]}"} \
    --github --markdown "$markdown" --junit "$junit" || code=$?
elif [ "$UPDATE_BASELINE" = true ]; then
  echo "edgefit: no baseline is kept yet; this candidate becomes the first." | tee "$markdown"
else
  echo "::error title=edgefit::no baseline is kept yet; run this action once on the default branch with update-baseline"
  code=2
fi

if [ -e "$markdown" ]; then
  cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
fi
# Equal files are not measured, so this only tells whether the candidate is a whole bundle, or a model that runs.
if [ "$UPDATE_BASELINE" = true ] &&
  "$edgefit" check "$CANDIDATE" --baseline "$CANDIDATE" --skip-equal ${more[@]+"${more[@]}"} >/dev/null; then
  if [ -f "$CANDIDATE" ]; then
    "$python" "$GITHUB_ACTION_PATH/keep_model.py" "$CANDIDATE" "$BASELINE"
  elif [ ! "$CANDIDATE" -ef "$BASELINE" ]; then
    rm -rf "$BASELINE"
    mkdir -p "$(dirname "$BASELINE")"
    cp -R "$CANDIDATE" "$BASELINE"
  fi
  renewed=true
fi
{
  echo "renewed=$renewed"
  echo "exit-code=$code"
  echo "markdown=$markdown"
  echo "junit=$junit"
} >>"$GITHUB_OUTPUT"
exit "$code"
