#!/usr/bin/env bash
# Reads app-config/ with HubSpot's own project parser, the one inside its CLI: see check-app-config.mjs. In a copy, with the
# example profile, since a project has a profile of each operator's own.
set -euo pipefail
cd "$(dirname "$0")/.."

PARSER=@hubspot/project-parsing-lib@0.23.0
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
cp -r "${1:-app-config}" "$copy/app-config"
cp app-config/hsprofile.example.json "$copy/app-config/src/hsprofile.example.json"
cp .ci/check-app-config.mjs "$copy/"
echo '{ "private": true }' >"$copy/package.json"
(cd "$copy" && npm install --ignore-scripts --prefer-offline --no-audit --no-fund --no-progress --loglevel=error "$PARSER")
node "$copy/check-app-config.mjs" "$copy/app-config"
