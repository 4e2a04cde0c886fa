#!/usr/bin/env node
/** `npx sequence-enroller …` in a checkout: builds what is missing, then runs the command line in this same process. */
import { prepare, reportingProblems } from "./prepare.mjs";

reportingProblems(() => prepare({ build: true }));
await import(new URL("../dist/cli/main.js", import.meta.url).href);
