#!/usr/bin/env bash
# Run edgefit check, put its result into the job's summary, and end with its exit code. With UPDATE_BASELINE=true
# and nothing that blocks, the candidate takes the baseline's place, whence the next step keeps it.
set -euo pipefail

edgefit="${EDGEFIT:-$RUNNER_TEMP/edgefit/bin/edgefit}"
markdown="$RUNNER_TEMP/edgefit-check.md"
junit="$RUNNER_TEMP/edgefit-check.xml"
read -r -a more <<<"$ARGUMENTS"
code=0

if [ -e "$BASELINE/manifest.json" ]; then
  "$edgefit" check "$CANDIDATE" --baseline "$BASELINE" ${ONLY:+--only "$ONLY"} "${more[@]}" \
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
{
  echo "exit-code=$code"
  echo "markdown=$markdown"
  echo "junit=$junit"
} >>"$GITHUB_OUTPUT"
if [ "$code" -eq 0 ] && [ "$UPDATE_BASELINE" = true ]; then
  rm -rf "$BASELINE"
  cp -R "$CANDIDATE" "$BASELINE"
fi
exit "$code"
