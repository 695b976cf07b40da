#!/usr/bin/env bash
# Run edgefit check, put its result into the job's summary, and end with its exit code. With UPDATE_BASELINE=true the
# candidate takes the baseline's place, whatever the verdict: what was merged is what the next change is held against.
set -euo pipefail

edgefit="${EDGEFIT:-$RUNNER_TEMP/edgefit/bin/edgefit}"
markdown="$RUNNER_TEMP/edgefit-check.md"
junit="$RUNNER_TEMP/edgefit-check.xml"
rm -f "$markdown" "$junit" # of an earlier use in the same job
read -r -d '' -a more <<<"$ARGUMENTS" || true
code=0
renewed=false

if [ -e "$BASELINE/manifest.json" ]; then
  "$edgefit" check "$CANDIDATE" --baseline "$BASELINE" ${ONLY:+--only "$ONLY"} ${more[@]+"${more[@]}"} \
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
# Equal files are not measured, so this only tells whether the candidate is a whole bundle.
if [ "$UPDATE_BASELINE" = true ] && "$edgefit" check "$CANDIDATE" --baseline "$CANDIDATE" --skip-equal >/dev/null; then
  if [ ! "$CANDIDATE" -ef "$BASELINE" ]; then
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
