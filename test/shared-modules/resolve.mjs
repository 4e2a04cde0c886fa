/**
 * Node's own way to modules, with two differences. What lies in `test/` is loaded again for each test file, which has a
 * number of its own: no file sees what another kept there. So is the settings tab with HubSpot's library for it, which asks
 * once, when it is loaded, whether it runs in HubSpot. And `@jest/globals` is what jest gave to this file.
 * With `--watch` the product is loaded again too, since it changes between two runs.
 */
const FOLDERS = ["../", "../../app-config/", "../../node_modules/@hubspot/ui-extensions/"];
if (process.env.WATCHES_SOURCES !== undefined) FOLDERS.push("../../src/");
const OWN_PLACES = FOLDERS.map((folder) => new URL(folder, import.meta.url).href);
const GLOBALS = new URL("./globals.mjs", import.meta.url).href;
const NUMBER = /[?&]test-file=\d+$/;

/** Node's hook: https://nodejs.org/docs/latest-v20.x/api/module.html#resolvespecifier-context-nextresolve */
export async function resolve(specifier, context, nextResolve) {
  const number = NUMBER.exec(context.parentURL ?? "")?.[0];
  if (number === undefined) return nextResolve(specifier, context);
  if (specifier === "@jest/globals")
    return { url: `${GLOBALS}${number}`, format: "module", shortCircuit: true };
  const resolved = await nextResolve(specifier, context);
  return OWN_PLACES.some((folder) => resolved.url.startsWith(folder))
    ? { ...resolved, url: `${resolved.url}${number}` }
    : resolved;
}
