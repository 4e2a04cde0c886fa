#!/usr/bin/env bash
# Builds the settings tab as HubSpot does at an upload, with HubSpot's own tool: a mistake in how it is put together would
# otherwise show only there. In a copy: the tool writes a lock file and `node_modules` beside the sources.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILDER=@hubspot/ui-extensions-dev-server@2.1.2
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
cp -r app-config/src/app/settings "$copy/settings"
echo '{"PUBLIC_URL":"https://enroller.example.com"}' >"$copy/variables.json"
(cd "$copy" && npm exec --yes --package="$BUILDER" -- uie -v variables.json build settings/SettingsPage.tsx)
test -s "$copy/settings/dist/SettingsPage.js"
