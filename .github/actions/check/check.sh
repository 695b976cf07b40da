#!/usr/bin/env bash
# Run edgefit check, put its result into the job's summary, and end with its exit code. With UPDATE_BASELINE=true the
# candidate takes the baseline's place, whatever the verdict: what was merged is what the next change is held against.
# A kept baseline that is damaged counts as none.
set -euo pipefail

edgefit="${EDGEFIT:-$RUNNER_TEMP/edgefit/bin/edgefit}"
python="${EDGEFIT_PYTHON:-$RUNNER_TEMP/edgefit/bin/python}"
markdown="$RUNNER_TEMP/edgefit-check.md"
junit="$RUNNER_TEMP/edgefit-check.xml"
rm -f "$markdown" "$junit" # of an earlier use in the same job
read -r -d '' -a more <<<"$ARGUMENTS" || true
code=0
renewed=false

fail() {
  echo "::error title=edgefit::$1"
  exit 2
}

# Equal files are not measured, so this only tells whether something is a whole bundle, or a model that runs.
is_whole() {
  "$edgefit" check "$1" --baseline "$1" --skip-equal ${more[@]+"${more[@]}"} >/dev/null
}

start_anew() {
  if [ "$UPDATE_BASELINE" = true ]; then
    echo "edgefit: $1; this candidate becomes the baseline." | tee "$markdown"
    code=0
  else
    echo "::error title=edgefit::$1; run this action once on the default branch with update-baseline"
    code=2
  fi
}

# These events may run a change of somebody else with the rights of the default branch.
case "$UPDATE_BASELINE ${GITHUB_EVENT_NAME:-}" in
  "true pull_request"* | "true workflow_run" | "true issue_comment")
    fail "what ${GITHUB_EVENT_NAME} brings never becomes the baseline; set update-baseline on pushes alone" ;;
esac
if [ -f "$BASELINE" ] && [ "$UPDATE_BASELINE" = true ]; then
  fail "the baseline is a file of yours, which is not replaced; leave out update-baseline"
fi

# What is kept of a model file is a folder with the file, and with its name.
baseline="$BASELINE"
if [ -f "$BASELINE/model-file.txt" ]; then
  baseline="$BASELINE/$(basename "$(cat "$BASELINE/model-file.txt")")"
fi

if [ -f "$baseline" ] || [ -e "$baseline/manifest.json" ]; then
  "$edgefit" check "$CANDIDATE" --baseline "$baseline" ${ONLY:+--only "$ONLY"} ${more[@]+"${more[@]}"} \
    --github --markdown "$markdown" --junit "$junit" || code=$?
  if [ ! -f "$BASELINE" ] && { [ "$code" = 1 ] || [ "$code" = 2 ]; } && is_whole "$CANDIDATE" && ! is_whole "$baseline"; then
    echo "::warning title=edgefit::the kept baseline is damaged, and is not used"
    start_anew "the kept baseline is damaged"
  fi
elif [ -d "$BASELINE" ] && [ -n "$(ls -A "$BASELINE")" ]; then
  echo "::warning title=edgefit::the kept baseline is incomplete, and is not used"
  start_anew "the kept baseline is incomplete"
else
  start_anew "no baseline is kept yet"
fi

if [ -e "$markdown" ]; then
  cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
fi
if [ "$UPDATE_BASELINE" = true ] && is_whole "$CANDIDATE"; then
  if [ -f "$CANDIDATE" ]; then
    "$python" "$GITHUB_ACTION_PATH/keep_model.py" "$CANDIDATE" "$BASELINE"
  elif [ ! "$CANDIDATE" -ef "$BASELINE" ]; then
    rm -rf "$BASELINE"
    mkdir -p "$(dirname "$BASELINE")"
    cp -R "$CANDIDATE" "$BASELINE"
  fi
  renewed=true
elif [ "$UPDATE_BASELINE" = true ] && [ "$code" = 0 ]; then
  code=2 # nothing was compared, and the candidate is no baseline either
fi
{
  echo "renewed=$renewed"
  echo "exit-code=$code"
  echo "markdown=$markdown"
  echo "junit=$junit"
} >>"$GITHUB_OUTPUT"
exit "$code"
