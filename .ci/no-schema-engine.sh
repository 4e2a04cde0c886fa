#!/bin/sh
# Stands in for Prisma's schema engine where its download cannot be reached. generate, validate and format run on
# WebAssembly and need only its presence; a command that truly needs it must fail, not pass silently.
case "$1" in --version|-v) echo "schema-engine stub (offline)"; exit 0;; esac
echo "schema engine not available offline: this Prisma command needs it (migrate/db). Use npm run db:migrate." >&2
exit 1
